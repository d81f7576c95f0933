"""The cross-validated predictive ability test: whether one model predicts better than another, or than a benchmark."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from sembada import _core
from sembada.errors import DataError, SpecificationError
from sembada.pls.engine import seed_key
from sembada.pls.intervals import check_level
from sembada.pls.prediction import Prediction
from sembada.pls.specification import choice

if TYPE_CHECKING:
    from sembada.pls.fit import Fit

__all__ = ["cvpat"]

Array = NDArray[np.float64]
OVERALL = ("constructs", "indicators")


def cvpat(
    model: Fit | Prediction,
    other: Fit | Prediction | None = None,
    *,
    against: Sequence[str] = ("ia", "lm"),
    folds: int | ArrayLike = 10,
    repeats: int = 1,
    seed: int | None = None,
    technique: str = "direct",
    benchmark: str = "matched",
    baseline: str = "training",
    completion: str = "training",
    overall: str = "constructs",
    test: str = "t",
    n: int = 2_000,
    tails: int = 2,
    level: float = 0.95,
    threads: int | None = None,
) -> pd.DataFrame:
    """Test whether a model predicts better than benchmarks, or than another model (CVPAT).

    Parameters
    ----------
    model
        A fit, which is cross-validated, or a `Prediction` made before.
    other
        A fit or prediction of a rival model on the same rows; the folds are the same for both fits.
    against
        Without `other`: the benchmarks, `"ia"` (average of the indicator) and `"lm"` (linear regression).
    folds, repeats, seed, technique, benchmark, baseline, completion
        As in `Fit.predict`, for fits. A row's loss is its mean over repeats.
    overall
        What `"Overall"` weighs equally: `"constructs"` (as seminrExtras does) or `"indicators"`.
    test
        `"t"` (paired t-test over rows) or `"bootstrap"` (standard error of the mean difference from resampled rows).
    n
        Number of resamples for `"bootstrap"`.
    tails
        2, or 1: the alternative is then that `model` has the smaller loss.
    level
        Confidence level of the limits of the difference.
    threads
        Number of threads; all processors by default. The results do not depend on it.

    Returns
    -------
    DataFrame
        Index `against, construct`, or `construct` with `other`; the last row is `Overall`. Columns `loss` (mean
        squared error of the indicators, in squared units of the answers), `loss_other`, `difference` (the other's
        loss less the model's: above zero the model predicts better), `t, df, p, lower, upper`.

    Raises
    ------
    DataError
        If the two models were not estimated from the same number of rows.
    SpecificationError
        If the models share no endogenous construct, or an option is not known.

    Notes
    -----
    Liengaard, Sharma, Hult, Jensen, Sarstedt, Hair & Ringle (2021), Decision Sciences 52, 362–392; Sharma, Liengaard,
    Hair, Sarstedt & Ringle (2023), EJM 57, 1662–1677 (benchmarks).

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from sembada import pls
    >>> rng = np.random.default_rng(1)
    >>> x = rng.normal(size=100)
    >>> y = 0.7 * x + 0.7 * rng.normal(size=100)
    >>> frame = pd.DataFrame({"x1": x, "x2": x + rng.normal(size=100), "y1": y, "y2": y + rng.normal(size=100)})
    >>> table = pls.cvpat(pls.Model("X =~ x1 + x2 ; Y =~ y1 + y2 ; Y ~ X").fit(frame), seed=1)
    >>> bool(table.loc[("ia", "Overall"), "p"] < 0.05)
    True
    """
    choice("overall", overall, OVERALL)
    choice("test", test, ("t", "bootstrap"))
    check_level(level, tails)
    used, key = seed_key(seed)
    options: dict[str, Any] = {
        "technique": technique,
        "benchmark": benchmark,
        "baseline": baseline,
        "completion": completion,
        "threads": threads,
    }
    first = (
        model if isinstance(model, Prediction) else model.predict(folds=folds, repeats=repeats, seed=used, **options)
    )

    def table_of(own: pd.DataFrame, rival: pd.DataFrame) -> pd.DataFrame:
        return _tests(own, rival, test=test, n=n, key=key, tails=tails, level=level)

    if other is None:
        words = [choice("against", word, ("ia", "lm")) for word in ([against] if isinstance(against, str) else against)]
        tables = {word: table_of(*(_losses(first, source, overall) for source in ("pls", word))) for word in words}
        return pd.concat(tables, names=["against"])
    second = other if isinstance(other, Prediction) else other.predict(folds=first.folds, **options)
    if len(first.index) != len(second.index):
        raise DataError(
            f"the models were estimated from {len(first.index)} and {len(second.index)} rows: fit both to the same "
            "data",
            {"rows": (len(first.index), len(second.index))},
        )
    common = [name for name in first._predictor.outcomes if name in second._predictor.outcomes]
    if not common:
        raise SpecificationError(
            "the models share no endogenous construct, so their losses cannot be compared: "
            f"{', '.join(first._predictor.outcomes)} and {', '.join(second._predictor.outcomes)}"
        )
    own, rival = (_losses(item, "pls", overall, common) for item in (first, second))
    return table_of(own, rival)


def _losses(prediction: Prediction, source: str, overall: str, names: Sequence[str] | None = None) -> pd.DataFrame:
    table = prediction.losses(source)
    if names is not None:
        table = table[list(names)]
    if overall == "constructs":
        whole = table.mean(axis=1, skipna=False)
    else:
        counts = prediction._predictor.counts()
        whole = table.mul([float(counts[name]) for name in table.columns]).sum(axis=1, skipna=False)
        whole = whole / sum(counts[name] for name in table.columns)
    return table.assign(Overall=whole)


def _tests(
    own: pd.DataFrame, rival: pd.DataFrame, *, test: str, n: int, key: Any, tails: int, level: float
) -> pd.DataFrame:
    """Test the differences of two tables of losses column by column."""
    left, right = own.to_numpy(), rival.to_numpy()
    # A row that one construct lacks has no overall loss either: each column keeps the rows it has.
    known = ~np.isnan(left) & ~np.isnan(right)
    count = known.sum(axis=0)
    size = np.maximum(count, 1)
    difference = np.where(known, right - left, 0.0)
    mean = np.where(count > 0, difference.sum(axis=0) / size, np.nan)
    square = np.where(known, (difference - mean) ** 2, 0.0).sum(axis=0)
    error = np.where(count > 1, np.sqrt(square / np.maximum(count - 1, 1) / size), np.nan)
    if test == "bootstrap":
        for column in range(len(mean)):
            if known[:, column].all():
                continue
            part = np.ascontiguousarray(difference[known[:, column], column][None])
            error[column] = _core.philox_bootstrap_means(key, part, n).std(ddof=1) if count[column] > 1 else np.nan
        whole = known.all(axis=0)
        if whole.any() and len(left) > 1:
            draws = _core.philox_bootstrap_means(key, np.ascontiguousarray(difference[:, whole].T), n)
            error[whole] = draws.std(axis=0, ddof=1)
    df = count - 1.0
    with np.errstate(divide="ignore", invalid="ignore"):
        # Two models that predict alike differ by rounding only.
        t = np.where(error > 1e-13 * np.maximum(1.0, np.abs(mean)), mean / error, np.nan)
        width = stats.t.isf((1.0 - level) / 2, df) * error
        columns = {
            "loss": np.where(known, left, 0.0).sum(axis=0) / np.where(count > 0, count, np.nan),
            "loss_other": np.where(known, right, 0.0).sum(axis=0) / np.where(count > 0, count, np.nan),
            "difference": mean,
            "t": t,
            "df": df,
            "p": stats.t.sf(np.abs(t), df) * 2 if tails == 2 else stats.t.sf(t, df),
            "lower": mean - width,
            "upper": mean + width,
        }
    return pd.DataFrame(columns, index=pd.Index(own.columns, name="construct", dtype="object"))
