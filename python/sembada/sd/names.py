"""Names: what XMILE calls equal is equal, what the author wrote is shown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Generic, TypeVar

from sembada.errors import unknown_name

__all__ = ["Names", "canonical", "split_element"]

Value = TypeVar("Value")

_GAP = re.compile(r"[_\s\u00a0]+")


def canonical(name: str) -> str:
    r"""Make names equal that differ in case, blanks, underscores, line breaks and outer quotes only.

    Examples
    --------
    >>> canonical('"Order  Rate"') == canonical("order_rate")
    True

    References
    ----------
    OASIS XMILE 1.0, section 3.2.2.
    """
    name = name.strip()
    if len(name) >= 2 and name[0] == '"' == name[-1]:
        name = name[1:-1]
    return _GAP.sub("_", name.replace("\\n", " ")).strip("_").lower()


def split_element(name: str) -> tuple[str, tuple[str, ...]]:
    """Split `Name[Elem1, Elem2]` into the name and its subscripts.

    Examples
    --------
    >>> split_element("Population[North, Young]")
    ('Population', ('North', 'Young'))
    """
    name = name.strip()
    if not name.endswith("]") or "[" not in name:
        return name, ()
    head, _, inside = name[:-1].partition("[")
    return head.strip(), tuple(part.strip() for part in inside.split(","))


def _key(name: str) -> str:
    head, subscripts = split_element(name)
    return canonical(head) + (f"[{','.join(canonical(part) for part in subscripts)}]" if subscripts else "")


class Names(Mapping[str, Value], Generic[Value]):
    """A mapping by name that finds a name however it is spelt, and lists near matches where there is none.

    Parameters
    ----------
    items
        Names as written, with what they stand for; their order is kept.
    kind
        What the names are, for messages.
    """

    __slots__ = ("_items", "_keys", "_kind")

    def __init__(self, items: Mapping[str, Value] | Iterable[tuple[str, Value]], kind: str = "variable") -> None:
        self._items = dict(items)
        self._keys = {_key(name): name for name in self._items}
        self._kind = kind

    def written(self, name: str) -> str:
        """Return a name as its author wrote it.

        Raises
        ------
        UnknownNameError
            If there is no such name.
        """
        if name in self._items:
            return name
        found = self._keys.get(_key(name)) if isinstance(name, str) else None
        if found is None:
            raise unknown_name(self._kind, str(name), self._items)
        return found

    def __getitem__(self, name: str) -> Value:
        return self._items[self.written(name)]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and (name in self._items or _key(name) in self._keys)

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __repr__(self) -> str:
        shown = ", ".join(list(self._items)[:6])
        return f"<{len(self)} {self._kind}s: {shown}{', …' if len(self) > 6 else ''}>"
