"""Every kind of data frame gives the same numbers, and refusals name the column."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from sembada import errors, pls
from sembada.pls.frames import Table, read

MODEL = pls.Model("X =~ a + b ; Y =~ c + d ; Y ~ X")


@pytest.fixture
def frame():
    rng = np.random.default_rng(4)
    factor = rng.normal(size=80)
    values = {name: np.clip(np.rint(factor + rng.normal(size=80) + 4), 1, 7) for name in "abcd"}
    rest = {"firm": ["Sari"] * 80, "when": pd.Timestamp("2026-01-01"), "weight": 1.0 + (factor > 0)}
    return pd.DataFrame(values | rest)


def same(left, right):
    pd.testing.assert_frame_equal(left.paths, right.paths)
    pd.testing.assert_frame_equal(left.outer, right.outer)
    np.testing.assert_array_equal(left.scores().to_numpy(), right.scores().to_numpy())
    assert left.provenance.data == right.provenance.data


def test_pandas_polars_pyarrow_and_mappings_agree(frame):
    base = MODEL.fit(frame)
    for other in (
        pl.from_pandas(frame),
        pa.Table.from_pandas(frame),
        {name: frame[name].tolist() for name in "abcd"},
        frame.astype({"a": "int64", "b": "float32", "c": "Int64", "d": "object"}),
        frame.convert_dtypes(dtype_backend="pyarrow"),
        pl.from_pandas(frame).with_columns(pl.col("a").cast(pl.Int8)),
    ):
        same(base, MODEL.fit(other))


def test_missing_values_of_every_kind_agree(frame):
    holes = frame.copy()
    holes.loc[3, "a"] = np.nan
    base = MODEL.fit(holes, missing="mean")
    null = pl.from_pandas(holes).with_columns(pl.col("a").fill_nan(None))
    same(base, MODEL.fit(null, missing="mean"))
    same(base, MODEL.fit(pa.Table.from_pandas(holes), missing="mean"))
    same(base, MODEL.fit(holes.astype({"a": "Int64"}), missing="mean"))
    same(base, MODEL.fit(holes.fillna({"a": -99}), missing="mean", missing_value=-99))
    same(base, MODEL.fit(holes.fillna({"a": -98}), missing="mean", missing_value=[-99, -98]))


def test_scores_keep_the_row_labels(frame):
    frame.index = [f"r{k}" for k in range(len(frame))]
    assert list(MODEL.fit(frame).scores().index) == list(frame.index)


def test_weights_come_by_name_or_as_numbers(frame):
    same(MODEL.fit(frame, weights="weight"), MODEL.fit(pl.from_pandas(frame), weights=frame["weight"].to_numpy()))


def test_booleans_count_as_zero_and_one(frame):
    flags = frame.assign(a=frame["a"] > 4)
    numbers = frame.assign(a=(frame["a"] > 4).astype(float))
    same(MODEL.fit(flags), MODEL.fit(numbers))


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (lambda f: f.rename(columns={"a": "aa"}), errors.UnknownNameError, ["'a'", "did you mean 'aa'"]),
        (lambda f: f.assign(a=["x"] + [1.0] * 79), errors.DataError, ["'a'", "'x'", "row 0"]),
        (lambda f: f.assign(b=f["b"].astype(str)), errors.DataError, ["'b'", "row 0", "number"]),
        (lambda f: f.assign(b=f["b"].astype("str").astype("category")), errors.DataError, ["'b'"]),
        (lambda f: f.assign(a=np.where(np.arange(80) == 7, np.inf, f["a"])), errors.DataError, ["'a'", "row 7"]),
        (lambda f: f.assign(a=np.where(np.arange(80) == 7, np.nan, f["a"])), errors.DataError, ['"a"', "row 7"]),
        (lambda f: f.assign(c=3.0), errors.DataError, ["'c'", "no variance"]),
        (lambda f: f.iloc[:1], errors.DataError, ["row"]),
        (lambda f: f.iloc[:0], errors.DataError, ["row"]),
        (lambda f: f.to_numpy(), errors.DataError, ["array", "column names"]),
        (lambda f: 17, errors.DataError, ["int", "data frame"]),
    ],
)
def test_data_that_cannot_be_used_are_refused_by_name(frame, change, error, words):
    with pytest.raises(error) as caught:
        MODEL.fit(change(frame))
    for word in words:
        assert word in str(caught.value), str(caught.value)


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        (np.ones(3), ["3", "80"]),
        (np.full(80, -1.0), ["row 0", "-1"]),
        (np.zeros(80), ["zero"]),
        ("wieght", ["'wieght'", "weight"]),
    ],
)
def test_weights_that_cannot_be_used_are_refused(frame, weights, words):
    with pytest.raises(errors.SembadaError) as caught:
        MODEL.fit(frame, weights=weights)
    for word in words:
        assert word in str(caught.value)


def test_many_missing_values_are_warned_of(frame):
    frame.loc[:5, "a"] = np.nan
    with pytest.warns(errors.SembadaWarning, match=r"a 7\.5%"):
        MODEL.fit(frame, missing="mean")


@pytest.mark.parametrize(
    "values",
    [
        np.array([[1.0, 7.0], [np.nan, -3.0]]),
        np.array([[1.0, 700.0], [np.nan, -30000.0]]),
        np.array([[1.0, 7e8], [np.nan, -3.0]]),
        np.array([[0.5, 0.25], [np.nan, 1.0]]),
        np.array([[0.1, 0.2], [np.nan, 1e300]]),
        np.array([[-0.0, 1.0]]),
        np.array([[-128.0, 127.0], [np.nan, 0.0]]),
        np.empty((0, 2)),
    ],
)
def test_a_pickled_table_is_exact(values):
    table = Table(("a", "b"), values, pd.RangeIndex(len(values)))
    again = pickle.loads(pickle.dumps(table))
    np.testing.assert_array_equal(again.matrix, values)
    np.testing.assert_array_equal(np.signbit(again.matrix[~np.isnan(values)]), np.signbit(values[~np.isnan(values)]))
    assert again.digest() == table.digest()


def test_a_pickled_likert_table_takes_a_byte_an_answer(frame):
    table = read(frame, ["a", "b", "c", "d"])
    # The rest is names and the row labels, whatever the number of answers.
    assert len(pickle.dumps(table)) < table.matrix.size + 1500
