//! Reader of XMILE files: OASIS XMILE 1.0, and what Stella and the old isee tools write.

mod modules;
mod text;
mod variables;

use roxmltree::{Document, Node};

use super::one_line;
use crate::sd::dialect::Dialect;
use crate::sd::error::{ModelError, Place};
use crate::sd::expr::{Expr, SyntaxError, parse};
use crate::sd::model::{
    Dimension, Equation, Import, Kind, Macro, Method, Model, TimeSpec, UnitDefinition, Variable, canonical,
};
use text::Lines;

/// Reads the text of an XMILE file. `path` is for messages.
///
/// # Errors
/// [`ModelError::File`] for a file that is not XMILE or holds no model, [`ModelError::Equation`] for an equation that cannot be read,
/// [`ModelError::Unsupported`] for what is refused: also a model that imports values from files, which means something else
/// without them.
pub fn read(text: &str, path: &str) -> Result<Model, ModelError> {
    let model = read_with_imports(text, path)?;
    match model.imports.first() {
        None => Ok(model),
        Some(import) => Err(ModelError::Unsupported {
            what: "import",
            name: import.resource.clone(),
            reason: "give the values as data or parameters of the run, and remove <import>".to_owned(),
            place: Box::new(Place { path: path.to_owned(), line: import.line, ..Place::default() }),
        }),
    }
}

/// As [`read`], for a caller that applies [`Model::imports`].
///
/// # Errors
/// As [`read`].
pub fn read_with_imports(text: &str, path: &str) -> Result<Model, ModelError> {
    let mut remarks = Vec::new();
    let text = text::mended(text, &mut remarks).map_err(|error| error.within(path))?;
    let options = roxmltree::ParsingOptions::default();
    let document = Document::parse_with_options(&text, options)
        .map_err(|error| file(format!("the file is not XML: {error}"), error.pos().row).within(path))?;
    let reader = Reader { lines: Lines::new(&text), defaults: Defaults::default(), dimensions: Vec::new(), remarks };
    let mut model = reader.document(&document, &text).map_err(|error| error.within(path))?;
    path.clone_into(&mut model.path);
    Ok(model)
}

fn file(message: String, line: u32) -> ModelError {
    ModelError::File { message, place: Box::new(Place { line, ..Place::default() }) }
}

/// Whether stocks and flows are non-negative unless they say otherwise (XMILE §2.5).
#[derive(Clone, Copy, Debug, Default)]
struct Defaults {
    stock: bool,
    flow: bool,
}

/// What is needed while a document is read.
struct Reader {
    lines: Lines,
    defaults: Defaults,
    dimensions: Vec<Dimension>,
    remarks: Vec<(u32, String)>,
}

/// The first child element of this local name, whatever its namespace.
fn child<'a, 'i: 'a>(node: Node<'a, 'i>, name: &'a str) -> Option<Node<'a, 'i>> {
    children(node, name).next()
}

/// The child elements of this local name.
fn children<'a, 'i: 'a>(node: Node<'a, 'i>, name: &'a str) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children().filter(move |child| child.is_element() && child.tag_name().name() == name)
}

/// The value of an attribute of this local name, whatever its namespace.
fn attribute<'a>(node: Node<'a, '_>, name: &str) -> Option<&'a str> {
    node.attributes().find(|attribute| attribute.name() == name).map(|attribute| attribute.value())
}

/// All text below a node.
fn content(node: Node<'_, '_>) -> String {
    node.descendants().filter(Node::is_text).filter_map(|inner| inner.text()).collect()
}

/// The text of a child, trimmed, empty when there is none.
fn child_text<'a>(node: Node<'a, '_>, name: &'a str) -> String {
    child(node, name).map(|inner| content(inner).trim().to_owned()).unwrap_or_default()
}

fn is_true(text: &str) -> bool {
    matches!(text.trim().to_ascii_lowercase().as_str(), "true" | "1" | "yes")
}

