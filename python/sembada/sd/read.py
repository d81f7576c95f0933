"""Reading model files: XMILE, Stella and Vensim."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from sembada import _core
from sembada.errors import ModelFileError, SembadaError, unknown_name
from sembada.sd.encoding import decode
from sembada.sd.external import Resolver
from sembada.sd.imports import imported
from sembada.sd.model import Model
from sembada.sd.names import Names, split_element
from sembada.sd.series import as_series
from sembada.sd.tables import read_series

__all__ = ["read"]

_VENSIM = (".mdl",)
_XMILE = (".xmile", ".stmx", ".xml", ".itmx", ".itm")


def read(
    path: str | Path,
    *,
    data: Any = (),
    files: Mapping[str, str | Path] | None = None,
    encoding: str | None = None,
    outside: bool = False,
) -> Model:
    """Read a model file: XMILE (`.xmile`, `.stmx`, `.xml`) or Vensim (`.mdl`).

    A model file is data: nothing in it is evaluated, and no file outside its folder is read unless allowed.

    Parameters
    ----------
    path
        The file.
    data
        Series for data variables: a file (`.dat`, `.csv`, `.tab`, `.xlsx`), a DataFrame (index: times; columns: names,
        `Name[Elem]` for elements), a mapping from name to series, or a list of these.
    files
        Where the files are that the model names otherwise, such as Vensim's `?alias`.
    encoding
        Of the file; `None`: by its first bytes, by what it declares, else UTF-8 or Windows-1252.
    outside
        Whether the model may read files outside its folder.

    Returns
    -------
    Model
        In the dialect of the file.

    Raises
    ------
    ModelFileError
        If the file cannot be read, is empty or of another kind.
    EquationError
        If an equation cannot be read; has line and name, and a caret.
    UnsupportedError
        If it uses a function or construct that is not supported: it is refused, not guessed.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in _VENSIM + _XMILE:
        raise ModelFileError(
            f"{path}: {suffix or 'no suffix'} is no kind of model file that is read; expected one of "
            f"{', '.join(_VENSIM + _XMILE)}",
            {"path": str(path), "suffix": suffix},
        )
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ModelFileError(f"{path}: {error.strerror or error}", {"path": str(path)}) from error
    text = decode(raw, str(path), encoding)
    resolver = _Recorder(Resolver(path.parent, files, outside=outside))
    dialect = "vensim" if suffix in _VENSIM else "xmile"
    core = _parse(dialect, text, str(path), resolver)
    series = _collect(data)
    if series:
        core = _with_series(core, series)
    core.validate()
    model = Model._from_core(core, (dialect, text, resolver.answers, series), str(path))
    imports = model._described.get("imports")
    if imports:
        params, initial = imported(model, imports, Resolver(path.parent, files, outside=outside))
        model = model.replace(params, initial=initial)
    return model


def _parse(dialect: str, text: str, path: str, resolve: Any) -> Any:
    reader = _core.SdModel.from_vensim if dialect == "vensim" else _core.SdModel.from_xmile
    return reader(text, path, resolve)


class _Recorder:
    """Remembers what files answered, so that a model pickles without them."""

    def __init__(self, resolver: Any) -> None:
        self._resolver = resolver
        self.answers: dict[Any, Any] = {}

    def __call__(self, function: str, arguments: Sequence[str], shape: Sequence[int]) -> Any:
        key = (function, tuple(arguments), tuple(shape))
        if key not in self.answers:
            self.answers[key] = self._resolver(function, list(arguments), list(shape))
        return self.answers[key]


def rebuild(source: tuple[Any, ...], path: str) -> Any:
    """Make the core of a model from what `read` kept of it."""
    dialect, text, answers, series = source

    def resolve(function: str, arguments: Sequence[str], shape: Sequence[int]) -> Any:
        return answers[(function, tuple(arguments), tuple(shape))]

    core = _parse(dialect, text, path, resolve)
    return _with_series(core, series) if series else core


def _collect(data: Any) -> list[tuple[str, Any]]:
    """List names with series from all kinds of sources."""
    if isinstance(data, (str, Path, pd.DataFrame, pd.Series, Mapping)):
        data = [data]
    out: list[tuple[str, Any]] = []
    for item in data:
        if isinstance(item, (str, Path)):
            out += read_series(Path(item)).items()
        elif isinstance(item, pd.DataFrame):
            out += [(str(name), item[name]) for name in item.columns]
        elif isinstance(item, pd.Series):
            out.append((str(item.name), item))
        elif isinstance(item, Mapping):
            out += [(str(name), series) for name, series in item.items()]
        else:
            raise SembadaError(f"data: {type(item).__name__} holds no series", {"type": type(item).__name__})
    return out


def _with_series(core: Any, series: list[tuple[str, Any]]) -> Any:
    """Give series to the data variables of a model; a file may hold more than the model uses."""
    described = core.describe()
    kinds = Names([(entry["name"], entry) for entry in described["variables"]], "data variable")
    dimensions = {entry["name"]: entry["elements"] for entry in described.get("dimensions", [])}
    used = 0
    for name, given in series:
        head, subscripts = split_element(name)
        if head not in kinds or kinds[head]["kind"] != "data":
            continue
        entry = kinds[head]
        wanted = () if subscripts else tuple(entry.get("dimensions") or ())
        for element, times, values in as_series(given, name, wanted, dimensions):
            core = core.with_data(entry["name"], list(subscripts or element), times, values, None)
            used += 1
    if not used:
        wanting = [name for name, entry in kinds.items() if entry["kind"] == "data"]
        first = split_element(series[0][0])[0]
        raise unknown_name("data variable", first, wanting, where="the model")
    return core
