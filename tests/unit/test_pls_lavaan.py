"""Reading and writing the model text."""

from __future__ import annotations

import pickle

import pytest

from sembada import errors
from sembada.pls import exchange
from sembada.pls.blocks import block, multi
from sembada.pls.lavaan import parse, write
from sembada.pls.specification import Path, Specification

ECSI = """
Image        =~ IMAG1 + IMAG2 +      # a comment
                IMAG3
Quality      <~ PERQ1 + PERQ2        ! another
Satisfaction =~ CUSA1
              + CUSA2; Loyalty =~ CUSL1
Satisfaction ~ Image + b1*Quality + Image:Quality
Loyalty ~ Satisfaction
"""


def test_operators_make_blocks_and_paths():
    spec = parse(ECSI)
    assert spec.measured == ("Image", "Quality", "Satisfaction", "Loyalty")
    assert spec.block_of["Image"].indicators == ("IMAG1", "IMAG2", "IMAG3")
    assert (spec.block_of["Image"].mode, spec.block_of["Image"].kind) == ("A", "reflective")
    assert (spec.block_of["Quality"].mode, spec.block_of["Quality"].kind) == ("B", "composite")
    assert spec.paths[1] == Path("Quality", "Satisfaction", "b1")
    assert spec.terms == ("Image:Quality",)
    assert spec.outcomes == ("Satisfaction", "Loyalty")
    assert spec.exogenous == ("Image", "Quality")
    assert spec.columns == ("IMAG1", "IMAG2", "IMAG3", "PERQ1", "PERQ2", "CUSA1", "CUSA2", "CUSL1")


def test_dots_join_constructs_and_keep_dotted_names():
    spec = parse("A =~ a.1\nB =~ b1\nC =~ c1\nA.X =~ x\nC ~ A.B + A.A + A.X + A.B.A.X")
    assert spec.terms[:2] == ("A:B", "A:A")
    assert "A.X" in spec.predictors("C")
    assert spec.columns[0] == "a.1"


def test_several_outcomes_and_repeated_lines_merge():
    spec = parse("A =~ a\nA =~ b\nB =~ c\nC =~ d\nB + C ~ A\nC ~ B")
    assert spec.block_of["A"].indicators == ("a", "b")
    assert [(path.predictor, path.outcome) for path in spec.paths] == [("A", "B"), ("A", "C"), ("B", "C")]


def test_third_order_constructs_nest():
    spec = parse("A =~ a1+a2\nB =~ b1+b2\nC =~ c1\nD =~ d1\nAB =~ A + B\nABC =~ AB + C\nD ~ ABC")
    assert spec.higher_order == ("AB", "ABC")
    assert spec.dimensions("ABC") == ("AB", "C")
    assert spec.columns == ("a1", "a2", "b1", "b2", "c1", "d1")


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("A = a1", errors.EquationError, ["line 1", "^"]),
        ("A =~ a1 +", errors.EquationError, ["expected a name", "line 1"]),
        ("A =~ a1\nB =~ b1\nB ~ 1", errors.EquationError, ["line 3", "no intercepts"]),
        ("A =~ a1\nB =~ b1\nB ~ 0.5*A", errors.EquationError, ["fixed", "line 3"]),
        ("A =~ 1*a1\nB =~ b1\nB ~ A", errors.EquationError, ["loading", "line 1"]),
        ("A =~ a1\nA <~ a2\nB =~ b1\nB ~ A", errors.EquationError, ["with =~ and with <~"]),
        ("A =~ a1\nB =~ b1\nB ~ a*A\nind := a*b", errors.UnknownNameError, ["'b'", "ind := a * b"]),
        ("A =~ a1\nB =~ b1\nB ~ a*A\nind := a*", errors.EquationError, ["ind := a *"]),
        ("A =~ a1\nB =~ b1\nB ~ a*A\nind := open(a)", errors.EquationError, ["open"]),
        ("A =~ a1\nB =~ b1\nB ~ a*A\nind :=", errors.EquationError, ["line 4", "expression"]),
        ("A =~ a1\nB =~ b1\nB ~ a*A\na := 2*a", errors.SpecificationError, ["'a'", "twice"]),
        ("A =~ a1\nB =~ b1\nC =~ c\nC ~ a*A + a*B", errors.SpecificationError, ["label 'a'", "two paths"]),
        ("A =~ a1\nB =~ b1\nB ~ A\nA == B", errors.EquationError, ["==", "line 4"]),
        ("A =~ a1\nB =~ b1\nB ~ §", errors.EquationError, ["no meaning", "line 3"]),
        ("A =~ a1 a2\nB =~ b1\nB ~ A", errors.EquationError, ["unexpected 'a2'"]),
        ("Image =~ a1\nB =~ b1\nB ~ Imgae", errors.UnknownNameError, ["did you mean 'Image'"]),
        ("A =~ a1\nB =~ b1\nB ~ A + A", errors.SpecificationError, ["twice"]),
        ("A =~ a1 + a1\nB =~ b1\nB ~ A", errors.SpecificationError, ["a1", "twice"]),
        ("A =~ a1\nB =~ b1\nC =~ c1\nB ~ A", errors.SpecificationError, ["'C' has no path"]),
        ("A =~ a1\nB =~ b1", errors.SpecificationError, ["no structural part"]),
        ("A =~ a1\nB =~ b1\nC =~ c1\nB ~ A\nC ~ B\nA ~ C", errors.CircularError, ["A → B → C → A"]),
        ("A =~ a1\nB =~ b1\nB ~ A:B", errors.CircularError, ["B → B"]),
        ("H =~ K + A\nK =~ H + A\nA =~ a\nB =~ b\nB ~ H", errors.CircularError, ["measures itself"]),
        ("H =~ A + x\nA =~ a\nB =~ b\nB ~ H", errors.SpecificationError, ["'x'", "not one"]),
        ("A =~ a1\nB =~ b1\nB ~ A\na1 ~~ b1", errors.UnsupportedError, ["a1 ~~ b1", "line 4"]),
        ("A <~ 0.5*a1 + a2\nB =~ b1\nB ~ A", errors.EquationError, ["some indicators only"]),
        ("", errors.SpecificationError, ["no construct"]),
        ("A =~ a\nB =~ b\nB ~ A\n#! mode X = A", errors.EquationError, ["'mode'", "line 4"]),
    ],
)
def test_a_faulty_text_is_refused_with_its_place(text, error, words):
    with pytest.raises(error) as caught:
        parse(text)
    for word in words:
        assert word in str(caught.value)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_the_caret_stands_under_the_fault():
    with pytest.raises(errors.EquationError) as caught:
        parse("A =~ a1\nB =~ b1 + + b2")
    lines = str(caught.value).splitlines()
    assert lines[1][lines[2].index("^")] == "+"
    assert lines[2].index("^") == lines[1].rindex("+")


