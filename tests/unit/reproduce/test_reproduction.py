"""A run held against the paper: cells, figures, and the readings behind the claims."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.reproduced_run import HALF, make_run

from quantbench.config import Catalogue
from quantbench.contracts.prepared_dataset import PreparedDataset, SourceFile
from quantbench.contracts.run_tables import CellRow
from quantbench.errors import DataError
from quantbench.reproduce import CellBeside, Reproduction, reproduce
from quantbench.reproduce.reproduction import paper_facts


def whole(row: CellRow) -> dict[str, Any]:
    return {"n": paper_facts().test_items[row.dataset]}


def held(repository: Path, catalogue: Catalogue) -> Reproduction:
    return reproduce(repository, Path(catalogue.run_folder))


@pytest.fixture(scope="module")
def found(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Reproduction:
    """Three models on four datasets, two of the models published; scores as published equal to the published ones."""
    return held(repository, make_run(repository, tmp_path_factory.mktemp("results"), whole))


def only(found: Reproduction, model: str, precision: str, dataset: str) -> CellBeside:
    (one,) = [
        one for one in found.cells if (one.row.model, one.row.precision, one.row.dataset) == (model, precision, dataset)
    ]
    return one


def test_published_cells_are_compared_and_the_others_kept(found: Reproduction) -> None:
    assert (len(found.cells), len(found.compared), found.published) == (36, 24, 96)
    other = only(found, "llama3-med42-70b", "full", "hoc")
    assert (other.published, other.difference, other.inside, other.memory_ratio) == (None, None, None, None)


def test_cells_stand_in_display_order(found: Reproduction) -> None:
    shown = [(one.row.dataset, one.row.model, one.row.precision) for one in found.cells]
    assert shown[:3] == [("hoc", "llama-3.3-70b", name) for name in ("full", "w8a16", "w4a16")]
    assert list(dict.fromkeys(dataset for dataset, _, _ in shown)) == ["hoc", "ncbi_disease", "ddi2013", "pubmedqa"]


def test_equal_scores_lie_inside(found: Reproduction) -> None:
    one = only(found, "phi-4", "w4a16", "hoc")
    assert one.difference == pytest.approx(0) and one.inside is True and one.answer_noise == "bounded"
    assert (one.low, one.high) == (pytest.approx(-HALF - 0.0005), pytest.approx(HALF + 0.0005))
    assert one.memory_ratio == pytest.approx(one.row.memory_gib / 10.72)
    assert one.latency_ratio == pytest.approx(one.row.latency_mean_s / 1.45)


def test_a_score_further_away_than_chance_allows_lies_outside(repository: Path, tmp_path: Path) -> None:
    def away(row: CellRow) -> dict[str, Any]:
        columns = ("score_as_published", "score_as_published_low", "score_as_published_high")
        return whole(row) | {name: getattr(row, name) + 0.03 for name in columns}

    found = held(repository, make_run(repository, tmp_path, away))
    assert {one.inside for one in found.compared} == {False}
    assert only(found, "phi-4", "full", "hoc").difference == pytest.approx(0.03)
    figure2 = found.figures[0]
    assert "of 24 published scores 0 lie inside" in figure2.can
    assert "72 of its 96 published values have no cell in this run." in figure2.cannot


def test_repeats_of_a_model_on_a_dataset_tell_the_noise_of_all_its_precisions(repository: Path, tmp_path: Path) -> None:
    def sampled(row: CellRow) -> dict[str, Any]:
        spread = {"full": 0.01, "w8a16": 0.02}.get(row.precision)
        drawn = row.model == "llama-3.3-70b" and spread is not None
        return whole(row) | ({"repeats": 3, "score_as_published_sd": spread} if drawn else {})

    found = held(repository, make_run(repository, tmp_path, sampled))
    cells = [only(found, "llama-3.3-70b", name, "hoc") for name in ("full", "w8a16")]
    assert {one.answer_noise for one in cells} == {"measured"}
    pooled = (0.5 * (0.01**2 + 0.02**2)) ** 0.5
    reach = 2**0.5 * 2.776445105 * pooled + 0.0005  # t of 4 degrees of freedom
    assert [one.high for one in cells] == [pytest.approx(reach), pytest.approx(reach)]
    assert only(found, "phi-4", "full", "hoc").answer_noise == "bounded"


def test_sampling_without_repeats_widens_the_bound(repository: Path, tmp_path: Path) -> None:
    protocol = {"decoding": "of_model"}
    catalogue = make_run(repository, tmp_path, whole, protocol=protocol, inference={"engine": "single"})
    one = only(held(repository, catalogue), "phi-4", "full", "hoc")
    assert one.high == pytest.approx(2**0.5 * HALF + 0.0005)


def test_of_other_texts_no_item_is_shared(repository: Path, tmp_path: Path) -> None:
    catalogue = make_run(repository, tmp_path, whole)
    file = SourceFile(name="test.tsv", sha256="a" * 64, rows=315)
    description = PreparedDataset(
        dataset="hoc", files={"test": file}, limit=None, seed=1, samples=315, label_counts={}, shots=0
    )
    description.write(Path(catalogue.run_folder) / "datasets/hoc/dataset.json")
    found = held(repository, catalogue)
    one = only(found, "phi-4", "full", "hoc")
    assert one.high == pytest.approx(2**0.5 * HALF + 0.0005), "items and answers, both by the bootstrap"
    assert [one.run for one in found.departures if one.point == "texts"] == ["other files (HoC)"]


def test_figures_say_what_is_published_and_what_is_not(found: Reproduction) -> None:
    numbers = {one.figure: (one.cells, one.published, one.measured, one.compared) for one in found.figures}
    assert numbers == {
        "Figure 2": (96, 96, 24, 24),
        "Figure 3": (48, 0, 9, 0),
        "Figure 4": (60, 12, 0, 0),
        "Figure 5": (60, 12, 0, 0),
        "Figure 6": (18, 6, 0, 0),
    }
    assert all(not one.can for one in found.figures[1:])
    assert "this run has 9 of them" in found.figures[1].cannot


def test_a_claim_about_scores_is_read_under_both_scorings(found: Reproduction) -> None:
    names = {finding.claim.words: list(finding.evidence) for finding in found.findings}
    assert names["Quantization preserves performance across tasks."] == [
        "Table 1",
        "this run, scored as published",
        "this run",
    ]
    assert names["Quantization reduces GPU memory by up to 75%."] == ["Table 1", "this run"]


def test_scores_as_published_repeat_what_table_1_shows(found: Reproduction) -> None:
    """They are equal in this run: so is the evidence, of the models and datasets that the run has."""
    (finding,) = [one for one in found.findings if one.claim.words == "Llama-3.3-70B W8A16 loses score."]
    assert finding.evidence["this run, scored as published"].speaks_for == ("It loses on HoC -0.107, DDI2013 -0.074.",)


def test_tables_of_earlier_versions_have_no_score_as_published(repository: Path, tmp_path: Path) -> None:
    unknown = {f"score_as_published{end}": None for end in ("", "_low", "_high")}
    found = held(repository, make_run(repository, tmp_path, lambda _: {"published_metric": None, **unknown}))
    assert not found.scored_as_published
    assert {one.difference for one in found.compared} == {None}
    assert [one.scoring for one in found.readings] == ["published", "ours"]
    assert found.compared[0].memory_ratio is not None


def test_without_tables_the_way_to_make_them_is_said(repository: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no tables/configuration\.json there; run snakemake first"):
        reproduce(repository, tmp_path)
    (tmp_path / "run.yaml").touch()
    with pytest.raises(DataError, match=r"run snakemake --cores 2 --configfile .*run\.yaml first"):
        reproduce(repository, tmp_path)
