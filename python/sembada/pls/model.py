"""The model: what a user writes, and `fit`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast, get_args

import pandas as pd

from sembada.errors import SpecificationError
from sembada.pls import exchange, lavaan
from sembada.pls.blocks import block
from sembada.pls.equations import equations as identified
from sembada.pls.estimation import estimate
from sembada.pls.fit import Fit
from sembada.pls.matrices import path_pairs
from sembada.pls.specification import Block, Equations, Interactions, Path, Specification, choice

__all__ = ["Model"]


class Model:
    """A PLS path model.

    Parameters
    ----------
    text
        The model in lavaan's operators as cSEM reads them: `=~` reflective block (mode A), `<~` composite block
        (mode B), `~` paths, `a:b` an interaction, `a:a` a quadratic term. A construct that is measured by constructs
        is a higher-order construct. A `Specification` is taken as it is.
    blocks
        In place of a text: blocks made by `pls.block`, or a mapping construct → indicators (mode A).
    paths
        With `blocks`: a mapping outcome → predictors, or pairs (predictor, outcome).
    modes
        Outer modes that override the ones of the blocks: construct → `"A"`, `"B"`, `"B-nonnegative"`, `"unit"`,
        `"pca"`. An interaction that has several products may stand here too (`"Image:Quality"`).
    interactions
        How interaction terms are made: `"two-stage"` (product of the scores of a first stage), `"product"` (products
        of all indicators) or `"orthogonal"` (those products, freed of their linear part).
    equations
        `"ols"`; `"2sls"` for models with feedback loops or endogenous predictors.
    instruments
        With `"2sls"`: outcome → constructs used as instruments.

    Raises
    ------
    EquationError
        If the text cannot be read.
    SpecificationError
        If the model cannot be: an empty block, a doubled path, a construct without a relation.
    UnknownNameError
        If a path names a construct that nothing measures; lists near matches.
    CircularError
        If the paths form a circle; shows it.

    Examples
    --------
    >>> model = Model('''
    ...     Image   =~ IMAG1 + IMAG2
    ...     Loyalty =~ CUSL1 + CUSL2
    ...     Loyalty ~ Image
    ... ''')
    >>> model
    Model(2 constructs, 4 indicators, 1 path)
    >>> Model(blocks=[block("Image", ["IMAG1", "IMAG2"]), block("Loyalty", ["CUSL1", "CUSL2"])],
    ...       paths={"Loyalty": ["Image"]}) == model
    True
    """

    __slots__ = ("_specification",)
    _specification: Specification

    def __init__(
        self,
        text: str | Specification | None = None,
        *,
        blocks: Iterable[Block] | Mapping[str, Sequence[str]] | None = None,
        paths: Mapping[str, str | Sequence[str]] | Iterable[tuple[str, str]] | None = None,
        modes: Mapping[str, str] | None = None,
        interactions: str | None = None,
        equations: str | None = None,
        instruments: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        if isinstance(text, Specification):
            specification = text
        elif text is not None:
            if blocks is not None or paths is not None:
                raise SpecificationError("give the model as text, or as blocks= and paths=, not as both")
            if not isinstance(text, str):
                raise SpecificationError(
                    f"the model is a {type(text).__name__}: expected a text, or blocks= and paths="
                )
            specification = lavaan.parse(text, equations=equations)
        else:
            if blocks is None:
                raise SpecificationError("the model is empty: give a text, or blocks= and paths=")
            specification = Specification(_blocks(blocks), _paths(paths), equations=_equations(equations))
        if interactions is not None:
            word = cast(Interactions, choice("interactions", interactions, get_args(Interactions)))
            specification = replace(specification, interactions=word)
        if equations is not None:
            specification = replace(specification, equations=_equations(equations))
        if instruments is not None:
            named = {outcome: tuple(names) for outcome, names in instruments.items()}
            specification = replace(specification, instruments=named)
        if modes:
            specification = specification.with_modes(modes)
        if specification.equations == "2sls":
            identified(specification)
        object.__setattr__(self, "_specification", specification)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("a model cannot be changed; make another one")

    def __reduce__(self) -> tuple[type[Model], tuple[Specification]]:
        return Model, (self._specification,)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Model) and self._specification == other._specification

    def __hash__(self) -> int:
        return hash(self._specification)

    def __repr__(self) -> str:
        spec = self._specification
        parts = [(len(spec.constructs), "construct"), (len(spec.columns), "indicator"), (len(spec.paths), "path")]
        return f"Model({', '.join(f'{count} {word}' + 's' * (count != 1) for count, word in parts)})"

    def __str__(self) -> str:
        return lavaan.write(self._specification)

    # ------------------------------------------------------------------ parts

    @property
    def specification(self) -> Specification:
        """The checked specification."""
        return self._specification

    @property
    def constructs(self) -> tuple[str, ...]:
        """Names of the constructs in the order of the tables; interactions last."""
        return self._specification.constructs

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the data columns that the model needs."""
        return self._specification.columns

    @property
    def paths(self) -> tuple[tuple[str, str], ...]:
        """Pairs (predictor, outcome) in the order of the tables."""
        return tuple((path.predictor, path.outcome) for path in self._specification.paths)

    # --------------------------------------------------------------- exchange

    def to_dict(self) -> dict[str, Any]:
        """Return the model as dictionaries, lists, texts and numbers only.

        Examples
        --------
        >>> Model("A =~ a ; B =~ b ; B ~ A").to_dict()["paths"]
        [{'predictor': 'A', 'outcome': 'B'}]
        """
        return exchange.to_dict(self._specification)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Model:
        """Make a model from what `to_dict` returns.

        Examples
        --------
        >>> model = Model("A =~ a ; B =~ b ; B ~ A")
        >>> Model.from_dict(model.to_dict()) == model
        True
        """
        return cls(exchange.from_dict(data))

    def to_json(self, *, indent: int | None = 2) -> str:
        """Return the model as JSON."""
        return exchange.to_json(self._specification, indent=indent)

    @classmethod
    def from_json(cls, text: str) -> Model:
        """Make a model from JSON."""
        return cls(exchange.from_json(text))

    def to_toml(self) -> str:
        """Return the model as TOML."""
        return exchange.to_toml(self._specification)

    @classmethod
    def from_toml(cls, text: str) -> Model:
        """Make a model from TOML."""
        return cls(exchange.from_toml(text))

    @classmethod
    def from_matrix(
        cls,
        matrix: Any,
        blocks: Iterable[Block] | Mapping[str, Sequence[str]],
        *,
        modes: Mapping[str, str] | None = None,
        interactions: str | None = None,
    ) -> Model:
        """Make a model from a path matrix, as plspm takes it.

        Parameters
        ----------
        matrix
            A square table or array of zeros and ones: row = outcome, column = predictor. The rows and columns of a
            table are named; those of an array are in the order of the blocks.
        blocks
            Blocks made by `pls.block`, or a mapping construct → indicators.
        modes, interactions
            As in `Model`.

        Raises
        ------
        SpecificationError
            If the matrix is not square, does not fit the blocks, or holds anything but zeros and ones.

        Examples
        --------
        >>> model = Model.from_matrix([[0, 0], [1, 0]], {"A": ["a1", "a2"], "B": ["b1"]})
        >>> model.paths
        (('A', 'B'),)
        >>> model.to_matrix().loc["B", "A"].item()
        1
        """
        return cls(blocks=(made := _blocks(blocks)), paths=path_pairs(matrix, made), modes=modes,
                   interactions=interactions)  # fmt: skip

    def to_matrix(self) -> pd.DataFrame:
        """Return the paths as a matrix of zeros and ones: row = outcome, column = predictor, as plspm takes it."""
        names = pd.Index(self.constructs, name="outcome", dtype="object")
        table = pd.DataFrame(0, index=names, columns=names.rename("predictor"))
        for predictor, outcome in self.paths:
            table.loc[outcome, predictor] = 1
        return table

    # -------------------------------------------------------------------- fit

    def fit(
        self,
        data: Any,
        *,
        scheme: str = "path",
        consistent: bool | str = False,
        missing: str = "error",
        weights: Any = None,
        higher_order: str = "two-stage",
        max_iter: int = 300,
        tol: float = 1e-7,
        missing_value: float | Sequence[float] | None = None,
        correlation: str = "pearson",
        ordinal: Sequence[str] | bool | None = None,
        scaling: str | Mapping[str, str] | None = None,
        kernel: str = "auto",
    ) -> Fit:
        """Estimate the model.

        Parameters
        ----------
        data
            A pandas, polars or pyarrow table with a row for each respondent. Only the model's columns are looked at.
        scheme
            Inner weighting: `"path"` (regression on predictors, correlation with outcomes), `"factorial"`
            (correlations), `"centroid"` (their signs) or `"pca"`.
        consistent
            Correct reflective blocks for attenuation (PLSc; Dijkstra & Henseler 2015). `"seminr"` corrects mode A
            composites of a mixed model too.
        missing
            `"error"`, `"listwise"`, `"mean"`, `"pairwise"`, `"regression"` (predictions from the other answers) or
            `"em"` (moments by expectation–maximisation). Each is applied to the sample at hand, so inside each
            resample of a bootstrap as well. For multiple imputation see `pls.pool`.
        weights
            Row weights: the name of a column, or an array of length `n_obs`. A weight of 2 counts as two rows.
        higher_order
            `"two-stage"` (disjoint), `"embedded"` (two-stage after repeated indicators) or `"repeated"`.
        max_iter
            Largest number of passes.
        tol
            The weights have settled when the sum of their absolute changes is below this.
        missing_value
            One or more numbers that stand for a missing answer, such as −99.
        correlation
            `"pearson"`; `"polychoric"` for ordinal answers (ordinal PLS; with `consistent`, ordinal PLSc); or
            `"spearman"`, which extreme answers hardly move.
        ordinal
            The ordinal columns, or `True` for all, with `"polychoric"`; by default columns of at most ten whole
            numbers.
        scaling
            Non-metric PLS: a scale for all columns, or a mapping column → scale. `"ordinal"` and `"nominal"` give
            their categories the best numbers (Russolillo 2012; they are in `Fit.category_values`); `"numeric"`
            standardises, as without `scaling`; `"raw"` leaves indicators in their own units, so that those with more
            variance count more in mode A, `"unit"` and `"pca"`. As in plspm, raw holds only if all columns are raw:
            beside other scales it means `"numeric"`.
        kernel
            `"auto"`, or `"portable"` for the same bits on every processor.

        Returns
        -------
        Fit
            The frozen result.

        Raises
        ------
        UnknownNameError
            If a column is not in the data.
        DataError
            If a column holds text, an infinite value or no variance, values are missing and `missing="error"`, or
            there are fewer rows than the model needs.
        ConvergenceError
            If the weights have not settled after `max_iter` passes.

        Examples
        --------
        >>> import numpy as np, pandas as pd
        >>> rng = np.random.default_rng(1)
        >>> factor = rng.normal(size=100)
        >>> frame = pd.DataFrame({name: factor + rng.normal(size=100) for name in ("a", "b", "c", "d")})
        >>> fit = Model("X =~ a + b ; Y =~ c + d ; Y ~ X").fit(frame)
        >>> fit.converged
        True
        """
        return estimate(
            self,
            data,
            scheme=scheme,
            consistent=consistent,
            missing=missing,
            weights=weights,
            higher_order=higher_order,
            max_iter=max_iter,
            tol=tol,
            missing_value=missing_value,
            correlation=correlation,
            ordinal=ordinal,
            scaling=scaling,
            kernel=kernel,
        )


