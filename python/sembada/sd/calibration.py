"""Fitting parameters to history."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import optimize, stats

from sembada.errors import DataError, SpecificationError, unknown_name
from sembada.sd.designs import generator, unit_sample
from sembada.sd.validation import fit_statistics, history_frame, positions

__all__ = ["Calibration", "calibrate"]

_METHODS = ("least-squares", "differential-evolution", "nelder-mead", "powell")
# The square root of the machine's precision, the usual relative step of a forward difference.
_STEP = float(np.sqrt(np.finfo(float).eps))
# What a run that fails counts as: worse than any that does not, and still a number.
_WORST = 1e150


@dataclass(frozen=True, eq=False, repr=False)
class Calibration:
    """What a calibration found.

    Attributes
    ----------
    estimates : DataFrame
        Index `parameter`; `estimate, std_error, lower, upper` (confidence interval), `low, high` (bounds), `at_bound`.
    params : dict
        The estimates, ready for `model.run(params)`.
    fit : DataFrame
        Index `variable`; the statistics of `Model.validate`.
    covariance : DataFrame
        Covariance of the estimates, from the curvature at the optimum.
    simulated, history : DataFrame
        Both at the times of history.
    cost : float
        Half the sum of squared weighted residuals.
    converged : bool
        Whether the optimiser says so; `message` is what it says.
    n_runs : int
        Runs of the model.
    """

    estimates: pd.DataFrame
    covariance: pd.DataFrame
    fit: pd.DataFrame
    simulated: pd.DataFrame
    history: pd.DataFrame
    cost: float
    converged: bool
    message: str
    n_runs: int
    origin: dict[str, Any] = field(default_factory=dict)

    @property
    def params(self) -> dict[str, float]:
        """The estimates by name."""
        return {str(name): float(value) for name, value in self.estimates["estimate"].items()}

    def __repr__(self) -> str:
        found = ", ".join(f"{name} {value:.4g}" for name, value in self.params.items())
        return f"<Calibration: {found}; {'converged' if self.converged else 'not converged'}>"


class _Problem:
    """The weighted residuals of history as a function of the parameters, many points in one sweep."""

    def __init__(self, model: Any, frame: pd.DataFrame, names: list[str], scale: pd.Series, options: Any) -> None:
        self.model, self.frame, self.names, self.options = model, frame, names, options
        self.mask = frame.notna().to_numpy()
        self.actual = frame.to_numpy()
        self.scale = scale.to_numpy()
        self.n_runs = 0
        self.at: NDArray[np.intp] | None = None

    def simulate(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return values, shape (points, times, variables); NaN where a run failed."""
        sweep = self.model.sweep(
            pd.DataFrame(points, columns=self.names), save=list(self.frame.columns), **self.options
        )
        self.n_runs += len(points)
        if self.at is None:
            self.at = positions(sweep.times, self.frame.index.to_numpy())
        return np.stack([sweep.frame(name).to_numpy()[self.at].T for name in self.frame.columns], axis=-1)

    def residuals(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return weighted residuals, shape (points, observations)."""
        wide = (self.simulate(np.atleast_2d(points)) - self.actual) / self.scale
        picked = wide[:, self.mask]
        finite: NDArray[np.float64] = np.where(np.isfinite(picked), picked, np.sqrt(_WORST))
        return finite

    def costs(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return half the sum of squares at each point."""
        squares: NDArray[np.float64] = 0.5 * (self.residuals(points) ** 2).sum(axis=1)
        return np.minimum(squares, _WORST)

    def jacobian(self, point: NDArray[np.float64], low: Any, high: Any) -> NDArray[np.float64]:
        """Return derivatives by differences, all parameters in one sweep, inside the bounds."""
        steps = _STEP * np.maximum(np.abs(point), 1e-3 * (high - low))
        steps = np.where(point + steps > high, -steps, steps)
        rows = np.vstack([point, point + np.diag(steps)])
        found = self.residuals(rows)
        slopes: NDArray[np.float64] = ((found[1:] - found[0]) / steps[:, None]).T
        return slopes


def calibrate(
    model: Any,
    history: Any,
    parameters: Mapping[str, Any],
    *,
    method: str = "least-squares",
    weights: Mapping[str, float] | None = None,
    starts: int = 8,
    level: float = 0.95,
    seed: int = 0,
    max_iter: int = 200,
    **options: Any,
) -> Calibration:
    """Find the parameters with which the model comes nearest to history.

    Parameters
    ----------
    model
        The model.
    history
        A DataFrame: index time (or a column `time`), a column a variable; missing values are left out.
    parameters
        Bounds by name: `(low, high)` or `(low, high, start)`.
    method
        `"least-squares"` (trust region, from the best of `starts` points), `"differential-evolution"`, `"nelder-mead"`
        or `"powell"`.
    weights
        By variable; residuals are multiplied by it. As it stands, each variable's residuals are divided by its
        standard deviation in history (its mean where it does not vary), so that units do not matter.
    starts
        Points of a Latin hypercube that are tried first.
    level
        Of the confidence intervals.
    seed
        Of the starts and of differential evolution.
    max_iter
        Iterations at most.
    **options
        Further options of `Model.sweep`, such as `time`, `threads` or `method` of integration under the name
        `integrate`.

    Returns
    -------
    Calibration
        Estimates with standard errors, and the fit.

    Raises
    ------
    DataError
        If there are fewer observations than parameters, or no start gives a run that does not fail.
    SpecificationError
        If bounds are not in order.

    Notes
    -----
    Standard errors are those of non-linear least squares, `s² (JᵀJ)⁻¹`: they take residuals as independent and of equal
    variance, which residuals of a dynamic model seldom are. Read them as a lower limit.

    References
    ----------
    Branch, Coleman & Li (1999), SIAM J. Sci. Comput. 21; Oliva (2003), European J. Operational Research 151.

    Examples
    --------
    >>> import pandas as pd
    >>> from sembada import sd
    >>> model = sd.Model(
    ...     sd.Stock("x", 1, inflows=["growth"]), sd.Flow("growth", "rate * x"), sd.Parameter("rate", 0.05),
    ...     time=sd.Time(0, 4, dt=1.0),
    ... )
    >>> history = pd.DataFrame({"x": [1.0, 1.1, 1.21, 1.331]}, index=[0.0, 1.0, 2.0, 3.0])
    >>> round(model.calibrate(history, {"rate": (0.0, 0.5)}).params["rate"], 6)
    0.1
    """
    if method not in _METHODS:
        raise unknown_name("method of calibration", method, _METHODS)
    frame = history_frame(history)
    names, low, high, given = _bounds(parameters)
    n_observed = int(frame.notna().to_numpy().sum())
    if n_observed <= len(names):
        raise DataError(
            f"calibrate: {n_observed} observations for {len(names)} parameters; expected more",
            {"n_observed": n_observed, "n_parameters": len(names)},
        )
    if "integrate" in options:
        options["method"] = options.pop("integrate")
    options.setdefault("seed", seed)
    problem = _Problem(model, frame, names, _scale(frame, weights), options)
    points = low + unit_sample(max(1, starts), len(names), "lhs", seed) * (high - low)
    middle = np.where(np.isnan(given), (low + high) / 2, given)
    points = np.vstack([middle, points])
    costs = problem.costs(points)
    if costs.min() >= _WORST:
        raise DataError(
            f"calibrate: every one of {len(points)} starts gives a run that fails; narrow the bounds",
            {"n_starts": len(points)},
        )
    best = points[int(np.argmin(costs))]
    point, converged, message = _minimise(problem, method, best, low, high, seed, max_iter)
    residuals = problem.residuals(point)[0]
    jacobian = problem.jacobian(point, low, high)
    return _report(problem, names, point, low, high, residuals, jacobian, level, converged, message)


def _bounds(parameters: Mapping[str, Any]) -> tuple[list[str], Any, Any, Any]:
    if not parameters:
        raise SpecificationError("calibrate: no parameters; expected bounds by name", {})
    low, high, given = [], [], []
    for name, bounds in parameters.items():
        try:
            numbers = [float(value) for value in bounds]
        except TypeError:
            numbers = []
        good = len(numbers) in (2, 3) and np.isfinite(numbers).all() and numbers[0] < numbers[1]
        if not good or (len(numbers) == 3 and not numbers[0] <= numbers[2] <= numbers[1]):
            raise SpecificationError(
                f"calibrate: {name!r} has {bounds!r}; expected (low, high) or (low, high, start) with low < high "
                "and the start between",
                {"name": name, "bounds": repr(bounds)},
            )
        low.append(numbers[0])
        high.append(numbers[1])
        given.append(numbers[2] if len(numbers) == 3 else np.nan)
    return list(parameters), np.array(low), np.array(high), np.array(given)


def _scale(frame: pd.DataFrame, weights: Mapping[str, float] | None) -> pd.Series:
    spread = frame.std(ddof=0)
    spread = spread.where(spread > 0, frame.mean().abs())
    spread = spread.where(spread > 0, 1.0)
    if weights is not None:
        for name in weights:
            if name not in frame.columns:
                raise unknown_name("variable", name, list(frame.columns), where="weights")
        spread = pd.Series({name: 1.0 / weights[name] if name in weights else spread[name] for name in frame.columns})
    return spread


def _minimise(
    problem: _Problem, method: str, start: NDArray[np.float64], low: Any, high: Any, seed: int, max_iter: int
) -> tuple[NDArray[np.float64], bool, str]:
    def residuals(x: Any) -> Any:
        return problem.residuals(x)[0]

    def jacobian(x: Any) -> Any:
        return problem.jacobian(x, low, high)

    def cost(x: Any) -> Any:
        # differential evolution hands over all its points at once, one a column
        return problem.costs(x.T) if x.ndim == 2 else float(problem.costs(x)[0])

    found: Any
    bounds = optimize.Bounds(low, high)
    if method == "least-squares":
        inside = np.clip(start, low + 1e-9 * (high - low), high - 1e-9 * (high - low))
        tight: Any = {"xtol": 1e-12, "ftol": 1e-12, "gtol": 1e-12}
        found = optimize.least_squares(
            residuals, inside, jac=jacobian, bounds=(low, high), x_scale=high - low, max_nfev=max_iter, **tight
        )
        return found.x, bool(found.status > 0), str(found.message)
    if method == "differential-evolution":
        search: Any = optimize.differential_evolution
        found = search(
            cost,
            bounds,
            x0=start,
            vectorized=True,
            updating="deferred",
            maxiter=max_iter,
            rng=generator(seed),
            polish=False,
        )
    else:
        minimize: Any = optimize.minimize
        found = minimize(cost, start, method=method, bounds=bounds, options={"maxiter": max_iter * len(start)})
    return np.asarray(found.x), bool(found.success), str(found.message)


def _report(
    problem: _Problem,
    names: list[str],
    point: NDArray[np.float64],
    low: Any,
    high: Any,
    residuals: NDArray[np.float64],
    jacobian: NDArray[np.float64],
    level: float,
    converged: bool,
    message: str,
) -> Calibration:
    free = len(residuals) - len(names)
    variance = float((residuals**2).sum()) / free
    covariance = variance * np.linalg.pinv(jacobian.T @ jacobian)
    errors = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    # a parameter that nothing depends on has no error that could be told
    errors = np.where(np.abs(jacobian).max(axis=0) > 0, errors, np.nan)
    half = stats.t.ppf(0.5 + level / 2, free) * errors
    near = 1e-6 * (high - low)
    estimates = pd.DataFrame(
        {
            "estimate": point,
            "std_error": errors,
            "lower": point - half,
            "upper": point + half,
            "low": low,
            "high": high,
            "at_bound": (point - low < near) | (high - point < near),
        },
        index=pd.Index(names, name="parameter"),
    )
    frame = problem.frame
    simulated = pd.DataFrame(problem.simulate(point[None, :])[0], index=frame.index, columns=frame.columns)
    fit = {
        name: fit_statistics(
            simulated[name].to_numpy()[frame[name].notna().to_numpy()], frame[name].dropna().to_numpy()
        )
        for name in frame.columns
    }
    return Calibration(
        estimates=estimates,
        covariance=pd.DataFrame(covariance, index=names, columns=names),
        fit=pd.DataFrame.from_dict(fit, orient="index").rename_axis("variable"),
        simulated=simulated,
        history=frame,
        cost=0.5 * float((residuals**2).sum()),
        converged=converged,
        message=message,
        n_runs=problem.n_runs,
        origin={"model": problem.model.hash, "n_observed": len(residuals)},
    )
