"""Pack the system-dynamics reference models and their results into `models.tar.xz`.

    python tests/golden/sd/pack.py DIRECTORY

`DIRECTORY` holds the folders that SOURCES.md names. The archive holds the models, the results, the files they
read, the licences, and `cases.json`, the list of what is compared with what. It is the same for the same input.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import lzma
import sys
import tarfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
SUFFIXES = (".mdl", ".xmile", ".stmx")

# Files whose equations are `???`, the exporter's mark for an array equation that it could not write.
UNUSABLE = "???"
# The export to XMILE lost ACTIVE INITIAL: the file is another model than the one that made the results.
LOST = ("active_initial/test_active_initial.xmile", "active_initial/test_active_initial.stmx")
# Random numbers, and a chaotic model whose results depend on the last bit.
NO_RULE = ("Query_file", "roessler_chaos")

# Inputs of tools that are not ours.
DROP = ("README.md", "_vars.txt", "_subs.txt", ".sh", ".feature", ".pl", "SIR_Systo.json", "longeqns.json")

# The models of `vensim_runs/bact` are not published, their results are; they are so small that the results tell them.
MADE = {
    "growth": ({"bacteria": ("stock", "1000", ["population growth"], [])}, {"population growth": "0.035*bacteria"}),
    "predation": (
        {"bacteria": ("stock", "1000", ["population growth"], ["predation"])},
        {"population growth": "0.035*bacteria", "predation": "17.5"},
    ),
    "ramp": ({"stock": ("stock", "0", ["inflow"], ["outflow"])}, {"inflow": "Time-1", "outflow": "stock/5"}),
    "adjust": (
        {"stock": ("stock", "0", ["net inflow"], [])},
        {
            "adjustment time": "5",
            "desired stock": "STEP(10,5)+STEP(10,15)-STEP(20,20)",
            "gap": "desired stock-stock",
            "net inflow": "gap/adjustment time",
        },
    ),
}
BACT = {
    "Current": ("growth", 60, 1, "rk4"),
    "rk4auto-1": ("growth", 60, 1, "rk4"),
    "euler-1": ("growth", 60, 1, "euler"),
    "euler-2": ("growth", 60, 2, "euler"),
    "euler-5": ("growth", 60, 5, "euler"),
    # Named after an Euler run, but the numbers are those of the exact solution: 1000·e^0.35 − 500·(e^0.35 − 1) at 10.
    "euler-10": ("predation", 60, 10, "rk45"),
    "euler": ("ramp", 100, 4, "euler"),
    "rk4": ("adjust", 30, 1, "euler"),
}


def mdl(name: str, final: float, dt: float) -> str:
    stocks, others = MADE[name]
    lines = ["{UTF-8}"]
    for stock, (_, initial, inflows, outflows) in stocks.items():
        rate = "+".join(inflows) + "".join(f"-{flow}" for flow in outflows)
        lines.append(f"{stock}= INTEG ({rate},{initial})\n\t~\t\n\t~\t|\n")
    lines += [f"{variable}=\n\t{equation}\n\t~\t\n\t~\t|\n" for variable, equation in others.items()]
    control = {"FINAL TIME": final, "INITIAL TIME": 0, "SAVEPER": "TIME STEP", "TIME STEP": dt}
    lines += [f"{variable} = {value}\n\t~\tMonth\n\t~\t|\n" for variable, value in control.items()]
    return "\n".join(lines)


def number(text: str) -> str:
    return f"{float(text):.7g}" if text else ""


def thin(text: str, every: int) -> str:
    """Keep each `every`-th saved time and the seven digits that single precision holds."""
    rows = list(csv.reader(io.StringIO(text)))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(rows[0])
    writer.writerows([[number(cell) for cell in row] for row in rows[1::every]])
    return out.getvalue()


def collect(source: Path) -> tuple[dict[str, bytes], list[dict[str, Any]]]:
    files: dict[str, bytes] = {}
    cases: list[dict[str, Any]] = []

    def case(model: str, reference: str | None, rule: str, **more: Any) -> None:
        name = model if "label" not in more else f"{model}:{more.pop('label')}"
        cases.append({"id": name, "model": model, "reference": reference, "rule": rule, **more})

    for folder in ("test-models", "sdeverywhere", "vensim_runs", "conveyors", "sme"):
        for path in sorted((source / folder).rglob("*")):
            if path.is_file() and not path.name.endswith(DROP):
                files[path.relative_to(source).as_posix()] = path.read_bytes()

    for name in sorted(name for name in files if name.endswith(SUFFIXES)):
        path = source / name
        text = files[name].decode("utf-8", "replace")
        siblings = {other.name for other in path.parent.iterdir()}
        if UNUSABLE in text or name.endswith(LOST) or any(mark in name for mark in NO_RULE):
            del files[name]
            continue
        here = path.parent.relative_to(source).as_posix()
        if name.startswith("test-models"):
            reference = next((item for item in ("output.csv", "output.tab") if item in siblings), None)
            if path.suffix != ".mdl" and "output_stella.csv" in siblings:
                reference = "output_stella.csv"
            data = []
            if path.stem == "model_to_generate_data":
                reference = "data.tab"
            elif path.stem == "test_data_from_other_model":
                data = [f"{here}/data.tab"]
            case(name, f"{here}/{reference}" if reference else None, "double", data=data)
        elif name.startswith("sdeverywhere"):
            result = f"{path.stem}.csv" if path.suffix == ".stmx" else f"{path.stem}.dat"
            if path.stem in ("preprocess", "input", "input1", "input2") or result not in siblings:
                continue
            extra = f"{path.stem}_data.dat"
            case(name, f"{here}/{result}", "double", data=[f"{here}/{extra}"] if extra in siblings else [])
        elif name.startswith("conveyors"):
            case(name, None, "double", data=[])

    for run in ("base", "water"):
        case("vensim_runs/water/water.mdl", f"vensim_runs/water/{run}.vdf.csv", "single", data=[], label=run)
    # `Current` and `limited` are runs of a model with an upper limit on the inflow.
    limited = (
        files["vensim_runs/water/water.mdl"].decode().replace("gap/adjustment time", "MIN(0.1,gap/adjustment time)")
    )
    files["vensim_runs/water/limited.mdl"] = limited.encode()
    for run in ("Current", "limited"):
        case("vensim_runs/water/limited.mdl", f"vensim_runs/water/{run}.vdf.csv", "single", data=[], label=run)
    for run in ("b_is_3", "b_is_4"):
        case(
            "vensim_runs/consts/consts.mdl",
            f"vensim_runs/consts/{run}.vdf.csv",
            "single",
            data=[],
            label=run,
            params={"b": float(run[-1])},
        )
    case("vensim_runs/pop/pop.mdl", "vensim_runs/pop/pop.vdf.csv", "single", data=[], label="pop")
    case(
        "vensim_runs/pop/pop.mdl",
        "vensim_runs/pop/Current.vdf.csv",
        "single",
        data=[],
        label="Current",
        params={"age when first child": 15, "years giving birth": 4},
    )
    for run, (name, final, dt, method) in BACT.items():
        model = f"vensim_runs/bact/{run}.mdl"
        files[model] = mdl(name, final, dt).encode()
        case(model, f"vensim_runs/bact/{run}.vdf.csv", "single", data=[], method=method)

    for model in ("sme/sme.mdl", "sme/sme.xmile"):
        case(model, "sme/sme.csv", "double", data=[])
    files["sme/sme.csv"] = sme(source)

    files["c-learn/C-LEARN.mdl"] = (source / "c-learn" / "C-LEARN v77 for Vensim.mdl").read_bytes()
    with gzip.open(source / "c-learn" / "Ref.csv.gz", "rt", encoding="utf-8") as stream:
        files["c-learn/Ref.csv"] = thin(stream.read(), 25).encode()
    case("c-learn/C-LEARN.mdl", "c-learn/Ref.csv", "single", data=[])
    return files, cases


def sme(source: Path) -> bytes:
    """Results of model M by pysimlin, an engine that is not ours."""
    import simlin

    frame = simlin.load(source / "sme" / "sme.xmile").run(analyze_loops=False).results
    out = io.StringIO()
    # the XMILE file has names for graphical functions and net flows that the Vensim file does without
    text = (source / "sme" / "sme.mdl").read_text(encoding="utf-8")
    frame = frame[[name for name in frame.columns if f"\n{name.replace('_', ' ')}=" in text]]
    frame.iloc[::12].to_csv(out, float_format="%.12g", lineterminator="\n")
    return out.getvalue().encode()


def main() -> None:
    files, cases = collect(Path(sys.argv[1]))
    files["cases.json"] = (json.dumps(cases, indent=1) + "\n").encode()
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name in sorted(files):
            entry = tarfile.TarInfo(name)
            entry.size = len(files[name])
            archive.addfile(entry, io.BytesIO(files[name]))
    packed = lzma.compress(raw.getvalue(), preset=9 | lzma.PRESET_EXTREME)
    (HERE / "models.tar.xz").write_bytes(packed)
    print(f"{len(files)} files, {len(cases)} cases, {len(packed) / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
