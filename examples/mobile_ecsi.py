"""The real mobile-phone satisfaction survey (ECSI), from answers to a policy choice with a model of one's own.

    python examples/mobile_ecsi.py mobi.csv --output out/mobile.html

The survey has 250 rows and 24 questions answered 1 to 10 (Tenenhaus, Esposito Vinzi, Chatelin & Lauro 2005,
Computational Statistics & Data Analysis 48(1)). It does not ship with sembada: give its path. The market model
below is a sketch that shows how any path model and any stock-and-flow model are joined; its numbers are assumptions.
"""

import argparse
from pathlib import Path

import pandas as pd

from sembada import pls, sd, study

PATH_MODEL = """
    Image        =~ IMAG1 + IMAG2 + IMAG3 + IMAG4 + IMAG5
    Expectation  =~ CUEX1 + CUEX2 + CUEX3
    Quality      =~ PERQ1 + PERQ2 + PERQ3 + PERQ4 + PERQ5 + PERQ6 + PERQ7
    Value        =~ PERV1 + PERV2
    Satisfaction =~ CUSA1 + CUSA2 + CUSA3
    Complaints   =~ CUSCO
    Loyalty      =~ CUSL1 + CUSL2 + CUSL3

    Expectation  ~ Image
    Quality      ~ Expectation
    Value        ~ Expectation + Quality
    Satisfaction ~ Image + Expectation + Quality + Value
    Complaints   ~ Satisfaction
    Loyalty      ~ Image + Satisfaction + Complaints
"""

HYPOTHESES = {
    "H1": ("Image", "Satisfaction", "+"),
    "H2": ("Quality", "Satisfaction", "+"),
    "H3": ("Value", "Satisfaction", "+"),
    "H4": ("Satisfaction", "Loyalty", "+"),
    "H5": ("Image", "Loyalty", "+"),
}


