"""Diagrams are well-formed pictures that show what the model holds."""

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from sembada import sd
from sembada.errors import SpecificationError


def firm() -> sd.Model:
    return sd.Model(
        sd.Stock("customers", 150, inflows=["acquisition"], outflows=["churn"]),
        sd.Flow("acquisition", "(2000 - customers) * reach"),
        sd.Flow("churn", "customers * 0.05"),
        sd.Parameter("reach", 0.02),
        sd.Aux("a < b & c", "customers"),
        time=sd.Time(0, 1),
        name="firm",
    )


@pytest.mark.parametrize("kind", ["stock-flow", "causal-loop"])
def test_a_diagram_is_a_picture_with_every_name(kind: str) -> None:
    text = firm().diagram(kind, parameters=True)
    root = ElementTree.fromstring(text)
    shown = "".join(root.itertext())
    for name in ("customers", "acquisition", "churn", "reach", "a < b & c"):
        assert name in shown
    assert text == firm().diagram(kind, parameters=True)
    assert text.count('class="stock"') == (1 if kind == "stock-flow" else 0)
    assert text.count('class="cloud"') == (2 if kind == "stock-flow" else 0)


def test_what_is_no_diagram_is_refused() -> None:
    with pytest.raises(SpecificationError, match="stock-flow"):
        firm().diagram("pie")


def test_rates_of_vensim_stocks_are_flows_and_short_loops_are_named(tmp_path: Path) -> None:
    file = tmp_path / "growth.mdl"
    file.write_text(
        "{UTF-8}\nbirths = people * 0.03 ~~|\ndeaths = people * 0.01 ~~|\npeople = INTEG(births - deaths, 100) ~~|\n"
        "stored = INTEG(births * 2, 0) ~~|\n"
        "INITIAL TIME = 0 ~~|\nFINAL TIME = 1 ~~|\nTIME STEP = 1 ~~|\nSAVEPER = 1 ~~|\n"
    )
    model = sd.read(file)
    text = model.diagram()
    # Each of the two rates has a valve, and a cloud at its other end; what is more than a rate stays a link.
    assert (text.count('class="valve"'), text.count('class="cloud"'), text.count("<polygon")) == (2, 2, 2)
    loops = model.diagram("causal-loop")
    assert {name for name in model.loops().index if f"↻ {name}<" in loops} == {"R1", "B1"}
