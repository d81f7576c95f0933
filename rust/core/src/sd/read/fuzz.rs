//! Damaged files: the readers answer with a model or an error, never with a panic.

use proptest::prelude::*;

use super::tokens::TOKENS;
use super::{vensim, xmile};
use crate::sd::check::require;
use crate::sd::dialect::Dialect;
use crate::sd::expr::properties::bare;
use crate::sd::expr::{Expr, ExprKind, parse, print};
use crate::sd::model::{Kind, Model};

const VENSIM: &str = r#"{UTF-8}
:MACRO: M(a, b : second)
M = INTEG(a - M, b) ~~|
second = a * b ~~|
:END OF MACRO:
store: (s1-s3) -> shop, (Some: s1, s2) ~~|
shop: big, small, "the corner" ~~|
Some <-> shop ~~|
All: store, s4 ~~|
x[store] :EXCEPT: [s3], [s2] = 1 {a comment} ~ Tons [0,10] ~ words\
		more |
x[s3] = -2e3 ~~|
x[s2] = 3 ~~|
m[store, shop] = 1,2,3;4,5,6;7,8,9; ~~|
t[shop] = TABBED ARRAY(1	2	3) ~~|
"quoted | ~ \"name\"" = 2 ^ -y ~~|
l([(0,0)-(10,10)],(0,1),(5,2),(10,3)) ~~|
l2(0,1,2,5,6,7) ~~|
y = M(2, l(Time) : z) ~~|
d :HOLD BACKWARD: ~~|
g := GET XLS DATA('a.xls', 'b', 'A', 'B2') ~~|
s = INTEG(IF THEN ELSE(y > 1 :AND: :NOT: z = 2, SUM(x[store!]), 0) - s / 4, 10) ~~|
w = WITH LOOKUP(Time, ((0,1),(9,3))) ~~|
a = ACTIVE INITIAL(s, 3) ~~|
no :THE CONDITION: s = 1 :IMPLIES: y = 2 ~~|
****
	.Control
****~
|
FINAL TIME = 30 ~ Month ~|
INITIAL TIME = 0 ~~|
TIME STEP = 0.5 ~~|
SAVEPER = TIME STEP ~~|
\\\---/// Sketch
*View 1
///---\\\
15:0,0,0,1,0,0
22:$,Dollar
"#;

const XMILE: &str = r"<?xml version='1.0'?>
<xmile xmlns='http://docs.oasis-open.org/xmile/ns/XMILE/v1.0'><header><name>n</name></header>
<sim_specs method='rk4'><start>0</start><stop>9</stop><dt reciprocal='true'>4</dt></sim_specs><!-- a -- b -->
<dimensions><dim name='R'><elem name='A'/><elem name='B'/></dim><dim name='I' size='3'/></dimensions>
<model_units><unit name='p'><eqn>a/b</eqn><alias>q</alias></unit></model_units><behavior><non_negative/></behavior>
<model><variables>
<stock name='S\ntock'><eqn>10</eqn><inflow>i</inflow><outflow>o</outflow><conveyor discrete='true'><len>4</len><capacity>9</capacity></conveyor></stock>
<flow name='i'><eqn>IF TIME &gt; 2 AND NOT (x[A] = 3) THEN gf1(2) ELSE MAX(1, 2) MOD 3</eqn></flow>
<flow name='o'/><flow name='k'><eqn>.1</eqn><leak/></flow>
<aux name='x'><dimensions><dim name='R'/></dimensions><element subscript='A'><eqn>1</eqn></element>
<element subscript='B'><gf><xscale min='0' max='2'/><ypts>1,2,3</ypts></gf></element><eqn>TIME</eqn></aux>
<aux name='z'><dimensions><dim name='R'/><dim name='I'/></dimensions><eqn>x[R] * SUM(x[*])</eqn></aux>
<gf name='gf1' type='discrete'><xpts>0,1</xpts><ypts>3,4</ypts></gf>
<module name='sub'><connect to='sub.size' from='.k'/></module>
</variables><views><view/></views></model>
<model name='sub'><variables><aux name='size' access='input'><eqn>9</eqn></aux><aux name='two'><eqn>2*size</eqn></aux></variables></model>
<macro name='m'><eqn>a+b</eqn><parm>a</parm><parm>b</parm></macro></xmile>
";

