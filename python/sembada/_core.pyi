from collections.abc import Callable
from typing import Any, Self, final

import numpy as np
from numpy.typing import NDArray

__version__: str

# gate
def available_kernels() -> list[str]: ...
def wait_for_test(
    seconds: float, threads: int | None = None, progress: Callable[[int, int], object] | None = None
) -> int: ...
def panic_for_test() -> None: ...

# random numbers
def philox_raw(key: Any, counter: Any, n: int) -> NDArray[np.uint64]: ...
def philox_uniform(key: Any, counter: Any, n: int) -> NDArray[np.float64]: ...
def philox_normal(key: Any, counter: Any, n: int) -> NDArray[np.float64]: ...
def philox_index(key: Any, counter: Any, bound: int, n: int) -> NDArray[np.uint64]: ...
def philox_permutations(key: Any, first: int, count: int, n: int) -> NDArray[np.uint32]: ...
def philox_bootstrap_means(key: Any, values: NDArray[np.float64], count: int) -> NDArray[np.float64]: ...

# PLS path models
@final
class PlsEngine:
    """A compiled PLS path model. Immutable, shareable between threads, picklable (by its specification).

    `spec` holds plain values only:

    ``columns``      list of str: names of the data columns 0..p-1 (for messages and labels)
    ``constructs``   list of dict: name, mode ("A", "B", "nnls", "unit", "pca", "fixed"), columns (list of int);
                     optional: fixed (list of float, mode "fixed"), dominant (data column whose loading is made
                     positive, or None), reflective (bool, default False: PLSc corrects it when `consistent`),
                     reliability (known from elsewhere, in place of rho_A)
    ``higher_order`` list of dict: name, dimensions (list of node), mode, reflective, approach ("two-stage", "repeated")
    ``interactions`` list of dict: name, factors (list of node), method ("two-stage", "product", "orthogonal"), mode
    ``paths``        list of [from, to] (nodes), kept in this order
    ``links``        list of [a, b]: neighbours in the inner scheme without a path (default none)
    ``scheme``       "path" (default), "factorial", "centroid", "pca"
    ``raw``          bool (default False): indicators keep their own units
    ``consistent``   bool (default False); ``consistent_rule``: "factors" (default: only reflective blocks are
                     corrected) or "seminr" (mode A composites of a mixed model too)
    ``max_iter``     default 300;  ``tol``: default 1e-7, stop when sum |dw| < tol on standardised weights

    Nodes are numbered constructs first, then higher_order, then interactions.

    Items are numbered data columns first (0..p-1), then derived ones (a dimension's score, a product);
    `items` names them all.
    """

    def __new__(cls, spec: dict[str, Any]) -> Self: ...
    def __reduce__(self) -> tuple[Any, ...]: ...
    @property
    def spec(self) -> dict[str, Any]: ...
    @property
    def nodes(self) -> list[str]: ...
    @property
    def items(self) -> list[str]: ...
    @property
    def statistics(self) -> list[str]:
        """Names of all statistics that this model has, in the default order."""

    def layout(self, statistics: list[str] | None = None) -> dict[str, dict[str, Any]]:
        """Return where each statistic stands in the flat vector.

        Per name: ``start`` (int), ``length`` (int), ``kind`` (what a label row holds) and ``labels`` (int64 array
        (length, k), padded with -1). Kinds: "node-item" (weights, loadings, item_vif), "item-node" (cross_loadings),
        "from-to" (paths, total_effects, indirect_effects, f2, vif), "node" (r2, r2_adjusted, alpha, rho_a, rho_c, ave),
        "pair" (construct_correlations, htmt, htmt2; a < b), "chain" (specific_indirect: nodes of the chain),
        "fit" (srmr, d_uls, d_g, nfi: 0 = saturated, 1 = estimated; d_g with decadic logarithms), "item"
        (means, sds: data column).
        """

    def fit(
        self,
        data: NDArray[np.float64],
        *,
        statistics: list[str] | None = None,
        weights: NDArray[np.float64] | None = None,
        missing: str = "error",
        prepare: dict[str, Any] | None = None,
        kernel: str = "auto",
    ) -> dict[str, Any]:
        """Estimate once. `data` is (n, p), NaN = missing; `missing`: "error", "listwise", "mean", "pairwise".

        Keys: ``values`` (width,), ``status`` (int, see `pls_status`), ``detail`` (int: column or node, else -1),
        ``n_iter`` (per stage, counted from 1), ``converged``, ``n_obs`` (sum of weights of the rows used), ``scores``
        (n, nodes; NaN rows where listwise drops), ``means`` and ``sds`` (p,; n-1), ``correlations`` (items, items),
        ``construct_correlations`` (nodes, nodes; corrected under `consistent`), ``proxy_correlations`` (nodes, nodes),
        ``outer_weights`` (items, nodes; 0 where none), ``cross_loadings`` (items, nodes),
        ``path_matrix`` (from, to), ``rho_a`` (nodes,), ``kernel``, and with `prepare` ``prepared`` (n, p). A failed
        estimation is reported by `status`, not raised; malformed input raises DataError.

        `prepare` says what is done to the sample, from its row weights, before its moments are taken:
        ``{"kind": "regression"}``, ``{"kind": "em"}`` (both with missing="error"), ``{"kind": "spearman"}``,
        ``{"kind": "polychoric", "ordinal": [bool of each column]}``,
        ``{"kind": "scaling", "scales": ["numeric" | "ordinal" | "nominal" of each column]}``.
        """

    def replicate(
        self,
        data: NDArray[np.float64],
        plan: dict[str, Any],
        *,
        statistics: list[str] | None = None,
        weights: NDArray[np.float64] | None = None,
        missing: str = "error",
        prepare: dict[str, Any] | None = None,
        sign: str = "none",
        threads: int | None = None,
        progress: Callable[[int, int], object] | None = None,
        kernel: str = "auto",
    ) -> tuple[NDArray[np.float64], NDArray[np.int32], NDArray[np.int32]]:
        """Estimate every replicate of `plan`; returns values (B, width), status (B,), detail (B,).

        A failed replicate is a row of NaN with its status; an inadmissible one keeps its numbers and has a status.
        Plans (key = two uint64 words; `first` = number of the first replicate, default 0):

        ``{"kind": "bootstrap", "key": (a, b), "n": B, "first": 0, "strata": int array | None, "clusters": int array | None}``
        ``{"kind": "bayesian", "key": (a, b), "n": B, "first": 0}``
        ``{"kind": "jackknife"}`` (replicate i leaves row i out)
        ``{"kind": "permutation", "key": (a, b), "n": B, "groups": int array}`` (row b * G + g is group g of permutation b)
        ``{"kind": "folds", "folds": int array}`` (replicate k = all rows but fold k)
        ``{"kind": "indices", "indices": (B, m) int array}`` · ``{"kind": "weights", "weights": (B, n) float array}``

        `sign`: "none", "indicator", "construct".
        """

    def copula(
        self,
        data: NDArray[np.float64],
        plan: dict[str, Any],
        outcome: int,
        predictors: list[int],
        terms: list[bool],
        *,
        two_scope: bool = False,
        weights: NDArray[np.float64] | None = None,
        missing: str = "error",
        prepare: dict[str, Any] | None = None,
        threads: int | None = None,
        progress: Callable[[int, int], object] | None = None,
    ) -> tuple[NDArray[np.float64], NDArray[np.int32], NDArray[np.int32]]:
        """Estimate an equation with Gaussian copula terms in every replicate; nodes by number.

        Values (B, predictors + terms): coefficients of the predictors, then of the terms of those marked in `terms`.
        """

    def resample(
        self, data: NDArray[np.float64], plan: dict[str, Any], replicate: int, missing: str = "error"
    ) -> NDArray[np.float64]:
        """Row weights (n,) of one replicate of a plan (the same draws as `replicate`)."""

