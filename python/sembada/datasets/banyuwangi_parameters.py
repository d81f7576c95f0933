# ruff: noqa: E501  (a table of names, values and words reads best with a row on a line)
"""Parameters of the Banyuwangi stock-and-flow model: value, unit, meaning, source, range.

`[A]` marks an assumption made for this synthetic reference model, `[PLS]` a number that the survey gives, `[bridge]` one that
ties the survey scale to quantities. Other sources are named.
"""

from __future__ import annotations

__all__ = ["LEVERS", "PARAMETERS", "RANGES", "RANGE_GROUPS"]

#: Policy levers: code, English, Indonesian, the month it starts.
LEVERS: dict[str, tuple[str, str, float]] = {
    "tr": ("motivation and skills training", "pelatihan motivasi dan keterampilan", 3.0),
    "cc": ("customer co-creation of product innovations", "inovasi produk bersama pelanggan", 3.0),
    "km": ("knowledge-management capability", "kapabilitas manajemen pengetahuan", 3.0),
    "st": ("strategic partnership, open innovation", "kemitraan strategis, inovasi terbuka", 3.0),
    "hv": ("horizontal and vertical partnership", "kemitraan horizontal dan vertikal", 3.0),
    "cl": ("cluster institution, collaborative governance", "kelembagaan sentra, tata kelola kolaboratif", 6.0),
    "gr": ("green materials and certification", "bahan hijau dan sertifikasi", 6.0),
}

_A = "assumption"
_MICRO = "assumption; turnover near Rp 264 million a year, inside the micro limit of UU 20/2008 art. 6"
_WAGE = "around and below the Banyuwangi minimum wage, Rp 2,638,628 (2024)"
_BPS = "BPS: 1–4 workers are a micro, 5–19 a small enterprise"
_EFFECT = "assumption: a programme moves its target by about 0.8 survey standard deviations"
_GUARD = "numerical guard"

