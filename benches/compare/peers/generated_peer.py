"""C as a code generator for system dynamics writes it: global doubles, functions of thirty statements, one run.

The shape follows what SDEverywhere emits by default (read in its generator and runtime, 2026): every variable and every
constant is a global double with external linkage; constants are assigned at the start of each run and read at run time
(literals in their place are an option that its source calls non-public); `evalAux` and `evalLevels` in chunks of thirty
statements, `level = level + rate * time_step`; `pow`, `exp` and `log` of the C library; tables as pairs behind a
pointer, read by a function of another translation unit, which searches from the last hit where the argument has grown;
every step asks `fmod` whether it is saved, and hands each output to a function. Time adds up.

Kinder than the original: `-march=native` on top of its `-O3`, `fmin` and `fmax` in place and not as calls, hidden
symbols, so that a shared library needs no table of addresses, and what depends on inputs alone computed once a run. The
equations are those of the hand-written comparator's header.
"""

from __future__ import annotations

import ctypes
import re
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

SOURCE = Path(__file__).parents[1] / "c"
STATE: dict[str, Any] = {}
CHUNK = 30
HEADER = """
#include <math.h>
#include <stddef.h>
typedef struct { const double *pairs; size_t numbers; double last_argument; size_t last_hit; } Table;
extern double time_now, time_step, initial_time, final_time, save_step;
Table *new_table(const double *pairs, size_t points);
double read_table(Table *table, double x);
void output(double value);
void initConstants(), setInputs(const double *inputs), initLevels(), evalAux(), evalLevels(), storeOutputs();
"""
RUNTIME = """
#include "model.h"
#include <float.h>
#include <stdlib.h>
double time_now;
static double *buffer;
static size_t row, saves, place;
Table *new_table(const double *pairs, size_t points) {
  Table *made = malloc(sizeof(Table));
  *made = (Table){pairs, 2 * points, DBL_MAX, 0};
  return made;
}
double read_table(Table *table, double x) {
  const double *pairs = table->pairs;
  for (size_t i = x >= table->last_argument ? table->last_hit : 0; i < table->numbers; i += 2) {
    if (pairs[i] < x) continue;
    table->last_argument = x;
    table->last_hit = i;
    if (i == 0 || pairs[i] == x) return pairs[i + 1];
    return pairs[i - 1] + (pairs[i + 1] - pairs[i - 1]) / (pairs[i] - pairs[i - 2]) * (x - pairs[i - 2]);
  }
  table->last_argument = x;
  table->last_hit = table->numbers;
  return pairs[table->numbers - 1];
}
void output(double value) { buffer[row++ * saves + place] = value; }
static void run() {
  int last = (int)round((final_time - initial_time) / time_step);
  place = 0;
  time_now = initial_time;
  for (int step = 0;; step++) {
    evalAux();
    if (fmod(time_now, save_step) < 1e-6) {
      row = 0;
      storeOutputs();
      place++;
    }
    if (step == last) break;
    evalLevels();
    time_now += time_step;
  }
}
/* Inputs by run and name, results by run, stock and saved time. */
__attribute__((visibility("default")))
void sweep_runs(const double *inputs, double *out, int runs, int names, int stocks, int times) {
  saves = times;
  for (int j = 0; j < runs; j++) {
    buffer = out + (size_t)j * stocks * times;
    initConstants();
    setInputs(inputs + (size_t)j * names);
    time_now = initial_time;
    initLevels();
    run();
  }
}
"""
MODEL = """
#include "model.h"
static inline double least(double a, double b) { double m = a < b ? a : b; return b != b ? a : m; }
static inline double most(double a, double b) { double m = a > b ? a : b; return b != b ? a : m; }
#define MIN(a,b) least(a, b)
#define MAX(a,b) most(a, b)
#define sel(c,a,b) ((double)(c) != 0.0 ? (a) : (b))
#define EXP exp
#define LN log
#define POW pow
#define SIN sin
#define t time_now
#define Y(i) level_##i
#define PV(i) input_##i
#define PI(i) fixed_##i
#define YS(i,e) level_##i = (e);
#define PIS(i,e) fixed_##i = (e);
#define DY(i,e) level_##i = level_##i + (e) * time_step;
double time_step, initial_time, final_time, save_step;
%(globals)s
%(tables)s
%(functions)s
"""


def body(text: str, name: str) -> list[str]:
    """Return the statements of a macro of the header."""
    match = re.search(rf"#define {name} ((?:.*\\\n)*.*)", text)
    lines = match.group(1).replace("\\\n", "\n").splitlines() if match else []
    return [line.strip() for line in lines if line.strip()]


def function(name: str, statements: list[str]) -> str:
    """Write a function in chunks."""
    parts = [statements[at : at + CHUNK] for at in range(0, len(statements), CHUNK)]
    chunks = [f"void {name}{k}() {{ {' '.join(part)} }}" for k, part in enumerate(parts)]
    return "\n".join([*chunks, f"void {name}() {{ {' '.join(f'{name}{k}();' for k in range(len(parts)))} }}"])


