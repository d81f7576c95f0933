//! Functions that read data series, and the clock.

use super::{Call, CompileError, Lowering};
use crate::sd::compile::graph::{Binary, Id, Node, Reading, Unary};

impl<'m> Lowering<'m> {
    pub(crate) fn data(&mut self, call: &Call<'m, '_>) -> Result<Option<Id>, CompileError> {
        let statistic = |kind: &str, x: &[f64], y: &[f64]| -> f64 {
            let n = y.len() as f64;
            let mean = y.iter().sum::<f64>() / n;
            match kind {
                "first_time" => x.first().copied().unwrap_or(f64::NAN),
                "last_time" => x.last().copied().unwrap_or(f64::NAN),
                "max" => y.iter().copied().fold(f64::NEG_INFINITY, f64::max),
                "min" => y.iter().copied().fold(f64::INFINITY, f64::min),
                "mean" => mean,
                "stdv" => (y.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / n).sqrt(),
                "median" => {
                    let mut sorted = y.to_vec();
                    sorted.sort_by(f64::total_cmp);
                    let half = sorted.len() / 2;
                    if sorted.is_empty() {
                        f64::NAN
                    } else if sorted.len() % 2 == 1 {
                        sorted[half]
                    } else {
                        0.5 * (sorted[half - 1] + sorted[half])
                    }
                }
                _ => n,
            }
        };
        Ok(Some(match call.name {
            "get_data_between_times" => {
                self.arity(call, 3, 3)?;
                let (table, _) = self.table_argument(call, 0)?;
                let (time, mode) = (self.argument(call, 1)?, self.argument(call, 2)?);
                // Mode 1 looks forward, 0 interpolates, −1 looks backward. Vensim's results (reference model getdata) take
                // the whole part of the time in the modes that do not interpolate, and look backward before that time.
                let whole = self.graph.unary(Unary::Floor, time);
                let just = self.graph.number(1e-6);
                let before = self.graph.binary(Binary::Subtract, whole, just);
                let forward = self.graph.add(Node::Lookup(table, Reading::Forward, whole));
                let linear = self.graph.add(Node::Lookup(table, Reading::Linear, time));
                let backward = self.graph.add(Node::Lookup(table, Reading::Backward, before));
                let (high, low) = (self.graph.number(0.5), self.graph.number(-0.5));
                let ahead = self.graph.binary(Binary::GreaterEqual, mode, high);
                let behind = self.graph.binary(Binary::LessEqual, mode, low);
                let rest = self.graph.select(behind, backward, linear);
                self.graph.select(ahead, forward, rest)
            }
            "time_shift" => {
                // What the series says later by the shift (vensim.com/documentation/22055.html).
                self.arity(call, 2, 2)?;
                let (table, reading) = self.table_argument(call, 0)?;
                let time = self.step_time(call.env.mode);
                let shift = self.argument(call, 1)?;
                let at = self.graph.sum(time, shift);
                self.graph.add(Node::Lookup(table, reading, at))
            }
            "get_data_at_time" => {
                self.arity(call, 2, 2)?;
                let (table, _) = self.table_argument(call, 0)?;
                let time = self.argument(call, 1)?;
                self.graph.add(Node::Lookup(table, Reading::Linear, time))
            }
            "get_data_first_time"
            | "get_data_last_time"
            | "get_data_max"
            | "get_data_min"
            | "get_data_mean"
            | "get_data_stdv"
            | "get_data_median"
            | "get_data_total_points" => {
                self.arity(call, 1, 3)?;
                let (table, _) = self.table_argument(call, 0)?;
                let mut points = self.whole(table).clone();
                if call.arguments.len() == 3 {
                    let (from, to) = (self.argument(call, 1)?, self.argument(call, 2)?);
                    let (Some(from), Some(to)) = (self.constant_now(from)?, self.constant_now(to)?) else {
                        return Err(self.fault(call.env, call.span, "the times of a data statistic must be constants"));
                    };
                    let keep: Vec<bool> = points.x.iter().map(|x| (from..=to).contains(x)).collect();
                    let mut k = keep.iter();
                    points.x.retain(|_| k.next().copied().unwrap_or(false));
                    let mut k = keep.iter();
                    points.y.retain(|_| k.next().copied().unwrap_or(false));
                }
                let value = statistic(call.name.trim_start_matches("get_data_"), &points.x, &points.y);
                self.graph.number(value)
            }
            "get_time_value" => self.time_value(call)?,
            "get_xls_data"
            | "get_direct_data"
            | "get_xls_constants"
            | "get_direct_constants"
            | "get_xls_lookups"
            | "get_direct_lookups"
            | "get_vdf_data"
            | "get_vdf_constants"
            | "get_123_data"
            | "get_123_constants"
            | "get_123_lookups" => {
                return Err(self.refuse(
                    call.env,
                    call.span,
                    &call.name.replace('_', " ").to_uppercase(),
                    "the file that it reads was not given to the reader",
                ));
            }
            _ => return Ok(None),
        }))
    }
}
