//! From a specification to stages: levels, items, products, and what each stage needs of the others.

use super::{Block, FactorOf, Item, Product, Program, Stage};
use crate::pls::error::{PlsError, Result};
use crate::pls::spec::{Approach, Method, Mode, Rule, Scheme, Spec};

struct Compiler<'a> {
    spec: &'a Spec,
    nodes: Vec<String>,
    level: Vec<usize>,
    items: Vec<String>,
    base: Vec<usize>,
    products: Vec<Product>,
    product_ids: Vec<usize>,
    score_ids: Vec<Option<usize>>,
}

impl Program {
    /// Checks and compiles a specification.
    pub fn compile(spec: Spec) -> Result<Self> {
        spec.check()?;
        let nodes = spec.nodes();
        let first = spec.constructs.len();
        let mut level = vec![0; nodes.len()];
        for (k, higher) in spec.higher_order.iter().enumerate() {
            let below = higher.dimensions.iter().map(|&d| level[d]).max().unwrap_or(0);
            level[first + k] = below + usize::from(higher.approach != Approach::Repeated);
        }
        let top = level.iter().copied().max().unwrap_or(0);
        let two_stage = spec.interactions.iter().any(|i| i.method == Method::TwoStage);
        let mut compiler = Compiler {
            items: spec.columns.clone(),
            score_ids: vec![None; nodes.len()],
            spec: &spec,
            nodes: nodes.clone(),
            level,
            base: Vec::new(),
            products: Vec::new(),
            product_ids: Vec::new(),
        };
        let last = top + usize::from(two_stage);
        let mut stages = Vec::new();
        for s in 0..=last {
            stages.push(compiler.stage(s.min(top), s == last));
        }
        // Columns that only a product reads come after those of the blocks.
        let Compiler { items, base, products, .. } = compiler;
        let mut place = vec![None; nodes.len()];
        for (s, stage) in stages.iter_mut().enumerate() {
            stage.direct = stage.items.len() == base.len()
                && stage.items.iter().enumerate().all(|(k, item)| *item == Item::Column(k));
            for (b, block) in stage.blocks.iter().enumerate() {
                place[block.node] = Some((s, b));
            }
        }
        let place = place
            .into_iter()
            .enumerate()
            .map(|(node, place)| {
                place.ok_or_else(|| PlsError::Invalid {
                    what: format!("construct {:?} has no place in the model", nodes[node]),
                })
            })
            .collect::<Result<Vec<_>>>()?;
        Ok(Self { spec, nodes, items, base, products, stages, place })
    }
}

