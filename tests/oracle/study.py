# ruff: noqa: E501  (equations read best on one line)
"""The Banyuwangi study in plain NumPy: survey, PLS, stocks and flows, decision numbers.

Everything is written out once more, in another style than the package: no compiler, no lanes, no tables. The numbers that it
must reach itself stand in `tests/golden/study/anchors.json`.
"""

from __future__ import annotations

import numpy as np

PATHS = [(0, 1), (0, 2), (1, 2)]  # OI→KMC, OI→OP, KMC→OP
LOADINGS = [
    [0.80, 0.82, 0.78, 0.76, 0.74, 0.45],
    [0.80, 0.78, 0.82, 0.79, 0.76, 0.81, 0.77, 0.74],
    [0.80, 0.82, 0.78, 0.76, 0.79, 0.81, 0.42],
]
KEPT = [list(range(5)), list(range(6, 14)), list(range(14, 20))]

BASE = {
    "N0": 2000.0, "C0": 150.0, "alpha": 0.0012, "kappa": 0.03, "chi0": 0.038, "gN": 0.002, "d0": 3.0, "p0": 0.05, "pref": 0.05,
    "eps_p": 1.2, "eps_B": 0.4, "eps_I": 0.25, "eps_d": 0.3, "eps_f": 2.0, "tauN": 12.0,
    "a": 0.475, "b": 0.407, "c": -0.254, "sO": 0.19, "sK": 0.19, "gC": 0.20, "gE": 0.06, "tauZ": 3.0,
    "O0": 0.64, "K0": 0.65, "M0": 0.60, "I0": 6.0, "B0": 0.45, "tauO": 6.0, "tauK": 12.0, "tauM": 6.0, "tauI": 24.0, "tauB": 12.0,
    "eIK": 0.4, "eIO": 0.4, "eIM": 0.4, "q_s": 0.02, "q_n": 0.03, "prom": 1 / 36, "lossK": 0.15, "bI": 0.10, "bQ": 0.30,
    "Ws0": 2.6, "Wn0": 2.2, "prs": 120.0, "prn": 75.0, "tau_h": 4.0, "wage_s": 2.2, "wage_n": 1.4, "eprM": 0.25, "av": 0.8,
    "Q0": 600.0, "tau_dep": 60.0, "tauQ": 6.0, "kc": 0.05, "um": 0.021, "oh": 1.2, "draw": 0.70, "cash0": 15.0, "cash_min": 5.0,
    "tau_c": 6.0, "tax": 0.005, "tax_free": 500 / 12, "r": 0.01, "i_d": 0.01, "kO": 1.0, "phi": 0.40, "piB": 0.25,
    "dM": 0.15, "dTrK": 0.04, "dProm": 0.6, "dInn": 0.40, "dKM": 0.15, "dlossK": 0.6, "dO_st": 0.15, "dO_cc": 0.10, "dO_part": 0.06,
    "dO_cl": 0.08, "dUM": 0.03, "dOut": 0.20, "dReach": 0.15, "dB_cl": 0.06, "dB_gr": 0.08, "dPg": 0.06, "dUMg": 0.05, "dAv": 0.25,
    "dMkt": 0.15,
}  # fmt: skip
LEVERS = ["tr", "cc", "km", "st", "hv", "cl", "gr"]
SCENARIOS = {
    "S0": {}, "S1": {"tr": (1, 3)}, "S2": {"cc": (1, 3)}, "S3": {"km": (1, 3)}, "S4": {"st": (1, 3)}, "S5": {"hv": (1, 3)},
    "S6": {"cl": (1, 6)}, "S7": {"gr": (1, 6)}, "S8": {"km": (1, 3), "tr": (0.6, 3), "st": (1, 18)},
}  # fmt: skip
RANGES = {
    "alpha": (0.0009, 0.0015), "kappa": (0.022, 0.038), "chi0": (0.030, 0.046), "eps_p": (0.8, 1.6), "eps_B": (0.2, 0.6),
    "eps_I": (0.1, 0.4), "gC": (0.10, 0.30), "gE": (0.02, 0.10), "tauK": (6, 18), "tauO": (3, 12), "tauI": (18, 36),
    "tauB": (6, 24), "wage_n": (1.2, 1.7), "wage_s": (1.9, 2.6), "um": (0.019, 0.0235), "oh": (0.9, 1.6), "kO": (0.5, 2.0),
    "piB": (0.1, 0.4), "dM": (0.05, 0.25), "dTrK": (0.02, 0.06), "dProm": (0.3, 0.9), "dInn": (0.2, 0.6), "dKM": (0.08, 0.22),
    "dO_st": (0.06, 0.24), "dO_cc": (0.05, 0.15), "dO_part": (0.03, 0.09), "dO_cl": (0.04, 0.12), "dUM": (0.01, 0.06),
    "dOut": (0.1, 0.3), "dReach": (0.08, 0.22), "dB_cl": (0.03, 0.09), "dB_gr": (0.04, 0.12), "dPg": (0.03, 0.09),
    "dUMg": (0.02, 0.08), "dAv": (0.1, 0.4), "dMkt": (0.05, 0.25),
}  # fmt: skip


