"""A sweep on disk, in Zarr: complete block by block, and complete again after an interruption."""

from __future__ import annotations

import json
import zlib
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sembada import _core
from sembada.errors import StoreError, require
from sembada.execution import Block
from sembada.sd.batch import BlockResult
from sembada.sd.designs import Design
from sembada.sd.layout import Layout

__all__ = ["Store"]

FORMAT = 2
# A block is complete when its entry here is written, last of all; the fill value says that it is not.
_UNFINISHED = -1
_OWN_BLOCKS = ["block_checksum", "failure_time", "failure_column", "stream"]
_OWN = {"status", "run", "time", "zarr.json", *_OWN_BLOCKS}


class Store:
    """Keeps the blocks of a sweep in a Zarr group that xarray opens.

    A variable is an array (run, time, subscripts) with one chunk a block. When all chunks of a block are written,
    its checksum goes into `block_checksum`; a block without one is run again. Each file is written under another
    name and then renamed, so a killed process leaves a block whole or without its checksum. A store that goes on after
    an interruption compares every block with its checksum first, and runs a damaged one again.

    Of statistics it keeps one state: that of all blocks up to the last complete one.

    Parameters
    ----------
    path
        The folder of the store.
    layout, design
        What the sweep saves and changes.
    identity
        What must be the same for the sweep to go on: hashes of model and design, seed, method, times, version.
    size
        Runs a block.

    Raises
    ------
    StoreError
        If the folder holds another sweep, or something else.
    MissingDependencyError
        If zarr is not installed.
    """

    def __init__(
        self, path: Path, layout: Layout, design: Design, identity: dict[str, Any], size: int, state: bool
    ) -> None:
        self._zarr = require("zarr", "xarray")
        self.path = path
        self.layout = layout
        self._state = state
        self._n_runs = len(design)
        if path.exists():
            self._open(identity)
        else:
            self.size = size
            self._create(design, identity)
        self._status = self._group["status"]
        self._failed_at = self._group["failure_time"]
        self._failed_in = self._group["failure_column"]
        self._done = self._group["block_checksum"]
        self._fields: dict[str, Any] = (
            {} if state else {place.name: self._group[entry_name(place.name)] for place in layout.places}
        )
        self._names: list[str] = list(self._group.attrs["failure_names"])
        self._total: Any = None
        self._resume()

    def _resume(self) -> None:
        done = np.asarray(self._done[:])
        finished = np.flatnonzero(done != _UNFINISHED)
        if self._state:
            # what a killed process left of the block after
            last = int(finished[-1]) if len(finished) else -1
            for file in self.path.glob("statistics-*"):
                if file.name != f"statistics-{last}.bin":
                    file.unlink()
            return
        if len(finished) == len(done):
            return
        for index in finished:
            if self._checksum(self._group, self.layout_fields, int(index), self.size) != int(done[index]):
                self._done[int(index)] = _UNFINISHED

    @property
    def layout_fields(self) -> list[str]:
        """Names of the arrays that hold variables."""
        return list(self._group.attrs["fields"])

    @staticmethod
    def _checksum(group: Any, fields: list[str], index: int, size: int) -> int:
        """Return the checksum of a block as it stands on disk; −1 where it cannot be read."""
        checksum = 0
        for name in fields:
            try:
                part = np.ascontiguousarray(group[name][index * size : (index + 1) * size])
            except (OSError, RuntimeError, ValueError):
                return _UNFINISHED
            checksum = zlib.crc32(part.tobytes(), checksum)
        return checksum

    def _create(self, design: Design, identity: dict[str, Any]) -> None:
        # built aside and moved into place, so that a killed process leaves no half-made store
        aside = self.path.with_name(f".{self.path.name}.new")
        if aside.exists():
            import shutil

            shutil.rmtree(aside)
        group = self._zarr.open_group(str(aside), mode="w")
        n, blocks = self._n_runs, -(-self._n_runs // self.size)

        def array(name: str, shape: tuple[int, ...], chunks: tuple[int, ...], dims: list[str], **more: Any) -> Any:
            return group.create_array(
                name, shape=shape, chunks=tuple(max(1, c) for c in chunks), dimension_names=dims, **more
            )

        array("status", (n,), (self.size,), ["run"], dtype="uint8")
        array("failure_time", (n,), (self.size,), ["run"], dtype="float64", fill_value=np.nan)
        array("failure_column", (n,), (self.size,), ["run"], dtype="int32", fill_value=-1)
        array("block_checksum", (blocks,), (1,), ["block"], dtype="int64", fill_value=_UNFINISHED)
        array("run", (n,), (n,), ["run"], dtype="int64")[:] = np.arange(n)
        time = array("time", self.layout.times.shape, self.layout.times.shape, ["time"], dtype="float64")
        time[:] = self.layout.times
        time.attrs["units"] = self.layout.time_unit
        array("stream", (n,), (n,), ["run"], dtype="uint64")[:] = design.streams
        if not self._state:
            self._create_variables(array)
        coordinates = []
        for column in design.frame.columns:
            values = design.frame[column]
            name = entry_name(str(column))
            if name in group:
                name = f"initial {name}"
            if values.dtype.kind in "fiub":
                array(name, (n,), (n,), ["run"], dtype=values.to_numpy().dtype.str)[:] = values.to_numpy()
            else:
                codes, labels = _coded([value if isinstance(value, str) else repr(value) for value in values])
                entry = array(name, (n,), (n,), ["run"], dtype="int64")
                entry[:] = codes
                entry.attrs["labels"] = labels
            coordinates.append(name)
        group.attrs.update(
            {
                "sembada_sweep": FORMAT,
                "identity": json.dumps(identity, sort_keys=True),
                "block_size": self.size,
                "columns": list(self.layout.columns),
                "fields": [] if self._state else [entry_name(place.name) for place in self.layout.places],
                "failure_names": [],
                "design_columns": coordinates,
                **{
                    key: value if isinstance(value, (int, float, str)) else str(value)
                    for key, value in identity.items()
                },
            }
        )
        aside.replace(self.path)
        self._group = self._zarr.open_group(str(self.path), mode="r+")

    def _create_variables(self, array: Any) -> None:
        made: dict[str, list[str]] = {}
        for place in self.layout.places:
            elements = self.layout.grid(place)[0] if place.dimensions else []
            shape = tuple(len(names) for names in elements)
            dims = []
            for dim, names in zip(place.dimensions, elements, strict=True):
                # a variable on part of a dimension has an axis of its own
                axis = dim if made.setdefault(dim, names) == names else f"{dim} of {place.name}"
                made.setdefault(axis, names)
                dims.append(axis)
            entry = array(
                entry_name(place.name),
                (self._n_runs, len(self.layout.times), *shape),
                (self.size, len(self.layout.times), *shape),
                ["run", "time", *dims],
                dtype="float64",
                fill_value=np.nan,
            )
            entry.attrs["units"] = self.layout.units.get(place.name, "")
            if elements:
                entry.attrs["elements"] = json.dumps(dict(zip(dims, elements, strict=True)))

    def _open(self, identity: dict[str, Any]) -> None:
        try:
            self._group = self._zarr.open_group(str(self.path), mode="r+")
            held = json.loads(self._group.attrs["identity"])
            self.size = int(self._group.attrs["block_size"])
        except Exception as error:
            raise StoreError(
                f"{self.path} exists and is no sweep of sembada; give another path or remove it",
                {"path": str(self.path), "cause": str(error)},
            ) from error
        wanted = json.loads(json.dumps(identity, sort_keys=True))
        different = [key for key in sorted({*held, *wanted}) if held.get(key) != wanted.get(key)]
        if different:
            facts = "; ".join(f"{key}: {held.get(key)!r} there, {wanted.get(key)!r} here" for key in different)
            raise StoreError(
                f"{self.path} holds another sweep ({facts}); give another path, or remove it to start afresh",
                {"path": str(self.path), "different": different},
            )

    def finished(self) -> Collection[int]:
        """Return the blocks that are complete."""
        done = np.asarray(self._done[:])
        return [int(block) for block in np.flatnonzero(done != _UNFINISHED)]

    def save(self, block: Block, result: BlockResult) -> None:
        """Write a block, its checksum last."""
        rows = slice(block.start, block.stop)
        checksum = 0
        if result.reduction is not None:
            total = self.statistics() if block.index else None
            if total is None:
                total = result.reduction
            else:
                total.merge(result.reduction)
                result.reduction.clear()
            self._total = total
            raw = total.to_bytes()
            target = self.path / f"statistics-{block.index}.bin"
            aside = target.with_suffix(".new")
            aside.write_bytes(raw)
            aside.replace(target)
            checksum = zlib.crc32(raw)
        else:
            assert result.trajectories is not None
            # (columns, times, runs) → (runs, times, columns)
            for name, (_, values, _) in self.layout.arrays(result.trajectories.transpose(2, 1, 0)).items():
                part = np.ascontiguousarray(values)
                self._fields[name][rows] = part
                checksum = zlib.crc32(part.tobytes(), checksum)
        new = [name for name in dict.fromkeys(result.failed_in.values()) if name and name not in self._names]
        if new:
            self._names += new
            self._group.attrs["failure_names"] = self._names
        self._status[rows] = result.status
        self._failed_at[rows] = result.failed_at
        where = np.full(len(block), -1, dtype=np.int32)
        for run, name in result.failed_in.items():
            where[run] = self._names.index(name) if name else -1
        self._failed_in[rows] = where
        self._done[block.index] = checksum
        if result.reduction is not None and block.index:
            (self.path / f"statistics-{block.index - 1}.bin").unlink(missing_ok=True)

    def statistics(self) -> Any:
        """Return the statistics of all complete blocks.

        Raises
        ------
        StoreError
            If they are damaged.
        """
        if self._total is None:
            last = max(self.finished())
            try:
                raw = (self.path / f"statistics-{last}.bin").read_bytes()
            except OSError:
                raw = b""
            if zlib.crc32(raw) != int(self._done[last]):
                raise StoreError(
                    f"{self.path}: the statistics up to block {last} are damaged; remove the store and sweep again",
                    {"path": str(self.path), "block": last},
                )
            self._total = _core.SdReduction.from_bytes(raw)
        return self._total

    @classmethod
    def check(cls, path: str | Path) -> int:
        """Compare every complete block of a store with its checksum, and return how many are complete.

        Raises
        ------
        StoreError
            If the folder is no store, or a block is damaged; names it.
        """
        zarr = require("zarr", "xarray")
        try:
            group = zarr.open_group(str(path), mode="r")
            done, size = np.asarray(group["block_checksum"][:]), int(group.attrs["block_size"])
            fields = list(group.attrs["fields"])
        except Exception as error:
            raise StoreError(f"{path} is no sweep of sembada", {"path": str(path), "cause": str(error)}) from error
        finished = np.flatnonzero(done != _UNFINISHED)
        for index in finished if fields else finished[-1:]:
            if fields:
                checksum = cls._checksum(group, fields, int(index), size)
            else:
                file = Path(path) / f"statistics-{index}.bin"
                checksum = zlib.crc32(file.read_bytes()) if file.exists() else _UNFINISHED
            if checksum != int(done[index]):
                raise StoreError(
                    f"{path}: block {index} (runs {index * size} to {index * size + size - 1}) is damaged; "
                    "remove the store and sweep again",
                    {"path": str(path), "block": int(index)},
                )
        return int((done != _UNFINISHED).sum())

    def outcome(self) -> tuple[NDArray[np.uint8], NDArray[np.float64], dict[int, str]]:
        """Return status and time of failure of each run, and the variable of those that failed."""
        where, status = np.asarray(self._failed_in[:]), np.asarray(self._status[:])
        names = {int(run): self._names[where[run]] if where[run] >= 0 else "" for run in np.flatnonzero(status)}
        return status, np.asarray(self._failed_at[:]), names

    def columns(self) -> Columns:
        """Return the values as a sequence of columns that are read when asked for."""
        return Columns(self.path, self.layout)


def entry_name(name: str) -> str:
    """Return the name of an array: without the slash that Zarr takes for a folder, and not one of the store's own."""
    name = name.replace("/", "\u2215")
    return f"{name} (variable)" if name in _OWN else name


def open_dataset(path: str) -> Any:
    """Open a store as a lazy `xarray.Dataset`, the design as coordinates with their labels."""
    xarray = require("xarray", "xarray")
    data = xarray.open_zarr(path, consolidated=False)
    for name in data.attrs.get("design_columns", []):
        labels = data[name].attrs.pop("labels", None)
        if labels is not None:
            data[name] = ("run", np.asarray(labels, dtype=str)[data[name].to_numpy()])
    elements: dict[str, list[str]] = {}
    for name in data.data_vars:
        elements |= json.loads(data[name].attrs.pop("elements", "{}"))
    return (
        data.drop_vars(_OWN_BLOCKS, errors="ignore")
        .assign_coords(elements)
        .set_coords(data.attrs.get("design_columns", []))
    )


class Columns:
    """The columns of a stored sweep, each read when it is asked for: shape (times, runs)."""

    def __init__(self, path: Path, layout: Layout) -> None:
        self._path = path
        self._layout = layout

    def __getitem__(self, at: Any) -> Any:
        if isinstance(at, slice):
            return np.stack([self[i] for i in range(*at.indices(len(self._layout.columns)))])
        zarr = require("zarr", "xarray")
        group = zarr.open_group(str(self._path), mode="r")
        place = next(place for place in self._layout.places if place.first <= at < place.first + place.count)
        values = group[entry_name(place.name)]
        if not place.dimensions:
            return np.asarray(values[:]).T
        elements, positions = self._layout.grid(place)
        shape = tuple(len(names) for names in elements)
        index = np.unravel_index(int(positions[at - place.first]), shape)
        return np.asarray(values[(slice(None), slice(None), *(int(i) for i in index))]).T


def _coded(values: list[str]) -> tuple[NDArray[np.int64], list[str]]:
    labels = list(dict.fromkeys(values))
    ranks = {label: rank for rank, label in enumerate(labels)}
    return np.array([ranks[value] for value in values], dtype=np.int64), labels
