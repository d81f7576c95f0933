"""Diagrams of a model as SVG: stocks and flows, or causal loops."""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sembada.errors import SpecificationError

__all__ = ["draw"]

_KINDS = ("stock-flow", "causal-loop")
_STEP = 150.0
#: Variables up to which loops are named in the picture, and how many of them.
_NAMED_LOOPS, _MOST_LOOPS = 25, 6
_INK, _STOCK, _FLOW, _PLUS, _MINUS, _LINK = "#222222", "#dbe9f6", "#4a6fa5", "#2e7d32", "#c62828", "#8a8a8a"


def draw(model: Any, kind: str = "stock-flow", *, parameters: bool | None = None, title: str | None = None) -> str:
    """Draw a model.

    Parameters
    ----------
    model
        The model.
    kind
        `"stock-flow"`: stocks as boxes, flows as pipes with a valve, other variables as text, causal links as arrows.
        `"causal-loop"`: all variables as text, links with their sign; in pictures of up to 25 variables the shortest
        loops are named as `model.loops()` names them.
    parameters
        Whether constants are drawn; `None`: in a stock-flow diagram of up to 40 variables.
    title
        Title of the picture; `None`: the name of the model.

    Returns
    -------
    str
        An SVG picture; the same for the same model.

    Raises
    ------
    SpecificationError
        If `kind` is none of the two.
    """
    if kind not in _KINDS:
        raise SpecificationError(f"diagram: kind={kind!r}; expected 'stock-flow' or 'causal-loop'", {"kind": kind})
    variables = model.variables
    if parameters is None:
        parameters = kind == "stock-flow" and len(variables) <= 40
    hidden = {"lookup"} if parameters else {"lookup", "parameter"}
    names = [name for name, info in variables.items() if info.type not in hidden and info.group != ".Control"]
    rank = {name: place for place, name in enumerate(names)}
    links = [
        (link["cause"], link["effect"], link["sign"], bool(link["delayed"]))
        for link in model._core.links()
        if link["cause"] in rank and link["effect"] in rank and not link["initial"]
    ]
    pipes = [pipe for pipe in model._core.pipes() if pipe[0] in rank] if kind == "stock-flow" else []
    tied = {(a, b) for flow, source, target in pipes for a, b in ((flow, source), (flow, target)) if b is not None}
    arrows = [link for link in links if (link[0], link[1]) not in tied]
    pairs = [(rank[a], rank[b]) for a, b, _, _ in links] + [(rank[a], rank[b]) for a, b in tied]
    places = _layout(len(names), pairs)
    loops = _loops(model, rank) if kind == "causal-loop" and len(names) <= _NAMED_LOOPS else []
    heading = title if title is not None else model.name
    return _picture(names, variables, places, rank, pipes, arrows, loops, kind, heading)


def _loops(model: Any, rank: dict[str, int]) -> list[tuple[str, str, list[int]]]:
    """List the shortest loops of variables that are drawn: name, polarity, ranks."""
    found: list[tuple[str, str, list[int]]] = []
    table = model.loops()
    for name, polarity, members in zip(table.index, table["polarity"], table["variables"], strict=True):
        if all(member in rank for member in members):
            found.append((str(name), str(polarity), [rank[member] for member in members]))
    return sorted(found, key=lambda loop: len(loop[2]))[:_MOST_LOOPS]


def _layout(n: int, pairs: list[tuple[int, int]]) -> NDArray[np.float64]:
    """Place nodes so that distances follow numbers of links: stress majorisation (Gansner, Koren & North 2004)."""
    if n < 2:
        return np.zeros((n, 2))
    distance = np.full((n, n), np.inf)
    np.fill_diagonal(distance, 0.0)
    for a, b in pairs:
        if a != b:
            distance[a, b] = distance[b, a] = 1.0
    for middle in range(n):
        distance = np.minimum(distance, distance[:, middle, None] + distance[None, middle, :])
    finite = distance[np.isfinite(distance)]
    # parts without a link stand as far from each other as the widest part is wide
    distance[~np.isfinite(distance)] = max(2.0, float(finite.max()))
    weight = np.where(distance > 0, 1.0 / np.where(distance > 0, distance, 1.0) ** 2, 0.0)
    angle = 2 * np.pi * np.arange(n) / n
    places = np.column_stack([np.cos(angle), 0.7 * np.sin(angle)]) * np.sqrt(n)
    laplacian = np.diag(weight.sum(axis=1)) - weight
    inverse = np.linalg.pinv(laplacian)
    for _ in range(150):
        gaps = np.linalg.norm(places[:, None] - places[None], axis=2)
        ratio = np.where(gaps > 1e-9, weight * distance / np.where(gaps > 1e-9, gaps, 1.0), 0.0)
        places = inverse @ (np.diag(ratio.sum(axis=1)) - ratio) @ places
    spread = places * np.array([_STEP, 0.75 * _STEP])
    for _ in range(200):  # push apart what overlaps: a label is about 130 by 46
        dx, dy = spread[:, None, 0] - spread[None, :, 0], spread[:, None, 1] - spread[None, :, 1]
        close = (np.abs(dx) < 130) & (np.abs(dy) < 46) & ~np.eye(n, dtype=bool)
        if not close.any():
            break
        aside = np.where(np.abs(dy) > 1e-6, np.sign(dy), np.sign(np.subtract.outer(np.arange(n), np.arange(n))))
        spread[:, 1] += np.where(close, 0.25 * (46 - np.abs(dy)) * aside, 0.0).sum(axis=1)
        spread[:, 0] += np.where(close, 0.05 * (130 - np.abs(dx)) * np.sign(dx), 0.0).sum(axis=1)
    moved: NDArray[np.float64] = spread - spread.min(axis=0) + np.array([110.0, 80.0])
    return moved


