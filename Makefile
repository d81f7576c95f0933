# The few commands people type. Each makes what it needs and may be run again at any time.
#   make demo    build, run the Banyuwangi study end to end, write out/report.html
#   make test    build, run every test
#   make bench   time sembada beside its peers in one run, print ratios
#   make lint    formatters, clippy, ruff, mypy, stubtest
#   make docs    regenerate the tables in docs/ that tests make

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_CONSTRAINT := $(CURDIR)/constraints.txt
export VIRTUAL_ENV := $(CURDIR)/$(VENV)
export MPLBACKEND := Agg
unexport CONDA_PREFIX

.PHONY: demo test test-rust test-python bench bench-python bench-rust lint docs build wheel test-wheel clean

$(VENV)/.ready: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit("sembada needs Python >= 3.11, this is " + sys.version) if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --group test --group lint maturin
	touch $@

# maturin itself decides what is stale; the profile is the one of released wheels. The extras stand one by one because
# "all" names the package itself, which pip would look for in the index.
build: $(VENV)/.ready
	$(BIN)/maturin develop --quiet --release --locked --extras plot,xarray,excel,dask,progress,sensitivity,units

demo: build
	$(BIN)/python examples/banyuwangi.py --output out/report.html

test: test-rust test-python

test-rust:
	cargo test --locked --package sembada-core

test-python: build
	$(BIN)/python -m pytest

bench: build
	$(BIN)/python benches/compare/run.py

# Our own public calls and kernels, without peers.
bench-python: build
	$(BIN)/python -m pytest benches/python -o addopts= --benchmark-enable --benchmark-only

bench-rust:
	cargo bench --locked --package sembada-core

lint: build
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/python -m mypy.stubtest sembada._core --allowlist tests/meta/stubtest_allowlist.txt

docs: build
	SEMBADA_WRITE_DOCS=1 $(BIN)/python -m pytest tests/golden/test_sd_conformance.py

wheel: $(VENV)/.ready
	rm -rf dist
	$(BIN)/maturin build --quiet --release --locked --out dist

# The wheel in an environment that holds nothing but its core dependencies and the test runner. What needs an extra is
# skipped there; the conformance table, which needs spreadsheets, is left to the run from source.
test-wheel: wheel
	rm -rf $(VENV)-wheel
	$(PYTHON) -m venv $(VENV)-wheel
	$(VENV)-wheel/bin/python -m pip install --quiet --upgrade pip
	$(VENV)-wheel/bin/python -m pip install --quiet dist/*.whl pytest hypothesis
	SEMBADA_WITHOUT_EXTRAS=1 $(VENV)-wheel/bin/python -m pytest -p no:cacheprovider -o addopts=--strict-markers \
		tests/unit tests/meta tests/golden --ignore=tests/golden/test_sd_conformance.py

clean:
	rm -rf $(VENV) $(VENV)-wheel $(VENV)-bench dist out target
