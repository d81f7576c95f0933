"""A table as a report holds it, and its four forms: HTML, LaTeX, Markdown, Excel."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from sembada.report.numbers import Numbers

__all__ = ["Table", "tex"]

_TEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "→": r"$\rightarrow$", "−": "$-$", "²": "$^2$",
    "×": r"$\times$",
    "ρ": r"$\rho$", "α": r"$\alpha$", "β": r"$\beta$", "λ": r"$\lambda$", "τ": r"$\tau$", "±": r"$\pm$", "≥": r"$\geq$",
    "√": r"$\surd$", "<": r"\textless{}", ">": r"\textgreater{}", "–": "--", "…": r"\ldots{}", "Δ": r"$\Delta$",
}  # fmt: skip


def tex(text: str) -> str:
    """Write text so that LaTeX prints it."""
    return "".join(_TEX.get(character, character) for character in text)


@dataclass(frozen=True)
class Table:
    """Cells with a format for each column, a caption and notes.

    Parameters
    ----------
    key
        Short name: file names, sheet names, anchors.
    caption
        What it shows.
    headers
        One a column.
    formats
        One a column, as `Numbers.cell` reads them.
    rows
        Cells: numbers or text.
    notes
        Lines under the table.
    strong
        Rows to set in bold.

    Examples
    --------
    >>> table = Table("t", "Paths", ["path", "b"], ["s", "f2"], [["X → Y", 0.5]])
    >>> print(table.markdown(Numbers()))
    **Paths**
    <BLANKLINE>
    | path | b |
    | :--- | ---: |
    | X → Y | 0.50 |
    """

    key: str
    caption: str
    headers: Sequence[str]
    formats: Sequence[str]
    rows: Sequence[Sequence[Any]]
    notes: Sequence[str] = ()
    strong: frozenset[int] = field(default_factory=frozenset)

    def cells(self, numbers: Numbers) -> list[list[str]]:
        """Return all cells as text."""
        return [[numbers.cell(value, code) for value, code in zip(row, self.formats, strict=True)] for row in self.rows]

    def frame(self) -> pd.DataFrame:
        """Return the cells unformatted."""
        return pd.DataFrame([list(row) for row in self.rows], columns=list(self.headers))

    def html(self, numbers: Numbers) -> str:
        """Return an HTML table."""
        align = [{"s": "t", "i": "i"}.get(code, "n") for code in self.formats]
        lines = [
            f'<figure class="table" id="{html.escape(self.key)}"><figcaption>{html.escape(self.caption)}</figcaption>'
        ]
        lines.append('<div class="scroll"><table><thead><tr>')
        lines += [f'<th class="{a}">{html.escape(head)}</th>' for head, a in zip(self.headers, align, strict=True)]
        lines.append("</tr></thead><tbody>")
        for number, row in enumerate(self.cells(numbers)):
            lines.append('<tr class="strong">' if number in self.strong else "<tr>")
            lines += [f'<td class="{a}">{html.escape(cell)}</td>' for cell, a in zip(row, align, strict=True)]
            lines.append("</tr>")
        lines.append("</tbody></table></div>")
        lines += [f'<p class="note">{html.escape(note)}</p>' for note in self.notes]
        return "".join([*lines, "</figure>"])

    def markdown(self, numbers: Numbers) -> str:
        """Return a pipe table."""

        def line(cells: Sequence[str]) -> str:
            return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"

        rule = [":---" if code in ("s", "i") else "---:" for code in self.formats]
        lines = [f"**{self.caption}**", "", line(self.headers), line(rule)]
        lines += [line(row) for row in self.cells(numbers)]
        if self.notes:
            lines += ["", *(f"*{note}*" for note in self.notes)]
        return "\n".join(lines)

    def latex(self, numbers: Numbers) -> str:
        r"""Return a `table` with `booktabs` rules; wide ones are shrunk with `\resizebox` (package graphicx)."""
        columns = "".join("l" if code in ("s", "i") else "r" for code in self.formats)
        lines = [
            r"\begin{table}[htbp]",
            r"\centering",
            rf"\caption{{{tex(self.caption)}}}",
            rf"\label{{tab:{self.key}}}",
            r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
            rf"\begin{{tabular}}{{{columns}}}",
            r"\toprule",
            " & ".join(tex(head) for head in self.headers) + r" \\",
            r"\midrule",
        ]
        for number, row in enumerate(self.cells(numbers)):
            cells = [tex(cell) for cell in row]
            if number in self.strong:
                cells = [rf"\textbf{{{cell}}}" for cell in cells]
            lines.append(" & ".join(cells) + r" \\")
        lines += [r"\bottomrule", r"\end{tabular}}"]
        lines += [rf"\par\smallskip{{\footnotesize {tex(note)}}}" for note in self.notes]
        lines.append(r"\end{table}")
        return "\n".join(lines)
