"""The model that predicts rows which took no part in its estimation.

A fold is a vector of row weights: rows left out weigh nothing. The engine estimates from the others and returns the
scores of all rows, standardised by what the others say, for every kind of model. From there on a prediction is the
structural model, a loading, and a change of units (Shmueli, Ray, Velasquez Estrada & Chatla 2016, JBR 69, 4552–4564).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sembada.errors import InadmissibleError, SembadaError, UnsupportedError
from sembada.pls.engine import Options, System, compiled
from sembada.pls.failures import failure
from sembada.pls.prepare import COMPLETED, Preparation
from sembada.pls.specification import Specification, choice, factors

if TYPE_CHECKING:
    from sembada.pls.fit import Fit

__all__ = ["BENCHMARKS", "SOURCES", "TECHNIQUES", "Predictor", "Rows", "Trained", "trouble"]

Array = NDArray[np.float64]
TECHNIQUES = ("direct", "earliest")
BENCHMARKS = ("matched", "exogenous", "antecedents", "others")
#: Where a prediction comes from: the path model, the linear regression, the average of the indicator.
SOURCES = ("pls", "lm", "ia")


@dataclass(frozen=True)
class Rows:
    """Rows to train on and to predict.

    Parameters
    ----------
    matrix
        Answers `(n_obs, n_columns)`; NaN is missing.
    weights
        Row weights `(n_obs,)`.
    missing
        What the engine does about missing answers.
    """

    matrix: Array
    weights: Array
    missing: str

    @cached_property
    def usable(self) -> NDArray[np.bool_]:
        """Rows that the treatment of missing answers leaves in."""
        if self.missing == "listwise":
            return ~np.asarray(np.isnan(self.matrix).any(axis=1))
        return np.ones(len(self.matrix), dtype=bool)


class Predictor:
    """A model that predicts the indicators of its endogenous constructs.

    Parameters
    ----------
    spec
        The model.
    options
        How it is estimated.
    preparation
        What is done to a sample before its moments are taken.
    kernel
        Name of the engine's kernel.
    technique
        `"direct"` (from the scores of the direct predictors) or `"earliest"` (from exogenous scores alone).
    benchmark
        Which indicators the linear regression of each indicator takes.
    """

    def __init__(
        self,
        spec: Specification,
        options: Options,
        preparation: Preparation,
        kernel: str,
        technique: str,
        benchmark: str,
    ) -> None:
        self.technique = choice("technique", technique, TECHNIQUES)
        self.benchmark = choice("benchmark", benchmark, BENCHMARKS)
        if self.benchmark == "matched":
            self.benchmark = "antecedents" if technique == "direct" else "exogenous"
        if preparation.is_needed and preparation.missing not in COMPLETED:
            raise UnsupportedError(
                f"predictions need answers in their own units, not correlation={preparation.correlation!r} or "
                "scaling=: fit the model with correlation='pearson' and without scaling=",
                {"correlation": preparation.correlation},
            )
        #: Completion of missing answers, done anew from the training rows of each fold.
        self.prepare = preparation.plain
        if not spec.paths:
            raise UnsupportedError("the model has no paths, so nothing is predicted: add a structural model", {})
        # The scores are composites, so predictions from them take their own paths and loadings, not corrected ones.
        self.system = compiled(spec, replace(options, consistent=False))
        self.kernel = kernel
        self.outcomes = spec.outcomes
        node = {name: position for position, name in enumerate(self.system.nodes)}
        self.nodes = np.array([node[name] for name in self.outcomes])
        layouts = self.system.layouts(["loadings", "paths"])
        self._paths = layouts["paths"].positions
        self._from = np.array([node[source] for source, _ in layouts["paths"].labels])
        self._to = np.array([node[target] for _, target in layouts["paths"].labels])
        self._order = self._earliest(node) if technique == "earliest" else ()
        places = dict(zip(layouts["loadings"].labels, layouts["loadings"].positions.tolist(), strict=True))
        column = {name: position for position, name in enumerate(spec.columns)}
        self.targets: list[tuple[str, str]] = []
        owners, columns, chains = [], [], []
        for position, outcome in enumerate(self.outcomes):
            for indicator, chain in self._leaves(outcome, places):
                self.targets.append((outcome, indicator))
                owners.append(position)
                columns.append(column[indicator])
                chains.append(chain)
        self.owners, self.columns = np.array(owners), np.array(columns)
        deepest = max(len(chain) for chain in chains)
        # A place past the end of the flat vector holds a one, for chains that are shorter than the deepest.
        width = sum(len(layout.labels) for layout in layouts.values())
        self._chains = np.array([(*chain, *([width] * (deepest - len(chain)))) for chain in chains])
        self._width = width
        self._regressions = [
            (np.flatnonzero(self.owners == position), self._explanatory(outcome, column))
            for position, outcome in enumerate(self.outcomes)
        ]

    @staticmethod
    def of(fit: Fit, technique: str, benchmark: str) -> Predictor:
        """Return the predictor of a fit; equal ones are shared, since they hold no data."""
        return _made(
            fit.model.specification,
            fit._system.options,
            fit._preparation,
            str(fit.provenance.kernel),
            technique,
            benchmark,
        )

    def is_plain(self, rows: Rows) -> bool:
        """Return whether the engine can do all folds at once."""
        return not self.system.equations and rows.missing != "pairwise" and self.prepare is None

    @cached_property
    def index(self) -> pd.MultiIndex:
        """The indicators predicted, each with its construct."""
        return pd.MultiIndex.from_tuples(self.targets, names=["construct", "indicator"])

    @cached_property
    def plain(self) -> dict[str, Any]:
        """What is predicted, in the engine's numbers."""
        width = self._width
        return {
            "outcomes": self.nodes.tolist(),
            "owners": self.owners.tolist(),
            "columns": self.columns.tolist(),
            "chains": [[at for at in chain if at != width] for chain in self._chains.tolist()],
            "regressors": [explanatory.tolist() for _, explanatory in self._regressions],
            "earliest": list(self._order) if self.technique == "earliest" else None,
        }

    def _leaves(self, construct: str, places: dict[tuple[str, ...], int]) -> list[tuple[str, tuple[int, ...]]]:
        """Return the indicators of a construct with the loadings on the way to each."""
        spec = self.system.specification
        if construct not in spec.higher_order:
            return [(name, (places[construct, name],)) for name in spec.block_of[construct].indicators]
        result: list[tuple[str, tuple[int, ...]]] = []
        for name in spec.dimensions(construct):
            for indicator, chain in self._leaves(name, places):
                direct = places.get((construct, indicator))
                # Repeated indicators load on the higher-order construct themselves.
                whole = (direct,) if direct is not None else (places[construct, name], *chain)
                result.append((indicator, whole))
        return result

    def _indicators(self, construct: str) -> list[str]:
        spec = self.system.specification
        if construct in spec.terms:
            return [item for name in factors(construct) for item in self._indicators(name)]
        if construct in spec.higher_order:
            return [item for name in spec.dimensions(construct) for item in self._indicators(name)]
        return list(spec.block_of[construct].indicators)

    def _explanatory(self, outcome: str, column: dict[str, int]) -> NDArray[np.intp]:
        """Return the columns that the linear benchmark regresses the indicators of a construct on."""
        spec = self.system.specification
        own = set(self._indicators(outcome))
        if self.benchmark == "others":
            names = [name for name in spec.columns if name not in own]
        else:
            sources = spec.exogenous if self.benchmark == "exogenous" else spec.predictors(outcome)
            names = [item for source in sources for item in self._indicators(source)]
        return np.array(sorted({column[name] for name in names if name not in own}), dtype=np.intp)

    def counts(self) -> dict[str, int]:
        """Return the number of indicators of each endogenous construct."""
        return {name: int((self.owners == position).sum()) for position, name in enumerate(self.outcomes)}

    def needed_columns(self) -> set[str]:
        """Return the columns without which nothing can be predicted."""
        spec = self.system.specification
        sources = spec.exogenous if self.technique == "earliest" else {path.predictor for path in spec.paths}
        return {item for name in sources for item in self._indicators(name)}

    def _earliest(self, node: dict[str, int]) -> tuple[int, ...]:
        """Return the endogenous constructs, each after its predictors."""
        spec = self.system.specification
        if not spec.is_recursive:
            raise UnsupportedError(
                "technique='earliest' needs a model without feedback: with a loop nothing comes first; use "
                "technique='direct'",
                {"technique": "earliest"},
            )
        for term in spec.terms:
            for name in factors(term):
                if name in spec.outcomes:
                    raise UnsupportedError(
                        f"technique='earliest' cannot predict from {term!r}, a product with the endogenous construct "
                        f"{name!r}: use technique='direct'",
                        {"technique": "earliest", "term": term},
                    )
        done: list[str] = []
        while len(done) < len(spec.outcomes):
            for name in spec.outcomes:
                waiting = [item for item in spec.predictors(name) if item in spec.outcomes and item not in done]
                if name not in done and not waiting:
                    done.append(name)
        return tuple(node[name] for name in done)

    def train(self, rows: Rows, keep: NDArray[np.bool_], *, strict: bool = False) -> Trained:
        """Estimate from some rows.

        Parameters
        ----------
        rows
            All rows.
        keep
            The rows to train on.
        strict
            Whether a failed estimation raises; else its predictions are NaN.
        """
        weights = rows.weights * keep
        result = self.system.fit(
            rows.matrix,
            statistics=["loadings", "paths"],
            weights=weights,
            missing=rows.missing,
            prepare=self.prepare,
            kernel=self.kernel,
        )
        values = np.asarray(result["values"], dtype=np.float64)
        error = trouble(self.system, result)
        if error is not None:
            if strict:
                raise error
            values = np.full_like(values, np.nan)
            result["scores"] = np.full_like(np.asarray(result["scores"], dtype=np.float64), np.nan)
        paths = np.zeros((len(self.system.nodes),) * 2)
        paths[self._from, self._to] = values[self._paths]
        loadings = np.append(values, 1.0)[self._chains].prod(axis=1)
        return Trained(
            self,
            np.asarray(result["scores"], dtype=np.float64),
            paths,
            loadings * np.asarray(result["sds"])[self.columns],
            np.asarray(result["means"], dtype=np.float64),
            int(result["status"]),
            rows.matrix if self.prepare is None or error is not None else np.asarray(result["prepared"]),
        )

    def regress(
        self, rows: Rows, keep: NDArray[np.bool_], means: Array, matrix: Array
    ) -> Callable[[NDArray[np.bool_]], Array]:
        """Fit the linear benchmark on some rows; return what predicts others.

        Collinear regressors take the smallest coefficients among those that fit equally well.
        """
        w = (rows.weights * keep)[rows.usable & keep]
        # A missing answer takes the training mean, as in the path model.
        centred = np.nan_to_num(matrix - means, nan=0.0)
        own = centred[rows.usable & keep]
        shift = w @ own / w.sum()
        own = own - shift
        cross = (own * w[:, None]).T @ own
        slopes = []
        for targets, explanatory in self._regressions:
            square = cross[np.ix_(explanatory, explanatory)]
            right = cross[np.ix_(explanatory, self.columns[targets])]
            slopes.append(_solve(square, right))

        def predict(which: NDArray[np.bool_]) -> Array:
            part = centred[which] - shift
            result = np.empty((len(part), len(self.columns)))
            for (targets, explanatory), slope in zip(self._regressions, slopes, strict=True):
                result[:, targets] = part[:, explanatory] @ slope
            result += means[self.columns] + shift[self.columns]
            result[~rows.usable[which]] = np.nan
            return result

        return predict


