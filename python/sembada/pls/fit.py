"""The result of an estimation and its tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from sembada.pls import admissible, endogeneity
from sembada.pls.blindfold import blindfold
from sembada.pls.prediction import Prediction, predict
from sembada.pls.replication import replicate
from sembada.pls.specification import choice
from sembada.pls.summary import Summary, summarise_fit
from sembada.pls.tables import Tables
from sembada.pls.unstandardised import coefficients, original_scores

if TYPE_CHECKING:
    from sembada.pls.bootstrap import Bootstrap
    from sembada.pls.model import Model

__all__ = ["Fit"]


class Fit(Tables):
    """An estimated path model.

    The tables are fresh pandas frames at each call. The indicators (not the rest of the data) stay with the result,
    because the bootstrap needs them; in a pickle they take the smallest type that is exact, a byte for a Likert
    answer.

    Parameters
    ----------
    model
        The model.
    system
        The model as the engine sees it.
    table
        The indicators.
    preparation
        What is done to each sample before its moments are taken.
    result
        What the engine returned.
    provenance
        What the result was made from.
    """

    __slots__ = ()

    def scores(self, *, scale: str = "standardised", limits: Any = None) -> pd.DataFrame:
        """Return the construct scores.

        Parameters
        ----------
        scale
            `"standardised"` (mean 0, standard deviation 1 with n − 1), `"original"` (the weighted mean of the
            indicators in their own units) or `"0-100"` (that, between the ends of the answer scale).
        limits
            For `"0-100"`: the ends of the answer scale, a pair for all indicators or a mapping indicator → pair; by
            default the smallest and largest answer of each indicator.

        Returns
        -------
        DataFrame
            A row for each row of the data, a column for each construct; NaN where a row was left out.

        Notes
        -----
        Original units follow Fornell et al. (1996) and Ringle & Sarstedt (2016): indicator weights are divided by the
        standard deviations and by their sum.
        """
        word = choice("scale", scale, ("standardised", "original", "0-100"))
        if word != "standardised":
            return original_scores(self, rescaled=word == "0-100", limits=limits)
        columns = pd.Index(self._system.nodes, name="construct", dtype="object")
        table = pd.DataFrame(self._rows("scores"), index=self._table.index, columns=columns)
        return table[list(self.model.constructs)]

    def verify(self) -> pd.DataFrame:
        """Check whether the solution is admissible.

        Returns
        -------
        DataFrame
            Index `code`; columns `check`, `passed` and `where`. Codes 1 to 5 are those of cSEM: 1 the weights did
            not settle, 2 a loading beyond one (a Heywood case), 3 construct correlations that are not positive
            semidefinite, 4 a reliability above one, 5 implied indicator correlations that are not positive
            semidefinite; further 6 a reliability that is not above zero, 7 an R² outside 0 to 1, 8 two constructs
            that correlate beyond one.
        """
        return admissible.verify(self)

    def unstandardised(self, *, scale: str = "original", limits: Any = None) -> pd.DataFrame:
        """Return path coefficients in units of the answers.

        Parameters
        ----------
        scale
            `"original"`, or `"0-100"` for indicators put on that scale first.
        limits
            Ends of the answer scales, for `"0-100"`; see `scores`.

        Returns
        -------
        DataFrame
            Index `predictor, outcome`; columns `estimate` (units of the outcome for one unit of the predictor) and
            `intercept` of the outcome's equation. NaN in equations with an interaction.
        """
        word = choice("scale", scale, ("original", "0-100"))
        return coefficients(self, rescaled=word == "0-100", limits=limits)

    def category_values(self) -> pd.DataFrame:
        """Return the values that optimal scaling gave to the categories.

        Returns
        -------
        DataFrame
            Index `indicator, category`; column `value`, standardised. Empty without `scaling=`.
        """
        rows: list[tuple[str, float, float]] = []
        if self._preparation.scaling is not None:
            values = self._rows("prepared")
            for position, (name, kind) in enumerate(zip(self._table.columns, self._preparation.scaling, strict=True)):
                answers = self._table.column(position)
                known = ~np.isnan(values[:, position])
                if kind != "numeric":
                    categories, first = np.unique(answers[known], return_index=True)
                    found = values[known, position][first]
                    rows += [(name, float(a), float(b)) for a, b in zip(categories, found, strict=True)]
        index = pd.MultiIndex.from_arrays([[row[0] for row in rows], [row[1] for row in rows]])
        return pd.DataFrame({"value": [row[2] for row in rows]}, index=index.set_names(["indicator", "category"]))

    def normality(self) -> pd.DataFrame:
        """Return how far construct scores are from normal.

        Returns
        -------
        DataFrame
            Index `construct`; columns `skewness, excess_kurtosis, jarque_bera, p`. Copula terms need predictors that
            are not normal.
        """
        return endogeneity.normality(self)

    def copula(
        self,
        outcome: str,
        endogenous: Sequence[str] | None = None,
        *,
        method: str = "park-gupta",
        n: int = 500,
        seed: int | None = None,
        level: float = 0.95,
    ) -> pd.DataFrame:
        """Estimate an equation with Gaussian copula terms, to find and mend endogeneity.

        Parameters
        ----------
        outcome
            The construct whose equation it is.
        endogenous
            The predictors that may correlate with the error; all of them by default.
        method
            `"park-gupta"` (Park & Gupta 2012; Hult et al. 2018), or `"2scope"` (Yang, Qian & Xie 2025), which allows
            exogenous predictors to correlate with the endogenous ones.
        n
            Replicates of the bootstrap; both stages are estimated anew in each.
        seed
            Makes the replicates repeatable.
        level
            Confidence level of the percentile intervals.

        Returns
        -------
        DataFrame
            Index `term`: the predictors, then `copula(…)`; columns `estimate`, `without` (the coefficient without
            copula terms), `std_error, t, p, lower, upper`. A copula term that differs from zero speaks for endogeneity.
        """
        return endogeneity.copula(self, outcome, endogenous, method=method, n=n, seed=seed, level=level)

    def rerun(self, model: Model | str | None = None, *, data: Any = None, **options: Any) -> Fit:
        """Estimate again with something changed.

        Parameters
        ----------
        model
            Another model, or its text; the same one by default.
        data
            Other data; the same rows by default. Only the columns of the old model are kept with a fit, so a model
            that needs others needs the data.
        **options
            Options of `Model.fit` that change; the others stay as they were.

        Returns
        -------
        Fit
            A new fit.

        Examples
        --------
        >>> import numpy as np, pandas as pd
        >>> from sembada import pls
        >>> rng = np.random.default_rng(1)
        >>> x = rng.normal(size=100)
        >>> frame = pd.DataFrame({name: x + rng.normal(size=100) for name in ("a", "b", "c", "d")})
        >>> fit = pls.Model("X =~ a + b ; Y =~ c + d ; Y ~ X").fit(frame, scheme="factorial")
        >>> fit.rerun(consistent=True).provenance.options["scheme"]
        'factorial'
        """
        from sembada.pls.model import Model

        again = self.model if model is None else Model(model) if isinstance(model, str) else model
        facts = self.provenance.options
        names = ("scheme", "consistent", "missing", "correlation", "scaling", "higher_order", "max_iter", "tol")
        given: dict[str, Any] = {name: facts[name] for name in names}
        if data is not None:
            given["missing_value"] = facts["missing_value"]
        if given["scaling"] is not None:
            given["scaling"] = {name: kind for name, kind in given["scaling"].items() if name in again.columns}
        if self._preparation.ordinal is not None:
            pairs = zip(self._table.columns, self._preparation.ordinal, strict=True)
            given["ordinal"] = [name for name, kind in pairs if kind and name in again.columns]
        if data is None:
            data = self._table.take(again.columns)
        return again.fit(data, **{**given, **options})

    def summary(self) -> Summary:
        """Return the main tables as one report that renders as text, HTML and LaTeX."""
        return summarise_fit(self)

    # -------------------------------------------------------------- bootstrap

    def bootstrap(
        self,
        n: int = 10_000,
        *,
        seed: int | None = None,
        method: str = "bootstrap",
        sign: str = "none",
        indices: ArrayLike | None = None,
        threads: int | None = None,
        executor: Any = None,
        progress: bool | Callable[[int, int], object] = False,
        strata: ArrayLike | None = None,
        clusters: ArrayLike | None = None,
        statistics: Sequence[str] | None = None,
    ) -> Bootstrap:
        """Estimate the model again on many resamples of its rows.

        Parameters
        ----------
        n
            Number of replicates.
        seed
            Makes the resamples repeatable; `None` draws a fresh one, which the provenance records. The same seed gives
            the same draws for any number of threads, and the first draws of a longer run are those of a shorter one.
        method
            `"bootstrap"` (rows with replacement), `"bayesian"` (Dirichlet weights) or `"jackknife"` (one row out).
        sign
            `"none"`, `"indicator"` (each number takes the sign of its estimate) or `"construct"` (a construct is
            turned when its loadings are nearer to the reversed ones).
        indices
            Given resamples, an integer array `(n, n_obs)` of row numbers from zero, replayed exactly.
        threads
            Number of threads; all processors by default.
        executor
            A `concurrent.futures` executor, a Dask client or `"processes"`, to run blocks of replicates elsewhere.
        progress
            `True` paints a bar; a function is called with (done, all).
        strata
            A label for each row: resampling stays inside each stratum.
        clusters
            A label for each row: whole clusters are drawn.
        statistics
            What to keep, by the names of `Bootstrap.draws`; everything by default.

        Returns
        -------
        Bootstrap
            The draws and their tables.

        Raises
        ------
        SpecificationError
            If an option is not known.
        DataError
            If the indices do not fit the data.
        """
        return replicate(
            self,
            n,
            seed=seed,
            method=method,
            sign=sign,
            indices=indices,
            threads=threads,
            executor=executor,
            progress=progress,
            strata=strata,
            clusters=clusters,
            statistics=statistics,
        )

    # ------------------------------------------------------------- prediction

    def predict(
        self,
        data: Any = None,
        *,
        folds: int | ArrayLike = 10,
        repeats: int = 10,
        seed: int | None = None,
        technique: str = "direct",
        benchmark: str = "matched",
        average: str = "predictions",
        baseline: str = "training",
        completion: str = "training",
        threads: int | None = None,
        progress: bool | Callable[[int, int], object] = False,
    ) -> Prediction:
        """Predict answers that took no part in the estimation (PLSpredict).

        Parameters
        ----------
        data
            New rows to predict. By default the rows of the fit are cross-validated: each fold is predicted by the
            model estimated from the other folds.
        folds
            Number of folds, as many as rows to leave one out at a time; or the fold of each row, an integer array
            `(n_obs,)` or `(n_repeats, n_obs)`, replayed exactly.
        repeats
            How often the rows are dealt to folds anew.
        seed
            Makes the folds repeatable; `None` draws a fresh one, which the provenance records.
        technique
            `"direct"`: a construct is predicted from the scores of its direct predictors. `"earliest"`: from the
            scores of exogenous constructs alone, through the whole structural model.
        benchmark
            What the linear benchmark regresses each indicator on: `"matched"` (what the technique itself may use:
            `"antecedents"` with `"direct"`, else `"exogenous"`), `"exogenous"` (the indicators of all exogenous
            constructs; Shmueli et al. 2019), `"antecedents"` (those of the direct predictors) or `"others"` (those of
            all other constructs, as seminr 2.3 does).
        average
            Over repeats: `"predictions"` (errors of each row's mean prediction) or `"metrics"` (mean of the errors).
        baseline
            The average that Q² compares with: of the `"training"` rows, or of the whole `"sample"`.
        completion
            With `missing="mean"`: means of the `"training"` rows, so that a row predicted has no part in them, or of
            the whole `"sample"`, once, as seminr does.
        threads
            Number of threads; all processors by default. The results do not depend on it.
        progress
            `True` paints a bar; a function is called with (done, all).

        Returns
        -------
        Prediction
            Predictions, and tables of Q²_predict, RMSE, MAE and MAPE beside both benchmarks.

        Raises
        ------
        UnsupportedError
            If the model has no paths, its answers were transformed (ordinal PLS, EM), or `"earliest"` meets feedback
            or a product with an endogenous construct.
        DataError
            If folds do not fit the data, or new rows lack an answer that a prediction needs.

        Notes
        -----
        Shmueli, Ray, Velasquez Estrada & Chatla (2016), JBR 69, 4552–4564; Shmueli et al. (2019), EJM 53, 2322–2347.
        A consistent fit is predicted from its uncorrected paths and loadings, because scores are composites.

        Examples
        --------
        >>> import numpy as np, pandas as pd
        >>> from sembada import pls
        >>> rng = np.random.default_rng(1)
        >>> x = rng.normal(size=100)
        >>> y = 0.7 * x + 0.7 * rng.normal(size=100)
        >>> frame = pd.DataFrame({"x1": x, "x2": x + rng.normal(size=100), "y1": y, "y2": y + rng.normal(size=100)})
        >>> prediction = pls.Model("X =~ x1 + x2 ; Y =~ y1 + y2 ; Y ~ X").fit(frame).predict(seed=1)
        >>> bool((prediction.indicators()["q2_predict"] > 0).all())
        True
        """
        return predict(
            self,
            data,
            folds=folds,
            repeats=repeats,
            seed=seed,
            technique=technique,
            benchmark=benchmark,
            average=average,
            baseline=baseline,
            completion=completion,
            threads=threads,
            progress=progress,
        )

    def blindfold(self, omission: int = 7) -> pd.DataFrame:
        """Return the Stone–Geisser Q² of each construct by blindfolding.

        Parameters
        ----------
        omission
            Distance D of the cells that are taken out together; it must not divide the number of rows.

        Returns
        -------
        DataFrame
            Index `construct`; columns `sso` (squared distance of the cells taken out from the mean of what is left,
            in standard units), `sse_redundancy, q2_redundancy` (predicted by the structural model; NaN for exogenous
            constructs) and `sse_communality, q2_communality` (predicted by the construct's own scores).

        Raises
        ------
        SpecificationError
            If the distance divides the number of rows.
        UnsupportedError
            If rows are weighted, or answers were transformed.

        Notes
        -----
        Cells run down the columns of a block one after the other and are completed by the mean of what is left (Wold
        1982; Tenenhaus et al. 2005, section 3.4). Blindfolding says how well the sample itself is reproduced; for
        rows that the model has not seen see `predict`.

        Examples
        --------
        >>> import numpy as np, pandas as pd
        >>> from sembada import pls
        >>> rng = np.random.default_rng(1)
        >>> x = rng.normal(size=100)
        >>> y = 0.7 * x + 0.7 * rng.normal(size=100)
        >>> frame = pd.DataFrame({"x1": x, "x2": x + rng.normal(size=100), "y1": y, "y2": y + rng.normal(size=100)})
        >>> table = pls.Model("X =~ x1 + x2 ; Y =~ y1 + y2 ; Y ~ X").fit(frame).blindfold()
        >>> bool(table.loc["Y", "q2_redundancy"] > 0)
        True
        """
        return blindfold(self, omission)