#: name: (value, unit, meaning, source)
PARAMETERS: dict[str, tuple[float, str, str, str]] = {
    # survey hand-off
    "a": (0.475, "dmnl", "path open innovation → knowledge capability", "PLS estimate"),
    "b": (0.407, "dmnl", "path knowledge capability → performance", "PLS estimate"),
    "c": (-0.254, "dmnl", "path open innovation → performance", "PLS estimate"),
    "sO": (0.19, "dmnl", "survey standard deviation of open innovation, 0–1 score", "survey"),
    "sK": (0.19, "dmnl", "survey standard deviation of knowledge capability, 0–1 score", "survey"),
    "gC": (0.20, "dmnl", "effect of one SD of performance on customer attraction, log", "bridge: loading × CV"),
    "gE": (0.06, "dmnl", "effect of one SD of performance on material saving, log", "bridge: loading × CV"),
    "tauZ": (3.0, "month", "delay of perceived performance", _A),
    "z_shift": (0.0, "dmnl", "lasting shift of performance in SD units, for calibration and tests", "experiment; 0 in every scenario"),
    # market
    "N0": (2000.0, "customer", "size of the market at the start", _MICRO),
    "C0": (150.0, "customer", "customers at the start", _MICRO),
    "gN": (0.002, "1/month", "growth of the market", _A),
    "tauN": (12.0, "month", "time for the market to fill", _A),
    "alpha": (0.0012, "1/month", "acquisition by marketing (Bass innovation)", "assumption, tuned to slow growth"),
    "kappa": (0.030, "1/month", "acquisition by word of mouth (Bass imitation)", "assumption, tuned to slow growth"),
    "chi0": (0.038, "1/month", "share of customers lost", _A),
    "churn_max": (0.5, "1/month", "largest share of customers lost", _GUARD),
    "d0": (3.0, "unit/customer/month", "purchases of a customer", _MICRO),
    "p0": (0.050, "Rpm/unit", "price at the start", _MICRO),
    "pref": (0.050, "Rpm/unit", "price that customers compare with", "equal to p0 at the base; apart, so that tests of p0 can bite"),
    "eps_p": (1.2, "dmnl", "price elasticity of attraction", _A),
    "eps_B": (0.40, "dmnl", "brand elasticity of attraction", _A),
    "eps_I": (0.25, "dmnl", "innovation elasticity of attraction", _A),
    "eps_d": (0.3, "dmnl", "price elasticity of purchases", _A),
    "eps_f": (2.0, "dmnl", "effect of unfilled orders on losses", _A),
    "piB": (0.25, "dmnl", "price premium per unit of brand equity", _A),
    # capabilities
    "O0": (0.64, "dmnl", "open innovation at the start, 0–1", "survey mean"),
    "K0": (0.65, "dmnl", "knowledge capability at the start, 0–1", "survey mean"),
    "M0": (0.60, "dmnl", "motivation at the start, 0–1", _A),
    "I0": (6.0, "product", "live product innovations at the start", _A),
    "B0": (0.45, "dmnl", "brand equity at the start, 0–1", _A),
    "tauO": (6.0, "month", "time to change openness", _A),
    "tauK": (12.0, "month", "time to build knowledge", _A),
    "tauM": (6.0, "month", "time to change motivation", _A),
    "tauI": (24.0, "month", "life of a product innovation", _A),
    "tauB": (12.0, "month", "time to build a brand", _A),
    "eIK": (0.4, "dmnl", "knowledge elasticity of new products", _A),
    "eIO": (0.4, "dmnl", "openness elasticity of new products", _A),
    "eIM": (0.4, "dmnl", "motivation elasticity of new products", _A),
    "bI": (0.10, "dmnl", "effect of innovations on brand", _A),
    "bQ": (0.30, "dmnl", "effect of quality on brand", _A),
    "bF": (0.10, "dmnl", "effect of unfilled orders on brand", _A),
    "mW": (0.10, "dmnl", "effect of overload on motivation", _A),
    "lossK": (0.15, "dmnl", "share of knowledge that leaves with a worker", _A),
    # people
    "Ws0": (2.6, "person", "skilled workers at the start", _BPS),
    "Wn0": (2.2, "person", "novices at the start", _BPS),
    "prs": (120.0, "unit/person/month", "output of a skilled worker", _A),
    "prn": (75.0, "unit/person/month", "output of a novice", _A),
    "eprM": (0.25, "dmnl", "motivation elasticity of output", _A),
    "q_s": (0.020, "1/month", "share of skilled workers that quits", "assumption; shortage and regeneration after the Tumang case"),
    "q_n": (0.030, "1/month", "share of novices that quits", "assumption; shortage and regeneration after the Tumang case"),
    "prom": (1.0 / 36.0, "1/month", "promotion rate of novices (36 months)", _A),
    "tau_h": (4.0, "month", "time to fill a vacancy", _A),
    "av": (0.8, "dmnl", "availability of labour", _A),
    "av_max": (1.5, "dmnl", "largest availability of labour", _GUARD),
    "tau_l": (12.0, "month", "time to shed surplus workers", _A),
    "tau_l_min": (3.0, "month", "shortest notice", _A),
    "wage_s": (2.2, "Rpm/person/month", "wage of a skilled worker", _WAGE),
    "wage_n": (1.4, "Rpm/person/month", "wage of a novice", _WAGE),
    # capital and finance
    "Q0": (600.0, "unit/month", "equipment capacity at the start", _A),
    "tau_dep": (60.0, "month", "life of equipment", _A),
    "tauQ": (6.0, "month", "time to adjust equipment", _A),
    "kc": (0.05, "Rpm*month/unit", "cost of capacity", _A),
    "um": (0.021, "Rpm/unit", "material cost (42 % of the price)", _A),
    "oh": (1.2, "Rpm/month", "overheads", _A),
    "draw": (0.70, "dmnl", "share of profit that the owner takes", _A),
    "cash0": (15.0, "Rpm", "cash at the start", _A),
    "cash_min": (5.0, "Rpm", "cash that the owner keeps", _A),
    "tau_c": (6.0, "month", "time over which cash is invested", _A),
    "tax": (0.005, "dmnl", "turnover tax", "PP 55/2022"),
    "tax_free": (500.0 / 12.0, "Rpm/month", "turnover that is free of tax, Rp 500 million a year", "PP 55/2022"),
    "i_d": (0.010, "1/month", "interest on overdraft", _A),
    "r": (0.010, "1/month", "discount rate", _A),
    "kO": (1.0, "Rpm/month", "cost per unit of added openness", "assumption: the cost side of open innovation"),
    "phi": (0.40, "dmnl", "fee of partners for overflow orders, share of price", _A),
    "year": (12.0, "month", "months in a year", "definition"),
    "turn": (2.0, "month", "months of running cost held as working capital", _A),
    # policy effect sizes
    "dM": (0.15, "dmnl", "training: motivation", _EFFECT),
    "dTrK": (0.04, "dmnl", "training: knowledge", _EFFECT),
    "dProm": (0.6, "dmnl", "training: promotion rate", _A),
    "dInn": (0.40, "dmnl", "co-creation: new products", _A),
    "dO_cc": (0.10, "dmnl", "co-creation: openness", _EFFECT),
    "dKM": (0.15, "dmnl", "knowledge programme: knowledge", _EFFECT),
    "dlossK": (0.6, "dmnl", "knowledge programme: less loss with quitting workers", _A),
    "dO_st": (0.15, "dmnl", "strategic partnership: openness", _EFFECT),
    "dO_part": (0.06, "dmnl", "partnership: openness", _A),
    "dUM": (0.03, "dmnl", "partnership: material saving", _A),
    "dOut": (0.20, "dmnl", "partnership: overflow capacity", _A),
    "dO_cl": (0.08, "dmnl", "cluster: openness", _A),
    "dReach": (0.15, "dmnl", "cluster: market reach (partnership 0.6 and green 0.4 of it)", _A),
    "dMkt": (0.15, "dmnl", "cluster: marketing", _A),
    "dAv": (0.25, "dmnl", "cluster: availability of labour", _A),
    "dB_cl": (0.06, "dmnl", "cluster: brand", _A),
    "dK_cl": (0.04, "dmnl", "cluster: knowledge", _A),
    "dM_cl": (0.03, "dmnl", "cluster: motivation", _A),
    "dB_gr": (0.08, "dmnl", "green: brand", _A),
    "dPg": (0.06, "dmnl", "green: price premium", _A),
    "dUMg": (0.05, "dmnl", "green: dearer material", _A),
    "dCap_gr": (0.05, "dmnl", "green: loss of capacity", _A),
    "copay": (0.20, "Rpm/month", "co-payment of the firm for a programme at full use", _A),
    "pub": (1.0, "Rpm/month", "public cost of a programme at full use", _A),
    "ramp": (6.0, "month", "time for a programme to reach full use", _A),
    # numerical guards
    "rate_min": (1.0, "unit/month", "smallest capacity in a ratio", _GUARD),
    "demand_min": (1e-9, "unit/month", "smallest demand in a ratio", _GUARD),
    "people_min": (0.1, "person", "smallest workforce in a ratio", _GUARD),
    "skilled_min": (0.05, "person", "smallest skilled workforce in a ratio", _GUARD),
    "owner": (1.0, "person", "smallest workforce wanted: the owner", _GUARD),
    "output_min": (1.0, "unit/person/month", "smallest output of a worker in a ratio", _GUARD),
    "products_min": (0.2, "product", "fewest live innovations in a ratio", _GUARD),
}  # fmt: skip

