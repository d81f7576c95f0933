//! The dimension check on whole models.

use super::{check, infer};
use crate::sd::check::{Finding, Severity};
use crate::sd::dialect::Dialect::{self, Vensim, Xmile};
use crate::sd::model::{Container, Conveyor, Kind, Macro, UnitDefinition};
use crate::sd::testing::model;

/// The code, variable and text of each finding.
fn findings(dialect: Dialect, lines: &str) -> Vec<(String, String, String)> {
    let all = check(&model(dialect, "month", lines));
    all.iter().map(|f| (f.code.to_owned(), f.error.place().variable.clone(), f.error.to_string())).collect()
}

const PEOPLE: &str = "
    stock customers = initial customers; +joining -leaving | person
    par initial customers = 100 | people
    par time to leave = 20 | month
    par market = 1000 | person
    par contacts = 0.02 | 1/month
    flow joining = contacts * (market - customers) | person/month
    flow leaving = customers / time to leave | person/month
";

#[test]
fn a_consistent_model_has_no_findings() {
    for dialect in [Xmile, Vensim] {
        assert_eq!(findings(dialect, PEOPLE), []);
    }
}

/// Each line is added to the model of people; the text must be among the only finding.
fn only(dialect: Dialect, line: &str, code: &str, parts: &[&str]) {
    let found = findings(dialect, &format!("{PEOPLE}\n{line}"));
    assert_eq!(found.len(), 1, "{line}: {found:#?}");
    assert_eq!(found[0].0, code, "{line}: {found:#?}");
    for part in parts {
        assert!(found[0].2.contains(part), "{line}: {:?} is not in {}", part, found[0].2);
    }
}

fn none(dialect: Dialect, line: &str) {
    let found = findings(dialect, &format!("{PEOPLE}\n{line}"));
    assert_eq!(found, [], "{line}");
}

#[test]
fn wrong_units_are_found_with_both_dimensions_and_the_place() {
    only(Xmile, "aux bad = customers + joining | person", "units", &["a sum of person and person/month"]);
    only(Xmile, "aux bad = customers * 2 | person/month", "units", &["\"bad\" is in person/month", "gives person"]);
    only(Xmile, "aux bad = customers ^ 2 | person", "units", &["person^2"]);
    only(Xmile, "aux bad = sqrt(customers) | person", "units", &["person^(1/2)"]);
    only(Xmile, "aux bad = exp(time to leave) | dmnl", "units", &["exp is in month and should be in Dmnl"]);
    only(Xmile, "aux bad = smth1(customers, market) | person", "units", &["smth1 is in person and should be in month"]);
    only(
        Xmile,
        "aux bad = max(customers, joining) | person",
        "units",
        &["max is in person/month and should be in person"],
    );
    only(Xmile, "aux bad = if time > 5 then customers else joining | person", "units", &["a choice of"]);
    only(Xmile, "aux bad = if customers > joining then 1 else 0 | dmnl", "units", &["a comparison of"]);
    only(Xmile, "aux bad = 2 ^ customers | dmnl", "units", &["an exponent must be dimensionless and is in person"]);
    only(Xmile, "aux bad = customers ^ (customers / market) | dmnl", "units", &["the base of a power"]);
    only(Xmile, "aux bad = dt | person", "units", &["gives month"]);
    only(Xmile, "aux bad = time mod market | month", "units", &["a remainder of month and person"]);
    only(Xmile, "aux bad = person/mon | p/", "units-syntax", &["\"p/\"", "character 3"]);
    only(Vensim, "aux bad = DELAY FIXED(customers, market, 0) | person", "units", &["should be in month"]);
    only(Vensim, "aux bad = XIDZ(customers, joining, market) | month", "units", &["should be in month"]);
    only(Vensim, "aux bad = IF THEN ELSE(customers > 0, customers, joining) | person", "units", &["a choice of"]);
    only(
        Vensim,
        "level bad = joining * contacts; 0 | person",
        "units",
        &["the net flow is in person/month^2", "needs person/month"],
    );
    only(Vensim, "level bad = joining; joining | person", "units", &["its initial value gives person/month"]);
    only(Vensim, "aux bad = TREND(customers, time to leave, market) | 1/month", "units", &["should be in 1/month"]);
    only(Vensim, "aux bad = RAMP(market, 1, 2) | person", "units", &["gives month*person"]);
}

