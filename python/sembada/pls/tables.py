"""The tables of an estimation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sembada import _core
from sembada.errors import UnsupportedError
from sembada.pls import criteria as information
from sembada.pls import following
from sembada.pls.derived import evaluate
from sembada.pls.engine import Layout, System
from sembada.pls.frames import Table
from sembada.pls.prepare import Preparation
from sembada.pls.provenance import Provenance
from sembada.pls.replication import run_once
from sembada.pls.specification import choice

if TYPE_CHECKING:
    from sembada.pls.model import Model

__all__ = ["Tables"]


class Tables:
    """Numbers and tables of an estimated path model; `Fit` adds what can be done with it.

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

    __slots__ = ("_preparation", "_result", "_system", "_table", "model", "provenance")
    model: Model
    provenance: Provenance
    _system: System
    _table: Table
    _preparation: Preparation
    _result: dict[str, Any]

    def __init__(
        self,
        model: Model,
        system: System,
        table: Table,
        preparation: Preparation,
        result: dict[str, Any],
        provenance: Provenance,
    ) -> None:
        put = object.__setattr__
        put(self, "model", model)
        put(self, "provenance", provenance)
        put(self, "_system", system)
        put(self, "_table", table)
        put(self, "_preparation", preparation)
        put(self, "_result", result)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("a fit cannot be changed; estimate again")

    def __reduce__(self) -> tuple[Any, ...]:
        # Scores follow from the indicators; everything else is a few numbers a construct.
        result = {key: value for key, value in self._result.items() if key not in {"scores", "prepared"}}
        return type(self), (self.model, self._system, self._table, self._preparation, result, self.provenance)

    def __repr__(self) -> str:
        parts = [f"{len(self.model.constructs)} constructs", f"n_obs={self.n_obs:g}", f"n_iter={self.n_iter}"]
        parts.append("converged" if self.converged else "not converged")
        if self.status != "ok":
            parts.append(self.status)
        return f"{type(self).__name__}({', '.join(parts)})"

    # ---------------------------------------------------------------- numbers

    @property
    def n_obs(self) -> int | float:
        """Number of rows used; the sum of their weights if rows are weighted."""
        count = float(self._result["n_obs"])
        return int(count) if count.is_integer() else count

    @property
    def n_iter(self) -> int:
        """Number of passes of the (last) stage, counted from one."""
        return int(self.n_iter_stages[-1])

    @property
    def n_iter_stages(self) -> tuple[int, ...]:
        """Number of passes of each stage; models with higher-order constructs or interactions have several."""
        return tuple(int(count) for count in np.atleast_1d(self._result["n_iter"]))

    @property
    def converged(self) -> bool:
        """Whether the weights settled."""
        return bool(self._result["converged"])

    @property
    def status(self) -> str:
        """`"ok"`, or why the solution is inadmissible."""
        return _core.pls_status()[int(self._result["status"])]

    @property
    def _layouts(self) -> dict[str, Layout]:
        return self._system.layouts()

    def _values(self, name: str) -> NDArray[np.float64]:
        return np.asarray(self._result["values"], dtype=np.float64)[self._layouts[name].positions]

    def _series(self, name: str) -> pd.Series[float]:
        return pd.Series(self._values(name), index=self._layouts[name].index, name="estimate", dtype=np.float64)

    # ----------------------------------------------------------------- tables

    @property
    def paths(self) -> pd.DataFrame:
        """Path coefficients: index `predictor, outcome`; columns `estimate, f2, vif`.

        `f2` is Cohen's effect size on fixed scores, `(R² − R²_without) / (1 − R²)`; `vif` the variance inflation of
        the predictor among the predictors of the outcome. Neither is defined by two-stage least squares.
        """
        if not self.model.specification.paths:
            return _empty(["predictor", "outcome"], ["estimate", "f2", "vif"])
        table = self._series("paths").to_frame()
        for column in ("f2", "vif"):
            table[column] = self._series(column).reindex(table.index) if column in self._layouts else np.nan
        return table

    @property
    def outer(self) -> pd.DataFrame:
        """Outer model: index `construct, indicator`; columns `weight, loading, vif`."""
        table = self._series("weights").to_frame("weight")
        table["loading"] = self._series("loadings").reindex(table.index)
        table["vif"] = self._series("item_vif").reindex(table.index)
        return table

    @property
    def constructs(self) -> pd.DataFrame:
        """Constructs: index `construct`; `mode, n_indicators, r2, r2_adjusted, alpha, rho_a, rho_c, ave`."""
        spec = self.model.specification
        names = list(spec.constructs)
        counts = self._series("weights").groupby(level="construct").size()
        table = pd.DataFrame(index=pd.Index(names, name="construct", dtype="object"))
        table["mode"] = [spec.block_of[name].mode if name in spec.block_of else "A" for name in names]
        table["n_indicators"] = [int(counts.get(name, 0)) for name in names]
        for column in ("r2", "r2_adjusted", "alpha", "rho_a", "rho_c", "ave"):
            known = column in self._layouts and (spec.paths or not column.startswith("r2"))
            table[column] = self._series(column).reindex(names) if known else np.nan
        return table

    @property
    def effects(self) -> pd.DataFrame:
        """Effects of each construct on each that it reaches: index `predictor, outcome`; `direct, indirect, total`."""
        if not self.model.specification.paths:
            return _empty(["predictor", "outcome"], ["direct", "indirect", "total"])
        total = self._series("total_effects")
        table = pd.DataFrame(index=total.index)
        table["direct"] = self._series("paths").reindex(total.index).fillna(0.0)
        table["indirect"] = total - table["direct"]
        if "indirect_effects" in self._layouts:
            # From the engine where it has them: the difference above would lose digits.
            table["indirect"] = self._series("indirect_effects").reindex(total.index).fillna(0.0)
        table["total"] = total
        return table

    def specific_indirect(self) -> pd.DataFrame:
        """Return every specific indirect effect.

        Returns
        -------
        DataFrame
            Index `path` ("A → B → C"); columns `predictor, outcome, estimate`.

        Raises
        ------
        UnsupportedError
            If the model has more than 10,000 of them; `effects` has their sums.
        """
        if not self._system.has_chains:
            raise UnsupportedError(
                f"the model has {self._system.n_chains:,} specific indirect effects, too many to list: `effects` has "
                "their sums",
                {"n_chains": self._system.n_chains},
            )
        if "specific_indirect" not in self._layouts or not self.model.specification.paths:
            return _empty(["path"], ["predictor", "outcome", "estimate"])
        values = self._series("specific_indirect")
        ends = [str(path).split(" → ") for path in values.index]
        return pd.DataFrame(
            {"predictor": [chain[0] for chain in ends], "outcome": [chain[-1] for chain in ends], "estimate": values},
            index=values.index,
        )

    def defined(self) -> pd.DataFrame:
        """Return the quantities that the model defines from labels (`ind := a*b`).

        Returns
        -------
        DataFrame
            Index `name`; columns `expression, estimate`.
        """
        spec = self.model.specification
        estimates = self.paths["estimate"]
        labels = {
            path.label: np.array([estimates[path.predictor, path.outcome]], dtype=np.float64)
            for path in spec.paths
            if path.label is not None
        }
        values = evaluate(spec.defined, labels)
        return pd.DataFrame(
            {"expression": list(spec.defined.values()), "estimate": [float(values[name][0]) for name in spec.defined]},
            index=pd.Index(list(spec.defined), name="name", dtype="object"),
        )

    def _rows(self, key: str) -> NDArray[np.float64]:
        """Return scores or prepared rows, which a pickle leaves out: they follow from the indicators."""
        if key not in self._result:
            again = run_once(self._system, self._table, self._preparation, self.provenance.kernel)
            self._result.update({name: again[name] for name in ("scores", "prepared") if name in again})
        return np.array(self._result[key], dtype=np.float64)

    def _square(self, values: NDArray[np.float64]) -> pd.DataFrame:
        names = pd.Index(self._system.nodes, name="construct", dtype="object")
        order = list(self.model.constructs)
        return pd.DataFrame(values, index=names, columns=names.rename(None)).loc[order, order]

    def _pairs(self, name: str, diagonal: float = 1.0) -> pd.DataFrame:
        order = list(self.model.constructs)
        table = pd.DataFrame(np.nan, index=pd.Index(order, name="construct", dtype="object"), columns=order)
        for (left, right), value in zip(self._layouts[name].labels, self._values(name), strict=True):
            table.loc[left, right] = value
            table.loc[right, left] = value
        for construct in order:
            table.loc[construct, construct] = diagonal
        return table

    def cross_loadings(self) -> pd.DataFrame:
        """Return the correlations of each indicator (rows) with the scores of each construct (columns)."""
        items = pd.Index(self._system.engine.items, name="indicator", dtype="object")
        table = pd.DataFrame(self._result["cross_loadings"], index=items, columns=list(self._system.nodes))
        used = dict.fromkeys(item for _, item in self._layouts["weights"].labels)
        return table.loc[list(used), list(self.model.constructs)]

    def construct_correlations(self) -> pd.DataFrame:
        """Return the correlations of the constructs; corrected for attenuation if the fit is consistent."""
        return self._square(np.asarray(self._result["construct_correlations"], dtype=np.float64))

    def htmt(self) -> pd.DataFrame:
        """Return the heterotrait–monotrait ratios as a symmetric table (Henseler, Ringle & Sarstedt 2015).

        Means are of absolute correlations; a single indicator counts with a monotrait correlation of 1.
        """
        return self._pairs("htmt")

    def htmt2(self) -> pd.DataFrame:
        """Return HTMT2, with geometric in place of arithmetic means (Roemer, Schuberth & Henseler 2021)."""
        return self._pairs("htmt2")

    def fornell_larcker(self) -> pd.DataFrame:
        """Return the construct correlations with √AVE on the diagonal (Fornell & Larcker 1981)."""
        table = self.construct_correlations()
        ave = self._series("ave")
        for construct in table.index:
            table.loc[construct, construct] = np.sqrt(ave.get(construct, np.nan))
        return table

    def criteria(self) -> pd.DataFrame:
        """Return model selection criteria of each equation.

        Returns
        -------
        DataFrame
            Index `construct`; columns `AIC, AICc, AICu, BIC, HQ, HQc, FPE, GM, Cp`; smaller is better. GM (Geweke &
            Meese) and Cp (Mallows) compare with the model that has every path; NaN where there is none: with
            interactions, feedback or two-stage least squares.

        Notes
        -----
        Sharma et al. (2021, table 1) with `SSE = (1 − R²)(n − 1)`, k predictors and `MSE = 1 − R²` of the saturated
        model: `AIC = n ln(SSE/n) + 2(k + 1)`, `BIC = n ln(SSE/n) + (k + 1) ln n`, `GM = SSE/MSE + (k + 1) ln n`,
        `Cp = SSE/MSE − n + 2(k + 1)`.
        """
        made = following.criteria(self)
        names = self.model.specification.outcomes
        values = made.make(*(self._part(part) for part in made.parts)).reshape(len(names), len(information.NAMES))
        index = pd.Index(list(names), name="construct", dtype="object")
        return pd.DataFrame(values, index=index, columns=list(information.NAMES))

    def _part(self, name: str) -> NDArray[np.float64]:
        """Return one statistic as a single replicate."""
        if name in self._layouts:
            return self._values(name)[None]
        key = f"statistic {name}"
        if key not in self._result:
            found = run_once(self._system, self._table, self._preparation, self.provenance.kernel, [name])
            values = np.asarray(found["values"], dtype=np.float64)
            self._result[key] = values[self._system.layouts([name])[name].positions]
        return np.asarray(self._result[key])[None]

    def fit_measures(self, *, logarithm: str = "decadic") -> pd.DataFrame:
        """Return measures of the model's overall fit.

        Parameters
        ----------
        logarithm
            That of d_G: `"decadic"`, as the R package cSEM takes it, or `"natural"`, as Dijkstra & Henseler (2015)
            write it; the second is (ln 10)² ≈ 5.30 times the first.

        Returns
        -------
        DataFrame
            Index `model` (`saturated`, `estimated`); columns `srmr, d_uls, d_g, nfi`.

        Notes
        -----
        SRMR over the lower triangle with the diagonal (Henseler et al. 2014); d_ULS and d_G after Dijkstra & Henseler
        (2015); NFI after Bentler & Bonett (1980). Composites keep the correlations inside their own block. With
        higher-order constructs by two stages, the measures are of the last stage, where dimensions are indicators.
        NaN for models with interactions, indicators of two constructs, feedback or two-stage least squares.
        """
        word = choice("logarithm", logarithm, following.LOGARITHMS)
        index = pd.Index(["saturated", "estimated"], name="model", dtype="object")
        table = pd.DataFrame(np.nan, index=index, columns=["srmr", "d_uls", "d_g", "nfi"])
        for column in table.columns:
            if column in self._layouts:
                factor = following.NATURAL if column == "d_g" and word == "natural" else 1.0
                table[column] = self._values(column) * factor
        return table


def _empty(levels: list[str], columns: list[str]) -> pd.DataFrame:
    index: pd.Index[Any]
    if len(levels) == 1:
        index = pd.Index([], name=levels[0], dtype="object")
    else:
        index = pd.MultiIndex.from_arrays([[] for _ in levels], names=levels)
    return pd.DataFrame({column: pd.Series([], dtype=np.float64) for column in columns}, index=index)
