from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.simulated_run import Run, tables_of

from quantbench.contracts.cell_name import Cell
from quantbench.contracts.effect_rows import EffectRow
from quantbench.contracts.files import read_json
from quantbench.contracts.run_tables import CellRow
from quantbench.errors import DataError
from quantbench.tables import cells_table

CELL = Cell("phi-4", "w8a16", "pubmedqa", "instruction", 0)


def edit(results: Path, name: str, *keys: str, value: Any = None, remove: bool = False) -> Path:
    """Change or remove one field of one JSON file of :data:`CELL`."""
    path = results / "cells" / CELL.folder / name
    document = json.loads(path.read_text())
    inner = document
    for key in keys[:-1]:
        inner = inner[key]
    if remove:
        del inner[keys[-1]]
    else:
        inner[keys[-1]] = value
    path.write_text(json.dumps(document))
    return path


def row(run: Run) -> CellRow:
    return cells_table(run.catalogue.vocabulary, run.results, [CELL])[0]


def latencies(*seconds: float) -> list[dict[str, Any]]:
    return [
        {"sample_id": str(k), "latency_s": s, "first_token_s": s / 4, "prompt_tokens": 10 * (k + 1), "new_tokens": 6}
        for k, s in enumerate(seconds)
    ]


def test_one_row_a_cell_in_the_order_given(run: Run) -> None:
    table = cells_table(run.catalogue.vocabulary, run.results, run.cells)
    assert [row.cell for row in table] == run.cells
    assert len(run.cells) == 2 * 3 * 3


def test_latency_is_derived_from_the_raw_values(run: Run) -> None:
    edit(run.results, "measurements.json", "latency", "samples", value=latencies(1.0, 2.0, 6.0))
    found = row(run)
    assert found.latency_mean_s == pytest.approx(3.0)
    assert found.latency_sd_s == pytest.approx(np.sqrt(7))
    assert found.first_token_mean_s == pytest.approx(0.75)
    assert found.tokens_per_s == pytest.approx(18 / 9)
    assert found.prompt_tokens_mean == pytest.approx(20)


def test_percentiles_stay_empty_where_n_is_too_small_and_the_note_says_so(run: Run) -> None:
    edit(run.results, "measurements.json", "latency", "samples", value=latencies(*[1.0] * 20))
    found = row(run)
    assert found.latency_p50_s == 1.0
    assert found.latency_p90_s is None
    assert found.latency_note == "n too small: p90 needs 64, p95 needs 130, p99 needs 662"


def test_one_latency_has_no_standard_deviation(run: Run) -> None:
    edit(run.results, "measurements.json", "latency", "samples", value=latencies(1.5))
    assert row(run).latency_sd_s is None


def test_memory_on_a_gpu_is_the_peak_allocated(run: Run) -> None:
    edit(run.results, "measurements.json", "memory", "inference", "peak_allocated_bytes", value=3 * 2**30)
    found = row(run)
    assert (found.memory_gib, found.memory_kind) == (3.0, "peak allocated")


def test_memory_on_a_cpu_is_the_models_own_bytes(run: Run) -> None:
    edit(run.results, "measurements.json", "device", value={"kind": "cpu", "names": ["Xeon"]})
    edit(run.results, "measurements.json", "weight_bytes", value=2**28)
    found = row(run)
    assert (found.memory_gib, found.memory_kind, found.device) == (0.25, "model bytes", "CPU (Xeon)")


def test_equal_devices_are_counted(run: Run) -> None:
    edit(run.results, "measurements.json", "device", value={"kind": "cuda", "names": ["A100", "A100", "H100"]})
    assert row(run).device == "2 x A100 + H100"


def test_unknown_energy_stays_unknown_with_its_reason(run: Run) -> None:
    found = row(run)
    assert found.energy_j is None
    assert found.energy_note == "unavailable: no GPU in use"