def market() -> sd.Model:
    """Subscribers of one operator: satisfaction and loyalty in standard deviations of the survey, churn by loyalty."""
    return sd.Model(
        sd.Stock("subscribers", "1000", inflows=["joining"], outflows=["leaving"], unit="thousand person"),
        sd.Stock("image", "0", inflows=["image_change"], unit="dmnl", comment="standard deviations from today"),
        sd.Stock("quality", "0", inflows=["quality_change"], unit="dmnl", comment="standard deviations from today"),
        sd.Stock(
            "satisfaction", "0", inflows=["satisfaction_change"], unit="dmnl", comment="standard deviations from today"
        ),
        sd.Stock("loyalty", "0", inflows=["loyalty_change"], unit="dmnl", comment="standard deviations from today"),
        sd.Stock("value", "0", inflows=["earned"], unit="million euro", comment="discounted profit"),
        sd.Flow("joining", "join_rate * subscribers", unit="thousand person/month"),
        sd.Flow("leaving", "churn * EXP(-gain * loyalty) * subscribers", unit="thousand person/month"),
        sd.Flow("image_change", "(image_goal - image) / delay_image", unit="1/month"),
        sd.Flow("quality_change", "(quality_goal - quality) / delay_quality", unit="1/month"),
        sd.Flow("satisfaction_change", "(b_is * image + b_qs * quality - satisfaction) / delay_mind", unit="1/month"),
        sd.Flow("loyalty_change", "(b_il * image + b_sl * satisfaction - loyalty) / delay_mind", unit="1/month"),
        sd.Flow("earned", "profit * EXP(-discount * TIME)", unit="million euro/month"),
        sd.Aux(
            "profit",
            "subscribers * margin - image_goal * cost_image - quality_goal * cost_quality",
            unit="million euro/month",
        ),
        sd.Parameter("b_is", 0.2, unit="dmnl", comment="path Image → Satisfaction [survey]"),
        sd.Parameter("b_qs", 0.5, unit="dmnl", comment="path Quality → Satisfaction [survey]"),
        sd.Parameter("b_il", 0.2, unit="dmnl", comment="path Image → Loyalty [survey]"),
        sd.Parameter("b_sl", 0.5, unit="dmnl", comment="path Satisfaction → Loyalty [survey]"),
        sd.Parameter("gain", 0.25, unit="dmnl", comment="log churn per standard deviation of loyalty [assumption]"),
        sd.Parameter("churn", 0.02, unit="1/month", comment="churn today [assumption]"),
        sd.Parameter("join_rate", 0.02, unit="1/month", comment="new subscribers [assumption]"),
        sd.Parameter(
            "margin", 0.012, unit="million euro/thousand person/month", comment="profit of a subscriber [assumption]"
        ),
        sd.Parameter("discount", 0.005, unit="1/month", comment="discount rate [assumption]"),
        sd.Parameter("image_goal", 0.0, unit="dmnl", comment="campaign, standard deviations [scenario]"),
        sd.Parameter("quality_goal", 0.0, unit="dmnl", comment="network, standard deviations [scenario]"),
        sd.Parameter(
            "cost_image",
            0.20,
            unit="million euro/month",
            comment="cost of one standard deviation of image [assumption]",
        ),
        sd.Parameter(
            "cost_quality",
            0.35,
            unit="million euro/month",
            comment="cost of one standard deviation of quality [assumption]",
        ),
        sd.Parameter("delay_image", 9.0, unit="month", comment="time to change an image [assumption]"),
        sd.Parameter("delay_quality", 15.0, unit="month", comment="time to build a network [assumption]"),
        sd.Parameter("delay_mind", 4.0, unit="month", comment="time to change a mind [assumption]"),
        time=sd.Time(0, 60, dt=0.25, save_step=1, unit="month"),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Path model and policy choice on the mobile-phone ECSI survey.")
    parser.add_argument("survey", type=Path, help="CSV of the survey (250 rows, 24 questions)")
    parser.add_argument("--output", type=Path, default=Path("out/mobile.html"), help=".html, .tex, .md or .xlsx")
    parser.add_argument("--language", choices=("en", "id"), default="en")
    parser.add_argument("--draws", type=int, default=1024)
    parser.add_argument("--replicates", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()

    fit = pls.Model(PATH_MODEL).fit(pd.read_csv(options.survey))
    bootstrap = fit.bootstrap(options.replicates, seed=options.seed)
    bridge = study.Bridge(
        market(),
        links=[
            study.Link("Image", "Satisfaction", parameter="b_is", form="z", delay="delay_mind"),
            study.Link("Quality", "Satisfaction", parameter="b_qs", form="z", delay="delay_mind"),
            study.Link("Image", "Loyalty", parameter="b_il", form="z", delay="delay_mind"),
            study.Link("Satisfaction", "Loyalty", parameter="b_sl", form="z", delay="delay_mind", gain="gain"),
        ],
    )
    outcome = study.Study(
        bootstrap=bootstrap,
        bridge=bridge,
        scenarios=[
            study.Scenario("S0", label={"en": "as today", "id": "seperti kini"}),
            study.Scenario("S1", {"image_goal": 0.5}, label={"en": "image campaign", "id": "kampanye citra"}),
            study.Scenario("S2", {"quality_goal": 0.5}, label={"en": "better network", "id": "jaringan lebih baik"}),
            study.Scenario(
                "S3",
                {"image_goal": 0.25, "quality_goal": 0.25},
                label={"en": "half of each", "id": "setengah-setengah"},
            ),
        ],
        uncertainties={
            "gain": (0.10, 0.40),
            "churn": (0.015, 0.025),
            "margin": (0.009, 0.015),
            "cost_image": (0.1, 0.3),
            "cost_quality": (0.2, 0.5),
            "delay_image": (6.0, 12.0),
            "delay_quality": (9.0, 24.0),
            "delay_mind": (2.0, 6.0),
        },
        measures={
            "subscribers": study.Measure(
                "subscribers", digits=0, unit="thousand", label={"en": "subscribers", "id": "pelanggan"}
            ),
            "value": study.Measure(
                "value", digits=1, unit="million euro", label={"en": "present value", "id": "nilai kini"}
            ),
        },
        groups={
            "bridge": ["gain"],
            "market": ["churn", "margin"],
            "finance": ["cost_image", "cost_quality"],
            "delays": ["delay_image", "delay_quality", "delay_mind"],
        },
        title="Mobile-phone satisfaction",
    ).run(draws=options.draws, seed=options.seed)

    print(
        outcome.hypotheses(HYPOTHESES)[["predictor", "outcome", "estimate", "t", "p", "decision"]].round(3).to_string()
    )
    print(outcome.rank().round(3).to_string())
    note = "The survey is real; the market model is a sketch whose numbers are assumptions."
    print(f"report: {outcome.report(options.output, language=options.language, hypotheses=HYPOTHESES, notes=note)}")


if __name__ == "__main__":
    main()
