"""Conveyors, queues, ovens and the discrete delays of Vensim: balances, closed forms, examples of manuals."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sd_corpus
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sembada import sd
from sembada.errors import SembadaError


def reference(name: str) -> sd.Model:
    case = next(case for case in sd_corpus.cases() if case.id == f"conveyors/{name}")
    return sd.read(sd_corpus.root() / case.model)


def steps(frame: pd.DataFrame, column: str) -> np.ndarray:
    """What a rate brought until each time, under Euler."""
    times = frame.index.to_numpy()
    return np.concatenate([[0.0], np.cumsum(frame[column].to_numpy()[:-1] * np.diff(times))])


def test_a_steady_conveyor_stays() -> None:
    frame = reference("minimal_conveyor.xmile").run().frame
    assert (frame["Students"] == 1000).all()
    assert (frame["graduating"] == 250).all()


def test_each_element_of_an_arrayed_conveyor_has_its_own_length() -> None:
    frame = reference("arrayed_conveyor.xmile").run().frame
    for element, inflow, transit in (("a", 100, 2), ("b", 250, 4)):
        time = frame.index.to_numpy()
        np.testing.assert_array_equal(frame[f"outflow_f[{element}]"], np.where(time >= transit, inflow, 0))
        np.testing.assert_array_equal(frame[f"belt[{element}]"], inflow * np.minimum(time, transit))


def test_the_slats_of_a_conveyor_are_a_container() -> None:
    names = ["total", "average", "lightest", "heaviest", "spread", "slat_count"]
    names += ["exit_slat", "second_slat", "initial_total"]
    frame = reference("conveyor_containers.xmile").run().frame
    slats = [10.0] * 4
    for time in frame.index:
        row = frame.loc[time]
        wanted = [sum(slats), np.mean(slats), min(slats), max(slats), np.std(slats), 4, slats[0], slats[1], 40]
        # four numbers added in another order
        np.testing.assert_allclose([row[name] for name in names], wanted, rtol=1e-14)
        slats = [*slats[1:], 0.5 * row["arriving"]]


def test_a_discrete_conveyor_keeps_its_budget_of_each_unit_of_time() -> None:
    frame = reference("discrete_conveyor.xmile").run().frame
    entered = 0.5 * frame["arriving"].to_numpy()[:-1]
    assert (entered.reshape(-1, 2).sum(axis=1) <= 3 + 1e-12).all()
    # the wish is two and more a unit of time, so the budget is spent from the third on
    np.testing.assert_allclose(entered.reshape(-1, 2).sum(axis=1)[2:], 3, rtol=1e-14)
    np.testing.assert_allclose(frame["departing"].to_numpy()[2:], frame["arriving"].to_numpy()[:-2], rtol=1e-14)


@pytest.mark.parametrize("name", ["minimal_queue.xmile", "queue_drain.xmile"])
def test_an_open_queue_passes_everything_on(name: str) -> None:
    frame = reference(name).run().frame
    np.testing.assert_array_equal(frame["waiting"] + frame["served"], 10 * frame.index.to_numpy())
    assert (frame["waiting"] <= 10 * 0.25).all()


def test_a_queue_before_a_full_conveyor_overflows() -> None:
    frame = reference("queue_coupled_conveyor.xmile").run().frame
    time = frame.index.to_numpy()
    total = frame["waiting"] + frame["balked"] + frame["belt"] + frame["arrived"]
    np.testing.assert_allclose(total, steps(frame, "arrivals"), rtol=1e-14)
    assert (frame["belt"] <= np.where(time < 2.5, 2, 22)).all()


@pytest.mark.parametrize("method", ["euler", "rk2", "rk4"])
def test_an_epidemic_of_conveyors_loses_nobody(method: str) -> None:
    run = reference("covid19_severity.stmx").run(method=method)
    people = [
        name
        for name in run.frame.columns
        if name.split("[")[0]
        in {
            "Uninfected at risk",
            "infected not contagious",
            "asymptomatic contagious",
            "symptomatic contagious",
            "symptomatic not contagious",
            "recovered",
            "tested infected not contagious",
            "tested asymptomatic contagious",
            "tested symptomatic contagious",
            "tested symptomatic not contagious",
            "Cumulative Deaths",
        }
    ]
    assert len(people) == 35
    total = run.frame[people].sum(axis=1)
    arrived = steps(run.frame, "assymptomatic arriving[Asymptomatic]")
    # a million and some thousand additions
    np.testing.assert_allclose(total, 1_000_000 + arrived, rtol=1e-12)


def test_a_drawn_stay_has_its_mean() -> None:
    run = reference("sir_social_distancing_mixnot.stmx").run()
    for part in ("Not Mixing", "Perfect Mixing", "Not Mixing at all"):
        total = sum(run.frame[f"{part}.{name}"] for name in ("susceptible", "Infected", "Recovered"))
        np.testing.assert_allclose(total, 1001, rtol=1e-13)
    # Little's law for what enters by a profile: the mean stay is the duration that the transit time was computed from.
    profile = [(0, 0), (0.25, 3), (1, 1)]
    model = sd.Model(
        sd.Conveyor("ill", 0, inflows=["catching"], outflows=["recovering"], transit_time="14 / LOOKUPMEAN(shape, 1)"),
        sd.Flow("catching", 10, spread="dist", profile="shape"),
        sd.Flow("recovering"),
        sd.Lookup("shape", x=[x for x, _ in profile], y=[y for _, y in profile]),
        time=sd.Time(0, 100, dt=0.0625),
    )
    # places of a sixteenth, and half a step that what leaves first still stays
    assert model.run()["ill"].iloc[-1] / 10 == pytest.approx(14, abs=0.1)


times = st.sampled_from([0.5, 1.0, 2.0, 3.5])


@settings(max_examples=25, deadline=None)
@given(
    transit=times,
    content=st.floats(0, 50),
    fraction=st.floats(0, 0.6),
    zone=st.tuples(st.floats(0, 0.4), st.floats(0.5, 1)),
    exponential=st.booleans(),
    integers=st.booleans(),
    spread=st.sampled_from([None, "even", "dest"]),
    capacity=st.floats(5, 100),
    method=st.sampled_from(["euler", "rk2", "rk4", "rk45"]),
)
@example(0.5, 0.0, 0.0, (0.0, 0.5), False, False, None, 43.0, "rk45")  # told and held at one time
@example(0.5, 0.0, 0.5, (0.0, 0.5), True, True, "even", 5.0, "euler")  # less in the zone than waits to leak
def test_conveyors_balance(
    transit: float,
    content: float,
    fraction: float,
    zone: tuple[float, float],
    exponential: bool,
    integers: bool,
    spread: str | None,
    capacity: float,
    method: str,
) -> None:
    model = sd.Model(
        sd.Stock("source", 1000, outflows=["entering"], non_negative=True),
        sd.Conveyor(
            "belt",
            min(content, capacity),
            inflows=["entering"],
            outflows=["leaving", "leaking"],
            transit_time=f"{transit} + STEP(1, 3) - STEP(0.5, 6)",
            capacity=capacity,
            arrest="IF TIME > 4 AND TIME < 5 THEN 1 ELSE 0",
            exponential_leak=exponential,
        ),
        sd.Flow("entering", "source / 20", spread=spread),
        sd.Flow("leaving"),
        sd.Leak("leaking", fraction, zone=zone, integers=integers),
        sd.Stock("gone", 0, inflows=["leaving", "leaking"]),
        time=sd.Time(0, 10, dt=0.25),
    )
    frame = model.run(method=method).frame
    total = frame["source"] + frame["belt"] + frame["gone"]
    # a hundred additions of a thousand
    np.testing.assert_allclose(total, 1000 + min(content, capacity), atol=1e-9)
    assert (frame["belt"] <= capacity + 1e-9).all()
    assert (frame[["belt", "leaving", "leaking"]] >= 0).all().all()
    if integers:
        whole = 0.25 * frame["leaking"] if method == "euler" else np.zeros(1)
        np.testing.assert_allclose(whole, np.round(whole), atol=1e-9)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(0, 9), min_size=3, max_size=8), st.floats(0.5, 6), st.booleans(), st.booleans())
def test_a_queue_serves_as_the_slow_obvious_queue(arrivals: list[float], room: float, one: bool, whole: bool) -> None:
    table = sd.Lookup("table", x=list(range(len(arrivals))), y=arrivals)
    model = sd.Model(
        sd.Queue("line", 0, inflows=["arriving"], outflows=["serving", "balking"]),
        sd.Conveyor(
            "desk",
            0,
            inflows=["serving"],
            outflows=["leaving"],
            transit_time=1,
            capacity=room,
            discrete=True,
            one_at_a_time=one,
            batch_integrity=whole,
        ),
        sd.Flow("arriving", "table(TIME)"),
        sd.Flow("serving"),
        sd.Flow("balking", overflow=True),
        sd.Flow("leaving"),
        table,
        time=sd.Time(0, len(arrivals) + 3, dt=1),
    )
    frame = model.run().frame
    line: list[float] = []
    for step in range(len(frame)):
        row = frame.iloc[step]
        assert row["line"] == pytest.approx(sum(line), abs=1e-9)
        left, served, refused = room, 0.0, False
        for _ in range(1 if one else len(line)):
            if not line or line[0] > left + 1e-9:
                refused = bool(line)
                break
            served += line[0]
            left -= line.pop(0)
        if refused and not whole:
            served += left
            line[0] -= left
        balked = (line.pop(0) if one else sum(line)) if refused else 0.0
        line = line if one else ([] if refused else line)
        assert row["serving"] == pytest.approx(served, abs=1e-8)
        assert row["balking"] == pytest.approx(balked, abs=1e-8)
        if row["arriving"] > 0:
            line.append(row["arriving"])


def test_an_oven_bakes_batch_after_batch() -> None:
    model = sd.Model(
        sd.Oven("kiln", 0, inflows=["loading"], outflows=["unloading"], cook_time=2, capacity=6, clean_time=1),
        sd.Flow("loading", 2),
        sd.Flow("unloading"),
        sd.Aux("state", "OSTATE(kiln)"),
        time=sd.Time(0, 15, dt=1),
    )
    frame = model.run().frame
    # filled by 3, cooked until 5, unloaded in that step, cleaned in the next: a round of seven
    assert frame.index[frame["unloading"] > 0].tolist() == [5, 12]
    assert frame["unloading"].max() == 6
    assert frame["state"].tolist()[:8] == [0, 1, 1, 2, 2, 2, 3, 0]
    assert frame["loading"].tolist()[:8] == [2, 2, 2, 0, 0, 0, 0, 2]


def test_a_list_says_what_leaves_when() -> None:
    def leaving(initial: str) -> list[float]:
        model = sd.Model(
            sd.Conveyor("belt", initial, outflows=["leaving"], transit_time=2),
            sd.Flow("leaving"),
            time=sd.Time(0, 2, dt=0.5),
        )
        return model.run()["leaving"].tolist()

    assert leaving("1, 2, 3, 4") == [2, 4, 6, 8, 0]
    assert leaving("10, 20") == [10, 10, 20, 20, 0]


@pytest.mark.parametrize("written", ["belt[b][1]", "belt[b, 1]"])
def test_an_element_of_an_array_has_slats(written: str) -> None:
    model = sd.Model(
        sd.Conveyor(
            "belt", "8", inflows=["entering"], outflows=["leaving"], transit_time="length", dimensions=["line"]
        ),
        sd.Flow("entering", "line", dimensions=["line"]),
        sd.Flow("leaving", dimensions=["line"]),
        sd.Aux("length", {"a": "1", "b": "2"}, dimensions=["line"]),
        sd.Aux("first", written),
        sd.Aux("number", "SIZE(belt[b])"),
        dimensions={"line": ["a", "b"]},
        time=sd.Time(0, 4, dt=0.5),
    )
    frame = model.run().frame
    assert frame["first"].tolist() == [2, 2, 2, 2, 1, 1, 1, 1, 1]
    assert (frame["number"] == 4).all()
    assert not any(finding.code == "unused" for finding in model.check().itertuples())


def test_sweeps_have_a_belt_a_run() -> None:
    model = sd.Model(
        sd.Conveyor("belt", 10, inflows=["entering"], outflows=["leaving"], transit_time="transit"),
        sd.Flow("entering", "rate"),
        sd.Flow("leaving"),
        sd.Parameter("transit", 2),
        sd.Parameter("rate", 3),
        time=sd.Time(0, 8, dt=0.5),
    )
    design = pd.DataFrame(list(itertools.product([0.5, 1, 2.5, 4], [0, 3, 7])), columns=["transit", "rate"])
    swept = model.sweep(design, save=["belt", "leaving"])
    for k, row in design.iterrows():
        single = model.run(dict(row), save=["belt", "leaving"])
        for name in ("belt", "leaving"):
            np.testing.assert_array_equal(swept[name].to_numpy()[:, k], single[name].to_numpy())
        assert single["belt"].iloc[-1] == pytest.approx(row["rate"] * row["transit"], abs=1e-12)


HEADER = """
INITIAL TIME = 0 ~~|
FINAL TIME = {last} ~~|
TIME STEP = {dt} ~~|
SAVEPER = TIME STEP ~~|
flat((0,1),(1,1)) ~~|
"""


def vensim(tmp_path: Path, text: str, last: float, dt: float) -> sd.Model:
    path = tmp_path / "model.mdl"
    path.write_text(HEADER.format(last=last, dt=dt) + text)
    return sd.read(path)


def test_material_and_information_arrive_as_the_manual_says(tmp_path: Path) -> None:
    model = vensim(
        tmp_path,
        """
