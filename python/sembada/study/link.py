"""A link: one path of the survey model into one parameter of the stock-and-flow model, in a stated form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np

from sembada.errors import SpecificationError

__all__ = ["FORMS", "Form", "Link", "Scale"]

Form: TypeAlias = Literal["weight", "z", "unstandardised", "elasticity", "table"]

#: The five conversion forms.
FORMS: tuple[str, ...] = get_args(Form)


@dataclass(frozen=True)
class Scale:
    """Mean and standard deviation of a construct on the scale of the stock-and-flow model (usually 0 to 1).

    Raises
    ------
    SpecificationError
        If a number is not finite or the standard deviation is not above zero.
    """

    mean: float
    sd: float

    def __post_init__(self) -> None:
        if not (np.isfinite(self.mean) and np.isfinite(self.sd) and self.sd > 0):
            raise SpecificationError(
                f"scale with mean {self.mean!r} and sd {self.sd!r}: expected finite numbers and sd > 0",
                {"mean": self.mean, "sd": self.sd},
            )


@dataclass(frozen=True)
class Link:
    """Feeds a path coefficient into a parameter.

    Parameters
    ----------
    predictor, outcome
        The path as in the survey model; an interaction is written `"A:B"`.
    parameter
        The parameter of the stock-and-flow model that receives the converted coefficient.
    form
        How β is converted. With X̄, s_X, Ȳ, s_Y the survey's means and standard deviations on the model's scale:

        * `"z"`: β itself; the model holds `(X − X̄)/s_X` and reaches the value after a delay. Its steady state is
          the path model.
        * `"weight"`: β / Σ|β| over the weight links of the same outcome, for normalised stocks. Loses scale and R².
        * `"unstandardised"`: β·s_Y/s_X, for scores in natural units.
        * `"elasticity"`: β·(s_Y/Ȳ)/(s_X/X̄), the exponent of `(X/X₀)^ε`.
        * `"table"`: the same number, as the slope at (1, 1) of a curve that saturates between `low` and `high`.
    delay
        Time that the effect takes, in the model's unit of time: the number, or the name of the parameter that holds it.
        With a number and `delay_parameter` the number is written into that parameter.
    delay_parameter
        Parameter that receives `delay`.
    unit
        Unit of the receiving parameter; checked against the model's, where it states one.
    low, high
        Ends of the table form: 0 ≤ low < 1 < high.
    gain
        The parameter that turns one standard deviation of the outcome into quantities (such as a log effect on
        customers).
    loading, cv
        Loading λ of a quantitative indicator of the outcome and its coefficient of variation between firms; their
        product is the long-run effect that `gain` should reproduce.
    mechanisms
        Parameters of mechanisms that carry the same influence inside the model: candidates of double counting.

    Raises
    ------
    SpecificationError
        If the form is unknown, a name is empty, or the ends of a table do not enclose one.

    Examples
    --------
    >>> Link("KMC", "OP", parameter="b", form="z", delay=3).form
    'z'
    """

    predictor: str
    outcome: str
    parameter: str = ""
    form: Form = "z"
    delay: float | str | None = None
    delay_parameter: str | None = None
    unit: str = "dmnl"
    low: float = 0.5
    high: float = 2.0
    gain: str | None = None
    loading: float | None = None
    cv: float | None = None
    mechanisms: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.parameter:
            raise SpecificationError(
                f"link {self.name}: say which parameter of the model receives it: parameter=…", {"link": self.name}
            )
        if self.form not in FORMS:
            raise SpecificationError(
                f"link {self.name}: form is {self.form!r}: expected one of {', '.join(map(repr, FORMS))}",
                {"link": self.name, "form": self.form},
            )
        if not 0 <= self.low < 1 < self.high:
            raise SpecificationError(
                f"link {self.name}: table from {self.low} to {self.high}: expected 0 <= low < 1 < high",
                {"link": self.name, "low": self.low, "high": self.high},
            )
        if isinstance(self.delay, (int, float)) and not (np.isfinite(self.delay) and self.delay > 0):
            raise SpecificationError(
                f"link {self.name}: delay is {self.delay!r}: expected a time above zero, or None",
                {"link": self.name, "delay": self.delay},
            )
        object.__setattr__(self, "mechanisms", tuple(self.mechanisms))

    @property
    def name(self) -> str:
        """The path in words."""
        return f"{self.predictor} → {self.outcome}"

    @property
    def path(self) -> tuple[str, str]:
        """The path as a pair."""
        return self.predictor, self.outcome

    @property
    def needs_scales(self) -> bool:
        """Whether the form needs means and standard deviations of the two constructs."""
        return self.form in ("unstandardised", "elasticity", "table")

    def equation(self) -> str:
        """Return the equation that the form supposes in the model, in XMILE's language.

        Examples
        --------
        >>> Link("X", "Y", parameter="e", form="elasticity").equation()
        'effect_of_X_on_Y = (X / X_initial) ^ e'
        """
        x, y, p = self.predictor.replace(":", "_x_"), self.outcome, self.parameter
        if self.form == "weight":
            return f"{y}_goal = … + {p} * {x}"
        if self.form == "z":
            z = " * ".join(f"z_{part}" for part in self.predictor.split(":"))
            return f"z_{y}_goal = … + {p} * {z}"
        if self.form == "unstandardised":
            return f"{y}_goal = {y}_initial + … + {p} * ({x} - {x}_initial)"
        if self.form == "elasticity":
            return f"effect_of_{x}_on_{y} = ({x} / {x}_initial) ^ {p}"
        low, high = self.low, self.high
        odds, steep = (high - 1) / (1 - low), (high - low) / ((high - 1) * (1 - low))
        power = f"EXP(-{steep:.12g} * {p} * ({x} / {x}_initial - 1))"
        return f"effect_of_{x}_on_{y} = {low:g} + {high - low:g} / (1 + {odds:.12g} * {power})"