def pls_em(
    values: NDArray[np.float64],
    weights: NDArray[np.float64] | None = None,
    mean: NDArray[np.float64] | None = None,
    covariance: NDArray[np.float64] | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]] | None:
    """Return means, ML covariances and the data completed with conditional means; None if EM has not settled.

    `mean` and `covariance` are where it starts.
    """

def pls_polychoric(
    values: NDArray[np.float64], ordinal: list[bool], weights: NDArray[np.float64] | None = None
) -> NDArray[np.float64] | int:
    """Return polychoric, polyserial and Pearson correlations (p, p); the number of a column without variance instead."""

def pls_monotone(values: list[float], weights: list[float]) -> list[float]:
    """Return the closest sequence that never falls."""

def pls_cross_validate(
    engine: PlsEngine,
    data: NDArray[np.float64],
    folds: NDArray[np.int64],
    *,
    outcomes: list[int],
    owners: list[int],
    columns: list[int],
    chains: list[list[int]],
    regressors: list[list[int]],
    earliest: list[int] | None = None,
    whole: bool = False,
    in_sample: bool = False,
    weights: NDArray[np.float64] | None = None,
    missing: str = "error",
    threads: int | None = None,
    progress: Any = None,
    kernel: str = "auto",
) -> dict[str, Any]:
    """Predict each fold from the others.

    `folds` (repeats, n): fold of each row from zero; a row with a negative one is trained on and not predicted.
    `outcomes`: the endogenous nodes; `owners` (position among them), `columns` (data column) and `chains` (places of
    loadings in the flat vector of ["loadings", "paths"]) of each indicator predicted; `regressors`: data columns of
    the linear benchmark of each outcome; `earliest`: endogenous nodes, predecessors first, to predict from exogenous
    scores alone. Keys: ``predictions``, ``metrics``, ``losses`` (each a dict by "pls", "lm", "ia"), ``scores``
    (predicted, actual), ``score_metrics``, ``status`` and ``failed`` (repeats, folds).
    """

