"""The study: every bootstrap draw of a survey model carried into every policy scenario."""

from __future__ import annotations

from sembada.study.scenario import Scenario, factorial

__all__ = ["Scenario", "factorial"]
