"""Behaviour over time, and the probability of being best over time."""

from __future__ import annotations

import numpy as np

from sembada.report.numbers import Numbers
from sembada.report.style import INK, MUTED, colours, figure, svg
from sembada.report.words import Words
from sembada.study.outcome import Outcome

__all__ = ["behaviour", "best_over_time"]


def _axis_numbers(axes: object, numbers: Numbers, *, percent: bool, which: str = "y") -> None:
    from matplotlib.ticker import FuncFormatter

    def write(value: float, _: int) -> str:
        shown = f"{100 * value:.4g} %" if percent else f"{value:.6g}"
        return shown.replace("-", "−").replace(".", numbers.decimal)

    getattr(axes, f"{which}axis").set_major_formatter(FuncFormatter(write))


def behaviour(
    outcome: Outcome,
    variable: str,
    *,
    label: str = "",
    percent: bool = False,
    numbers: Numbers | None = None,
    words: Words | None = None,
    title: str = "",
    key: str = "behaviour",
) -> str:
    """Draw a variable over time: a panel a scenario with the median and the 90 % band, the reference dashed in each.

    Parameters
    ----------
    outcome
        The outcome of a study.
    variable
        A saved variable.
    label
        Name of the variable on the axis.
    percent
        Whether the axis is in per cent.
    numbers, words, title, key
        Style, language, alternative text and prefix of ids.
    """
    numbers, words = numbers or Numbers(), words or Words("en")
    table = outcome.course(variable, (0.05, 0.5, 0.95))
    names = outcome.names
    colour = colours(names, outcome.reference)
    columns = 2 if len(names) in (2, 4) else min(3, len(names))
    rows = -(-len(names) // columns)
    with figure(7.65 + 0.4, 1.85 * rows + 0.45) as made:
        grid = made.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
        reference = table.loc[outcome.reference]
        for number, axes in enumerate(grid.ravel()):
            if number >= len(names):
                axes.set_visible(False)
                continue
            name = names[number]
            band = table.loc[name]
            axes.fill_between(outcome.time, band[0.05], band[0.95], color=colour[name], alpha=0.22, linewidth=0)
            if name != outcome.reference:
                axes.plot(outcome.time, reference[0.5], color=INK, linewidth=1.1, linestyle=(0, (4, 2)))
            axes.plot(outcome.time, band[0.5], color=colour[name], linewidth=2.0)
            axes.set_title(_short(outcome.scenarios[number].title(words.language)), color=INK, fontsize=8.5)
            axes.margins(x=0)
            axes.tick_params(labelbottom=number + columns >= len(names))
            _axis_numbers(axes, numbers, percent=percent)
        unit = words(outcome.time_unit)
        made.supxlabel(f"{words('time')} ({unit})" if unit else words("time"), fontsize=9)
        made.supylabel(label or variable, fontsize=9)
        return svg(made, key, title)


def _short(text: str, width: int = 30) -> str:
    """Break a title into at most two lines."""
    if len(text) <= width:
        return text
    cut = text.rfind(" ", 0, width + 1)
    cut = width if cut <= 0 else cut
    rest = text[cut:].strip()
    if len(rest) > width:
        rest = rest[: rest.rfind(" ", 0, width) if " " in rest[:width] else width].rstrip(" ,;:") + " …"
    return f"{text[:cut]}\n{rest}"


def best_over_time(
    outcome: Outcome,
    variable: str,
    *,
    direction: str = "max",
    numbers: Numbers | None = None,
    words: Words | None = None,
    title: str = "",
    key: str = "best-over-time",
) -> str:
    """Draw the probability that each scenario has the best value of a variable, at each time; curves carry their names.

    Parameters
    ----------
    outcome, variable, numbers, words, title, key
        As in `behaviour`.
    direction
        `"max"` or `"min"`.
    """
    numbers, words = numbers or Numbers(), words or Words("en")
    # at the start all scenarios are equal and share the first place
    table = outcome.p_best_over_time(variable, "min" if direction == "min" else "max")
    apart = np.ptp(table.to_numpy(), axis=1) > 0
    table = table[apart]
    colour = colours(outcome.names, outcome.reference)
    with figure(7.2, 3.0) as made:
        axes = made.subplots()
        ends: list[tuple[float, str]] = []
        for name in outcome.names:
            if len(table) and table[name].max() >= 0.05:
                axes.plot(table.index, table[name], color=colour[name], linewidth=2.2)
                ends.append((float(table[name].iloc[-1]), name))
        axes.set_ylim(-0.02, 1.02)
        if len(table):
            axes.set_xlim(float(outcome.time[0]), float(outcome.time[-1]))
        last = -1.0
        for height, name in sorted(ends):
            last = max(height, last + 0.075)
            axes.annotate(
                name,
                (1.0, last),
                xycoords=("axes fraction", "data"),
                xytext=(6, 0),
                textcoords="offset points",
                va="center",
                color=colour[name] if name != outcome.reference else MUTED,
                fontweight="bold",
                annotation_clip=False,
            )
        unit = words(outcome.time_unit)
        axes.set_xlabel(f"{words('time')} ({unit})" if unit else words("time"))
        axes.set_ylabel(words("p_best"))
        _axis_numbers(axes, numbers, percent=False)
        return svg(made, key, title)