def pls_status() -> list[str]:
    """Names of the status codes: index = code."""

def multiply_add_limit(n: int, p: int, reps: int, kernel: str = "auto") -> float:
    """Run the bare multiply-adds of `reps` bootstrap moment matrices (0.632 n p (p + 1) / 2 each); time it outside."""

# system dynamics: the typed model, built by the readers
@final
class SdModel:
    """A typed system-dynamics model: what the readers build and the compiler takes. Immutable, shareable, picklable.

    A specification holds plain values:

    ``name``        str
    ``dialect``     "xmile" (default) or "vensim": in which equations are written and what functions mean
    ``time``        dict: initial_time, final_time, dt, save_step (None: each step), method ("euler", "rk2", "rk4", "rk45"), unit
    ``dimensions``  list of dict: name, elements (list of str), mappings (list of [target, elements])
    ``variables``   list of dict: name, kind ("stock", "flow", "auxiliary", "parameter", "lookup", "data"), dimensions,
                    equations, inflows, outflows, unit, comment, non_negative, limits ([low | None, high | None]), group,
                    interpolation (data: None, "linear", "hold", "forward", "raw"), options
        ``options``     list of dict: kind, parts (dict of texts), switches (list of str). Of a stock: "conveyor" (transit_time, capacity,
                        inflow_limit, sample, arrest; discrete, batch_integrity, one_at_a_time, exponential_leak), "queue", "oven"
                        (cook_time, capacity, fill_time, sample, arrest); of a flow: "leak" (fraction, start, end; integers),
                        "overflow", and how it spreads over a conveyor: "even", "dest", "source", "dist" (profile)
        ``equations``   list of dict: subscripts (list of str, elements or dimensions), except (list of list), source (text, of a stock
                        the initial value; Vensim: also INTEG(...)), initial (text or None: the value at the start where it differs),
                        table (None or dict: x, y, kind "continuous" | "extrapolate" | "discrete"), line
    ``macros``      list of dict: name, parameters, outputs, variables
    ``data``        list of dict: variable, element, times, values, interpolation
    ``units``       list of dict: name, equation, aliases

    Only `variables` with name and kind are needed; all else has the defaults above.
    """

    @staticmethod
    def from_spec(spec: dict[str, Any]) -> SdModel:
        """Build a model. Raises EquationError (with a caret) and SpecificationError; names are judged by `check` and `validate`."""

    @staticmethod
    def from_xmile(
        text: str, path: str = "", resolve: Callable[[str, list[str], list[int]], dict[str, Any]] | None = None
    ) -> SdModel:
        """Read an XMILE file's text. `path` is for messages. Raises ModelFileError, EquationError, UnsupportedError."""

    @staticmethod
    def from_vensim(
        text: str, path: str = "", resolve: Callable[[str, list[str], list[int]], dict[str, Any]] | None = None
    ) -> SdModel:
        """Read a Vensim .mdl file's text.

        `resolve(function, arguments, shape)` answers GET XLS/DIRECT calls: CONSTANTS {"values": flat}, DATA and LOOKUPS
        {"x": [...], "values": [list an element]}, SUBSCRIPT {"names": [...]}; its exceptions pass unchanged. Without it the
        calls stay in the model and are listed by `externals`.
        """

    @property
    def name(self) -> str: ...
    @property
    def dialect(self) -> str: ...
    def describe(self) -> dict[str, Any]:
        """Return the specification (`from_spec(describe())` is the same model), and per variable also ``line``,
        ``dependencies``, ``initial_dependencies`` (names).
        """

    def check(self) -> list[dict[str, Any]]:
        """Return all findings, errors first: severity ("error", "warning", "note"), code, variable, message, line, span, text."""

    def validate(self) -> None:
        """Raise the first error among the findings: EquationNameError, UnknownNameError, CircularError, EquationError, SpecificationError."""

    def externals(self) -> list[dict[str, Any]]:
        """Return the calls that wait for a file: variable, function, arguments, shape, line."""

    def with_data(
        self,
        variable: str,
        element: list[str],
        times: list[float],
        values: list[float],
        interpolation: str | None = None,
    ) -> SdModel:
        """Return the model with a series for a variable (or one element of it), which becomes a data variable."""

    def dependencies(self) -> dict[str, list[str]]: ...
    def loops(self, limit: int = 1000, independent: bool = False) -> dict[str, Any]:
        """Return feedback loops, the short ones first.

        ``loops`` (list of dict: variables, signs ("+" | "-" | "?", from the variable at the same place to the next), polarity
        ("+" reinforcing | "-" balancing | "?"), stocks, delayed (through a delay or smooth)), ``complete`` (bool: not cut at
        `limit`). `independent`: the shortest independent loop set (Oliva 2004) instead of all loops (Johnson 1975).
        """

    def links(self) -> list[dict[str, Any]]:
        """Return the links: cause, effect, sign ("+" | "-" | "?"), delayed (bool), initial (bool: sets the start only)."""

    @staticmethod
    def functions(dialect: str) -> list[dict[str, Any]]:
        """Return the functions of "xmile" or "vensim": name, signature, least, most (None: no limit), kind."""

    def pipes(self) -> list[tuple[str, str | None, str | None]]:
        """Each flow with the stock that it leaves and the one that it enters (None: a cloud).

        The net rate of a stock read from Vensim gives flows where each of its terms is the name of a rate.
        """
    def implied_units(self) -> dict[str, str]:
        """Return units that the equations imply for variables without one."""

    def to_xmile(self) -> str:
        """Return the text of an XMILE 1.0 file. Raises UnsupportedError with the name of what XMILE cannot say."""

    def to_vensim(self) -> str:
        """Return the text of a Vensim .mdl file. Raises UnsupportedError with the name of what Vensim cannot say."""

    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class SdProgram:
    """A model compiled for one set of saved variables, varied names, times and method. Frozen and shared by threads."""

    # `varied` and the run-time values: a variable ("reach"), an element ("reach[East]"), all elements of an array ("reach"),
    # the start of a stock ("INITIAL(customers)"), the shape of a lookup ("YSCALE(effect)", "XSCALE(…)", "YSHIFT(…)", "XSHIFT(…)").
    @staticmethod
    def compile(
        model: SdModel,
        save: list[str] | None = None,  # None: every variable that has a value over time
        varied: list[str] = ...,
        method: str | None = None,  # "euler" | "rk2" | "rk4" | "rk45"; None: what the model file says
        time: tuple[float, float, float, float | None] | None = None,  # initial, final, dt, save_step
        save_times: NDArray[np.float64] | None = None,  # in place of save_step
        tolerance: tuple[float, float] | None = None,  # relative, absolute; rk45 only
        kernel: str = "auto",
        # lookups and series whose points are run-time values, behind those of `varied`: name, how many points, whether each
        # run has its own x; the values of each are its x, where it has them, and its y
        curves: list[tuple[str, int, bool]] = ...,
    ) -> SdProgram: ...
    @property
    def columns(self) -> list[str]: ...  # flattened, `Name[E1,E2]` as written
    @property
    def layout(self) -> list[tuple[str, list[str], int, int]]: ...  # name, dimensions, first column, number of columns
    @property
    def times(self) -> NDArray[np.float64]: ...
    @property
    def defaults(self) -> NDArray[np.float64]: ...  # of `varied`, NaN where the default is no constant
    @property
    def method(self) -> str: ...
    @property
    def kernel(self) -> str: ...
    @property
    def dt(self) -> float: ...
    @property
    def tolerance(self) -> tuple[float, float]: ...  # of rk45: relative and absolute
    @property
    def random(self) -> bool: ...  # whether a run may draw random numbers
    @property
    def n_states(self) -> int: ...
    def disassemble(self, narrow: bool = False) -> str: ...  # narrow: the code for one run on its own
    # whether a run of the other one is the beginning of a run of this one: they differ in their final time alone
    def continues(self, other: SdProgram) -> bool: ...
    def state_name(self, index: int) -> str: ...  # the variable behind the `variable` of a status
    # values (times, columns); status 0 done, 1 not finite, 2 step too small; time and name of the first failure
    def run(
        self, values: NDArray[np.float64], seed: int = 0, run: int = 0
    ) -> tuple[NDArray[np.float64], int, float, int]: ...
    # design (runs, varied) → values (columns, times, runs), status u8, time f64, variable i32 (-1: none)
    def sweep(
        self,
        design: NDArray[np.float64],
        seed: int = 0,
        first_run: int = 0,
        threads: int | None = None,
        progress: Callable[[int, int], object] | None = None,
        block: int = 0,
    ) -> tuple[NDArray[np.float64], NDArray[np.uint8], NDArray[np.float64], NDArray[np.int32]]: ...
    # streaming statistics of the saved columns, memory independent of the number of runs
    def reduce(
        self,
        design: NDArray[np.float64],
        state: SdReduction,
        group: NDArray[np.int64] | None = None,
        seed: int = 0,
        first_run: int = 0,
        threads: int | None = None,
        progress: Callable[[int, int], object] | None = None,
        block: int = 0,
    ) -> tuple[NDArray[np.uint8], NDArray[np.float64], NDArray[np.int32]]: ...

