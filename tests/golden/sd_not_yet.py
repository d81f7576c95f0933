"""Reference cases that do not pass yet, and cases that must be refused, each with its reason."""

# ruff: noqa: E501  # a reason stands beside its case

# A case that passes must leave this table: the tests are strict.
NOT_YET: dict[str, str] = {
    "conveyors/arrayed_conveyor.xmile": "UnsupportedError: function `conveyor` is not supported: the transit time must be a number: write its value as ",
    "conveyors/conveyor_containers.xmile": "UnsupportedError: function `MEAN` is not supported: its argument is a conveyor, queue or oven: only its total ",
    "conveyors/covid19_severity.stmx": "UnsupportedError: function `conveyor` is not supported: the transit time must be a number: write its value as ",
    "conveyors/discrete_conveyor.xmile": "UnsupportedError: function `in_limit` is not supported: the inflow limit of a discrete conveyor is not built (",
    "conveyors/minimal_queue.xmile": "UnsupportedError: function `queue or oven` is not supported: queues and ovens are read and written but not run",
    "conveyors/queue_coupled_conveyor.xmile": "UnsupportedError: function `queue or oven` is not supported: queues and ovens are read and written but not run",
    "conveyors/queue_drain.xmile": "UnsupportedError: function `queue or oven` is not supported: queues and ovens are read and written but not run",
    "conveyors/sir_social_distancing_mixnot.stmx": "EquationError: LOOKUPMEAN has 2 arguments: expected 1 argument, LOOKUPMEAN(lookup()) (conveyors/sir_social_dis",
    "sdeverywhere/depreciate/depreciate.mdl": "UnsupportedError: function `DEPRECIATE STRAIGHTLINE` is not supported: the function is known and not yet built",
    "sdeverywhere/depreciate/depreciate.stmx": "UnsupportedError: function `conveyor` is not supported: the transit time must be a number: write its value as ",
    "test-models/tests/smooth/test_smooth.mdl": "EquationError: the order of a delay must be a constant: it decides how many stocks there are, in `Smooth N out",
    "test-models/tests/subscripted_smooth/test_subscripted_smooth.mdl": "EquationError: the order of a delay must be a constant: it decides how many stocks there are, in `Smooth N out",
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
    "test-models/tests/get_time_value/test_get_time_value.mdl": "it asks for days of the week in years of 360 days, which Vensim does not define; its results are those of the other model of the folder",
    "test-models/tests/get_constants/test_get_constants.mdl": "the files that the model reads are not in the collection",
}