starts = 1 + Time ~~|
duration = 3 - STEP(1, 4) + STEP(2, 6) ~~|
material = DELAY MATERIAL(starts, duration, 5, 0.5) ~~|
news = DELAY INFORMATION(starts, duration, 5) ~~|
""",
        10,
        1,
    )
    frame = model.run().frame
    # in at t with the duration of t: out at 3, 4, 5, 6 and then, with two, at 6 and 7; with four from 10 on
    assert frame["material"].tolist() == [5, 5, 5, 1, 2, 3, 4 + 5, 6, 0.5, 0.5, 7]
    assert frame["news"].tolist() == [5, 5, 5, 1, 2, 3, 5, 6, 6, 6, 7]


def test_batches_and_conveyors_of_vensim_conserve(tmp_path: Path) -> None:
    model = vensim(
        tmp_path,
        """
starts = 4 + 3 * SIN(Time) ~~|
batches = DELAY BATCH(starts, 10, 2, 3, 1, 6) ~~|
conveyed = DELAY CONVEYOR(starts, 3 + SIN(2 * Time), 0, flat, 12, 3) ~~|
profiled = DELAY PROFILE(flat, starts, 3, 4, 0) ~~|
waiting = INTEG(starts - batches, 6 + 3 * TIME STEP) ~~|
moving = INTEG(starts - conveyed, 12) ~~|
""",
        40,
        0.5,
    )
    frame = model.run().frame
    assert (frame["waiting"] >= -1e-9).all()
    out = frame["batches"][frame["batches"] > 0] * 0.5
    # the first is the initial rate in one step; all others are ten
    np.testing.assert_allclose(out.iloc[1:], 10, rtol=1e-12)
    assert (frame["moving"] >= -1e-9).all()
    assert frame["moving"].max() < 4 * 7
    assert frame["profiled"].mean() == pytest.approx(frame["starts"].mean(), rel=0.03)


def test_a_vensim_conveyor_leaks_as_the_manual_says(tmp_path: Path) -> None:
    model = vensim(
        tmp_path,
        """