/// One damage: where, how much is taken out, what is put in.
type Damage = (prop::sample::Index, usize, String);

fn damage() -> impl Strategy<Value = Damage> {
    let signs: Vec<&str> = TOKENS.iter().copied().chain(["", "(a1-a9)"]).collect();
    let pieces = prop_oneof![prop::sample::select(signs).prop_map(str::to_owned), "\\PC{0,6}"];
    (any::<prop::sample::Index>(), 0..20_usize, pieces)
}

fn damaged(text: &str, all: &[Damage]) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    for (at, length, piece) in all {
        let start = at.index(characters.len() + 1);
        let end = (start + length).min(characters.len());
        characters.splice(start..end, piece.chars());
    }
    characters.into_iter().collect()
}

/// What every model that is read must stand: its checks, and expressions that print and read back as they are.
fn judge(model: &Model) {
    let _ = require(model);
    let same = |expr: &Expr, dialect: Dialect| {
        // Array literals, and further outputs of macros, are no expressions of the language: the reader of files takes them.
        let outside = match &expr.kind {
            ExprKind::Literal(_) => true,
            ExprKind::Call { function, .. } => function.contains(':'),
            _ => false,
        };
        if !outside {
            let text = print(expr, dialect);
            let again = parse(&text, dialect);
            assert!(again.as_ref().is_ok_and(|again| bare(again) == bare(expr)), "{text}: {again:?}");
        }
    };
    for variable in &model.variables {
        variable.equations.iter().filter_map(|one| one.expr.as_ref()).for_each(|expr| same(expr, model.dialect));
        if let Kind::Stock { rate, .. } = &variable.kind {
            for expr in rate {
                same(expr, model.dialect);
            }
        }
    }
}

#[test]
fn the_undamaged_files_are_models() {
    judge(&vensim::read(VENSIM, "", None).unwrap_or_else(|error| panic!("{}", error.full())));
    judge(&xmile::read(XMILE, "").unwrap_or_else(|error| panic!("{}", error.full())));
}

proptest! {
    #[test]
    fn damaged_vensim_files_never_panic(all in prop::collection::vec(damage(), 1..6)) {
        match vensim::read(&damaged(VENSIM, &all), "", None) {
            Ok(model) => judge(&model),
            Err(error) => drop(error.full()),
        }
    }

    #[test]
    fn damaged_xmile_files_never_panic(all in prop::collection::vec(damage(), 1..6)) {
        match xmile::read(&damaged(XMILE, &all), "") {
            Ok(model) => judge(&model),
            Err(error) => drop(error.full()),
        }
    }
}

#[test]
fn files_that_want_too_much_are_refused() {
    let deep = format!("<xmile>{}", "<a>".repeat(100_000));
    assert!(xmile::read(&deep, "").is_err());
    let many: String = (0..1000).map(|i| format!("A{i}: (a1-a99999) ~~|\n")).collect();
    assert!(vensim::read(&(many + "x[A1] = 1 ~~|"), "", None).is_err());
    let doubling: String = (1..60).map(|i| format!("A{i}: A{0}, A{0} ~~|\n", i - 1)).collect();
    assert!(vensim::read(&format!("A0: a, b ~~|\n{doubling}x[A1] = 1 ~~|"), "", None).is_err());
    let models: String = (0..30)
        .map(|i| {
            let inside = format!("<module name='a' model='m{0}'/><module name='b' model='m{0}'/>", i + 1);
            format!("<model name='m{i}'><variables><aux name='x'><eqn>1</eqn></aux>{inside}</variables></model>")
        })
        .collect();
    let main = "<model><variables><module name='m0'/></variables></model>";
    assert!(xmile::read(&format!("<xmile>{main}{models}<model name='m30'><variables/></model></xmile>"), "").is_err());
    assert!(vensim::read(&"x = 1 + ".repeat(50_000), "", None).is_err());
    assert!(vensim::read(&format!("x = {}1{} ~~|", "(".repeat(50_000), ")".repeat(50_000)), "", None).is_err());
}
