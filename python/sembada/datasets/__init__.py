"""Data and reference models that ship, all **synthetic**.

Every one is generated from a seed, labelled, with source and licence. The five cases follow Indonesian
studies of small industry in their questions and signs; the numbers are invented.
"""

from __future__ import annotations

from sembada.datasets.banyuwangi_model import banyuwangi_model
from sembada.datasets.banyuwangi_policies import banyuwangi_groups, banyuwangi_scenarios, banyuwangi_uncertainties
from sembada.datasets.banyuwangi_study import (
    BANYUWANGI_HYPOTHESES,
    banyuwangi_bridge,
    banyuwangi_measures,
    banyuwangi_study,
)
from sembada.datasets.banyuwangi_survey import BANYUWANGI_QUESTIONS, banyuwangi_path_model, banyuwangi_survey
from sembada.datasets.kaltim import kaltim_mediation
from sembada.datasets.kemitraan import KEMITRAAN_PATHS, kemitraan_mga
from sembada.datasets.sentra import sentra_conflict
from sembada.datasets.tumang import tumang_governance

__all__ = [
    "BANYUWANGI_HYPOTHESES",
    "BANYUWANGI_QUESTIONS",
    "KEMITRAAN_PATHS",
    "banyuwangi_bridge",
    "banyuwangi_groups",
    "banyuwangi_measures",
    "banyuwangi_model",
    "banyuwangi_path_model",
    "banyuwangi_scenarios",
    "banyuwangi_study",
    "banyuwangi_survey",
    "banyuwangi_uncertainties",
    "kaltim_mediation",
    "kemitraan_mga",
    "sentra_conflict",
    "tumang_governance",
]
