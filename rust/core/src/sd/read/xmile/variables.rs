//! Stocks, flows, converters and graphical functions.

use roxmltree::Node;

use super::{Reader, attribute, child, child_text, children, content, file, is_true, name_of};
use crate::sd::dialect::Dialect;
use crate::sd::error::ModelError;
use crate::sd::expr::parse;
use crate::sd::model::{
    Container, Conveyor, Equation, Kind, Leak, Oven, Spread, Table, TableKind, Variable, canonical,
};
use crate::sd::read::side::is_constant;
use crate::sd::read::{number_list, one_line};

/// `<non_negative/>` means yes, `<non_negative>false</non_negative>` no.
pub(super) fn non_negative(node: Node<'_, '_>) -> bool {
    !matches!(content(node).trim().to_ascii_lowercase().as_str(), "false" | "0" | "no")
}

fn numbers(reader: &Reader, node: Node<'_, '_>) -> Result<Vec<f64>, ModelError> {
    let separator = attribute(node, "sep").filter(|text| !text.is_empty()).unwrap_or(",");
    let text = content(node);
    let parts = text.split(separator).map(str::trim).filter(|part| !part.is_empty());
    parts.map(|part| reader.number(node, part)).collect()
}

impl Reader {
    /// Adds the variables of a list.
    pub(super) fn variables(&self, list: Node<'_, '_>, out: &mut Vec<Variable>) -> Result<(), ModelError> {
        for node in list.children().filter(Node::is_element) {
            match node.tag_name().name() {
                "stock" | "flow" | "aux" => {
                    out.push(self.variable(node)?);
                    // Left open in the file and closed at the end: what follows stands inside.
                    if node.children().any(|inner| matches!(inner.tag_name().name(), "stock" | "flow" | "aux")) {
                        self.variables(node, out)?;
                    }
                }
                "gf" if attribute(node, "name").is_some() => {
                    let table = self.table(node)?;
                    let equation = Equation { table: Some(table), line: self.line(node), ..Equation::default() };
                    out.push(Variable {
                        name: name_of(attribute(node, "name").unwrap_or("")),
                        kind: Kind::Lookup,
                        equations: vec![equation],
                        unit: child_text(node, "units"),
                        comment: child_text(node, "doc"),
                        ..Variable::default()
                    });
                }
                _ => {}
            }
        }
        for group in children(list, "group") {
            let name = name_of(attribute(group, "name").unwrap_or(""));
            for entity in children(group, "entity").chain(children(group, "var")) {
                let member = canonical(&name_of(attribute(entity, "name").unwrap_or("")));
                for variable in out.iter_mut().filter(|variable| canonical(&variable.name) == member) {
                    variable.group.clone_from(&name);
                }
            }
        }
        Ok(())
    }

    fn variable(&self, node: Node<'_, '_>) -> Result<Variable, ModelError> {
        let raw = attribute(node, "name").unwrap_or("");
        let name = name_of(raw);
        if canonical(&name).is_empty() {
            return Err(file(
                format!("a <{}> has no name: expected name=\"…\"", node.tag_name().name()),
                self.line(node),
            ));
        }
        let dimensions: Vec<String> = child(node, "dimensions")
            .map(|list| children(list, "dim").filter_map(|inner| attribute(inner, "name")).map(name_of).collect())
            .unwrap_or_default();
        let equations = self.equations(node, &name, &dimensions)?;
        let mut variable = Variable {
            dimensions,
            equations,
            unit: child_text(node, "units"),
            comment: child_text(node, "doc"),
            limits: self.limits(node)?,
            ..Variable::default()
        };
        match node.tag_name().name() {
            "stock" => {
                let names = |tag| children(node, tag).map(|inner| name_of(&content(inner))).collect();
                variable.kind = Kind::Stock { inflows: names("inflow"), outflows: names("outflow"), rate: Vec::new() };
                variable.non_negative = child(node, "non_negative").map_or(self.defaults.stock, non_negative);
                variable.container = self.container(node, &name)?;
            }
            "flow" => {
                variable.kind = Kind::Flow;
                variable.non_negative = child(node, "non_negative").map_or(self.defaults.flow, non_negative);
                variable.overflow = child(node, "overflow").is_some();
                variable.leak = self.leak(node, &name, &variable.equations)?;
                variable.spread = self.spread(node, &name)?;
                if let Some(multiplier) = child(node, "multiplier") {
                    return Err(self.refuse(
                        multiplier,
                        "flow option",
                        "multiplier",
                        "write the conversion into the equation",
                    ));
                }
            }
            _ => variable.kind = aux_kind(&variable.equations),
        }
        variable.name = name;
        Ok(variable)
    }