def _label(name: str, x: float, y: float, style: str = "") -> str:
    lines: list[str] = [""]
    for word in name.replace("_", " ").split():
        if len(lines[-1]) + len(word) > 17 and lines[-1]:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    top = y - 7 * (len(lines) - 1)
    spans = "".join(
        f'<tspan x="{x:.1f}" y="{top + 14 * row + 4:.1f}">{escape(line)}</tspan>' for row, line in enumerate(lines)
    )
    return f'<text text-anchor="middle"{style}>{spans}</text>'


def _picture(
    names: list[str],
    variables: Any,
    places: NDArray[np.float64],
    rank: dict[str, int],
    pipes: list[tuple[str, str | None, str | None]],
    arrows: list[tuple[str, str, str, bool]],
    loops: list[tuple[str, str, list[int]]],
    kind: str,
    title: str,
) -> str:
    width, height = (places.max(axis=0) + np.array([110.0, 60.0])) if len(names) else (220.0, 140.0)
    body: list[str] = []
    valves = {flow for flow, _, _ in pipes} | {name for name in names if variables[name].type == "flow"}
    for flow, source, target in pipes:
        body += _pipe(
            places[rank[flow]], *(places[rank[stock]] if stock in rank else None for stock in (source, target))
        )
    for cause, effect, sign, delayed in arrows:
        a, b = places[rank[cause]], places[rank[effect]]
        if cause == effect:
            continue
        bend = (a + b) / 2 + 0.14 * np.array([a[1] - b[1], b[0] - a[0]])
        start, end = _edge(bend, a, 58, 18), _edge(bend, b, 62, 22)
        colour = {"+": _PLUS, "-": _MINUS}.get(sign, _LINK) if kind == "causal-loop" else _LINK
        mark = {"+": "plus", "-": "minus"}.get(sign, "link") if kind == "causal-loop" else "link"
        body.append(
            f'<path d="M{start[0]:.1f},{start[1]:.1f} Q{bend[0]:.1f},{bend[1]:.1f} {end[0]:.1f},{end[1]:.1f}" '
            f'fill="none" '
            f'stroke="{colour}" stroke-width="1.2" marker-end="url(#{mark})"/>'
        )
        if kind == "causal-loop":
            text = {"+": "+", "-": "−"}.get(sign, "?") + (" ‖" if delayed else "")
            near = end + 0.25 * (bend - end) + np.array([7.0, -5.0])
            body.append(
                f'<text x="{near[0]:.1f}" y="{near[1]:.1f}" style="fill:{colour}" font-weight="bold">{text}</text>'
            )
    used: list[NDArray[np.float64]] = []
    for name, polarity, members in loops:
        x, y = at = places[members].mean(axis=0)
        # Loops around the same middle are named one under the other.
        y += 18 * sum(float(np.abs(at - other).max()) < 18 for other in used)
        used.append(at)
        colour = {"reinforcing": _PLUS, "balancing": _MINUS}.get(polarity, _LINK)
        body.append(
            f'<text x="{x:.1f}" y="{y + 4:.1f}" text-anchor="middle" font-weight="bold" style="fill:{colour}">'
            f"↻ {escape(name)}</text>"
        )
    for name in names:
        x, y = places[rank[name]]
        type_ = variables[name].type
        if kind == "stock-flow" and type_ == "stock":
            body.append(f'<rect x="{x - 60:.1f}" y="{y - 24:.1f}" width="120" height="48" class="stock"/>')
            body.append(_label(name, x, y))
        elif kind == "stock-flow" and name in valves:
            valve = f"M{x - 8:.1f},{y - 7:.1f} l16,14 v-14 l-16,14 z"
            body.append(f'<path d="{valve}" class="valve"/>')
            body.append(_label(name, x, y + 22))
        else:
            body.append(_label(name, x, y, ' font-style="italic"' if type_ == "parameter" else ""))
    heads = "".join(
        f'<marker id="{mark}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
        f'orient="auto">'
        f'<path d="M0,0 L8,4 L0,8 z" fill="{colour}"/></marker>'
        for mark, colour in (("plus", _PLUS), ("minus", _MINUS), ("link", _LINK))
    )
    style = (
        f"text{{font:12px sans-serif;fill:{_INK}}}.stock{{fill:{_STOCK};stroke:{_INK};stroke-width:1.4}}"
        f".pipe{{stroke:{_FLOW};stroke-width:6;fill:none;stroke-linejoin:round}}"
        f".inner{{stroke:#ffffff;stroke-width:3;fill:none;stroke-linejoin:round}}.valve{{fill:#ffffff;stroke:{_FLOW};stroke-width:2}}"
        f".cloud{{fill:#f2f2f2;stroke:{_LINK};stroke-dasharray:3 2}}"
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" role="img" '
        f'aria-label="{escape(kind)} diagram of {escape(title or "a model")}"><title>{escape(title or "model")}</title>'
        f'<defs><style>{style}</style>{heads}</defs><rect width="100%" height="100%" fill="#ffffff"/>'
        + "".join(body)
        + "</svg>\n"
    )


