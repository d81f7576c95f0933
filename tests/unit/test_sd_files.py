"""Files beside a model: encodings, sheets, tables, and what GET XLS and GET DIRECT read from them."""

import contextlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sembada import sd
from sembada.errors import DataError, ModelFileError, UnknownNameError
from sembada.sd.encoding import decode
from sembada.sd.external import Resolver
from sembada.sd.series import as_series
from sembada.sd.sheets import Book, column_number, parse_cell
from sembada.sd.tables import read_series

ROWS = [
    ["name", "t", "a", "b"],
    ["x", 0.0, 1.0, 10.0],
    ["y", 2.0, None, 20.0],
    ["z", 1.0, 3.0, 30.0],
]


def write_xlsx(path: Path) -> None:
    import openpyxl
    from openpyxl.workbook.defined_name import DefinedName

    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Data"
    for row in ROWS:
        sheet.append(row)
    book.defined_names["corner"] = DefinedName("corner", attr_text="Data!$C$2")
    book.defined_names["axis"] = DefinedName("axis", attr_text="Data!$B$2:$B$4")
    book.save(path)


def write_ods(path: Path) -> None:
    from odf.opendocument import OpenDocumentSpreadsheet
    from odf.table import Table, TableCell, TableRow
    from odf.text import P

    document = OpenDocumentSpreadsheet()
    table = Table(name="Data")
    for row in ROWS:
        line = TableRow()
        for value in row:
            if isinstance(value, float):
                cell = TableCell(valuetype="float", value=str(value))
            else:
                cell = TableCell(valuetype="string")
                if value is not None:
                    cell.addElement(P(text=value))
            line.addElement(cell)
        table.addElement(line)
    document.spreadsheet.addElement(table)
    document.save(path)


def write_csv(path: Path) -> None:
    lines = [",".join("" if cell is None else str(cell) for cell in row) for row in ROWS]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


WRITERS = {"d.xlsx": write_xlsx, "d.ods": write_ods, "d.csv": write_csv}


@pytest.fixture(params=list(WRITERS))
def resolver(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Resolver, str, str]:
    WRITERS[request.param](tmp_path / request.param)
    return Resolver(tmp_path), request.param, "," if request.param.endswith(".csv") else "Data"


def test_constants_run_across_and_with_a_star_down(resolver: tuple[Resolver, str, str]) -> None:
    read, name, tab = resolver
    assert read("GET XLS CONSTANTS", [name, tab, "D2"], []) == {"values": [10.0]}
    assert read("GET DIRECT CONSTANTS", [name, tab, "C2"], [2]) == {"values": [1.0, 10.0]}
    assert read("GET DIRECT CONSTANTS", [name, tab, "D2*"], [3]) == {"values": [10.0, 20.0, 30.0]}
    assert read("GET DIRECT CONSTANTS", [name, tab, "b2"], [1, 3]) == {"values": [0.0, 1.0, 10.0]}
    assert read("GET DIRECT CONSTANTS", [name, tab, "D2*"], [1, 3]) == {"values": [10.0, 20.0, 30.0]}


def test_series_run_along_a_column_of_times_in_rising_order(resolver: tuple[Resolver, str, str]) -> None:
    read, name, tab = resolver
    found = read("GET XLS DATA", [name, tab, "B", "C2"], [2])
    assert found["x"] == [0.0, 1.0, 2.0]
    np.testing.assert_array_equal(found["values"], [[1.0, 3.0, np.nan], [10.0, 30.0, 20.0]])