    fn limits(&self, node: Node<'_, '_>) -> Result<(Option<f64>, Option<f64>), ModelError> {
        let Some(range) = child(node, "range") else { return Ok((None, None)) };
        let bound = |name| attribute(range, name).map(|text| self.number(range, text)).transpose();
        Ok((bound("min")?, bound("max")?))
    }

    fn container(&self, node: Node<'_, '_>, name: &str) -> Result<Option<Container>, ModelError> {
        let flag = |inner, key| attribute(inner, key).is_some_and(is_true);
        let missing = |inner| file(format!("{name:?} has no <len>: expected a time"), self.line(inner));
        for tag in ["conveyor", "queue", "oven"] {
            if let Some(inner) = child(node, tag) {
                self.known_options(inner)?;
            }
        }
        if let Some(inner) = child(node, "conveyor") {
            return Ok(Some(Container::Conveyor(Box::new(Conveyor {
                transit_time: self.expr(inner, "len", name)?.ok_or_else(|| missing(inner))?,
                capacity: self.expr(inner, "capacity", name)?,
                inflow_limit: self.expr(inner, "in_limit", name)?,
                sample: self.expr(inner, "sample", name)?,
                arrest: self.expr(inner, "arrest", name)?,
                discrete: flag(inner, "discrete"),
                batch_integrity: flag(inner, "batch_integrity"),
                one_at_a_time: attribute(inner, "one_at_a_time").is_none_or(is_true),
                exponential_leak: flag(inner, "exponential_leak"),
            }))));
        }
        if child(node, "queue").is_some() {
            return Ok(Some(Container::Queue));
        }
        if let Some(inner) = child(node, "oven") {
            return Ok(Some(Container::Oven(Box::new(Oven {
                cook_time: self.expr(inner, "len", name)?.ok_or_else(|| missing(inner))?,
                capacity: self.expr(inner, "capacity", name)?,
                fill_time: self.expr(inner, "fill_time", name)?,
                clean_time: self.expr(inner, "clean_time", name)?,
                sample: self.expr(inner, "sample", name)?,
                arrest: self.expr(inner, "arrest", name)?,
                batch_integrity: flag(inner, "batch_integrity"),
                one_at_a_time: attribute(inner, "one_at_a_time").is_none_or(is_true),
            }))));
        }
        Ok(None)
    }

    /// Refuses the options of a container that change what it does and are not run: first in first out for conveyors,
    /// priorities and stamps by attribute.
    fn known_options(&self, node: Node<'_, '_>) -> Result<(), ModelError> {
        const UNKNOWN: [&str; 4] = ["fifo", "attribute", "priorit", "cycle_time"];
        let told = node.attributes().filter(|option| is_true(option.value())).map(|option| option.name().to_owned());
        let held = node.children().filter(Node::is_element).map(|inner| inner.tag_name().name().to_owned());
        for option in told.chain(held) {
            let lower = option.to_ascii_lowercase();
            if UNKNOWN.iter().any(|part| lower.contains(part)) {
                let reason = "it changes what leaves when, and is not run";
                return Err(self.refuse(node, "container option", &option, reason));
            }
        }
        Ok(())
    }

