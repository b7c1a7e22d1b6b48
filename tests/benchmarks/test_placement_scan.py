"""The scan of placements: one combination traced for real, and what counts as a disagreement."""

from __future__ import annotations

import math
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from benchmarks import placement_scan

from quantbench.config import ModelEntry, PrecisionEntry, read_entries


def test_a_combination_is_planned_placed_and_traced(repository: Path) -> None:
    entry = read_entries(repository / "config/models", ModelEntry)["tiny-m"]
    precision = read_entries(repository / "config/precisions", PrecisionEntry)["full"]
    row = placement_scan.Scan().row("tiny-m", entry, "full", precision, 12)
    assert (row.gpus, row.blocks, row.traced_with_one_less) == (1, str(entry.architecture.layers), math.inf)
    assert row.traced == pytest.approx(row.planned, rel=0.05)
    assert row.disagreement == ""


def test_both_kinds_of_disagreement_are_told() -> None:
    agreed = placement_scan.Row("m", "full", 24, 2, "40+40", 22.8, 20.0, 20.0, 39.0)
    assert agreed.disagreement == ""
    assert replace(agreed, traced=23.0).disagreement == "the fullest device holds 23.00 GiB"
    assert replace(agreed, traced_with_one_less=22.0).disagreement == "one GPU less would do: 22.00 GiB"


def test_rows_found_before_are_read_again(tmp_path: Path, capsys, monkeypatch) -> None:
    table = tmp_path / "scan.csv"
    options = ["--models", "tiny-m", "--precisions", "full", "--gib", "12", "--out", str(table)]
    monkeypatch.setattr(sys, "argv", ["placement_scan.py", *options])
    placement_scan.main()
    monkeypatch.setattr(placement_scan.Scan, "row", None)  # would fail if it were asked
    placement_scan.main()
    assert capsys.readouterr().out.count("1 combinations, 0 disagreements") == 2
    assert len(table.read_text().splitlines()) == 2
