from __future__ import annotations

import math
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from tests.simulated_run import Run, effects_of, paper_catalogue, simulate, write_cell

from quantbench.contracts.cell_name import Cell
from quantbench.contracts.effect_rows import EffectRow
from quantbench.contracts.files import read_json, write_json
from quantbench.contracts.records import Sample, ScoredAnswer, read_records, write_records
from quantbench.errors import DataError
from quantbench.study.grid import run_cells

CELL = Cell("phi-4", "w8a16", "pubmedqa", "instruction", 0)
FULL = replace(CELL, precision="full")


def folder(run: Run, cell: Cell) -> Path:
    return run.results / "cells" / cell.folder


def effects(run: Run, cells: list[Cell] | None = None) -> list[EffectRow]:
    return effects_of(run, cells or run.cells)


def write_answers(run: Run, cell: Cell, right: list[bool]) -> None:
    """Give a yes/no/maybe cell these right and wrong answers, with the score that follows."""
    answers = [ScoredAnswer(str(k), "yes" if good else "no", True, "yes", good) for k, good in enumerate(right)]
    write_records(folder(run, cell) / "scored.jsonl", answers)
    scores = read_json(folder(run, cell) / "scores.json")
    write_json(folder(run, cell) / "scores.json", scores | {"value": sum(right) / len(right), "n": len(right)})


def of_own_documents(run: Run) -> None:
    """Each sample of PubMedQA is of a document of its own."""
    path = run.samples["pubmedqa"]
    samples = read_records(path, Sample)
    write_records(path, [replace(sample, group=sample.sample_id) for sample in samples])


def test_one_row_a_study_and_quantized_cell(run: Run) -> None:
    table = effects(run)
    assert len(table) == 2 * 3 * 2
    assert {row.precision for row in table} == {"w8a16", "w4a16"}
    assert {row.study for row in table} == {"grid"}


def test_a_pair_with_known_changes(run: Run) -> None:
    """30 samples: 20 right at full precision, of which 3 are lost; 1 of the others is gained."""
    write_answers(run, FULL, [k < 20 for k in range(30)])
    write_answers(run, CELL, [3 <= k < 21 for k in range(30)])
    found = effects(run, [FULL, CELL])[0]
    assert (found.lost, found.gained, found.flip_rate) == (3, 1, pytest.approx(4 / 30))
    assert found.difference == pytest.approx(-2 / 30)
    assert found.difference_low < -2 / 30 < found.difference_high
    assert found.mcnemar_p == pytest.approx(2 * (1 + 4) / 2**4)
    # The three lost samples are of one document and swapped together: every swap of two documents differs by 2 or 4 samples.
    assert found.permutation_p == pytest.approx(1.0)
    assert found.holm_p == found.permutation_p  # one comparison: nothing to correct
    assert (found.family, found.family_size) == ("grid, zero-shot", 1)
    assert found.verdict == "too few"
    assert (found.documents, found.unit) == (8, "document")  # four samples a document


def test_each_dataset_is_judged_by_its_margin_unless_the_run_has_one(run: Run) -> None:
    assert {row.margin for row in effects(run)} == {0.01}
    comparison = run.catalogue.run.comparison.model_copy(update={"margin": None})
    own = replace(run.catalogue, run=run.catalogue.run.model_copy(update={"comparison": comparison}))
    found = effects_of(replace(run, catalogue=own), run.cells)
    assert {row.dataset: row.margin for row in found} == {"pubmedqa": 0.02, "hoc": 0.03, "ncbi_disease": 0.02}
    for row in found:
        assert row.supported_margin == max(0.0, -row.difference_low)
        assert row.units_needed == math.ceil(row.documents * (row.smallest_detectable / row.margin) ** 2)


def test_full_precision_no_better_than_a_constant_answer_has_nothing_to_lose(run: Run) -> None:
    of_own_documents(run)
    write_answers(run, FULL, [True] * 30)
    write_answers(run, CELL, [False] * 30)
    scores = read_json(folder(run, FULL) / "scores.json")
    for low, expected in ((0.56, "degraded"), (0.55, "at chance")):
        write_json(folder(run, FULL) / "scores.json", scores | {"constant_value": 0.55, "interval": [low, 1.0]})
        assert effects(run, [FULL, CELL])[0].verdict == expected