@final
class SdReduction:
    """Running statistics by group, column and time."""

    def __new__(
        cls,
        program: SdProgram,
        groups: int = 1,
        quantiles: bool = True,
        compression: float = 100.0,
        thresholds: list[
            tuple[int, str, float]
        ] = ...,  # (column, ">" | ">=" | "<" | "<=", limit): exceedance and first passage
    ) -> Self: ...
    def count(self) -> NDArray[np.int64]: ...  # (groups, columns, times)
    def mean(self) -> NDArray[np.float64]: ...
    def variance(self) -> NDArray[np.float64]: ...
    def minimum(self) -> NDArray[np.float64]: ...
    def maximum(self) -> NDArray[np.float64]: ...
    def quantile(
        self, q: NDArray[np.float64], first: int = 0, stop: int | None = None
    ) -> NDArray[np.float64]: ...  # (groups, columns first to stop, times, q)
    def rank_error(
        self,
    ) -> NDArray[np.float64]: ...  # (groups, columns, times): proven, as a share of the ranks; 0 where exact
    def exceedance(self) -> NDArray[np.float64]: ...  # (groups, thresholds, times): share of runs beyond
    def first_passage(
        self,
    ) -> NDArray[np.float64]: ...  # (groups, thresholds, times + 1): share first beyond at that time; last: never
    def merge(self, other: SdReduction, threads: int | None = None) -> None: ...
    def clear(self) -> None: ...  # forgets every run
    def to_bytes(self) -> bytes: ...
    @staticmethod
    def from_bytes(data: bytes) -> SdReduction: ...