def test_series_run_along_a_row_of_times(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("t,0,1,2\na,5,6,7\nb,8,9,10\n", encoding="utf-8")
    found = Resolver(tmp_path)("GET DIRECT LOOKUPS", ["d.csv", ",", "1", "B2"], [2])
    assert found == {"x": [0.0, 1.0, 2.0], "values": [[5.0, 6.0, 7.0], [8.0, 9.0, 10.0]]}


def test_named_ranges_are_cells(tmp_path: Path) -> None:
    write_xlsx(tmp_path / "d.xlsx")
    read = Resolver(tmp_path)
    assert read("GET XLS CONSTANTS", ["d.xlsx", "Data", "corner"], []) == {"values": [1.0]}
    found = read("GET XLS DATA", ["d.xlsx", "Data", "axis", "D2"], [])
    assert found == {"x": [0.0, 1.0, 2.0], "values": [[10.0, 30.0, 20.0]]}
    with pytest.raises(UnknownNameError, match="corner"):
        read("GET XLS CONSTANTS", ["d.xlsx", "Data", "korner"], [])
    with pytest.raises(UnknownNameError, match="Data"):
        read("GET XLS CONSTANTS", ["d.xlsx", "Dta", "A1"], [])


def test_subscripts_are_names(resolver: tuple[Resolver, str, str]) -> None:
    read, name, tab = resolver
    assert read("GET DIRECT SUBSCRIPT", [name, tab, "A2", "A4", ""], []) == {"names": ["x", "y", "z"]}
    assert read("GET DIRECT SUBSCRIPT", [name, tab, "A2", "A", "p"], []) == {"names": ["px", "py", "pz"]}
    assert read("GET DIRECT SUBSCRIPT", [name, tab, "B1", "1", ""], []) == {"names": ["t", "a", "b"]}


def test_what_is_no_number_is_named_with_its_cell(tmp_path: Path) -> None:
    write_csv(tmp_path / "d.csv")
    with pytest.raises(ModelFileError, match="row 1, column 2") as caught:
        Resolver(tmp_path)("GET DIRECT CONSTANTS", ["d.csv", ",", "B1"], [])
    assert caught.value.value == "t"


def test_files_outside_the_folder_are_refused_unless_allowed(tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    write_csv(tmp_path / "d.csv")
    arguments = ["../d.csv", ",", "D2"]
    with pytest.raises(ModelFileError, match="outside"):
        Resolver(inner)("GET DIRECT CONSTANTS", arguments, [])
    allowed = Resolver(inner, outside=True)
    assert allowed("GET DIRECT CONSTANTS", arguments, []) == {"values": [10.0]}
    named = Resolver(inner, {"../d.csv": tmp_path / "d.csv"})
    assert named("GET DIRECT CONSTANTS", arguments, []) == {"values": [10.0]}
    with pytest.raises(ModelFileError, match="alias"):
        Resolver(inner)("GET XLS CONSTANTS", ["?d", ",", "D2"], [])


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"missing\.xlsx"):
        Resolver(tmp_path)("GET XLS CONSTANTS", ["missing.xlsx", "A", "A1"], [])
    (tmp_path / "broken.xlsx").write_bytes(b"not a zip file")
    with pytest.raises(ModelFileError, match="cannot be read"):
        Book(tmp_path / "broken.xlsx")


def test_cells_are_parsed() -> None:
    assert column_number("AA") == 26
    assert parse_cell("$C$5") == (4, 2)
    assert parse_cell("five") is None


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252"])
def test_encodings_are_recognised(encoding: str) -> None:
    assert decode("Größe = 1 ~ café ~|".encode(encoding)) == "Größe = 1 ~ café ~|"


def test_a_declared_encoding_is_followed() -> None:
    text = '<?xml version="1.0" encoding="iso-8859-2"?><a>łódź</a>'
    assert decode(text.encode("iso-8859-2")) == text
    # a wrong declaration does not stop a file that is valid otherwise
    assert decode("{UTF-8}\ncafé".encode("cp1252")) == "{UTF-8}\ncafé"
    with pytest.raises(ModelFileError, match="byte 3"):
        decode("café".encode("cp1252"), encoding="utf-8")


@given(st.binary(max_size=200))
def test_any_bytes_have_a_text_or_an_error_of_ours(raw: bytes) -> None:
    with contextlib.suppress(ModelFileError):
        assert isinstance(decode(raw), str)


def test_series_of_a_dat_file(tmp_path: Path) -> None:
    path = tmp_path / "d.dat"
    path.write_text("Simple 1\n0\t10\n1\t20\nA[X]\n0\t1\n", encoding="utf-8")
    found = read_series(path)
    assert found["Simple 1"].to_dict() == {0.0: 10.0, 1.0: 20.0}
    assert found["A[X]"].to_dict() == {0.0: 1.0}
    path.write_text("Simple 1\nnought\t10\n", encoding="utf-8")
    with pytest.raises(ModelFileError, match="line 2"):
        read_series(path)


def test_series_of_tables_either_way_round(tmp_path: Path) -> None:
    down, across = tmp_path / "down.csv", tmp_path / "across.tab"
    down.write_text("Time,a,b\n0,1,2\n1,,3\n", encoding="utf-8")
    across.write_text("Time\t0\t1\na\t1\t\nb\t2\t3\n", encoding="utf-8")
    for path in (down, across):
        found = read_series(path)
        assert found["a"].to_dict() == {0.0: 1.0}
        assert found["b"].to_dict() == {0.0: 2.0, 1.0: 3.0}


def test_series_come_from_pandas_mappings_and_arrays() -> None:
    wanted = [((), [0.0, 1.0], [5.0, 6.0])]
    for given_ in (
        pd.Series([6.0, 5.0, np.nan], index=[1.0, 0.0, 2.0]),
        {1: 6, 0: 5},
        ([1, 0], [6, 5]),
        pd.DataFrame({"any": [5.0, 6.0]}),
    ):
        assert list(as_series(given_, "x", (), {})) == wanted
    frame = pd.DataFrame({"N": [1.0, 2.0], "S": [3.0, 4.0]}, index=[0.0, 1.0])
    found = list(as_series(frame, "x", ("R",), {"R": ["N", "S"]}))
    assert found == [(("N",), [0.0, 1.0], [1.0, 2.0]), (("S",), [0.0, 1.0], [3.0, 4.0])]
    with pytest.raises(UnknownNameError, match="'S'"):
        list(as_series({"SS": {0: 1}}, "x", ("R",), {"R": ["N", "S"]}))
    for wrong in (3, {}, {0: "a"}, ([0, 0], [1, 2]), ([0, 1], [1])):
        with pytest.raises(DataError):
            list(as_series(wrong, "x", (), {}))


_IMPORTING = """<?xml version="1.0" encoding="utf-8"?>
<xmile version="1.0" xmlns="http://docs.oasis-open.org/xmile/ns/XMILE/v1.0">
<header><name>m</name><vendor>v</vendor><product version="1">p</product></header>
<sim_specs time_units="Months"><start>0</start><stop>2</stop><dt>1</dt></sim_specs>
<dimensions><dim name="R"><elem name="a"/><elem name="b"/></dim></dimensions>
<data>IMPORT</data>
<model><variables>
<aux name="price"><eqn>1</eqn></aux><aux name="rate"><eqn>0.5</eqn></aux>
<aux name="share"><dimensions><dim name="R"/></dimensions><eqn>0</eqn></aux>
<stock name="store"><eqn>0</eqn><inflow>in</inflow></stock><flow name="in"><eqn>price * rate</eqn></flow>
</variables></model></xmile>
"""


@pytest.mark.parametrize("orientation", ["vertical", "horizontal"])
@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
def test_a_model_imports_values_from_a_table_beside_it(tmp_path: Path, orientation: str, suffix: str) -> None:
    columns = [
        ["Months", 0, 1, 2],
        ["price", 2, 4, 6],
        ["rate", 0.25, "", ""],
        ["share[b]", 7, "", ""],
        ["store", 9, "", ""],
    ]
    table = pd.DataFrame(columns if orientation == "horizontal" else list(zip(*columns, strict=True)))
    target = tmp_path / f"values.{suffix}"
    if suffix == "csv":
        table.to_csv(target, header=False, index=False)
    else:
        pytest.importorskip("openpyxl")
        table.to_excel(target, header=False, index=False)
    path = tmp_path / "model.xmile"
    line = f'<import type="CSV" enabled="true" orientation="{orientation}" resource="r../values.{suffix}"/>'
    path.write_text(_IMPORTING.replace("IMPORT", line), encoding="utf-8")
    frame = sd.read(path).run().frame
    assert frame["price"].tolist() == [2, 4, 6]
    assert frame["rate"].tolist() == [0.25] * 3
    assert frame["share[b]"].tolist() == [7] * 3
    assert frame["store"].tolist() == [9, 9.5, 10.5]


def test_an_import_from_outside_the_folder_is_refused(tmp_path: Path) -> None:
    inside = tmp_path / "in"
    inside.mkdir()
    (tmp_path / "secret.csv").write_text("price\n2\n", encoding="utf-8")
    path = inside / "model.xmile"
    for resource in ("r../../secret.csv", "../secret.csv", str(tmp_path / "secret.csv")):
        path.write_text(_IMPORTING.replace("IMPORT", f'<import resource="{resource}"/>'), encoding="utf-8")
        with pytest.raises(ModelFileError, match="outside its folder"):
            sd.read(path)
    path.write_text(_IMPORTING.replace("IMPORT", '<import resource="none.csv"/>'), encoding="utf-8")
    with pytest.raises(ModelFileError, match=r"none\.csv"):
        sd.read(path)
