# ruff: noqa: E501  (a table of names, values and words reads best with a row on a line)
"""The synthetic stock-and-flow model of the Banyuwangi case: one representative small firm."""

from __future__ import annotations

from typing import Any

from sembada.datasets.banyuwangi_parameters import LEVERS, PARAMETERS

__all__ = ["banyuwangi_model"]

# name: (initial, inflows, outflows, unit, meaning)
_STOCKS: dict[str, tuple[str, list[str], list[str], str, str]] = {
    "potential_customers": ("N0 - C0", ["market_growth", "lost"], ["acquired"], "customer", "people who could become customers"),
    "customers": ("C0", ["acquired"], ["lost"], "customer", "customers of the firm"),
    "open_innovation": ("O0", ["open_innovation_change"], [], "dmnl", "open-innovation intensity, 0–1"),
    "knowledge": ("K0", ["knowledge_change"], ["knowledge_loss"], "dmnl", "knowledge-management capability, 0–1"),
    "motivation": ("M0", ["motivation_change"], [], "dmnl", "work motivation, 0–1"),
    "innovations": ("I0", ["new_products"], ["old_products"], "product", "live product innovations"),
    "brand": ("B0", ["brand_change"], [], "dmnl", "brand equity, 0–1"),
    "performance": ("0", ["performance_change"], [], "dmnl", "perceived performance in survey standard deviations"),
    "novices": ("Wn0", ["hired"], ["promoted", "novices_quit", "laid_off"], "person", "novice workers"),
    "skilled": ("Ws0", ["promoted"], ["skilled_quit"], "person", "skilled workers"),
    "equipment": ("Q0", ["investment"], ["wear"], "unit/month", "equipment capacity"),
    "cash": ("cash0", ["profit", "depreciation"], ["drawings", "purchase_of_equipment"], "Rpm", "cash of the firm"),
    "npv": ("0", ["discounted_profit"], [], "Rpm", "discounted profit so far"),
    "cumulative_revenue": ("0", ["revenue_counted"], [], "Rpm", "revenue so far"),
    "cumulative_profit": ("0", ["profit_counted"], [], "Rpm", "profit so far"),
    "public_cost": ("0", ["public_spending"], [], "Rpm", "public cost so far"),
}  # fmt: skip

# name: (equation, unit, meaning)
_FLOWS: dict[str, tuple[str, str, str]] = {
    "market_growth": ("(market_goal - market) / tauN", "customer/month", "the market fills towards its size"),
    "acquired": (
        "potential_customers * (alpha * (1 + dMkt * u_cl) + kappa * customers / market) * attractiveness",
        "customer/month", "diffusion after Bass: marketing and word of mouth",
    ),
    "lost": (
        "customers * MIN(chi0 / quality * MAX(fulfilment, 0.05) ^ (-eps_f), churn_max)",
        "customer/month", "customers lost, more with poor quality and unfilled orders",
    ),
    "open_innovation_change": ("(open_innovation_goal - open_innovation) / tauO", "1/month", "adjustment of openness"),
    "knowledge_change": ("(knowledge_goal - knowledge) / tauK", "1/month", "adjustment of knowledge"),
    "knowledge_loss": (
        "lossK * (1 - dlossK * u_km) * knowledge * (skilled_quit / MAX(skilled, skilled_min) - q_s)",
        "1/month", "knowledge that leaves with workers beyond the usual turnover",
    ),
    "motivation_change": ("(motivation_goal - motivation) / tauM", "1/month", "adjustment of motivation"),
    "new_products": (
        "I0 / tauI * (1 + dInn * u_cc) * (MAX(knowledge, 0.02) / K0) ^ eIK"
        " * (MAX(open_innovation, 0.02) / O0) ^ eIO * (motivation / M0) ^ eIM",
        "product/month", "product innovations that come to market",
    ),
    "old_products": ("innovations / tauI", "product/month", "innovations that grow old"),
    "brand_change": ("(brand_goal - brand) / tauB", "1/month", "adjustment of brand equity"),
    "performance_change": (
        "(b * z_knowledge + c * z_open_innovation + z_shift - performance) / tauZ",
        "1/month", "the path model as a steady state, reached with delay tauZ (conversion form z)",
    ),
    "hired": (
        "MAX((workers_wanted - workers) / tau_h + skilled_quit + novices_quit, 0)"
        " * MIN(av * (1 + dAv * u_cl), av_max) * MAX(0, MIN(1, cash / cash_min))",
        "person/month", "hiring, held back by scarce labour and scarce cash",
    ),
    "promoted": ("novices * prom * (1 + dProm * u_tr) * (knowledge / K0) ^ 0.5", "person/month", "novices who become skilled"),
    "novices_quit": ("q_n / (MAX(motivation, 0.05) / M0) * novices", "person/month", "novices who quit"),
    "skilled_quit": ("q_s / (MAX(motivation, 0.05) / M0) * skilled", "person/month", "skilled workers who quit"),
    "laid_off": (
        "MIN(MAX((workers - workers_wanted * 1.15) / tau_l, 0), novices / tau_l_min)", "person/month", "surplus novices laid off",
    ),
    "investment": (
        "MIN(MAX((1.15 * demand - equipment) / tauQ + wear, 0), MAX(cash - cash_min, 0) / tau_c / kc)",
        "unit/month/month", "investment in capacity, limited by cash",
    ),
    "wear": ("equipment / tau_dep", "unit/month/month", "capacity that wears out"),
    "profit": (
        "revenue - material_cost - wages - oh - programme_cost - openness_cost - partner_fee - turnover_tax - interest - depreciation",
        "Rpm/month", "profit after depreciation",
    ),
    "depreciation": ("equipment * kc / tau_dep", "Rpm/month", "depreciation"),
    "drawings": ("draw * MAX(profit, 0)", "Rpm/month", "what the owner takes"),
    "purchase_of_equipment": ("investment * kc", "Rpm/month", "cash spent on equipment"),
    "discounted_profit": ("profit * EXP(-r * TIME)", "Rpm/month", "profit at its value of month 0"),
    "revenue_counted": ("revenue", "Rpm/month", "turnover, counted"),
    "profit_counted": ("profit", "Rpm/month", "profit, counted"),
    "public_spending": ("pub * (u_tr + u_cc + u_km + u_st + u_hv + u_cl + u_gr)", "Rpm/month", "public cost of the programmes"),
}  # fmt: skip

