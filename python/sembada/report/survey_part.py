"""The tables of the survey model in a report."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from sembada.report.numbers import Numbers
from sembada.report.rows import records
from sembada.report.table import Table
from sembada.report.words import Words
from sembada.study.draws import path_name
from sembada.study.outcome import Outcome

__all__ = ["constructs_table", "effects_table", "explained", "hypotheses_table", "loadings_table"]


def explained(outcome: Outcome) -> dict[str, float]:
    """Return R² by construct where the survey tables hold it."""
    table = outcome.survey.get("constructs")
    return (
        {} if table is None or "r2" not in table else {str(name): float(value) for name, value in table["r2"].items()}
    )


def hypotheses_table(
    outcome: Outcome, stated: Mapping[str, tuple[str, str, str]] | None, words: Words, numbers: Numbers
) -> Table:
    """Paths with O, M, STDEV, t, p, interval and decision."""
    table = outcome.hypotheses(stated)
    rows = [
        [
            name,
            path_name((row["predictor"], row["outcome"])),
            str(row["expected"]).replace("-", "−"),
            row["estimate"],
            row["mean"],
            row["std_error"],
            row["t"],
            row["p"],
            numbers.interval(row["lower"], row["upper"], 3),
            words(row["decision"]),
        ]
        for name, row in records(table).items()
    ]
    heads = [
        "hypothesis",
        "path",
        "expected",
        "estimate",
        "mean_draws",
        "std_error",
        "t",
        "p",
        "interval95",
        "decision",
    ]
    formats = ["s", "i", "s", "f3", "f3", "f3", "f2", "p", "i", "s"]
    return Table("hypotheses", words("c_hypotheses"), [words(head) for head in heads], formats, rows)


def effects_table(outcome: Outcome, words: Words, numbers: Numbers) -> Table | None:
    """Direct, indirect and total effects with the kind of mediation; VAF only where it has meaning."""
    table = outcome.effects()
    if not len(table):
        return None
    rows = []
    for (predictor, result), row in records(table).items():
        cells: list[object] = [path_name((predictor, result))]
        for part in ("direct", "indirect", "total"):
            cells += [row[part], numbers.interval(row[f"{part}_lower"], row[f"{part}_upper"], 3)]
        rows.append([*cells, row["p_total_positive"], words(row["mediation"]), row["vaf"]])
    heads = [
        "path",
        "direct",
        "interval95",
        "indirect",
        "interval95",
        "total",
        "interval95",
        "p_positive",
        "mediation",
        "vaf",
    ]
    formats = ["i", "f3", "i", "f3", "i", "f3", "i", "f2", "s", "%0"]
    refused = ((table["direct"] * table["indirect"]) < 0).any()
    notes = [words("vaf_note")] if refused else []
    return Table("effects", words("c_effects"), [words(head) for head in heads], formats, rows, notes)


def constructs_table(outcome: Outcome, words: Words) -> Table | None:
    """Reliability, AVE and R² of the constructs."""
    table = outcome.survey.get("constructs")
    if table is None:
        return None
    shown = [
        ("mode", "mode", "s"),
        ("n_indicators", "n_indicators", "d"),
        ("alpha", "α", "f3"),
        ("rho_a", "ρA", "f3"),
        ("rho_c", "CR (ρc)", "f3"),
        ("ave", "AVE", "f3"),
        ("r2", "R²", "f3"),
        ("r2_adjusted", "R² adj.", "f3"),
    ]
    shown = [item for item in shown if item[0] in table]
    rows = []
    for name, row in records(table).items():
        cells = [row[column] for column, _, _ in shown]
        # an exogenous construct explains nothing: a dash, not a zero
        cells = [
            np.nan if column in ("r2", "r2_adjusted") and not row["r2"] else cell
            for cell, (column, _, _) in zip(cells, shown, strict=True)
        ]
        rows.append([str(name), *cells])
    heads = [words("construct"), *(words(head) for _, head, _ in shown)]
    return Table("constructs", words("c_constructs"), heads, ["s", *(code for _, _, code in shown)], rows)


def loadings_table(outcome: Outcome, words: Words) -> Table | None:
    """Outer loadings and weights."""
    table = outcome.survey.get("outer")
    if table is None:
        return None
    rows = [
        [str(construct), str(indicator), row["loading"], row["weight"], row["vif"]]
        for (construct, indicator), row in records(table).items()
    ]
    heads = [words("construct"), words("indicator"), words("loading"), words("weight"), "VIF"]
    return Table("loadings", words("c_loadings"), heads, ["s", "s", "f3", "f3", "f2"], rows)
