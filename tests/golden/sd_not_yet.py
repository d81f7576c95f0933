"""Reference cases that do not pass yet, and cases that must be refused, each with its reason."""

# ruff: noqa: E501  # a reason stands beside its case

# A case that passes must leave this table: the tests are strict.
NOT_YET: dict[str, str] = {
    "conveyors/arrayed_conveyor.xmile": "EquationError: no equation covers this element, in `outflow_f[a]`",
    "conveyors/conveyor_containers.xmile": "EquationError: no equation covers this element, in `departing`",
    "conveyors/covid19_severity.stmx": "EquationError: `new infections by severity` is an array over `Severity`: name an element, in `Uninfected at ri",
    "conveyors/discrete_conveyor.xmile": "EquationError: no equation covers this element, in `departing`",
    "conveyors/leaky_conveyor.xmile": "EquationError: no equation covers this element, in `departing`",
    "conveyors/minimal_conveyor.xmile": "EquationError: no equation covers this element, in `graduating`",
    "conveyors/queue_coupled_conveyor.xmile": "EquationError: no equation covers this element, in `departing`",
    "conveyors/sir_social_distancing_mixnot.stmx": "UnsupportedError: function `LOOKUPMEAN` is not supported: there is no such function, lookup or macro",
    "sdeverywhere/allocate/allocate.stmx": "UnsupportedError: function `ALLOCATE` is not supported: there is no such function, lookup or macro",
    "sdeverywhere/arrays/arrays.stmx": "491 of 491 series: a[a1] at 0: nan, reference -10",
    "sdeverywhere/delayfixed/delayfixed.stmx": "1 of 15 series: a at 0: 1, reference 0",
    "sdeverywhere/depreciate/depreciate.stmx": "1 of 5 series: depreciated_amount at 2020: 1, reference 0",
    "test-models/tests/non_negative_stocks/test_non_negative_stocks.xmile": "2 of 6 series: teststock1 at 25.5: -0.5, reference 0",
    "test-models/tests/non_negative_stocks/test_non_negative_stocks_behavior.xmile": "2 of 6 series: teststock1 at 25.5: -0.5, reference 0",
    "test-models/tests/zeroled_decimals/test_zeroled_decimals.xmile": "1 of 16 series: stockmixed at 1: -1.1777, reference -0.6777",
}

_LOST_MACRO = "the export lost the macro that the model calls"
REFUSED: dict[str, str] = {
    "test-models/tests/macro_expression/test_macro_expression.stmx": _LOST_MACRO,
    "test-models/tests/macro_expression/test_macro_expression.xmile": _LOST_MACRO,
    "test-models/tests/macro_multi_expression/test_macro_multi_expression.stmx": _LOST_MACRO,
    "test-models/tests/macro_multi_expression/test_macro_multi_expression.xmile": _LOST_MACRO,
    "test-models/tests/macro_stock/test_macro_stock.stmx": _LOST_MACRO,
    "test-models/tests/macro_stock/test_macro_stock.xmile": _LOST_MACRO,
    "test-models/tests/logicals/test_logicals.stmx": "the export wrote `IF false_input not THEN`, which is no expression",
    "test-models/tests/get_constants/test_get_constants.mdl": "the files that the model reads are not in the collection",
}
