"""Every function of both languages gives the numbers of its documentation or of a closed form.

The models run from 0 to 4 with a step of 0.5; `t` are the times of the run. Sources: Vensim's function reference
(vensim.com/documentation), OASIS XMILE 1.0 §3.5, isee systems' help on builtins.
"""

import math
from pathlib import Path

import numpy as np
import pytest

from sembada import _core, sd
from sembada.errors import SembadaError

pytestmark = pytest.mark.skipif(not hasattr(_core, "SdProgram"), reason="this build has no engine")

DT = 0.5
t = np.arange(0.0, 4.0 + DT / 2, DT)
n = len(t)
# Rounding of a handful of double-precision operations.
CLOSE = 1e-12

HEAD = """{UTF-8}
D: d1, d2, d3 ~~|
E: e1, e2 -> (F: f1, f2) ~~|
F: f1, f2 ~~|
ROW: r1, r2 ~~|
COL: c1, c2 ~~|
slot: s1, s2, s3 -> D ~~|
v[D] = 5, 3, 8 ~~|
w[D] = 1, 0, 2 ~~|
zero or one[D] = 1, 0, 1 ~~|
matrix[ROW, COL] = 2, 1; 1, 1; ~~|
tab((0,0),(2,4),(4,0)) ~~|
half = 0.5 ~~|
"""
TAIL = """
INITIAL TIME = 0 ~ Month ~|
FINAL TIME = 4 ~ Month ~|
TIME STEP = 0.5 ~ Month ~|
SAVEPER = TIME STEP ~~|
"""


def vensim(definition: str, folder: Path) -> sd.Model:
    path = folder / "model.mdl"
    path.write_text(f"{HEAD}{definition}\n{TAIL}", encoding="utf-8")
    return sd.read(path)


def euler(rate, start: float) -> np.ndarray:
    """The obvious integration of rate(level, time)."""
    out = [start]
    for moment in t[:-1]:
        out.append(out[-1] + DT * rate(out[-1], moment))
    return np.array(out)


def smoothed(signal: np.ndarray, delay: float, order: int, start: float | None = None) -> np.ndarray:
    stages = [signal[0] if start is None else start] * order
    out = []
    for value in signal:
        out.append(stages[-1])
        before, moved = value, []
        for stage in stages:
            moved.append(stage + DT * (before - stage) * order / delay)
            before = stage
        stages = moved
    return np.array(out)


def delayed(signal: np.ndarray, delay: float, order: int, start: float | None = None) -> np.ndarray:
    each = delay / order
    stages = [(signal[0] if start is None else start) * each] * order
    out = []
    for value in signal:
        flows = [stage / each for stage in stages]
        out.append(flows[-1])
        stages = [
            stage + DT * (inflow - outflow)
            for stage, inflow, outflow in zip(stages, [value, *flows[:-1]], flows, strict=True)
        ]
    return np.array(out)


def pipeline(signal: np.ndarray, steps: int, start: float) -> np.ndarray:
    return np.concatenate([np.full(steps, start), signal])[:n]


def trend(signal: np.ndarray, time: float, start: float) -> np.ndarray:
    average, out = signal[0] / (1 + start * time), []
    for value in signal:
        out.append((value - average) / (time * abs(average)))
        average += DT * (value - average) / time
    return np.array(out)


def npv(stream: np.ndarray, rate: float, start: float, factor: float, at_end: bool = False) -> np.ndarray:
    """Vensim's manual writes NPV as two stocks: the discount factor and the sum."""
    discount, total, out = 1 / (1 + rate * DT) if at_end else 1.0, start, []
    for value in stream:
        out.append((total + value * DT * discount) * factor)
        total += DT * value * discount
        discount -= DT * discount * rate / (1 + rate * DT)
    return np.array(out)


ramped = 10 + t
NA = -(2.0**109)