_AUXILIARIES: dict[str, tuple[str, str, str]] = {
    "revenue": ("sales * price", "Rpm/month", "turnover"),
    "z_open_innovation": ("(open_innovation - O0) / sO", "dmnl", "openness in survey standard deviations from the survey mean"),
    "z_knowledge": ("(knowledge - K0) / sK", "dmnl", "knowledge in survey standard deviations from the survey mean"),
    "market": ("potential_customers + customers", "customer", "everybody in reach"),
    "market_goal": (
        "N0 * (1 + dReach * (0.6 * u_hv + u_cl + 0.4 * u_gr)) * EXP(gN * TIME)", "customer", "size of the market in reach",
    ),
    "open_innovation_goal": (
        "MAX(0, MIN(1, O0 + dO_st * u_st + dO_cc * u_cc + dO_part * u_hv + dO_cl * u_cl))", "dmnl", "openness that programmes aim at",
    ),
    "knowledge_goal": (
        "MAX(0, MIN(1, K0 + a * sK / sO * (open_innovation - O0) + dKM * u_km + dTrK * u_tr + dK_cl * u_cl))",
        "dmnl", "knowledge that openness and programmes support",
    ),
    "motivation_goal": (
        "MAX(0.05, MIN(1, M0 + dM * u_tr + dM_cl * u_cl - mW * (MAX(demand / MAX(capacity, rate_min), 1) - 1)))",
        "dmnl", "motivation that training supports and overload wears down",
    ),
    "brand_goal": (
        "MAX(0.02, MIN(1, B0 + bI * (innovations / I0 - 1) + bQ * (quality - 1) + dB_cl * u_cl + dB_gr * u_gr"
        " - bF * (1 - fulfilment)))",
        "dmnl", "brand that innovations, quality and reliability support",
    ),
    "price": ("p0 * (1 + piB * (brand - B0) + dPg * u_gr)", "Rpm/unit", "price of a unit"),
    "output": ("(prs * skilled + prn * novices) * (motivation / M0) ^ eprM", "unit/month", "output of the workers"),
    "own_capacity": ("MIN(output, equipment)", "unit/month", "what the firm makes itself"),
    "capacity": ("own_capacity * (1 + dOut * u_hv) * (1 - dCap_gr * u_gr)", "unit/month", "capacity with that of partners"),
    "demand": ("customers * d0 * (price / pref) ^ (-eps_d)", "unit/month", "orders"),
    "sales": (
        "demand * (1 + (capacity / MAX(demand, demand_min)) ^ (-16)) ^ (-1 / 16)", "unit/month", "smooth minimum of orders and capacity",
    ),
    "fulfilment": ("sales / MAX(demand, demand_min)", "dmnl", "share of orders filled"),
    "skill_share": ("skilled / (skilled + novices)", "dmnl", "share of skilled workers"),
    "quality": (
        "(skill_share / (Ws0 / (Ws0 + Wn0))) ^ 0.2 * (MAX(knowledge, 0.02) / K0) ^ 0.2", "dmnl", "quality relative to the start",
    ),
    "attractiveness": (
        "(price / pref) ^ (-eps_p) * (MAX(brand, 0.02) / B0) ^ eps_B * (MAX(innovations, products_min) / I0) ^ eps_I"
        " * EXP(gC * performance)",
        "dmnl", "attraction relative to the start: price, brand, innovations, and the survey link",
    ),
    "workers": ("skilled + novices", "person", "workforce"),
    "workers_wanted": (
        "MAX(demand * 1.05 / MAX(output / MAX(workers, people_min), output_min), owner)", "person", "workforce that orders call for",
    ),
    "material_cost": (
        "sales * um * (1 - dUM * u_hv) * (1 + dUMg * u_gr) * EXP(-gE * performance)", "Rpm/month", "materials, less with performance",
    ),
    "wages": ("wage_s * skilled + wage_n * novices", "Rpm/month", "wages"),
    "programme_cost": ("copay * (u_tr + u_cc + u_km + u_st + u_hv + u_cl + u_gr)", "Rpm/month", "co-payment for programmes"),
    "openness_cost": ("kO * MAX(open_innovation - O0, 0)", "Rpm/month", "cost of openness"),
    "partner_fee": ("MAX(sales - own_capacity, 0) * price * phi", "Rpm/month", "fee for orders that partners fill"),
    "turnover_tax": ("tax * MAX(revenue - tax_free, 0)", "Rpm/month", "turnover tax"),
    "interest": ("i_d * MAX(-cash, 0)", "Rpm/month", "interest on overdraft"),
    "margin": ("profit / revenue", "dmnl", "profit margin of the month"),
    "assets": ("equipment * kc + turn * (material_cost + wages + oh)", "Rpm", "equipment and working capital"),
    "roi": ("year * profit / assets", "dmnl", "yearly return on investment"),
}  # fmt: skip


