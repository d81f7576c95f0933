//! Data variables: their series as tables read by time.

use super::{Lowering, NOT_AVAILABLE};
use crate::sd::compile::error::CompileError;
use crate::sd::compile::graph::{Id, Node, Points, Reading};
use crate::sd::expr::Span;
use crate::sd::model::{Interpolation, canonical};

impl Lowering<'_> {
    pub(super) fn series_value(
        &mut self,
        element: u32,
        index: usize,
        places: &[usize],
    ) -> Result<Option<(Id, Id)>, CompileError> {
        let Some((table, reading)) = self.series_table(index, places) else {
            let info = &self.infos[index];
            if info.variable.equations.iter().any(|equation| equation.expr.is_some()) {
                return Ok(None);
            }
            let name = canonical(&info.variable.name);
            if self.model.data.iter().any(|series| canonical(&series.variable) == name) {
                // An element that the data files leave out is not available (Vensim warns and goes on).
                let node = self.graph.number(NOT_AVAILABLE);
                return Ok(Some((node, node)));
            }
            return Err(CompileError::Equation {
                variable: self.element_name(element),
                span: Span::default(),
                reason: "the data variable has no series: give one with the data files or as exogenous data".to_owned(),
            });
        };
        let time = self.graph.add(Node::StepTime);
        let current = self.graph.add(Node::Lookup(table, reading, time));
        let start = self.graph.number(self.time.initial_time);
        let initial = self.graph.add(Node::Lookup(table, reading, start));
        Ok(Some((current, initial)))
    }

    /// The table that holds the series of an element of a data variable.
    pub(crate) fn series_table(&mut self, index: usize, places: &[usize]) -> Option<(u32, Reading)> {
        let info = &self.infos[index];
        let mut names: Vec<String> =
            info.axes.iter().zip(places).map(|(&axis, &place)| self.axes[axis].elements[place].clone()).collect();
        let name = canonical(&info.variable.name);
        let mut flat = 0;
        for (&axis, &place) in info.axes.iter().zip(places) {
            flat = flat * self.axes[axis].elements.len() + place;
        }
        let found = self.series.get(&(name.clone(), std::mem::take(&mut names))).copied()?;
        let series = &self.model.data[found];
        let reading = match series.interpolation {
            Interpolation::Linear => Reading::Linear,
            Interpolation::Hold => Reading::Backward,
            Interpolation::Forward => Reading::Forward,
            Interpolation::Raw => Reading::Raw,
        };
        if let Some(&table) = self.table_of.get(&(index, flat)) {
            return Some((table, reading));
        }
        let table = self.tables.len() as u32;
        self.tables.push(Points { x: series.times.clone(), y: series.values.clone() });
        self.table_of.insert((index, flat), table);
        Some((table, reading))
    }
}