def setting(text: str, name: str) -> str:
    """Return a number of the header."""
    match = re.search(rf"(?:#define {name} |[ ,]{name}=)([-0-9.e]+)", text)
    assert match is not None, name
    return match.group(1)


def generate(text: str) -> str:
    """Write the program of a header."""
    fixed, initial, rates = (body(text, name) for name in ("INV_BODY", "INIT_BODY", "DERIV_BODY"))
    stocks, inputs, kept = (int(setting(text, name)) for name in ("NS", "NV", "NINV"))
    written = [re.match(r"DY\((\d+),(.*)\)$", line) for line in rates if line.startswith("DY(")]
    for own in written:
        # levels are updated in place, so a rate may read no other
        assert own is not None and set(re.findall(r"\bY\((\d+)\)", own.group(2))) <= {own.group(1)}
    constants = re.findall(r"(?:#define|static const double) (C_\w+)[ =]([^;\n]+);?", text)
    auxiliaries = [line for line in rates if not line.startswith("DY(")]
    names = re.findall(r"const REAL (\w+)=", "\n".join([*initial, *auxiliaries]))
    names += [name for name, _ in constants]
    names += [f"{kind}_{i}" for kind, n in (("level", stocks), ("input", inputs), ("fixed", kept)) for i in range(n)]
    tables, made = [], []
    for name, size, x in re.findall(r"static const double LX_(\w+)\[(\d+)\]=\{(.*?)\};", text):
        y = re.search(rf"static const double LY_{name}\[\d+\]=\{{(.*?)\}};", text)
        assert y is not None
        pairs = ", ".join(f"{a}, {b}" for a, b in zip(x.split(","), y.group(1).split(","), strict=True))
        tables += [f"double pairs_{name}[{2 * int(size)}] = {{{pairs}}};", f"Table *table_{name};"]
        tables.append(f"#define LK_{name}(x) read_table(table_{name}, x)")
        made.append(f"if (!table_{name}) table_{name} = new_table(pairs_{name}, {size});")
    control = [f"{name} = {setting(text, key)};" for name, key in CONTROL.items()]
    plain = [re.sub(r"^const REAL ", "", line) for line in auxiliaries]
    functions = [
        function("initConstants", [*control, *(f"{name} = {value};" for name, value in constants), *made]),
        f"void setInputs(const double *inputs) {{ {' '.join(f'input_{i} = inputs[{i}];' for i in range(inputs))} }}",
        function("initLevels", [re.sub(r"^const REAL ", "", line) for line in [*fixed, *initial]]),
        function("evalAux", plain),
        function("evalLevels", [line for line in rates if line.startswith("DY(")]),
        f"void storeOutputs() {{ {' '.join(f'output(level_{i});' for i in range(int(setting(text, 'NSTOCK'))))} }}",
    ]
    declared = "\n".join(f"double {name};" for name in dict.fromkeys(names))
    return MODEL % {"globals": declared, "tables": "\n".join(tables), "functions": "\n".join(functions)}


CONTROL = {"initial_time": "T0", "final_time": "T1", "time_step": "DT", "save_step": "SAVE"}


def prepare(case: dict[str, Any]) -> dict[str, Any]:
    folder = Path(tempfile.mkdtemp())
    text = (SOURCE / case["header"]).read_text()
    (folder / "model.h").write_text(HEADER)
    (folder / "model.c").write_text(generate(text))
    (folder / "runtime.c").write_text(RUNTIME)
    flags = ["-O3", "-march=native", "-fPIC", "-fvisibility=hidden", "-fno-fast-math"]
    for name in ("model", "runtime"):
        subprocess.run(["cc", *flags, "-c", str(folder / f"{name}.c"), "-o", str(folder / f"{name}.o")], check=True)
    target = folder / "model.so"
    objects = [str(folder / "model.o"), str(folder / "runtime.o")]
    subprocess.run(["cc", "-shared", *objects, "-o", str(target), "-lm"], check=True)
    times = round((float(setting(text, "T1")) - float(setting(text, "T0"))) / float(setting(text, "SAVE"))) + 1
    columns = np.stack([np.asarray(column) for column in case["design"].values()])
    shape = (int(setting(text, "NSTOCK")), times)
    STATE.update(case, library=ctypes.CDLL(str(target)), columns=columns, shape=shape)
    compiler = subprocess.run(["cc", "-dumpfullversion"], check=True, capture_output=True, text=True)
    return {"version": compiler.stdout.strip()}


def sample(count: int) -> object:
    columns, (stocks, times) = STATE["columns"], STATE["shape"]
    inputs = np.ascontiguousarray(columns[:, np.arange(count) % columns.shape[1]].T)
    out = np.empty((count, stocks, times))
    pointer = ctypes.POINTER(ctypes.c_double)
    places = (inputs.ctypes.data_as(pointer), out.ctypes.data_as(pointer))
    STATE["library"].sweep_runs(*places, count, inputs.shape[1], stocks, times)
    return [float(out[0, place, -1]) for place in STATE["places"]]