#: Ranges of the uncertain parameters (uniform), by group.
RANGE_GROUPS: dict[str, dict[str, tuple[float, float]]] = {
    "market": {
        "alpha": (0.0009, 0.0015), "kappa": (0.022, 0.038), "chi0": (0.030, 0.046),
        "eps_p": (0.8, 1.6), "eps_B": (0.2, 0.6), "eps_I": (0.1, 0.4),
    },
    "bridge": {"gC": (0.10, 0.30), "gE": (0.02, 0.10)},
    "delays": {"tauK": (6.0, 18.0), "tauO": (3.0, 12.0), "tauI": (18.0, 36.0), "tauB": (6.0, 24.0)},
    "finance": {
        "wage_n": (1.2, 1.7), "wage_s": (1.9, 2.6), "um": (0.019, 0.0235), "oh": (0.9, 1.6), "kO": (0.5, 2.0), "piB": (0.1, 0.4),
    },
    "policy effects": {
        "dM": (0.05, 0.25), "dTrK": (0.02, 0.06), "dProm": (0.3, 0.9), "dInn": (0.2, 0.6), "dKM": (0.08, 0.22),
        "dO_st": (0.06, 0.24), "dO_cc": (0.05, 0.15), "dO_part": (0.03, 0.09), "dO_cl": (0.04, 0.12), "dUM": (0.01, 0.06),
        "dOut": (0.1, 0.3), "dReach": (0.08, 0.22), "dB_cl": (0.03, 0.09), "dB_gr": (0.04, 0.12), "dPg": (0.03, 0.09),
        "dUMg": (0.02, 0.08), "dAv": (0.1, 0.4), "dMkt": (0.05, 0.25),
    },
}  # fmt: skip

#: All ranges in one mapping.
RANGES: dict[str, tuple[float, float]] = {name: span for group in RANGE_GROUPS.values() for name, span in group.items()}
