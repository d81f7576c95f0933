"""Systems of structural equations: two-stage least squares on the construct correlations.

Ordinary least squares needs a model without feedback and predictors that do not correlate with the error. With
instruments Z, `b = (R_xz R_zz⁻¹ R_zx)⁻¹ R_xz R_zz⁻¹ R_zy` needs neither (Theil 1953; Dijkstra & Henseler 2015 for
PLS). It takes the correlations of the constructs only, so draws of these become draws of the coefficients.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sembada.errors import SpecificationError, UnsupportedError
from sembada.pls.specification import Specification

__all__ = ["Equation", "effects", "equations", "solve"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Equation:
    """One structural equation.

    Parameters
    ----------
    outcome
        What is explained.
    predictors
        What explains it.
    instruments
        What it is estimated with; predictors that are exogenous are among them.
    """

    outcome: str
    predictors: tuple[str, ...]
    instruments: tuple[str, ...]


def equations(specification: Specification) -> tuple[Equation, ...]:
    """Return the equations of a model with their instruments.

    Parameters
    ----------
    specification
        The model.

    Returns
    -------
    tuple of Equation
        In the order of the outcomes.

    Raises
    ------
    SpecificationError
        If an equation has fewer instruments than predictors (the order condition).
    """
    free = list(specification.exogenous)
    if specification.terms:
        raise UnsupportedError(
            f"equations='2sls' does not go with the interaction {specification.terms[0]!r}: estimate it with 'ols'",
            {"interaction": specification.terms[0]},
        )
    result: list[Equation] = []
    for outcome in specification.outcomes:
        predictors = specification.predictors(outcome)
        given = specification.instruments.get(outcome)
        if given is None:
            instruments = tuple(free)
        else:
            if outcome in given:
                raise SpecificationError(
                    f"{outcome!r} cannot be an instrument of its own equation", {"outcome": outcome}
                )
            instruments = tuple(dict.fromkeys([*(name for name in predictors if name in free), *given]))
        if len(instruments) < len(predictors):
            raise SpecificationError(
                f"the equation of {outcome!r} has {len(predictors)} predictors and {len(instruments)} instruments "
                f"({', '.join(instruments) or 'none'}): two-stage least squares needs at least as many. Add exogenous "
                f"constructs that explain its predictors but not {outcome!r} itself",
                {"outcome": outcome, "predictors": predictors, "instruments": instruments},
            )
        result.append(Equation(outcome, predictors, instruments))
    return tuple(result)


def solve(correlations: Array, names: Sequence[str], system: Sequence[Equation]) -> tuple[Array, Array]:
    """Estimate all equations, for one or many correlation matrices.

    Parameters
    ----------
    correlations
        Construct correlations `(…, J, J)`.
    names
        Names of the constructs `(J,)`.
    system
        The equations.

    Returns
    -------
    coefficients
        `(…, J, J)`, from row to column.
    r2
        Explained variances `(…, number of equations)`; they may be negative, as always with instruments.

    Examples
    --------
    >>> r = np.array([[1, .5, .6], [.5, 1, .4], [.6, .4, 1.]])
    >>> equation = Equation("Y", ("X",), ("Z",))
    >>> float(solve(r, ["Z", "X", "Y"], [equation])[0][1, 2])
    1.2
    """
    place = {name: position for position, name in enumerate(names)}
    result = np.zeros_like(correlations)
    r2 = np.empty((*correlations.shape[:-2], len(system)))
    for number, equation in enumerate(system):
        x = [place[name] for name in equation.predictors]
        z = [place[name] for name in equation.instruments]
        y = place[equation.outcome]
        zx = correlations[..., np.ix_(z, x)[0], np.ix_(z, x)[1]]
        zy = correlations[..., z, y][..., None]
        if set(z) == set(x):
            b = _solve(correlations[..., np.ix_(x, x)[0], np.ix_(x, x)[1]], correlations[..., x, y][..., None])
        else:
            zz = correlations[..., np.ix_(z, z)[0], np.ix_(z, z)[1]]
            fitted = _solve(zz, np.concatenate([zx, zy], axis=-1))
            xz = np.swapaxes(zx, -1, -2)
            b = _solve(xz @ fitted[..., :-1], xz @ fitted[..., -1:])
        xx = correlations[..., np.ix_(x, x)[0], np.ix_(x, x)[1]]
        xy = correlations[..., x, y][..., None]
        bt = np.swapaxes(b, -1, -2)
        r2[..., number] = (2.0 * bt @ xy - bt @ xx @ b)[..., 0, 0]
        result[..., x, y] = b[..., 0]
    return result, r2


def _solve(a: Array, b: Array) -> Array:
    """Solve many systems; a singular one gives NaN instead of stopping the others."""
    try:
        return np.asarray(np.linalg.solve(a, b))
    except np.linalg.LinAlgError:
        flat_a, flat_b = a.reshape(-1, *a.shape[-2:]), b.reshape(-1, *b.shape[-2:])
        result = np.full(flat_b.shape, np.nan)
        for k in range(len(flat_a)):
            if np.isfinite(flat_a[k]).all() and np.linalg.matrix_rank(flat_a[k]) == len(flat_a[k]):
                result[k] = np.linalg.solve(flat_a[k], flat_b[k])
        return result.reshape(b.shape)


def effects(coefficients: Array) -> Array:
    """Return total effects `(…, J, J)`: `(I − B)⁻¹ − I`, with feedback all rounds of it (Bollen 1987).

    NaN where the feedback does not settle, that is where B has an eigenvalue of one or more.
    """
    size = coefficients.shape[-1]
    finite = np.asarray(np.isfinite(coefficients).all(axis=(-1, -2)))
    safe = np.where(finite[..., None, None], coefficients, 0.0)
    settles = np.asarray(finite & (np.abs(np.linalg.eigvals(safe)).max(axis=-1) < 1.0 - 1e-9))
    safe = np.where(settles[..., None, None], safe, 0.0)
    total = np.linalg.inv(np.eye(size) - safe) - np.eye(size)
    return np.asarray(np.where(settles[..., None, None], total, np.nan))
