"""C as a code generator for system dynamics writes it: global doubles, functions of some thirty statements, one run.

The shape follows what SDEverywhere emits: every variable a global, `evalAux` and `evalLevels` in chunks, tables read
by a search that starts at the last hit, `exp`, `log` and `pow` of the C library, inputs and outputs by pointer. The
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
FRAME = """
#include <math.h>
#define MIN(a,b) ((a) < (b) ? (a) : (b))
#define MAX(a,b) ((a) > (b) ? (a) : (b))
#define sel(c,a,b) ((c) ? (a) : (b))
#define EXP exp
#define LN log
#define POW pow
#define SIN sin
typedef struct { const double *x, *y; int n, last; double at; } Lookup;
static double lookup(Lookup *l, double x) {
  if (x <= l->x[0]) return l->y[0];
  if (x >= l->x[l->n - 1]) return l->y[l->n - 1];
  int i = x >= l->at ? l->last : 1;
  while (l->x[i] < x) i++;
  l->last = i; l->at = x;
  return l->y[i-1] + (l->y[i] - l->y[i-1]) / (l->x[i] - l->x[i-1]) * (x - l->x[i-1]);
}
%(settings)s
static double t, level[NS + 1], rate[NS + 1], input[NV + 1], fixed[NINV + 1];
%(globals)s
#define Y(i) level[i]
#define PV(i) input[i]
#define PI(i) fixed[i]
#define DY(i,e) rate[i] = (e);
#define YS(i,e) level[i] = (e);
#define PIS(i,e) fixed[i] = (e);
%(functions)s
static void evalLevels() { for (int i = 0; i < NS; i++) level[i] = level[i] + DT * rate[i]; }
int saved_times() { return (int)((T1 - T0) / SAVE) + 1; }
int stocks() { return NSTOCK; }
void sweep_runs(const double *par, double *out, int n) {
  int saves = saved_times(), per = (int)(SAVE / DT + 0.5);
  for (int j = 0; j < n; j++) {
    for (int i = 0; i < NV; i++) input[i] = par[i * (long)n + j];
    t = T0; initConstants(); initLevels();
    for (int s = 0;; s++) {
      for (int i = 0; i < NSTOCK; i++) out[((long)s * NSTOCK + i) * n + j] = level[i];
      if (s + 1 >= saves) break;
      for (int q = 0; q < per; q++) { t = T0 + (s * per + q) * DT; evalAux(); evalLevels(); }
    }
  }
}
"""


def body(text: str, name: str) -> str:
    """Return a macro of the header, lines joined."""
    match = re.search(rf"#define {name} ((?:.*\\\n)*.*)", text)
    return match.group(1).replace("\\\n", "\n") if match else ""


def generate(text: str) -> str:
    """Write the program of a header."""
    names: list[str] = []
    functions = []
    for function, macro in (("initConstants", "INV_BODY"), ("initLevels", "INIT_BODY"), ("evalAux", "DERIV_BODY")):
        statements = [line.strip() for line in body(text, macro).splitlines() if line.strip()]
        names += [match for line in statements for match in re.findall(r"const REAL (\w+)=", line)]
        statements = [re.sub(r"^const REAL ", "", line) for line in statements]
        parts = [statements[at : at + CHUNK] for at in range(0, len(statements), CHUNK)]
        for k, part in enumerate(parts):
            functions.append(f"static __attribute__((noinline)) void {function}{k}() {{ {' '.join(part)} }}")
        functions.append(f"static void {function}() {{ {' '.join(f'{function}{k}();' for k in range(len(parts)))} }}")
    settings = [line for line in text.splitlines() if re.match(r"#define (NS|NSTOCK|NV|NINV|C_\w+) ", line)]
    settings += [line for line in text.splitlines() if re.match(r"static const double (T0|C_)", line)]
    for name, size, values in re.findall(r"static const double LX_(\w+)\[(\d+)\]=(\{.*?\});", text):
        y = re.search(rf"static const double LY_{name}\[\d+\]=(\{{.*?\}});", text)
        assert y is not None
        settings.append(f"static const double LX_{name}[{size}]={values}, LY_{name}[{size}]={y.group(1)};")
        settings.append(f"static Lookup L_{name} = {{LX_{name}, LY_{name}, {size}, 1, INFINITY}};")
        settings.append(f"#define LK_{name}(x) lookup(&L_{name}, x)")
    declared = "static double " + ", ".join(dict.fromkeys(names)) + ";"
    return FRAME % {"settings": "\n".join(settings), "globals": declared, "functions": "\n".join(functions)}


def prepare(case: dict[str, Any]) -> dict[str, Any]:
    folder = Path(tempfile.mkdtemp())
    (folder / "model.c").write_text(generate((SOURCE / case["header"]).read_text()))
    target = folder / "model.so"
    flags = ["-O3", "-march=native", "-shared", "-fPIC", "-fno-fast-math"]
    subprocess.run(["cc", *flags, str(folder / "model.c"), "-o", str(target), "-lm"], check=True)
    library = ctypes.CDLL(str(target))
    columns = np.stack([np.asarray(column) for column in case["design"].values()])
    STATE.update(case, library=library, columns=columns)
    compiler = subprocess.run(["cc", "-dumpfullversion"], check=True, capture_output=True, text=True)
    return {"version": compiler.stdout.strip()}


def sample(count: int) -> object:
    library = STATE["library"]
    columns = STATE["columns"]
    parameters = np.ascontiguousarray(columns[:, np.arange(count) % columns.shape[1]])
    out = np.empty((library.saved_times(), library.stocks(), count))
    pointer = ctypes.POINTER(ctypes.c_double)
    library.sweep_runs(parameters.ctypes.data_as(pointer), out.ctypes.data_as(pointer), count)
    return [float(out[-1, place, 0]) for place in STATE["places"]]
