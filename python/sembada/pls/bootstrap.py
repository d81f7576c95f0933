"""The bootstrap of a fit: a table for every table that the fit has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sembada.errors import SpecificationError
from sembada.pls import endogeneity, following, intervals, slopes
from sembada.pls.derived import evaluate
from sembada.pls.draws import Draws
from sembada.pls.specification import choice

if TYPE_CHECKING:
    from sembada.pls.summary import Summary

__all__ = ["Bootstrap"]


class Bootstrap(Draws):
    """Draws of a bootstrap, and tables made from them.

    Every table has the columns `estimate, mean, std_error, t, p, lower, upper`: the estimate on all rows, mean and
    standard deviation (n − 1) of the draws, their quotient `estimate / std_error`, its p-value from the standard
    normal distribution, and the limits of the interval. Failed replicates are NaN rows of the draws and left out of
    the tables; `status` says why each failed. A table whose statistic was not drawn with the bootstrap draws it from
    the same resamples when first asked for.
    """

    __slots__ = ()

    def paths(self, level: float = 0.95, interval: str | None = None, tails: int = 2) -> pd.DataFrame:
        """Return path coefficients; index `predictor, outcome`. See `table` for the options."""
        return self.table("paths", level=level, interval=interval, tails=tails)

    def outer_weights(self, level: float = 0.95, interval: str | None = None, tails: int = 2) -> pd.DataFrame:
        """Return outer weights; index `construct, indicator`. See `table` for the options."""
        return self.table("outer_weights", level=level, interval=interval, tails=tails)

    def loadings(self, level: float = 0.95, interval: str | None = None, tails: int = 2) -> pd.DataFrame:
        """Return loadings; index `construct, indicator`. See `table` for the options."""
        return self.table("loadings", level=level, interval=interval, tails=tails)

    def total_effects(self, level: float = 0.95, interval: str | None = None, tails: int = 2) -> pd.DataFrame:
        """Return total effects; index `predictor, outcome`. See `table` for the options."""
        return self.table("total_effects", level=level, interval=interval, tails=tails)

    def indirect_effects(self, level: float = 0.95, interval: str | None = None, tails: int = 2) -> pd.DataFrame:
        """Return total indirect effects; index `predictor, outcome`. See `table` for the options."""
        return self.table("indirect_effects", level=level, interval=interval, tails=tails)

    def specific_indirect(self, level: float = 0.95, interval: str | None = None, tails: int = 2) -> pd.DataFrame:
        """Return specific indirect effects; index `path` ("A → B → C"). See `table` for the options."""
        return self.table("specific_indirect", level=level, interval=interval, tails=tails)

    def r2(self, level: float = 0.95, interval: str | None = None, tails: int = 2) -> pd.DataFrame:
        """Return explained variances; index `construct`. See `table` for the options."""
        return self.table("r2", level=level, interval=interval, tails=tails)

    def f2(self, level: float = 0.95, interval: str | None = None, tails: int = 2) -> pd.DataFrame:
        """Return effect sizes on fixed scores; index `predictor, outcome`. See `table` for the options."""
        return self.table("f2", level=level, interval=interval, tails=tails)

    def htmt(self, level: float = 0.95, interval: str | None = None, tails: int = 2) -> pd.DataFrame:
        """Return HTMT ratios; index `construct, other`; t and p test against 1. See `table` for the options."""
        return self.table("htmt", level=level, interval=interval, tails=tails, null=1.0)

    def r2_adjusted(self, level: float = 0.95, interval: str | None = None, tails: int = 2) -> pd.DataFrame:
        """Return adjusted explained variances; index `construct`. See `table` for the options."""
        return self.table("r2_adjusted", level=level, interval=interval, tails=tails)

    def vif(self, level: float = 0.95, interval: str | None = None, tails: int = 2) -> pd.DataFrame:
        """Return variance inflations of the predictors; index `predictor, outcome`; t and p test against 1.

        See `table` for the options.
        """
        return self.table("vif", level=level, interval=interval, tails=tails, null=1.0)

    def item_vif(self, level: float = 0.95, interval: str | None = None, tails: int = 2) -> pd.DataFrame:
        """Return variance inflations of the indicators in their blocks; index `construct, indicator`.

        See `table` for the options.
        """
        return self.table("item_vif", level=level, interval=interval, tails=tails, null=1.0)

    def htmt2(self, level: float = 0.95, interval: str | None = None, tails: int = 2) -> pd.DataFrame:
        """Return HTMT2 ratios; index `construct, other`; t and p test against 1. See `table` for the options."""
        return self.table("htmt2", level=level, interval=interval, tails=tails, null=1.0)

    def construct_correlations(self, level: float = 0.95, interval: str | None = None, tails: int = 2) -> pd.DataFrame:
        """Return correlations of the constructs; index `construct, other`. See `table` for the options."""
        return self.table("construct_correlations", level=level, interval=interval, tails=tails)

    def cross_loadings(self, level: float = 0.95, interval: str | None = None, tails: int = 2) -> pd.DataFrame:
        """Return correlations of indicators and scores; index `indicator, construct`. See `table` for the options."""
        return self.table("cross_loadings", level=level, interval=interval, tails=tails)

    def fornell_larcker(self, level: float = 0.95, interval: str | None = None, tails: int = 2) -> pd.DataFrame:
        """Return construct correlations, and √AVE where a construct meets itself; index `construct, other`.

        See `table` for the options.
        """
        return self.table("fornell_larcker", level=level, interval=interval, tails=tails)

    def criteria(self, level: float = 0.95, interval: str | None = None, tails: int = 2) -> pd.DataFrame:
        """Return model selection criteria; index `construct, criterion`. GM and Cp are drawn with a saturated model.

        See `table` for the options.
        """
        return self.table("criteria", level=level, interval=interval, tails=tails)

    def fit_measures(
        self,
        level: float = 0.95,
        interval: str | None = None,
        tails: int = 2,
        *,
        logarithm: str = "decadic",
    ) -> pd.DataFrame:
        """Return measures of overall fit; index `model, measure`; see `table` and `Fit.fit_measures` for the options.

        These are draws of resamples of the data as they are, for standard errors and intervals; a test of exact fit
        needs data transformed to fit the model first (Beran & Srivastava 1985).
        """
        self._parts("fit_measures")
        return self.table_of(
            "fit_measures",
            following.fit_measures(self.fit, choice("logarithm", logarithm, following.LOGARITHMS)),
            level=level,
            interval=self.interval_of(interval),
            tails=tails,
        )

    def copula(
        self,
        outcome: str,
        endogenous: Sequence[str] | None = None,
        *,
        method: str = "park-gupta",
        level: float = 0.95,
        interval: str | None = None,
        tails: int = 2,
    ) -> pd.DataFrame:
        """Return an equation with Gaussian copula terms, estimated anew in each of these resamples.

        Parameters
        ----------
        outcome, endogenous, method
            As in `Fit.copula`.
        level, interval, tails
            As in `table`, without `"studentized"`.

        Returns
        -------
        DataFrame
            Index `term`: the predictors, then `copula(…)`; columns as in `table`.
        """
        word = self.interval_of(interval)
        intervals.check(level, word, tails)
        if word == "studentized":
            raise SpecificationError("interval='studentized' is not made for copula terms: use 'percentile' or 'bca'")
        found = endogeneity.estimate(self.fit, outcome, endogenous, method)
        draws, index = endogeneity.draw(self.fit, self._plan["plan"], outcome, endogenous, method)
        jackknife = None
        if word == "bca":
            jackknife, _ = endogeneity.draw(self.fit, {"kind": "jackknife"}, outcome, endogenous, method)
        return self._interval_table(draws, found, index, level, word, tails, jackknife=jackknife)

    def unstandardised(
        self,
        level: float = 0.95,
        interval: str | None = None,
        tails: int = 2,
        *,
        scale: str = "original",
        limits: object = None,
    ) -> pd.DataFrame:
        """Return path coefficients in units of the answers; index `predictor, outcome`.

        Parameters
        ----------
        level, interval, tails
            As in `table`.
        scale, limits
            As in `Fit.unstandardised`; the ends of the answer scales are those of all rows in every replicate.
        """
        word = choice("scale", scale, ("original", "0-100"))
        return self.table_of(
            "unstandardised",
            following.unstandardised(self.fit, rescaled=word == "0-100", limits=limits),
            level=level,
            interval=self.interval_of(interval),
            tails=tails,
        )

    def reliability(self, level: float = 0.95, interval: str | None = None, tails: int = 2) -> pd.DataFrame:
        """Return reliabilities; index `construct, measure` (alpha, rho_a, rho_c, ave). See `table` for the options."""
        return self.table("reliability", level=level, interval=interval, tails=tails)

    def defined(self, level: float = 0.95, interval: str | None = None, tails: int = 2) -> pd.DataFrame:
        """Return the quantities that the model defines from labels (`ind := a*b`).

        Parameters
        ----------
        level, tails
            As in `table`.
        interval
            As in `table`, without `"studentized"`.

        Returns
        -------
        DataFrame
            Index `name`; columns `estimate, std_error, t, p, lower, upper`.
        """
        spec = self.fit.model.specification
        names = list(spec.defined)
        labels = self.fit._system.layouts(["paths"])["paths"].labels
        place = {
            path.label: labels.index((path.predictor, path.outcome)) for path in spec.paths if path.label is not None
        }

        def make(paths: NDArray[np.float64]) -> NDArray[np.float64]:
            values = evaluate(spec.defined, {label: paths[:, position] for label, position in place.items()})
            columns = [np.broadcast_to(values[name], len(paths)) for name in names]
            return np.stack(columns, axis=1) if columns else np.empty((len(paths), 0))

        index = pd.Index(names, name="name", dtype="object")
        return slopes.table(self, make, index, level, interval, tails)

    # ----------------------------------------------------------- interactions

    def simple_slopes(
        self,
        term: str,
        outcome: str,
        *,
        focal: str | None = None,
        at: Sequence[float] = (-1.0, 0.0, 1.0),
        level: float = 0.95,
        interval: str | None = None,
        tails: int = 2,
    ) -> pd.DataFrame:
        """Return the slope of a predictor at some values of its moderator.

        Parameters
        ----------
        term
            A two-way interaction such as `"Image:Quality"`, or a quadratic term `"Image:Image"`.
        outcome
            The construct that it explains.
        focal
            The factor whose slope is wanted; the first one by default, the other is the moderator.
        at
            Values of the moderator in standard deviations.
        level, interval, tails
            As in `table`, without `"studentized"`.

        Returns
        -------
        DataFrame
            Index: the moderator; columns `estimate, std_error, t, p, lower, upper`.
        """
        return slopes.simple_slopes(
            self, term, outcome, focal=focal, at=at, level=level, interval=interval, tails=tails
        )

    def floodlight(
        self,
        term: str,
        outcome: str,
        *,
        focal: str | None = None,
        span: tuple[float, float] = (-3.0, 3.0),
        points: int = 121,
        level: float = 0.95,
        interval: str | None = None,
    ) -> tuple[pd.DataFrame, list[float]]:
        """Return slopes over a range of the moderator, and where they begin or cease to differ from zero.

        Parameters
        ----------
        term, outcome, focal, level, interval
            As in `simple_slopes`.
        span
            Range of the moderator in standard deviations.
        points
            Number of values in the range.

        Returns
        -------
        DataFrame
            As `simple_slopes`, and a column `significant`: whether the interval leaves zero out.
        list of float
            The Johnson–Neyman points: values of the moderator at which that changes.
        """
        return slopes.floodlight(
            self, term, outcome, focal=focal, span=span, points=points, level=level, interval=interval
        )

    def moderated_mediation(
        self,
        predictor: str,
        mediator: str,
        outcome: str,
        moderator: str,
        *,
        at: Sequence[float] = (-1.0, 0.0, 1.0),
        level: float = 0.95,
        interval: str | None = None,
    ) -> pd.DataFrame:
        """Return the index of moderated mediation (Hayes 2015) and the conditional indirect effects.

        Parameters
        ----------
        predictor, mediator, outcome
            The chain.
        moderator
            The construct whose interaction with the predictor explains the mediator, or whose interaction with the
            mediator explains the outcome.
        at
            Values of the moderator in standard deviations.
        level, interval
            As in `simple_slopes`.

        Returns
        -------
        DataFrame
            Index `quantity`: `index` (only if one path is moderated: with two the effect is not linear) and the
            indirect effect at each value; columns as in `simple_slopes`.
        """
        return slopes.moderated_mediation(
            self, predictor, mediator, outcome, moderator, at=at, level=level, interval=interval
        )

    def summary(self, *, level: float = 0.95, interval: str | None = None, tails: int = 2) -> Summary:
        """Return the tables as one report that renders as text, HTML and LaTeX."""
        from sembada.pls.summary import summarise_bootstrap

        return summarise_bootstrap(self, level=level, interval=interval, tails=tails)
