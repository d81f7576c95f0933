"""Sweeps: every kind of design, what is kept, and what a failed run leaves."""

import os
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from sembada import _core, sd
from sembada.errors import DataError, SimulationError, SpecificationError, StoreError, UnknownNameError

reduction = pytest.mark.skipif(not hasattr(_core, "SdReduction"), reason="this build keeps no statistics")


def logistic(**time: object) -> sd.Model:
    return sd.Model(
        sd.Stock("customers", 10, inflows=["growth"], unit="person"),
        sd.Flow("growth", "rate * customers * (1 - customers / size)"),
        sd.Parameter("rate", 0.3),
        sd.Parameter("size", 100),
        sd.Aux("demand", "need(customers) * season"),
        sd.Lookup("need", x=[0, 50, 100], y=[0, 1, 1.5]),
        sd.Aux("season", 1),
        time=sd.Time(0, 10, **{"dt": 0.5, "save_step": 1.0, **time}),  # type: ignore[arg-type]
    )


@pytest.fixture(scope="module")
def model() -> sd.Model:
    return logistic()


def one_by_one(model: sd.Model, frame: pd.DataFrame, name: str) -> np.ndarray:
    return np.column_stack([model.run(dict(row))[name] for _, row in frame.iterrows()])


def test_a_sweep_is_its_runs_one_by_one(model: sd.Model) -> None:
    design = pd.DataFrame({"rate": [0.1, 0.2, 0.5], "Size": [50.0, 100.0, 80.0]})
    sweep = model.sweep(design, save=["customers", "demand"])
    for name in ("customers", "demand"):
        # lanes and a single run compile alike; fused multiply-adds may differ in the last bits
        np.testing.assert_allclose(sweep.frame(name), one_by_one(model, design, name), rtol=1e-12)
    assert sweep.frame("customers").index.name == "time"
    assert sweep.frame("customers").columns.name == "run"
    assert len(sweep) == 3
    assert sweep.status.tolist() == [0, 0, 0]
    assert sweep.failures().empty
    assert sweep.failures().columns.tolist() == ["status", "time", "variable"]


def test_a_stock_in_a_design_is_its_initial_value(model: sd.Model) -> None:
    sweep = model.sweep(pd.DataFrame({"customers": [1.0, 20.0]}), save=["customers"])
    assert sweep.frame("customers").iloc[0].tolist() == [1, 20]
    run = model.run(initial={"customers": 20.0})
    np.testing.assert_allclose(sweep.frame("customers")[1], run["customers"], rtol=1e-12)


def test_what_a_design_leaves_open_is_as_in_the_model(model: sd.Model) -> None:
    sweep = model.sweep([{}, {"rate": 0.5}], save=["customers"])
    np.testing.assert_allclose(sweep.frame("customers")[0], model.run()["customers"], rtol=1e-12)
    # In a table it is rather a draw that failed.
    with pytest.raises(SpecificationError, match="run 1 has no value for 'rate'"):
        model.sweep(pd.DataFrame({"rate": [0.5, np.nan]}))


def test_series_lookups_and_settings_are_factors(model: sd.Model) -> None:
    series = pd.Series({0.0: 1.0, 10.0: 3.0})
    points = ([0.0, 100.0], [0.0, 10.0])
    design = sd.scenarios(
        {"base": {}, "season": {"season": series}, "need": {"need": points}, "fine": {"dt": 0.25}},
        pd.DataFrame({"rate": [0.2, 0.4]}),
    )
    sweep = model.sweep(design, save=["customers", "demand"])
    for row, (scenario, rate) in enumerate(zip(design.frame["scenario"], design.frame["rate"], strict=True)):
        params: dict[str, object] = {"rate": rate}
        time = {"dt": 0.25} if scenario == "fine" else None
        if scenario == "season":
            params["season"] = series
        if scenario == "need":
            params["need"] = points
        run = model.run(params, time=time)
        np.testing.assert_allclose(sweep.frame("demand")[row], run["demand"], rtol=1e-12)


