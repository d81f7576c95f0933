"""PLSpredict: how well a model predicts answers that it has not seen, and the answers it predicts for new rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from sembada import _core, execution
from sembada.errors import DataError, SpecificationError
from sembada.pls import frames
from sembada.pls.crossvalidation import Outcome, cross_validate, sums_of_errors
from sembada.pls.engine import seed_key
from sembada.pls.failures import words
from sembada.pls.predictor import SOURCES, Predictor, Rows
from sembada.pls.provenance import Provenance
from sembada.pls.specification import choice
from sembada.pls.summary import Section, Summary

if TYPE_CHECKING:
    from sembada.pls.fit import Fit

__all__ = ["Prediction", "folds_of", "predict", "rows_of"]

Array = NDArray[np.float64]
AVERAGES = ("predictions", "metrics")
COMPLETIONS = ("training", "sample")
SAMPLES = ("out", "in")


@dataclass(frozen=True, eq=False, repr=False)
class Prediction:
    """Predicted answers and scores, and how far they are from the real ones.

    Parameters
    ----------
    fit
        The fit whose model was cross-validated.
    technique
        `"direct"` or `"earliest"`.
    benchmark
        What the linear benchmark regresses on.
    folds
        Fold of each row, `(n_repeats, n_obs)`.
    index
        Labels of the rows that were predicted.
    average
        What is averaged over repeats.
    provenance
        What the result was made from.
    """

    fit: Fit
    technique: str
    benchmark: str
    folds: NDArray[np.int64]
    index: pd.Index[Any]
    average: str
    provenance: Provenance
    _rows: Rows
    _held: NDArray[np.bool_]
    _base: str
    _found: dict[str, Outcome] = field(default_factory=dict)

    def __repr__(self) -> str:
        if self.is_new:
            return f"Prediction({len(self.index)} new rows, {self.technique})"
        failed = f", {self.n_failed} failed" if self.n_failed else ""
        seed = self.provenance.seed
        return f"Prediction({self.n_folds} folds, {len(self.folds)} repeats, {self.technique}{failed}, seed={seed})"

    # ---------------------------------------------------------------- numbers

    @property
    def is_new(self) -> bool:
        """Whether rows were predicted that the fit has never seen."""
        return not self._held.all()

    @property
    def n_folds(self) -> int:
        """Number of folds."""
        return int(self.folds.max()) + 1

    @property
    def status(self) -> pd.DataFrame:
        """Why each estimation ended, `"ok"` or a reason; index `repeat`, columns `fold`."""
        table = pd.DataFrame(words(self._outcome("out").status))
        return table.rename_axis(index="repeat", columns="fold")

    @property
    def n_failed(self) -> int:
        """Number of folds that could not be predicted."""
        return int(self._outcome("out").failed.sum())

    @cached_property
    def _predictor(self) -> Predictor:
        return Predictor.of(self.fit, self.technique, self.benchmark)

    def _outcome(self, sample: str) -> Outcome:
        word = choice("sample", sample, SAMPLES)
        if word == "in" and self.is_new:
            raise SpecificationError("sample='in': new rows have no predictions in the sample; predict without data")
        if word not in self._found:
            self._found[word] = cross_validate(
                self._predictor, self._rows, self.folds, average=self._base, in_sample=word == "in"
            )
        return self._found[word]

    @property
    def _columns(self) -> pd.MultiIndex:
        return self._predictor.index.copy()

    @property
    def _outcomes(self) -> pd.Index[Any]:
        return pd.Index(self._predictor.outcomes, name="construct", dtype="object")

    @cached_property
    def _actual(self) -> Array:
        rows = self._rows
        actual = rows.matrix[:, self._predictor.columns].copy()
        actual[~rows.usable] = np.nan
        return actual

    # ----------------------------------------------------------------- tables

    def indicators(self, sample: str = "out") -> pd.DataFrame:
        """Return how well each indicator of an endogenous construct is predicted.

        Parameters
        ----------
        sample
            `"out"`: rows that took no part in the estimation. `"in"`: rows that did, for comparison.

        Returns
        -------
        DataFrame
            Index `construct, indicator`; columns `q2_predict, rmse, mae, mape` of the path model, then the errors of
            the linear regression (`rmse_lm, mae_lm, mape_lm`) and of the indicator's average (`rmse_ia, …`). RMSE and
            MAE are in units of the answers, MAPE in per cent of the answer and NaN if an answer is zero.

        Notes
        -----
        `Q²_predict = 1 − Σ(y − ŷ)² / Σ(y − ȳ)²`, ȳ the mean of the training rows (Shmueli et al. 2016, eq. 1).
        """
        outcome = self._outcome(sample)
        columns: dict[str, Array] = {}
        sums = outcome.metrics
        if self.average == "predictions" and len(self.folds) > 1:
            sums = {
                source: sums_of_errors(self._actual, outcome.predictions[source], self._rows.weights)[None]
                for source in SOURCES
            }
        with np.errstate(divide="ignore", invalid="ignore"):
            columns["q2_predict"] = (1.0 - sums["pls"][:, 1] / sums["ia"][:, 1]).mean(axis=0)
            for source, suffix in zip(SOURCES, ("", "_lm", "_ia"), strict=True):
                weight, square, absolute, relative = np.moveaxis(sums[source], 1, 0)
                columns["rmse" + suffix] = np.sqrt(square / weight).mean(axis=0)
                columns["mae" + suffix] = (absolute / weight).mean(axis=0)
                columns["mape" + suffix] = (100.0 * relative / weight).mean(axis=0)
        return pd.DataFrame(np.column_stack(list(columns.values())), index=self._columns, columns=list(columns))

    def constructs(self, sample: str = "out") -> pd.DataFrame:
        """Return how well the scores of each endogenous construct are predicted.

        Parameters
        ----------
        sample
            As in `indicators`.

        Returns
        -------
        DataFrame
            Index `construct`; columns `q2_predict, rmse, mae`. The real score of a row is its answers with the
            training rows' weights, means and standard deviations; the benchmark of Q² is their mean, zero.
        """
        outcome = self._outcome(sample)
        sums = outcome.score_metrics
        if self.average == "predictions" and len(self.folds) > 1:
            predicted, actual = outcome.scores
            sums = sums_of_errors(actual, predicted, self._rows.weights)[None]
            sums[:, 3] = sums_of_errors(actual, np.where(np.isnan(predicted), np.nan, 0.0), self._rows.weights)[1]
        weight, square, absolute, spread = np.moveaxis(sums, 1, 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            columns = {
                "q2_predict": (1.0 - square / spread).mean(axis=0),
                "rmse": np.sqrt(square / weight).mean(axis=0),
                "mae": (absolute / weight).mean(axis=0),
            }
        return pd.DataFrame(columns, index=self._outcomes)

    def power(self, metric: str = "rmse") -> pd.DataFrame:
        """Return the predictive power of the model for each endogenous construct.

        Parameters
        ----------
        metric
            `"rmse"`, or `"mae"` for errors that are far from symmetric.

        Returns
        -------
        DataFrame
            Index `construct`; columns `n_indicators`, `n_positive` (Q²_predict above zero), `n_better` (smaller error
            than the linear regression) and `power`: `"high"` if all indicators are better, `"medium"` if at least
            half, `"low"` if fewer, `"none"` if none (Shmueli et al. 2019, EJM 53, fig. 2).
        """
        word = choice("metric", metric, ("rmse", "mae"))
        table = self.indicators()
        better = (table[word] < table[f"{word}_lm"]).groupby(level="construct", sort=False).sum()
        positive = (table["q2_predict"] > 0).groupby(level="construct", sort=False).sum()
        count = table.groupby(level="construct", sort=False).size()
        words = [
            "high" if good == all_ else "medium" if 2 * good >= all_ else "low" if good else "none"
            for good, all_ in zip(better, count, strict=True)
        ]
        return pd.DataFrame({"n_indicators": count, "n_positive": positive, "n_better": better, "power": words})

    def predictions(self, source: str = "pls", sample: str = "out") -> pd.DataFrame:
        """Return predicted answers.

        Parameters
        ----------
        source
            `"pls"`, `"lm"` (linear regression) or `"ia"` (average of the indicator).
        sample
            As in `indicators`.

        Returns
        -------
        DataFrame
            A row for each predicted row of the data, columns `construct, indicator`; in units of the answers, the
            mean over repeats. NaN where a row was left out or its fold failed.
        """
        values = self._outcome(sample).predictions[choice("source", source, SOURCES)]
        return pd.DataFrame(values[self._held], index=self.index, columns=self._columns)

    def errors(self, source: str = "pls", sample: str = "out") -> pd.DataFrame:
        """Return answers less predicted answers; shaped as `predictions`."""
        table = self.predictions(source, sample)
        return pd.DataFrame(self._actual[self._held] - table.to_numpy(), index=table.index, columns=table.columns)

    def scores(self, which: str = "predicted", sample: str = "out") -> pd.DataFrame:
        """Return scores of the endogenous constructs.

        Parameters
        ----------
        which
            `"predicted"`, or `"actual"`: from the row's own answers with the weights of the training rows.
        sample
            As in `indicators`.
        """
        position = ("predicted", "actual").index(choice("which", which, ("predicted", "actual")))
        values = self._outcome(sample).scores[position]
        return pd.DataFrame(values[self._held], index=self.index, columns=self._outcomes.copy())

    def summary(self) -> Summary:
        """Return the main tables as one report that renders as text, HTML and LaTeX."""
        rows = f"{len(self.index)} new" if self.is_new else f"{len(self.index)}, each predicted by the other folds"
        facts = [("rows", rows), ("technique", self.technique), ("linear benchmark", self.benchmark)]
        if not self.is_new:
            facts.append(("folds", f"{self.n_folds}, {len(self.folds)} repeats, {self.n_failed} failed"))
        return Summary(
            "Prediction",
            tuple(facts),
            (
                Section("Indicators", self.indicators()),
                Section("Constructs", self.constructs()),
                Section("Predictive power", self.power()),
            ),
            ("_lm: linear regression; _ia: average of the indicator. MAPE in per cent.",),
        )

    def losses(self, source: str = "pls") -> pd.DataFrame:
        """Return each row's loss: the mean squared error over the indicators of a construct, mean over repeats.

        Parameters
        ----------
        source
            As in `predictions`.

        Returns
        -------
        DataFrame
            A row for each row of the data, a column for each endogenous construct.
        """
        values = self._outcome("out").losses[choice("source", source, SOURCES)]
        return pd.DataFrame(values[self._held], index=self.index, columns=self._outcomes.copy())


def rows_of(fit: Fit, completion: str) -> Rows:
    """Return the rows of a fit; missing answers completed from the whole sample if `completion` says so."""
    table = fit._table
    matrix = table.matrix
    missing = fit._preparation.for_engine
    weights = np.ones(len(matrix)) if table.weights is None else table.weights
    if choice("completion", completion, COMPLETIONS) == "sample" and missing == "mean":
        known = ~np.isnan(matrix)
        w = weights[:, None] * known
        means = (w * np.where(known, matrix, 0.0)).sum(axis=0) / w.sum(axis=0)
        matrix = np.where(known, matrix, means)
    return Rows(matrix, weights, missing)


def folds_of(
    folds: int | ArrayLike, repeats: int, seed: int | None, n_obs: int
) -> tuple[NDArray[np.int64], int | None]:
    """Return the fold of each row `(n_repeats, n_obs)` and the seed that made them.

    Rows are shuffled, then cut into runs whose lengths differ by one at most.
    """
    if isinstance(folds, (int, np.integer)) and not isinstance(folds, bool):
        if not 2 <= folds <= n_obs:
            raise SpecificationError(
                f"folds={folds}: expected a number from 2 to the {n_obs} rows (which leaves one row out at a time)",
                {"folds": int(folds), "n_obs": n_obs},
            )
        if isinstance(repeats, bool) or not isinstance(repeats, (int, np.integer)) or repeats < 1:
            raise SpecificationError(f"repeats={repeats!r}: expected a positive whole number", {"repeats": repeats})
        used, key = seed_key(seed)
        # Leaving out one row at a time is the same in every order.
        repeats = 1 if folds == n_obs else int(repeats)
        orders = _core.philox_permutations(key, 0, repeats, n_obs)
        run = (np.arange(n_obs, dtype=np.int64) * int(folds)) // n_obs
        result = np.empty((repeats, n_obs), dtype=np.int64)
        np.put_along_axis(result, orders.astype(np.int64), np.broadcast_to(run, result.shape), axis=1)
        return result, used
    given = np.asarray(folds)
    if given.ndim == 1:
        given = given[None]
    if given.ndim != 2 or given.shape[1] != n_obs or not np.issubdtype(given.dtype, np.integer):
        raise DataError(
            f"folds have the shape {np.shape(folds)} and type {given.dtype}: expected a number of folds, or whole "
            f"numbers ({n_obs},) or (n_repeats, {n_obs}), one fold a row",
            {"shape": np.shape(folds), "n_obs": n_obs},
        )
    result = np.empty(given.shape, dtype=np.int64)
    for repeat, row in enumerate(given):
        names, result[repeat] = np.unique(row, return_inverse=True)
        if len(names) < 2:
            raise DataError(
                f"folds[{repeat}] puts all rows into one fold: expected two folds or more", {"repeat": repeat}
            )
    return result, None


def predict(
    fit: Fit,
    data: Any,
    *,
    folds: int | ArrayLike,
    repeats: int,
    seed: int | None,
    technique: str,
    benchmark: str,
    average: str,
    baseline: str,
    completion: str,
    threads: int | None,
    progress: bool | Callable[[int, int], object],
) -> Prediction:
    """Predict rows that took no part in the estimation; see `Fit.predict`."""
    predictor = Predictor.of(fit, technique, benchmark)
    benchmark = predictor.benchmark
    threads = execution.check_threads(threads)
    choice("average", average, AVERAGES)
    choice("baseline", baseline, COMPLETIONS)
    rows = rows_of(fit, completion)
    index = fit._table.index
    used: int | None = None
    if data is not None:
        rows, of_row, index = _new_rows(fit, predictor, rows, data)
        held = of_row[0] == 0
    else:
        of_row, used = folds_of(folds, repeats, seed, len(rows.matrix))
        held = np.ones(len(rows.matrix), dtype=bool)
    with execution.reporter(progress, int((of_row.max(axis=1) + 1).sum()), "folds") as report:
        outcome = cross_validate(predictor, rows, of_row, average=baseline, threads=threads, report=report)
    provenance = fit.provenance.with_facts(
        seed=used,
        options={
            **fit.provenance.options,
            "consistent": False,
            "technique": technique,
            "benchmark": benchmark,
            "average": average,
            "baseline": baseline,
            "completion": completion,
            "folds": int(of_row.max()) + 1,
            "repeats": len(of_row),
        },
    )
    return Prediction(
        fit, technique, benchmark, of_row, index, average, provenance, rows, held, baseline, {"out": outcome}
    )


def _new_rows(fit: Fit, predictor: Predictor, rows: Rows, data: Any) -> tuple[Rows, NDArray[np.int64], pd.Index[Any]]:
    """Put new rows under the rows of the fit, to be predicted as the only fold."""
    columns = fit._table.columns
    known = [str(name) for name in frames.names_of(data)]
    needed = predictor.needed_columns()
    absent = [name for name in columns if name not in known and name not in needed]
    table = frames.read(
        data,
        [name for name in columns if name not in absent],
        missing_value=fit.provenance.options["missing_value"],
        warn=False,
    )
    matrix = np.full((table.n_obs, len(columns)), np.nan)
    for position, name in enumerate(table.columns):
        matrix[:, columns.index(name)] = table.matrix[:, position]
    if not table.n_obs:
        raise DataError("the new data has no rows", {"rows": 0})
    gaps = np.isnan(matrix)
    if fit._preparation.missing == "error":
        bad = np.argwhere(gaps & np.isin(columns, sorted(needed)))
        if len(bad):
            row, column = bad[0]
            raise DataError(
                f"column {columns[column]!r} of the new data has no value in row {row}: fit the model with "
                "missing='mean', or complete the answer",
                {"column": columns[column], "row": int(row)},
            )
    # Rows to train on have been checked; an answer that is only compared with its prediction may be absent.
    completed = predictor.prepare is not None
    missing = "mean" if rows.missing in {"error", "listwise"} and not completed else rows.missing
    training = rows.matrix
    weights = np.where(rows.usable, rows.weights, 0.0)
    if rows.missing == "listwise":
        training = np.where(rows.usable[:, None], training, np.nan_to_num(training))
    whole = np.vstack([training, matrix])
    of_row = np.concatenate([np.full(len(training), -1), np.zeros(len(matrix), dtype=np.int64)])[None]
    joined = Rows(whole, np.concatenate([weights, np.ones(len(matrix))]), missing)
    return joined, of_row.astype(np.int64), table.index
