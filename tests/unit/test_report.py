"""Reports: numbers as readers expect them, four forms, two languages, the guards, and the same bytes every time."""

from __future__ import annotations

import re
import string
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from oracle.line import Line, boot
from sembada import report
from sembada.errors import SpecificationError
from sembada.report import words as words_module
from sembada.report.layout import place
from sembada.study import Bridge, Link, Measure, Scenario, Study
from sembada.study.cautions import MESSAGES


@pytest.fixture(scope="module")
def outcome():
    draws = boot(60)
    draws["X -> Z"] = 0.4 + 0.1 * draws["X -> Y"]
    draws["Z -> Y"] = -0.3 - 0.1 * draws["X -> Y"]
    draws.attrs["estimate"] = [0.5, -0.35, 0.45]
    return Study(
        bootstrap=draws,
        bridge=Bridge(Line(), [Link("X", "Y", parameter="b", delay=1, gain="k"), Link("Z", "Y", parameter="w")]),
        scenarios=[
            Scenario("S0", {"u": 0}, label={"en": "as <today>", "id": "seperti kini"}),
            Scenario("S1", {"u": 0.5}, label={"en": "half & half", "id": "setengah"}, cost=2.0),
            Scenario("S2", {"u": 1}, label={"en": "all_in", "id": "penuh"}, cost=4.0),
        ],
        uncertainties={"k": (0.1, 0.8)},
        measures={
            "y": Measure("y", label={"en": "yield", "id": "hasil"}, unit="Rp m"),
            "cost": Measure("cost", direction="min", percent=True, digits=1),
        },
        groups={"market": ["k"]},
        title="A study",
        synthetic=True,
    ).run(draws=64, seed=1)


VOID = {"meta", "br", "hr", "img", "link", "input"}


class Page(HTMLParser):
    def __init__(self):
        super().__init__()
        self.stack, self.ids, self.links, self.text = [], [], [], []

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        if "id" in found:
            self.ids.append(found["id"])
        self.links += [found[name] for name in ("href", "src", "xlink:href") if found.get(name)]
        if tag not in VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.stack.pop()

    def handle_endtag(self, tag):
        assert self.stack.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def page(path):
    made = Page()
    made.feed(path.read_text(encoding="utf-8"))
    assert made.stack == []
    return made


def test_the_page_stands_alone_and_is_well_formed(outcome, tmp_path):
    made = page(outcome.report(tmp_path / "deep" / "report.html"))
    assert all(link.startswith(("#", "data:")) for link in made.links)
    assert len(made.ids) == len(set(made.ids)), "ids of the figures must not meet"
    assert {link[1:] for link in made.links if link.startswith("#")} <= set(made.ids)
    text = " ".join(made.text)
    for expected in (
        "SYNTHETIC DATA",
        "A study",
        "P(Pareto)",
        "VAF is not printed",
        "MC error",
        "noise floor",
        "Reproducibility",
    ):
        assert expected in text
    assert "as <today>" in text


def test_the_same_outcome_gives_the_same_bytes(outcome, tmp_path):
    first = outcome.report(tmp_path / "a.html").read_bytes()
    assert first == outcome.report(tmp_path / "b.html").read_bytes()
    assert b"20" + b"26-" not in first
    assert not re.search(rb"<dc:date>|\bdatetime\b", first)


def test_indonesian_has_its_words_and_decimal_comma(outcome, tmp_path):
    text = outcome.report(tmp_path / "r.html", language="id").read_text(encoding="utf-8")
    for expected in ("DATA SINTETIS", "diterima", "skenario", "hasil", 'lang="id"', "tanpa tunda", "belum dikalibrasi"):
        assert expected in text
    body = re.sub(r"<(style|svg)\b.*?</\1>|<[^>]+>", " ", text, flags=re.DOTALL)
    table = body[body.index("Pengujian hipotesis") : body.index("Serah terima")]
    assert re.search(r"0,\d{3}", table)
    assert not re.search(r"0\.\d{3}", table)
    english = outcome.report(tmp_path / "e.html", decimal=",").read_text(encoding="utf-8")
    assert "accepted" in english
    assert re.search(r">0,\d{3}<", english)


def test_the_synthetic_label_follows_the_study_and_can_be_set(outcome, tmp_path):
    assert "SYNTHETIC" not in outcome.report(tmp_path / "r.md", synthetic=False).read_text(encoding="utf-8")
    assert "SYNTHETIC" in outcome.report(tmp_path / "r.md").read_text(encoding="utf-8")


def test_markdown_tables_have_as_many_cells_as_heads(outcome, tmp_path):
    text = outcome.report(tmp_path / "r.md", notes="By the authors.").read_text(encoding="utf-8")
    assert "By the authors." in text
    widths = set()
    for block in re.findall(r"(?:^\|.*\|\n)+", text, re.MULTILINE):
        counts = {len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}
        assert len(counts) == 1
        widths |= counts
    assert len(widths) > 3