def test_runs_of_different_horizons_stand_on_one_axis(model: sd.Model) -> None:
    sweep = model.sweep(pd.DataFrame({"final_time": [4.0, 10.0]}), save=["customers"])
    frame = sweep.frame("customers")
    assert frame.index.tolist() == list(range(11))
    assert frame[0].loc[5:].isna().all()
    np.testing.assert_allclose(frame[0].loc[:4], frame[1].loc[:4], rtol=1e-12)


def test_labels_travel_with_the_runs(model: sd.Model) -> None:
    design = pd.DataFrame({"region": ["north", "south"], "rate": [0.1, 0.2]})
    sweep = model.sweep(design, save=["customers"])
    assert sweep.to_xarray()["region"].to_numpy().tolist() == ["north", "south"]
    with pytest.raises(UnknownNameError, match="rate"):
        model.sweep(pd.DataFrame({"rte": [0.1]}))
    with pytest.raises(SpecificationError, match="run 1"):
        model.sweep(pd.DataFrame({"rate": [0.1, "much"]}))
    with pytest.raises(SpecificationError, match="infinite"):
        model.sweep(pd.DataFrame({"rate": [0.1, np.inf]}))


def test_quantiles_are_those_of_the_runs(model: sd.Model) -> None:
    design = sd.scenarios({"a": {}, "b": {"size": 200.0}}, sd.sample({"rate": (0.1, 0.5)}, 64, seed=1))
    sweep = model.sweep(design, save=["customers"])
    frame = sweep.frame("customers")
    found = sweep.quantiles("customers", [0.1, 0.9])
    np.testing.assert_allclose(found[0.1], frame.quantile(0.1, axis=1), rtol=1e-12)
    by = sweep.quantiles("customers", 0.5, by="scenario")
    np.testing.assert_allclose(by[("b", 0.5)], frame.loc[:, 64:].median(axis=1), rtol=1e-12)
    np.testing.assert_allclose(sweep.mean("customers").iloc[:, 0], frame.mean(axis=1), rtol=1e-12)
    np.testing.assert_allclose(sweep.std("customers").iloc[:, 0], frame.std(axis=1), rtol=1e-9)
    assert sweep.maximum("customers").iloc[-1, 0] == frame.iloc[-1].max()
    with pytest.raises(SpecificationError):
        sweep.quantiles("customers", 1.5)
    with pytest.raises(UnknownNameError):
        sweep.quantiles("custmers")
    with pytest.raises(UnknownNameError, match="scenario"):
        sweep.quantiles("customers", by="scenaro")


def failing() -> sd.Model:
    return sd.Model(
        sd.Stock("x", 4, outflows=["out"]),
        sd.Flow("out", 1),
        sd.Parameter("shift", 0),
        sd.Stock("y", 0, inflows=["root"]),
        sd.Flow("root", "SQRT(x + shift)"),
        time=sd.Time(0, 8, dt=1),
    )


def test_a_run_that_fails_is_data() -> None:
    sweep = failing().sweep(pd.DataFrame({"shift": [100.0, 0.0, 50.0, 2.0]}))
    assert sweep.status.tolist() == [0, 1, 0, 1]
    assert sweep.n_failed == 2
    failures = sweep.failures()
    assert failures.index.tolist() == [1, 3]
    assert failures["time"].tolist() == [5, 7]
    # not the stock that it moves, nor what stands first in the model
    assert failures["variable"].tolist() == ["root", "root"]
    assert (failures["status"] == "not finite").all()
    frame = sweep.frame("y")
    assert frame[0].notna().all()
    assert frame[1].loc[6:].isna().all()
    assert sweep.quantiles("y", 0.5).notna().all(axis=None)
    with pytest.raises(SimulationError) as caught:
        failing().sweep(pd.DataFrame({"shift": [100.0, 0.0]}), on_error="raise")
    assert caught.value.run == 1
    assert caught.value.time == 5
    assert caught.value.variable == "root"
    with pytest.raises(SpecificationError, match="on_error"):
        failing().sweep(pd.DataFrame({"shift": [1.0]}), on_error="ignore")


