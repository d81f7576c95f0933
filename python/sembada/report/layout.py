"""Where the constructs of a path diagram stand."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

__all__ = ["place"]

Point = tuple[float, float]

_LEVELS = (0.0, 1.0, -1.0, 2.0, -2.0)


def _layers(nodes: Sequence[str], edges: Sequence[tuple[str, str]]) -> dict[str, int]:
    """Length of the longest chain that ends at each node."""
    depth = dict.fromkeys(nodes, 0)
    for _ in nodes:
        for start, end in edges:
            depth[end] = max(depth[end], min(depth[start] + 1, len(nodes)))
    return depth


def _gap(point: Point, start: Point, end: Point) -> float:
    """Distance of a point from a segment."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    px, py = point[0] - start[0], point[1] - start[1]
    along = min(max((px * dx + py * dy) / max(dx * dx + dy * dy, 1e-12), 0.0), 1.0)
    return math.hypot(px - along * dx, py - along * dy)


def _cross(a: Point, b: Point, c: Point, d: Point) -> bool:
    def turn(p: Point, q: Point, r: Point) -> float:
        return (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])

    return turn(a, b, c) * turn(a, b, d) < -1e-12 and turn(c, d, a) * turn(c, d, b) < -1e-12


def _penalty(at: dict[str, Point], edges: Sequence[tuple[str, str]], level_costs: bool) -> float:
    total = 0.0
    for start, end in edges:
        total += 0.15 * abs(at[start][1] - at[end][1])
        if level_costs and at[start][1] == at[end][1] and abs(at[start][0] - at[end][0]) == 1:
            total += 4.0  # leaves no room for the label
        for node, point in at.items():
            if node not in (start, end):
                total += 12.0 * max(0.0, 0.62 - _gap(point, at[start], at[end]))
    for (a, b), (c, d) in itertools.combinations(edges, 2):
        if not {a, b} & {c, d} and _cross(at[a], at[b], at[c], at[d]):
            total += 1.5
    for one, two in itertools.combinations(at, 2):
        if at[one][0] == at[two][0]:
            total += 20.0 * max(0.0, 1.0 - abs(at[one][1] - at[two][1]))
    return total + sum(0.03 * abs(y) for _, y in at.values())


def place(nodes: Sequence[str], edges: Sequence[tuple[str, str]]) -> dict[str, Point]:
    """Place nodes in layers from left to right so that arrows pass by the nodes they do not touch.

    Heights are chosen from a few levels by moving one or two nodes at a time while the picture gets better; no
    chance is involved, so the same model always looks the same.

    Parameters
    ----------
    nodes
        Names.
    edges
        Pairs (from, to) without a circle.

    Examples
    --------
    >>> at = place(["X", "M", "Y"], [("X", "M"), ("M", "Y"), ("X", "Y")])
    >>> [at[name][0] for name in ("X", "M", "Y")], at["M"][1] != at["X"][1]
    ([0.0, 1.0, 2.0], True)
    """
    depth = _layers(nodes, edges)
    at: dict[str, Point] = {}
    for layer in range(max(depth.values(), default=0) + 1):
        members = [name for name in nodes if depth[name] == layer]
        for number, name in enumerate(members):
            at[name] = (float(layer), number - (len(members) - 1) / 2.0)
    long = max(depth.values(), default=0) > 4
    best = _penalty(at, edges, long)
    levels = sorted({*_LEVELS, *(y for _, y in at.values())})
    for _ in range(8):
        before = best
        groups = [(name,) for name in nodes]
        groups += list(itertools.combinations(nodes, 2)) if len(nodes) <= 8 else []  # type: ignore[arg-type]
        for group in groups:
            for heights in itertools.product(levels, repeat=len(group)):
                trial = dict(at)
                for name, height in zip(group, heights, strict=True):
                    trial[name] = (at[name][0], height)
                cost = _penalty(trial, edges, long)
                if cost < best - 1e-9:
                    at, best = trial, cost
        if best >= before - 1e-9:
            break
    return at
