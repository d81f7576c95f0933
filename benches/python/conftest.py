"""What the Python benches work on."""

from __future__ import annotations

import pytest

from sembada import datasets, pls, sd, study


@pytest.fixture(scope="session")
def fit() -> pls.Fit:
    return datasets.banyuwangi_path_model().fit(datasets.banyuwangi_survey())


@pytest.fixture(scope="session")
def bootstrap(fit: pls.Fit) -> pls.Bootstrap:
    return fit.bootstrap(2_000, seed=1)


@pytest.fixture(scope="session")
def model() -> sd.Model:
    return datasets.banyuwangi_model()


@pytest.fixture(scope="session")
def banyuwangi(bootstrap: pls.Bootstrap) -> study.Study:
    return datasets.banyuwangi_study(bootstrap)