def _equations(word: str | None) -> Equations:
    return cast(Equations, choice("equations", "ols" if word is None else word, get_args(Equations)))


def _blocks(blocks: Iterable[Block] | Mapping[str, Sequence[str]]) -> tuple[Block, ...]:
    if isinstance(blocks, Mapping):
        return tuple(block(name, indicators) for name, indicators in blocks.items())
    result = tuple(blocks)
    for position, item in enumerate(result):
        if not isinstance(item, Block):
            raise SpecificationError(
                f"blocks[{position}] is {item!r}: expected pls.block('Image', ['IMAG1', …])", {"position": position}
            )
    return result


def _paths(paths: Mapping[str, str | Sequence[str]] | Iterable[tuple[str, str]] | None) -> tuple[Path, ...]:
    if paths is None:
        return ()
    if isinstance(paths, Mapping):
        return tuple(
            Path(predictor, outcome)
            for outcome, names in paths.items()
            for predictor in ((names,) if isinstance(names, str) else names)
        )
    result: list[Path] = []
    for position, pair in enumerate(paths):
        if isinstance(pair, str) or len(pair) != 2:
            raise SpecificationError(
                f"paths[{position}] is {pair!r}: expected a pair (predictor, outcome)", {"position": position}
            )
        result.append(Path(pair[0], pair[1]))
    return tuple(result)
