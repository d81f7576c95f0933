"""How well a run reproduces history."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sembada.errors import DataError

__all__ = ["E1_LIMIT", "E2_LIMIT", "fit_statistics", "history_frame", "validate"]

# Barlas (1996), as theses cite it: the mean within 5 percent, the amplitude within 30.
E1_LIMIT = 0.05
E2_LIMIT = 0.30
# Where history moves less than this share of its mean, its amplitude is mostly noise.
FLAT = 0.05


def history_frame(history: Any) -> pd.DataFrame:
    """Take history as a frame: index time, a column a variable.

    Raises
    ------
    DataError
        If it is no frame of numbers over times.
    """
    if isinstance(history, pd.Series):
        history = history.to_frame()
    elif isinstance(history, Mapping):
        history = pd.DataFrame({name: pd.Series(series) for name, series in history.items()})
    elif not isinstance(history, pd.DataFrame):
        try:
            import narwhals as nw

            history = nw.from_native(history, eager_only=True).to_pandas()
        except TypeError:
            raise DataError(
                f"history: {type(history).__name__} is no table; expected a DataFrame with times as its index (or a "
                "column `time`) and a column a variable",
                {"type": type(history).__name__},
            ) from None
    frame: pd.DataFrame = history
    timed = [name for name in frame.columns if str(name).strip().lower() == "time"]
    if timed:
        frame = frame.set_index(timed[0])
    try:
        values = frame.to_numpy(dtype=float, na_value=np.nan)
        times = frame.index.to_numpy(dtype=float)
    except (TypeError, ValueError) as error:
        raise DataError(f"history: times and values must be numbers ({error})", {}) from error
    if not len(times):
        raise DataError("history: it has no rows", {})
    return pd.DataFrame(values, index=pd.Index(times, name="time"), columns=[str(name) for name in frame.columns])


def fit_statistics(simulated: NDArray[np.float64], actual: NDArray[np.float64]) -> dict[str, float]:
    """Compare two series of the same times.

    Parameters
    ----------
    simulated, actual
        Values, shape (times,).

    Returns
    -------
    dict
        `n` points; `e1`: error of means |mean S − mean A| / |mean A|; `e2`: error of amplitudes |s_S − s_A| / s_A
        (Barlas); `mae`, `rmse`; `mape`: mean |S − A| / |A|; `rmspe`: root mean ((S − A) / A)²; `theil_u`: Theil's
        inequality coefficient; `um`, `us`, `uc`: shares of the mean squared error from unequal means, unequal variation
        and unequal covariation (their sum is one); `r2`: squared correlation.

    Notes
    -----
    Means and amplitudes with n − 1, Theil's shares with n. A share is NaN where the fit is exact, a percentage where
    history has a zero.

    References
    ----------
    Barlas (1996), System Dynamics Review 12(3); Sterman (1984), Dynamica 10; Theil (1966), Applied Economic
    Forecasting.

    Examples
    --------
    >>> import numpy as np
    >>> facts = fit_statistics(np.array([1.0, 2.0, 4.0]), np.array([1.0, 2.0, 3.0]))
    >>> round(facts["um"] + facts["us"] + facts["uc"], 12)
    1.0
    """
    s, a = simulated, actual
    n = len(a)
    error = s - a
    with np.errstate(divide="ignore", invalid="ignore"):
        mse = float(np.mean(error**2))
        # population moments: the shares of the mean squared error then add up to one
        sd_s, sd_a = float(np.std(s)), float(np.std(a))
        covariance = float(np.mean((s - s.mean()) * (a - a.mean())))
        r = covariance / (sd_s * sd_a) if sd_s > 0 and sd_a > 0 else np.nan
        # where one series is constant, s_S s_A (1 − r) is zero whatever r
        uneven = 2 * (sd_s * sd_a - covariance)
        relative = np.where(a != 0, error / np.where(a != 0, a, 1.0), np.nan)
        amplitude = float(np.std(a, ddof=1)) if n > 1 else np.nan
        scale = float(np.sqrt(np.mean(s**2)) + np.sqrt(np.mean(a**2)))
        return {
            "n": float(n),
            "e1": abs(float(s.mean() - a.mean())) / abs(float(a.mean())) if a.mean() != 0 else np.nan,
            "e2": abs(float(np.std(s, ddof=1)) - amplitude) / amplitude if n > 1 and amplitude > 0 else np.nan,
            "mae": float(np.mean(np.abs(error))),
            "rmse": float(np.sqrt(mse)),
            "mape": float(np.mean(np.abs(relative))),
            "rmspe": float(np.sqrt(np.mean(relative**2))),
            "theil_u": float(np.sqrt(mse)) / scale if scale > 0 else np.nan,
            "um": float(s.mean() - a.mean()) ** 2 / mse if mse > 0 else np.nan,
            "us": (sd_s - sd_a) ** 2 / mse if mse > 0 else np.nan,
            "uc": uneven / mse if mse > 0 else np.nan,
            "r2": r**2,
        }


def validate(model: Any, history: Any, params: Mapping[str, Any] | None = None, **options: Any) -> pd.DataFrame:
    """Compare a run of a model with history.

    Parameters
    ----------
    model
        The model.
    history
        A DataFrame: index time (or a column `time`), a column a variable; missing values are left out.
    params
        Parameters of the run.
    **options
        Further options of `Model.run`.

    Returns
    -------
    DataFrame
        Index `variable`; the columns of `fit_statistics`, then `e1_valid` (at most 5 %), `e2_valid` (at most 30 %) and
        `note`: for a series that hardly moves, E2 measures the noise in history more than the model.

    Raises
    ------
    DataError
        If history has a time outside the run, or fewer than two points of a variable.
    UnknownNameError
        If history has a variable that the model lacks.

    Examples
    --------
    >>> import pandas as pd
    >>> from sembada import sd
    >>> decay = sd.Model(
    ...     sd.Stock("x", 100, outflows=["out"]), sd.Flow("out", "0.1 * x"), time=sd.Time(0, 5, dt=1.0)
    ... )
    >>> history = pd.DataFrame({"x": [100.0, 91.0, 80.0]}, index=[0.0, 1.0, 2.0])
    >>> bool(decay.validate(history).loc["x", "e1_valid"])
    True
    """
    frame = history_frame(history)
    simulated = simulate_at(model, frame, params, **options)
    rows: dict[str, dict[str, Any]] = {}
    for name in frame.columns:
        good = frame[name].notna().to_numpy()
        if good.sum() < 2:
            raise DataError(
                f"history: {name!r} has {int(good.sum())} values; expected at least two", {"variable": name}
            )
        actual = frame[name].to_numpy()[good]
        facts: dict[str, Any] = fit_statistics(simulated[name].to_numpy()[good], actual)
        facts["n"] = int(facts["n"])
        facts["e1_valid"] = bool(facts["e1"] <= E1_LIMIT)
        facts["e2_valid"] = bool(facts["e2"] <= E2_LIMIT)
        flat = abs(actual.mean()) > 0 and np.std(actual, ddof=1) / abs(actual.mean()) < FLAT
        facts["note"] = "history hardly moves: e2 measures its noise" if flat else ""
        rows[model.variables.written(name) if name in model.variables else name] = facts
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("variable")


def simulate_at(model: Any, frame: pd.DataFrame, params: Mapping[str, Any] | None, **options: Any) -> pd.DataFrame:
    """Run a model and return the variables of history at the times of history."""
    run = model.run(params, save=list(frame.columns), **options)
    at = positions(run.times, frame.index.to_numpy())
    return pd.DataFrame({name: run[name].to_numpy()[at] for name in frame.columns}, index=frame.index)


def positions(times: NDArray[np.float64], wanted: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return where times of history stand among the saved times.

    Raises
    ------
    DataError
        If one is not among them.
    """
    at = np.clip(np.searchsorted(times, wanted - 1e-6 * np.maximum(1.0, np.abs(wanted))), 0, len(times) - 1)
    off = np.abs(times[at] - wanted) > 1e-6 * np.maximum(1.0, np.abs(wanted))
    if off.any():
        first = float(wanted[off][0])
        raise DataError(
            f"history: time {first:g} is not saved by the run, which saves {times[0]:g} to {times[-1]:g}"
            + (f" every {times[1] - times[0]:g}" if len(times) > 1 else "")
            + "; change the times of the run (time={'save_step': …}) or of history",
            {"time": first},
        )
    return at