def test_every_run_may_have_its_own_step_and_tolerance(model: sd.Model) -> None:
    steps = [0.5, 0.25, 0.125, 0.0625] * 8
    design = pd.DataFrame({"dt": steps, "rate": np.linspace(0.1, 0.5, len(steps))})
    frame = model.sweep(design, save=["customers"], time={"save_step": 1.0}).frame("customers")
    for row, (dt, rate) in enumerate(zip(design["dt"], design["rate"], strict=True)):
        run = model.run({"rate": rate}, time={"dt": dt, "save_step": 1.0})
        np.testing.assert_allclose(frame[row], run["customers"], rtol=1e-12)
    # no step is longer than dt: a long one leaves the choice to the tolerance
    exact = 100 / (1 + 9 * np.exp(-0.3 * np.array([0.0, 10.0])))
    call = {"save": ["customers"], "method": "rk45", "time": {"dt": 10.0, "save_step": 10.0}}
    found = model.sweep({"tolerance": [1e-3, 1e-6, 1e-9]}, **call).frame("customers")
    errors = np.abs(found.to_numpy() - exact[:, None]).max(axis=0)
    # some tens of steps, each with at most the tolerance of values up to 100
    assert (errors <= 100 * 50 * np.array([1e-3, 1e-6, 1e-9])).all()
    assert errors[0] > errors[1] > errors[2]
    alone = model.run(tolerance=1e-6, **call)["customers"]
    np.testing.assert_array_equal(found[1], alone)
    for wrong in (0.0, "fine", (1e-3,), -1.0):
        with pytest.raises(SpecificationError, match="tolerance"):
            model.run(method="rk45", tolerance=wrong)  # type: ignore[arg-type]
    with pytest.raises(SpecificationError, match=r"run 1.*dt"):
        model.sweep(pd.DataFrame({"dt": [0.5, "small"]}))


def test_a_run_can_be_looked_at_again(model: sd.Model) -> None:
    design = sd.sample({"rate": (0.1, 0.5)}, 10, seed=3)
    sweep = model.sweep(design, save=["customers"])
    run = sweep.run(7)
    np.testing.assert_allclose(run["customers"], sweep.frame("customers")[7], rtol=1e-12)
    assert "demand" in run
    with pytest.raises(SpecificationError, match="0 to 9"):
        sweep.run(10)


def noisy() -> sd.Model:
    return sd.Model(
        sd.Stock("x", 0, inflows=["step"]),
        sd.Flow("step", "drift + NORMAL(0, 1)"),
        sd.Parameter("drift", 0.1),
        time=sd.Time(0, 20, dt=1),
    )


def test_noise_follows_the_seed_and_the_run_not_the_company_it_keeps() -> None:
    model = noisy()
    design = pd.DataFrame({"drift": np.linspace(0, 1, 9)})
    sweep = model.sweep(design, seed=5)
    np.testing.assert_array_equal(sweep.frame("x"), model.sweep(design, seed=5, threads=1).frame("x"))
    assert not np.array_equal(sweep.frame("x"), model.sweep(design, seed=6).frame("x"))
    np.testing.assert_allclose(sweep.run(4)["x"], sweep.frame("x")[4], rtol=1e-12)
    few = model.sweep(design.iloc[:3], seed=5).frame("x")
    np.testing.assert_array_equal(few, sweep.frame("x").iloc[:, :3])


def test_scenarios_share_noise() -> None:
    design = sd.scenarios({"a": {}, "b": {"drift": 0.6}}, sd.sample({"drift": (0.1, 0.1001)}, 6))
    frame = noisy().sweep(design, seed=2).frame("x")
    difference = frame.iloc[:, 6:].to_numpy() - frame.iloc[:, :6].to_numpy()
    drift = design.frame["drift"].to_numpy()
    wanted = np.arange(21)[:, None] * (drift[6:] - drift[:6])[None, :]
    # sums of twenty normal numbers of size one round at 1e-15 each
    np.testing.assert_allclose(difference, wanted, atol=1e-12)


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_bits_do_not_depend_on_threads_or_blocks(model: sd.Model, threads: int, monkeypatch) -> None:
    design = sd.sample({"rate": (0.1, 0.5), "size": (50.0, 150.0)}, 700, seed=2)
    wanted = model.sweep(design, threads=1).frame("demand").to_numpy()
    from sembada.sd import batch

    monkeypatch.setattr(batch, "BLOCK_BYTES", 2**18)
    assert batch.block_size(7, 11, 700) < 700
    np.testing.assert_array_equal(model.sweep(design, threads=threads).frame("demand").to_numpy(), wanted)


