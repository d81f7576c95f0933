"""Writes the report of a study as HTML, LaTeX, Markdown or Excel."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2

from sembada.errors import SpecificationError, require
from sembada.report.content import Section, sections
from sembada.report.numbers import Numbers
from sembada.report.table import Table
from sembada.report.words import Words
from sembada.study.outcome import Outcome

__all__ = ["ENDINGS", "write"]

#: Endings of file names that `write` knows.
ENDINGS = (".html", ".tex", ".md", ".xlsx")


def write(
    outcome: Outcome,
    path: str | Path,
    *,
    language: str = "en",
    criteria: Mapping[str, str] | None = None,
    hypotheses: Mapping[str, tuple[str, str, str]] | None = None,
    variants: Mapping[str, Outcome] | None = None,
    synthetic: bool | None = None,
    decimal: str | None = None,
    notes: str = "",
) -> Path:
    """Write the report of a study to one file; the ending of its name says which form.

    Parameters
    ----------
    outcome
        What `Study.run` returned.
    path
        `.html`: a page that needs nothing else, figures as SVG. `.tex`: tables for `booktabs`. `.md`: tables as pipes.
        `.xlsx`: a sheet a table, numbers as numbers (extra `excel`). The folder is made.
    language
        `"en"` or `"id"` (Indonesian).
    criteria
        What the choice is judged by, `{"customers": "max", "margin": "max"}`; the first two measures by default.
    hypotheses
        `{"H1": ("OI", "KMC", "+"), …}`; every path by default.
    variants
        Outcomes of the same study under other assumptions, by name: a section says whether the choice stands.
    synthetic
        Whether to say on top that the data are synthetic. Default: what the study says.
    decimal
        `"."` or `","`; by default the custom of the language.
    notes
        A paragraph of the author's under the title.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    SpecificationError
        If the ending, the language or the decimal sign is unknown.
    MissingDependencyError
        If matplotlib (HTML) or openpyxl (Excel) is not installed.

    Notes
    -----
    The same outcome gives the same bytes: no dates, no random ids.
    """
    target = Path(path)
    ending = target.suffix.lower()
    if ending not in ENDINGS:
        raise SpecificationError(
            f"cannot write {target.name!r}: expected an ending among {', '.join(ENDINGS)}", {"path": str(target)}
        )
    words = Words(language)
    sign = {"en": ".", "id": ","}[language] if decimal is None else decimal
    if sign not in (".", ","):
        raise SpecificationError(f"decimal is {sign!r}: expected '.' or ','", {"decimal": sign})
    numbers = Numbers(sign)
    chosen: Mapping[str, str]
    if criteria is None:
        chosen = {name: measure.direction for name, measure in list(outcome.measures.items())[:2]}
    else:
        chosen = dict(criteria)
    parts = sections(outcome, chosen, words, numbers, hypotheses, variants)
    label = bool(outcome.provenance.get("synthetic", False)) if synthetic is None else synthetic
    target.parent.mkdir(parents=True, exist_ok=True)
    if ending == ".xlsx":
        _excel(parts, target)
        return target
    title = outcome.title or words("report")
    text = {".html": _html, ".tex": _latex, ".md": _markdown}[ending](parts, title, label, notes, words, numbers)
    target.write_text(text, encoding="utf-8", newline="\n")
    return target


def _html(parts: list[Section], title: str, synthetic: bool, notes: str, words: Words, numbers: Numbers) -> str:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("sembada.report"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    count = {"table": 0, "figure": 0}
    blocks = []
    for section in parts:
        items = []
        for item in section.items:
            kind = "table" if isinstance(item, Table) else "figure"
            count[kind] += 1
            label = f"{words(kind)} {count[kind]}. "
            if isinstance(item, Table):
                numbered = Table(
                    item.key, label + item.caption, item.headers, item.formats, item.rows, item.notes, item.strong
                )
                items.append({"kind": kind, "html": numbered.html(numbers)})
            else:
                items.append({"kind": kind, "html": item.draw(), "caption": label + item.caption, "key": item.key})
        blocks.append({"key": section.key, "title": section.title, "sentences": section.sentences, "items": items})
    return environment.get_template("report.html.j2").render(
        title=title, language=words.language, synthetic=synthetic, notes=notes, words=words, sections=blocks
    )


def _markdown(parts: list[Section], title: str, synthetic: bool, notes: str, words: Words, numbers: Numbers) -> str:
    lines = [f"# {title}", ""]
    lines += [f"> **{words('synthetic')}**", ""] if synthetic else []
    lines += [notes, ""] if notes else []
    for section in parts:
        lines += [f"## {section.title}", ""]
        lines += [f"- {sentence}" for sentence in section.sentences]
        lines += [""] if section.sentences else []
        for item in section.items:
            if isinstance(item, Table):
                lines += [item.markdown(numbers), ""]
    return "\n".join(lines)


def _latex(parts: list[Section], title: str, synthetic: bool, notes: str, words: Words, numbers: Numbers) -> str:
    from sembada.report.table import tex

    lines = [
        "% needs the packages booktabs and graphicx; to be \\input into a document",
        f"% {title}" + (f": {words('synthetic')}" if synthetic else ""),
    ]
    lines += [rf"\par {tex(words('synthetic'))}"] if synthetic else []
    lines += [rf"\par {tex(notes)}"] if notes else []
    for section in parts:
        lines += ["", rf"\section*{{{tex(section.title)}}}"]
        if section.sentences:
            lines += [
                r"\begin{itemize}",
                *(rf"\item {tex(sentence)}" for sentence in section.sentences),
                r"\end{itemize}",
            ]
        lines += [item.latex(numbers) for item in section.items if isinstance(item, Table)]
    return "\n".join(lines) + "\n"


def _excel(parts: list[Section], target: Path) -> None:
    openpyxl = require("openpyxl", "excel")
    book = openpyxl.Workbook()
    book.remove(book.active)
    bold = openpyxl.styles.Font(bold=True)
    taken: set[str] = set()
    for section in parts:
        for item in section.items:
            if not isinstance(item, Table):
                continue
            name = re.sub(r"[\[\]:*?/\\]", "-", item.key)[:28]
            name = next(n for n in (name, *(f"{name} {k}" for k in range(2, 100))) if n.lower() not in taken)
            taken.add(name.lower())
            sheet = book.create_sheet(name)
            sheet.append([item.caption])
            sheet["A1"].font = bold
            sheet.append([])
            sheet.append(list(item.headers))
            for cell in sheet[3]:
                cell.font = bold
            for row in item.rows:
                sheet.append([_plain(value) for value in row])
            for note in item.notes:
                sheet.append([note])
            for number, code in enumerate(item.formats, start=1):
                letter = openpyxl.utils.get_column_letter(number)
                sheet.column_dimensions[letter].width = 28 if code in ("s", "i") else 14
                for row_number in range(4, 4 + len(item.rows)):
                    sheet.cell(row_number, number).number_format = _excel_format(code)
            sheet.freeze_panes = "A4"
    book.save(target)


def _plain(value: Any) -> Any:
    """Return a NumPy number as a Python number, a missing one as an empty cell."""
    value = value.item() if hasattr(value, "item") else value
    return None if isinstance(value, float) and value != value else value


def _excel_format(code: str) -> str:
    if code in ("s", "i", "r", "g"):
        return "General"
    digits = 0 if code == "d" else 3 if code == "p" else int(code[1:])
    return ("0." + "0" * digits if digits else "0") + (" %" if code[0] == "%" else "")
