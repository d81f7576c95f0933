"""Numbers as a reader expects them: decimal point or comma, true minus signs, p-values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Numbers"]

MISSING = "–"


@dataclass(frozen=True)
class Numbers:
    """Writes numbers in one style.

    Parameters
    ----------
    decimal
        `"."` or `","`.

    Examples
    --------
    >>> Numbers(",").fixed(-1234.5, 1)
    '−1234,5'
    """

    decimal: str = "."

    def _finish(self, text: str) -> str:
        return text.replace("-", "−").replace(".", self.decimal)

    def fixed(self, value: Any, digits: int) -> str:
        """Write with so many digits after the point; a dash for a missing number."""
        number = float(value)
        if not np.isfinite(number):
            return MISSING
        rounded = round(number, digits)
        return self._finish(f"{rounded if rounded else 0.0:.{digits}f}")  # no minus zero

    def percent(self, value: Any, digits: int) -> str:
        """Write as per cent."""
        text = self.fixed(100.0 * float(value), digits)
        return text if text == MISSING else f"{text} %"

    def p(self, value: Any) -> str:
        """Write a p-value with three digits; `< .001` below."""
        number = float(value)
        if not np.isfinite(number):
            return MISSING
        return f"< {self._finish('0.001')}" if number < 0.0005 else self.fixed(number, 3)

    def general(self, value: Any) -> str:
        """Write with four significant digits."""
        number = float(value)
        return self._finish(f"{number:.4g}") if np.isfinite(number) else MISSING

    def interval(self, lower: Any, upper: Any, digits: int, *, percent: bool = False) -> str:
        """Write `[lower; upper]`."""
        factor = 100.0 if percent else 1.0
        return f"[{self.fixed(factor * float(lower), digits)}; {self.fixed(factor * float(upper), digits)}]"

    def cell(self, value: Any, code: str) -> str:
        """Write a cell by its format.

        `s` text, `i` an interval, `r` text set to the right, `d` whole, `f3` fixed, `%1` per cent, `p` a p-value,
        `g` four digits.
        """
        if code in ("s", "i", "r") or isinstance(value, str):
            return str(value)
        if code == "d":
            return self.fixed(value, 0)
        if code == "p":
            return self.p(value)
        if code == "g":
            return self.general(value)
        digits = int(code[1:])
        return self.percent(value, digits) if code[0] == "%" else self.fixed(value, digits)