def test_latex_is_balanced_and_escaped(outcome, tmp_path):
    text = outcome.report(tmp_path / "r.tex").read_text(encoding="utf-8")
    assert text.count(r"\begin{table}") == text.count(r"\end{table}") > 10
    assert r"half \& half" in text
    assert r"all\_in" in text
    bare = re.sub(r"\\[{}]", "", text)
    assert bare.count("{") == bare.count("}")
    for character in "→−²ρατ√±×":
        assert character not in text


def test_excel_holds_numbers(outcome, tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.load_workbook(outcome.report(tmp_path / "r.xlsx"))
    assert {"rank", "hypotheses", "compare", "evppi", "reproducibility"} <= set(book.sheetnames)
    sheet = book["hypotheses"]
    heads = [cell.value for cell in sheet[3]]
    cell = sheet.cell(4, heads.index("estimate (O)") + 1)
    assert cell.value == 0.5
    assert cell.number_format == "0.000"


def test_variants_have_their_section(outcome, tmp_path):
    text = outcome.report(tmp_path / "r.md", variants={"once more": outcome}).read_text(encoding="utf-8")
    assert "Does the choice stand?" in text
    assert "| once more |" in text


def test_a_study_of_one_criterion_needs_no_scatter(outcome, tmp_path):
    made = page(outcome.report(tmp_path / "r.html", criteria={"y": "max"}))
    assert not any("pareto-scatter" in name for name in made.ids)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"path": "r.pdf"}, r"expected an ending among \.html"),
        ({"path": "r.html", "language": "fr"}, "expected one of 'en', 'id'"),
        ({"path": "r.html", "decimal": ";"}, r"expected '\.' or ','"),
    ],
)
def test_bad_options_are_refused(outcome, tmp_path, options, message):
    with pytest.raises(SpecificationError, match=message):
        report.write(outcome, tmp_path / options.pop("path"), **options)


@pytest.mark.parametrize(
    ("value", "code", "text"),
    [
        (-0.25368, "f3", "−0,254"),
        (0.0004, "p", "< 0,001"),
        (0.0005, "p", "0,001"),
        (0.1234, "%1", "12,3 %"),
        (-0.0001, "f2", "0,00"),
        (np.nan, "f2", "–"),
        (np.nan, "%1", "–"),
        (3, "d", "3"),
        (1234.5678, "g", "1235"),
        ("x", "f2", "x"),
        (np.inf, "g", "–"),
    ],
)
def test_numbers_are_written_as_readers_expect(value, code, text):
    assert report.Numbers(",").cell(value, code) == text


def test_every_word_has_both_languages_and_the_same_gaps():
    def gaps(text):
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    for key, (english, indonesian) in words_module._WORDS.items():
        assert indonesian, key
        if key.startswith("a_"):  # the English of a caution stands with the caution
            assert gaps(MESSAGES[key[2:]]) == gaps(indonesian), key
        else:
            assert english, key
            assert gaps(english) == gaps(indonesian), key
    for caution in MESSAGES:
        assert {f"a_{caution}", f"n_{caution}"} <= set(words_module._WORDS)


def paths(*edges):
    index = pd.MultiIndex.from_tuples([edge[:2] for edge in edges], names=["predictor", "outcome"])
    return pd.DataFrame({"estimate": [e[2] for e in edges], "p": [e[3] for e in edges]}, index=index)


def test_the_path_diagram_is_valid_svg_with_a_title():
    made = report.path_diagram(
        paths(("X", "M", 0.5, 0.0001), ("M", "Y", 0.4, 0.2), ("X", "Y", -0.3, 0.01)), {"Y": 0.4}, title="A < B"
    )
    root = ET.fromstring(made)
    assert root.tag.endswith("svg")
    assert root[0].text == "A < B"
    assert "width" not in root.attrib
    assert "viewBox" in root.attrib


ECSI = [
    ("Image", "Expectation"),
    ("Image", "Satisfaction"),
    ("Image", "Loyalty"),
    ("Expectation", "Quality"),
    ("Expectation", "Value"),
    ("Expectation", "Satisfaction"),
    ("Quality", "Value"),
    ("Quality", "Satisfaction"),
    ("Value", "Satisfaction"),
    ("Satisfaction", "Complaints"),
    ("Satisfaction", "Loyalty"),
    ("Complaints", "Loyalty"),
]


@pytest.mark.parametrize(
    "edges",
    [ECSI, [("X", "M"), ("M", "Y"), ("X", "Y")], [("A", "Y"), ("B", "Y"), ("C", "Y"), ("A:B", "Y")]],
    ids=["ecsi", "triangle", "fan"],
)
def test_no_arrow_of_a_diagram_runs_through_a_construct(edges):
    nodes = list(dict.fromkeys(name for edge in edges for name in edge))
    at = place(nodes, edges)
    assert place(nodes, edges) == at
    assert len(set(at.values())) == len(nodes)
    for start, end in edges:
        assert at[start][0] < at[end][0], "arrows run from left to right"
        a, b = np.array(at[start]), np.array(at[end])
        for node in nodes:
            if node not in (start, end):
                share = np.clip(np.dot(np.array(at[node]) - a, b - a) / np.dot(b - a, b - a), 0, 1)
                assert np.linalg.norm(np.array(at[node]) - a - share * (b - a)) > 0.4, (start, end, node)