# Function, definition of `x` in Vensim's language, values of `x` over time (or its elements at every time).
VENSIM = [
    ("ABS", "x = ABS(1 - Time)", abs(1 - t)),
    ("ARCCOS", "x = ARCCOS(half)", math.acos(0.5)),
    ("ARCSIN", "x = ARCSIN(half)", math.asin(0.5)),
    ("ARCTAN", "x = ARCTAN(Time)", np.arctan(t)),
    ("COS", "x = COS(Time)", np.cos(t)),
    ("SIN", "x = SIN(Time)", np.sin(t)),
    ("TAN", "x = TAN(half)", math.tan(0.5)),
    ("COSH", "x = COSH(half)", math.cosh(0.5)),
    ("SINH", "x = SINH(half)", math.sinh(0.5)),
    ("TANH", "x = TANH(half)", math.tanh(0.5)),
    ("EXP", "x = EXP(Time)", np.exp(t)),
    ("LN", "x = LN(1 + Time)", np.log(1 + t)),
    ("LOG", "x = LOG(8 + Time, 2)", np.log2(8 + t)),
    ("SQRT", "x = SQRT(Time)", np.sqrt(t)),
    ("POWER", "x = POWER(1 + Time, 3)", (1 + t) ** 3),
    ("INTEGER", "x = INTEGER(Time - 2.2)", np.trunc(t - 2.2)),
    ("MODULO", "x = MODULO(Time - 2, 1.5)", np.fmod(t - 2, 1.5)),
    ("QUANTUM", "x = QUANTUM(Time, 1.5)", 1.5 * np.trunc(t / 1.5)),
    ("XIDZ", "x = XIDZ(Time, Time - 1, 7)", [7.0 if abs(s - 1) < 1e-6 else s / (s - 1) for s in t]),
    ("ZIDZ", "x = ZIDZ(Time, Time - 1)", [0.0 if abs(s - 1) < 1e-6 else s / (s - 1) for s in t]),
    ("MIN", "x = MIN(Time, 2)", np.minimum(t, 2)),
    ("MAX", "x = MAX(Time, 2)", np.maximum(t, 2)),
    ("IF THEN ELSE", "x = IF THEN ELSE(Time > 1 :AND: :NOT: Time > 3, 5, 6)", np.where((t > 1) & (t <= 3), 5, 6)),
    ("GAME", "x = GAME(Time)", t),
    ("GAMMA LN", "x = GAMMA LN(4.5)", math.lgamma(4.5)),
    ("STEP", "x = STEP(3, 1)", np.where(t >= 1, 3, 0)),
    ("RAMP", "x = RAMP(2, 1, 3)", 2 * (np.clip(t, 1, 3) - 1)),
    ("PULSE", "x = PULSE(1, 1.5)", np.where((t >= 1) & (t < 2.5), 1, 0)),
    ("PULSE", "x = PULSE(1, 0)", np.where(t == 1, 1, 0)),
    ("PULSE TRAIN", "x = PULSE TRAIN(1, 0.5, 1.5, 3)", np.isin(t, [1.0, 2.5]).astype(float)),
    ("SMOOTH", "x = SMOOTH(10 + STEP(10, 1), 2)", smoothed(10 + 10.0 * (t >= 1), 2, 1)),
    ("SMOOTHI", "x = SMOOTHI(10 + STEP(10, 1), 2, 4)", smoothed(10 + 10.0 * (t >= 1), 2, 1, 4)),
    ("SMOOTH3", "x = SMOOTH3(10 + STEP(10, 1), 3)", smoothed(10 + 10.0 * (t >= 1), 3, 3)),
    ("SMOOTH3I", "x = SMOOTH3I(10 + STEP(10, 1), 3, 4)", smoothed(10 + 10.0 * (t >= 1), 3, 3, 4)),
    ("SMOOTH N", "x = SMOOTH N(10 + STEP(10, 1), 3, 4, 2)", smoothed(10 + 10.0 * (t >= 1), 3, 2, 4)),
    ("DELAY1", "x = DELAY1(10 + STEP(10, 1), 2)", delayed(10 + 10.0 * (t >= 1), 2, 1)),
    ("DELAY1I", "x = DELAY1I(10 + STEP(10, 1), 2, 4)", delayed(10 + 10.0 * (t >= 1), 2, 1, 4)),
    ("DELAY3", "x = DELAY3(10 + STEP(10, 1), 3)", delayed(10 + 10.0 * (t >= 1), 3, 3)),
    ("DELAY3I", "x = DELAY3I(10 + STEP(10, 1), 3, 4)", delayed(10 + 10.0 * (t >= 1), 3, 3, 4)),
    ("DELAY N", "x = DELAY N(10 + STEP(10, 1), 3, 4, 2)", delayed(10 + 10.0 * (t >= 1), 3, 2, 4)),
    ("DELAY FIXED", "x = DELAY FIXED(10 + Time, 1, 4)", pipeline(ramped, 2, 4.0)),
    ("DELAYP", "x = DELAYP(10 + Time, 1)", pipeline(ramped, 2, 10.0)),
    ("TREND", "x = TREND(10 + Time, 2, 0.1)", trend(ramped, 2, 0.1)),
    ("FORECAST", "x = FORECAST(10 + Time, 2, 3)", ramped * (1 + 3 * trend(ramped, 2, 0.0))),
    ("SAMPLE IF TRUE", "x = SAMPLE IF TRUE(Time > 1 :AND: Time < 3, Time, 7)", np.select([t <= 1, t < 3], [7, t], 2.5)),
    ("NPV", "x = NPV(10 + Time, 0.1, 5, 2)", npv(ramped, 0.1, 5, 2)),
    ("NPVE", "x = NPVE(10 + Time, 0.1, 5, 2)", npv(ramped, 0.1, 5, 2, at_end=True)),
    ("TIME BASE", "x = TIME BASE(1980, 1 / 12)", 1980 + t / 12),
    ("INTEG", "x = INTEG(1 - half * x, 4)", euler(lambda level, _: 1 - 0.5 * level, 4.0)),
    ("SINTEG", "x = SINTEG(Time, 4, 1, 0, 9)", euler(lambda _, moment: moment, 4.0)),
    ("INITIAL", "x = INITIAL(10 + Time)", 10.0),
    ("REINITIAL", "x = REINITIAL(10 + Time)", 10.0),
    ("ACTIVE INITIAL", "x = ACTIVE INITIAL(y + Time, 3)\n~~|\ny = INTEG(0, x)", 3 + t),
    ("WITH LOOKUP", "x = WITH LOOKUP(Time, ((0,0),(2,4),(4,0)))", 4 - 2 * abs(t - 2)),
    ("LOOKUP EXTRAPOLATE", "x = LOOKUP EXTRAPOLATE(tab, Time + 2)", 4 - 2 * t),
    ("LOOKUP FORWARD", "x = LOOKUP FORWARD(tab, Time)", np.select([t <= 0, t <= 2], [0, 4], 0)),
    ("LOOKUP BACKWARD", "x = LOOKUP BACKWARD(tab, Time)", np.select([t < 2, t < 4], [0, 4], 0)),
    ("LOOKUP INVERT", "x = LOOKUP INVERT(tab, Time / 2)", t / 4),
    ("LOOKUP AREA", "x = LOOKUP AREA(tab, 0, Time)", np.where(t <= 2, t**2, 8 - (4 - t) ** 2)),
    ("LOOKUP SLOPE", "x = LOOKUP SLOPE(tab, Time, 0)", np.select([t < 2, t == 2], [2, 0], -2)),
    ("TABBED ARRAY", "x[D] = TABBED ARRAY(1.5\t2\t-3)", [1.5, 2, -3]),
    ("SUM", "x = SUM(v[D!] * w[D!])", 21.0),
    ("PROD", "x = PROD(v[D!])", 120.0),
    ("VMAX", "x = VMAX(v[D!])", 8.0),
    ("VMIN", "x = VMIN(v[D!])", 3.0),
    ("ELMCOUNT", "x = ELMCOUNT(D)", 3.0),
    ("VECTOR SELECT", "x = VECTOR SELECT(zero or one[D!], v[D!], 9, 0, 0)", 13.0),
    ("VECTOR SELECT", "x = VECTOR SELECT(zero or one[D!], v[D!], 9, 3, 0)", 8.0),
    ("VECTOR SELECT", "x = VECTOR SELECT(0 * w[D!], v[D!], 9, 0, 0)", 9.0),
    ("VECTOR SORT ORDER", "x[D] = VECTOR SORT ORDER(v[D], 1)", [1, 0, 2]),
    ("VECTOR SORT ORDER", "x[slot] = VECTOR SORT ORDER(v[D], -1)", [2, 0, 1]),
    ("VECTOR RANK", "x[D] = VECTOR RANK(v[D], 1)", [2, 1, 3]),
    ("VECTOR REORDER", "x[D] = VECTOR REORDER(v[D], o[D])\n~~|\no[D] = VECTOR SORT ORDER(v[D], 1)", [3, 5, 8]),
    ("VECTOR ELM MAP", "x[D] = VECTOR ELM MAP(v[d1], w[D])", [3, 5, 8]),
    ("VECTOR LOOKUP", "x = VECTOR LOOKUP(v[d1], Time, 0, 4, 0)", np.interp(t, [0, 2, 4], [5, 3, 8])),
    ("INVERT MATRIX", "x[ROW, COL] = INVERT MATRIX(matrix[ROW, COL], 2)", [1, -1, -1, 2]),
    ("DETERMINANT", "x = DETERMINANT(matrix[ROW, COL], 2)", 1.0),
    ("GET TIME VALUE", "x = GET TIME VALUE(0, 2, 0)", t + 2),
    ("GET TIME VALUE", "x = GET TIME VALUE(1, 2, 0)", 2.0),
    # Two suppliers' worth for three who ask, in the order of their priority (the least wide curves are steps).
    (
        "ALLOCATE BY PRIORITY",
        "x[D] = ALLOCATE BY PRIORITY(v[D], w[D], 3, 0, 12)",
        [4, 0, 8],
    ),
    # Rectangular curves as wide as all priorities together share in proportion.
    (
        "ALLOCATE AVAILABLE",
        "x[D] = ALLOCATE AVAILABLE(v[D], pp[D, ptype], 8)\n~~|\npp[D, profile] = 1, 1, 1, 0; 1, 1, 1, 0; 1, 1, 1, 0;"
        "\n~~|\nprofile: ptype, ppriority, pwidth, pextra",
        [2.5, 1.5, 4],
    ),
    (
        "DEMAND AT PRICE",
        "x = DEMAND AT PRICE(8, pp[d1, ptype], 1)\n~~|\npp[D, profile] = 1, 1, 1, 0; 1, 1, 1, 0; 1, 1, 1, 0;"
        "\n~~|\nprofile: ptype, ppriority, pwidth, pextra",
        4.0,
    ),
    (
        "SUPPLY AT PRICE",
        "x = SUPPLY AT PRICE(8, pp[d1, ptype], 1.25)\n~~|\npp[D, profile] = 1, 1, 1, 0; 1, 1, 1, 0; 1, 1, 1, 0;"
        "\n~~|\nprofile: ptype, ppriority, pwidth, pextra",
        6.0,
    ),
    (
        "FIND MARKET PRICE",
        "x = FIND MARKET PRICE(v[d1], pp[d1, ptype], v[d1], pp[d1, ptype])\n~~|\n"
        "pp[D, profile] = 1, 2, 1, 0; 1, 2, 1, 0; 1, 2, 1, 0;\n~~|\nprofile: ptype, ppriority, pwidth, pextra",
        2.0,
    ),
]


