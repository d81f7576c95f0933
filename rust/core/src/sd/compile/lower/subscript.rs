//! Subscripts: the element that a reference means.

use super::{Env, Lowering};
use crate::sd::compile::error::CompileError;
use crate::sd::compile::graph::Id;
use crate::sd::expr::{Span, Subscript};
use crate::sd::model::canonical;

impl<'m> Lowering<'m> {
    /// The position along `axis` of the target that a subscript means.
    fn place(&mut self, axis: usize, subscript: &'m Subscript, span: Span, env: &Env) -> Result<Place, CompileError> {
        match subscript {
            Subscript::Name(name) => {
                let key = canonical(name);
                if let Some(position) = self.axes[axis].position(&key) {
                    return Ok(Place::Fixed(position));
                }
                // XMILE: `Dimension.element`, and `@2` for a position.
                if let Some((_, element)) = key.rsplit_once('.')
                    && let Some(position) = self.axes[axis].position(element)
                {
                    return Ok(Place::Fixed(position));
                }
                let key = key.trim_start_matches('@').to_owned();
                if let Some(&range) = self.axis_of.get(&key) {
                    return match self
                        .translate(axis, range, &env.places)
                        .or_else(|| self.translate(axis, range, &env.running))
                    {
                        Some(position) => Ok(Place::Fixed(position)),
                        None => Err(self.fault(
                            env,
                            span,
                            format!(
                                "the subscript {name:?} stands for no element of {:?} here",
                                self.model.dimensions[axis].name
                            ),
                        )),
                    };
                }
                if let Ok(number) = key.parse::<usize>()
                    && (1..=self.axes[axis].elements.len()).contains(&number)
                {
                    return Ok(Place::Fixed(number - 1));
                }
                if self.find(&key, env.scope).is_some() {
                    let index = self.reference(name, &[], span, env)?;
                    return Ok(self.moving(index));
                }
                Err(CompileError::UnknownName {
                    name: name.clone(),
                    variable: self.element_name(env.owner),
                    span,
                    known: self.model.dimensions[axis].elements.clone(),
                })
            }
            Subscript::Reduce(name) => {
                let range = match name {
                    Some(name) => self.axis_of.get(&canonical(name)).copied().unwrap_or(axis),
                    None => axis,
                };
                match self.translate(axis, range, &env.running) {
                    Some(position) => Ok(Place::Fixed(position)),
                    None => Err(self.fault(
                        env,
                        span,
                        format!(
                            "{:?} over all elements is only possible inside SUM, MIN, MAX and the like",
                            self.model.dimensions[range].name
                        ),
                    )),
                }
            }
            Subscript::Index(expr) => {
                let index = self.lower(expr, env)?;
                Ok(self.moving(index))
            }
        }
    }

    /// The places of a reference to a variable with one dimension twice, from a left side that has it twice as well: `x[D,D]
    /// = y` takes them in order.
    fn square_of(&self, axes: &[usize], subscripts: &[Subscript], env: &Env) -> Option<Vec<usize>> {
        let [axis, rest @ ..] = axes else { return None };
        if rest.is_empty() || rest.iter().any(|other| other != axis) || !env.running.is_empty() {
            return None;
        }
        let own = &self.infos[self.elements[env.owner as usize].variable];
        let same = own.axes.len() == axes.len() && own.axes.iter().all(|other| other == axis);
        let name = &self.axes[*axis].name;
        let plain = subscripts.iter().all(|one| matches!(one, Subscript::Name(one) if canonical(one) == *name));
        (same && plain).then(|| self.places(own, (env.owner - own.first) as usize))
    }

    fn moving(&mut self, index: Id) -> Place {
        match self.known(index) {
            Some(value) if value >= 1.0 => Place::Fixed(value as usize - 1),
            _ => Place::Moving(index),
        }
    }

