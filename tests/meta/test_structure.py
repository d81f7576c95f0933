"""The house stands as it was designed: imports never climb, core knows no Python, each thing stands once."""

import ast
import re
from pathlib import Path

import pytest

import sembada

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "python" / "sembada"
FLOORS = {"errors": 0, "execution": 1, "pls": 2, "sd": 2, "study": 3, "datasets": 3, "compat": 4, "report": 4}
MAY_NOT_MEET = {("pls", "sd"), ("sd", "pls")}
# A result renders its own report: at run time only, never at import.
LATE = {("study", "report")}


def _imports(path: Path) -> list[tuple[str, bool]]:
    """Return the rooms of sembada that a file imports, and whether at module level."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    top = {id(node) for node in tree.body}
    found = []
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "sembada":
            parts = node.module.split(".")
            names = [parts[1]] if len(parts) > 1 else [alias.name for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [a.name.split(".")[1] for a in node.names if a.name.startswith("sembada.")]
        found += [(name, id(node) in top) for name in names]
    return found


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_never_climb(path: Path) -> None:
    room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    if room not in FLOORS:
        return
    for other, at_top in _imports(path):
        if other not in FLOORS or other == room or ((room, other) in LATE and not at_top):
            continue
        assert (room, other) not in MAY_NOT_MEET, f"{room} must not know {other}"
        assert FLOORS[other] <= FLOORS[room], f"{room} imports {other}, which stands above it"


CORE = sorted((ROOT / "rust" / "core" / "src").rglob("*.rs"))
CORE_IDS = [str(path.relative_to(ROOT / "rust" / "core" / "src")) for path in CORE]


@pytest.mark.parametrize("path", CORE, ids=CORE_IDS)
def test_core_knows_no_python_and_reads_nothing(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for word in ("pyo3", "std::fs", "std::env", "std::time", "std::net", "std::process"):
        assert word not in text, f"{path.name} uses {word}"


@pytest.mark.parametrize("path", CORE, ids=CORE_IDS)
def test_the_engines_do_not_know_each_other(path: Path) -> None:
    room = path.relative_to(ROOT / "rust" / "core" / "src").parts[0]
    text = path.read_text(encoding="utf-8")
    if room != "sd" and room != "lib.rs":
        assert "crate::sd" not in text
    if room != "pls" and room != "lib.rs":
        assert "crate::pls" not in text


def test_the_version_stands_once() -> None:
    cargo = (ROOT / "Cargo.toml").read_text(encoding="utf-8")
    match = re.search(r'^version = "([^"]+)"', cargo, re.MULTILINE)
    assert match is not None
    assert sembada.__version__ == match.group(1)
    assert 'dynamic = ["version"]' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for member in ("core", "py"):
        assert "version.workspace = true" in (ROOT / "rust" / member / "Cargo.toml").read_text(encoding="utf-8")