@lru_cache(maxsize=16)
def _made(
    spec: Specification, options: Options, preparation: Preparation, kernel: str, technique: str, benchmark: str
) -> Predictor:
    return Predictor(spec, options, preparation, kernel, technique, benchmark)


def trouble(system: System, result: dict[str, Any]) -> SembadaError | None:
    """Return why an estimation has no numbers; an inadmissible one has."""
    if not int(result["status"]):
        return None
    error = failure(system, int(result["status"]), int(result["detail"]), np.atleast_1d(result["n_iter"]).tolist())
    return None if isinstance(error, InadmissibleError) else error


def _solve(square: Array, right: Array) -> Array:
    scale = np.sqrt(np.maximum(np.diag(square), np.finfo(float).tiny))
    scaled, target = square / np.outer(scale, scale), right / scale[:, None]
    try:
        if np.linalg.cond(scaled) < 1e12:
            return np.asarray(np.linalg.solve(scaled, target) / scale[:, None], dtype=np.float64)
    except np.linalg.LinAlgError:
        pass
    return np.asarray(np.linalg.lstsq(scaled, target, rcond=1e-12)[0] / scale[:, None], dtype=np.float64)


@dataclass(frozen=True)
class Trained:
    """A model estimated from some rows.

    Parameters
    ----------
    predictor
        What was estimated.
    scores
        Scores of all rows `(n_obs, n_nodes)`, standardised by the training rows.
    paths
        Path coefficients, from × to.
    slopes
        Units of each target for one standard deviation of its construct.
    means
        Training means of all columns.
    status
        Status code.
    matrix
        All rows; completed, if missing answers are completed.
    """

    predictor: Predictor
    scores: Array
    paths: Array
    slopes: Array
    means: Array
    status: int
    matrix: Array

    def constructs(self, which: NDArray[np.bool_]) -> tuple[Array, Array]:
        """Return predicted and actual scores of the endogenous constructs for some rows."""
        actual = self.scores[which]
        nodes = self.predictor.nodes
        if self.predictor.technique == "direct":
            predicted = actual @ self.paths
        else:
            predicted = actual.copy()
            for node in self.predictor._order:
                predicted[:, node] = predicted @ self.paths[:, node]
        return predicted[:, nodes], actual[:, nodes]

    def indicators(self, predicted: Array) -> Array:
        """Return predicted answers from predicted scores."""
        owners, columns = self.predictor.owners, self.predictor.columns
        return np.asarray(predicted[:, owners] * self.slopes + self.means[columns], dtype=np.float64)