input = 10 + Time ~~|
leak rate = 0.1 ~~|
out = DELAY CONVEYOR(input, 4, leak rate, flat, 40, 4) ~~|
total = INTEG(input - out - leakage, 40) ~~|
ahead = total + TIME STEP * (input - out) ~~|
leakage = ahead * leak rate ~~|
""",
        20,
        0.25,
    )
    frame = model.run().frame
    # what went in four ago, less a share each of the sixteen steps, the first of them that of its entry
    time = frame.index.to_numpy()[17:]
    np.testing.assert_allclose(frame["out"].to_numpy()[17:], (10 + time - 4) * (1 - 0.025) ** 16, rtol=1e-12)
    # the level of the manual is what is on the belt: after the last input is known it empties with it
    assert frame["total"].iloc[-1] == pytest.approx(
        sum((10 + 20 - 0.25 * k) * 0.25 * 0.975**k for k in range(1, 17)), rel=1e-12
    )


def test_a_fifo_queue_is_a_level_that_knows_ages(tmp_path: Path) -> None:
    model = vensim(
        tmp_path,
        """
orders = 10 + STEP(20, 5) ~~|
shipped = MIN(12, QUEUE AGE IN RANGE(pending, 2, 1e+09) / TIME STEP) ~~|
pending = QUEUE FIFO(orders, shipped, flat, 100, 3) ~~|
level = INTEG(orders - shipped, 100) ~~|
mean age = QUEUE AGE AVERAGE(pending) ~~|
oldest = QUEUE AGE OLDEST(pending) ~~|
""",
        30,
        0.5,
    )
    for method in ("euler", "rk4"):
        frame = model.run(method=method).frame
        np.testing.assert_allclose(frame["pending"], frame["level"], rtol=1e-12)
        assert (frame["mean age"] <= frame["oldest"] + 1e-12).all()
        # first in, first out: what is there came in since the oldest did
        assert frame["oldest"].iloc[-1] == pytest.approx(frame["pending"].iloc[-1] / 30, abs=0.51)


def test_attributes_of_a_queue(tmp_path: Path) -> None:
    model = vensim(
        tmp_path,
        """
