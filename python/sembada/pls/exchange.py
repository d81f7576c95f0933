"""Specifications as plain data: dictionaries, JSON and TOML, in and out."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from typing import Any, cast, get_args

from sembada.errors import SpecificationError
from sembada.pls.blocks import block
from sembada.pls.specification import Equations, Interactions, Path, Specification, choice

__all__ = ["from_dict", "from_json", "from_toml", "to_dict", "to_json", "to_toml"]

_KEYS = {"constructs", "paths", "correlations", "interactions", "equations", "instruments", "defined", "term_modes"}


def to_dict(specification: Specification) -> dict[str, Any]:
    """Return a specification as dictionaries, lists, texts and numbers only."""
    constructs: list[dict[str, Any]] = []
    for item in specification.blocks:
        entry: dict[str, Any] = {
            "name": item.construct,
            "indicators": list(item.indicators),
            "mode": item.mode,
            "kind": item.kind,
        }
        if item.weights is not None:
            entry["weights"] = list(item.weights)
        if item.dominant is not None:
            entry["dominant"] = item.dominant
        if item.reliability is not None:
            entry["reliability"] = item.reliability
        constructs.append(entry)
    paths: list[dict[str, Any]] = []
    for path in specification.paths:
        step: dict[str, Any] = {"predictor": path.predictor, "outcome": path.outcome}
        if path.label is not None:
            step["label"] = path.label
        paths.append(step)
    result: dict[str, Any] = {
        "interactions": specification.interactions,
        "equations": specification.equations,
        "constructs": constructs,
        "paths": paths,
    }
    if specification.correlations:
        result["correlations"] = [list(pair) for pair in specification.correlations]
    if specification.instruments:
        result["instruments"] = {outcome: list(names) for outcome, names in specification.instruments.items()}
    if specification.term_modes:
        result["term_modes"] = dict(specification.term_modes)
    if specification.defined:
        result["defined"] = dict(specification.defined)
    return result


def from_dict(data: Mapping[str, Any]) -> Specification:
    """Read a specification from plain data.

    Parameters
    ----------
    data
        Keys `constructs` (each with `name`, `indicators`, and optionally `mode`, `kind`, `weights`, `dominant`,
        `reliability`),
        `paths` (each with `predictor`, `outcome`, optionally `label`; or a mapping outcome → predictors), and
        optionally `correlations`, `interactions`, `equations`, `instruments`, `defined`, `term_modes`.

    Raises
    ------
    SpecificationError
        If a key is missing or not known, or the model cannot be.
    """
    for key in data:
        choice("model key", key, sorted(_KEYS))
    if "constructs" not in data:
        raise SpecificationError("the model data has no key 'constructs'", {"keys": list(data)})
    blocks = []
    for position, entry in enumerate(data["constructs"]):
        extra = set(entry) - {"name", "indicators", "mode", "kind", "weights", "dominant", "reliability"}
        if extra or "name" not in entry or "indicators" not in entry:
            raise SpecificationError(
                f"model data, construct {position + 1}: expected 'name' and 'indicators', optionally 'mode', 'kind', "
                f"'weights', 'dominant', 'reliability'; got {', '.join(map(repr, entry))}",
                {"construct": position, "keys": list(entry)},
            )
        options = {key: value for key, value in entry.items() if key not in {"name", "indicators"}}
        blocks.append(block(entry["name"], entry["indicators"], **options))
    given = data.get("paths", [])
    paths: list[Path] = []
    if isinstance(given, Mapping):
        paths = [Path(predictor, outcome) for outcome, names in given.items() for predictor in names]
    else:
        for position, step in enumerate(given):
            if "predictor" not in step or "outcome" not in step:
                raise SpecificationError(
                    f"model data, path {position + 1}: expected 'predictor' and 'outcome', got {step!r}",
                    {"path": position},
                )
            paths.append(Path(step["predictor"], step["outcome"], step.get("label")))
    return Specification(
        tuple(blocks),
        tuple(paths),
        tuple((pair[0], pair[1]) for pair in data.get("correlations", [])),
        interactions=cast(
            Interactions, choice("interactions", data.get("interactions", "two-stage"), get_args(Interactions))
        ),
        equations=cast(Equations, choice("equations", data.get("equations", "ols"), get_args(Equations))),
        instruments={outcome: tuple(names) for outcome, names in data.get("instruments", {}).items()},
        defined=dict(data.get("defined", {})),
        term_modes=dict(data.get("term_modes", {})),
    )


def to_json(specification: Specification, *, indent: int | None = 2) -> str:
    """Return a specification as JSON."""
    return json.dumps(to_dict(specification), indent=indent, ensure_ascii=False)


def from_json(text: str) -> Specification:
    """Read a specification from JSON."""
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise SpecificationError(f"this is not JSON: {error}", {"line": error.lineno}) from error
    if not isinstance(data, dict):
        raise SpecificationError(f"the JSON holds a {type(data).__name__}: expected an object")
    return from_dict(data)


def _toml(value: object) -> str:
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    return repr(value)


def to_toml(specification: Specification) -> str:
    """Return a specification as TOML."""
    data = to_dict(specification)
    lines = [f"{key} = {_toml(data[key])}" for key in ("interactions", "equations", "correlations") if key in data]
    if "instruments" in data:
        lines += ["", "[instruments]"]
        lines += [f"{_toml(outcome)} = {_toml(names)}" for outcome, names in data["instruments"].items()]
    if "term_modes" in data:
        lines += ["", "[term_modes]", *(f"{_toml(name)} = {_toml(mode)}" for name, mode in data["term_modes"].items())]
    if "defined" in data:
        lines += ["", "[defined]", *(f"{_toml(name)} = {_toml(text)}" for name, text in data["defined"].items())]
    for table in ("constructs", "paths"):
        for entry in data[table]:
            lines += ["", f"[[{table}]]", *(f"{key} = {_toml(value)}" for key, value in entry.items())]
    return "\n".join(lines) + "\n"


def from_toml(text: str) -> Specification:
    """Read a specification from TOML."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SpecificationError(f"this is not TOML: {error}") from error
    return from_dict(data)