    /// The element of `target` that `range` stands for, given positions in other dimensions.
    pub(crate) fn translate(&self, target: usize, range: usize, places: &[(usize, usize)]) -> Option<usize> {
        let target = &self.axes[target];
        if let Some(&(_, place)) = places.iter().find(|place| place.0 == range) {
            let element = &self.axes[range].elements[place];
            if let Some(position) = target.position(element) {
                return Some(position);
            }
            // The range is mapped onto the target, element by element.
            for (to, names) in &self.axes[range].mappings {
                if *to == target.name {
                    return names.get(place).and_then(|name| target.position(name));
                }
            }
            return None;
        }
        // A dimension that is not on the left side: through a mapping between it and one that is.
        for &(left, place) in places {
            let element = &self.axes[left].elements[place];
            for (to, names) in &self.axes[range].mappings {
                let through = *to == self.axes[left].name
                    || self.axis_of.get(to).is_some_and(|&to| self.axes[to].position(element).is_some());
                if !through {
                    continue;
                }
                let found = names.iter().position(|name| {
                    name == element
                        || self.axis_of.get(name).is_some_and(|&group| self.axes[group].position(element).is_some())
                });
                if let Some(found) = found.and_then(|found| self.axes[range].elements.get(found))
                    && let Some(position) = target.position(found)
                {
                    return Some(position);
                }
            }
            for (to, names) in &self.axes[left].mappings {
                if *to == self.axes[range].name
                    && let Some(name) = names.get(place)
                    && let Some(position) = target.position(name)
                {
                    return Some(position);
                }
            }
        }
        // Subranges of one range name the same element.
        for &(left, place) in places {
            let element = &self.axes[left].elements[place];
            if self.axes[range].position(element).is_some()
                && let Some(position) = target.position(element)
            {
                return Some(position);
            }
        }
        None
    }

    /// The element that subscripts mean.
    pub(crate) fn element_at(
        &mut self,
        index: usize,
        subscripts: &'m [Subscript],
        span: Span,
        env: &Env,
    ) -> Result<At, CompileError> {
        let axes = self.infos[index].axes.clone();
        let first = self.infos[index].first;
        if !subscripts.is_empty() && subscripts.len() != axes.len() {
            let reason = format!(
                "{:?} has {} subscripts here and {} dimensions",
                self.infos[index].name,
                subscripts.len(),
                axes.len()
            );
            return Err(self.fault(env, span, reason));
        }
        let mut places = Vec::with_capacity(axes.len());
        let square = self.square_of(&axes, subscripts, env);
        for (j, &axis) in axes.iter().enumerate() {
            if let Some(square) = &square {
                places.push(Place::Fixed(square[j]));
                continue;
            }
            if let Some(subscript) = subscripts.get(j) {
                places.push(self.place(axis, subscript, span, env)?);
                continue;
            }
            let found = env.running.iter().find(|place| place.0 == axis).map(|place| place.1);
            let found = found.or_else(|| self.translate(axis, axis, &env.places));
            if let Some(position) = found {
                places.push(Place::Fixed(position));
            } else {
                let reason = format!(
                    "{:?} is an array over {:?}: name an element",
                    self.infos[index].name, self.model.dimensions[axis].name
                );
                return Err(self.fault(env, span, reason));
            }
        }
        let mut fixed = Some(0usize);
        for (place, &axis) in places.iter().zip(&axes) {
            let size = self.axes[axis].elements.len();
            fixed = match (fixed, place) {
                (Some(sum), Place::Fixed(position)) if *position < size => Some(sum * size + position),
                (_, Place::Fixed(position)) if *position >= size => {
                    return Err(self.fault(
                        env,
                        span,
                        format!(
                            "index {} of {:?} is beyond its {size} elements",
                            position + 1,
                            self.model.dimensions[axis].name
                        ),
                    ));
                }
                _ => None,
            };
        }
        if let Some(flat) = fixed {
            return Ok(At::Fixed(first + flat as u32));
        }
        // offset = Σ position·stride, positions from zero
        let mut offset = self.graph.number(0.0);
        for (place, &axis) in places.iter().zip(&axes) {
            let size = self.graph.number(self.axes[axis].elements.len() as f64);
            offset = self.graph.product(offset, size);
            let position = match place {
                Place::Fixed(position) => self.graph.number(*position as f64),
                Place::Moving(node) => {
                    let one = self.graph.number(1.0);
                    self.graph.difference(*node, one)
                }
            };
            offset = self.graph.sum(offset, position);
        }
        Ok(At::Moving(index, offset))
    }
}

enum Place {
    Fixed(usize),
    Moving(Id),
}

/// Where subscripts point.
pub(crate) enum At {
    /// One element.
    Fixed(u32),
    /// An element of the variable whose offset is computed during the run.
    Moving(usize, Id),
}