@pytest.mark.parametrize(
    ("definition", "expected"), [pytest.param(d, e, id=f"{name}-{k}") for k, (name, d, e) in enumerate(VENSIM)]
)
def test_a_function_of_vensim_has_its_documented_value(definition: str, expected: object, tmp_path: Path) -> None:
    frame = vensim(f"x{definition[1:]}\n~~|", tmp_path).run(save=["x"]).frame
    values = frame.to_numpy()
    if frame.shape[1] == 1:
        expected = np.broadcast_to(np.asarray(expected, dtype=float), (n,))[:, None]
    else:
        expected = np.broadcast_to(np.asarray(expected, dtype=float), values.shape)
    np.testing.assert_allclose(values, expected, rtol=CLOSE, atol=CLOSE)


def xmile(expression: str) -> sd.Model:
    return sd.Model(
        sd.Aux("x", expression),
        sd.Aux("v", {"d1": "5", "d2": "3", "d3": "8"}, dimensions=["D"]),
        sd.Aux("w", {"d1": "1", "d2": "0", "d3": "2"}, dimensions=["D"]),
        sd.Lookup("tab", x=[0, 2, 4], y=[0, 4, 0]),
        time=sd.Time(0, 4, dt=DT, unit="month"),
        dimensions={"D": ["d1", "d2", "d3"]},
    )