def test_parameters_of_a_known_model(run: Run) -> None:
    """Qwen2.5-3B has 3.09 billion weights (its model card)."""
    assert run.catalogue.models["qwen2.5-3b"].counted.parameters == pytest.approx(3.09e9, rel=0.005)


def test_a_missing_field_names_file_and_field(run: Run) -> None:
    path = edit(run.results, "measurements.json", "memory", "inference", "peak_resident_bytes", remove=True)
    with pytest.raises(DataError) as caught:
        row(run)
    assert str(path) in str(caught.value)
    assert "memory.inference.peak_resident_bytes" in str(caught.value)


def test_a_gpu_cell_without_a_peak_is_refused(run: Run) -> None:
    edit(run.results, "measurements.json", "memory", "inference", "peak_allocated_bytes", value=None)
    with pytest.raises(DataError, match="peak_allocated_bytes is null although the device is cuda"):
        row(run)


def test_no_latency_at_all_is_refused(run: Run) -> None:
    edit(run.results, "measurements.json", "latency", "samples", value=[])
    with pytest.raises(DataError, match=r"latency\.samples is empty"):
        row(run)


def test_a_truncated_file_is_refused_by_name(run: Run) -> None:
    path = run.results / "cells" / CELL.folder / "scores.json"
    path.write_text(path.read_text()[:40])
    with pytest.raises(DataError, match=r"scores\.json, line 3: malformed JSON"):
        row(run)


def test_cut_answers_and_their_length_stand_beside_full_precisions(run: Run) -> None:
    edit(run.results, "scores.json", "truncated_rate", value=0.31)
    edit(run.results, "scores.json", "mean_new_tokens", value=48.0)
    table = {row.cell: row for row in tables_of(run).cells}
    full, other = table[replace(CELL, precision="full")], table[CELL]
    assert (full.truncated_rate, full.mean_new_tokens) == (0.0, 20.0)
    assert (full.truncated_difference, full.new_tokens_difference) == (None, None)
    assert (other.truncated_rate, other.truncated_difference) == (0.31, 0.31)
    assert (other.mean_new_tokens, other.new_tokens_difference) == (48.0, 28.0)


def test_what_predictions_did_not_say_stays_empty(run: Run) -> None:
    for name in ("truncated_rate", "mean_new_tokens"):
        edit(run.results, "scores.json", name, remove=True)
    found = {row.cell: row for row in tables_of(run).cells}[CELL]
    assert (found.truncated_rate, found.truncated_difference) == (None, None)
    assert (found.mean_new_tokens, found.new_tokens_difference) == (None, None)


def test_a_table_of_before_these_columns_is_read(run: Run, tmp_path: Path) -> None:
    later = ["truncated_rate", "truncated_difference", "mean_new_tokens", "new_tokens_difference"]
    table = tables_of(run).cells
    CellRow.frame(table).drop(columns=later).to_csv(tmp_path / "cells.csv", index=False)
    assert [row.cell for row in CellRow.read(tmp_path / "cells.csv")] == [row.cell for row in table]


def test_a_table_comes_back_as_it_was_written(run: Run, tmp_path: Path) -> None:
    table = [row.model_copy(update={"model": "NA", "title": 'a "b", c'}) for row in tables_of(run).cells]
    CellRow.write(tmp_path / "cells.csv", table)
    back = CellRow.read(tmp_path / "cells.csv")
    for one, other in zip(table, back, strict=True):
        assert (other.cell, other.title, other.latency_note) == (one.cell, one.title, one.latency_note)
        assert (other.demonstration, other.latency_p99_s, other.n) == (one.demonstration, one.latency_p99_s, one.n)
        assert (other.score, other.memory_gib) == pytest.approx((one.score, one.memory_gib), rel=1e-9)
    CellRow.write(tmp_path / "again.csv", back)
    assert (tmp_path / "again.csv").read_bytes() == (tmp_path / "cells.csv").read_bytes()
    assert [path.name for path in tmp_path.glob("*.part")] == []


