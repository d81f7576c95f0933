//! Instances of macros.

use std::collections::HashMap;

use super::{Bound, DEEPEST, Env, Lowering, Mode, Scope};
use crate::sd::compile::error::CompileError;
use crate::sd::compile::graph::{Id, Node};
use crate::sd::expr::{Expr, Span};
use crate::sd::model::canonical;

impl<'m> Lowering<'m> {
    /// Makes an instance of a macro and returns its main output.
    pub(crate) fn instantiate(
        &mut self,
        which: usize,
        output: Option<&str>,
        arguments: &'m [Expr],
        span: Span,
        env: &Env,
    ) -> Result<Id, CompileError> {
        let model = self.model;
        let definition = &model.macros[which];
        let wanted = canonical(output.unwrap_or(&definition.name));
        if arguments.len() != definition.parameters.len() {
            return Err(self.fault(
                env,
                span,
                format!("{} takes {} arguments, not {}", definition.name, definition.parameters.len(), arguments.len()),
            ));
        }
        let depth = self.scopes[env.scope].depth + 1;
        if depth > DEEPEST {
            return Err(self.fault(env, span, format!("the macro {} calls itself", definition.name)));
        }
        // At the start the equations of the run's instance are read: both modes share one instance.
        let scope = self.scopes.len();
        let mut bound = HashMap::new();
        for (parameter, argument) in definition.parameters.iter().zip(arguments) {
            bound.insert(canonical(parameter), Bound::Argument(argument, env.at(Mode::Current)));
        }
        self.scopes.push(Scope { variables: HashMap::new(), bound, depth });
        let prefix = self.element_name(env.owner);
        let mut main = None;
        let first = self.infos.len();
        for variable in &definition.variables {
            let key = canonical(&variable.name);
            if self.scopes[scope].bound.contains_key(&key) {
                continue;
            }
            let index = self.declare(variable, scope, format!("{prefix}·{}·{}", definition.name, variable.name))?;
            if key == wanted {
                main = Some(self.infos[index].first);
            }
        }
        self.note_containers(first);
        let Some(main) = main else {
            return Err(self.fault(env, span, format!("the macro {} has no equation for {wanted:?}", definition.name)));
        };
        Ok(self.graph.add(match env.mode {
            Mode::Current => Node::Variable(main),
            Mode::Initial => Node::VariableInitial(main),
        }))
    }
}