def test_executors_give_the_same_bits(model: sd.Model, monkeypatch) -> None:
    from sembada.sd import batch

    design = sd.sample({"rate": (0.1, 0.5)}, 700, seed=2)
    wanted = model.sweep(design).frame("demand").to_numpy()
    monkeypatch.setattr(batch, "BLOCK_BYTES", 2**18)
    with ThreadPoolExecutor(2) as pool:
        np.testing.assert_array_equal(model.sweep(design, executor=pool).frame("demand").to_numpy(), wanted)


@pytest.mark.slow
def test_processes_give_the_same_bits(model: sd.Model, monkeypatch) -> None:
    from sembada.sd import batch

    design = sd.sample({"rate": (0.1, 0.5)}, 700, seed=2)
    wanted = model.sweep(design).frame("demand").to_numpy()
    monkeypatch.setattr(batch, "BLOCK_BYTES", 2**18)
    np.testing.assert_array_equal(model.sweep(design, executor="processes").frame("demand").to_numpy(), wanted)


def test_progress_is_reported(model: sd.Model) -> None:
    seen: list[tuple[int, int]] = []
    model.sweep(sd.sample({"rate": (0.1, 0.5)}, 300), save=["customers"], progress=lambda d, t: seen.append((d, t)))
    assert seen[-1] == (300, 300)


@reduction
def test_statistics_stand_in_for_the_runs(model: sd.Model) -> None:
    design = sd.scenarios({"a": {}, "b": {"size": 200.0}}, sd.sample({"rate": (0.1, 0.5)}, 500, seed=1))
    full = model.sweep(design, save=["customers", "demand"])
    limits = {"customers": [(">", 60.0), ("<=", 20.0)]}
    kept = model.sweep(design, save=["customers", "demand"], stats=sd.Statistics(beyond=limits))
    for name in ("customers", "demand"):
        for what, tolerance in (("mean", 1e-12), ("std", 1e-9), ("minimum", 0), ("maximum", 0)):
            found, wanted = getattr(kept, what)(name), getattr(full, what)(name, by="scenario")
            np.testing.assert_allclose(found, wanted, rtol=tolerance, atol=1e-12 if what == "std" else 0)
        found, wanted = kept.quantiles(name, [0.05, 0.5, 0.95]), full.quantiles(name, [0.05, 0.5, 0.95], by="scenario")
        assert found.columns.equals(wanted.columns)
        if name == "demand":  # held at the end of its lookup in many runs: ranks of ties say nothing
            continue
        # the sketch is good to a hundredth of a rank; 500 runs have ranks of 0.002
        frame = full.frame(name)
        for group, runs in (("a", slice(0, 499)), ("b", slice(500, 999))):
            part = frame.loc[10.0, runs].to_numpy()
            ranks = [(part <= value).mean() for value in found.loc[10.0, group]]
            np.testing.assert_allclose(ranks, [0.05, 0.5, 0.95], atol=0.012)
    beyond = kept.exceedance()
    share = (full.frame("customers").loc[:, :499] > 60).mean(axis=1)
    np.testing.assert_allclose(beyond[("a", "customers > 60")], share, rtol=1e-12)
    first = kept.first_passage()
    np.testing.assert_allclose(first.sum(), 1.0, rtol=1e-12)
    with pytest.raises(DataError, match="statistics"):
        kept.frame("customers")
    with pytest.raises(SpecificationError, match="by 'scenario'"):
        kept.quantiles("customers", by="draw")
    np.testing.assert_allclose(kept.run(3)["customers"], full.frame("customers")[3], rtol=1e-12)


