"""Names are found however they are spelt, and shown as they were written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sembada.errors import UnknownNameError
from sembada.sd.names import Names, canonical, split_element


@pytest.mark.parametrize(
    "name", ["Order Rate", "order_rate", " ORDER  RATE ", '"order rate"', r"Order\nRate", "order\nrate"]
)
def test_spellings_that_xmile_calls_equal_are_equal(name: str) -> None:
    assert canonical(name) == "order_rate"


def test_a_blank_makes_a_difference() -> None:
    assert canonical("order rate") != canonical("orderrate")


@given(st.text(min_size=1).filter(lambda text: canonical(text) and '"' not in text and "\\" not in text))
def test_canonical_names_are_canonical(name: str) -> None:
    assert canonical(canonical(name)) == canonical(name)


def test_names_are_found_and_shown_as_written() -> None:
    names = Names({"Order Rate": 1, "Stock[North,Young]": 2}, "variable")
    assert names["order_rate"] == 1
    assert names["STOCK[ north , young ]"] == 2
    assert names.written("ORDER RATE") == "Order Rate"
    assert "order rate" in names
    assert 3 not in names
    assert list(names) == ["Order Rate", "Stock[North,Young]"]


def test_a_typo_lists_near_matches() -> None:
    with pytest.raises(UnknownNameError, match="Order Rate") as caught:
        Names({"Order Rate": 1})["ordr rate"]
    assert caught.value.matches == ["Order Rate"]


def test_an_element_is_split_from_its_name() -> None:
    assert split_element("Population[North, Young]") == ("Population", ("North", "Young"))
    assert split_element("Population") == ("Population", ())
