"""What a result was made from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["Provenance"]


class Provenance(Mapping[str, Any]):
    """Facts that make a result repeatable; read by key or by attribute.

    Parameters
    ----------
    facts
        `version` of sembada, `kernel` that ran, `options` after defaults, `seed`, and the SHA-256 of the `model` and
        of the `data`.

    Examples
    --------
    >>> Provenance({"seed": 1}).seed
    1
    """

    __slots__ = ("_facts",)
    _facts: dict[str, Any]

    def __init__(self, facts: Mapping[str, Any]) -> None:
        object.__setattr__(self, "_facts", dict(facts))

    def __getitem__(self, key: str) -> Any:
        return self._facts[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._facts)

    def __len__(self) -> int:
        return len(self._facts)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in self._facts:
            raise AttributeError(f"provenance has no fact {name!r}; it has {', '.join(self._facts)}")
        return self._facts[name]

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("provenance cannot be changed")

    def __reduce__(self) -> tuple[type[Provenance], tuple[dict[str, Any]]]:
        return Provenance, (self._facts,)

    def __repr__(self) -> str:
        return f"Provenance({', '.join(f'{key}={value!r}' for key, value in self._facts.items())})"

    def with_facts(self, **facts: Any) -> Provenance:
        """Return the provenance with further facts."""
        return Provenance({**self._facts, **facts})
