"""What all tests share."""

from __future__ import annotations

import os
from collections.abc import Generator
from typing import Any

import pytest

# The packages that extras of sembada bring.
EXTRAS = frozenset(
    "SALib dask distributed matplotlib odf openpyxl pint polars pyarrow tqdm xarray xlrd zarr".split()  # noqa: SIM905
)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """Skip what needs an extra, in the one run that is made without them (SEMBADA_WITHOUT_EXTRAS=1)."""
    report = yield
    if os.environ.get("SEMBADA_WITHOUT_EXTRAS") and report.failed and call.excinfo is not None:
        error: BaseException | None = call.excinfo.value
        while error is not None:
            if isinstance(error, ModuleNotFoundError) and (error.name or "").partition(".")[0] in EXTRAS:
                report.outcome = "skipped"
                report.longrepr = (str(item.path), item.location[1] or 0, f"Skipped: needs {error.name}")
                break
            error = error.__cause__ or error.__context__
    return report
