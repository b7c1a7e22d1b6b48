"""A run with a model that was published quantized, from its cells to the report: it is shown, and compared with nothing."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
import yaml
from tests.reported_run import make_report, make_reported

from quantbench.config.settings import read_yaml
from quantbench.contracts.effect_rows import EffectRow
from quantbench.contracts.run_tables import CellRow, EfficiencyRow
from quantbench.recommend.from_run import tables_evidence

NARROW = {
    "run": "own",
    "models": ["phi-4", "phi-4-gptq"],
    "precisions": ["full", "w4a16", "as_published"],
    "datasets": ["hoc", "medqa"],
    "studies": ["grid"],
}


@pytest.mark.filterwarnings("error")
def test_it_is_in_tables_and_report_and_in_no_comparison(repository: Path, tmp_path: Path, monkeypatch) -> None:
    shutil.copytree(repository / "config", tmp_path / "config")
    entry = read_yaml(repository / "config/models/phi-4.yaml") | {"title": "Phi-4 GPTQ", "precision": "as_published"}
    (tmp_path / "config/models/phi-4-gptq.yaml").write_text(yaml.safe_dump(entry))
    monkeypatch.chdir(tmp_path)
    catalogue = make_reported(tmp_path, tmp_path / "results", n=12, **NARROW)
    page = make_report(catalogue).read_text()
    results = Path(catalogue.run_folder)
    own = [row.precision for row in CellRow.read(results / CellRow.path) if row.model == "phi-4-gptq"]
    assert own == ["as_published"] * 2
    assert {row.model for row in EffectRow.read(results / EffectRow.path)} == {"phi-4"}
    ratios = [row for row in EfficiencyRow.read(results / EfficiencyRow.path) if row.model == "phi-4-gptq"]
    assert [row.memory_ratio for row in ratios] == [None, None]
    assert "as published: weights that were published quantized" in (results / "tables/table1.md").read_text()
    text = " ".join(re.sub(r"<[^>]*>", " ", page).split())
    assert "Phi-4 GPTQ" in text
    forest = (results / "figures/effects.svg").read_text()
    assert "Phi-4 GPTQ" not in forest and "Missing" not in forest
    evidence = tables_evidence(catalogue.vocabulary, catalogue.run, results)
    titles = {one.title for candidates in evidence.candidates.values() for one in candidates}
    assert "Phi-4 GPTQ" in titles
