"""Shorthands that build blocks: `block` and `multi`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import cast, get_args

from sembada.errors import SpecificationError
from sembada.pls.specification import Block, Kind, Mode, choice

__all__ = ["block", "multi"]


def multi(
    prefix: str, first: int | Iterable[int], last: int | None = None, *, suffix: str = "", width: int = 0
) -> list[str]:
    """Name numbered indicators.

    Parameters
    ----------
    prefix
        What stands before the number.
    first
        The first number, or all numbers.
    last
        The last number, included; only with a single `first`.
    suffix
        What stands after the number.
    width
        Pad the number with zeros to this width.

    Returns
    -------
    list of str
        The names.

    Raises
    ------
    SpecificationError
        If there is no number to count.

    Examples
    --------
    >>> multi("IMAG", 1, 3)
    ['IMAG1', 'IMAG2', 'IMAG3']
    >>> multi("q", [2, 5], suffix="_r", width=2)
    ['q02_r', 'q05_r']
    """
    if isinstance(first, int):
        numbers = range(first, (first if last is None else last) + 1)
    elif last is None:
        numbers = first  # type: ignore[assignment]
    else:
        raise SpecificationError("multi: give either a first and a last number, or a list of numbers, not both")
    names = [f"{prefix}{number:0{width}d}{suffix}" for number in numbers]
    if not names:
        raise SpecificationError(
            f"multi({prefix!r}, {first!r}, {last!r}) names no indicator: the last number is below the first",
            {"prefix": prefix, "first": first, "last": last},
        )
    return names


def block(
    construct: str,
    indicators: str | Sequence[str],
    *,
    mode: str = "A",
    kind: str | None = None,
    weights: Sequence[float] | None = None,
    dominant: str | None = None,
    reliability: float | None = None,
) -> Block:
    """Describe what measures a construct.

    Parameters
    ----------
    construct
        Name of the construct.
    indicators
        Names of data columns, or of other constructs for a higher-order construct.
    mode
        `"A"`, `"B"`, `"B-nonnegative"` (regression weights that are not below zero), `"unit"`, `"pca"` or `"fixed"`.
    kind
        `"reflective"` or `"composite"`; by default reflective for mode A and a composite for the others. Only
        reflective blocks are corrected by consistent PLS.
    weights
        Fixed outer weights, relative to the standardised indicators; sets the mode to `"fixed"`.
    dominant
        The indicator whose loading must be positive.
    reliability
        A reliability known from elsewhere, for consistent PLS.

    Returns
    -------
    Block
        The block, for `pls.Model(blocks=[…])`.

    Raises
    ------
    SpecificationError
        If the block is empty, an indicator is doubled, or an option is not known.

    Examples
    --------
    >>> block("Image", multi("IMAG", 1, 2))
    Block(construct='Image', indicators=('IMAG1', 'IMAG2'), mode='A', kind='reflective', weights=None, dominant=None,
          reliability=None)
    """
    if weights is not None:
        mode = "fixed"
    mode = choice(f"block {construct!r}: mode", mode, get_args(Mode))
    if kind is None:
        kind = "reflective" if mode == "A" else "composite"
    kind = choice(f"block {construct!r}: kind", kind, get_args(Kind))
    items = (indicators,) if isinstance(indicators, str) else tuple(indicators)
    return Block(
        construct,
        items,
        mode=cast(Mode, mode),
        kind=cast(Kind, kind),
        weights=None if weights is None else tuple(float(weight) for weight in weights),
        dominant=dominant,
        reliability=reliability,
    )
