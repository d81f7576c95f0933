"""The bridge: which path, in which form, with which delay and unit, feeds which parameter of the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sembada.errors import SpecificationError, unknown_name
from sembada.study import cautions
from sembada.study.draws import PathDraws, path_draws
from sembada.study.link import Link, Scale
from sembada.study.models import final_value, meanings, parameter_values

__all__ = ["Bridge"]

Array = NDArray[np.float64]


class Bridge:
    """Carries path coefficients into the parameters of a stock-and-flow model.

    Parameters
    ----------
    model
        A `sembada.sd.Model`.
    links
        The links; each parameter may receive one link only.
    scales
        Mean and standard deviation of constructs on the model's scale; needed by the forms `unstandardised`,
        `elasticity` and `table`. `study.scales(data, blocks)` makes them.

    Raises
    ------
    SpecificationError
        If there are no links, two feed one parameter, or a form lacks its scales.
    UnknownNameError
        If the model has no such parameter; lists near matches.

    Examples
    --------
    >>> from sembada import sd
    >>> model = sd.Model(sd.Stock("y", "0", inflows=["change"]), sd.Flow("change", "(b - y) / tau"),
    ...                  sd.Parameter("b", 0.4), sd.Parameter("tau", 3), time=sd.Time(0, 10))
    >>> Bridge(model, links=[Link("X", "Y", parameter="b", delay="tau")]).parameters({("X", "Y"): 0.5})
    {'b': 0.5}
    """

    def __init__(self, model: Any, links: Sequence[Link], *, scales: Mapping[str, Scale] | None = None) -> None:
        self.model = model
        self.links = tuple(links)
        self.scales = dict(scales or {})
        if not self.links:
            raise SpecificationError("a bridge needs at least one link", {"links": 0})
        taken: dict[str, str] = {}
        known = parameter_values(model)
        for link in self.links:
            if not isinstance(link, Link):
                raise SpecificationError(f"expected a study.Link, got {link!r}", {"value": repr(link)})
            if link.parameter in taken:
                raise SpecificationError(
                    f"links {taken[link.parameter]} and {link.name} both feed parameter {link.parameter!r}",
                    {"parameter": link.parameter},
                )
            taken[link.parameter] = link.name
            named = [link.parameter, link.delay_parameter, link.gain, *link.mechanisms]
            named += [link.delay] if isinstance(link.delay, str) else []
            for name in named:
                if name is not None and known is not None and name not in known:
                    raise unknown_name("parameter", name, known, where=f"link {link.name}")
            if link.needs_scales:
                for construct in link.path:
                    if construct not in self.scales:
                        raise SpecificationError(
                            f"link {link.name}: form {link.form!r} needs mean and standard deviation of {construct!r}: "
                            "give scales=study.scales(data, blocks)",
                            {"link": link.name, "construct": construct},
                        )

    def __repr__(self) -> str:
        return f"<Bridge: {', '.join(f'{link.name} as {link.form} into {link.parameter}' for link in self.links)}>"

    def parameters(self, coefficients: Mapping[tuple[str, str], Any]) -> dict[str, Any]:
        """Convert path coefficients into parameter values.

        Parameters
        ----------
        coefficients
            For each path of a link a number, or an array `(n_draws,)`; draws of all paths must be of the same row.

        Returns
        -------
        dict
            The parameters that the links feed, and fixed delays.
        """
        beta = {link: np.asarray(coefficients[link.path], dtype=float) for link in self.links}
        made: dict[str, Any] = {}
        for link in self.links:
            value = beta[link]
            if link.form == "weight":
                family = [other for other in self.links if other.form == "weight" and other.outcome == link.outcome]
                total: Array = np.sum([np.abs(beta[other]) for other in family], axis=0)
                value = np.divide(value, total, out=np.full_like(total, np.nan), where=total > 0)
            elif link.needs_scales:
                x, y = self.scales[link.predictor], self.scales[link.outcome]
                value = value * (y.sd / x.sd)
                if link.form in ("elasticity", "table"):
                    value = value * (x.mean / y.mean)
            made[link.parameter] = float(value) if value.ndim == 0 else value
            if link.delay_parameter is not None and isinstance(link.delay, (int, float)):
                made[link.delay_parameter] = float(link.delay)
        return made

    def design(self, draws: PathDraws, rows: NDArray[np.intp]) -> pd.DataFrame:
        """Return the linked parameters of the chosen bootstrap rows: a row a draw."""
        made = self.parameters({link.path: draws.column(link.path)[rows] for link in self.links})
        return pd.DataFrame({name: np.broadcast_to(value, rows.shape) for name, value in made.items()})

    def point(self, draws: PathDraws) -> dict[str, float]:
        """Return the linked parameters at the estimate."""
        made = self.parameters({link.path: draws.estimate[draws.index(link.path)] for link in self.links})
        return {name: float(value) for name, value in made.items()}

    def table(self, bootstrap: Any, *, level: float = 0.95) -> pd.DataFrame:
        """Return the hand-off table: what enters the model, in which form, and how sure it is.

        Parameters
        ----------
        bootstrap
            A `pls.Bootstrap`, or a frame of path draws.
        level
            Coverage of the percentile interval.

        Returns
        -------
        pandas.DataFrame
            Index `predictor, outcome`; `estimate, lower, upper` of the path; `form, parameter, unit, delay`; `value,
            value_lower, value_upper` of the parameter; `equation`; `target`, the product of loading and CV; `gain`.
        """
        draws = path_draws(bootstrap)
        usable = np.flatnonzero(draws.usable)
        converted, point = self.design(draws, usable), self.point(draws)
        tails = [(1 - level) / 2, (1 + level) / 2]
        rows = []
        for link in self.links:
            lower, upper = np.quantile(draws.column(link.path)[usable], tails)
            value_lower, value_upper = np.quantile(converted[link.parameter], tails)
            target = link.loading * link.cv if link.loading is not None and link.cv is not None else np.nan
            rows.append(
                {
                    "predictor": link.predictor,
                    "outcome": link.outcome,
                    "estimate": draws.estimate[draws.index(link.path)],
                    "lower": lower,
                    "upper": upper,
                    "form": link.form,
                    "parameter": link.parameter,
                    "unit": link.unit,
                    "delay": "" if link.delay is None else str(link.delay),
                    "value": point[link.parameter],
                    "value_lower": value_lower,
                    "value_upper": value_upper,
                    "equation": link.equation(),
                    "target": target,
                    "gain": link.gain or "",
                }
            )
        return pd.DataFrame(rows).set_index(["predictor", "outcome"])

    def audit(self, bootstrap: Any = None) -> pd.DataFrame:
        """List what may be wrong with the hand-off.

        Parameters
        ----------
        bootstrap
            A `pls.Bootstrap` or a frame of path draws; without it the checks that need numbers are left out.

        Returns
        -------
        pandas.DataFrame
            Columns `link, caution, severity, message, facts`; severity is `note`, `caution` or `serious`; facts are
            the numbers in the message.
        """
        draws = None if bootstrap is None else path_draws(bootstrap)
        units = {name: unit for name, (unit, _) in meanings(self.model).items() if unit}
        found = cautions.find(self.links, draws, units, parameter_values(self.model))
        rows = [(item.link, item.caution, item.severity, item.message, item.facts) for item in found]
        return pd.DataFrame(rows, columns=["link", "caution", "severity", "message", "facts"])

    def long_run(
        self, variable: str, shift: str, *, params: Mapping[str, float] | None = None, size: float = 1.0
    ) -> float:
        """Return the change of log `variable` at the end of a run when parameter `shift` is raised by `size`.

        With a `shift` that raises the outcome by standard deviations, this is what the bridge should hold equal to
        loading × CV of a quantitative indicator.
        """
        base = dict(params or {})
        known = parameter_values(self.model) or {}
        start = base.get(shift, known.get(shift, 0.0))
        raised = final_value(self.model, {**base, shift: start + size}, variable)
        return float(np.log(raised) - np.log(final_value(self.model, base, variable)))

    def calibrate(
        self,
        gain: str,
        target: float,
        variable: str,
        shift: str,
        *,
        bounds: tuple[float, float] = (0.0, 2.0),
        params: Mapping[str, float] | None = None,
        size: float = 1.0,
    ) -> float:
        """Find the value of parameter `gain` at which the long-run response of `variable` equals `target`.

        Parameters
        ----------
        gain
            Parameter that turns one standard deviation of the outcome into quantities.
        target
            Change of log `variable` for `size` standard deviations: loading × CV × `size`.
        variable, shift, params, size
            As in `long_run`.
        bounds
            Where to look.

        Returns
        -------
        float

        Raises
        ------
        SpecificationError
            If the target lies outside what the bounds reach.
        """
        from scipy.optimize import brentq

        def gap(value: float) -> float:
            return self.long_run(variable, shift, params={**dict(params or {}), gain: value}, size=size) - target

        low, high = gap(bounds[0]), gap(bounds[1])
        if not low * high <= 0:
            raise SpecificationError(
                f"no value of {gain!r} in [{bounds[0]:g}, {bounds[1]:g}] gives the response {target:g} of "
                f"{variable!r}: the ends give {low + target:.4g} and {high + target:.4g}; widen bounds=",
                {"gain": gain, "target": target, "bounds": bounds},
            )
        return float(brentq(gap, *bounds, xtol=1e-10))
