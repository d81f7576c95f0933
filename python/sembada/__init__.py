"""sembada: from a survey to a policy choice.

PLS path modelling (`sembada.pls`), system dynamics (`sembada.sd`), and the study that carries every bootstrap
draw of the survey model into every policy scenario (`sembada.study`).
"""

from __future__ import annotations

from sembada._core import __version__

__all__ = ["__version__"]
