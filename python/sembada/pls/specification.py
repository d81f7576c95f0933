"""The specification of a PLS path model: blocks, paths, interactions, and the checks on them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal, TypeAlias, cast, get_args

from sembada.errors import CircularError, SpecificationError, near, unknown_name
from sembada.pls.derived import names_in

__all__ = ["Block", "Equations", "Interactions", "Kind", "Mode", "Path", "Specification"]

Mode: TypeAlias = Literal["A", "B", "B-nonnegative", "unit", "pca", "fixed"]
Kind: TypeAlias = Literal["reflective", "composite"]
Interactions: TypeAlias = Literal["two-stage", "product", "orthogonal"]
Equations: TypeAlias = Literal["ols", "2sls"]


def choice(option: str, value: object, allowed: Iterable[str]) -> str:
    """Return `value` if it is one of the `allowed` words of an option; else raise with near matches."""
    allowed = tuple(allowed)
    if isinstance(value, str) and value in allowed:
        return value
    matches = near(value, allowed) if isinstance(value, str) else []
    hint = f"; did you mean {matches[0]!r}?" if matches else ""
    raise SpecificationError(
        f"{option}={value!r}: expected one of {', '.join(repr(item) for item in allowed)}{hint}",
        {"option": option, "value": value, "allowed": allowed},
    )


@dataclass(frozen=True, slots=True)
class Block:
    """A construct and what measures it.

    Parameters
    ----------
    construct
        Name of the construct.
    indicators
        Names of data columns, or of other constructs (then this is a higher-order construct).
    mode
        How the outer weights are estimated: `"A"` (correlations), `"B"` (regression), `"B-nonnegative"`, `"unit"`
        (sum of the standardised indicators), `"pca"` (first principal component) or `"fixed"` (given `weights`).
    kind
        `"reflective"` (a common factor, corrected by consistent PLS) or `"composite"`.
    weights
        The weights of mode `"fixed"`, relative to the standardised indicators.
    dominant
        The indicator whose loading must be positive; it decides the sign of the construct.
    reliability
        A reliability known from elsewhere, above 0 and up to 1; consistent PLS takes it in place of rho_A, for a
        single indicator too.
    """

    construct: str
    indicators: tuple[str, ...]
    mode: Mode = "A"
    kind: Kind = "reflective"
    weights: tuple[float, ...] | None = None
    dominant: str | None = None
    reliability: float | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.construct, str) or not self.construct.strip():
            raise SpecificationError(f"a construct needs a name, got {self.construct!r}", {"construct": self.construct})
        if not self.indicators:
            raise SpecificationError(
                f"construct {self.construct!r} has an empty block: give it at least one indicator",
                {"construct": self.construct},
            )
        for position, indicator in enumerate(self.indicators):
            if not isinstance(indicator, str):
                raise SpecificationError(
                    f"construct {self.construct!r}, indicator {position + 1}: expected a column name, "
                    f"got {indicator!r}",
                    {"construct": self.construct, "indicator": indicator},
                )
            if indicator in self.indicators[:position]:
                raise SpecificationError(
                    f"construct {self.construct!r} lists the indicator {indicator!r} twice: remove one",
                    {"construct": self.construct, "indicator": indicator},
                )
        choice(f"construct {self.construct!r}: mode", self.mode, get_args(Mode))
        choice(f"construct {self.construct!r}: kind", self.kind, get_args(Kind))
        if (self.mode == "fixed") != (self.weights is not None):
            raise SpecificationError(
                f"construct {self.construct!r}: mode 'fixed' and weights= go together, "
                f"got mode {self.mode!r} and weights {self.weights!r}",
                {"construct": self.construct, "mode": self.mode, "weights": self.weights},
            )
        if self.weights is not None:
            if len(self.weights) != len(self.indicators):
                raise SpecificationError(
                    f"construct {self.construct!r} has {len(self.indicators)} indicators and {len(self.weights)} "
                    "fixed weights: expected as many weights as indicators",
                    {"construct": self.construct, "weights": self.weights},
                )
            if not all(math.isfinite(weight) for weight in self.weights) or not any(self.weights):
                raise SpecificationError(
                    f"construct {self.construct!r}: fixed weights must be finite and not all zero, "
                    f"got {self.weights!r}",
                    {"construct": self.construct, "weights": self.weights},
                )
        if self.reliability is not None and not (
            isinstance(self.reliability, (int, float)) and 0 < self.reliability <= 1
        ):
            raise SpecificationError(
                f"construct {self.construct!r}: reliability={self.reliability!r}, expected a number above 0, up to 1",
                {"construct": self.construct, "reliability": self.reliability},
            )
        if self.dominant is not None and self.dominant not in self.indicators:
            raise unknown_name(
                "dominant indicator", self.dominant, self.indicators, where=f"the block of {self.construct!r}"
            )


@dataclass(frozen=True, slots=True)
class Path:
    """A directed relation of the structural model.

    Parameters
    ----------
    predictor
        A construct, or an interaction such as `"Image:Quality"`.
    outcome
        The construct that is explained.
    label
        A name for the coefficient, or `None`.
    """

    predictor: str
    outcome: str
    label: str | None = None


def factors(name: str) -> tuple[str, ...]:
    """Split the name of an interaction into its constructs."""
    return tuple(name.split(":"))


@dataclass(frozen=True)
class Specification:
    """A checked path model. Equal specifications compare equal and give the same numbers.

    Parameters
    ----------
    blocks
        The measured constructs in the order of the tables.
    paths
        The structural model in the order of the tables.
    correlations
        Pairs of constructs that are linked without a direction.
    interactions
        How the interaction terms are made.
    equations
        `"ols"`, or `"2sls"` for models with feedback loops or endogenous predictors.
    instruments
        For `"2sls"`: outcome → constructs that serve as instruments; all exogenous constructs if an outcome is not
        listed.
    defined
        Quantities computed from labelled paths: name → expression.
    term_modes
        Outer modes of interactions that have several products: name → mode; mode A if an interaction is not listed.

    Raises
    ------
    SpecificationError
        If a name is doubled, a block is empty or a construct has no relation.
    UnknownNameError
        If a path names a construct that no block measures.
    CircularError
        If the paths, or the higher-order constructs, form a circle.
    """

    blocks: tuple[Block, ...]
    paths: tuple[Path, ...]
    correlations: tuple[tuple[str, str], ...] = ()
    interactions: Interactions = "two-stage"
    equations: Equations = "ols"
    instruments: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    defined: Mapping[str, str] = field(default_factory=dict, hash=False)
    term_modes: Mapping[str, Mode] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        choice("interactions", self.interactions, get_args(Interactions))
        choice("equations", self.equations, get_args(Equations))
        self._check_blocks()
        self._check_paths()
        self._check_circles()
        self._check_labels()

    # ------------------------------------------------------------------ names

    @cached_property
    def measured(self) -> tuple[str, ...]:
        """Names of the constructs that have a block."""
        return tuple(block.construct for block in self.blocks)

    @cached_property
    def terms(self) -> tuple[str, ...]:
        """Names of the interactions, in the order in which the paths use them."""
        return tuple(dict.fromkeys(path.predictor for path in self.paths if ":" in path.predictor))

    @cached_property
    def constructs(self) -> tuple[str, ...]:
        """Names of all constructs of the tables: the measured ones, then the interactions."""
        return self.measured + self.terms

    @cached_property
    def higher_order(self) -> tuple[str, ...]:
        """Names of the constructs that are measured by constructs."""
        known = set(self.measured)
        return tuple(
            block.construct
            for block in self.blocks
            if any(item in known and item != block.construct for item in block.indicators)
        )

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Names of the data columns that the model needs, in the order of first use."""
        known = set(self.measured)
        higher = set(self.higher_order)
        return tuple(
            dict.fromkeys(
                item
                for block in self.blocks
                for item in block.indicators
                if not (block.construct in higher and item in known)
            )
        )

    @cached_property
    def block_of(self) -> dict[str, Block]:
        """The block of each measured construct."""
        return {block.construct: block for block in self.blocks}

    def dimensions(self, construct: str) -> tuple[str, ...]:
        """Return the constructs that measure a higher-order construct, or nothing for a first-order one."""
        if construct not in self.higher_order:
            return ()
        return tuple(item for item in self.block_of[construct].indicators if item in self.block_of)

    def predictors(self, outcome: str) -> tuple[str, ...]:
        """Return the predictors of an outcome in written order."""
        return tuple(path.predictor for path in self.paths if path.outcome == outcome)

    @cached_property
    def outcomes(self) -> tuple[str, ...]:
        """Names of the constructs that are explained, in the order of the tables."""
        explained = {path.outcome for path in self.paths}
        return tuple(name for name in self.measured if name in explained)

    @cached_property
    def exogenous(self) -> tuple[str, ...]:
        """Names of the constructs of the structural model that nothing explains."""
        explained = {path.outcome for path in self.paths}
        used = {path.predictor for path in self.paths}
        return tuple(name for name in self.measured if name in used and name not in explained)

    @cached_property
    def is_recursive(self) -> bool:
        """Whether the paths have no feedback loop."""
        return _circle(self._edges()) is None

    # ----------------------------------------------------------------- checks

    def _check_blocks(self) -> None:
        if not self.blocks:
            raise SpecificationError("the model has no construct: give it blocks, such as 'Image =~ IMAG1 + IMAG2'")
        seen: set[str] = set()
        for block in self.blocks:
            if ":" in block.construct:
                raise SpecificationError(
                    f"construct {block.construct!r}: a colon marks an interaction and cannot be part of a name",
                    {"construct": block.construct},
                )
            if block.construct in seen:
                raise SpecificationError(
                    f"construct {block.construct!r} has two blocks: merge them", {"construct": block.construct}
                )
            seen.add(block.construct)
        for name in self.higher_order:
            mixed = [item for item in self.block_of[name].indicators if item not in seen]
            if mixed:
                raise SpecificationError(
                    f"construct {name!r} is measured by constructs and by {mixed[0]!r}, which is not one: give "
                    f"{mixed[0]!r} a block of its own ('{mixed[0]}_ =~ {mixed[0]}') and use that",
                    {"construct": name, "indicator": mixed[0]},
                )

    def _check_paths(self) -> None:
        known = set(self.measured)
        done: set[tuple[str, str]] = set()
        for path in self.paths:
            place = f"the paths to {path.outcome!r}"
            if ":" in path.outcome:
                raise SpecificationError(
                    f"the interaction {path.outcome!r} cannot be an outcome: only constructs are explained",
                    {"outcome": path.outcome},
                )
            if path.outcome not in known:
                raise unknown_name("construct", path.outcome, self.measured, where="the paths")
            for name in factors(path.predictor):
                if name not in known:
                    raise unknown_name("construct", name, self.measured, where=place)
            key = (path.predictor, path.outcome)
            if key in done:
                raise SpecificationError(
                    f"the path {path.predictor} → {path.outcome} is written twice: remove one",
                    {"predictor": path.predictor, "outcome": path.outcome},
                )
            done.add(key)
        for left, right in self.correlations:
            for name in (left, right):
                if name not in known:
                    raise unknown_name("construct", name, self.measured, where=f"the correlation {left} ~~ {right}")
        for outcome, names in self.instruments.items():
            if outcome not in self.outcomes:
                raise unknown_name("outcome", outcome, self.outcomes, where="instruments=")
            for name in names:
                if name not in known:
                    raise unknown_name("construct", name, self.measured, where=f"instruments of {outcome!r}")
        for name, mode in self.term_modes.items():
            if name not in self.terms:
                raise unknown_name("interaction", name, self.terms, where="the modes of interactions")
            choice(f"mode of {name}", mode, (word for word in get_args(Mode) if word != "fixed"))
        for block in self.blocks:
            if block.reliability is not None and block.construct in self.higher_order:
                raise SpecificationError(
                    f"construct {block.construct!r} is of a higher order: its reliability follows from its dimensions, "
                    "so it cannot be given",
                    {"construct": block.construct},
                )
        if not self.paths and not self.correlations:
            raise SpecificationError(
                "the model has no structural part: add paths ('Satisfaction ~ Image'), or correlations "
                "('Satisfaction ~~ Image')"
            )
        related = {name for path in self.paths for name in (*factors(path.predictor), path.outcome)}
        related |= {name for pair in self.correlations for name in pair}
        related |= {name for higher in self.higher_order for name in self.dimensions(higher)}
        for name in self.measured:
            if name not in related:
                raise SpecificationError(
                    f"construct {name!r} has no path: connect it ('{name} ~ …' or '… ~ {name}'), or leave it out",
                    {"construct": name},
                )

    def _check_labels(self) -> None:
        labels = [path.label for path in self.paths if path.label is not None]
        for position, label in enumerate(labels):
            if label in labels[:position]:
                raise SpecificationError(
                    f"the label {label!r} stands on two paths: PLS cannot make coefficients equal, give each its own",
                    {"label": label},
                )
        known = list(labels)
        for name, expression in self.defined.items():
            if name in known:
                raise SpecificationError(f"{name!r} is defined twice, or is the label of a path", {"name": name})
            names_in(name, expression, known)
            known.append(name)

    def _edges(self) -> dict[str, list[str]]:
        edges: dict[str, list[str]] = {}
        for path in self.paths:
            for name in factors(path.predictor):
                edges.setdefault(name, []).append(path.outcome)
        return edges

    def _check_circles(self) -> None:
        nesting = {name: list(self.dimensions(name)) for name in self.higher_order}
        circle = _circle(nesting)
        if circle is not None:
            raise CircularError(f"a higher-order construct measures itself: {' =~ '.join(circle)}", {"cycle": circle})
        if self.equations == "ols":
            circle = _circle(self._edges())
            if circle is not None:
                raise CircularError(
                    f"the paths form a circle: {' → '.join(circle)}. Ordinary least squares cannot estimate it: "
                    "remove a path, or use equations='2sls' if the model has instruments",
                    {"cycle": circle},
                )

    # ---------------------------------------------------------------- changes

    def with_modes(self, modes: Mapping[str, str]) -> Specification:
        """Return the specification with other outer modes."""
        for name in modes:
            if name not in self.constructs:
                raise unknown_name("construct", name, self.constructs, where="modes=")
        terms = {name: cast(Mode, mode) for name, mode in modes.items() if name in self.terms}
        return replace(
            self,
            term_modes={**self.term_modes, **terms},
            blocks=tuple(
                replace(
                    block,
                    mode=cast(Mode, choice(f"modes[{block.construct!r}]", modes[block.construct], get_args(Mode))),
                    weights=block.weights if modes[block.construct] == "fixed" else None,
                )
                if block.construct in modes
                else block
                for block in self.blocks
            ),
        )


def _circle(edges: Mapping[str, Sequence[str]]) -> list[str] | None:
    """Return the first circle of a directed graph as a closed walk, or `None`; depth-first, in written order."""
    done: set[str] = set()
    for root in edges:
        if root in done:
            continue
        trail: list[str] = []
        stack: list[tuple[str, int]] = [(root, 0)]
        while stack:
            node, position = stack.pop()
            if position == 0:
                trail.append(node)
            following = edges.get(node, ())
            if position < len(following):
                stack.append((node, position + 1))
                target = following[position]
                if target in trail:
                    return [*trail[trail.index(target) :], target]
                if target not in done:
                    stack.append((target, 0))
            else:
                done.add(node)
                trail.pop()
    return None