orders = 4 ~~|
size = 2 + Time / 10 ~~|
capacity = 7 ~~|
pending = QUEUE FIFO ATTRIB(orders, done, size, 0, flat, flat, 100, 1, 10) ~~|
done = QUEUE ATTRIB QUANTITY(pending, capacity * TIME STEP) / TIME STEP ~~|
mean size = QUEUE ATTRIB AVERAGE(pending, -1) ~~|
largest = QUEUE ATTRIB MAX(pending) ~~|
smallest = QUEUE ATTRIB MIN(pending) ~~|
easy = QUEUE ATTRIB IN RANGE(pending, 0, 1.5) ~~|
load = INTEG(orders * size - capacity, 100) ~~|
""",
        20,
        0.5,
    )
    frame = model.run().frame
    # what is done takes the capacity: amount times attribute is a level of its own
    np.testing.assert_allclose(frame["pending"] * frame["mean size"], frame["load"], rtol=1e-10)
    assert frame["smallest"].iloc[0] == 1
    assert frame["largest"].iloc[-1] == pytest.approx(2 + 19.5 / 10)
    assert frame["easy"].iloc[0] == pytest.approx(100)


def test_depreciation_writes_off_what_was_invested(tmp_path: Path) -> None:
    model = vensim(
        tmp_path,
        """