def area(end: np.ndarray) -> np.ndarray:
    return np.where(end <= 2, end**2, 8 - (4 - end) ** 2)


# As above, in XMILE's language.
XMILE = [
    ("ABS", "ABS(1 - TIME)", abs(1 - t)),
    ("ARCCOS", "ARCCOS(0.5)", math.acos(0.5)),
    ("ARCSIN", "ARCSIN(0.5)", math.asin(0.5)),
    ("ARCTAN", "ARCTAN(TIME)", np.arctan(t)),
    ("COS", "COS(TIME)", np.cos(t)),
    ("SIN", "SIN(TIME)", np.sin(t)),
    ("TAN", "TAN(0.5)", math.tan(0.5)),
    ("EXP", "EXP(TIME)", np.exp(t)),
    ("LN", "LN(1 + TIME)", np.log(1 + t)),
    ("LOGN", "LOGN(1 + TIME)", np.log(1 + t)),
    ("LOG10", "LOG10(1 + TIME)", np.log10(1 + t)),
    ("SQRT", "SQRT(TIME)", np.sqrt(t)),
    ("INT", "INT(TIME - 2.2)", np.floor(t - 2.2)),
    ("ROUND", "ROUND(TIME / 2 + 0.1)", np.floor(t / 2 + 0.6)),
    ("SIGN", "SIGN(TIME - 1)", np.sign(t - 1)),
    ("PERCENT", "PERCENT(TIME)", 100 * t),
    ("SINWAVE", "SINWAVE(3, 4)", 3 * np.sin(2 * np.pi * t / 4)),
    ("COSWAVE", "COSWAVE(3, 4)", 3 * np.cos(2 * np.pi * t / 4)),
    ("MOD", "MOD(TIME - 2, 1.5)", np.mod(t - 2, 1.5)),
    ("SAFEDIV", "SAFEDIV(TIME, TIME - 1, 7)", [7.0 if s == 1 else s / (s - 1) for s in t]),
    ("SAFEDIV", "SAFEDIV(TIME, TIME - 1)", [0.0 if s == 1 else s / (s - 1) for s in t]),
    ("SAFEDIV", "TIME // (TIME - 1)", [0.0 if s == 1 else s / (s - 1) for s in t]),
    ("MIN", "MIN(TIME, 2, 3)", np.minimum(t, 2)),
    ("MAX", "MAX(TIME, 2)", np.maximum(t, 2)),
    ("MAX", "MAX(v)", 8.0),
    ("MIN", "MIN(v[*])", 3.0),
    ("IF_THEN_ELSE", "IF TIME > 1 AND NOT (TIME > 3) THEN 5 ELSE 6", np.where((t > 1) & (t <= 3), 5, 6)),
    ("PI", "PI", math.pi),
    ("TIME", "TIME + DT + STARTTIME + STOPTIME", t + 4.5),
    ("STEP", "STEP(3, 1)", np.where(t >= 1, 3, 0)),
    ("RAMP", "RAMP(2, 1)", 2 * np.maximum(t - 1, 0)),
    ("RAMP", "RAMP(2, 1, 3)", 2 * (np.clip(t, 1, 3) - 1)),
    ("PULSE", "PULSE(6, 1)", np.where(t == 1, 12, 0)),
    ("PULSE", "PULSE(6, 1, 1.5)", 12.0 * np.isin(t, [1.0, 2.5, 4.0])),
    ("SMTH1", "SMTH1(10 + STEP(10, 1), 2)", smoothed(10 + 10.0 * (t >= 1), 2, 1)),
    ("SMTH1", "SMTH1(10 + STEP(10, 1), 2, 4)", smoothed(10 + 10.0 * (t >= 1), 2, 1, 4)),
    ("SMTH3", "SMTH3(10 + STEP(10, 1), 3)", smoothed(10 + 10.0 * (t >= 1), 3, 3)),
    ("SMTHN", "SMTHN(10 + STEP(10, 1), 3, 2, 4)", smoothed(10 + 10.0 * (t >= 1), 3, 2, 4)),
    ("DELAY1", "DELAY1(10 + STEP(10, 1), 2)", delayed(10 + 10.0 * (t >= 1), 2, 1)),
    ("DELAY3", "DELAY3(10 + STEP(10, 1), 3, 4)", delayed(10 + 10.0 * (t >= 1), 3, 3, 4)),
    ("DELAYN", "DELAYN(10 + STEP(10, 1), 3, 2)", delayed(10 + 10.0 * (t >= 1), 3, 2)),
    ("DELAY", "DELAY(10 + TIME, 1, 4)", pipeline(ramped, 2, 4.0)),
    ("DELAY", "DELAY(10 + TIME, 1)", pipeline(ramped, 2, 10.0)),
    ("TREND", "TREND(10 + TIME, 2, 0.1)", trend(ramped, 2, 0.1)),
    ("FORCST", "FORCST(10 + TIME, 2, 3, 0.1)", ramped * (1 + 3 * trend(ramped, 2, 0.1))),
    ("PREVIOUS", "PREVIOUS(10 + TIME, 4)", pipeline(ramped, 1, 4.0)),
    ("PREVIOUS", "PREVIOUS(SELF, 2) + 1", 3 + np.arange(n)),
    ("HISTORY", "HISTORY(10 + TIME, TIME - 1)", pipeline(ramped, 2, 10.0)),
    ("HISTORY", "HISTORY(10 + TIME, 2)", np.where(t < 2, ramped, 12)),
    ("DERIVN", "DERIVN(TIME * TIME, 1)", np.concatenate([[0], np.diff(t**2) / DT])),
    ("DERIVN", "DERIVN(TIME, 2)", np.diff(np.concatenate([[0], np.concatenate([[0], np.diff(t) / DT])])) / DT),
    ("ENDVAL", "ENDVAL(TIME, 6)", 6.0),
    ("INIT", "INIT(10 + TIME)", 10.0),
    ("LOOKUP", "LOOKUP(tab, TIME)", 4 - 2 * abs(t - 2)),
    ("LOOKUPFORWARD", "LOOKUPFORWARD(tab, TIME)", np.select([t <= 0, t <= 2], [0, 4], 0)),
    ("LOOKUPBACKWARD", "LOOKUPBACKWARD(tab, TIME)", np.select([t < 2, t < 4], [0, 4], 0)),
    ("LOOKUPINV", "LOOKUPINV(tab, TIME / 2)", t / 4),
    ("LOOKUPAREA", "LOOKUPAREA(tab, TIME)", area(t)),
    ("LOOKUPAREA", "LOOKUPAREA(tab, 4, TIME)", 8 - area(t)),
    ("LOOKUPAREA", "LOOKUPAREA(tab)", 8.0),
    ("LOOKUPMEAN", "LOOKUPMEAN(tab)", 2.0),
    ("LOOKUPMEAN", "LOOKUPMEAN(tab, 2)", 4 / 3),
    ("LOOKUPSLOPE", "LOOKUPSLOPE(tab, TIME)", np.select([t == 0, t < 2, t == 2], [2, 2, 0], -2)),
    ("GAMMALN", "GAMMALN(4.5)", math.lgamma(4.5)),
    ("FACTORIAL", "FACTORIAL(5)", 120.0),
    ("COMBINATIONS", "COMBINATIONS(6, 2)", 15.0),
    ("PERMUTATIONS", "PERMUTATIONS(6, 2)", 30.0),
    ("NORMALCDF", "NORMALCDF(-1, 1)", math.erf(1 / math.sqrt(2))),
    ("INVNORM", "INVNORM(0.5, 3, 2)", 3.0),
    # 100 a period for ten periods at 5 %.
    ("FV", "FV(0.05, 10, -100, 0)", 100 * (1.05**10 - 1) / 0.05),
    ("PV", "PV(0.05, 10, -100, 0)", 100 * (1 - 1.05**-10) / 0.05),
    ("PMT", "PMT(0.05, 10, -1000, 0)", 1000 * 0.05 / (1 - 1.05**-10)),
    ("NPV", "NPV(10 + TIME, 0.1, 5)", None),
    ("SUM", "SUM(v)", 16.0),
    ("SUM", "SUM(v[*] * w[*])", 21.0),
    ("PROD", "PROD(v)", 120.0),
    ("MEAN", "MEAN(v)", 16 / 3),
    ("STDDEV", "STDDEV(v)", np.std([5, 3, 8])),
    ("SIZE", "SIZE(v)", 3.0),
    ("RANK", "RANK(v, 1)", 2.0),
    ("RANK", "RANK(v, 3)", 3.0),
]


