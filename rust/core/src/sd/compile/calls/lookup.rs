//! Stella's readings of graphical functions beyond LOOKUP (isee systems' help, "Graphical builtins").

use super::{Call, CompileError, Lowering};
use crate::sd::compile::graph::{Id, Node, Reading};
use crate::sd::functions::call::Function;

impl<'m> Lowering<'m> {
    pub(crate) fn graphical(&mut self, call: &Call<'m, '_>) -> Result<Option<Id>, CompileError> {
        Ok(Some(match call.name {
            "lookupforward" | "lookupbackward" => {
                self.arity(call, 2, 2)?;
                let (table, _) = self.table_argument(call, 0)?;
                let at = self.argument(call, 1)?;
                let reading = if call.name == "lookupforward" { Reading::Forward } else { Reading::Backward };
                self.graph.add(Node::Lookup(table, reading, at))
            }
            "lookupslope" => {
                self.arity(call, 2, 2)?;
                let (table, reading) = self.table_argument(call, 0)?;
                let at = self.argument(call, 1)?;
                // Beyond the points a curve is flat unless it is drawn on.
                let mode = self.graph.number(f64::from(u8::from(reading == Reading::Extrapolate)));
                let mut arguments = vec![at, mode];
                arguments.extend(self.points_of(table));
                self.graph.call(Function::LookupSlope, arguments)
            }
            "lookuparea" | "lookupmean" => {
                self.arity(call, 1, 3)?;
                let (table, reading) = self.table_argument(call, 0)?;
                let x = &self.whole(table).x;
                let ends = x.first().copied().zip(x.last().copied());
                let (first, last) = ends.unwrap_or((f64::NAN, f64::NAN));
                // The end comes before the beginning: LOOKUPAREA(graphical, to, from).
                let to = self.argument_or(call, 1, last)?;
                let from = self.argument_or(call, 2, first)?;
                let drawn = self.graph.number(f64::from(u8::from(reading == Reading::Extrapolate)));
                let mut arguments = vec![from, to, drawn];
                arguments.extend(if reading == Reading::Backward {
                    self.stairs_of(table)
                } else {
                    self.points_of(table)
                });
                let function =
                    if call.name == "lookuparea" { Function::LookupAreaInside } else { Function::LookupMean };
                self.graph.call(function, arguments)
            }
            _ => return Ok(None),
        }))
    }

    /// The points of a discrete table with its stairs drawn out: each value holds until the next point.
    fn stairs_of(&mut self, table: u32) -> Vec<Id> {
        let points = self.whole(table).clone();
        let mut out = Vec::new();
        for (i, (&x, &y)) in points.x.iter().zip(&points.y).enumerate() {
            if i > 0 {
                out.extend([self.graph.number(x), self.graph.number(points.y[i - 1])]);
            }
            out.extend([self.graph.number(x), self.graph.number(y)]);
        }
        out
    }
}