impl Compiler<'_> {
    fn first(&self) -> usize {
        self.spec.constructs.len()
    }

    fn products_from(&self) -> usize {
        self.first() + self.spec.higher_order.len()
    }

    /// What stands for `node` in the structural model of a stage.
    fn stand_ins(&self, node: usize, stage: usize) -> Vec<usize> {
        if node < self.first() || node >= self.products_from() || self.level[node] <= stage {
            return vec![node];
        }
        let higher = &self.spec.higher_order[node - self.first()];
        if higher.approach == Approach::TwoStage {
            higher.dimensions.iter().flat_map(|&d| self.stand_ins(d, stage)).collect()
        } else {
            vec![node]
        }
    }

    /// Dimensions that stand beside `node` in a stage because it repeats their indicators there.
    fn beside(&self, node: usize, stage: usize) -> Vec<usize> {
        if node < self.first() || node >= self.products_from() {
            return Vec::new();
        }
        let higher = &self.spec.higher_order[node - self.first()];
        let repeats = higher.approach == Approach::Repeated
            || (higher.approach == Approach::Embedded && self.level[node] > stage);
        if repeats { higher.dimensions.iter().flat_map(|&d| self.stand_ins(d, stage)).collect() } else { Vec::new() }
    }

    fn columns_below(&self, node: usize) -> Vec<usize> {
        if node < self.first() {
            return self.spec.constructs[node].columns.clone();
        }
        let mut columns = Vec::new();
        for &d in &self.spec.higher_order[node - self.first()].dimensions {
            for column in self.columns_below(d) {
                if !columns.contains(&column) {
                    columns.push(column);
                }
            }
        }
        columns
    }

    /// Whether the consistent estimation corrects a node as a common factor.
    fn is_factor(&self, node: usize) -> bool {
        if node < self.first() {
            let construct = &self.spec.constructs[node];
            return construct.reliability.is_some() || (construct.reflective && construct.columns.len() > 1);
        }
        let higher = &self.spec.higher_order[node - self.first()];
        higher.reflective && higher.dimensions.len() > 1
    }

    fn base_of(&mut self, column: usize) -> usize {
        if let Some(k) = self.base.iter().position(|&c| c == column) {
            return k;
        }
        self.base.push(column);
        self.base.len() - 1
    }

    fn product(&mut self, product: Product, name: String) -> usize {
        if let Some(k) = self.products.iter().position(|p| *p == product) {
            return k;
        }
        self.products.push(product);
        self.items.push(name);
        self.product_ids.push(self.items.len() - 1);
        self.products.len() - 1
    }

    /// Products of all combinations of the factors' columns; of equal factors each unordered pair once.
    fn combinations(&self, factors: &[usize]) -> Vec<Vec<usize>> {
        let mut all: Vec<Vec<usize>> = vec![Vec::new()];
        for (k, &factor) in factors.iter().enumerate() {
            let columns = &self.spec.constructs[factor].columns;
            let repeated = factors[..k].iter().rposition(|&f| f == factor);
            all = all
                .into_iter()
                .flat_map(|prefix| {
                    let from = repeated.and_then(|r| columns.iter().position(|c| *c == prefix[r])).unwrap_or(0);
                    columns[from..]
                        .iter()
                        .map(|&column| prefix.iter().copied().chain([column]).collect())
                        .collect::<Vec<Vec<usize>>>()
                })
                .collect();
        }
        all
    }

    fn block_items(&mut self, node: usize, stage: usize) -> (Vec<Item>, Vec<usize>) {
        let mut items = Vec::new();
        let mut ids = Vec::new();
        if node >= self.products_from() {
            let interaction = self.spec.interactions[node - self.products_from()].clone();
            if interaction.method == Method::TwoStage {
                let factors = interaction.factors.iter().map(|&f| FactorOf::Score(f)).collect();
                let k = self.product(Product { factors, residual_on: Vec::new() }, interaction.name);
                return (vec![Item::Product(k)], vec![self.product_ids[k]]);
            }
            let mut residual_on = Vec::new();
            if interaction.method == Method::Orthogonal {
                for &factor in &interaction.factors {
                    for column in self.spec.constructs[factor].columns.clone() {
                        let base = self.base_of(column);
                        if !residual_on.contains(&base) {
                            residual_on.push(base);
                        }
                    }
                }
            }
            for columns in self.combinations(&interaction.factors) {
                let name = columns.iter().map(|&c| self.spec.columns[c].as_str()).collect::<Vec<_>>().join("*");
                let factors = columns.iter().map(|&c| FactorOf::Column(self.base_of(c))).collect();
                let k = self.product(Product { factors, residual_on: residual_on.clone() }, name);
                items.push(Item::Product(k));
                ids.push(self.product_ids[k]);
            }
            return (items, ids);
        }
        let scores = node >= self.first() && {
            let higher = &self.spec.higher_order[node - self.first()];
            higher.approach != Approach::Repeated && self.level[node] <= stage
        };
        if scores {
            for d in self.spec.higher_order[node - self.first()].dimensions.clone() {
                let id = if let Some(id) = self.score_ids[d] {
                    id
                } else {
                    self.items.push(self.nodes[d].clone());
                    self.score_ids[d] = Some(self.items.len() - 1);
                    self.items.len() - 1
                };
                items.push(Item::Score(d));
                ids.push(id);
            }
        } else {
            for column in self.columns_below(node) {
                items.push(Item::Column(self.base_of(column)));
                ids.push(column);
            }
        }
        (items, ids)
    }

    fn stage(&mut self, s: usize, last: bool) -> Stage {
        let spec = self.spec;
        let count = self.nodes.len();
        let structural = |node: usize| {
            spec.paths.iter().chain(&spec.links).any(|&(from, to)| from == node || to == node)
                || !spec.higher_order.iter().any(|h| h.dimensions.contains(&node))
        };
        let mut present = vec![false; count];
        for node in 0..count {
            if node >= self.products_from() {
                present[node] = last || spec.interactions[node - self.products_from()].method != Method::TwoStage;
            } else if structural(node) {
                for stand_in in self.stand_ins(node, s) {
                    present[stand_in] = true;
                }
            }
        }
        for node in (0..self.products_from()).rev() {
            if present[node] {
                for dimension in self.beside(node, s) {
                    present[dimension] = true;
                }
            }
        }
        let mut stage = Stage {
            blocks: Vec::new(),
            items: Vec::new(),
            ids: Vec::new(),
            block_of: vec![None; count],
            edges: Vec::new(),
            predecessors: Vec::new(),
            successors: Vec::new(),
            neighbours: Vec::new(),
            links: Vec::new(),
            order: Vec::new(),
            direct: false,
            products: Vec::new(),
            pairs: Vec::new(),
            structural: Vec::new(),
            incoming: Vec::new(),
            sources: Vec::new(),
            needed: Vec::new(),
        };
        for node in (0..count).filter(|&node| present[node]) {
            let (items, ids) = self.block_items(node, s);
            for item in &items {
                if let Item::Product(k) = *item {
                    stage.products.push(k);
                }
            }
            let start = stage.items.len();
            let (mode, fixed, dominant, reflective) = if node < self.first() {
                let c = &spec.constructs[node];
                let dominant = c.dominant.and_then(|d| c.columns.iter().position(|&column| column == d));
                (c.mode, c.fixed.clone(), dominant.map(|d| start + d), c.reflective)
            } else if node < self.products_from() {
                let h = &spec.higher_order[node - self.first()];
                (h.mode, Vec::new(), None, h.reflective)
            } else {
                (spec.interactions[node - self.products_from()].mode, Vec::new(), None, false)
            };
            let several = items.len() > 1;
            let product = node >= self.products_from();
            // van Riel et al. (2017): a composite of common factors is as unreliable as these are.
            let compound = !product
                && spec.consistent == Some(Rule::Factors)
                && !reflective
                && items.iter().any(|item| matches!(item, Item::Score(d) if self.is_factor(*d)));
            let known = node < self.first() && spec.constructs[node].reliability.is_some();
            let corrected = (several || known)
                && !product
                && match spec.consistent {
                    None => false,
                    Some(Rule::Factors) => reflective || compound || known,
                    Some(Rule::Seminr) => reflective || known || mode == Mode::A,
                };
            let factor = corrected && reflective;
            stage.items.extend(items);
            stage.ids.extend(ids);
            stage.block_of[node] = Some(stage.blocks.len());
            let end = stage.items.len();
            stage.blocks.push(Block { node, mode, start, end, fixed, dominant, product, corrected, factor, compound });
        }
        self.connect(&mut stage, s);
        stage
    }

    fn connect(&self, stage: &mut Stage, s: usize) {
        let spec = self.spec;
        let blocks = stage.blocks.len();
        let mut edges: Vec<(usize, usize)> = Vec::new();
        let mut link = |from: usize, to: usize, block_of: &[Option<usize>]| {
            if let (Some(from), Some(to)) = (block_of[from], block_of[to])
                && from != to
                && !edges.contains(&(from, to))
            {
                edges.push((from, to));
            }
        };
        for &(from, to) in &spec.paths {
            for f in self.stand_ins(from, s) {
                for t in self.stand_ins(to, s) {
                    link(f, t, &stage.block_of);
                }
            }
        }
        for node in self.first()..self.products_from() {
            let reflective = {
                let higher = &spec.higher_order[node - self.first()];
                higher.reflective || higher.mode == Mode::A
            };
            for dimension in self.beside(node, s) {
                if reflective {
                    link(node, dimension, &stage.block_of);
                } else {
                    link(dimension, node, &stage.block_of);
                }
            }
        }
        stage.predecessors = vec![Vec::new(); blocks];
        stage.successors = vec![Vec::new(); blocks];
        stage.neighbours = vec![Vec::new(); blocks];
        for &(from, to) in &edges {
            stage.predecessors[to].push(from);
            stage.successors[from].push(to);
            stage.neighbours[to].push(from);
            stage.neighbours[from].push(to);
        }
        for &(a, b) in &spec.links {
            for x in self.stand_ins(a, s) {
                for y in self.stand_ins(b, s) {
                    if let (Some(x), Some(y)) = (stage.block_of[x], stage.block_of[y])
                        && x != y
                    {
                        stage.neighbours[x].push(y);
                        stage.neighbours[y].push(x);
                        stage.links.push((x, y));
                    }
                }
            }
        }
        if edges.is_empty() && spec.links.is_empty() {
            // A model without paths: every construct is a neighbour of every other.
            for a in 0..blocks {
                stage.neighbours[a] = (0..blocks).filter(|&b| b != a).collect();
            }
        }
        for list in &mut stage.neighbours {
            list.sort_unstable();
            list.dedup();
        }
        let mut done = vec![false; blocks];
        while stage.order.len() < blocks {
            let before = stage.order.len();
            for b in 0..blocks {
                if !done[b] && stage.predecessors[b].iter().all(|&p| done[p]) {
                    done[b] = true;
                    stage.order.push(b);
                }
            }
            if stage.order.len() == before {
                // Dimensions of repeated constructs can close a circle; the rest keeps its order.
                stage.order.extend((0..blocks).filter(|&b| !done[b]));
            }
        }
        let mut wanted = vec![false; blocks * blocks];
        for a in 0..blocks {
            for &b in &stage.neighbours[a] {
                wanted[a.min(b) * blocks + a.max(b)] = true;
                if spec.scheme == Scheme::Pca {
                    for &c in &stage.neighbours[a] {
                        if b < c {
                            wanted[b * blocks + c] = true;
                        }
                    }
                }
            }
            if spec.scheme == Scheme::Path {
                for &b in &stage.predecessors[a] {
                    for &c in &stage.predecessors[a] {
                        if b < c {
                            wanted[b * blocks + c] = true;
                        }
                    }
                }
            }
        }
        stage.needed = stage.neighbours.clone();
        for a in 0..blocks {
            for b in a + 1..blocks {
                if wanted[a * blocks + b] {
                    stage.pairs.push((a, b));
                    if !stage.needed[a].contains(&b) {
                        stage.needed[a].push(b);
                    }
                }
            }
            stage.needed[a].sort_unstable();
        }
        let mut structural = vec![false; blocks * blocks];
        for &(from, to) in &edges {
            for &other in stage.predecessors[to].iter().chain([&to]) {
                structural[from.min(other) * blocks + from.max(other)] = true;
            }
        }
        for a in 0..blocks {
            stage.structural.extend((a + 1..blocks).filter(|b| structural[a * blocks + b]).map(|b| (a, b)));
        }
        stage.incoming = (0..blocks)
            .map(|to| {
                let edge = |&from: &usize| edges.iter().position(|&edge| edge == (from, to));
                stage.predecessors[to].iter().filter_map(edge).collect()
            })
            .collect();
        stage.sources = (0..blocks).map(|b| vec![b]).collect();
        for &to in &stage.order {
            for &from in &stage.predecessors[to] {
                for source in stage.sources[from].clone() {
                    if !stage.sources[to].contains(&source) {
                        stage.sources[to].push(source);
                    }
                }
            }
        }
        stage.edges = edges;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pls::spec::tests::simple;
    use crate::pls::spec::{HigherOrder, Interaction};

    #[test]
    fn a_plain_model_has_one_direct_stage() {
        let program = Program::compile(simple(&[2, 3], &[(0, 1)])).unwrap();
        assert_eq!(program.stages.len(), 1);
        assert!(program.last().direct);
        assert_eq!(program.last().pairs, [(0, 1)]);
    }

    #[test]
    fn dimensions_take_the_paths_of_their_construct_in_the_first_stage() {
        let mut spec = simple(&[2, 2, 2, 2], &[(0, 4), (4, 3)]);
        spec.higher_order.push(HigherOrder {
            name: "H".to_owned(),
            dimensions: vec![1, 2],
            mode: Mode::A,
            reflective: false,
            approach: Approach::TwoStage,
        });
        let program = Program::compile(spec).unwrap();
        assert_eq!(program.stages.len(), 2);
        assert_eq!(program.stages[0].edges, [(0, 1), (0, 2), (1, 3), (2, 3)]);
        assert_eq!(program.last().items[4..], [Item::Score(1), Item::Score(2)]);
        assert_eq!(program.place, [(1, 0), (0, 1), (0, 2), (1, 1), (1, 2)]);
    }

    #[test]
    fn a_quadratic_term_has_each_product_once() {
        let mut spec = simple(&[2, 2], &[(0, 1), (2, 1)]);
        spec.interactions.push(Interaction {
            name: "0:0".to_owned(),
            factors: vec![0, 0],
            mode: Mode::A,
            method: Method::Product,
        });
        let program = Program::compile(spec).unwrap();
        assert_eq!(program.items[4..], ["x0*x0", "x0*x1", "x1*x1"]);
    }
}