@pytest.mark.parametrize(
    ("expression", "expected"), [pytest.param(d, e, id=f"{name}-{k}") for k, (name, d, e) in enumerate(XMILE)]
)
def test_a_function_of_xmile_has_its_documented_value(expression: str, expected: object) -> None:
    values = xmile(expression).run(save=["x"]).frame["x"].to_numpy()
    if expected is not None:
        np.testing.assert_allclose(values, np.broadcast_to(np.asarray(expected, dtype=float), (n,)), CLOSE, CLOSE)


# Where the functions that are not above have their tests: files beside a model and draws need more than one line.
ELSEWHERE = {
    "GET DATA": "test_series_answer_questions below, reference models getdata and data_from_other_model",
    "TIME SHIFT": "test_series_answer_questions below",
    "GET DIRECT": "tests/unit/test_sd_files.py, reference models get_* and direct*",
    "GET XLS": "tests/unit/test_sd_files.py, reference models get_* and direct*",
    "GET VDF": "refused: binary run files are not read",
    "GET 123": "refused: Lotus files are not read",
    "RANDOM": "rust/core/src/sd/functions/random.rs holds every distribution against its quantiles",
    "DELAY": "test_sd_discrete.py, rust/core/src/sd/functions: material, batch, belt, response",
    "QUEUE": "test_sd_discrete.py, rust/core/src/sd/functions/fifo.rs",
    "SHIFT IF TRUE": "test_sd_discrete.py",
    "DEPRECIATE": "test_sd_discrete.py, rust/core/src/sd/functions/depreciation.rs, reference model depreciate",
    "A FUNCTION OF": "refused: an equation that is not written yet",
    "SIMULTANEOUS": "refused: circles are not solved",
    "PI": "a constant",
}
DRAWS = {
    "UNIFORM",
    "NORMAL",
    "LOGNORMAL",
    "EXPRND",
    "POISSON",
    "BETA",
    "BINOMIAL",
    "NEGBINOMIAL",
    "GAMMA",
    "GEOMETRIC",
    "LOGISTIC",
    "PARETO",
    "TRIANGULAR",
    "WEIBULL",
    "MONTECARLO",
}
CONTAINERS = {"QELEM", "CYCLETIME", "CTMEAN", "CTMAX", "CTMIN", "CTSTDDEV", "THROUGHPUT", "TRANSTIME", "OSTATE"}
VALUES = {"INF", "NAN", "DT", "STARTTIME", "STOPTIME", "SELF", "TRANSPOSE", "ALLOCATE"}
REFUSED = {"COUNTER": "how its end counts is not documented", "IRR": "it needs all earlier payments"}


