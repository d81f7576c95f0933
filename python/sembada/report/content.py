"""What a report of a study holds: sections of tables, figures and sentences."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from sembada.report import policy_part as policy
from sembada.report import survey_part as survey
from sembada.report.choice import best_bars, information_bars, pareto_scatter
from sembada.report.curves import behaviour, best_over_time
from sembada.report.diagram import path_diagram
from sembada.report.methods import failures_table, methods_table, reproducibility_table
from sembada.report.numbers import Numbers
from sembada.report.rows import records
from sembada.report.table import Table
from sembada.report.words import Words
from sembada.study.outcome import Outcome

__all__ = ["Figure", "Section", "sections"]


@dataclass(frozen=True)
class Figure:
    """A figure: an SVG element that is drawn when it is needed, and its caption."""

    key: str
    caption: str
    draw: Callable[[], str]


@dataclass(frozen=True)
class Section:
    """A section: title, sentences, then figures and tables in order."""

    key: str
    title: str
    sentences: list[str] = field(default_factory=list)
    items: list[Table | Figure] = field(default_factory=list)


def sections(
    outcome: Outcome,
    criteria: Mapping[str, str],
    words: Words,
    numbers: Numbers,
    hypotheses: Mapping[str, tuple[str, str, str]] | None = None,
    variants: Mapping[str, Outcome] | None = None,
) -> list[Section]:
    """Return the sections of the report in order.

    Parameters
    ----------
    outcome
        The outcome of a study.
    criteria
        What the choice is judged by, with directions.
    words, numbers
        Language and style.
    hypotheses
        Stated hypotheses, as in `Outcome.hypotheses`.
    variants
        Outcomes of the same study under other assumptions, by name.
    """
    information = outcome.evppi(criteria)  # type: ignore[arg-type]
    return [
        _answer(outcome, criteria, information, words, numbers),
        _survey(outcome, hypotheses, words, numbers),
        Section(
            "hand-off",
            words("s_hand_off"),
            [],
            [policy.hand_off_table(outcome, words, numbers), policy.audit_table(outcome, words)],
        ),
        Section(
            "policies",
            words("s_policies"),
            [],
            [policy.scenarios_table(outcome, words, numbers), policy.uncertainties_table(outcome, words, numbers)],
        ),
        _comparison(outcome, criteria, words, numbers),
        _choice(outcome, criteria, words, numbers),
        *_variants(outcome, variants or {}, criteria, words),
        _information(outcome, information, words, numbers),
        Section(
            "methods",
            words("s_methods"),
            [],
            [methods_table(outcome, words), failures_table(outcome, words), reproducibility_table(outcome, words)],
        ),
    ]


def _answer(
    outcome: Outcome, criteria: Mapping[str, str], information: pd.DataFrame, words: Words, numbers: Numbers
) -> Section:
    def name_of(scenario: object) -> str:
        return outcome.scenarios[outcome.names.index(str(scenario))].title(words.language)

    titles = {name: outcome.measure(name).title(name, words.language) for name in criteria}
    ranked = outcome.rank(criteria)  # type: ignore[arg-type]
    first = ranked.iloc[0]
    told = [
        words(
            "answer_best",
            scenario=name_of(ranked.index[0]),
            criteria=words.join(titles.values()),
            p=numbers.fixed(first["acceptability"], 2),
            error=numbers.fixed(first["mc_error"], 3),
        )
    ]
    best, reversal = outcome.p_best(criteria), outcome.reversal(criteria)  # type: ignore[arg-type]
    for name in criteria:
        order = pd.DataFrame(best.loc[name]).sort_values("p_best", ascending=False, kind="stable")
        top, second = order.iloc[0], order.iloc[1] if len(order) > 1 else None
        other = ""
        if second is not None and second["p_best"] >= 0.05:
            other = words("answer_second", scenario=name_of(order.index[1]), p=numbers.fixed(second["p_best"], 2))
        told.append(
            words(
                "answer_criterion",
                measure=titles[name],
                scenario=name_of(order.index[0]),
                p=numbers.fixed(top["p_best"], 2),
                error=numbers.fixed(top["mc_error"], 3),
                second=other,
                point=reversal.loc[name, "point_best"],
                right=numbers.percent(reversal.loc[name, "p_same_best"], 0),
            )
        )
    pareto = outcome.pareto(criteria)  # type: ignore[arg-type]
    told.append(words("answer_front", scenarios=", ".join(name_of(name) for name in pareto.index[pareto["on_front"]])))
    compared = outcome.compare(criteria)  # type: ignore[arg-type]
    for (name, scenario), row in records(compared).items():
        if row["p_beats"] < 0.05:
            told.append(
                words(
                    "answer_worse",
                    scenario=name_of(scenario),
                    reference=outcome.reference,
                    measure=titles[name],
                    p=numbers.fixed(1.0 - row["p_beats"], 2),
                )
            )
    worth = records(outcome.evpi(criteria))  # type: ignore[arg-type]
    for name in criteria:
        part = information.loc[name]
        if worth[name]["evpi"] > 0 and len(part):
            # the regression errs upwards by about its noise floor
            group = str((part["evppi"] - part["floor"]).idxmax())
            measure = outcome.measure(name)
            unit = "" if measure.percent else words(measure.unit)
            told.append(
                words(
                    "answer_information",
                    measure=titles[name],
                    evpi=f"{policy.gain(outcome, name, worth[name]['evpi'], words, numbers)} {unit}".replace(
                        words("pp"), words("p.p.")
                    ).strip(),
                    group=words("survey_paths") if group == "survey" else words(group),
                    share=numbers.percent(part.loc[group, "share"], 0),
                )
            )
    told.append(words("no_causal"))
    return Section("answer", words("s_answer"), told, [policy.rank_table(outcome, criteria, words)])


def _survey(
    outcome: Outcome, hypotheses: Mapping[str, tuple[str, str, str]] | None, words: Words, numbers: Numbers
) -> Section:
    caption = words("c_paths")

    def draw() -> str:
        return path_diagram(outcome.survey["paths"], survey.explained(outcome), numbers=numbers, title=caption)

    tables = [
        survey.hypotheses_table(outcome, hypotheses, words, numbers),
        survey.effects_table(outcome, words, numbers),
        survey.constructs_table(outcome, words),
        survey.loadings_table(outcome, words),
    ]
    figure = Figure("paths", f"{caption}. {words('stars_note')}", draw)
    return Section("survey", words("s_survey"), [], [figure, *(table for table in tables if table is not None)])


def _comparison(outcome: Outcome, criteria: Mapping[str, str], words: Words, numbers: Numbers) -> Section:
    items: list[Table | Figure] = [policy.compare_table(outcome, words, numbers)]
    for name in criteria:
        items.append(policy.difference_table(outcome, name, words, numbers))
        figure = _behaviour(outcome, name, words, numbers)
        if figure is not None:
            items.append(figure)
    return Section("comparison", words("s_comparison"), [], items)


def _course(outcome: Outcome, criterion: str) -> str | None:
    """Return the saved variable that shows a criterion over time: its own name first, then the variable it reduces."""
    measure = outcome.measure(criterion)
    for name in (criterion, measure.variable if measure.over is None else None):
        if name is not None and name in outcome.courses:
            return name
    return None


def _behaviour(outcome: Outcome, criterion: str, words: Words, numbers: Numbers) -> Figure | None:
    variable = _course(outcome, criterion)
    if variable is None:
        return None
    measure = outcome.measure(criterion)
    title = measure.title(criterion, words.language)
    label = f"{title} ({words(measure.unit)})" if measure.unit and measure.variable == variable else title
    caption = words("c_behaviour", measure=title[:1].upper() + title[1:], reference=outcome.reference)

    def draw() -> str:
        return behaviour(
            outcome,
            variable,
            label=label,
            percent=measure.percent,
            numbers=numbers,
            words=words,
            title=caption,
            key=f"course-{criterion}",
        )

    return Figure(f"course-{criterion}", caption, draw)


def _choice(outcome: Outcome, criteria: Mapping[str, str], words: Words, numbers: Numbers) -> Section:
    names = list(criteria)
    items: list[Table | Figure] = [policy.best_table(outcome, words, numbers)]
    caption = words("c_p_best")
    items.append(
        Figure(
            "best",
            caption,
            lambda: best_bars(outcome, list(outcome.measures), numbers=numbers, words=words, title=caption),
        )
    )
    if len(names) > 1:
        scatter = words("c_pareto", reference=outcome.reference)
        items.append(
            Figure(
                "pareto-scatter",
                scatter,
                lambda: pareto_scatter(outcome, names, numbers=numbers, words=words, title=scatter),
            )
        )
        items.append(policy.pareto_table(outcome, criteria, words, numbers))
    for name in names:
        variable = _course(outcome, name)
        if variable is None or np.ptp(outcome.time) == 0:
            continue
        title = outcome.measure(name).title(name, words.language)
        items.append(
            _best_over_time(
                outcome, name, variable, criteria[name], words("c_p_best_time", measure=title), words, numbers
            )
        )
    items.append(policy.acceptability_table(outcome, criteria, words))
    items += policy.regret_table(outcome, names, words, numbers)
    items.append(policy.reversal_table(outcome, words, numbers))
    return Section("choice", words("s_choice"), [], items)


def _variants(
    outcome: Outcome, others: Mapping[str, Outcome], criteria: Mapping[str, str], words: Words
) -> list[Section]:
    if not others:
        return []
    tables = policy.variants_tables(outcome, others, criteria, words)
    return [Section("variants", words("s_variants"), [], [*tables])]


def _best_over_time(
    outcome: Outcome, name: str, variable: str, direction: str, caption: str, words: Words, numbers: Numbers
) -> Figure:
    def draw() -> str:
        return best_over_time(
            outcome, variable, direction=direction, numbers=numbers, words=words, title=caption, key=f"best-time-{name}"
        )

    return Figure(f"best-time-{name}", caption, draw)


def _information(outcome: Outcome, table: pd.DataFrame, words: Words, numbers: Numbers) -> Section:
    caption = words("c_evppi")
    figure = Figure(
        "information", caption, lambda: information_bars(table, outcome, numbers=numbers, words=words, title=caption)
    )
    return Section(
        "information",
        words("s_information"),
        [],
        [policy.evpi_table(outcome, words, numbers), figure, policy.evppi_table(outcome, table, words, numbers)],
    )
