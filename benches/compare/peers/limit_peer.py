"""The physical limit: the multiply-adds of the moment matrices alone, measured."""

from __future__ import annotations

from typing import Any

from sembada import _core

STATE: dict[str, Any] = {}


def prepare(case: dict[str, Any]) -> dict[str, Any]:
    STATE.update(case)
    return {"version": _core.available_kernels()[-1]}


def sample(count: int) -> object:
    _core.multiply_add_limit(STATE["n"], STATE["p"], count)
    return None