def survey(n: int = 200, seed: int = 2024) -> np.ndarray:
    """Answers 1–5 of `n` synthetic firms to the 21 questions."""
    a, b, c = 0.60, 0.70, -0.35
    rng = np.random.default_rng(seed)
    oi = rng.normal(size=n)
    kmc = a * oi + np.sqrt(1 - a * a) * rng.normal(size=n)
    op = b * kmc + c * oi + np.sqrt(1 - (b * b + c * c + 2 * b * c * a)) * rng.normal(size=n)
    columns = []
    for factor, loadings in zip((oi, kmc, op), LOADINGS, strict=True):
        lam = np.array(loadings)
        columns.append(factor[:, None] * lam + np.sqrt(1 - lam**2) * rng.normal(size=(n, lam.size)))
    continuous = np.hstack(columns)
    return 1.0 + sum((continuous > cut).astype(float) for cut in (-2.0, -1.1, -0.2, 0.9))


def pls(X: np.ndarray, *, consistent: bool = False) -> np.ndarray:
    """Path coefficients (OI→KMC, OI→OP, KMC→OP) by the textbook iteration: mode A, path scheme."""
    n = len(X)
    X = (X - X.mean(0)) / X.std(0)
    weights = [np.ones(len(block)) for block in KEPT]

    def score(w: list[np.ndarray]) -> np.ndarray:
        Y = np.column_stack([X[:, block] @ v for block, v in zip(KEPT, w, strict=True)])
        return (Y - Y.mean(0)) / Y.std(0)

    for _ in range(300):
        Y = score(weights)
        R = np.corrcoef(Y.T)
        E = np.zeros((3, 3))
        for j in range(3):
            before = [i for i, k in PATHS if k == j]
            after = [k for i, k in PATHS if i == j]
            if before:
                E[before, j] = np.linalg.solve(R[np.ix_(before, before)], R[before, j])
            if after:
                E[after, j] = R[after, j]
        inner = Y @ E
        new = []
        for j, block in enumerate(KEPT):
            w = X[:, block].T @ (inner[:, j] / inner[:, j].std()) / n
            new.append(w / (X[:, block] @ w).std())
        change = max(
            np.abs(np.abs(v / np.linalg.norm(v)) - np.abs(w / np.linalg.norm(w))).max()
            for v, w in zip(weights, new, strict=True)
        )
        weights = new
        if change < 1e-7:
            break
    Y = score(weights)
    R = np.corrcoef(Y.T)
    if consistent:  # Dijkstra & Henseler (2015), MIS Quarterly 39(2), eq. 3
        rho = []
        for block, w in zip(KEPT, weights, strict=True):
            S = np.corrcoef(X[:, block].T)
            v = w / np.sqrt(w @ S @ w)
            off = S - np.diag(np.diag(S))
            rho.append((v @ v) ** 2 * (v @ off @ v) / (v @ (np.outer(v, v) - np.diag(v * v)) @ v))
        R = R / np.sqrt(np.outer(rho, rho))
        np.fill_diagonal(R, 1.0)
    to_op = np.linalg.solve(R[:2, :2], R[:2, 2])
    return np.array([R[0, 1], to_op[0], to_op[1]])


def bootstrap(X: np.ndarray, n: int = 2000, seed: int = 1, *, consistent: bool = False) -> np.ndarray:
    """`n` × 3 bootstrap draws of the paths."""
    rng = np.random.default_rng(seed)
    return np.array([pls(X[rng.integers(0, len(X), len(X))], consistent=consistent) for _ in range(n)])


