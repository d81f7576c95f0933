"""The examples run as a reader would run them, on few draws."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).parents[2]


def run(monkeypatch, name, *arguments):
    monkeypatch.setattr(sys, "argv", [name, *map(str, arguments)])
    runpy.run_path(str(ROOT / "examples" / name), run_name="__main__")


@pytest.mark.parametrize(
    "options",
    [[], ["--language", "id"], ["--consistent", "--budget", "equal"], ["--scenarios", "factorial", "--horizon", "24"]],
)
def test_the_banyuwangi_example_writes_its_report(monkeypatch, tmp_path, capsys, options):
    target = tmp_path / "out" / "report.md"
    run(monkeypatch, "banyuwangi.py", "--output", target, "--draws", "16", "--replicates", "40", *options)
    text = target.read_text(encoding="utf-8")
    assert ("DATA SINTETIS" if "id" in options else "SYNTHETIC DATA") in text
    assert str(target) in capsys.readouterr().out


def test_the_mobile_example_runs_on_the_real_survey(monkeypatch, tmp_path):
    survey = tmp_path / "mobi.csv"
    pd.read_csv(ROOT / "tests/golden/pls/mobi.csv.xz").to_csv(survey, index=False)
    target = tmp_path / "mobile.html"
    run(monkeypatch, "mobile_ecsi.py", survey, "--output", target, "--draws", "16", "--replicates", "40")
    text = target.read_text(encoding="utf-8")
    assert "SYNTHETIC" not in text
    assert "The survey is real" in text
    assert text.count("<svg") >= 6