period : (p1-p4) ~~|
schedule[period] = 0.4, 0.3, 0.2, 0.1 ~~|
before[period] = 0, 0, 0, 0 ~~|
stream = IF THEN ELSE(Time < 3, 100, 0) ~~|
straight = DEPRECIATE STRAIGHTLINE(stream, 4, 1, 0) ~~|
scheduled = DEPRECIATE BY SCHEDULE(stream, schedule[p1], before[p1], 4, 0) ~~|
""",
        10,
        0.5,
    )
    frame = model.run().frame
    assert frame["straight"].tolist()[::2] == [25, 50, 75, 75, 50, 25, 0, 0, 0, 0, 0]
    np.testing.assert_allclose(frame["scheduled"].to_numpy()[:14:2], [40, 70, 90, 60, 30, 10, 0], atol=1e-12)


def test_cohorts_shift(tmp_path: Path) -> None:
    model = vensim(
        tmp_path,
        """
age : young, (old1-old3) ~~|
older : (old1-old3) ~~|
start[age] = 0, 30, 20, 10 ~~|
people[young] = INTEG(12, start[young]) ~~|
people[older] = INTEG(0, start[older]) ~~|
dropped = SHIFT IF TRUE(people[young], MODULO(Time + TIME STEP, 1) = 0, ELMCOUNT(age), keep, 0) ~~|
keep = 1 ~~|
total = SUM(people[age!]) ~~|
""",
        3,
        0.25,
    )
    frame = model.run().frame
    cohorts = frame[[f"people[{name}]" for name in ("young", "old1", "old2", "old3")]]
    assert cohorts.loc[1].tolist() == [3, 9, 30, 30]
    np.testing.assert_allclose(frame["total"], 60 + 12 * frame.index.to_numpy(), rtol=1e-14)
    frame = model.run({"keep": 0}).frame
    assert frame["dropped"].loc[0.75] == 10
    assert frame["total"].iloc[-1] == pytest.approx(60 + 36 - 10 - 20 - 30)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("x = QUEUE AGE AVERAGE(y, 0) ~~|\ny = INTEG(1, 0) ~~|", "no queue"),
        ("x = QUEUE ATTRIB MAX(y) ~~|\ny = QUEUE FIFO(1, 1, flat, 5, 2) ~~|", "attributes"),
        ("x = SHIFT IF TRUE(y, 1, 2, 0, 0) ~~|\ny = INTEG(1, 0) ~~|", "from 1 to 1"),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(tmp_path: Path, text: str, wanted: str) -> None:
    with pytest.raises(SembadaError, match=wanted) as caught:
        vensim(tmp_path, text, 5, 1).run()
    assert "model.mdl" in str(caught.value)


@pytest.mark.parametrize(
    ("parts", "wanted"),
    [
        ([sd.Conveyor("belt", 0, outflows=["out"], transit_time=1), sd.Leak("out", 0.1)], "no outflow at its end"),
        ([sd.Conveyor("belt", 0, outflows=["out"], transit_time=0), sd.Flow("out")], "expected a positive time"),
        (
            [
                sd.Conveyor("belt", 0, outflows=["out"], transit_time=1),
                sd.Flow("out"),
                sd.Oven("kiln", 0, inflows=["out"], outflows=["done"], cook_time=1),
                sd.Flow("done"),
            ],
            "put a queue between",
        ),
        ([sd.Stock("s", 0, outflows=["out"]), sd.Flow("out", 1, overflow=True)], "overflow"),
        ([sd.Queue("q", 0, outflows=["out"]), sd.Flow("out", overflow=True)], "first flow out of a queue"),
        (
            [
                sd.Conveyor("belt", 0, inflows=["enter"], outflows=["out"], transit_time=1),
                sd.Flow("enter", 1, spread="source"),
                sd.Flow("out"),
            ],
            "leakage of a conveyor",
        ),
        (
            [
                sd.Conveyor("belt", 0, outflows=["out"], transit_time=1),
                sd.Flow("out"),
                sd.Aux("x", "CTMEAN(out)"),
            ],
            "CTMEAN",
        ),
    ],
)
def test_unsupported_structures_are_refused(parts: list[sd.Stock], wanted: str) -> None:
    with pytest.raises(SembadaError, match=wanted):
        sd.Model(*parts, time=sd.Time(0, 3, dt=1)).run()


def test_files_keep_all_of_it(tmp_path: Path) -> None:
    model = sd.Model(
        sd.Queue("line", "3, 2", inflows=["arriving"], outflows=["boarding", "balking"]),
        sd.Conveyor(
            "belt",
            "1, 2, 3, 4",
            inflows=["boarding", "joining"],
            outflows=["departing", "losing"],
            transit_time="2",
            capacity=12,
            inflow_limit=5,
            sample=1,
            arrest="IF TIME = 3 THEN 1 ELSE 0",
            discrete=True,
            batch_integrity=True,
            one_at_a_time=False,
        ),
        sd.Queue("shelf", 0, inflows=["departing"], outflows=["loading"]),
        sd.Oven(
            "kiln", 2, inflows=["loading"], outflows=["unloading"], cook_time=1, capacity=5, fill_time=2, clean_time=0.5
        ),
        sd.Flow("arriving", "2 + TIME"),
        sd.Flow("boarding"),
        sd.Flow("balking", overflow=True),
        sd.Flow("joining", 0.5, spread="dist", profile="shape"),
        sd.Flow("departing"),
        sd.Leak("losing", 0.1, zone=(0.25, 0.75)),
        sd.Flow("loading"),
        sd.Flow("unloading"),
        sd.Lookup("shape", x=[0, 1], y=[0, 1]),
        time=sd.Time(0, 8, dt=0.5),
    )
    wanted = model.run().frame
    path = tmp_path / "model.xmile"
    path.write_text(model.to_xmile())
    pd.testing.assert_frame_equal(sd.read(path).run().frame[wanted.columns], wanted, check_exact=True)
    with pytest.raises(SembadaError, match="queue"):
        model.to_vensim()


def test_vensim_keeps_its_delays_and_queues_and_xmile_refuses_them(tmp_path: Path) -> None:
    model = vensim(
        tmp_path,
        """