@reduction
@pytest.mark.parametrize("interleaved", [False, True])
def test_statistics_are_those_of_numpy_on_the_kept_runs(interleaved: bool) -> None:
    design = pd.DataFrame({"shift": np.linspace(-3.0, 40.0, 900), "region": np.repeat(["n", "s", "w"], 300)})
    if interleaved:
        design["region"] = np.tile(["n", "s", "w"], 300)
    full = failing().sweep(design, save=["x", "y", "root"])
    limits = {"y": [(">", 20.0), ("<=", 8.0)]}
    kept = failing().sweep(design, save=["x", "y", "root"], stats=sd.Statistics(by="region", beyond=limits))
    assert full.n_failed == kept.n_failed > 0
    pd.testing.assert_frame_equal(full.failures(), kept.failures())
    for name in ("x", "y", "root"):
        values = full.frame(name).to_numpy()
        for group in ("n", "s", "w"):
            part = values[:, (design["region"] == group).to_numpy()]
            # sums of 300 numbers in another order
            np.testing.assert_allclose(kept.mean(name)[group], np.nanmean(part, axis=1), rtol=1e-13, atol=1e-13)
            np.testing.assert_allclose(
                kept.variance(name)[group], np.nanvar(part, axis=1, ddof=1), rtol=1e-11, atol=1e-12
            )
            np.testing.assert_array_equal(kept.minimum(name)[group], np.nanmin(part, axis=1))
            np.testing.assert_array_equal(kept.maximum(name)[group], np.nanmax(part, axis=1))
            # 300 runs a group are kept as they are
            q = [0.05, 0.5, 0.95]
            np.testing.assert_allclose(kept.quantiles(name, q)[group], np.nanquantile(part, q, axis=1).T, rtol=1e-13)
            finite = np.isfinite(part).sum(axis=1)
            for sign, limit in limits["y"] if name == "y" else []:
                beyond = part > limit if sign == ">" else part <= limit
                label = f"y {sign} {limit:g}"
                np.testing.assert_allclose(kept.exceedance()[(group, label)], beyond.sum(axis=1) / finite, rtol=1e-13)
                first = np.where(beyond.any(axis=0), beyond.argmax(axis=0), len(part))
                counts = np.bincount(first, minlength=len(part) + 1)
                np.testing.assert_allclose(kept.first_passage()[(group, label)], counts / 300, rtol=1e-13)


@reduction
def test_sketched_quantiles_are_within_the_bound_that_they_state(model: sd.Model) -> None:
    design = sd.sample({"rate": stats.lognorm(0.8, scale=0.2), "size": (50.0, 150.0)}, 6000, seed=4)
    full = model.sweep(design, save=["customers", "demand"])
    kept = model.sweep(design, save=["customers", "demand"], stats=sd.Statistics(compression=50))
    q = np.linspace(0, 1, 101)
    for name in ("customers", "demand"):
        bound = kept.rank_error(name).iloc[:, 0].to_numpy()
        assert (bound <= 1 / 50).all()
        assert (full.rank_error(name) == 0).all(axis=None)
        found = kept.quantiles(name, q).to_numpy()
        for row, values in enumerate(full.frame(name).to_numpy()):
            ordered = np.sort(values)
            rank = q * (len(ordered) - 1)
            low = np.searchsorted(ordered, found[row], "left") - 1 - rank
            high = rank - np.searchsorted(ordered, found[row], "right")
            assert max(low.max(), high.max()) <= bound[row] * len(ordered) + 1e-9


@reduction
def test_what_is_no_statistic_is_refused(model: sd.Model) -> None:
    design = sd.grid(rate=[0.1])
    with pytest.raises(UnknownNameError, match="mean"):
        model.sweep(design, stats=["meen"])
    with pytest.raises(SpecificationError, match="sign"):
        model.sweep(design, stats=sd.Statistics(beyond={"customers": ("above", 1)}))
    with pytest.raises(UnknownNameError, match="customers"):
        model.sweep(design, stats=sd.Statistics(beyond={"custmers": (">", 1)}))
    with pytest.raises(SpecificationError, match="kept no limits"):
        model.sweep(design, stats=True).exceedance()


def test_results_that_do_not_fit_are_refused_before_they_are_run(model: sd.Model) -> None:
    from sembada.sd.sweeping import check_memory

    with pytest.raises(DataError, match="stats=True"):
        check_memory(1000, 1000, 10**9)