    /// A leak: the fraction is the flow's equation, or stands in `<leak>`.
    fn leak(&self, node: Node<'_, '_>, name: &str, equations: &[Equation]) -> Result<Option<Leak>, ModelError> {
        let Some(inner) = child(node, "leak") else { return Ok(None) };
        let own = self.expr(node, "leak", name)?;
        let Some(fraction) = own.or_else(|| equations.iter().find_map(|equation| equation.expr.clone())) else {
            return Err(file(format!("the leak {name:?} has no fraction: expected an equation"), self.line(inner)));
        };
        let zone = |key: &str, default: f64| {
            let text = attribute(node, key).or_else(|| attribute(inner, key));
            text.map_or(Ok(default), |text| self.number(inner, text))
        };
        let integers = child(node, "leak_integers").is_some();
        Ok(Some(Leak { fraction, integers, zone: (zone("leak_start", 0.0)?, zone("leak_end", 1.0)?) }))
    }

    fn spread(&self, node: Node<'_, '_>, name: &str) -> Result<Option<Spread>, ModelError> {
        let Some(method) = attribute(node, "spreadflow").filter(|text| !text.is_empty() && *text != "none") else {
            return Ok(None);
        };
        Ok(Some(Spread { method: method.to_owned(), profile: self.expr(node, "distrib_eq", name)? }))
    }

    /// The equations of a variable: one, one an element, or (Vensim's export) a list of `<eqn>` in the order of the elements.
    fn equations(&self, node: Node<'_, '_>, name: &str, dimensions: &[String]) -> Result<Vec<Equation>, ModelError> {
        let table = child(node, "gf").map(|inner| self.table(inner)).transpose()?;
        let texts: Vec<Node<'_, '_>> = children(node, "eqn").collect();
        let initial = child(node, "init_eqn");
        let elements: Vec<Node<'_, '_>> = children(node, "element").collect();
        let mut out = Vec::new();
        if texts.len() > 1 {
            let subscripts = self.combinations(dimensions);
            if subscripts.len() != texts.len() {
                let message = format!(
                    "{name:?} has {} equations: expected one, or one for each of its {} elements",
                    texts.len(),
                    subscripts.len()
                );
                return Err(file(message, self.line(node)));
            }
            for (subscripts, text) in subscripts.into_iter().zip(texts) {
                out.push(self.equation(name, subscripts, Some(text), initial, table.clone(), node)?);
            }
            return Ok(out);
        }
        let common = texts.first().copied().filter(|text| !one_line(&content(*text)).is_empty());
        for element in &elements {
            let subscripts: Vec<String> =
                attribute(*element, "subscript").unwrap_or("").split(',').map(name_of).collect();
            let own = child(*element, "eqn").filter(|text| !one_line(&content(*text)).is_empty()).or(common);
            let table = match child(*element, "gf") {
                Some(inner) => Some(self.table(inner)?),
                None => table.clone(),
            };
            let initial = child(*element, "init_eqn").or(initial);
            out.push(self.equation(name, subscripts, own, initial, table, *element)?);
        }
        let all = dimensions.iter().map(|one| self.size(one)).fold(1_usize, usize::saturating_mul);
        let partly = !elements.is_empty() && elements.len() < all && (common.is_some() || table.is_some());
        if elements.is_empty() || partly {
            // Elements of their own come after the equation for all: the more specific one holds.
            let whole = self.equation(name, dimensions.to_vec(), common, initial, table, node)?;
            out.insert(0, whole);
        }
        // A variable that its container drives has no equation at all.
        out.retain(|one| one.expr.is_some() || one.table.is_some() || one.initial.is_some());
        Ok(out)
    }

    fn size(&self, dimension: &str) -> usize {
        let wanted = canonical(dimension);
        self.dimensions.iter().find(|one| canonical(&one.name) == wanted).map_or(1, |one| one.elements.len())
    }

    /// All elements of these dimensions, the last fastest.
    fn combinations(&self, dimensions: &[String]) -> Vec<Vec<String>> {
        /// More elements than this are never written one by one.
        const MOST: usize = 1_000_000;
        let mut out = vec![Vec::new()];
        for dimension in dimensions {
            let wanted = canonical(dimension);
            let Some(found) = self.dimensions.iter().find(|one| canonical(&one.name) == wanted) else { continue };
            if out.len().saturating_mul(found.elements.len()) > MOST {
                return Vec::new();
            }
            out = out
                .iter()
                .flat_map(|before: &Vec<String>| {
                    found.elements.iter().map(|element| before.iter().chain([element]).cloned().collect())
                })
                .collect();
        }
        out
    }