def test_a_table_reads_the_same_in_pandas(run: Run, tmp_path: Path) -> None:
    """Readers use pandas; numbers, truth values and blanks mean the same there."""
    table = tables_of(run).effects
    EffectRow.write(tmp_path / "effects.csv", table)
    frame = pd.read_csv(tmp_path / "effects.csv")
    assert list(frame.columns) == list(EffectRow.model_fields)
    assert frame["difference"].to_numpy() == pytest.approx([row.difference for row in table], rel=1e-9)
    assert frame["noise_floor_flip_rate"].isna().all()


def test_an_empty_table_keeps_its_columns(tmp_path: Path) -> None:
    CellRow.write(tmp_path / "cells.csv", [])
    assert (tmp_path / "cells.csv").read_text() == ",".join(CellRow.model_fields) + "\n"
    assert CellRow.read(tmp_path / "cells.csv") == []


def test_a_missing_table_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"cells\.csv: no such file"):
        CellRow.read(tmp_path / "cells.csv")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (",score,", ",marks,", "line 2: key 'score' is missing"),
        (",instruction,", ",shouting,", "line 2: key 'prompting' has the value 'shouting'"),
    ],
)
def test_a_table_that_is_not_this_one_is_refused_by_line(
    old: str, new: str, message: str, run: Run, tmp_path: Path
) -> None:
    path = tmp_path / "cells.csv"
    CellRow.write(path, [row(run)])
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(DataError, match=r"cells\.csv, line 2") as caught:
        CellRow.read(path)
    assert message in str(caught.value)


def test_contended_latency_names_who_contended(run: Run) -> None:
    assert row(run).contended_by is None
    others = [{"pid": 77, "name": "python", "used_bytes": 5}, {"pid": 78, "name": "unknown", "used_bytes": None}]
    edit(run.results, "measurements.json", "latency", "contended_by", value=others)
    assert row(run).contended_by == "python (pid 77); unknown (pid 78)"


def test_the_score_as_published_stands_beside_ours(run: Run) -> None:
    edit(run.results, "scores.json", "as_published", "value", value=0.25)
    edit(run.results, "scores.json", "as_published", "interval", value=[0.2, 0.3])
    before, found = read_json(run.results / "cells" / CELL.folder / "scores.json"), row(run)
    assert (found.published_metric, found.score_as_published) == ("case_sensitive_accuracy", 0.25)
    assert (found.score_as_published_low, found.score_as_published_high) == (0.2, 0.3)
    assert (found.metric, found.score) == ("accuracy", before["value"])


def test_repeats_show_their_spread(run: Run) -> None:
    assert (row(run).repeats, row(run).score_sd, row(run).score_as_published_sd) == (1, None, None)
    edit(run.results, "scores.json", "repeats", value=[0.5, 0.6, 0.7])
    edit(run.results, "scores.json", "as_published", "repeats", value=[0.25, 0.25, 0.31])
    found = row(run)
    assert found.repeats == 3
    assert found.score_sd == pytest.approx(0.1)
    assert found.score_as_published_sd == pytest.approx(0.06 / 3**0.5)


def test_scores_and_tables_of_before_it_are_read(run: Run, tmp_path: Path) -> None:
    edit(run.results, "scores.json", "as_published", remove=True)
    found = row(run)
    assert (found.published_metric, found.score_as_published, found.score_as_published_low) == (None, None, None)
    CellRow.write(tmp_path / "cells.csv", [found])
    older = pd.read_csv(tmp_path / "cells.csv", dtype=str, keep_default_na=False)
    new = [name for name in older if "as_published" in name or name == "published_metric"]
    assert len(new) == 5
    older.drop(columns=new).to_csv(tmp_path / "cells.csv", index=False)
    (again,) = CellRow.read(tmp_path / "cells.csv")
    assert again.cell == found.cell
    assert again.score_as_published is None