# stores


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    from sembada.sd import batch

    monkeypatch.setattr(batch, "BLOCK_BYTES", 8 * 2 * 11 * 256)


def test_a_store_holds_the_sweep(model: sd.Model, tmp_path: Path, small_blocks: None) -> None:
    xarray = pytest.importorskip("xarray")
    pytest.importorskip("zarr")
    design = sd.scenarios({"a": {}, "b": {"size": 200.0}}, sd.sample({"rate": (0.1, 0.5)}, 300, seed=1))
    wanted = model.sweep(design, save=["customers", "demand"])
    path = tmp_path / "sweep.zarr"
    stored = model.sweep(design, save=["customers", "demand"], store=path)
    pd.testing.assert_frame_equal(stored.frame("demand"), wanted.frame("demand"))
    pd.testing.assert_frame_equal(stored.quantiles("demand", by="scenario"), wanted.quantiles("demand", by="scenario"))
    data = stored.to_xarray()
    assert isinstance(data, xarray.Dataset)
    np.testing.assert_array_equal(data["customers"].to_numpy().T, wanted.frame("customers").to_numpy())
    assert data["scenario"].to_numpy().tolist() == design.frame["scenario"].tolist()
    np.testing.assert_array_equal(data["rate"], design.frame["rate"])
    assert data["customers"].dims == ("run", "time")
    assert data.attrs["seed"] == 0
    assert data["customers"].attrs["units"] == "person"


def test_a_store_is_read_without_this_package(model: sd.Model, tmp_path: Path, small_blocks: None) -> None:
    zarr = pytest.importorskip("zarr")
    xarray = pytest.importorskip("xarray")
    design = sd.sample({"rate": (0.1, 0.5)}, 300, seed=1)
    path = tmp_path / "sweep.zarr"
    wanted = model.sweep(design, save=["customers"], seed=5, store=path).frame("customers")
    group = zarr.open_group(str(path), mode="r")
    np.testing.assert_array_equal(group["customers"][:], wanted.to_numpy().T)
    with xarray.open_zarr(str(path), consolidated=False) as data:
        assert data["customers"].dims == ("run", "time")
        np.testing.assert_array_equal(data["customers"].to_numpy(), wanted.to_numpy().T)
        np.testing.assert_array_equal(data["rate"].to_numpy(), design.frame["rate"])
        np.testing.assert_array_equal(data["time"].to_numpy(), wanted.index)
        assert data["customers"].attrs["units"] == "person"
        assert data.attrs["seed"] == 5
        assert {"model", "design_hash", "version", "method"} <= set(data.attrs)


def test_a_finished_store_is_not_run_again(model: sd.Model, tmp_path: Path, small_blocks: None) -> None:
    pytest.importorskip("zarr")
    design = sd.sample({"rate": (0.1, 0.5)}, 600, seed=1)
    path = tmp_path / "sweep.zarr"
    first = model.sweep(design, save=["customers", "demand"], store=path)
    files = {file: file.stat().st_mtime_ns for file in path.rglob("c/*")}
    again = model.sweep(design, save=["customers", "demand"], store=path)
    assert {file: file.stat().st_mtime_ns for file in path.rglob("c/*")} == files
    pd.testing.assert_frame_equal(first.frame("demand"), again.frame("demand"))


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"design": sd.sample({"rate": (0.1, 0.5)}, 600, seed=2)}, "design"),
        ({"model": logistic(dt=0.25)}, "model"),
        ({"save": ["customers"]}, "columns"),
        ({"seed": 1}, "seed"),
        ({"method": "rk4"}, "method"),
        ({"stats": True}, "statistics"),
    ],
)
def test_another_sweep_is_refused(model: sd.Model, tmp_path: Path, change: dict, what: str) -> None:
    pytest.importorskip("zarr")
    call = {
        "design": sd.sample({"rate": (0.1, 0.5)}, 600, seed=1),
        "save": ["customers", "demand"],
        "store": tmp_path / "sweep.zarr",
    }
    model.sweep(**call)
    changed = {**call, **change}
    other = changed.pop("model", model)
    with pytest.raises(StoreError, match=what):
        other.sweep(**changed)


