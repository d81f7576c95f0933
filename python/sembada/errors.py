"""All exceptions of sembada.

Every one derives from `SembadaError` and from the builtin that fits, carries its facts as attributes in
`fields`, and survives pickling.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

__all__ = [
    "CircularError",
    "ConvergenceError",
    "DataError",
    "EquationError",
    "EquationNameError",
    "InadmissibleError",
    "InternalError",
    "MissingDependencyError",
    "ModelFileError",
    "SembadaError",
    "SembadaWarning",
    "SimulationError",
    "SpecificationError",
    "StoreError",
    "UnitsError",
    "UnknownNameError",
    "UnsupportedError",
]


class SembadaError(Exception):
    """Base of all errors of sembada.

    Parameters
    ----------
    message
        What, where, the value, what was expected, and the cure.
    fields
        The facts behind the message by name; each is an attribute too.
    """

    fields: dict[str, Any]

    def __init__(self, message: str = "", fields: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.fields = dict(fields or {})

    def __getattr__(self, name: str) -> Any:
        fields = self.__dict__.get("fields", {})
        if name in fields:
            return fields[name]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __reduce__(self) -> tuple[type[SembadaError], tuple[str, dict[str, Any]]]:
        return type(self), (self.args[0] if self.args else "", self.fields)

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


class SembadaWarning(UserWarning):
    """Something that an analyst should look at, such as an indicator with many missing values."""


class SpecificationError(SembadaError, ValueError):
    """A model or an option that cannot be: an empty block, a cycle in the paths, an unknown scheme."""


class UnknownNameError(SpecificationError, KeyError):
    """A name that is not in the data or the model; lists near matches."""


class DataError(SembadaError, ValueError):
    """Data that an analysis cannot use: text in a number column, a constant column, too few rows, missing values."""


class ConvergenceError(SembadaError, RuntimeError):
    """An iteration that did not reach its tolerance."""


class InadmissibleError(SembadaError, ArithmeticError):
    """A solution outside the parameter space, such as a reliability above one."""


class EquationError(SpecificationError, SyntaxError):
    """An equation that cannot be read; the message draws a caret under the place."""


class EquationNameError(EquationError, UnknownNameError):
    """An equation names something that the model does not have; lists near matches and draws a caret under it."""


class CircularError(SpecificationError):
    """Variables that depend on each other in the same instant; the message shows the circle."""


class UnitsError(SembadaError, ValueError):
    """Units that do not fit together."""


class UnsupportedError(SembadaError, NotImplementedError):
    """A function or construct of another tool that is refused rather than guessed."""


class ModelFileError(SembadaError, ValueError):
    """A model file that cannot be read."""


class SimulationError(SembadaError, ArithmeticError):
    """A run that turned non-finite, with the time and the variable."""


class StoreError(SembadaError, OSError):
    """A result store that holds something else, or is damaged."""


class MissingDependencyError(SembadaError, ImportError):
    """An optional package is needed; the message names the extra that installs it."""


class InternalError(SembadaError, RuntimeError):
    """A defect of sembada itself, never of the input. Please report it."""


def near(name: str, known: Iterable[str], limit: int = 3) -> list[str]:
    """Return the known names that look like `name`, best first.

    Parameters
    ----------
    name
        The name that was not found.
    known
        The names that exist.
    limit
        How many to return at most.

    Examples
    --------
    >>> near("custmers", ["customers", "revenue", "profit"])
    ['customers']
    """
    by_lower: dict[str, str] = {}
    for candidate in known:
        by_lower.setdefault(candidate.lower(), candidate)
    return [by_lower[match] for match in difflib.get_close_matches(name.lower(), list(by_lower), n=limit, cutoff=0.5)]


def unknown_name(kind: str, name: str, known: Iterable[str], *, where: str = "") -> UnknownNameError:
    """Make the error for a `name` of some `kind` that is not among the `known` ones."""
    known = list(known)
    matches = near(name, known)
    place = f" in {where}" if where else ""
    if matches:
        cure = f"did you mean {' or '.join(repr(match) for match in matches)}?"
    elif known:
        shown = ", ".join(repr(item) for item in known[:10])
        cure = f"expected one of {shown}{', …' if len(known) > 10 else ''}"
    else:
        cure = "there are none"
    return UnknownNameError(
        f"unknown {kind} {name!r}{place}: {cure}",
        {"kind": kind, "name": name, "matches": matches, "where": where},
    )


def require(module: str, extra: str) -> Any:
    """Import an optional package, or say which extra of sembada installs it.

    Parameters
    ----------
    module
        Name of the module to import.
    extra
        The extra that brings it.

    Raises
    ------
    MissingDependencyError
        If the package is not installed.
    """
    import importlib

    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingDependencyError(
            f"this needs the package {module.partition('.')[0]!r}, which is not installed: "
            f'pip install "sembada[{extra}]"',
            {"module": module, "extra": extra},
        ) from error
