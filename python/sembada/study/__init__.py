"""The study: every bootstrap draw of a survey model carried into every policy scenario.

A `Bridge` says which path of the survey model feeds which parameter of the stock-and-flow model, in which form. A
`Study` joins it with scenarios and uncertainties and runs all of them on all draws; its `Outcome` says which policy
is best and how sure that is.
"""

from __future__ import annotations

from sembada.study.bridge import Bridge
from sembada.study.draws import PathDraws, path_draws
from sembada.study.effects import effects
from sembada.study.hypotheses import hypotheses
from sembada.study.link import FORMS, Link, Scale
from sembada.study.measure import Measure
from sembada.study.outcome import Outcome
from sembada.study.scales import scales
from sembada.study.scenario import Scenario, factorial
from sembada.study.study import HandOffWarning, Study
from sembada.study.variants import variants

__all__ = [
    "FORMS",
    "Bridge",
    "HandOffWarning",
    "Link",
    "Measure",
    "Outcome",
    "PathDraws",
    "Scale",
    "Scenario",
    "Study",
    "effects",
    "factorial",
    "hypotheses",
    "path_draws",
    "scales",
    "variants",
]