def test_stores_tell_long_series_apart(model: sd.Model, tmp_path: Path) -> None:
    pytest.importorskip("zarr")
    times = np.linspace(0, 10, 500)
    values = np.ones(500)
    call = {"save": ["demand"], "store": tmp_path / "series.zarr"}
    model.sweep(sd.scenarios({"a": {"season": pd.Series(values, times)}}), **call)
    values[250] = 2.0
    with pytest.raises(StoreError, match="design"):
        model.sweep(sd.scenarios({"a": {"season": pd.Series(values, times)}}), **call)


def test_a_block_that_was_damaged_is_run_again(model: sd.Model, tmp_path: Path, small_blocks: None) -> None:
    zarr = pytest.importorskip("zarr")
    design = sd.sample({"rate": (0.1, 0.5)}, 1000, seed=1)
    wanted = model.sweep(design, save=["customers", "demand"])
    path = tmp_path / "sweep.zarr"
    model.sweep(design, save=["customers", "demand"], store=path)
    chunk = sorted(file for file in (path / "demand" / "c").rglob("*") if file.is_file())[1]
    chunk.write_bytes(chunk.read_bytes()[:40])
    group = zarr.open_group(str(path), mode="r+")
    group["block_checksum"][3] = -1
    again = model.sweep(design, save=["customers", "demand"], store=path)
    pd.testing.assert_frame_equal(again.frame("demand"), wanted.frame("demand"))


def test_what_is_no_store_is_refused(model: sd.Model, tmp_path: Path) -> None:
    pytest.importorskip("zarr")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("precious")
    with pytest.raises(StoreError, match="no sweep"):
        model.sweep(sd.grid(rate=[0.1]), store=tmp_path / "mine")
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "precious"


def test_failures_are_stored(tmp_path: Path) -> None:
    pytest.importorskip("zarr")
    design = pd.DataFrame({"shift": [100.0, 0.0, 50.0, 2.0]})
    wanted = failing().sweep(design)
    stored = failing().sweep(design, store=tmp_path / "s.zarr")
    pd.testing.assert_frame_equal(stored.failures(), wanted.failures())
    again = failing().sweep(design, store=tmp_path / "s.zarr")
    pd.testing.assert_frame_equal(again.failures(), wanted.failures())


def test_a_damaged_block_is_found(model: sd.Model, tmp_path: Path, small_blocks: None) -> None:
    zarr = pytest.importorskip("zarr")
    from sembada.sd.store import Store

    design = sd.sample({"rate": (0.1, 0.5)}, 600, seed=1)
    path = tmp_path / "sweep.zarr"
    model.sweep(design, save=["customers", "demand"], store=path)
    group = zarr.open_group(str(path), mode="r+")
    group["customers"][300, 4] = -1.0
    with pytest.raises(StoreError, match="block 1"):
        Store.check(path)


