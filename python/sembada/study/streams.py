"""Random streams of a study: one for each use, so that no use disturbs another."""

from __future__ import annotations

import numpy as np

from sembada.errors import SpecificationError

__all__ = ["INFORMATION", "RESAMPLE", "UNCERTAINTY", "WEIGHTS", "stream"]

RESAMPLE, UNCERTAINTY, INFORMATION, WEIGHTS = 1, 2, 3, 4


def stream(seed: int, use: int) -> np.random.Generator:
    """Return the Philox generator of a use.

    Raises
    ------
    SpecificationError
        If the seed is not a whole number from zero up.

    Examples
    --------
    >>> bool(stream(1, RESAMPLE).random() == stream(1, RESAMPLE).random())
    True
    """
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise SpecificationError(f"seed is {seed!r}: expected a whole number from zero up", {"seed": seed})
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(int(seed), spawn_key=(use,))))
