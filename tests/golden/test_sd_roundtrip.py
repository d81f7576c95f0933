"""A model that is written and read again is the same model, and runs the same, also in the other tool's words."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sd_corpus
from sd_not_yet import NOT_YET, REFUSED

from sembada import _core, errors, sd

pytestmark = pytest.mark.skipif(not hasattr(_core, "SdProgram"), reason="this build has no engine")

# A translated equation divides, rounds or branches once more than the original, a rounding of 1e-16 each; models that
# grow or oscillate stretch it by a factor of a million at most over the runs of the corpus.
SAME_RUN = 1e-9
# Two tools never draw the same noise.
NOISE = ("RANDOM", "NORMAL", "UNIFORM", "POISSON", "EXPRND")


def _models() -> list[str]:
    return sorted({case.model for case in sd_corpus.cases() if case.id not in NOT_YET and case.id not in REFUSED})


def _read(path: Path) -> Any:
    try:
        return sd.read(path)
    except errors.SembadaError as error:
        pytest.skip(f"not read: {error}")


def _text(core: Any, dialect: str) -> str:
    return core.to_xmile() if dialect == "xmile" else core.to_vensim()


def _lines(text: str) -> list[str]:
    """Leave out the name of the model, which a Vensim file does not hold."""
    return [line for line in text.splitlines() if "<name>" not in line and not line.startswith("1:")]


def _again(core: Any, dialect: str, folder: Path) -> Any:
    path = folder / ("model.xmile" if dialect == "xmile" else "model.mdl")
    path.write_text(_text(core, dialect), encoding="utf-8")
    return sd.read(path)


@pytest.mark.parametrize("path", _models())
def test_a_written_model_reads_back_as_itself(path: str, tmp_path: Path) -> None:
    core = _read(sd_corpus.root() / path)._core
    if core.dialect == "vensim" and core.describe()["data"]:
        pytest.skip("series are written as lookups of time: a Vensim file does not hold them")
    back = _again(core, core.dialect, tmp_path)._core
    # The text says everything that the model holds but spans and lines.
    assert _lines(_text(back, core.dialect)) == _lines(_text(core, core.dialect))

    def facts(one: Any) -> list[tuple[str, str, str]]:
        return sorted((sd_corpus.canonical(v["name"]), v["kind"], v["unit"]) for v in one.describe()["variables"])

    assert facts(back) == facts(core)


@pytest.mark.parametrize("dialect", ["xmile", "vensim"])
@pytest.mark.parametrize("path", _models())
def test_a_written_model_runs_the_same(path: str, dialect: str, tmp_path: Path) -> None:
    model = _read(sd_corpus.root() / path)
    if any(call["kind"] == "data" for call in model._core.describe()["variables"]) or "get_" in path:
        pytest.skip("values from outside files")
    try:
        text = _text(model._core, dialect)
    except errors.UnsupportedError:
        assert dialect != model._core.dialect, "a dialect says what its own readers read"
        return
    if dialect != model._core.dialect and any(word in text for word in NOISE):
        pytest.skip("two tools never draw the same noise")
    back = _again(model._core, dialect, tmp_path)
    try:
        ours = model.run().frame
    except errors.SembadaError as error:
        pytest.skip(f"does not run: {error}")
    theirs = back.run().frame
    names = {sd_corpus.canonical(name): name for name in theirs.columns}
    compared = 0
    for name in ours.columns:
        other = names.get(sd_corpus.canonical(name))
        if other is None:
            # The variables that control a run stand elsewhere in XMILE.
            assert sd_corpus.canonical(name) in sd_corpus.CONTROL
            continue
        compared += 1
        first, second = ours[name].to_numpy(float), theirs[other].to_numpy(float)
        scale = np.nanmax(np.abs(first), initial=1.0)
        np.testing.assert_allclose(second, first, rtol=SAME_RUN, atol=SAME_RUN * scale, err_msg=name)
    assert compared > 0
