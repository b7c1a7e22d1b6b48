"""Whose answers a cell reads beside its own: those of full precision, which it is compared with.

What a finished cell has read is not asked of it again: neither a run of before likelihoods were kept nor the switch that turns
them off makes Snakemake take the inputs of finished cells for others.
"""

from __future__ import annotations

from pathlib import Path

from ..contracts.cell_name import Cell
from ..contracts.files import read_json
from ..reading.json_text import as_read
from .spec import CellSpec


def reads_answers_of(spec: CellSpec, folder: Path) -> Cell | None:
    """The cell whose answers a cell reads, or has read if it is finished; None: it reads none.

    Args:
        spec: the cell.
        folder: where its files stand, or will.

    Raises:
        DataError: its manifest is no JSON.
    """
    if stands(spec, folder):
        return spec.compared_with if read_json(folder / "manifest.json").get("full_predictions_sha256") else None
    return spec.compared_with if spec.keeps_likelihoods else None


def stands(spec: CellSpec, folder: Path) -> bool:
    """Whether a cell is finished and would not run again, as far as the configuration tells.

    Raises:
        DataError: its manifest is no JSON.
    """
    manifest = folder / "manifest.json"
    recorded = read_json(manifest).get("identity") if manifest.exists() else None
    now = as_read(spec.identity)
    return isinstance(recorded, dict) and all(recorded.get(key) == value for key, value in now.items())