def test_rare_labels_are_named_and_too_many_of_them_leave_no_verdict(run: Run) -> None:
    """30 samples of eight documents: no label of HoC is in ten."""
    found = next(row for row in effects(run) if row.dataset == "hoc")
    assert found.rare_labels is not None and len(found.rare_labels.split("; ")) == 10
    assert found.verdict == "too few"


def test_tables_of_before_verdicts_had_their_numbers_still_read(run: Run, tmp_path: Path) -> None:
    table = EffectRow.frame(effects(run)).drop(columns=["supported_margin", "units_needed", "degrees", "rare_labels"])
    table.assign(verdict="inconclusive").to_csv(tmp_path / "old.csv", index=False)
    (row, *_) = EffectRow.read(tmp_path / "old.csv")
    assert (row.verdict, row.supported_margin, row.units_needed) == ("inconclusive", None, None)


def test_cut_answers_and_lengths_of_both_sides_are_told(run: Run) -> None:
    for cell, cut, length in ((FULL, 0.02, 12.0), (CELL, 0.31, 48.0)):
        scores = read_json(folder(run, cell) / "scores.json")
        write_json(folder(run, cell) / "scores.json", scores | {"truncated_rate": cut, "mean_new_tokens": length})
    found = effects(run, [FULL, CELL])[0]
    assert (found.full_truncated_rate, found.truncated_rate) == (0.02, 0.31)
    assert (found.full_mean_new_tokens, found.mean_new_tokens) == (12.0, 48.0)


def test_equal_cells_differ_in_nothing_and_still_prove_little(run: Run) -> None:
    for name in ("scored.jsonl", "scores.json"):
        shutil.copy(folder(run, FULL) / name, folder(run, CELL) / name)
    of_own_documents(run)
    found = effects(run, [FULL, CELL])[0]
    assert (found.difference, found.flip_rate, found.permutation_p) == (0, 0, 1)
    assert found.verdict == "inconclusive"  # 30 samples cannot show a loss of 0.01
    assert found.smallest_detectable > 0.01


def test_an_answer_that_became_unreadable_is_a_flip(run: Run) -> None:
    write_answers(run, FULL, [False] * 30)
    write_answers(run, CELL, [False] * 30)
    answers = read_records(folder(run, CELL) / "scored.jsonl", ScoredAnswer)
    unreadable = [replace(answer, parsed=None, parsed_ok=False) for answer in answers[:6]]
    write_records(folder(run, CELL) / "scored.jsonl", [*unreadable, *answers[6:]])
    found = effects(run, [FULL, CELL])[0]
    assert (found.flip_rate, found.lost, found.gained) == (0.2, 0, 0)


def test_holm_corrects_within_the_families_of_each_study(repository: Path, tmp_path: Path) -> None:
    catalogue = paper_catalogue(
        repository,
        studies=["grid", "prompting"],
        models=["qwen2.5-72b"],
        datasets=["hoc"],
        comparison={"margin": 0.01, "resamples": 100, "confidence": 0.95},
    )
    cells = run_cells(catalogue)
    table = effects_of(Run(catalogue, tmp_path, cells, simulate(catalogue, tmp_path, n=40)), cells)
    families = {("grid", "zero-shot"): 2, ("prompting", "zero-shot"): 2, ("prompting", "other prompts"): 4}
    assert len(table) == sum(families.values())
    for (study, kind), count in families.items():
        rows = [row for row in table if row.family == f"{study}, {kind}"]
        assert len(rows) == count == rows[0].family_size
        assert {row.prompting for row in rows} <= (
            {"instruction"} if kind == "zero-shot" else {"cot", "self_consistency"}
        )
        assert min(row.holm_p for row in rows) == pytest.approx(min(1, count * min(row.permutation_p for row in rows)))
        assert all(row.mcnemar_p is None for row in rows)  # of whole answers, and the score is F1
    shared = [row for row in table if (row.prompting, row.precision) == ("instruction", "w4a16")]
    assert len(shared) == 2
    assert len({row.difference_low for row in shared}) == 1  # one pair, whichever study asks