ROUND = [
    "A =~ a1\nB =~ b1\nC =~ c1\nB ~ a*A\nC ~ b*B + c*A\nind := a*b ; share := ind / (ind + c)^2\nlog := log(abs(c))",
    ECSI,
    "A =~ a\nB =~ b\nA ~~ B",
    "A =~ `a 1` + b.2\nB <~ 0.25*x + -1.5*y\nB ~ A:A + A",
    "A =~ a1+a2\nB =~ b1\nB ~ A\n#! mode A = B\n#! dominant A = a2\n#! interactions = product",
    "A =~ a\nB =~ b\nX =~ x\nZ =~ z\nA ~ B + X\nB ~ A + Z\n#! equations = 2sls\n#! instruments A = Z + X",
    "A =~ a1+a2\nB =~ b1+b2\nC =~ c1\nD =~ d1\nAB <~ A + B\nABC =~ AB + C\nD ~ ABC",
]


@pytest.mark.parametrize("text", ROUND)
def test_every_form_round_trips(text):
    spec = parse(text)
    assert parse(write(spec)) == spec
    assert exchange.from_json(exchange.to_json(spec)) == spec
    assert exchange.from_toml(exchange.to_toml(spec)) == spec
    assert exchange.from_dict(exchange.to_dict(spec)) == spec
    assert pickle.loads(pickle.dumps(spec)) == spec


def test_interleaved_outcomes_keep_their_order_in_the_text():
    spec = Specification(
        (block("A", "a"), block("B", "b"), block("C", "c")), (Path("A", "B"), Path("A", "C"), Path("B", "C"))
    )
    assert parse(write(spec)) == spec


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: block("A", []), ["'A'", "empty block"]),
        (lambda: block("A", ["a"], mode="Z"), ["'Z'", "'B'"]),
        (lambda: block("A", ["a"], mode="fixed"), ["weights"]),
        (lambda: block("A", ["a", "b"], weights=[1.0]), ["2 indicators", "1"]),
        (lambda: block("A", ["a", "b"], dominant="c"), ["dominant", "'c'"]),
        (lambda: block("A:B", ["a"]) and Specification((block("A:B", ["a"]),), ()), ["colon"]),
        (lambda: multi("x", 3, 1), ["no indicator"]),
        (lambda: exchange.from_dict({"blocks": []}), ["blocks", "constructs"]),
        (lambda: exchange.from_json("{"), ["not JSON"]),
        (lambda: exchange.from_toml("a="), ["not TOML"]),
    ],
)
def test_faulty_objects_are_refused(call, words):
    with pytest.raises(errors.SpecificationError) as caught:
        call()
    for word in words:
        assert word in str(caught.value)