#[test]
fn what_is_right_is_left_alone() {
    for line in [
        "aux ok = max(0, customers) | person",
        "aux ok = if time > stoptime then 0 else customers | person",
        "aux ok = sqrt(customers * customers) | person",
        "aux ok = (customers / market) ^ contacts2 | dmnl\n par contacts2 = 0.3 | 1",
        "aux ok = smth3(customers, 5, 10) | person",
        "aux ok = trend(customers, time to leave) | 1/month",
        "aux ok = step(market, 10) | person",
        "aux ok = step(10, 5) | person",
        "aux ok = pulse(market, 5, 10) | person/month",
        "aux ok = forcst(customers, time to leave, time to leave) | person",
        "aux ok = 5 * 12 | person",
        "aux ok = -3 | person",
        "aux ok = safediv(customers, joining, time to leave) | month",
        "aux ok = ln(customers / market) | dmnl",
        "aux ok = sum(customers) + mean(customers, market) | person",
        "aux ok = normal(customers, customers) | person",
        "aux ok = 1 - customers / market | fraction",
        "aux ok = surprising function(customers, joining) | person",
    ] {
        none(Xmile, line);
    }
    for line in [
        "aux ok = PULSE(5, 2) * market | person",
        "aux ok = ZIDZ(customers, joining) | month",
        "aux ok = IF THEN ELSE(Time > FINAL TIME, customers, 0) | person",
        "aux ok = INTEGER(customers) + MODULO(customers, market) | person",
        "level ok = joining - leaving; market | person",
        "level ok = 5; 3 | person",
        "aux ok = SAMPLE IF TRUE(Time > TIME STEP, customers, market) | person",
        "aux ok = RANDOM NORMAL(0, market, customers, market, 1) | person",
        "aux ok = ACTIVE INITIAL(customers, market) | person",
        "aux ok = NPV(joining, contacts, market, 1) | person",
        "aux ok = :NA: | person",
    ] {
        none(Vensim, line);
    }
}

#[test]
fn bare_numbers_beside_units_are_notes() {
    only(Xmile, "aux x = customers + 5 | person", "units-number", &["the bare number 5", "parameter in person"]);
    only(Xmile, "aux x = max(customers, 1) | person", "units-number", &["the bare number 1"]);
    only(Xmile, "aux x = if customers > 100 then 1 else 0 | dmnl", "units-number", &["a comparison of person"]);
}

#[test]
fn lookups_carry_the_unit_of_their_values() {
    let lookup = "lookup effect = 0 1 2; 0 2 3 | person/month\n";
    none(Xmile, &format!("{lookup} aux ok = effect(customers / market) | person/month"));
    none(Xmile, &format!("{lookup} aux ok = effect(time) | person/month"));
    only(Xmile, &format!("{lookup} aux bad = effect(customers / market) | person"), "units", &["gives person/month"]);
    only(
        Xmile,
        &format!("{lookup} aux bad = effect(customers) | person/month"),
        "units-lookup",
        &["something in person"],
    );
}

#[test]
fn findings_point_at_what_differs() {
    let found = check(&model(Xmile, "month", &format!("{PEOPLE}\n aux bad = 2 * (customers + joining) | person")));
    let place = found[0].error.place();
    assert_eq!(&place.source[place.span.start as usize..place.span.end as usize], "joining");
}

#[test]
fn flows_must_be_stocks_by_time() {
    let lines = "
        stock water = 5; +rain -use | litre
        flow rain = 1 | litre
        flow use = 1 | litre/month
    ";
    let found = findings(Xmile, lines);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!((found[0].0.as_str(), found[0].1.as_str()), ("units", "water"));
    assert!(
        found[0].2.contains("its inflow \"rain\" is in litre; the stock \"water\" is in litre and needs litre/month"),
        "{found:#?}"
    );
}

#[test]
fn every_finding_is_reported_and_an_error_does_not_spread() {
    let found = findings(
        Xmile,
        &format!(
            "{PEOPLE}\n aux a = customers + joining | person\n aux b = (customers + leaving) * contacts | $\n aux c = a | $"
        ),
    );
    let places: Vec<_> = found.iter().map(|(code, variable, _)| (code.as_str(), variable.as_str())).collect();
    assert_eq!(places, [("units", "a"), ("units", "b"), ("units", "c")]);
}