def test_the_noise_floor_stands_beside_each_precision_of_its_cell(run: Run) -> None:
    """Other plans flip 2 and 3 of 30 answers at full precision; quantization flips 1 in one cell and 16 in the other."""
    other, floor, again = (replace(CELL, precision=name) for name in ("w4a16", "full-replanned", "full-replanned-2"))
    for repeat in (floor, again):
        write_cell(run.catalogue, run.results, repeat, ["yes"] * 30)
    write_answers(run, FULL, [k < 20 for k in range(30)])
    write_answers(run, floor, [k < 22 for k in range(30)])
    write_answers(run, again, [k < 17 for k in range(30)])
    write_answers(run, CELL, [k < 19 for k in range(30)])
    write_answers(run, other, [k < 4 for k in range(30)])
    table = effects(run, [*run.cells, floor, again])
    assert {row.precision for row in table} == {"w8a16", "w4a16"}  # the noise floor is no precision of its own
    here = [row for row in table if (row.model, row.dataset) == (CELL.model, CELL.dataset)]
    assert [row.noise_floor_flip_rate for row in here] == pytest.approx([2.5 / 30] * 2)
    assert [row.noise_floor_difference for row in here] == pytest.approx([-3 / 30] * 2)
    assert [(row.noise_floor_model, row.noise_floor_replicates) for row in here] == [(CELL.model, 2)] * 2
    p_values = {row.precision: row.noise_floor_p for row in here}
    # Document 4 has 1 flip of the one precision and 0 and 3 of the plans, document 5 has 0, 2 and 0: all but 0 and 0 reach 1.
    assert p_values["w8a16"] == pytest.approx(7 / 9)
    # Documents 1 to 3 have 4 flips of the other precision alone, document 4 has 4, 0 and 3: 16 is 12 and 4, and 12, 3 and 2 exceed it.
    assert p_values["w4a16"] == pytest.approx(1 / 81 + 1 / 243)
    assert {row.precision: row.within_noise_floor for row in here} == {"w8a16": True, "w4a16": False}
    assert [row.noise_floor_holm_p for row in here] == pytest.approx(
        [max(p_values.values()), 2 * min(p_values.values())]
    )


def test_a_model_without_a_noise_floor_is_told_that_of_the_nearest_in_size(run: Run) -> None:
    floor = replace(CELL, precision="full-replanned")
    write_cell(run.catalogue, run.results, floor, ["yes"] * 30)
    write_answers(run, FULL, [k < 20 for k in range(30)])
    write_answers(run, floor, [k < 22 for k in range(30)])
    for precision in ("w8a16", "w4a16"):
        write_answers(run, replace(CELL, precision=precision), [k < 20 for k in range(30)])
    table = effects(run, [*run.cells, floor])
    named = [row for row in table if row.dataset == CELL.dataset and row.model != CELL.model]
    assert named
    for row in named:
        assert (row.noise_floor_model, row.noise_floor_flip_rate) == (CELL.model, pytest.approx(2 / 30))
        assert (row.noise_floor_difference, row.noise_floor_p, row.within_noise_floor) == (None, None, None)
    elsewhere = [row for row in table if row.dataset != CELL.dataset]
    assert elsewhere
    assert {(row.noise_floor_model, row.noise_floor_flip_rate) for row in elsewhere} == {(None, None)}


def test_a_noise_floor_of_other_samples_is_refused(run: Run) -> None:
    floor = replace(CELL, precision="full-replanned")
    write_cell(run.catalogue, run.results, floor, ["yes"] * 30)
    write_answers(run, floor, [True] * 29)
    with pytest.raises(DataError, match=r"phi-4 full-replanned on pubmedqa .*\(29 and 30\)"):
        effects(run, [*run.cells, floor])


