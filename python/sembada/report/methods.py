"""How a study was made, in tables: methods, failures, reproducibility."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sembada.report.rows import records
from sembada.report.table import Table
from sembada.report.words import Words
from sembada.study.outcome import Outcome

__all__ = ["failures_table", "methods_table", "reproducibility_table"]


def methods_table(outcome: Outcome, words: Words) -> Table:
    """List what a methods section has to say."""
    forms = "; ".join(
        f"{predictor} → {result}: {words('f_' + row['form'])}"
        for (predictor, result), row in records(outcome.hand_off).items()
    )
    uncertain = sum(column not in outcome.linked for column in outcome.design.columns)
    corrected = "m_plsc_yes" if outcome.paths.consistent else "m_plsc_no"
    rows = [
        [words("m_draws"), words("m_draws_text", draws=outcome.n_draws, replicates=len(outcome.paths.replicates))],
        [words("m_forms"), forms],
        [words("m_plsc"), words(corrected)],
        [words("m_uncertain"), words("m_uncertain_text", n=uncertain)],
        [words("m_common"), words("m_common_text")],
        [words("m_valid"), words("m_valid_text", valid=outcome.n_valid, draws=outcome.n_draws)],
    ]
    return Table("methods", words("c_methods"), [words("item"), words("message")], ["s", "s"], rows)


def failures_table(outcome: Outcome, words: Words) -> Table:
    """Failed runs by scenario."""
    rows = [
        [str(name), row["bootstrap"], row["model"], row["failed"], row["runs"]]
        for name, row in records(outcome.failures()).items()
    ]
    heads = [words(head) for head in ("scenario", "failed_bootstrap", "failed_model", "failed", "runs")]
    return Table("failures", words("c_failures"), heads, ["s", "d", "d", "d", "d"], rows)


def _flat(values: Mapping[str, Any], prefix: str = "") -> list[list[str]]:
    """Nested facts as rows of dotted names."""
    rows: list[list[str]] = []
    for key, value in values.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            rows += _flat(value, f"{name}.")
        elif value not in ("", None):
            rows.append([name, str(value)])
    return rows


def reproducibility_table(outcome: Outcome, words: Words) -> Table:
    """Versions, seed, options and hashes: the same sheet, the same numbers."""
    heads = [words("item"), words("value")]
    return Table("reproducibility", words("c_reproduce"), heads, ["s", "s"], _flat(outcome.provenance))
