"""Every reference model of system dynamics runs as Vensim or Stella ran it."""

import os
from pathlib import Path

import numpy as np
import pytest
import sd_corpus
from sd_not_yet import NOT_YET, REFUSED

from sembada import _core, sd
from sembada.errors import UnsupportedError

pytestmark = pytest.mark.skipif(not hasattr(_core, "SdProgram"), reason="this build has no engine")
DOCUMENT = Path(__file__).parents[2] / "docs" / "sd-conformance.md"
REASONS = Path(__file__).parent / "sd_not_yet.py"


def _cases() -> list:
    out = []
    for case in sd_corpus.cases():
        marks = [pytest.mark.xfail(reason=NOT_YET[case.id], strict=True)] if case.id in NOT_YET else []
        if case.model.endswith(".mdl") and not hasattr(_core.SdModel, "from_vensim"):
            marks = [pytest.mark.skip(reason="this build does not read Vensim")]
        out.append(pytest.param(case, id=case.id, marks=marks))
    return out


@pytest.mark.parametrize("case", _cases())
def test_a_reference_model_gives_the_reference_results(case: sd_corpus.Case) -> None:
    word, detail = sd_corpus.outcome(case.id)
    assert word in (("refused",) if case.id in REFUSED else ("agrees", "runs")), detail


def test_a_wrong_number_has_no_explanation(monkeypatch: pytest.MonkeyPatch) -> None:
    import sd_explained

    case = next(case for case in sd_corpus.cases() if case.id.endswith("allocate_price.mdl"))
    model = sd_corpus.load(case)
    frame = sd_corpus.run(case, model).frame
    assert sd_explained.unexplained(case, model, frame) == []
    # The same reference with one number of one series moved by a thousandth.
    moved = {name: series.copy() for name, series in sd_corpus.reference(case).items()}
    moved["amount_supplied[triangular,s1]"].iloc[-1] *= 1.001
    monkeypatch.setattr(sd_corpus, "reference", lambda _: moved)
    assert sd_explained.unexplained(case, model, frame) == ["amount_supplied[triangular,s1] at 12"]


def test_every_case_with_a_reason_is_one_of_the_corpus() -> None:
    assert set(NOT_YET) | set(REFUSED) <= {case.id for case in sd_corpus.cases()}
    assert not set(NOT_YET) & set(REFUSED)


@pytest.mark.skipif(not hasattr(_core.SdModel, "from_vensim"), reason="this build does not read Vensim")
def test_the_table_in_the_documentation_is_what_the_models_give() -> None:
    text = sd_corpus.table({})
    if os.environ.get("SEMBADA_WRITE_DOCS"):
        DOCUMENT.write_text(text, encoding="utf-8")
        # cases that pass leave the table of those that do not; none enters it by itself
        passed = {name for name in NOT_YET if sd_corpus.outcome(name)[0] in ("agrees", "runs")}
        lines = REASONS.read_text(encoding="utf-8").splitlines(keepends=True)
        kept = [line for line in lines if line.split('"')[1:2] == [] or line.split('"')[1] not in passed]
        REASONS.write_text("".join(kept), encoding="utf-8")
    assert DOCUMENT.read_text(encoding="utf-8") == text, "run the test with SEMBADA_WRITE_DOCS=1 and commit the table"


@pytest.mark.parametrize("form", ["xmile", "vensim"])
@pytest.mark.parametrize("case", [pytest.param(case, id=case.id) for case in sd_corpus.cases() if case.reference])
def test_a_written_model_runs_as_the_model_that_was_read(case: sd_corpus.Case, form: str, tmp_path: Path) -> None:
    if case.id.startswith("c-learn") or sd_corpus.outcome(case.id)[0] != "agrees":
        pytest.skip("the model itself does not agree, or is too large for a quick test")
    model = sd_corpus.load(case)
    refusal = ""
    try:
        text = getattr(model, f"to_{form}")()
    except UnsupportedError as error:
        refusal = str(error)
    if refusal:
        # The other language cannot say all, and neither holds the values of series that look forward or only at their
        # times: those stand in files beside a model. A refusal names what it is.
        assert form != model.dialect or "series" in refusal
        return
    path = tmp_path / ("model.mdl" if form == "vensim" else "model.xmile")
    path.write_text(text, encoding="utf-8")
    wanted, found = sd_corpus.run(case, model).frame, sd_corpus.run(case, sd.read(path)).frame
    places = {sd_corpus.canonical(name): place for place, name in enumerate(found.columns)}
    for name in wanted.columns:
        key = sd_corpus.canonical(name)
        if key.partition("[")[0] in sd_corpus.CONTROL:
            continue
        # numbers are written with all their digits; orders of summation may change
        np.testing.assert_allclose(found.iloc[:, places[key]], wanted[name], rtol=1e-9, atol=1e-9, err_msg=name)
