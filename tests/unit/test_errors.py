"""Every exception says what happened, is the builtin that fits, and survives pickling."""

import pickle

import pytest

from sembada import errors

CLASSES = [
    cls
    for name in errors.__all__
    if issubclass(cls := getattr(errors, name), Exception) and not issubclass(cls, Warning)
]


@pytest.mark.parametrize("cls", CLASSES)
def test_survives_pickling_with_its_fields(cls: type[errors.SembadaError]) -> None:
    error = cls("what and where", {"name": "x", "count": 3})
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is cls
    assert str(copy) == "what and where"
    assert copy.fields == {"name": "x", "count": 3}
    assert copy.count == 3


@pytest.mark.parametrize("cls", [c for c in CLASSES if c is not errors.SembadaError])
def test_is_a_sembada_error_and_a_builtin(cls: type[errors.SembadaError]) -> None:
    assert issubclass(cls, errors.SembadaError)
    builtins = [base for base in cls.__mro__ if base.__module__ == "builtins"]
    assert builtins[0] not in (Exception, BaseException, object)


def test_an_unknown_attribute_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'DataError' object has no attribute 'colunm'"):
        _ = errors.DataError("text", {"column": "x"}).colunm


def test_an_unknown_name_lists_near_matches() -> None:
    error = errors.unknown_name("column", "IMAG7", ["IMAG1", "IMAG2", "PERV1"], where="block 'Image'")
    assert str(error).startswith("unknown column 'IMAG7' in block 'Image': did you mean 'IMAG")
    assert error.name == "IMAG7"
    assert isinstance(error, KeyError)


def test_an_unknown_name_without_matches_lists_what_exists() -> None:
    assert "expected one of 'a', 'b'" in str(errors.unknown_name("scheme", "zzz", ["a", "b"]))


def test_near_ignores_case() -> None:
    assert errors.near("CUSTOMERS", ["customers", "cash"]) == ["customers"]


def test_a_missing_package_names_its_extra() -> None:
    with pytest.raises(errors.MissingDependencyError, match=r'pip install "sembada\[plot\]"') as caught:
        errors.require("no_such_package_anywhere", "plot")
    assert caught.value.extra == "plot"
    assert errors.require("json", "plot").dumps([1]) == "[1]"
