"""Tables and figures of a study as HTML, LaTeX, Markdown and Excel, in English and Indonesian."""

from __future__ import annotations

from sembada.report.choice import best_bars, information_bars, pareto_scatter
from sembada.report.curves import behaviour, best_over_time
from sembada.report.diagram import path_diagram
from sembada.report.numbers import Numbers
from sembada.report.table import Table
from sembada.report.words import Words
from sembada.report.write import write

__all__ = [
    "Numbers",
    "Table",
    "Words",
    "behaviour",
    "best_bars",
    "best_over_time",
    "information_bars",
    "pareto_scatter",
    "path_diagram",
    "write",
]
