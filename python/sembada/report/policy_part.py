"""The tables of hand-off, policies and choice in a report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from sembada.report.numbers import Numbers
from sembada.report.rows import records
from sembada.report.table import Table
from sembada.report.words import Words
from sembada.study.draws import path_name
from sembada.study.measure import Direction
from sembada.study.outcome import Outcome
from sembada.study.variants import variants

__all__ = [
    "acceptability_table",
    "audit_table",
    "best_table",
    "compare_table",
    "difference_table",
    "evpi_table",
    "evppi_table",
    "gain",
    "hand_off_table",
    "pareto_table",
    "rank_table",
    "regret_table",
    "reversal_table",
    "scenarios_table",
    "uncertainties_table",
    "variants_tables",
]

Directions = Mapping[str, str]


def _title(outcome: Outcome, name: str, words: Words) -> str:
    measure = outcome.measure(name)
    title = measure.title(name, words.language)
    return f"{title} ({words(measure.unit)})" if measure.unit else title


def _code(outcome: Outcome, name: str, extra: int = 0) -> str:
    measure = outcome.measure(name)
    return f"{'%' if measure.percent else 'f'}{measure.digits + extra}"


def _scenario(outcome: Outcome, name: str, words: Words) -> str:
    return outcome.scenarios[outcome.names.index(name)].title(words.language)


def gain(outcome: Outcome, name: str, value: float, words: Words, numbers: Numbers, extra: int = 2) -> str:
    """Write a difference of values: shares in percentage points."""
    measure = outcome.measure(name)
    if measure.percent:
        return f"{numbers.fixed(100 * value, measure.digits + 1)} {words('pp')}"
    return numbers.fixed(value, measure.digits + extra)


def _pp_note(outcome: Outcome, words: Words) -> list[str]:
    return [words("pp_note")] if any(measure.percent for measure in outcome.measures.values()) else []


def _yes(value: object, words: Words) -> str:
    return words("yes") if value else words("no")


def hand_off_table(outcome: Outcome, words: Words, numbers: Numbers) -> Table:
    """List what enters the model: path, form, parameter, delay, equation, calibration."""
    rows, notes = [], []
    for (predictor, result), row in records(outcome.hand_off).items():
        rows.append(
            [
                path_name((predictor, result)),
                row["estimate"],
                numbers.interval(row["lower"], row["upper"], 3),
                words(f"f_{row['form']}"),
                row["parameter"],
                row["value"],
                numbers.interval(row["value_lower"], row["value_upper"], 3),
                row["unit"],
                row["delay"] or "–",
                row["equation"],
            ]
        )
        if np.isfinite(row["target"]):
            notes.append(
                words(
                    "calibration_note",
                    gain=row["gain"] or path_name((predictor, result)),
                    target=numbers.fixed(row["target"], 2),
                )
            )
    heads = ["path", "estimate", "interval95", "form", "parameter", "value", "interval95", "unit", "delay", "equation"]
    formats = ["i", "f3", "i", "s", "s", "f3", "i", "s", "s", "s"]
    return Table(
        "hand-off", words("c_hand_off"), [words(head) for head in heads], formats, rows, [*notes, words("no_causal")]
    )


def audit_table(outcome: Outcome, words: Words) -> Table:
    """List the cautions of the hand-off."""
    rows = []
    for row in records(outcome.audit).values():
        message = row["message"] if words.language == "en" else words(f"a_{row['caution']}", **row["facts"])
        link = words("all") if row["link"] == "all" else row["link"]
        rows.append([link, words(f"n_{row['caution']}"), words(f"v_{row['severity']}"), message])
    heads = [words(head) for head in ("link", "caution", "severity", "message")]
    return Table("audit", words("c_audit"), heads, ["i", "i", "i", "s"], rows)


def scenarios_table(outcome: Outcome, words: Words, numbers: Numbers) -> Table:
    """List what each scenario sets: parameters that differ from the reference."""
    reference = outcome.scenarios[outcome.names.index(outcome.reference)].params
    rows = []
    for scenario in outcome.scenarios:
        differ = [(k, v) for k, v in scenario.params.items() if reference.get(k) != v and not _idle(k, scenario.params)]
        changes = ", ".join(f"{name} = {numbers.general(value)}" for name, value in differ) or "–"
        rows.append(
            [
                scenario.name,
                scenario.title(words.language).removeprefix(scenario.name).strip(),
                changes,
                _cost(scenario.cost),
            ]
        )
    heads = [words(head) for head in ("scenario", "policy", "changes", "cost")]
    formats, keep = ["s", "s", "s", "g"], 4 if any(scenario.cost is not None for scenario in outcome.scenarios) else 3
    return Table("scenarios", words("c_scenarios"), heads[:keep], formats[:keep], [row[:keep] for row in rows])


def _cost(value: float | None) -> float:
    return np.nan if value is None else value


def _idle(name: str, params: Mapping[str, float]) -> bool:
    """Whether a parameter is the start of a programme that is not used."""
    stem, _, last = name.rpartition("_")
    return last == "start" and params.get(f"{stem}_intensity") == 0


def uncertainties_table(outcome: Outcome, words: Words, numbers: Numbers) -> Table:
    """Meaning, unit, median and 90 % range of the uncertain parameters."""
    group_of = {name: group for group, members in outcome.groups.items() for name in members}
    rows = []
    for name in outcome.design.columns:
        draws = outcome.design[name].to_numpy(dtype=float)
        low, middle, high = np.nanquantile(draws, [0.05, 0.5, 0.95])
        group = words("survey_paths") if name in outcome.linked else words(group_of.get(name, "–"))
        unit, meaning = outcome.meanings.get(str(name), ("", ""))
        rows.append([str(name), meaning, group, middle, f"[{numbers.general(low)}; {numbers.general(high)}]", unit])
    heads = [words(head) for head in ("parameter", "meaning", "group", "median", "interval90", "unit")]
    return Table("uncertainties", words("c_uncertainties"), heads, ["s", "s", "s", "g", "i", "s"], rows)


def compare_table(outcome: Outcome, words: Words, numbers: Numbers) -> Table:
    """All criteria: median and 90 % interval of each scenario."""
    table = records(outcome.compare())
    names = list(outcome.measures)
    rows = []
    for scenario in outcome.names:
        cells: list[object] = [scenario]
        for name in names:
            row, measure = table[(name, scenario)], outcome.measure(name)
            middle = numbers.cell(row["median"], _code(outcome, name))
            cells.append(
                f"{middle} {numbers.interval(row['lower'], row['upper'], measure.digits, percent=measure.percent)}"
            )
        rows.append(cells)
    unit = words(outcome.time_unit)
    end = f"{numbers.general(outcome.time[-1])} ({unit})" if unit else numbers.general(outcome.time[-1])
    caption = words("c_compare", end=end, n=outcome.n_valid)
    return Table(
        "compare",
        caption,
        [words("scenario"), *(_title(outcome, name, words) for name in names)],
        ["s", *("i" for _ in names)],
        rows,
    )


def difference_table(outcome: Outcome, criterion: str, words: Words, numbers: Numbers) -> Table:
    """One criterion: point, median, paired difference, P(beats), rank."""
    table, measure = outcome.compare(criterion).loc[criterion], outcome.measure(criterion)
    code, reference = _code(outcome, criterion, extra=1), outcome.reference
    rows = []
    for scenario, row in records(table).items():
        gap = [
            numbers.interval(
                row["difference_lower"], row["difference_upper"], measure.digits + 1, percent=measure.percent
            )
        ]
        compared = scenario != reference
        rows.append(
            [
                _scenario(outcome, str(scenario), words),
                row["point"],
                row["mean"],
                row["median"],
                gain(outcome, criterion, row["difference"], words, numbers, 1) if compared else "–",
                gap[0] if compared else "–",
                row["p_beats"],
                row["mc_error"],
                row["rank"],
            ]
        )
    heads = [
        words("scenario"),
        words("point"),
        words("mean"),
        words("median"),
        words("difference", reference=reference),
        words("interval90"),
        words("p_beats", reference=reference),
        words("mc_error"),
        words("rank"),
    ]
    caption = words("c_difference", reference=reference, measure=_title(outcome, criterion, words))
    best = frozenset(np.flatnonzero(table["rank"].to_numpy() == 1).tolist())
    return Table(
        f"difference-{criterion}", caption, heads, ["s", code, code, code, "r", "i", "f2", "f3", "d"], rows, (), best
    )


def _mc_note(outcome: Outcome, words: Words, numbers: Numbers) -> str:
    return words("mc_note", n=outcome.n_valid, least=numbers.fixed(3.0 / max(outcome.n_valid, 1), 3))


def best_table(outcome: Outcome, words: Words, numbers: Numbers) -> Table:
    """P(best) of all criteria."""
    table = records(outcome.p_best())
    names = list(outcome.measures)
    rows = []
    for scenario in outcome.names:
        cells: list[object] = [scenario]
        for name in names:
            row = table[(name, scenario)]
            cells.append(f"{numbers.fixed(row['p_best'], 2)} ({numbers.fixed(row['mc_error'], 3)})")
        rows.append(cells)
    heads = [words("scenario"), *(outcome.measure(name).title(name, words.language) for name in names)]
    caption = f"{words('c_p_best_table')} ({words('mc_error')})"
    return Table("p-best", caption, heads, ["s", *("i" for _ in names)], rows, [_mc_note(outcome, words, numbers)])


def rank_table(outcome: Outcome, criteria: Directions, words: Words) -> Table:
    """Show the ranking by all criteria together."""
    table = outcome.rank(criteria)  # type: ignore[arg-type]
    titles = {name: outcome.measure(name).title(name, words.language) for name in criteria}
    rows = [
        [
            row["rank"],
            _scenario(outcome, str(name), words),
            row["acceptability"],
            row["mc_error"],
            *(row[f"p_best_{criterion}"] for criterion in criteria),
            row["p_pareto"],
            row["p_beats"],
            row["expected_regret"],
        ]
        for name, row in records(table).items()
    ]
    heads = [
        words("rank"),
        words("scenario"),
        words("acceptability"),
        words("mc_error"),
        *(words("p_best_of", measure=titles[name]) for name in criteria),
        words("p_pareto"),
        words("p_beats_all"),
        words("expected_regret"),
    ]
    formats = ["d", "s", "f2", "f3", *("f2" for _ in criteria), "f2", "f2", "f2"]
    caption = words("c_rank", criteria=words.join(titles.values()))
    return Table("rank", caption, heads, formats, rows, [words("regret_note")], frozenset({0}))


def acceptability_table(outcome: Outcome, criteria: Directions, words: Words) -> Table:
    """Probability of each rank."""
    table = outcome.acceptability(criteria)  # type: ignore[arg-type]
    rows = [[str(name), *row] for name, row in zip(table.index, table.to_numpy(), strict=True)]
    heads = [words("scenario"), *(str(rank) for rank in table.columns)]
    return Table("acceptability", words("c_acceptability"), heads, ["s", *("f2" for _ in table.columns)], rows)


def pareto_table(outcome: Outcome, criteria: Directions, words: Words, numbers: Numbers) -> Table:
    """Pareto membership."""
    table = outcome.pareto(criteria)  # type: ignore[arg-type]
    rows = [
        [
            _scenario(outcome, str(name), words),
            row["p_pareto"],
            row["mc_error"],
            _yes(row["on_front"], words),
            _yes(row["point_front"], words),
        ]
        for name, row in records(table).items()
    ]
    heads = [words("scenario"), words("p_pareto"), words("mc_error"), words("on_front"), words("point")]
    titles = ", ".join(outcome.measure(name).title(name, words.language) for name in criteria)
    note = _mc_note(outcome, words, numbers)
    return Table("pareto", words("c_pareto_table", criteria=titles), heads, ["s", "f2", "f3", "s", "s"], rows, [note])


def regret_table(outcome: Outcome, criteria: Sequence[str], words: Words, numbers: Numbers) -> list[Table]:
    """Regret, a table a criterion."""
    made = []
    table = outcome.regret({name: outcome.measure(name).direction for name in criteria})
    for name in criteria:
        rows = [
            [
                str(scenario),
                *(gain(outcome, name, row[part], words, numbers, 1) for part in ("expected", "q95", "maximum")),
                _yes(row["minimax"], words),
            ]
            for scenario, row in records(table.loc[name]).items()
        ]
        heads = [words(head) for head in ("scenario", "expected_regret", "regret95", "regret_max", "minimax")]
        caption = words("c_regret", measure=_title(outcome, name, words))
        made.append(Table(f"regret-{name}", caption, heads, ["s", "r", "r", "r", "s"], rows))
    return made


def reversal_table(outcome: Outcome, words: Words, numbers: Numbers) -> Table:
    """Show the point ranking against the joint one."""
    rows = [
        [
            outcome.measure(str(name)).title(str(name), words.language),
            row["point_best"],
            row["p_same_best"],
            row["mc_error"],
            row["joint_best"],
            row["tau_median"],
            numbers.interval(row["tau_lower"], row["tau_upper"], 2),
        ]
        for name, row in records(outcome.reversal()).items()
    ]
    heads = [
        words(head)
        for head in ("criterion", "point_best", "p_same_best", "mc_error", "joint_best", "tau", "interval90")
    ]
    return Table("reversal", words("c_reversal"), heads, ["s", "s", "f2", "f3", "s", "f2", "i"], rows)


def variants_tables(outcome: Outcome, others: Mapping[str, Outcome], criteria: Directions, words: Words) -> list[Table]:
    """P(best) of the study and of its variants, a table a criterion."""
    chosen: dict[str, Direction] = {name: "min" if way == "min" else "max" for name, way in criteria.items()}
    frame = variants({words("as_run"): outcome, **others}, chosen)
    made = []
    for name in criteria:
        rows = [
            [str(variant), row["best"], _yes(row["stands"], words), *(row[scenario] for scenario in outcome.names)]
            for variant, row in records(frame.loc[name]).items()
        ]
        heads = [words("variant"), words("p_best_short"), words("stands"), *outcome.names]
        formats = ["s", "s", "s", *("f2" for _ in outcome.names)]
        caption = words("c_variants", measure=_title(outcome, name, words))
        made.append(Table(f"variants-{name}", caption, heads, formats, rows, [words("variants_note")]))
    return made


def evpi_table(outcome: Outcome, words: Words, numbers: Numbers) -> Table:
    """EVPI of every criterion."""
    rows = []
    for name, row in records(outcome.evpi()).items():
        code = _code(outcome, str(name), extra=1)
        gains = [gain(outcome, str(name), row[column], words, numbers) for column in ("evpi", "mc_error")]
        rows.append([_title(outcome, str(name), words), row["best"], numbers.cell(row["value"], code), *gains])
    heads = [words(head) for head in ("criterion", "best_now", "mean", "evpi", "mc_error")]
    return Table("evpi", words("c_evpi"), heads, ["s", "s", "r", "r", "r"], rows, _pp_note(outcome, words))


def evppi_table(outcome: Outcome, table: pd.DataFrame, words: Words, numbers: Numbers) -> Table:
    """EVPPI by criterion and group of parameters."""
    rows = []
    for (name, group), row in records(table).items():
        gains = [gain(outcome, str(name), row[column], words, numbers) for column in ("evppi", "floor")]
        label = words("survey_paths") if group == "survey" else words(str(group))
        rows.append([_title(outcome, str(name), words), label, row["n_parameters"], gains[0], row["share"], gains[1]])
    heads = [words(head) for head in ("criterion", "group", "n_parameters", "evppi", "share", "floor")]
    return Table(
        "evppi",
        words("c_evppi_table"),
        heads,
        ["s", "s", "d", "r", "%0", "r"],
        rows,
        [words("evppi_note"), *_pp_note(outcome, words)],
    )