/// A name as a person reads it: without outer quotes, line breaks as blanks.
fn name_of(raw: &str) -> String {
    let trimmed = raw.trim();
    let inner = trimmed.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(trimmed);
    let spaced = inner.replace("\\n", " ").replace("\\\"", "\"").replace("\\\\", "\\");
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl Reader {
    fn line(&self, node: Node<'_, '_>) -> u32 {
        self.lines.at(node.range().start)
    }

    fn refuse(&self, node: Node<'_, '_>, what: &'static str, name: &str, reason: &str) -> ModelError {
        let place = Place { line: self.line(node), ..Place::default() };
        ModelError::Unsupported { what, name: name.to_owned(), reason: reason.to_owned(), place: Box::new(place) }
    }

    fn number(&self, node: Node<'_, '_>, text: &str) -> Result<f64, ModelError> {
        let trimmed = text.trim();
        trimmed.parse().ok().filter(|value: &f64| value.is_finite()).ok_or_else(|| {
            let message = format!("<{}> holds {trimmed:?}: expected a number", node.tag_name().name());
            file(message, self.line(node))
        })
    }

    /// An expression in a child element, when the child is there and not empty.
    fn expr(&self, node: Node<'_, '_>, name: &str, variable: &str) -> Result<Option<Expr>, ModelError> {
        let Some(inner) = child(node, name) else { return Ok(None) };
        let source = one_line(&content(inner));
        if source.is_empty() {
            return Ok(None);
        }
        parse(&source, Dialect::Xmile).map(Some).map_err(|error| self.syntax(error, inner, variable, source))
    }

    fn syntax(&self, error: SyntaxError, node: Node<'_, '_>, variable: &str, source: String) -> ModelError {
        let place = Place {
            line: self.line(node),
            variable: variable.to_owned(),
            source,
            span: error.span(),
            path: String::new(),
        };
        ModelError::Equation { error, place: Box::new(place) }
    }

    fn document(mut self, document: &Document<'_>, text: &str) -> Result<Model, ModelError> {
        let root = document.root_element();
        if root.tag_name().name() != "xmile" {
            let message = format!("the file begins with <{}>: expected <xmile>", root.tag_name().name());
            return Err(file(message, 1));
        }
        let mut model = Model { dialect: Dialect::Xmile, ..Model::default() };
        if let Some(header) = child(root, "header") {
            model.name = name_of(&child_text(header, "name"));
        }
        model.imports = self.imports(root)?;
        if let Some(specs) = child(root, "sim_specs") {
            model.time = self.time(specs)?;
        }
        for list in children(root, "dimensions") {
            for node in children(list, "dim") {
                let dimension = self.dimension(node)?;
                self.dimensions.push(dimension);
            }
        }
        for list in children(root, "model_units") {
            model.units.extend(children(list, "unit").filter_map(unit));
        }
        if let Some(behavior) = child(root, "behavior") {
            self.defaults = behavior_of(behavior, self.defaults);
        }
        for node in children(root, "macro") {
            model.macros.push(self.macro_of(node)?);
        }
        self.models(root, &mut model)?;
        if model.variables.is_empty() {
            let namespace = root.tag_name().namespace().unwrap_or("none");
            let message = format!(
                "the file holds no variables (namespace {namespace}): expected a <model> with stocks, flows or converters"
            );
            return Err(file(message, self.line(root)));
        }
        let main =
            children(root, "model").find(|node| attribute(*node, "name").is_none()).or_else(|| child(root, "model"));
        if let Some(views) = main.and_then(|node| child(node, "views")) {
            text.get(views.range()).unwrap_or("").clone_into(&mut model.display);
        }
        model.dimensions = self.dimensions;
        model.remarks = self.remarks;
        Ok(model)
    }

    /// The files whose values overwrite those of the model.
    fn imports(&self, root: Node<'_, '_>) -> Result<Vec<Import>, ModelError> {
        let mut out = Vec::new();
        for data in children(root, "data") {
            for node in children(data, "import").filter(|node| attribute(*node, "enabled").is_none_or(is_true)) {
                let resource = attribute(node, "resource").unwrap_or("");
                let kind = attribute(node, "type").unwrap_or("CSV").to_lowercase();
                if !matches!(kind.as_str(), "csv" | "excel" | "xml") || resource.is_empty() {
                    let reason = "only tables in CSV, Excel and OpenDocument files are imported";
                    return Err(self.refuse(node, "import", resource, reason));
                }
                out.push(Import {
                    resource: resource.to_owned(),
                    worksheet: attribute(node, "worksheet").unwrap_or("").to_owned(),
                    horizontal: attribute(node, "orientation")
                        .is_some_and(|way| way.eq_ignore_ascii_case("horizontal")),
                    line: self.line(node),
                });
            }
        }
        Ok(out)
    }

    fn time(&mut self, node: Node<'_, '_>) -> Result<TimeSpec, ModelError> {
        let mut time = TimeSpec { unit: attribute(node, "time_units").unwrap_or("").to_owned(), ..TimeSpec::default() };
        if let Some(inner) = child(node, "start") {
            time.initial_time = self.number(inner, &content(inner))?;
        }
        if let Some(inner) = child(node, "stop") {
            time.final_time = self.number(inner, &content(inner))?;
        }
        if let Some(inner) = child(node, "dt") {
            let value = self.number(inner, &content(inner))?;
            time.dt = if attribute(inner, "reciprocal").is_some_and(is_true) { 1.0 / value } else { value };
        }
        let saved = attribute(node, "save_interval").or_else(|| attribute(node, "save_step"));
        if let Some(text) = saved.filter(|text| !text.trim().is_empty()) {
            let value = self.number(node, text)?;
            // Stella writes 0 for "each step".
            time.save_step = (value > 0.0).then_some(value);
        }
        for name in ["save_interval", "save_step", "savestep"] {
            if let Some(inner) = child(node, name) {
                time.save_step = Some(self.number(inner, &content(inner))?);
            }
        }
        // The list names methods in order of preference; XMILE §2.3 lets gear fall back to rk4.
        let wanted = attribute(node, "method").unwrap_or("euler");
        let known = wanted.split(',').find_map(|name| match name.trim().to_ascii_lowercase().as_str() {
            "" | "euler" => Some(Method::Euler),
            "rk2" | "runge-kutta 2" => Some(Method::Rk2),
            "rk4" | "runge-kutta 4" | "gear" => Some(Method::Rk4),
            "rk45" => Some(Method::Rk45),
            _ => None,
        });
        time.method =
            known.ok_or_else(|| self.refuse(node, "integration method", wanted, "expected euler, rk2, rk4 or rk45"))?;
        super::spec::check_time(&time).map_err(|error| file(error.to_string(), self.line(node)))?;
        Ok(time)
    }

    fn dimension(&self, node: Node<'_, '_>) -> Result<Dimension, ModelError> {
        let name = name_of(attribute(node, "name").unwrap_or(""));
        let mut elements: Vec<String> =
            children(node, "elem").filter_map(|inner| attribute(inner, "name")).map(name_of).collect();
        if elements.is_empty() {
            let size = attribute(node, "size").map(|text| self.number(node, text)).transpose()?.unwrap_or(0.0);
            if !(1.0..=1e5).contains(&size) || size.fract() != 0.0 {
                let message = format!(
                    "dimension {name:?} has size {size} and no elements: expected a whole number from 1 to 100000, or elements"
                );
                return Err(file(message, self.line(node)));
            }
            elements = (1..=size as u32).map(|index| index.to_string()).collect();
        }
        Ok(Dimension { name, elements, mappings: Vec::new() })
    }

    fn macro_of(&self, node: Node<'_, '_>) -> Result<Macro, ModelError> {
        let name = name_of(attribute(node, "name").unwrap_or(""));
        if child(node, "sim_specs").is_some() {
            return Err(self.refuse(node, "macro", &name, "a macro with its own time is not known here"));
        }
        let parameters: Vec<String> = children(node, "parm").map(|inner| name_of(&content(inner))).collect();
        let mut variables = Vec::new();
        for list in children(node, "variables") {
            self.variables(list, &mut variables)?;
        }
        // Stella lists the parameters once more as inputs, with values for trying the macro out.
        variables
            .retain(|one: &Variable| !parameters.iter().any(|parameter| canonical(parameter) == canonical(&one.name)));
        if let Some(inner) = child(node, "eqn") {
            let source = one_line(&content(inner));
            let expr =
                parse(&source, Dialect::Xmile).map_err(|error| self.syntax(error, inner, &name, source.clone()))?;
            let equation = Equation { expr: Some(expr), source, line: self.line(inner), ..Equation::default() };
            variables.push(Variable {
                name: name.clone(),
                kind: Kind::Auxiliary,
                equations: vec![equation],
                ..Variable::default()
            });
        }
        Ok(Macro { name, parameters, outputs: Vec::new(), variables })
    }
}

fn behavior_of(node: Node<'_, '_>, mut defaults: Defaults) -> Defaults {
    let flag = |inner: Node<'_, '_>| child(inner, "non_negative").map(variables::non_negative);
    if let Some(all) = flag(node) {
        defaults = Defaults { stock: all, flow: all };
    }
    if let Some(own) = child(node, "stock").and_then(flag) {
        defaults.stock = own;
    }
    if let Some(own) = child(node, "flow").and_then(flag) {
        defaults.flow = own;
    }
    defaults
}

fn unit(node: Node<'_, '_>) -> Option<UnitDefinition> {
    if attribute(node, "disabled").is_some_and(is_true) {
        return None;
    }
    let name = attribute(node, "name")?.trim().to_owned();
    let aliases = children(node, "alias").map(|inner| content(inner).trim().to_owned()).collect();
    Some(UnitDefinition { name, equation: child_text(node, "eqn"), aliases })
}

#[cfg(test)]
mod tests {
    use super::read;
    use crate::sd::check::require;
    use crate::sd::error::ModelError;
    use crate::sd::expr::print;
    use crate::sd::model::{Kind, Method, TableKind};

    fn file(inside: &str) -> String {
        format!(
            "<?xml version='1.0'?>\n<xmile xmlns='http://docs.oasis-open.org/xmile/ns/XMILE/v1.0'>\n<sim_specs method='RK4' save_interval='1'>\
             <start>0</start><stop>10</stop><dt reciprocal='true'>4</dt></sim_specs>{inside}</xmile>"
        )
    }

    fn variables(inside: &str) -> String {
        file(&format!("<model><variables>{inside}</variables></model>"))
    }

    #[test]
    fn a_small_model_is_read_whole() {
        let text = variables(
            "<stock name='Teacup\\nTemperature'><eqn>180</eqn><outflow>heat_loss</outflow><non_negative/><units>degrees</units></stock>\
             <flow name='heat loss'><eqn>effect(Teacup_Temperature - 70) / 10</eqn></flow>\
             <aux name='effect'><gf type='extrapolate'><xscale min='0' max='100'/><ypts>0,50,100</ypts></gf></aux>",
        );
        let model = read(&text, "tea.xmile").unwrap();
        assert_eq!((model.time.dt, model.time.save_step, model.time.method), (0.25, Some(1.0), Method::Rk4));
        assert_eq!(model.variables[0].name, "Teacup Temperature");
        assert!(model.variables[0].non_negative);
        let table = model.variables[2].equations[0].table.as_ref().unwrap();
        assert_eq!((table.x.as_slice(), table.kind), (&[0.0, 50.0, 100.0][..], TableKind::Extrapolate));
        assert_eq!(model.variables[2].kind, Kind::Lookup);
        assert_eq!(require(&model), Ok(()));
    }

    #[test]
    fn equations_of_elements_and_of_all_stand_together() {
        let text = file(
            "<dimensions><dim name='R'><elem name='A'/><elem name='B'/></dim><dim name='I' size='3'/></dimensions><model><variables>\
             <aux name='x'><dimensions><dim name='R'/></dimensions><element subscript='A'><eqn>1</eqn></element>\
             <element subscript='B'><eqn>2</eqn></element></aux>\
             <aux name='y'><dimensions><dim name='R'/><dim name='I'/></dimensions><eqn>x[R] * 2</eqn></aux></variables></model>",
        );
        let model = read(&text, "").unwrap();
        assert_eq!(model.dimensions[1].elements, ["1", "2", "3"]);
        assert_eq!(model.variables[0].equations[1].subscripts, ["B"]);
        assert_eq!(model.variables[1].equations[0].subscripts, ["R", "I"]);
    }

    #[test]
    fn modules_are_flattened_and_inputs_connected() {
        let text = file(
            "<model><variables><aux name='area'><eqn>5</eqn></aux><module name='sub'><connect to='sub.size' from='.area'/></module>\
             <aux name='out'><eqn>sub.twice + 1</eqn></aux></variables></model>\
             <model name='sub'><variables><aux name='size' access='input'><eqn>9</eqn></aux><aux name='twice'><eqn>2*size</eqn></aux>\
             </variables></model>",
        );
        let model = read(&text, "").unwrap();
        let text = |name: &str| {
            let variable = model.variable(name).unwrap();
            print(variable.equations[0].expr.as_ref().unwrap(), model.dialect)
        };
        assert_eq!(text("sub.size"), "area");
        assert_eq!(text("sub.twice"), "2 * sub.size");
        assert_eq!(text("out"), "sub.twice + 1");
    }

    #[test]
    fn errors_name_file_and_line() {
        let error = read(&variables("\n<aux name='x'><eqn>2 +</eqn></aux>"), "m.xmile").unwrap_err();
        assert!(error.full().contains("m.xmile:4"), "{}", error.full());
    }

    #[test]
    fn what_is_not_a_model_is_refused() {
        assert!(matches!(read("<html/>", ""), Err(ModelError::File { .. })));
        assert!(matches!(read("no xml", ""), Err(ModelError::File { .. })));
        assert!(matches!(read(&file("<model/>"), ""), Err(ModelError::File { .. })));
        let imported = file(
            "<data><import resource='r../x.csv'/></data><model><variables><aux name='x'><eqn>1</eqn></aux></variables></model>",
        );
        assert!(matches!(read(&imported, ""), Err(ModelError::Unsupported { .. })));
    }

    #[test]
    fn a_module_that_contains_itself_is_refused() {
        let text = file(
            "<model><variables><module name='a'/></variables></model><model name='a'><variables><module name='a'/><module name='b' model='a'/></variables></model>",
        );
        assert!(matches!(read(&text, ""), Err(ModelError::File { .. })));
    }
}