    fn equation(
        &self,
        name: &str,
        subscripts: Vec<String>,
        text: Option<Node<'_, '_>>,
        initial: Option<Node<'_, '_>>,
        table: Option<Table>,
        node: Node<'_, '_>,
    ) -> Result<Equation, ModelError> {
        let mut equation = Equation { subscripts, table, line: self.line(text.unwrap_or(node)), ..Equation::default() };
        let read = |inner: Node<'_, '_>| {
            let source = one_line(&content(inner));
            if source.is_empty() {
                return Ok((None, source));
            }
            // A conveyor or queue may start from a list: an entry for each slat, unit of time or batch.
            let stock = if node.tag_name().name() == "element" { node.parent().unwrap_or(node) } else { node };
            if ["conveyor", "queue"].iter().any(|tag| child(stock, tag).is_some())
                && let Some(list) = number_list(&source)
            {
                return Ok((Some(list), source));
            }
            match parse(&source, Dialect::Xmile) {
                Ok(expr) => Ok((Some(expr), source)),
                Err(error) => Err(self.syntax(error, inner, name, source)),
            }
        };
        if let Some(inner) = text {
            (equation.expr, equation.source) = read(inner)?;
        }
        if let Some(inner) = initial {
            let (expr, source) = read(inner)?;
            equation.initial = expr;
            equation.initial_source = Some(source);
        }
        Ok(equation)
    }

    /// A graphical function (XMILE §3.1.4): points given, or y at equal steps of x.
    fn table(&self, node: Node<'_, '_>) -> Result<Table, ModelError> {
        let points = child(node, "ypts")
            .ok_or_else(|| file("a <gf> has no <ypts>: expected values".to_owned(), self.line(node)))?;
        let y = numbers(self, points)?;
        let scale = |name: &str| {
            let Some(inner) = child(node, name) else { return Ok(None) };
            let bound = |key| attribute(inner, key).map(|text| self.number(inner, text)).transpose();
            Ok::<_, ModelError>(bound("min")?.zip(bound("max")?))
        };
        let (across, up) = (scale("xscale")?, scale("yscale")?);
        let x = match (child(node, "xpts"), across) {
            (Some(inner), _) => numbers(self, inner)?,
            (None, Some((low, high))) => {
                let last = y.len().saturating_sub(1).max(1) as f64;
                (0..y.len()).map(|index| low + (high - low) * index as f64 / last).collect()
            }
            (None, None) => {
                let message = "a <gf> has neither <xpts> nor <xscale>: expected one of them".to_owned();
                return Err(file(message, self.line(node)));
            }
        };
        if x.len() != y.len() || x.is_empty() {
            let message = format!("a <gf> has {} x and {} y: expected as many, at least one", x.len(), y.len());
            return Err(file(message, self.line(node)));
        }
        let discrete = attribute(node, "discrete").is_some_and(is_true);
        let kind = match attribute(node, "type").unwrap_or(if discrete { "discrete" } else { "continuous" }) {
            "continuous" => TableKind::Continuous,
            "extrapolate" => TableKind::Extrapolate,
            "discrete" => TableKind::Discrete,
            other => {
                return Err(self.refuse(
                    node,
                    "graphical function type",
                    other,
                    "expected continuous, extrapolate or discrete",
                ));
            }
        };
        let frame = across.zip(up).map(|((x0, x1), (y0, y1))| [x0, y0, x1, y1]);
        Ok(Table { x, y, kind, frame })
    }
}

/// A converter without an equation is a graphical function, one with a number is a constant.
fn aux_kind(equations: &[Equation]) -> Kind {
    if !equations.is_empty() && equations.iter().all(|one| one.expr.is_none() && one.table.is_some()) {
        return Kind::Lookup;
    }
    let constant =
        |one: &Equation| one.table.is_none() && one.initial.is_none() && one.expr.as_ref().is_some_and(is_constant);
    if !equations.is_empty() && equations.iter().all(constant) { Kind::Parameter } else { Kind::Auxiliary }
}