def rates(t: float, s: dict, p: dict, scenario: dict) -> tuple[dict, dict]:
    """Derivatives of the stocks and the auxiliaries at time `t`."""
    u = dict.fromkeys(LEVERS, 0.0)
    for lever, (intensity, start) in scenario.items():
        u[lever] = intensity * min(max((t - start) / 6.0, 0.0), 1.0)
    positive = lambda x: np.maximum(x, 0.0)  # noqa: E731
    clip = np.clip
    zO, zK = (s["O"] - p["O0"]) / p["sO"], (s["K"] - p["K0"]) / p["sK"]
    price = p["p0"] * (1 + p["piB"] * (s["B"] - p["B0"]) + p["dPg"] * u["gr"])
    prod = (p["prs"] * s["Ws"] + p["prn"] * s["Wn"]) * (s["M"] / p["M0"]) ** p["eprM"]
    own = np.minimum(prod, s["Q"])
    cap = own * (1 + p["dOut"] * u["hv"]) * (1 - 0.05 * u["gr"])
    dem = s["C"] * p["d0"] * (price / p["pref"]) ** -p["eps_d"]
    sales = dem * (1 + (cap / np.maximum(dem, 1e-9)) ** -16.0) ** (-1 / 16)
    ful = sales / np.maximum(dem, 1e-9)
    skill = (s["Ws"] / (s["Ws"] + s["Wn"])) / (p["Ws0"] / (p["Ws0"] + p["Wn0"]))
    qual = skill**0.2 * (np.maximum(s["K"], 0.02) / p["K0"]) ** 0.2
    A = (
        (price / p["pref"]) ** -p["eps_p"]
        * (np.maximum(s["B"], 0.02) / p["B0"]) ** p["eps_B"]
        * (np.maximum(s["I"], 0.2) / p["I0"]) ** p["eps_I"]
        * np.exp(p["gC"] * s["Z"])
    )
    N = s["PC"] + s["C"]
    acq = s["PC"] * (p["alpha"] * (1 + p["dMkt"] * u["cl"]) + p["kappa"] * s["C"] / N) * A
    lost = s["C"] * np.minimum(p["chi0"] / qual * np.maximum(ful, 0.05) ** -p["eps_f"], 0.5)
    reach = p["dReach"] * (0.6 * u["hv"] + u["cl"] + 0.4 * u["gr"])
    spirit = np.maximum(s["M"], 0.05) / p["M0"]
    quit_s, quit_n = p["q_s"] / spirit * s["Ws"], p["q_n"] / spirit * s["Wn"]
    O_goal = clip(
        p["O0"] + p["dO_st"] * u["st"] + p["dO_cc"] * u["cc"] + p["dO_part"] * u["hv"] + p["dO_cl"] * u["cl"], 0, 1
    )
    K_goal = clip(
        p["K0"]
        + p["a"] * p["sK"] / p["sO"] * (s["O"] - p["O0"])
        + p["dKM"] * u["km"]
        + p["dTrK"] * u["tr"]
        + 0.04 * u["cl"],
        0,
        1,
    )
    M_goal = clip(
        p["M0"] + p["dM"] * u["tr"] + 0.03 * u["cl"] - 0.10 * (np.maximum(dem / np.maximum(cap, 1), 1) - 1), 0.05, 1
    )
    B_goal = clip(
        p["B0"] + p["bI"] * (s["I"] / p["I0"] - 1) + p["bQ"] * (qual - 1) + p["dB_cl"] * u["cl"] + p["dB_gr"] * u["gr"]
        - 0.10 * (1 - ful), 0.02, 1,
    )  # fmt: skip
    new_I = (
        p["I0"] / p["tauI"] * (1 + p["dInn"] * u["cc"]) * (np.maximum(s["K"], 0.02) / p["K0"]) ** p["eIK"]
        * (np.maximum(s["O"], 0.02) / p["O0"]) ** p["eIO"] * (s["M"] / p["M0"]) ** p["eIM"]
    )  # fmt: skip
    W = s["Ws"] + s["Wn"]
    W_goal = np.maximum(dem * 1.05 / np.maximum(prod / np.maximum(W, 0.1), 1), 1)
    hire = (
        positive((W_goal - W) / p["tau_h"] + quit_s + quit_n)
        * np.minimum(p["av"] * (1 + p["dAv"] * u["cl"]), 1.5)
        * clip(s["F"] / p["cash_min"], 0, 1)
    )
    promo = s["Wn"] * p["prom"] * (1 + p["dProm"] * u["tr"]) * (s["K"] / p["K0"]) ** 0.5
    layoff = np.minimum(positive((W - W_goal * 1.15) / 12), s["Wn"] / 3)
    inv = np.minimum(
        positive((1.15 * dem - s["Q"]) / p["tauQ"] + s["Q"] / p["tau_dep"]),
        positive(s["F"] - p["cash_min"]) / p["tau_c"] / p["kc"],
    )
    rev = sales * price
    mat = sales * p["um"] * (1 - p["dUM"] * u["hv"]) * (1 + p["dUMg"] * u["gr"]) * np.exp(-p["gE"] * s["Z"])
    wage = p["wage_s"] * s["Ws"] + p["wage_n"] * s["Wn"]
    dep = s["Q"] * p["kc"] / p["tau_dep"]
    profit = (
        rev - mat - wage - p["oh"] - sum(0.20 * v for v in u.values()) - p["kO"] * positive(s["O"] - p["O0"])
        - positive(sales - own) * price * p["phi"] - p["tax"] * positive(rev - p["tax_free"]) - p["i_d"] * positive(-s["F"]) - dep
    )  # fmt: skip
    d = {
        "PC": (p["N0"] * (1 + reach) * np.exp(p["gN"] * t) - N) / p["tauN"] - acq + lost,
        "C": acq - lost,
        "O": (O_goal - s["O"]) / p["tauO"],
        "K": (K_goal - s["K"]) / p["tauK"]
        - p["lossK"] * (1 - p["dlossK"] * u["km"]) * s["K"] * (quit_s / np.maximum(s["Ws"], 0.05) - p["q_s"]),
        "M": (M_goal - s["M"]) / p["tauM"],
        "I": new_I - s["I"] / p["tauI"],
        "B": (B_goal - s["B"]) / p["tauB"],
        "Z": (p["b"] * zK + p["c"] * zO - s["Z"]) / p["tauZ"],
        "Ws": promo - quit_s,
        "Wn": hire - promo - quit_n - layoff,
        "Q": inv - s["Q"] / p["tau_dep"],
        "F": profit + dep - p["draw"] * positive(profit) - inv * p["kc"],
        "npv": profit * np.exp(-p["r"] * t),
        "cumrev": rev,
        "public": sum(u.values()) + 0 * rev,
    }
    assets = s["Q"] * p["kc"] + 2 * (mat + wage + p["oh"])
    return d, {"sales": sales, "price": price, "revenue": rev, "profit": profit, "margin": profit / rev, "fulfilment": ful,
               "roi": 12 * profit / assets}  # fmt: skip