#[test]
fn a_model_without_units_gives_one_note() {
    let found = check(&model(Xmile, "", "par a = 1\n aux b = a * 2\n aux c = exp(b)"));
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].severity, found[0].code), (Severity::Note, "units-missing"));
}

#[test]
fn missing_units_are_silent_in_equations_and_suggested_where_they_follow() {
    let lines = format!(
        "{PEOPLE}\n aux share = customers / market\n aux speed = share * contacts | 1/month\n par free = 3\n aux late = customers / free | person/month"
    );
    let all = check(&model(Xmile, "month", &lines));
    let texts: Vec<String> = all.iter().map(|finding| finding.error.to_string()).collect();
    assert_eq!(texts.len(), 2, "{texts:#?}");
    assert!(texts[0].contains("\"share\" has no unit; the equations around it imply Dmnl"), "{texts:#?}");
    assert!(texts[1].contains("\"free\" has no unit; the equations around it imply month"), "{texts:#?}");
    assert!(all.iter().all(|finding: &Finding| finding.severity == Severity::Note));
}

#[test]
fn units_are_solved_for_through_several_equations() {
    let lines = "
        par price = 5 | $/unit
        aux revenue = price * sales | $/month
        flow sales = orders
        aux orders = base * effect
        aux effect = 1 | dmnl
        par base = 10
        stock stock = 0; +sales
    ";
    let units: Vec<_> =
        infer(&model(Vensim, "Month", lines)).into_iter().map(|each| (each.variable, each.unit)).collect();
    let expected = [("sales", "unit/Month"), ("orders", "unit/Month"), ("base", "unit/Month"), ("stock", "unit")];
    assert_eq!(units, expected.map(|(name, unit)| (name.to_owned(), unit.to_owned())));
}

#[test]
fn mostly_unitless_models_get_one_note_for_all_that_is_missing() {
    let lines: Vec<String> = (0..20).map(|index| format!("aux v{index} = {index}")).collect();
    let found = findings(Xmile, &format!("{}\n aux with = 1 | person", lines.join("\n")));
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].2.starts_with("20 of 21 variables have no unit"), "{found:#?}");
}

#[test]
fn a_missing_unit_of_time_is_noted_once() {
    let found = check(&model(Xmile, "", "stock a = 1; +b | person\n flow b = 1 | person"));
    assert_eq!(found.len(), 1);
    assert!(found[0].error.to_string().contains("does not state its unit of time"));
}

#[test]
fn units_that_the_model_defines_hold() {
    let mut with = model(Xmile, "year", "aux power = energy / period | W\n par energy = 1 | J\n par period = 1 | s");
    assert_eq!(check(&with).len(), 1);
    with.units = vec![UnitDefinition { name: "watt".into(), equation: "J/s".into(), aliases: vec!["W".into()] }];
    assert_eq!(check(&with), []);
}

#[test]
fn conveyors_have_times_and_capacities() {
    let mut with = model(
        Xmile,
        "day",
        "stock ill = 0; +in -out | person\n flow in = 1 | person/day\n flow out | person/day\n par stay = 5 | person",
    );
    let stay = crate::sd::expr::parse("stay", Xmile).unwrap();
    with.variables[0].container = Some(Container::Conveyor(Box::new(Conveyor {
        transit_time: stay.clone(),
        capacity: Some(stay),
        inflow_limit: None,
        sample: None,
        arrest: None,
        discrete: false,
        batch_integrity: false,
        one_at_a_time: false,
        exponential_leak: false,
    })));
    let found = check(&with);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].error.to_string().contains("the transit time of \"ill\" is in person and should be in day"));
}

#[test]
fn the_bodies_of_macros_are_checked() {
    let mut with = model(Vensim, "month", PEOPLE);
    let body = model(
        Vensim,
        "month",
        "aux twice = a * b | person\n aux b = c + d | month\n par c = 1 | month\n par d = 1 | person",
    );
    with.macros.push(Macro {
        name: "twice".into(),
        parameters: vec!["a".into()],
        outputs: vec![],
        variables: body.variables,
    });
    let found = check(&with);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].error.to_string().contains("a sum of month and person"));
}

#[test]
fn kinds_without_equations_are_passed_over() {
    let mut with = model(Vensim, "month", PEOPLE);
    with.variables.push(crate::sd::model::Variable {
        name: "series".into(),
        kind: Kind::Data,
        unit: "person".into(),
        ..Default::default()
    });
    assert_eq!(check(&with), []);
}
