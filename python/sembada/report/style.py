"""How all figures look, and how they become SVG."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sembada.errors import require

__all__ = ["INK", "MUTED", "PAPER", "colours", "figure", "svg"]

INK, MUTED, PAPER, GRID = "#1b2631", "#7b8794", "#ffffff", "#e4e7eb"

# Okabe & Ito (2008), safe for the colour-blind, the rest chosen apart from them; the reference scenario is grey.
_PALETTE = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#56B4E9",
    "#7F4F24",
    "#E6A800",
    "#6A3D9A",
    "#1B7F79",
    "#A11D4B",
)

_SETTINGS = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9,
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 9,
    "axes.labelcolor": INK,
    "axes.edgecolor": MUTED,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.7,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "text.color": INK,
    "figure.facecolor": PAPER,
    "savefig.facecolor": PAPER,
    "svg.fonttype": "path",
    # element ids of an SVG are random unless salted
    "svg.hashsalt": "sembada",
    "path.simplify": True,
}


def colours(names: Sequence[str], reference: str) -> dict[str, str]:
    """Give each scenario a colour; the reference is grey."""
    rest = [name for name in names if name != reference]
    made = {name: _PALETTE[number % len(_PALETTE)] for number, name in enumerate(rest)}
    return {reference: MUTED, **made}


@contextmanager
def figure(width: float, height: float, layout: str | None = "constrained") -> Iterator[Any]:
    """Open a figure of so many inches in the common style, and close it after use."""
    matplotlib = require("matplotlib", "plot")
    require("matplotlib.figure", "plot")
    backend = require("matplotlib.backends.backend_svg", "plot")
    with matplotlib.rc_context(_SETTINGS):
        made = matplotlib.figure.Figure(figsize=(width, height), layout=layout)
        backend.FigureCanvasSVG(made)
        yield made


def svg(made: Any, key: str, title: str) -> str:
    """Return a figure as an SVG element without date, that scales with its page.

    Parameters
    ----------
    made
        A matplotlib figure.
    key
        Prefix of all ids, so that several figures share a page.
    title
        Text for readers who do not see it.
    """
    matplotlib = require("matplotlib", "plot")
    with matplotlib.rc_context(_SETTINGS):
        buffer = io.StringIO()
        made.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None}, dpi=200)
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'\bid="', f'id="{key}-', text)
    text = re.sub(r'(xlink:href="#|url\(#)', rf"\g<1>{key}-", text)
    head, body = text.split(">", 1)
    head = re.sub(r' (?:width|height)="[^"]*"', "", head)
    return f'{head} role="img"><title>{html.escape(title)}</title>{body}'