def simulate(params: dict, scenario: dict, horizon: int = 60, dt: float = 0.25) -> dict[str, np.ndarray]:
    """Euler; a dictionary of arrays (month 0…horizon × draws)."""
    n = max(np.size(v) for v in params.values())
    p = {k: np.broadcast_to(np.asarray(v, float), (n,)) for k, v in params.items()}
    s = {"PC": p["N0"] - p["C0"], "C": p["C0"], "O": p["O0"], "K": p["K0"], "M": p["M0"], "I": p["I0"], "B": p["B0"], "Ws": p["Ws0"],
         "Wn": p["Wn0"], "Q": p["Q0"], "F": p["cash0"]} | {k: np.zeros(n) for k in ("Z", "npv", "cumrev", "public")}  # fmt: skip
    every, steps, kept = round(1 / dt), round(horizon / dt), []
    for i in range(steps + 1):
        d, x = rates(i * dt, s, p, scenario)
        if i % every == 0:
            kept.append(s | x)
        s = {k: v + dt * d[k] for k, v in s.items()}
    return {k: np.array([row[k] for row in kept]) for k in kept[0]}


def measures(run: dict[str, np.ndarray]) -> np.ndarray:
    """Customers at the end, margin of the last twelve months, net present value: 3 × draws."""
    return np.array([run["C"][-1], run["profit"][-12:].sum(0) / run["revenue"][-12:].sum(0), run["npv"][-1]])


def joint(draws: np.ndarray, n: int = 1024, scenarios: dict | None = None) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Scenario × measure × draw, and the design, with the seeds of the study that printed the anchors."""
    from scipy.stats import qmc

    unit = qmc.LatinHypercube(len(RANGES), seed=3).random(n)
    design = {k: lo + (hi - lo) * unit[:, i] for i, (k, (lo, hi)) in enumerate(RANGES.items())}
    rows = np.random.default_rng(7).integers(0, len(draws), n)
    design |= {"a": draws[rows, 0], "c": draws[rows, 1], "b": draws[rows, 2]}
    values = [measures(simulate(BASE | design, s)) for s in (scenarios or SCENARIOS).values()]
    return np.array(values), design