def test_a_pair_without_its_reference_is_left_out(run: Run) -> None:
    table = effects(run, [cell for cell in run.cells if cell != FULL])
    assert len(table) == 10
    assert ("phi-4", "pubmedqa") not in {(row.model, row.dataset) for row in table}


def test_no_pairs_make_an_empty_table(run: Run) -> None:
    assert effects(run, [FULL]) == []


def test_other_samples_than_at_full_precision_are_refused(run: Run) -> None:
    write_answers(run, CELL, [True] * 29)
    with pytest.raises(DataError, match=r"phi-4 w8a16 on pubmedqa .*\(29 and 30\)"):
        effects(run, [FULL, CELL])


def test_other_gold_answers_than_at_full_precision_are_refused(run: Run) -> None:
    """As where a dataset was mended and one of the two cells scored again: else its difference is that of the golds."""
    for cell in (FULL, CELL):
        write_answers(run, cell, [True] * 30)
    path = folder(run, CELL) / "scored.jsonl"
    first, *rest = read_records(path, ScoredAnswer)
    write_records(path, [replace(first, parsed="no", gold="no"), *rest])
    with pytest.raises(
        DataError, match=r"phi-4 w8a16 on pubmedqa .*: sample '0' was scored against the gold answer 'no'"
    ):
        effects(run, [FULL, CELL])


def test_a_gold_answer_that_is_no_label_is_named(repository: Path, tmp_path: Path) -> None:
    catalogue = paper_catalogue(repository, studies=["grid"], models=["phi-4"], datasets=["ddi2013"])
    ddi = Run(catalogue, tmp_path, run_cells(catalogue), simulate(catalogue, tmp_path, n=30))
    cell = replace(FULL, dataset="ddi2013")
    path = folder(ddi, cell) / "scored.jsonl"
    first, *rest = read_records(path, ScoredAnswer)
    write_records(path, [replace(first, gold="renamed"), *rest])
    with pytest.raises(DataError, match=r"scored\.jsonl: the gold answer 'renamed' is none of .*; delete it to have"):
        effects(ddi)


def test_a_score_that_does_not_follow_from_its_answers_is_refused(run: Run) -> None:
    path = folder(run, CELL) / "scores.json"
    write_json(path, read_json(path) | {"value": 0.123})
    with pytest.raises(DataError, match=r"scores\.json: the value 0\.123 does not follow"):
        effects(run)


def test_a_sample_the_dataset_does_not_have_is_refused(run: Run) -> None:
    path = run.samples["pubmedqa"]
    write_records(path, read_records(path, Sample)[1:])
    with pytest.raises(DataError, match=r"sample '0' is not in the dataset's samples\.jsonl"):
        effects(run)


def test_a_dataset_without_samples_is_refused(run: Run) -> None:
    run.samples["pubmedqa"].unlink()
    with pytest.raises(DataError, match=r"pubmedqa/samples\.jsonl: no such file"):
        effects(run, [FULL, CELL])


@pytest.mark.parametrize("cell", [FULL, CELL])
def test_the_scores_of_random_weights_say_nothing_about_a_precision(run: Run, cell: Cell) -> None:
    """Even the loss of every answer is none where one side of the pair is a stand-in."""
    of_own_documents(run)
    write_answers(run, FULL, [True] * 30)
    write_answers(run, CELL, [False] * 30)
    assert {(row.weights, row.verdict) for row in effects(run, [FULL, CELL])} == {("published", "degraded")}
    path = folder(run, cell) / "measurements.json"
    write_json(path, read_json(path) | {"weights": "random"})
    assert {(row.weights, row.verdict) for row in effects(run, [FULL, CELL])} == {("random", "at chance")}


def said_of_prompts(run: Run, cell: Cell, **manifest: object) -> None:
    """What a cell's manifest says of its prompts."""
    write_json(folder(run, cell) / "manifest.json", manifest)


