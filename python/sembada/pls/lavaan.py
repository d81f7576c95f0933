"""The model text: lavaan's operators as cSEM reads them, in and out.

`=~` a common factor (reflective, mode A) · `<~` a composite (mode B) · `~` a regression · `~~` a link without a
direction · `a:b`, `a.b` an interaction, `a:a` a quadratic term · `label*x` a label · `ind := a*b` a quantity made of
labels · `0.5*x` a fixed weight of a composite · `#` and `!` comments · `;` or a new line ends a statement. A construct
measured by constructs is a higher-order construct. Names with blanks or signs stand in backticks.

What the operators cannot say stands in lines that lavaan and cSEM read as comments: `#! mode Quality = A`,
`#! kind Quality = reflective`, `#! dominant Quality = PERQ1`, `#! reliability Quality = 0.8`,
`#! mode Image:Quality = B`, `#! interactions = product`, `#! equations = 2sls`,
`#! instruments Quality = Image + Value`.

Sources: Rosseel (2012), J. Stat. Softw. 48(2), §3; Rademaker & Schuberth, cSEM manual, "Model".
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import NoReturn, cast, get_args

from sembada.errors import EquationError, UnsupportedError
from sembada.pls.specification import (
    Block,
    Equations,
    Interactions,
    Kind,
    Mode,
    Path,
    Specification,
    choice,
)

__all__ = ["parse", "write"]

_TOKEN = re.compile(
    r"""
    (?P<blank>[^\S\n]+)
  | (?P<pragma>\#![^\n]*)
  | (?P<comment>[\#!][^\n]*)
  | (?P<end>[\n;])
  | (?P<quoted>`[^`\n]*`|"[^"\n]*"|'[^'\n]*')
  | (?P<number>-?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?![\w.]))
  | (?P<name>[^\W\d][\w.]*)
  | (?P<operator>=~|<~|~~|:=|==|~\*~|\*\*|[~+*/^:|<>=(),-])
    """,
    re.VERBOSE,
)
_PLAIN = re.compile(r"[^\W\d]\w*\Z")


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class _Term:
    names: tuple[_Token, ...]
    label: str | None
    number: float | None


class _Reader:
    def __init__(self, text: str) -> None:
        self.lines = text.splitlines() or [""]
        self.tokens = list(self._tokens(text))
        self.position = 0

    def fail(self, message: str, token: _Token, cure: str) -> NoReturn:
        line = self.lines[min(token.line, len(self.lines)) - 1]
        caret = " " * (token.column - 1) + "^" * max(1, len(token.text.rstrip("\n")))
        raise EquationError(
            f"model text, line {token.line}: {message}\n    {line}\n    {caret}\n{cure}",
            {"line": token.line, "column": token.column, "token": token.text},
        )

    def _tokens(self, text: str) -> Iterator[_Token]:
        position, line, start = 0, 1, 0
        while position < len(text):
            match = _TOKEN.match(text, position)
            if match is None:
                self.fail(
                    f"the character {text[position]!r} has no meaning here",
                    _Token("error", text[position], line, position - start + 1),
                    "put names with blanks or signs in backticks: `my column`",
                )
            kind = str(match.lastgroup)
            if kind not in {"blank", "comment"}:
                yield _Token(kind, match.group(), line, position - start + 1)
            position = match.end()
            if match.group() == "\n":
                line, start = line + 1, position
        yield _Token("end", "\n", line, position - start + 1)

    @property
    def token(self) -> _Token:
        return self.tokens[self.position]

    def is_at(self, *operators: str) -> bool:
        return self.token.kind == "operator" and self.token.text in operators

    def skip_lines(self) -> None:
        while self.position < len(self.tokens) and self.token.kind == "end":
            self.position += 1

    def continues(self) -> bool:
        """Whether the statement goes on: the next line begins with `+` or `*`."""
        ahead = self.position
        while ahead < len(self.tokens) and self.tokens[ahead].kind == "end" and self.tokens[ahead].text == "\n":
            ahead += 1
        if ahead == self.position or ahead >= len(self.tokens):
            return False
        token = self.tokens[ahead]
        if token.kind == "operator" and token.text in {"+", "*", ":"}:
            self.position = ahead
            return True
        return False

    def name(self) -> _Token:
        token = self.token
        if token.kind == "quoted":
            self.position += 1
            return replace(token, text=token.text[1:-1])
        if token.kind == "name":
            self.position += 1
            return token
        if token.kind == "number":
            self.fail(
                f"{token.text!r} is a number where a name was expected",
                token,
                "PLS has no intercepts and no fixed paths: remove it",
            )
        found = token.text.strip() or "the end of the statement"
        return self.fail(f"expected a name, got {found!r}", token, "add a name")

    def term(self) -> _Term:
        label: str | None = None
        number: float | None = None
        token = self.token
        following = self.tokens[self.position + 1] if self.position + 1 < len(self.tokens) else token
        if following.kind == "operator" and following.text == "*" and token.kind in {"number", "name", "quoted"}:
            self.position += 2
            self.after_operator()
            if token.kind == "number":
                number = float(token.text)
            else:
                label = token.text.strip("`'\"")
        elif following.kind == "operator" and following.text == "(" and token.kind == "name":
            self.fail(
                f"the modifier {token.text}() is not supported",
                token,
                "write a label (b1*x) or, in a composite, a fixed weight (0.5*x)",
            )
        names = [self.name()]
        while self.is_at(":"):
            self.position += 1
            self.after_operator()
            names.append(self.name())
        return _Term(tuple(names), label, number)

    def after_operator(self) -> None:
        while self.position < len(self.tokens) - 1 and self.token.text == "\n":
            self.position += 1

    def expression(self) -> str:
        """Return what stands up to the end of the statement."""
        parts: list[str] = []
        while self.token.kind not in {"end", "pragma"}:
            parts.append(self.token.text)
            self.position += 1
        if not parts:
            self.fail("expected an expression after ':='", self.token, "write labels of paths, such as a*b")
        return " ".join(parts)

    def terms(self) -> list[_Term]:
        terms = [self.term()]
        while self.is_at("+") or self.continues():
            if not self.is_at("+"):
                self.fail(f"unexpected {self.token.text!r}", self.token, "join terms with '+'")
            self.position += 1
            self.after_operator()
            terms.append(self.term())
        return terms


def parse(text: str, *, equations: str | None = None) -> Specification:
    """Read a model text.

    Parameters
    ----------
    text
        The model in lavaan's operators; see the module's text.
    equations
        `"ols"` or `"2sls"`, in place of what the text says.

    Returns
    -------
    Specification
        The checked specification.

    Raises
    ------
    EquationError
        If the text cannot be read; the message draws a caret under the place.
    SpecificationError
        If the text reads well and the model cannot be.

    Examples
    --------
    >>> parse("Image =~ I1 + I2 ; Loyalty =~ L1 + L2 ; Loyalty ~ Image").outcomes
    ('Loyalty',)
    """
    reader = _Reader(text)
    indicators: dict[str, list[str]] = {}
    numbers: dict[str, list[float | None]] = {}
    operators: dict[str, str] = {}
    regressions: list[tuple[_Term, str]] = []
    correlations: list[tuple[_Token, _Token]] = []
    pragmas: list[_Token] = []
    defined: dict[str, str] = {}

    while True:
        reader.skip_lines()
        if reader.position >= len(reader.tokens):
            break
        if reader.token.kind == "pragma":
            pragmas.append(reader.token)
            reader.position += 1
            continue
        following = reader.tokens[min(reader.position + 1, len(reader.tokens) - 1)]
        if following.text == ":=" and reader.token.kind in {"name", "quoted"}:
            token = reader.name()
            reader.position += 1
            defined[token.text] = reader.expression()
            continue
        left = reader.terms()
        operator = reader.token
        if not reader.is_at("=~", "<~", "~", "~~"):
            if reader.is_at(":=", "==", "<", ">", "|", "~*~", "/", "^", "**"):
                reader.fail(
                    f"the operator {operator.text!r} is not part of a PLS model",
                    operator,
                    "use =~, <~, ~ or ~~, and := for a quantity made of labels",
                )
            reader.fail(
                f"expected an operator after {left[-1].names[-1].text!r}",
                operator,
                "use =~ (factor), <~ (composite), ~ (regression) or ~~ (correlation)",
            )
        for term in left:
            if term.label is not None or term.number is not None:
                reader.fail("a label or number stands left of the operator", term.names[0], "move it to the right")
        reader.position += 1
        reader.after_operator()
        right = reader.terms()
        if reader.position < len(reader.tokens) and reader.token.kind not in {"end", "pragma"}:
            reader.fail(f"unexpected {reader.token.text!r}", reader.token, "end the statement with a new line or ';'")
        for target in left:
            if len(target.names) != 1:
                reader.fail("an interaction cannot stand left of the operator", target.names[0], "swap the sides")
            name = target.names[0]
            if operator.text in {"=~", "<~"}:
                if operators.setdefault(name.text, operator.text) != operator.text:
                    reader.fail(f"{name.text!r} is measured with =~ and with <~", operator, "use one of them")
                for term in right:
                    if len(term.names) != 1:
                        reader.fail(
                            "an interaction cannot be an indicator", term.names[0], "use it in a regression (~)"
                        )
                    if term.number is not None and operator.text == "=~":
                        reader.fail(
                            "a loading cannot be fixed in PLS",
                            term.names[0],
                            "remove the number, or use <~ with weights",
                        )
                    indicators.setdefault(name.text, []).append(term.names[0].text)
                    numbers.setdefault(name.text, []).append(term.number)
            elif operator.text == "~":
                for term in right:
                    if term.number is not None:
                        reader.fail(
                            "a path cannot be fixed to a number in PLS",
                            term.names[0],
                            "remove the number; leave the path out if it is zero",
                        )
                    regressions.append((term, name.text))
            else:
                correlations.extend((name, term.names[0]) for term in right)

    return _assemble(reader, indicators, numbers, operators, regressions, correlations, pragmas, equations, defined)


def _assemble(
    reader: _Reader,
    indicators: dict[str, list[str]],
    numbers: dict[str, list[float | None]],
    operators: dict[str, str],
    regressions: list[tuple[_Term, str]],
    correlations: list[tuple[_Token, _Token]],
    pragmas: list[_Token],
    equations: str | None,
    defined: dict[str, str],
) -> Specification:
    blocks: dict[str, Block] = {}
    for name, items in indicators.items():
        weights = numbers[name]
        fixed = any(weight is not None for weight in weights)
        if fixed and any(weight is None for weight in weights):
            raise EquationError(
                f"model text: composite {name!r} has fixed weights for some indicators only: give all or none",
                {"construct": name},
            )
        is_factor = operators[name] == "=~"
        blocks[name] = Block(
            name,
            tuple(items),
            mode="fixed" if fixed else "A" if is_factor else "B",
            kind="reflective" if is_factor else "composite",
            weights=tuple(float(weight) for weight in weights if weight is not None) if fixed else None,
        )

    def interaction(term: _Term) -> str:
        return ":".join(name for token in term.names for name in _joined(token.text, blocks))

    paths = tuple(Path(interaction(term), outcome, term.label) for term, outcome in regressions)
    links: list[tuple[str, str]] = []
    for left, right in correlations:
        if left.text == right.text:
            continue  # A variance; PLS standardises, so the line says nothing.
        if left.text not in blocks and right.text not in blocks:
            known = {item for block in blocks.values() for item in block.indicators}
            if left.text in known or right.text in known:
                raise UnsupportedError(
                    f"model text, line {left.line}: {left.text} ~~ {right.text} correlates measurement errors, which "
                    "PLS does not estimate: remove the line",
                    {"left": left.text, "right": right.text},
                )
        links.append((left.text, right.text))

    options: dict[str, str] = {}
    instruments: dict[str, tuple[str, ...]] = {}
    term_modes: dict[str, Mode] = {}
    terms = {path.predictor for path in paths if ":" in path.predictor}
    for token in pragmas:
        match = re.fullmatch(r"#!\s*(\w+)(?:\s+((?:`[^`]+`|[^\s=`])+))?\s*=\s*(.+?)\s*", token.text)
        if match is None:
            reader.fail(
                "cannot read this setting", token, "expected '#! mode CONSTRUCT = A' or '#! interactions = product'"
            )
        setting, name, value = match.group(1), (match.group(2) or "").replace("`", ""), match.group(3)
        if setting in {"interactions", "equations"} and not name:
            options[setting] = value
        elif setting == "mode" and name in terms:
            term_modes[name] = cast(Mode, choice(f"mode {name}", value, get_args(Mode)))
        elif setting in {"mode", "kind", "dominant", "reliability", "instruments"} and name in blocks:
            if setting == "mode":
                blocks[name] = replace(blocks[name], mode=cast(Mode, choice(f"mode {name}", value, get_args(Mode))))
            elif setting == "kind":
                blocks[name] = replace(blocks[name], kind=cast(Kind, choice(f"kind {name}", value, get_args(Kind))))
            elif setting == "reliability":
                try:
                    blocks[name] = replace(blocks[name], reliability=float(value))
                except ValueError:
                    reader.fail(f"{value!r} is not a number", token, "write a reliability such as 0.8")
            elif setting == "dominant":
                blocks[name] = replace(blocks[name], dominant=value.strip("`"))
            else:
                instruments[name] = tuple(item.strip().strip("`") for item in value.split("+"))
        else:
            reader.fail(
                f"the setting {setting!r} of {name!r} is not known",
                token,
                "expected mode, kind, dominant, reliability or instruments of a construct, interactions or equations",
            )
    return Specification(
        tuple(blocks.values()),
        paths,
        tuple(links),
        interactions=cast(Interactions, options.get("interactions", "two-stage")),
        equations=cast(Equations, options.get("equations", "ols") if equations is None else equations),
        instruments=instruments,
        defined=defined,
        term_modes=term_modes,
    )


def _joined(name: str, constructs: Collection[str]) -> list[str]:
    """Split a dotted name into the constructs that it joins (cSEM); a construct with a dot in its name stays whole."""
    if name in constructs:
        return [name]
    parts = name.split(".")
    for size in range(len(parts) - 1, 0, -1):
        head = ".".join(parts[:size])
        if head in constructs:
            rest = _joined(".".join(parts[size:]), constructs)
            if all(item in constructs for item in rest):
                return [head, *rest]
    return [name]


def _quoted(name: str) -> str:
    return name if _PLAIN.match(name) else f"`{name}`"


def _term(name: str) -> str:
    return ":".join(_quoted(part) for part in name.split(":"))


def write(specification: Specification) -> str:
    """Write a specification as model text; `parse` gives back an equal specification.

    Examples
    --------
    >>> print(write(parse("Image =~ I1+I2; Loyalty <~ L1+L2; Loyalty ~ b*Image")))
    Image =~ I1 + I2
    Loyalty <~ L1 + L2
    Loyalty ~ b*Image
    """
    lines: list[str] = []
    notes: list[str] = []
    for block in specification.blocks:
        operator = "=~" if block.kind == "reflective" else "<~"
        if block.weights is not None:
            operator = "<~"
            items = [
                f"{weight!r}*{_quoted(item)}" for weight, item in zip(block.weights, block.indicators, strict=True)
            ]
        else:
            items = [_quoted(item) for item in block.indicators]
        lines.append(f"{_quoted(block.construct)} {operator} {' + '.join(items)}")
        if block.weights is not None:
            if block.kind == "reflective":
                notes.append(f"#! kind {_quoted(block.construct)} = reflective")
        elif block.mode != ("A" if block.kind == "reflective" else "B"):
            notes.append(f"#! mode {_quoted(block.construct)} = {block.mode}")
        if block.dominant is not None:
            notes.append(f"#! dominant {_quoted(block.construct)} = {_quoted(block.dominant)}")
        if block.reliability is not None:
            notes.append(f"#! reliability {_quoted(block.construct)} = {block.reliability!r}")
    # Neighbouring paths to one outcome share a line, so that reading the text gives the same order again.
    position = 0
    while position < len(specification.paths):
        outcome = specification.paths[position].outcome
        terms: list[str] = []
        while position < len(specification.paths) and specification.paths[position].outcome == outcome:
            path = specification.paths[position]
            terms.append((f"{_quoted(path.label)}*" if path.label else "") + _term(path.predictor))
            position += 1
        lines.append(f"{_quoted(outcome)} ~ {' + '.join(terms)}")
    lines.extend(f"{_quoted(left)} ~~ {_quoted(right)}" for left, right in specification.correlations)
    lines.extend(f"{name} := {expression}" for name, expression in specification.defined.items())
    if specification.interactions != "two-stage":
        notes.append(f"#! interactions = {specification.interactions}")
    notes.extend(f"#! mode {_term(name)} = {mode}" for name, mode in specification.term_modes.items())
    if specification.equations != "ols":
        notes.append(f"#! equations = {specification.equations}")
    for outcome, names in specification.instruments.items():
        notes.append(f"#! instruments {_quoted(outcome)} = {' + '.join(_quoted(name) for name in names)}")
    return "\n".join(lines + notes)