def banyuwangi_model(*, horizon: float = 60.0, dt: float = 0.25) -> Any:
    """Make the **synthetic** stock-and-flow model of one representative small firm, a `sembada.sd.Model`.

    Twelve stocks (customers, potential customers, open innovation, knowledge, motivation, innovations, brand, perceived
    performance, novices, skilled workers, equipment, cash) and four accumulators. The survey enters through the
    parameters `a`, `b`, `c` (conversion form *z* with the delay `tauZ`). A programme `l` is in force with
    `u_l(t) = l_intensity · clip((t − l_start)/ramp, 0, 1)`, for `l` in tr, cc, km, st, hv, cl, gr. Money is in million
    rupiah (Rpm), time in months. Every number about firms is an assumption unless its comment names a source.

    Parameters
    ----------
    horizon
        Last month: 60 is a policy term, 120 the long view.
    dt
        Step in months; Euler.

    Examples
    --------
    >>> run = banyuwangi_model().run()
    >>> round(float(run["customers"].iloc[-1]), 1)
    167.4
    """
    from sembada import sd

    elements: list[Any] = []
    for name, (initial, inflows, outflows, unit, meaning) in _STOCKS.items():
        elements.append(sd.Stock(name, initial=initial, inflows=inflows, outflows=outflows, unit=unit, comment=meaning))
    elements += [sd.Flow(name, equation, unit=unit, comment=text) for name, (equation, unit, text) in _FLOWS.items()]
    elements += [
        sd.Aux(name, equation, unit=unit, comment=text) for name, (equation, unit, text) in _AUXILIARIES.items()
    ]
    for lever, (title, _, start) in LEVERS.items():
        elements += [
            sd.Aux(
                f"u_{lever}",
                f"{lever}_intensity * MAX(0, MIN(1, (TIME - {lever}_start) / ramp))",
                unit="dmnl",
                comment=f"use of the programme: {title}",
            ),
            sd.Parameter(
                f"{lever}_intensity", 0.0, unit="dmnl", comment=f"intensity of the programme: {title} [scenario]"
            ),
            sd.Parameter(
                f"{lever}_start", start, unit="month", comment=f"first month of the programme: {title} [scenario]"
            ),
        ]
    for name, (value, unit, meaning, source) in PARAMETERS.items():
        elements.append(sd.Parameter(name, value, unit=unit, comment=f"{meaning} [{source}]"))
    return sd.Model(*elements, time=sd.Time(0, horizon, dt=dt, save_step=1, unit="month"))
