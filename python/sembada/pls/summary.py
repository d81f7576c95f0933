"""Reports of results: the same tables as text, HTML and LaTeX.

No dates, no ids, no timings: equal results print equal.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from sembada.pls.bootstrap import Bootstrap
    from sembada.pls.fit import Fit

__all__ = ["Section", "Summary", "summarise_bootstrap", "summarise_fit"]


@dataclass(frozen=True)
class Section:
    """A titled table of a report."""

    title: str
    table: pd.DataFrame


@dataclass(frozen=True, repr=False)
class Summary:
    """A report.

    Parameters
    ----------
    title
        Its heading.
    facts
        Lines under the heading: name and value.
    sections
        The tables.
    notes
        Lines at the end.
    """

    title: str
    facts: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.to_text()

    def __repr__(self) -> str:
        return self.to_text()

    def _repr_html_(self) -> str:
        return self.to_html()

    def to_text(self) -> str:
        """Return the report as plain text."""
        width = max((len(name) for name, _ in self.facts), default=0)
        lines = [self.title, "=" * len(self.title)]
        lines += [f"{name:<{width}}  {value}" for name, value in self.facts]
        for section in self.sections:
            lines += ["", section.title, "-" * len(section.title), *_text(section.table)]
        if self.notes:
            lines += ["", *self.notes]
        return "\n".join(lines)

    def to_html(self) -> str:
        """Return the report as an HTML fragment."""
        parts = [f'<section class="sembada">\n<h2>{html.escape(self.title)}</h2>']
        rows = "".join(
            f"<tr><th>{html.escape(name)}</th><td>{html.escape(value)}</td></tr>" for name, value in self.facts
        )
        parts.append(f"<table>{rows}</table>")
        for section in self.sections:
            header, body, levels = _cells(section.table)
            parts.append(f"<h3>{html.escape(section.title)}</h3>\n<table>")
            parts.append("<thead><tr>" + "".join(f"<th>{html.escape(cell)}</th>" for cell in header) + "</tr></thead>")
            parts.append("<tbody>")
            for row in body:
                cells = [
                    f"<th>{html.escape(cell)}</th>" if position < levels else f"<td>{html.escape(cell)}</td>"
                    for position, cell in enumerate(row)
                ]
                parts.append("<tr>" + "".join(cells) + "</tr>")
            parts.append("</tbody></table>")
        parts += [f"<p>{html.escape(note)}</p>" for note in self.notes]
        parts.append("</section>")
        return "\n".join(parts)

    def to_latex(self) -> str:
        """Return the report as LaTeX; the tables need the package `booktabs`."""
        parts = [f"\\section*{{{_latex(self.title)}}}"]
        parts.append("\\noindent " + " \\\\\n".join(f"{_latex(name)}: {_latex(value)}" for name, value in self.facts))
        for section in self.sections:
            header, body, levels = _cells(section.table)
            columns = "l" * levels + "r" * (len(header) - levels)
            parts.append(f"\n\\begin{{table}}[ht]\n\\centering\n\\caption{{{_latex(section.title)}}}")
            parts.append(f"\\begin{{tabular}}{{{columns}}}\n\\toprule")
            parts.append(" & ".join(_latex(cell) for cell in header) + " \\\\\n\\midrule")
            parts += [" & ".join(_latex(cell) for cell in row) + " \\\\" for row in body]
            parts.append("\\bottomrule\n\\end{tabular}\n\\end{table}")
        parts += [f"\n{_latex(note)}" for note in self.notes]
        return "\n".join(parts)


_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}", "→": r"$\rightarrow$", "²": r"$^2$", "<": r"$<$", ">": r"$>$",
}  # fmt: skip


def _latex(text: str) -> str:
    return "".join(_LATEX.get(character, character) for character in text)


def _cell(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, (bool, np.bool_)):
        return "yes" if value else "no"
    if isinstance(value, (int, np.integer)):
        return str(value)
    if value is None or np.isnan(value):
        return ""
    # Adding zero turns -0.000 into 0.000.
    return f"{round(float(value), 3) + 0.0:.3f}"


def _cells(table: pd.DataFrame) -> tuple[list[str], list[list[str]], int]:
    levels = [str(name) if name is not None else "" for name in table.index.names]
    header = [*levels, *(str(column) for column in table.columns)]
    body = []
    for label, row in zip(table.index, table.itertuples(index=False, name=None), strict=True):
        labels = [str(part) for part in label] if isinstance(label, tuple) else [str(label)]
        body.append([*labels, *(_cell(value) for value in row)])
    return header, body, len(levels)


def _text(table: pd.DataFrame) -> list[str]:
    header, body, levels = _cells(table)
    widths = [max(len(row[position]) for row in [header, *body]) for position in range(len(header))]

    def line(row: Sequence[str]) -> str:
        cells = [
            f"{cell:<{width}}" if position < levels else f"{cell:>{width}}"
            for position, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        return "  ".join(cells).rstrip()

    return [line(header), *(line(row) for row in body)]


def _facts(fit: Fit) -> list[tuple[str, str]]:
    options = fit.provenance.options
    facts = [
        ("rows", f"{fit.n_obs:g}{' (weighted)' if options['weighted'] else ''}"),
        ("inner scheme", str(options["scheme"])),
        ("estimation", "consistent (PLSc)" if options["consistent"] else "PLS"),
        ("equations", "2SLS" if fit.model.specification.equations == "2sls" else "least squares"),
        ("correlations", str(options["correlation"])),
        ("missing values", str(options["missing"])),
        (
            "iterations",
            f"{' + '.join(map(str, fit.n_iter_stages))} ({'converged' if fit.converged else 'not converged'})",
        ),
    ]
    if fit.status != "ok":
        facts.append(("admissible", f"no: {fit.status}"))
    return facts


def _lower(table: pd.DataFrame, *, diagonal: bool) -> pd.DataFrame:
    keep = np.tril(np.ones(table.shape, dtype=bool), 0 if diagonal else -1)
    return table.where(keep)


def summarise_fit(fit: Fit) -> Summary:
    """Make the report of a fit."""
    sections = [Section("Constructs", fit.constructs), Section("Outer model", fit.outer)]
    if len(fit.paths):
        sections.append(Section("Paths", fit.paths))
        effects = fit.effects
        if (effects["indirect"] != 0).any():
            sections.append(Section("Effects", effects))
        if len(fit.defined()):
            sections.append(Section("Defined quantities", fit.defined()))
        if fit._system.has_chains and len(fit.specific_indirect()):
            sections.append(Section("Specific indirect effects", fit.specific_indirect()[["estimate"]]))
    sections.append(
        Section("Construct correlations, √AVE on the diagonal", _lower(fit.fornell_larcker(), diagonal=True))
    )
    sections.append(Section("HTMT", _lower(fit.htmt(), diagonal=False)))
    measures = fit.fit_measures().dropna(axis=1, how="all")
    if len(measures.columns):
        sections.append(Section("Model fit", measures))
    return Summary("PLS path model", tuple(_facts(fit)), tuple(sections))


def summarise_bootstrap(boot: Bootstrap, *, level: float, interval: str | None, tails: int) -> Summary:
    """Make the report of a bootstrap."""
    names = (
        ("paths", "Paths"), ("total_effects", "Total effects"), ("specific_indirect", "Specific indirect effects"),
        ("loadings", "Loadings"), ("outer_weights", "Outer weights"), ("r2", "R²"), ("reliability", "Reliability"),
        ("htmt", "HTMT"),
    )  # fmt: skip
    sections = []
    for name, title in names:
        if boot.has(name):
            table = getattr(boot, name)(level=level, interval=interval, tails=tails)
            if len(table):
                sections.append(Section(title, table))
    if boot.has("paths") and boot.fit.model.specification.defined and interval != "studentized":
        sections.append(Section("Defined quantities", boot.defined(level=level, interval=interval, tails=tails)))
    facts = [
        *_facts(boot.fit),
        ("method", boot.method),
        ("replicates", f"{boot.n} ({boot.n_failed} failed)"),
        ("seed", "given indices" if boot.provenance.seed is None else str(boot.provenance.seed)),
        ("intervals", f"{boot.interval_of(interval)}, {level:.0%}, {'two' if tails == 2 else 'one'}-tailed"),
    ]
    return Summary("PLS bootstrap", tuple(facts), tuple(sections))
