"""Cross-validation: what PLSpredict, CVPAT and new data share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sembada import _core
from sembada.pls.predictor import SOURCES, Predictor, Rows

__all__ = ["Outcome", "cross_validate", "step_by_step", "sums_of_errors"]

Array = NDArray[np.float64]


@dataclass
class Outcome:
    """What a cross-validation found.

    Parameters
    ----------
    predictions
        Mean over repeats of each row's predicted answers, by source `(n_obs, n_targets)`.
    scores
        Mean over repeats of predicted and actual scores, `(n_obs, n_outcomes)` each.
    metrics
        By repeat: sums over rows of weights, squared, absolute and relative absolute errors, `(n_repeats, 4,
        n_targets)`, by source.
    score_metrics
        The same of the scores, `(n_repeats, 4, n_outcomes)`: weights, squared and absolute errors, squared scores.
    losses
        Mean over repeats of each row's mean squared error of a construct's indicators, by source.
    status
        Status codes `(n_repeats, n_folds)`.
    failed
        Which of them gave no predictions.
    """

    predictions: dict[str, Array]
    scores: tuple[Array, Array]
    metrics: dict[str, Array]
    score_metrics: Array
    losses: dict[str, Array]
    status: NDArray[np.int32]
    failed: NDArray[np.bool_]


def sums_of_errors(actual: Array, predicted: Array, weights: Array) -> Array:
    """Return sums of weights, squared, absolute and relative absolute errors `(4, n_targets)`; NaN errors are left out.

    A relative error needs an answer other than zero: its sum is NaN where one is zero.
    """
    error = actual - predicted
    known = ~np.isnan(error)
    w = weights[:, None] * known
    error = np.where(known, error, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = np.where(known, np.abs(error) / np.abs(actual), 0.0)
    share = (w * relative).sum(axis=0)
    share = np.where(np.isfinite(share), share, np.nan)
    return np.stack([w.sum(axis=0), (w * error**2).sum(axis=0), (w * np.abs(error)).sum(axis=0), share])


def row_losses(actual: Array, predicted: Array, owners: NDArray[np.intp], n_outcomes: int) -> Array:
    """Return the mean squared error of each row over the indicators of each construct `(n_obs, n_outcomes)`."""
    square = (actual - predicted) ** 2
    known = ~np.isnan(square)
    result = np.full((len(actual), n_outcomes), np.nan)
    for position in range(n_outcomes):
        part = owners == position
        count = known[:, part].sum(axis=1)
        total = np.where(known[:, part], square[:, part], 0.0).sum(axis=1)
        result[:, position] = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return result


class _Mean:
    """A mean that grows, without NaN."""

    def __init__(self, rows: int, columns: int) -> None:
        self.total, self.count = np.zeros((rows, columns)), np.zeros((rows, columns))

    def add(self, which: NDArray[np.bool_], values: Array) -> None:
        known = ~np.isnan(values)
        self.total[which] += np.where(known, values, 0.0)
        self.count[which] += known

    @property
    def value(self) -> Array:
        return np.where(self.count > 0, self.total / np.maximum(self.count, 1.0), np.nan)


def cross_validate(
    predictor: Predictor,
    rows: Rows,
    folds: NDArray[np.int64],
    *,
    average: str,
    in_sample: bool = False,
    threads: int | None = None,
    report: Callable[[int, int], object] | None = None,
) -> Outcome:
    """Predict each fold from the others.

    Parameters
    ----------
    predictor
        The model.
    rows
        All rows.
    folds
        Fold of each row `(n_repeats, n_obs)`, from zero; rows with a negative fold are trained on and not predicted.
    average
        What the average benchmark takes: `"training"` (the mean of the training rows) or `"sample"`.
    in_sample
        Predict the rows trained on instead: the mean over the folds that a row was trained in.
    threads
        Number of threads.
    report
        Called with (done, all).

    Raises
    ------
    SembadaError
        If no fold can be estimated: the reason of the first.
    """
    if predictor.is_plain(rows):
        found = _core.pls_cross_validate(
            predictor.system.engine,
            rows.matrix,
            folds,
            **predictor.plain,
            whole=average != "training",
            in_sample=in_sample,
            weights=rows.weights,
            missing=rows.missing,
            threads=threads,
            progress=report,
            kernel=predictor.kernel,
        )
        outcome = Outcome(**found)
    else:
        outcome = step_by_step(predictor, rows, folds, average=average, in_sample=in_sample, report=report)
    if outcome.failed.all() and outcome.failed.size:
        predictor.train(rows, folds[0] != 0, strict=True)
    return outcome


def step_by_step(
    predictor: Predictor,
    rows: Rows,
    folds: NDArray[np.int64],
    *,
    average: str,
    in_sample: bool = False,
    report: Callable[[int, int], object] | None = None,
) -> Outcome:
    """Do what `cross_validate` does, one fold after the other.

    For two-stage least squares, and for missing answers that are completed by regression or EM or taken in pairs.
    """
    n, q, j = len(rows.matrix), len(predictor.columns), len(predictor.outcomes)
    actual = rows.matrix[:, predictor.columns].copy()
    actual[~rows.usable] = np.nan
    sources: dict[str, list[Array]] = {source: [] for source in SOURCES}
    losses = {source: _Mean(n, j) for source in SOURCES}
    means = {source: _Mean(n, q) for source in SOURCES}
    score_means = (_Mean(n, j), _Mean(n, j))
    score_metrics = []
    counts = folds.max(axis=1) + 1
    status = np.zeros((len(folds), int(counts.max())), dtype=np.int32)
    failed = np.zeros(status.shape, dtype=bool)
    done, total = 0, int(counts.sum())
    whole = _weighted_mean(rows.matrix, rows.weights * rows.usable)
    everyone = np.ones(n, dtype=bool)
    for repeat, of_row in enumerate(folds):
        own = {source: _Mean(n, q) for source in SOURCES}
        scores = (_Mean(n, j), _Mean(n, j))
        for fold in range(int(counts[repeat])):
            keep = of_row != fold
            which = keep if in_sample else ~keep
            trained = predictor.train(rows, keep)
            status[repeat, fold] = trained.status
            failed[repeat, fold] = np.isnan(trained.slopes).all()
            predicted, real = trained.constructs(which)
            scores[0].add(which, predicted)
            scores[1].add(which, real)
            own["pls"].add(which, trained.indicators(predicted))
            training = _weighted_mean(rows.matrix, rows.weights * keep * rows.usable)
            own["lm"].add(which, predictor.regress(rows, keep, training, trained.matrix)(which))
            base = (training if average == "training" else whole)[predictor.columns]
            own["ia"].add(which, np.broadcast_to(base, (int(which.sum()), q)))
            done += 1
            if report is not None:
                report(done, total)
        for source in SOURCES:
            value = own[source].value
            sources[source].append(sums_of_errors(actual, value, rows.weights))
            losses[source].add(everyone, row_losses(actual, value, predictor.owners, j))
            means[source].add(everyone, value)
        pair = scores[0].value, scores[1].value
        score_means[0].add(everyone, pair[0])
        score_means[1].add(everyone, pair[1])
        found = sums_of_errors(pair[1], pair[0], rows.weights)
        found[3] = sums_of_errors(pair[1], np.where(np.isnan(pair[0]), np.nan, 0.0), rows.weights)[1]
        score_metrics.append(found)
    return Outcome(
        {source: means[source].value for source in SOURCES},
        (score_means[0].value, score_means[1].value),
        {source: np.stack(sources[source]) for source in SOURCES},
        np.stack(score_metrics),
        {source: losses[source].value for source in SOURCES},
        status,
        failed,
    )


def _weighted_mean(values: Array, weights: Array) -> Array:
    known = ~np.isnan(values)
    w = weights[:, None] * known
    count = w.sum(axis=0)
    total = (w * np.where(known, values, 0.0)).sum(axis=0)
    return np.where(count > 0, total / np.where(count > 0, count, 1.0), np.nan)