@pytest.mark.parametrize("dialect", ["vensim", "xmile"])
def test_every_function_of_the_table_has_a_test(dialect: str) -> None:
    shown = {name for name, *_ in (VENSIM if dialect == "vensim" else XMILE)}
    others = DRAWS | CONTAINERS | VALUES | set(REFUSED)
    missing = [
        entry["name"]
        for entry in _core.SdModel.functions(dialect)
        if entry["name"] not in shown | others and not any(entry["name"].startswith(start) for start in ELSEWHERE)
    ]
    assert missing == []


@pytest.mark.parametrize("expression", ["COUNTER(1, 3)", "IRR(TIME)", "SIMULTANEOUS(TIME, 1)"])
def test_what_is_known_and_not_built_is_refused_by_name(expression: str) -> None:
    with pytest.raises(SembadaError, match=expression.partition("(")[0]):
        xmile(expression).run()


def test_an_array_over_one_dimension_twice_keeps_rows_and_columns() -> None:
    def matrix(name: str, equation: object) -> sd.Aux:
        return sd.Aux(name, equation, dimensions=["D", "D"])

    model = sd.Model(
        matrix("a", {("d1", "d1"): "1", ("d1", "d2"): "2", ("d2", "d1"): "3", ("d2", "d2"): "4"}),
        matrix("same", "a"),
        matrix("named", "a[D, D]"),
        matrix("turned", "a'"),
        sd.Aux("diagonal", "a[D, D]", dimensions=["D"]),
        dimensions={"D": ["d1", "d2"]},
        time=sd.Time(0, 1),
    )
    final = model.run().frame.iloc[-1]
    for name, expected in [("same", [1, 2, 3, 4]), ("named", [1, 2, 3, 4]), ("turned", [1, 3, 2, 4])]:
        assert [final[f"{name}[{k}]"] for k in ("d1,d1", "d1,d2", "d2,d1", "d2,d2")] == expected
    assert [final["diagonal[d1]"], final["diagonal[d2]"]] == [1, 4]


