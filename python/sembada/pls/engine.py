"""The bridge to the engine: a specification becomes the engine's plain numbers, and its flat vectors get labels."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any, Literal, TypeAlias, cast, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sembada import _core
from sembada.errors import (
    SpecificationError,
)
from sembada.pls.equations import effects, equations, solve
from sembada.pls.exchange import to_dict
from sembada.pls.specification import Path, Specification, choice, factors

__all__ = ["HigherOrder", "Layout", "Options", "Scheme", "System", "compiled", "seed_key"]

Scheme: TypeAlias = Literal["path", "factorial", "centroid", "pca"]
HigherOrder: TypeAlias = Literal["two-stage", "embedded", "repeated"]

_MODES = {"B-nonnegative": "nnls"}

#: A model with more specific indirect effects than this reports total indirect effects only.
CHAINS = 10_000
#: Statistics of the structural model; two-stage least squares has its own.
STRUCTURAL = frozenset(
    {"paths", "r2", "r2_adjusted", "total_effects", "indirect_effects", "specific_indirect", "f2", "vif"}
    | {"srmr", "d_uls", "d_g", "nfi"}
)

#: Explained variance in the model with all paths; two criteria compare with it.
SATURATED = "saturated_r2"

#: Names of the index levels of each kind of statistic.
LEVELS = {
    "from-to": ("predictor", "outcome"),
    "node-item": ("construct", "indicator"),
    "item-node": ("indicator", "construct"),
    "node": ("construct",),
    "pair": ("construct", "other"),
    "chain": ("path",),
    "fit": ("model",),
    "item": ("indicator",),
}


@dataclass(frozen=True, slots=True)
class Options:
    """How a model is estimated; every default stands here once.

    Parameters
    ----------
    scheme
        Inner weighting scheme.
    consistent
        Whether reflective blocks are corrected for attenuation; `"seminr"` corrects mode A composites as well.
    higher_order
        How higher-order constructs are estimated.
    max_iter
        Largest number of passes.
    tol
        The weights have settled when the sum of their absolute changes is below this.
    raw
        Whether indicators keep their own units, so that those with more variance count more.
    """

    scheme: Scheme = "path"
    consistent: bool | Literal["seminr"] = False
    higher_order: HigherOrder = "two-stage"
    max_iter: int = 300
    tol: float = 1e-7
    raw: bool = False

    def __post_init__(self) -> None:
        choice("scheme", self.scheme, get_args(Scheme))
        choice("higher_order", self.higher_order, get_args(HigherOrder))
        if self.consistent not in (True, False, "seminr"):
            raise SpecificationError(
                f"consistent={self.consistent!r}: expected True, False or 'seminr'", {"consistent": self.consistent}
            )
        if isinstance(self.max_iter, bool) or not isinstance(self.max_iter, (int, np.integer)) or self.max_iter < 1:
            raise SpecificationError(
                f"max_iter={self.max_iter!r}: expected a positive whole number, such as 300",
                {"max_iter": self.max_iter},
            )
        if not isinstance(self.tol, (int, float, np.floating)) or not 0 < self.tol < 1:
            raise SpecificationError(
                f"tol={self.tol!r}: expected a number between 0 and 1, such as 1e-7", {"tol": self.tol}
            )


@dataclass(frozen=True)
class Layout:
    """Where one statistic stands in the flat vector, with the labels of its rows.

    Parameters
    ----------
    name
        Name of the statistic.
    kind
        What its labels are.
    positions
        Positions in the flat vector, in the order of the tables.
    labels
        Labels in the same order, one tuple a position.
    """

    name: str
    kind: str
    positions: NDArray[np.int64]
    labels: tuple[tuple[str, ...], ...]

    @cached_property
    def index(self) -> pd.Index[Any]:
        """The labels as an index with named levels."""
        names = LEVELS[self.kind]
        if len(names) == 1:
            return pd.Index([label[0] for label in self.labels], name=names[0], dtype="object")
        if not self.labels:
            return pd.MultiIndex.from_arrays([[] for _ in names], names=names)
        return pd.MultiIndex.from_tuples(self.labels, names=names)


class System:
    """A specification with its options, ready to be estimated.

    Parameters
    ----------
    specification
        The model.
    options
        How it is estimated.
    """

    def __init__(self, specification: Specification, options: Options) -> None:
        self.specification = specification
        self.options = options
        self.nodes = (
            *(name for name in specification.measured if name not in specification.higher_order),
            *_nested(specification),
            *specification.terms,
        )
        self.equations = equations(specification) if specification.equations == "2sls" else ()
        self.engine = _core.PlsEngine(self._plain())
        self._layouts: dict[tuple[str, ...] | None, dict[str, Layout]] = {}

    def __reduce__(self) -> tuple[type[System], tuple[Specification, Options]]:
        return System, (self.specification, self.options)

    def _plain(self) -> dict[str, Any]:
        spec, options = self.specification, self.options
        node = {name: position for position, name in enumerate(self.nodes)}
        column = {name: position for position, name in enumerate(spec.columns)}
        scheme: str = options.scheme
        paths = [[node[path.predictor], node[path.outcome]] for path in spec.paths]
        links = [sorted((node[left], node[right])) for left, right in dict.fromkeys(spec.correlations)]
        if not spec.is_recursive:
            # In a loop each neighbour is predictor and outcome: its correlation counts, once.
            scheme = "factorial" if scheme == "path" else scheme
            pairs = dict.fromkeys((min(pair), max(pair)) for pair in map(tuple, paths))
            paths = [list(pair) for pair in pairs]
        constructs: list[dict[str, Any]] = []
        higher: list[dict[str, Any]] = []
        for name in self.nodes:
            if name in spec.terms:
                continue
            block = spec.block_of[name]
            entry: dict[str, Any] = {
                "name": name,
                "mode": _MODES.get(block.mode, block.mode),
                "reflective": block.kind == "reflective",
            }
            if name in spec.higher_order:
                entry["dimensions"] = [node[item] for item in block.indicators]
                entry["approach"] = options.higher_order
                higher.append(entry)
                continue
            entry["columns"] = [column[item] for item in block.indicators]
            if block.weights is not None:
                entry["fixed"] = list(block.weights)
            if block.reliability is not None:
                entry["reliability"] = float(block.reliability)
            if block.dominant is not None:
                entry["dominant"] = column[block.dominant]
            constructs.append(entry)
        return {
            "columns": list(spec.columns),
            "constructs": constructs,
            "higher_order": higher,
            "interactions": [
                {
                    "name": name,
                    "factors": [node[item] for item in factors(name)],
                    "method": spec.interactions,
                    "mode": _MODES.get(spec.term_modes.get(name, "A"), spec.term_modes.get(name, "A")),
                }
                for name in spec.terms
            ],
            "paths": paths,
            "links": links,
            "scheme": scheme,
            "raw": bool(options.raw),
            "consistent": bool(options.consistent),
            "consistent_rule": "seminr" if options.consistent == "seminr" else "factors",
            "max_iter": int(options.max_iter),
            "tol": float(options.tol),
        }

    @cached_property
    def n_chains(self) -> int:
        """Number of specific indirect effects: directed chains with at least one mediator."""
        spec = self.specification
        if not spec.is_recursive:
            return 0
        ways: dict[str, int] = {}

        def count(name: str) -> int:
            """Return the number of directed chains that start at a construct."""
            if name not in ways:
                ways[name] = sum(1 + count(path.outcome) for path in spec.paths if path.predictor == name)
            return ways[name]

        return sum(count(name) for name in spec.constructs) - len(spec.paths)

    @property
    def has_chains(self) -> bool:
        """Whether specific indirect effects are few enough to list; dense models have millions."""
        return self.n_chains <= CHAINS

    @cached_property
    def saturated(self) -> System | None:
        """The same measurement model with every path that keeps it recursive; `None` where that has no meaning."""
        spec = self.specification
        if spec.terms or self.equations or not spec.paths or not spec.is_recursive:
            return None
        order = [name for name in spec.measured if name in spec.exogenous]
        todo = list(spec.outcomes)
        while todo:
            ready = [name for name in todo if not set(spec.predictors(name)) & set(todo)]
            order += ready
            todo = [name for name in todo if name not in ready]
        paths = tuple(Path(before, name) for k, name in enumerate(order) for before in order[:k])
        return compiled(replace(spec, paths=paths, defined={}, instruments={}), self.options)

    @property
    def statistics(self) -> list[str]:
        """Names of all statistics that the model has."""
        if not self.equations:
            plain = [name for name in self.engine.statistics if name != "specific_indirect" or self.has_chains]
            return plain if self.saturated is None else [*plain, SATURATED]
        return [*(name for name in self.engine.statistics if name not in STRUCTURAL), *self._own(None)]

    def _own(self, statistics: Sequence[str] | None) -> list[str]:
        """Return the statistics that follow from two-stage least squares, not from the engine."""
        if not self.equations:
            return []
        own = ["paths", "r2", "total_effects", "indirect_effects"]
        return [name for name in own if statistics is None or name in statistics]

    def _engine_names(self, statistics: Sequence[str] | None) -> list[str] | None:
        if not self.equations:
            names = self.statistics if statistics is None else list(statistics)
            return [name for name in names if name != SATURATED]
        known = self.engine.statistics if statistics is None else statistics
        return list(dict.fromkeys([*(name for name in known if name not in STRUCTURAL), "construct_correlations"]))

    def layouts(self, statistics: Sequence[str] | None = None) -> dict[str, Layout]:
        """Return the layout of each statistic, in the order of the tables."""
        key = None if statistics is None else tuple(statistics)
        if key not in self._layouts:
            self._layouts[key] = self._make_layouts(statistics)
        return self._layouts[key]

    def _make_layouts(self, statistics: Sequence[str] | None) -> dict[str, Layout]:
        plain = self.engine.layout(self._engine_names(statistics))
        items = self.engine.items
        order = {name: position for position, name in enumerate(self.specification.constructs)}
        ranks = [order[name] for name in self.nodes]
        result: dict[str, Layout] = {}
        for name, entry in plain.items():
            kind: str = entry["kind"]
            rows: NDArray[np.int64] = np.asarray(entry["labels"], dtype=np.int64)
            labels: list[tuple[str, ...]] = []
            keys: list[tuple[int, ...]] = []
            for position, row in enumerate(rows.tolist()):
                label, key = self._label(kind, row, items, ranks)
                labels.append(label)
                keys.append((*key, position))
            arranged = sorted(range(len(labels)), key=keys.__getitem__)
            result[name] = Layout(
                name,
                kind,
                entry["start"] + np.asarray(arranged, dtype=np.int64),
                tuple(labels[position] for position in arranged),
            )
        start = sum(entry["length"] for entry in plain.values())
        own: list[tuple[str, ...]]
        for name in self._own(statistics):
            if name == "r2":
                kind, own = "node", [(equation.outcome,) for equation in self.equations]
            elif name == "paths":
                kind, own = "from-to", [(path.predictor, path.outcome) for path in self.specification.paths]
            else:
                kind, own = "from-to", list(self._reached())
            result[name] = Layout(name, kind, start + np.arange(len(own), dtype=np.int64), tuple(own))
            start += len(own)
        if statistics is not None and SATURATED in statistics:
            own = [(name,) for name in self.specification.outcomes]
            result[SATURATED] = Layout(SATURATED, "node", start + np.arange(len(own), dtype=np.int64), tuple(own))
        return result

    def _reached(self) -> list[tuple[str, str]]:
        """Return pairs with a directed way from the first to the second, in the order of the tables."""
        step: dict[str, list[str]] = {}
        for path in self.specification.paths:
            step.setdefault(path.predictor, []).append(path.outcome)
        result: list[tuple[str, str]] = []
        for source in self.specification.measured:
            seen: list[str] = []
            todo = list(step.get(source, ()))
            while todo:
                name = todo.pop(0)
                if name not in seen:
                    seen.append(name)
                    todo += step.get(name, ())
            result += [(source, name) for name in self.specification.measured if name in seen and name != source]
        return result

    def _extend(self, values: NDArray[np.float64], statistics: Sequence[str] | None) -> NDArray[np.float64]:
        """Append what follows from two-stage least squares to rows of the engine's statistics."""
        if not self.equations:
            return values
        layout = self.layouts(statistics)["construct_correlations"]
        names = list(self.specification.measured)
        place = {name: position for position, name in enumerate(names)}
        correlations = np.tile(np.eye(len(names)), (len(values), 1, 1))
        for (left, right), position in zip(layout.labels, layout.positions.tolist(), strict=True):
            correlations[:, place[left], place[right]] = values[:, position]
            correlations[:, place[right], place[left]] = values[:, position]
        coefficients, r2 = solve(correlations, names, self.equations)
        total = effects(coefficients)
        parts = [values]
        pairs = [(place[path.predictor], place[path.outcome]) for path in self.specification.paths]
        reached = [(place[source], place[target]) for source, target in self._reached()]
        for name in self._own(statistics):
            if name == "r2":
                parts.append(r2)
            elif name == "paths":
                parts.append(np.stack([coefficients[:, a, b] for a, b in pairs], axis=1))
            else:
                matrix = total if name == "total_effects" else total - coefficients
                parts.append(np.stack([matrix[:, a, b] for a, b in reached], axis=1))
        return np.concatenate(parts, axis=1)

    def fit(
        self,
        values: NDArray[np.float64],
        *,
        weights: NDArray[np.float64] | None,
        missing: str,
        prepare: dict[str, Any] | None = None,
        kernel: str,
        statistics: Sequence[str] | None = None,
    ) -> dict[str, Any]:
        """Estimate once; see `_core.PlsEngine.fit`."""
        result = self.engine.fit(
            values,
            statistics=self._engine_names(statistics),
            weights=weights,
            missing=missing,
            prepare=prepare,
            kernel=kernel,
        )
        if self.saturated is not None and statistics is not None and SATURATED in statistics:
            other = self.saturated.fit(
                values, weights=weights, missing=missing, prepare=prepare, kernel=kernel, statistics=["r2"]
            )
            own = self._of_saturated(np.asarray(other["values"], dtype=np.float64)[None])[0]
            result["values"] = np.concatenate([np.asarray(result["values"], dtype=np.float64), own])
        if self.equations:
            result["values"] = self._extend(np.asarray(result["values"], dtype=np.float64)[None], statistics)[0]
        return result

    def replicate(
        self,
        values: NDArray[np.float64],
        plan: dict[str, Any],
        *,
        statistics: Sequence[str],
        weights: NDArray[np.float64] | None,
        missing: str,
        prepare: dict[str, Any] | None = None,
        sign: str,
        threads: int | None,
        kernel: str,
        progress: Callable[[int, int], object] | None = None,
    ) -> tuple[NDArray[np.float64], NDArray[np.int32], NDArray[np.int32]]:
        """Estimate every replicate of a plan; see `_core.PlsEngine.replicate`."""
        draws, status, detail = self.engine.replicate(
            values,
            plan,
            statistics=self._engine_names(statistics),
            weights=weights,
            missing=missing,
            prepare=prepare,
            sign=sign,
            threads=threads,
            progress=progress,
            kernel=kernel,
        )
        draws = self._extend(draws, statistics)
        if self.saturated is not None and SATURATED in statistics:
            other = self.saturated.replicate(
                values, plan, statistics=["r2"], weights=weights, missing=missing, prepare=prepare, sign=sign,
                threads=threads, kernel=kernel,
            )[0]  # fmt: skip
            draws = np.concatenate([draws, self._of_saturated(other)], axis=1)
        return draws, status, detail

    def _of_saturated(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Take the explained variances of this model's outcomes from those of the saturated model."""
        assert self.saturated is not None
        layout = self.saturated.layouts(["r2"])["r2"]
        place = {label[0]: position for label, position in zip(layout.labels, layout.positions.tolist(), strict=True)}
        return values[:, [place[name] for name in self.specification.outcomes]]

    def _label(
        self, kind: str, row: list[int], items: list[str], ranks: list[int]
    ) -> tuple[tuple[str, ...], tuple[int, ...]]:
        """Return the label of one position and what it is sorted by."""
        nodes = self.nodes
        if kind == "from-to":
            return (nodes[row[0]], nodes[row[1]]), ()
        if kind == "node-item":
            return (nodes[row[0]], items[row[1]]), (ranks[row[0]],)
        if kind == "item-node":
            return (items[row[0]], nodes[row[1]]), ()
        if kind == "node":
            return (nodes[row[0]],), (ranks[row[0]],)
        if kind == "pair":
            first, second = sorted(row[:2], key=ranks.__getitem__)
            return (nodes[first], nodes[second]), (ranks[first], ranks[second])
        if kind == "chain":
            return (" → ".join(nodes[item] for item in row if item >= 0),), ()
        if kind == "item":
            return (items[row[0]],), ()
        return (("saturated", "estimated")[row[0]],), ()

    def digest(self) -> str:
        """Return the SHA-256 of the model."""
        text = json.dumps(to_dict(self.specification), sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()


@lru_cache(maxsize=16)
def compiled(specification: Specification, options: Options) -> System:
    """Return the system of a specification; equal ones share it, since it cannot change."""
    return System(specification, options)


def _nested(specification: Specification) -> list[str]:
    """Higher-order constructs, each after the ones that measure it."""
    done: list[str] = []

    def visit(name: str) -> None:
        for item in specification.dimensions(name):
            if item in specification.higher_order:
                visit(item)
        if name not in done:
            done.append(name)

    for name in specification.higher_order:
        visit(name)
    return done


def seed_key(seed: int | None) -> tuple[int, tuple[int, int]]:
    """Return the seed, fresh from the system if `None`, and the two words of the Philox key made from it."""
    if seed is not None and (isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0):
        raise SpecificationError(
            f"seed={seed!r}: expected a whole number that is not negative, or None", {"seed": seed}
        )
    sequence = np.random.SeedSequence(None if seed is None else int(seed))
    first, second = sequence.generate_state(2, np.uint64).tolist()
    return int(cast(int, sequence.entropy)), (int(first), int(second))