orders = 3 + Time ~~|
pending = QUEUE FIFO(orders, shipped, flat, 20, 4) ~~|
shipped = QUEUE AGE IN RANGE(pending, 2, 9) / TIME STEP ~~|
made = DELAY MATERIAL(shipped, 2, 1, 0) ~~|
fired = DELAY BATCH(made, 5, 1, 0, 0, 0) ~~|
""",
        8,
        0.5,
    )
    again = tmp_path / "again.mdl"
    again.write_text(model.to_vensim())
    wanted = model.run().frame
    pd.testing.assert_frame_equal(sd.read(again).run().frame[wanted.columns], wanted, check_exact=True)
    with pytest.raises(SembadaError, match=r"QUEUE FIFO|DELAY MATERIAL|QUEUE AGE IN RANGE|DELAY BATCH"):
        model.to_xmile()


@pytest.mark.parametrize("name", ["covid19_severity.stmx", "sir_social_distancing_mixnot.stmx"])
def test_large_conveyor_models_survive_their_files(name: str, tmp_path: Path) -> None:
    model = reference(name)
    path = tmp_path / "model.xmile"
    path.write_text(model.to_xmile())
    wanted = model.run().frame
    found = sd.read(path).run().frame
    pd.testing.assert_frame_equal(found[wanted.columns], wanted, check_exact=True)


def test_what_changes_a_container_and_is_not_run_is_refused(tmp_path: Path) -> None:
    text = reference("minimal_conveyor.xmile").to_xmile().replace("<conveyor ", '<conveyor fifo="true" ')
    path = tmp_path / "fifo.xmile"
    path.write_text(text)
    with pytest.raises(SembadaError, match="fifo"):
        sd.read(path)