def test_series_answer_questions(tmp_path: Path) -> None:
    """The family of GET DATA on a series with points at 0, 1 and 3."""
    questions = {
        "at": ("GET DATA AT TIME(data, Time)", np.interp(t, [0, 1, 3], [4, 2, 6])),
        "linear": ("GET DATA BETWEEN TIMES(data, Time, 0)", np.interp(t, [0, 1, 3], [4, 2, 6])),
        "first": ("GET DATA FIRST TIME(data)", 0.0),
        "last": ("GET DATA LAST TIME(data)", 3.0),
        "most": ("GET DATA MAX(data, 0, 2)", 4.0),
        "least": ("GET DATA MIN(data, 0, 9)", 2.0),
        "mean": ("GET DATA MEAN(data, 0, 9)", 4.0),
        "median": ("GET DATA MEDIAN(data, 0, 9)", 4.0),
        "spread": ("GET DATA STDV(data, 0, 9)", math.sqrt(8 / 3)),
        "points": ("GET DATA TOTAL POINTS(data)", 3.0),
        "shifted": ("TIME SHIFT(data, 1)", np.interp(t + 1, [0, 1, 3], [4, 2, 6])),
    }
    path = tmp_path / "model.mdl"
    lines = "".join(f"{name} = {question} ~~|\n" for name, (question, _) in questions.items())
    path.write_text(f"{HEAD}data ~~|\n{lines}{TAIL}", encoding="utf-8")
    import pandas as pd

    model = sd.read(path, data={"data": pd.Series([4.0, 2.0, 6.0], index=[0.0, 1.0, 3.0])})
    frame = model.run().frame
    for name, (_, expected) in questions.items():
        np.testing.assert_allclose(frame[name], np.broadcast_to(expected, (n,)), CLOSE, CLOSE, err_msg=name)


def test_noise_of_two_variables_is_correlated_as_asked(tmp_path: Path) -> None:
    """One draw shared and one of its own: x₂ = ρ·z₁ + √(1 − ρ²)·z₂."""
    path = tmp_path / "model.mdl"
    path.write_text(
        f"{HEAD}z1 = RANDOM NORMAL(-9, 9, 0, 1, 7) ~~|\nz2 = RANDOM NORMAL(-9, 9, 0, 1, 8) ~~|\n"
        f"x2 = 0.6 * z1 + 0.8 * z2 ~~|\n{TAIL}",
        encoding="utf-8",
    )
    frame = sd.read(path).run(time={"final_time": 5000.0}, seed=3).frame
    draws = frame[["z1", "z2", "x2"]].to_numpy().T
    # 10,001 draws: a correlation has a standard error of 0.01 at most; four of them.
    assert np.corrcoef(draws)[0] == pytest.approx([1, 0, 0.6], abs=0.04)
