"""The path diagram: constructs, coefficients with stars, explained variance."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sembada.report.layout import place
from sembada.report.numbers import Numbers
from sembada.report.style import INK, MUTED, PAPER, figure, svg
from sembada.study.hypotheses import stars

__all__ = ["path_diagram"]

_POSITIVE, _NEGATIVE = "#0b5394", "#b4310f"


def path_diagram(
    paths: pd.DataFrame,
    r2: Mapping[str, float] | None = None,
    *,
    numbers: Numbers | None = None,
    title: str = "",
    key: str = "paths",
) -> str:
    """Draw the structural model as an SVG element.

    Parameters
    ----------
    paths
        Index `predictor, outcome`; columns `estimate` and, if known, `p`. Interactions are `A:B` and drawn as small
        nodes.
    r2
        Explained variance of the endogenous constructs.
    numbers
        How numbers are written.
    title
        Text for readers who do not see it.
    key
        Prefix of the ids in the SVG.

    Returns
    -------
    str
        An `<svg>` element. Width of arrows grows with the coefficient; dashed arrows are not significant at 5 %.
    """
    numbers = numbers or Numbers()
    edges = [(str(a), str(b)) for a, b in paths.index]
    nodes = list(dict.fromkeys(name for edge in edges for name in edge))
    at = place(nodes, edges)
    xs, ys = np.array(list(at.values())).T
    # long chains of constructs stand closer, so that letters stay readable at the width of a page
    step_x, step_y = float(np.clip(9.6 / max(np.ptp(xs), 1), 1.6, 2.45)), 1.25
    half_width, half_height = 0.78 if step_x > 2.2 else 0.64, 0.36
    where = {name: (x * step_x, y * step_y) for name, (x, y) in at.items()}
    width = (np.ptp(xs) * step_x + 2 * half_width + 0.3) * 1.06
    height = (np.ptp(ys) * step_y + 2 * half_height + 0.5) * 1.06
    with figure(max(width, 4.0), max(height, 1.8), layout=None) as made:
        axes = made.add_axes((0.0, 0.0, 1.0, 1.0))
        axes.set_axis_off()
        axes.set_aspect("equal")
        middle_x, middle_y = (xs.max() + xs.min()) / 2 * step_x, (ys.max() + ys.min()) / 2 * step_y
        axes.set_xlim(middle_x - max(width, 4.0) / 2, middle_x + max(width, 4.0) / 2)
        axes.set_ylim(middle_y - max(height, 1.8) / 2, middle_y + max(height, 1.8) / 2)
        labels: list[tuple[float, float]] = []
        from matplotlib.patches import Ellipse, FancyArrowPatch

        for (start, end), (_, row) in zip(edges, paths.iterrows(), strict=True):
            value, p = float(row["estimate"]), float(row.get("p", np.nan))
            colour = _POSITIVE if value >= 0 else _NEGATIVE
            a, b = np.array(where[start]), np.array(where[end])
            a, b = _edge(a, b, half_width, half_height), _edge(b, a, half_width, half_height)
            axes.add_patch(
                FancyArrowPatch(
                    tuple(a),
                    tuple(b),
                    arrowstyle="-|>",
                    mutation_scale=13,
                    shrinkA=0,
                    shrinkB=1,
                    linewidth=0.9 + 3.0 * min(abs(value), 1.0),
                    color=colour,
                    linestyle="--" if p >= 0.05 else "-",
                    zorder=2,
                )
            )
            spot = _free_spot(a, b, labels)
            labels.append(spot)
            axes.text(
                *spot,
                f"{numbers.fixed(value, 3)}{stars(p)}",
                ha="center",
                va="center",
                fontsize=9.5,
                color=colour,
                zorder=5,
                fontweight="bold",
                bbox={"boxstyle": "round,pad=0.16", "facecolor": PAPER, "edgecolor": "none"},
            )
        for name, (x, y) in where.items():
            explained = None if r2 is None else r2.get(name)
            shown = explained is not None and np.isfinite(explained) and explained > 0
            axes.add_patch(
                Ellipse(
                    (x, y), 2 * half_width, 2 * half_height, facecolor="#f2f6fa", edgecolor=INK, linewidth=1.2, zorder=3
                )
            )
            size = min(11.0, 132.0 * half_width / max(len(name), 1) / 0.78)
            axes.text(
                x,
                y + (0.1 if shown else 0.0),
                name,
                ha="center",
                va="center",
                fontsize=size,
                fontweight="bold",
                zorder=4,
            )
            if shown:
                axes.text(
                    x,
                    y - 0.14,
                    f"R² = {numbers.fixed(explained, 3)}",
                    ha="center",
                    va="center",
                    fontsize=8.5,
                    color=MUTED,
                    zorder=4,
                )
        return svg(made, key, title)


def _edge(
    inside: NDArray[np.float64], towards: NDArray[np.float64], half_width: float, half_height: float
) -> NDArray[np.float64]:
    """Return where the line from the middle of an ellipse leaves it."""
    direction = towards - inside
    scale = 1.0 / np.hypot(direction[0] / half_width, direction[1] / half_height)
    edge: NDArray[np.float64] = inside + direction * min(scale, 0.45)
    return edge


def _free_spot(a: NDArray[np.float64], b: NDArray[np.float64], taken: list[tuple[float, float]]) -> tuple[float, float]:
    """Find a place on the arrow for its label, away from other labels."""
    for share in (0.46, 0.36, 0.58, 0.27, 0.68):
        x, y = a + share * (b - a)
        if all(abs(x - u) > 0.62 or abs(y - v) > 0.26 for u, v in taken):
            return float(x), float(y)
    x, y = a + 0.46 * (b - a)
    return float(x), float(y)
