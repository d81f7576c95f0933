"""Draws `docs/pls-speed.svg` from the last results: contestants side by side, and growth against the limit."""

from __future__ import annotations

import json
import math
from typing import Any

from harness import OUT, ROOT, human, times

COMPARISON = "pls-bootstrap--mobile-ecsi--standard-set.json"
WIDTH, LEFT, BAR = 760, 220, 20
STYLE = "font-family: sans-serif; font-size: 12px"
COLOURS = {"replicates": "#1b6ca8", "rows": "#c0561f", "indicators": "#3a7d44"}


def bars(rows: list[dict[str, Any]]) -> list[str]:
    """One bar a contestant, on a logarithmic scale."""
    low = math.floor(math.log10(min(row["seconds"] for row in rows)))
    high = math.ceil(math.log10(max(row["seconds"] for row in rows)))
    step = (WIDTH - LEFT - 110) / (high - low)
    title = "A bootstrap replicate of the mobile ECSI, one core (logarithmic)"
    parts = [f'<text x="8" y="18" font-weight="bold">{title}</text>']
    for k, row in enumerate(rows):
        y = 30 + k * (BAR + 4)
        length = (math.log10(row["seconds"]) - low) * step
        colour = "#999999" if "limit" in row["name"] else "#1b6ca8" if "sembada" in row["name"] else "#d9a441"
        parts += [
            f'<text x="{LEFT - 8}" y="{y + 14}" text-anchor="end">{row["name"]}</text>',
            f'<rect x="{LEFT}" y="{y}" width="{length:.1f}" height="{BAR}" fill="{colour}"/>',
            f'<text x="{LEFT + length + 6:.1f}" y="{y + 14}">{human(row["seconds"])} ({times(row["ratio"])}×)</text>',
        ]
    return parts


def curves(growth: dict[str, Any], top: int) -> list[str]:
    """Share of the limit's rate against size, a curve for what grows."""
    title = "Share of the limit's rate as the work grows (times its smallest)"
    parts = [f'<text x="8" y="{top}" font-weight="bold">{title}</text>']
    height, width = 160, WIDTH - LEFT - 110
    most = max(p["size"] / part["points"][0]["size"] for part in growth.values() for p in part["points"])
    for share in (0, 0.25, 0.5, 0.75, 1):
        y = top + 20 + height * (1 - share)
        parts.append(f'<line x1="{LEFT}" x2="{LEFT + width}" y1="{y}" y2="{y}" stroke="#dddddd"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4}" text-anchor="end">{share:.0%}</text>')
    for k, (what, part) in enumerate(growth.items()):
        places = [
            (
                LEFT + width * math.log(p["size"] / part["points"][0]["size"]) / math.log(most),
                top + 20 + height * (1 - min(p["rate"], 1)),
            )
            for p in part["points"]
        ]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{COLOURS[what]}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{COLOURS[what]}"/>' for x, y in places]
        parts.append(f'<text x="8" y="{top + 40 + 18 * k}" fill="{COLOURS[what]}">{what}</text>')
    for k in range(round(math.log10(most)) + 1):
        x = LEFT + width * k / math.log10(most)
        parts.append(f'<text x="{x:.1f}" y="{top + 36 + height}" text-anchor="middle">{10**k:,}</text>')
    return parts


def write() -> None:
    """Write the chart, if the comparison has been run."""
    source = OUT / COMPARISON
    if not source.exists():
        return
    result = json.loads(source.read_text())
    rows = sorted((row for row in result["rows"] if "seconds" in row), key=lambda row: row["seconds"])
    parts = bars(rows)
    height = 40 + len(rows) * (BAR + 4)
    growth = OUT / "pls-growth.json"
    if growth.exists():
        parts += curves(json.loads(growth.read_text()), height + 20)
        height += 250
    note = f"{result['processor']}, {result['finished']}, medians of {result['rounds']} interleaved rounds, CPU time"
    parts.append(f'<text x="8" y="{height - 4}" fill="#666666">{note}</text>')
    body = "\n".join(parts)
    (ROOT / "docs" / "pls-speed.svg").write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height + 6}" style="{STYLE}">\n'
        f'<rect width="100%" height="100%" fill="white"/>\n{body}\n</svg>\n'
    )


if __name__ == "__main__":
    write()