@pytest.mark.parametrize(
    ("ours", "theirs", "words"),
    [
        ({"prompts_sha256": "a"}, {"prompts_sha256": "b"}, "texts or token ids"),
        ({"identity": {"prompts": "a"}}, {"identity": {"prompts": "b"}}, "texts"),
        ({"first_prompt_sha256": "a"}, {"first_prompt_sha256": "b"}, "the first prompt's text"),
        (
            {"identity": {"prompts": "a"}, "prompts_sha256": "x"},
            {"identity": {"prompts": "b"}, "first_prompt_sha256": "y"},
            "texts",
        ),
    ],
)
def test_cells_that_answered_other_prompts_are_refused_by_name(
    run: Run, ours: dict[str, object], theirs: dict[str, object], words: str
) -> None:
    said_of_prompts(run, FULL, end="2026-02-02T00:00:00+00:00", **ours)
    said_of_prompts(run, CELL, end="2026-02-01T00:00:00+00:00", **theirs)
    with pytest.raises(DataError) as refused:
        effects(run, [FULL, CELL])
    assert str(refused.value) == (
        f"{CELL.label}: not the prompts of {FULL.label} ({words} differ), so their answers are not compared; delete "
        f"{folder(run, CELL)}, the older one, and run again"
    )
    said_of_prompts(run, CELL, **ours)
    assert len(effects(run, [FULL, CELL])) == 1


PUBLISHED = {"chat": "as_published", "slips": {"ncbi_asks_for_chemicals": True}, "repeats": 3}


@pytest.mark.parametrize(
    ("ours", "theirs", "words"),
    [
        (None, PUBLISHED, "as published in the first alone"),
        (PUBLISHED, None, "as published in the second alone"),
        (PUBLISHED | {"repeats": 1}, PUBLISHED, "repeats 3 and 1"),
        (
            PUBLISHED | {"slips": {"ncbi_asks_for_chemicals": False}},
            PUBLISHED,
            "slips.ncbi_asks_for_chemicals True and False",
        ),
    ],
)
def test_cells_of_two_protocols_are_never_compared(run: Run, ours: object, theirs: object, words: str) -> None:
    """Even where their prompts are the same: they may have been sampled, or computed in another format."""
    for cell, protocol, end in ((FULL, ours, "2026-02-02"), (CELL, theirs, "2026-02-01")):
        stated = {} if protocol is None else {"protocol": protocol}
        said_of_prompts(run, cell, prompts_sha256="a", end=end, identity=stated)
    with pytest.raises(DataError) as refused:
        effects(run, [FULL, CELL])
    assert str(refused.value) == (
        f"{CELL.label}: not under the protocol of {FULL.label} (`protocol` of the configuration: {words}), so their answers are "
        f"never compared; give each protocol a run of its own, or delete {folder(run, CELL)}, the older one, and run again"
    )
    same = {} if ours is None else {"protocol": ours}
    said_of_prompts(run, CELL, prompts_sha256="a", identity=same)
    assert len(effects(run, [FULL, CELL])) == 1


def test_every_pair_of_other_prompts_is_named_at_once(run: Run) -> None:
    quantized = [cell for cell in run.cells if cell.precision != "full"]
    for cell in quantized:
        said_of_prompts(run, cell, prompts_sha256="b" * 64)
    with pytest.raises(DataError) as refused:
        effects(run)
    lines = str(refused.value).splitlines()
    assert [line.split(":")[0] for line in lines] == [cell.label for cell in quantized]


def test_a_noise_floor_of_other_prompts_is_refused(run: Run) -> None:
    floor = replace(CELL, precision="full-replanned")
    write_cell(run.catalogue, run.results, floor, ["yes"] * 30)
    said_of_prompts(run, floor, prompts_sha256="b" * 64)
    with pytest.raises(DataError, match=re.escape(f"{floor.label}: not the prompts of {FULL.label}")):
        effects(run, [*run.cells, floor])


def test_what_earlier_versions_did_not_record_is_not_held_against_a_cell(run: Run) -> None:
    said_of_prompts(run, FULL)
    assert len(effects(run, [FULL, CELL])) == 1