SCRIPT = """
import os, sys, signal
from sembada import sd
from sembada.sd import batch, store
sys.path.insert(0, {folder!r})
from test_sd_sweep import logistic
batch.BLOCK_BYTES = 8 * 2 * 11 * 256
after = int(sys.argv[2])
save = store.Store.save
count = [0]
def dying(self, block, result):
    count[0] += 1
    if count[0] > after:
        if count[0] % 2:
            # half of a block is written when the end comes
            self._fields["customers"][block.start:block.stop] = 0.0
        os.kill(os.getpid(), signal.SIGKILL)
    save(self, block, result)
if after >= 0:
    store.Store.save = dying
design = sd.sample({{"rate": (0.1, 0.5)}}, 2000, seed=1)
sweep = logistic().sweep(design, save=["customers", "demand"], store=sys.argv[1])
print(sweep.frame("demand").to_numpy().sum())
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs SIGKILL")
def test_a_killed_sweep_goes_on_where_it_was(model: sd.Model, tmp_path: Path) -> None:
    pytest.importorskip("zarr")
    zarr = pytest.importorskip("zarr")
    path = tmp_path / "sweep.zarr"
    script = SCRIPT.format(folder=str(Path(__file__).parent))
    done = []
    for after in (1, 2):
        killed = subprocess.run([sys.executable, "-c", script, str(path), str(after)], capture_output=True, check=False)
        assert killed.returncode == -9, killed.stderr.decode()
        done.append(int((zarr.open_group(str(path), mode="r")["block_checksum"][:] >= 0).sum()))
    assert done == [1, 3]
    end = subprocess.run([sys.executable, "-c", script, str(path), "-1"], capture_output=True, check=True)
    assert end.returncode == 0
    design = sd.sample({"rate": (0.1, 0.5)}, 2000, seed=1)
    wanted = model.sweep(design, save=["customers", "demand"])
    stored = model.sweep(design, save=["customers", "demand"], store=path)
    for name in ("customers", "demand"):
        np.testing.assert_array_equal(stored.frame(name).to_numpy(), wanted.frame(name).to_numpy())


@reduction
def test_statistics_resume_too(model: sd.Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("zarr")
    from sembada.sd import batch

    monkeypatch.setattr(batch, "STATISTICS_BLOCK", 256)
    design = sd.sample({"rate": (0.1, 0.5)}, 1000, seed=1)
    wanted = model.sweep(design, save=["customers"], stats=True)

    class Stop(Exception):
        pass

    calls = []

    def interrupt(done: int, total: int) -> None:
        calls.append(done)
        if done >= 512:
            raise Stop

    path = tmp_path / "stats.zarr"
    with pytest.raises(Stop):
        model.sweep(design, save=["customers"], stats=True, store=path, progress=interrupt)
    found = model.sweep(design, save=["customers"], stats=True, store=path)
    assert found.summary is not None
    assert wanted.summary is not None
    assert found.summary.state == wanted.summary.state


def test_what_is_written_to_a_frame_stays_in_it(model: sd.Model) -> None:
    sweep = model.sweep(pd.DataFrame({"rate": [0.1, 0.2, 0.5]}), save=["customers", "demand"])
    before = sweep.frame("customers").copy()
    frame = sweep.frame("customers")
    frame.iloc[0, 0] = -1.0
    frame[1] = 0.0
    frame += 1
    assert (sweep.frame("customers") == before).all(axis=None)
    assert (sweep["customers"] == before).all(axis=None)
    again = pickle.loads(pickle.dumps(sweep))
    assert (again.frame("customers") == before).all(axis=None)


def test_what_is_written_to_a_frame_of_an_array_stays_in_it(tmp_path: Path) -> None:
    path = tmp_path / "level.mdl"
    path.write_text(
        "Region: North, South ~~|\nlevel[Region] = INTEG(rate, 1) ~~|\nrate = 0.5 ~~|\nINITIAL TIME = 0 ~~|\n"
        "FINAL TIME = 2 ~~|\nTIME STEP = 1 ~~|\nSAVEPER = 1 ~~|\n"
    )
    model = sd.read(path)
    sweep = model.sweep(pd.DataFrame({"rate": [0.5, 1.0]}), save=["level"])
    before = sweep.frame("level").copy()
    frame = sweep.frame("level")
    frame.iloc[:, 0] = -1.0
    assert (sweep.frame("level") == before).all(axis=None)


def test_a_sweep_that_is_interrupted_gives_no_array(model: sd.Model) -> None:
    def stop(done: int, total: int) -> None:
        raise RuntimeError("enough")

    slow = logistic(dt=1e-4)
    with pytest.raises(RuntimeError, match="enough"):
        slow.sweep(sd.sample({"rate": stats.uniform(0.1, 0.2)}, 20_000), save=["customers"], progress=stop)


def test_a_sweep_in_one_piece_or_in_blocks_is_the_same(model: sd.Model) -> None:
    design = sd.sample({"rate": stats.uniform(0.1, 0.5), "size": stats.norm(1, 2)}, 700, seed=3)
    whole = model.sweep(design, save=["customers", "demand"])
    with ThreadPoolExecutor(1) as pool:
        blocks = model.sweep(design, save=["customers", "demand"], executor=pool)
    for name in ("customers", "demand"):
        np.testing.assert_array_equal(whole.frame(name), blocks.frame(name))
    pd.testing.assert_frame_equal(whole.failures(), blocks.failures())
