"""Figures of the choice: Pareto scatter, P(best), value of information."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sembada.report.curves import _axis_numbers
from sembada.report.numbers import Numbers
from sembada.report.style import INK, MUTED, PAPER, colours, figure, svg
from sembada.report.words import Words
from sembada.study.outcome import Outcome

__all__ = ["best_bars", "information_bars", "pareto_scatter"]


def pareto_scatter(
    outcome: Outcome,
    criteria: Sequence[str],
    *,
    numbers: Numbers | None = None,
    words: Words | None = None,
    title: str = "",
    key: str = "pareto",
) -> str:
    """Draw two criteria as differences from the reference: draws, medians, and the front of medians.

    Parameters
    ----------
    outcome
        The outcome of a study.
    criteria
        Two measures.
    numbers, words, title, key
        Style, language, alternative text and prefix of ids.
    """
    numbers, words = numbers or Numbers(), words or Words("en")
    first, second = criteria[:2]
    colour = colours(outcome.names, outcome.reference)
    gaps = []
    for name in (first, second):
        draws = outcome.draws(name).to_numpy()[outcome.valid]
        gaps.append(draws - draws[:, [outcome.names.index(outcome.reference)]])
    with figure(7.2, 5.0) as made:
        axes = made.subplots()
        step = max(1, len(gaps[0]) // 300)
        medians = np.array([np.median(gap, axis=0) for gap in gaps]).T
        for number, name in enumerate(outcome.names):
            if name != outcome.reference:
                axes.plot(
                    gaps[0][::step, number],
                    gaps[1][::step, number],
                    "o",
                    markersize=3.2,
                    markeredgewidth=0,
                    alpha=0.20,
                    color=colour[name],
                    rasterized=True,
                    zorder=2,
                )
        table = outcome.pareto([first, second])
        on = np.flatnonzero(table["on_front"].to_numpy())
        on = on[np.argsort(medians[on, 0])]
        axes.plot(medians[on, 0], medians[on, 1], color=INK, linewidth=1.2, zorder=3)
        axes.axhline(0, color=MUTED, linewidth=0.9, zorder=1)
        axes.axvline(0, color=MUTED, linewidth=0.9, zorder=1)
        for number, name in enumerate(outcome.names):
            axes.plot(
                *medians[number],
                "o",
                markersize=11,
                color=colour[name],
                markeredgecolor=PAPER,
                markeredgewidth=1.4,
                zorder=4,
            )
        low = [np.quantile(gap, 0.004) for gap in gaps]
        high = [np.quantile(gap, 0.996) for gap in gaps]
        pad = [0.06 * (b - a) for a, b in zip(low, high, strict=True)]
        axes.set_xlim(low[0] - pad[0], high[0] + pad[0])
        axes.set_ylim(low[1] - pad[1], high[1] + pad[1])
        for number, (dx, dy) in enumerate(_offsets(medians, axes)):
            name = outcome.names[number]
            axes.annotate(
                name,
                medians[number],
                xytext=(dx, dy),
                textcoords="offset points",
                ha="center",
                va="center",
                fontsize=10,
                fontweight="bold",
                color=INK,
                zorder=6,
                bbox={"boxstyle": "round,pad=0.12", "facecolor": PAPER, "edgecolor": "none", "alpha": 0.85},
            )
        for name, axis in ((first, "x"), (second, "y")):
            measure = outcome.measure(name)
            unit = words("p.p.") if measure.percent else words(measure.unit)
            label = words("change", measure=measure.title(name, words.language))
            getattr(axes, f"set_{axis}label")(f"{label} ({unit})" if unit else label)
        _difference_axis(axes, "x", outcome.measure(first).percent, numbers)
        _difference_axis(axes, "y", outcome.measure(second).percent, numbers)
        return svg(made, key, title)


def _difference_axis(axes: object, which: str, percent: bool, numbers: Numbers) -> None:
    """Write differences of shares in percentage points, others as they are."""
    from matplotlib.ticker import FuncFormatter

    def write(value: float, _: int) -> str:
        text = f"{100 * value if percent else value:+.4g}" if abs(value) > 1e-12 else "0"
        return text.replace("-", "−").replace(".", numbers.decimal)

    getattr(axes, f"{which}axis").set_major_formatter(FuncFormatter(write))


def _offsets(points: NDArray[np.float64], axes: object) -> list[tuple[float, float]]:
    """Offsets of labels in points: around each marker, the direction farthest from all other markers and labels."""
    span = np.array([np.ptp(axes.get_xlim()), np.ptp(axes.get_ylim())])  # type: ignore[attr-defined]
    spots = points / span * np.array([440.0, 300.0])
    angles = np.deg2rad(np.arange(0, 360, 30))
    around = 15.5 * np.column_stack([np.cos(angles), np.sin(angles)])
    taken: list[NDArray[np.float64]] = []
    made = []
    for number, spot in enumerate(spots):
        others = np.array([*np.delete(spots, number, axis=0), *taken]) if len(spots) > 1 else np.full((1, 2), 1e6)
        room = [float(np.linalg.norm(others - (spot + offset), axis=1).min()) for offset in around]
        choice = around[int(np.argmax(np.round(room, 6)))]
        taken.append(spot + choice)
        made.append((float(choice[0]), float(choice[1])))
    return made


def best_bars(
    outcome: Outcome,
    criteria: Sequence[str],
    *,
    numbers: Numbers | None = None,
    words: Words | None = None,
    title: str = "",
    key: str = "best",
) -> str:
    """Draw P(best) as bars with two Monte-Carlo errors, a panel a criterion.

    Parameters
    ----------
    outcome, numbers, words, title, key
        As in `pareto_scatter`.
    criteria
        Measures.
    """
    numbers, words = numbers or Numbers(), words or Words("en")
    table = outcome.p_best(list(criteria))
    names = outcome.names
    colour = colours(names, outcome.reference)
    columns = min(3, len(criteria))
    rows = -(-len(criteria) // columns)
    with figure(7.4, rows * (0.24 * len(names) + 0.55) + 0.35) as made:
        grid = made.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
        for number, axes in enumerate(grid.ravel()):
            if number >= len(criteria):
                axes.set_visible(False)
                continue
            criterion = criteria[number]
            part = table.loc[criterion]
            height = np.arange(len(names))[::-1]
            axes.barh(height, part["p_best"], color=[colour[name] for name in names], height=0.72)
            some = (part["p_best"] > 0).to_numpy()
            axes.errorbar(
                part["p_best"][some],
                height[some],
                xerr=2 * part["mc_error"][some],
                fmt="none",
                ecolor=INK,
                elinewidth=1.1,
                capsize=2.2,
            )
            for y, (_, row) in zip(height, part.iterrows(), strict=True):
                text = numbers.fixed(row["p_best"], 2)
                axes.text(
                    row["p_best"] + 2 * row["mc_error"] + 0.025,
                    y,
                    text,
                    va="center",
                    fontsize=8,
                    color=INK if row["p_best"] >= 0.005 else MUTED,
                )
            axes.set_yticks(height, names)
            axes.set_xlim(0, 1.16)
            axes.set_xticks([0, 0.25, 0.5, 0.75, 1.0])
            axes.grid(axis="y", visible=False)
            axes.set_title(outcome.measure(criterion).title(criterion, words.language))
            axes.tick_params(axis="y", length=0)
            axes.tick_params(labelbottom=number + columns >= len(criteria))
            _axis_numbers(axes, numbers, percent=False, which="x")
        made.supxlabel(words("p_best"), fontsize=9)
        return svg(made, key, title)


def information_bars(
    table: pd.DataFrame,
    outcome: Outcome,
    *,
    numbers: Numbers | None = None,
    words: Words | None = None,
    title: str = "",
    key: str = "information",
) -> str:
    """Draw the value of partial information as a share of the perfect one, with the noise floor as a grey bar.

    Parameters
    ----------
    table
        What `outcome.evppi` returned.
    outcome, numbers, words, title, key
        As in `pareto_scatter`.
    """
    numbers, words = numbers or Numbers(), words or Words("en")
    criteria = list(dict.fromkeys(table.index.get_level_values("criterion")))
    largest = table["share"].groupby(level="group", sort=False).max().sort_values(ascending=False, kind="stable")
    groups = list(largest.index[:10])
    with figure(7.4, 0.27 * len(groups) + 1.0) as made:
        grid = made.subplots(1, len(criteria), sharex=True, sharey=True, squeeze=False)
        height = np.arange(len(groups))[::-1]
        for axes, criterion in zip(grid.ravel(), criteria, strict=True):
            part = table.loc[criterion].reindex(groups)
            whole = (part["evppi"] / part["share"]).replace([np.inf, -np.inf], np.nan)
            axes.barh(height, part["share"].fillna(0), color="#0b5394", height=0.62)
            axes.barh(height, (part["floor"] / whole).fillna(0), color="#aeb8c2", height=0.26)
            axes.set_yticks(
                height, [words("survey_paths") if group == "survey" else words(str(group)) for group in groups]
            )
            axes.set_xlim(left=0)
            axes.grid(axis="y", visible=False)
            axes.tick_params(axis="y", length=0)
            axes.set_title(outcome.measure(criterion).title(criterion, words.language))
            _axis_numbers(axes, numbers, percent=True, which="x")
        made.supxlabel(words("share"), fontsize=9)
        return svg(made, key, title)
