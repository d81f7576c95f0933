//! The operations of fused chains as types, so that each combination becomes a kernel of its own.

/// An operation on the value so far and one more argument.
pub(super) trait Step {
    fn of(so_far: f64, argument: f64) -> f64;
}
macro_rules! steps {
    ($($name:ident $body:expr;)*) => {$(
        pub(super) struct $name;
        impl Step for $name {
            #[inline(always)]
            fn of(so_far: f64, argument: f64) -> f64 {
                let body: fn(f64, f64) -> f64 = $body;
                body(so_far, argument)
            }
        }
    )*};
}
steps! {
    Add |t, z| t + z;
    Subtract |t, z| t - z;
    SubtractFrom |t, z| z - t;
    Multiply |t, z| t * z;
    Divide |t, z| t / z;
    DivideInto |t, z| z / t;
    // What is not a number so far stays so.
    Min |t, z| if z < t { z } else { t };
    Max |t, z| if z > t { z } else { t };
    // The first operation of a chain: the second argument passes on.
    FirstMin |x, y| if x < y { x } else { y };
    FirstMax |x, y| if x > y { x } else { y };
    Equal |x, y| if x == y { 1.0 } else { 0.0 };
    NotEqual |x, y| if x != y { 1.0 } else { 0.0 };
    Less |x, y| if x < y { 1.0 } else { 0.0 };
    LessEqual |x, y| if x <= y { 1.0 } else { 0.0 };
    And |x, y| if x != 0.0 && y != 0.0 { 1.0 } else { 0.0 };
    Or |x, y| if x != 0.0 || y != 0.0 { 1.0 } else { 0.0 };
}

/// Evaluates an expression with `$t` as the type of a link: the listed ones by their types, others as `Add`.
macro_rules! by_link {
    ($link:expr, $t:ident => $e:expr; $($case:ident $kind:ident),*) => {
        match $link {
            $(Link::$case => {
                type $t = $kind;
                $e
            })*
            #[allow(unreachable_patterns)] // some lists are complete
            _ => {
                type $t = Add;
                $e
            }
        }
    };
}
/// The first operation of a chain of at most two.
macro_rules! first {
    ($link:expr, $t:ident => $e:expr) => {
        by_link!($link, $t => $e; Subtract Subtract, SubtractFrom Subtract, Multiply Multiply, Divide Divide,
            DivideInto Divide, Min FirstMin, Max FirstMax)
    };
}
/// The second operation of a chain of two.
macro_rules! second {
    ($link:expr, $t:ident => $e:expr) => {
        by_link!($link, $t => $e; Subtract Subtract, SubtractFrom SubtractFrom, Multiply Multiply, Divide Divide,
            DivideInto DivideInto, Min Min, Max Max)
    };
}
/// The first operation of a chain of three, or any of a pair.
macro_rules! plain {
    ($link:expr, $t:ident => $e:expr) => {
        by_link!($link, $t => $e; Subtract Subtract, SubtractFrom Subtract, Multiply Multiply, Divide Divide,
            DivideInto Divide)
    };
}
/// The second or third operation of a chain of three.
macro_rules! further {
    ($link:expr, $t:ident => $e:expr) => {
        by_link!($link, $t => $e; Subtract Subtract, SubtractFrom SubtractFrom, Multiply Multiply, Divide Divide,
            DivideInto DivideInto)
    };
}
pub(super) use {by_link, first, further, plain, second};
