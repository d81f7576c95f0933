"""One run of a model of arrays beside loops over arrays in C: an epidemic in regions, element by element the same.

`python benches/compare/arrays.py 400 1000` prints the milliseconds of processor time of a run by number of regions:
the least of eight here, the mean of seven in C.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from sembada import _core, sd

SOURCE = Path(__file__).parent / "c" / "regions.c"


def model(count: int) -> str:
    """Return the model in Vensim's language; regions differ by additive-recurrence points."""

    def share(k: int, step: float) -> float:
        return step * (k + 1) % 1.0

    def numbers(value: Callable[[int], float]) -> str:
        return ",".join(f"{value(k):.6g}" for k in range(count))

    return f"""{{UTF-8}}
Region: (r1-r{count}) ~~|
population[Region]={numbers(lambda k: 50000 + 200000 * share(k, 0.618034))} ~~|
contact[Region]={numbers(lambda k: 0.2 + 0.25 * share(k, 0.754878))} ~~|
share[Region]={numbers(lambda k: 0.05 + 0.1 * share(k, 0.569840))} ~~|
first[Region]={numbers(lambda k: 1 + 20 * share(k, 0.430160))} ~~|
incubation=4 ~~|
duration=7 ~~|
immunity=180 ~~|
mobility=0.02 ~~|
season strength=0.2 ~~|
lifetime=27000 ~~|
caution((0,1),(0.001,0.9),(0.005,0.7),(0.02,0.5),(0.1,0.35),(1,0.3)) ~~|
Susceptible[Region]=INTEG(births[Region]+waning[Region]-infection[Region]-vaccination[Region]-deaths S[Region],
  population[Region]-first[Region]) ~~|
Exposed[Region]=INTEG(infection[Region]-onset[Region]-deaths E[Region],0) ~~|
Infectious[Region]=INTEG(onset[Region]-recovery[Region]-deaths I[Region],first[Region]) ~~|
Recovered[Region]=INTEG(recovery[Region]+vaccination[Region]-waning[Region]-deaths R[Region],0) ~~|
Felt[Region]=INTEG((prevalence[Region]-Felt[Region])/14,0) ~~|
everyone[Region]=Susceptible[Region]+Exposed[Region]+Infectious[Region]+Recovered[Region] ~~|
prevalence[Region]=Infectious[Region]/everyone[Region] ~~|
national=SUM(Infectious[Region!])/SUM(everyone[Region!]) ~~|
season=1+season strength*SIN(6.283185*Time/365) ~~|
force[Region]=contact[Region]*season*caution(Felt[Region])*((1-mobility)*prevalence[Region]+mobility*national) ~~|
infection[Region]=force[Region]*Susceptible[Region] ~~|
onset[Region]=Exposed[Region]/incubation ~~|
recovery[Region]=Infectious[Region]/duration ~~|
waning[Region]=Recovered[Region]/immunity ~~|
vaccination[Region]=IF THEN ELSE(Felt[Region]>0.002, MIN(share[Region]*0.05*population[Region]/100,
    Susceptible[Region]/30), 0) ~~|
births[Region]=population[Region]/lifetime ~~|
deaths S[Region]=Susceptible[Region]/lifetime ~~|
deaths E[Region]=Exposed[Region]/lifetime ~~|
deaths I[Region]=Infectious[Region]/lifetime*EXP(3*prevalence[Region]) ~~|
deaths R[Region]=Recovered[Region]/lifetime ~~|
INITIAL TIME=0 ~~|
FINAL TIME=365 ~~|
TIME STEP=0.25 ~~|
SAVEPER=5 ~~|"""


def main(counts: list[int]) -> None:
    """Print the times."""
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "regions"
        subprocess.run(["cc", "-O3", "-march=native", str(SOURCE), "-o", str(program), "-lm"], check=True)
        for count in counts:
            path = Path(folder) / "regions.mdl"
            path.write_text(model(count))
            ours = _core.SdProgram.compile(sd.read(path)._core, ["Infectious", "national"])
            least = np.inf
            for _ in range(8):
                start = time.process_time()
                values = ours.run(np.empty(0))[0]
                least = min(least, time.process_time() - start)
            said = subprocess.run(
                [str(program), str(count), "7"], check=True, capture_output=True, text=True
            ).stdout.split()
            theirs, total = float(said[4]), float(said[6])
            assert abs(values[-1].sum() - total) < 1e-9 * total
            print(
                f"{count} regions: ours {1e3 * least:.3f} ms, C {theirs:.3f} ms, C : ours {theirs / (1e3 * least):.2f}"
            )


if __name__ == "__main__":
    main([int(count) for count in sys.argv[1:]] or [10, 100, 400, 1000])