def _pipe(
    valve: NDArray[np.float64], source: NDArray[np.float64] | None, target: NDArray[np.float64] | None
) -> list[str]:
    """Draw a pipe through a valve, with right angles; a missing end is a cloud on the other side of the valve."""
    body: list[str] = []
    for end, other, side in ((source, target, -1.0), (target, source, 1.0)):
        if end is None:
            away = np.array([side, 0.0]) if other is None else valve - other
            along = 0 if abs(away[0]) >= abs(away[1]) else 1
            step = np.zeros(2)
            step[along] = 70.0 * (1.0 if away[along] >= 0 else -1.0)
            last = valve + step
            body.append(f'<ellipse cx="{last[0]:.1f}" cy="{last[1]:.1f}" rx="14" ry="10" class="cloud"/>')
            corner, stop = valve + 0.5 * step, last - step * (16.0 if along == 0 else 12.0) / 70.0
        else:
            gap = end - valve
            # The corner lies so that the pipe meets the box at the side that it comes from.
            across = abs(gap[0]) > 60 and abs(gap[0]) >= abs(gap[1])
            corner = np.array([valve[0], end[1]]) if across else np.array([end[0], valve[1]])
            if across and abs(gap[1]) < 20:
                corner = np.array([(valve[0] + end[0]) / 2, valve[1]])
                stop = np.array([end[0] - np.sign(gap[0]) * 60, valve[1]])
            elif not across and abs(gap[0]) < 50:
                corner = np.array([valve[0], (valve[1] + end[1]) / 2])
                stop = np.array([valve[0], end[1] - np.sign(gap[1]) * 24])
            elif across:
                stop = np.array([end[0] - np.sign(gap[0]) * 60, end[1]])
            else:
                stop = np.array([end[0], end[1] - np.sign(gap[1]) * 24])
        points = [stop, corner, valve]
        if side > 0:
            points.reverse()
            reach = points[2] - points[1]
            forward = reach / max(float(np.hypot(*reach)), 1e-9)
            tip, points[2] = points[2], points[2] - 11.0 * forward
            aside = np.array([-forward[1], forward[0]])
            corners = " ".join(f"{x:.1f},{y:.1f}" for x, y in (tip, points[2] + 7 * aside, points[2] - 7 * aside))
            body.append(f'<polygon points="{corners}" fill="{_FLOW}"/>')
        path = "M" + " L".join(f"{x:.1f},{y:.1f}" for x, y in points)
        body += [f'<path d="{path}" class="pipe"/>', f'<path d="{path}" class="inner"/>']
    return body


def _edge(start: NDArray[np.float64], end: NDArray[np.float64], half_width: float, half_height: float) -> Any:
    """Return where a line towards `end` meets the box around it."""
    gap = start - end
    reach = max(abs(gap[0]) / half_width, abs(gap[1]) / half_height, 1.0)
    return end + gap / reach
