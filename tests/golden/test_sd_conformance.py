"""Every reference model of system dynamics runs as Vensim or Stella ran it."""

import os
from pathlib import Path

import pytest
import sd_corpus
from sd_not_yet import NOT_YET, REFUSED

from sembada import _core

pytestmark = pytest.mark.skipif(not hasattr(_core, "SdProgram"), reason="this build has no engine")
DOCUMENT = Path(__file__).parents[2] / "docs" / "sd-conformance.md"


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


def test_every_case_with_a_reason_is_one_of_the_corpus() -> None:
    assert set(NOT_YET) | set(REFUSED) <= {case.id for case in sd_corpus.cases()}
    assert not set(NOT_YET) & set(REFUSED)


@pytest.mark.skipif(not hasattr(_core.SdModel, "from_vensim"), reason="this build does not read Vensim")
def test_the_table_in_the_documentation_is_what_the_models_give() -> None:
    text = sd_corpus.table({})
    if os.environ.get("SEMBADA_WRITE_DOCS"):
        DOCUMENT.write_text(text, encoding="utf-8")
    assert DOCUMENT.read_text(encoding="utf-8") == text, "run the test with SEMBADA_WRITE_DOCS=1 and commit the table"
