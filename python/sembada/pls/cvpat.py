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
    benchmark: str = "exogenous",
    baseline: str = "training",
    completion: str = "training",
    overall: str = "constructs",
    test: str = "t",
    n: int = 2_000,
    tails: int = 2,
    level: float = 0.95,
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
    if tails not in (1, 2):
        raise SpecificationError(f"tails={tails!r}: expected 1 or 2", {"tails": tails})
    if not isinstance(level, (int, float)) or not 0 < level < 1:
        raise SpecificationError(f"level={level!r}: expected a number between 0 and 1, such as 0.95", {"level": level})
    used, key = seed_key(seed)
    options: dict[str, Any] = {
        "technique": technique,
        "benchmark": benchmark,
        "baseline": baseline,
        "completion": completion,
    }
    first = (
        model if isinstance(model, Prediction) else model.predict(folds=folds, repeats=repeats, seed=used, **options)
    )

    def test_of(own: Array, rival: Array) -> dict[str, float]:
        return _test(own, rival, test=test, n=n, key=key, tails=tails, level=level)

    if other is None:
        words = [choice("against", word, ("ia", "lm")) for word in ([against] if isinstance(against, str) else against)]
        rows: dict[tuple[str, str], dict[str, float]] = {}
        for word in words:
            own, rival = (_losses(first, source, overall) for source in ("pls", word))
            for name in own.columns:
                rows[word, name] = test_of(own[name].to_numpy(), rival[name].to_numpy())
        table = pd.DataFrame.from_dict(rows, orient="index")
        table.index = pd.MultiIndex.from_tuples(rows, names=["against", "construct"])
        return table
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
    table = pd.DataFrame.from_dict(
        {name: test_of(own[name].to_numpy(), rival[name].to_numpy()) for name in own.columns}, orient="index"
    )
    return table.rename_axis(index="construct")


def _losses(prediction: Prediction, source: str, overall: str, names: Sequence[str] | None = None) -> pd.DataFrame:
    table = prediction.losses(source)
    if names is not None:
        table = table[list(names)]
    if overall == "constructs":
        whole = table.mean(axis=1)
    else:
        counts = prediction._predictor.counts()
        whole = table.mul([float(counts[name]) for name in table.columns]).sum(axis=1, skipna=False)
        whole = whole / sum(counts[name] for name in table.columns)
    return table.assign(Overall=whole)


def _test(own: Array, rival: Array, *, test: str, n: int, key: Any, tails: int, level: float) -> dict[str, float]:
    known = ~np.isnan(own) & ~np.isnan(rival)
    difference = (rival - own)[known]
    count = len(difference)
    mean = float(difference.mean()) if count else np.nan
    error = np.nan
    if count > 1:
        error = float(difference.std(ddof=1) / np.sqrt(count))
        if test == "bootstrap":
            means = np.empty(n)
            for replicate in range(n):
                means[replicate] = difference[_core.philox_index(key, [0, 0, replicate, 0], count, count)].mean()
            error = float(means.std(ddof=1))
    df = float(count - 1)
    # Two models that predict alike differ by rounding only.
    constant = not error > 1e-13 * max(1.0, abs(mean))
    t = np.nan if constant else mean / error
    p = float(stats.t.sf(abs(t), df) * 2) if tails == 2 else float(stats.t.sf(t, df))
    width = float(stats.t.isf((1.0 - level) / 2, df)) * error if count > 1 else np.nan
    return {
        "loss": float(own[known].mean()) if count else np.nan,
        "loss_other": float(rival[known].mean()) if count else np.nan,
        "difference": mean,
        "t": float(t),
        "df": df,
        "p": p,
        "lower": mean - width,
        "upper": mean + width,
    }
