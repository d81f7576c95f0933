"""PLS path modelling: specify, estimate, bootstrap.

Examples
--------
>>> import numpy as np, pandas as pd
>>> from sembada import pls
>>> rng = np.random.default_rng(7)
>>> factor = rng.normal(size=200)
>>> frame = pd.DataFrame({name: factor + rng.normal(size=200) for name in ("a1", "a2", "b1", "b2")})
>>> fit = pls.Model("A =~ a1 + a2 ; B =~ b1 + b2 ; B ~ A").fit(frame)
>>> boot = fit.bootstrap(200, seed=1)
>>> bool(boot.paths().loc[("A", "B"), "lower"] > 0)
True
"""

from __future__ import annotations

from sembada.pls.blocks import block, multi
from sembada.pls.bootstrap import Bootstrap
from sembada.pls.comparison import Comparison, compare_groups
from sembada.pls.cvpat import cvpat
from sembada.pls.fit import Fit
from sembada.pls.micom import Micom, micom
from sembada.pls.missing import Pooled, pool
from sembada.pls.model import Model
from sembada.pls.permutation import Permutation, permute
from sembada.pls.prediction import Prediction
from sembada.pls.specification import Block

__all__ = [
    "Block", "Bootstrap", "Comparison", "Fit", "Micom", "Model", "Permutation", "Pooled", "Prediction", "block",
    "compare_groups", "cvpat", "micom", "multi", "permute", "pool",
]  # fmt: skip
