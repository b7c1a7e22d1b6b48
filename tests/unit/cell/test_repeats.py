"""A cell run as the paper's authors ran theirs: sampled by the model's own settings, repeated, every answer timed."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from quantbench.cell import running as runner
from quantbench.cell.prepared_cell import CellFolders
from quantbench.cell.running import run_cell
from quantbench.config import ModelEntry, load
from quantbench.contracts.cell_name import Cell
from quantbench.contracts.files import read_json, write_json
from quantbench.contracts.manifest import Manifest
from quantbench.contracts.measurements import Measurements
from quantbench.contracts.prepared_dataset import PreparedDataset
from quantbench.contracts.records import Prediction, Sample, read_records, repeat_files, write_records
from quantbench.engine.batches import Request
from quantbench.engine.generation import Generator
from quantbench.errors import ModelError
from quantbench.study.spec import cell_spec

CELL = Cell("random", "full", "ddi2013", "instruction", 0)
SAMPLES = [Sample(str(number), {"sentence": f"@DRUG$ {'and ' * number}@DRUG$"}, "DDI-int", "d") for number in range(6)]
SAMPLED = {"do_sample": True, "top_p": 0.95}
Run = Callable[..., Path]


@pytest.fixture
def run(repository: Path, tmp_path: Path, random_model: ModelEntry) -> Run:
    data = tmp_path / "data"
    write_records(data / "samples.jsonl", SAMPLES)
    write_records(data / "shots.jsonl", [])
    PreparedDataset(
        dataset="ddi2013", files={}, limit=None, seed=0, samples=len(SAMPLES), label_counts={}, shots=0
    ).write(data / "dataset.json")
    settings = yaml.safe_load((repository / "config/config.yaml").read_text())
    settings["hardware"] = {"device": "cpu", "threads": 1}
    settings["inference"] = {"engine": "single", "stop_early": False, "max_new_tokens": 8}

    def start(name: str, published: dict[str, object], cell: Cell = CELL, **protocol: object) -> Path:
        model = tmp_path / f"model of {name}"
        if not model.exists():
            shutil.copytree(str(random_model.folder), model)
            write_json(model / "config.json", read_json(model / "config.json") | {"max_position_embeddings": 4096})
            write_json(model / "generation_config.json", {"eos_token_id": 2} | published)
        given = {"decoding": "of_model", "timing": "whole_pass", "repeats": 3} | protocol
        catalogue = load(repository, settings | {"protocol": given}, "test")
        facts = random_model.architecture.model_copy(update={"context_length": 4096})
        catalogue.models["random"] = random_model.model_copy(update={"architecture": facts, "folder": str(model)})
        folder = tmp_path / name
        paths = CellFolders(data, folder / "out", folder / "progress", tmp_path / "leases")
        run_cell(cell_spec(catalogue, cell), paths, gpus=0)
        return folder / "out"

    return start


def outputs(path: Path) -> list[list[str]]:
    return [one.outputs for one in read_records(path, Prediction)]


def without_times(path: Path) -> list[tuple[Any, ...]]:
    return [(one.sample_id, one.outputs, one.new_tokens, one.finish_reason) for one in read_records(path, Prediction)]


def test_a_sampled_cell_answers_each_sample_from_each_seed(run: Run) -> None:
    out = run("sampled", SAMPLED)
    paths = [out / "predictions.jsonl", *repeat_files(out)]
    assert [path.name for path in paths] == ["predictions.jsonl", "repeat_2.jsonl", "repeat_3.jsonl"]
    answers = [outputs(path) for path in paths]
    assert all(len(one) == len(SAMPLES) for one in answers)
    assert answers[0] != answers[1] != answers[2] != answers[0]
    manifest = Manifest.read(out / "manifest.json")
    assert manifest.decoding is not None
    assert manifest.decoding.seeds == [2509, 2510, 2511]
    assert manifest.decoding.settings == {"do_sample": True, "temperature": 0.7, "top_p": 0.95}
    assert manifest.outputs.keys() == {"measurements.json", *(path.name for path in paths)}
    assert manifest.identity["protocol"]["decoding"] == "of_model"  # type: ignore[index,call-overload]


def test_another_seed_is_another_repeat(run: Run) -> None:
    """The second answers of a run are the first of a run whose seed is one higher."""
    out = run("sampled", SAMPLED)
    once = run("once", SAMPLED, repeats=1)
    assert not repeat_files(once)
    assert without_times(once / "predictions.jsonl") == without_times(out / "predictions.jsonl")


def test_a_greedy_cell_answers_once(run: Run) -> None:
    out = run("greedy", {})
    assert [path.read_bytes() for path in repeat_files(out)] == [b"", b""]
    manifest = Manifest.read(out / "manifest.json")
    assert manifest.decoding is not None and not manifest.decoding.sampled
    assert without_times(out / "predictions.jsonl") == without_times(
        run("sound", {}, decoding="greedy", repeats=1) / "predictions.jsonl"
    )


def test_every_answer_is_timed_without_warm_up(run: Run) -> None:
    out = run("timed", SAMPLED)
    answers = read_records(out / "predictions.jsonl", Prediction)
    readings = Measurements.read(out / "measurements.json")
    assert readings.latency.warmup == 0
    assert [one.latency_s for one in answers if one.latency_s and one.latency_s > 0] == [
        one.latency_s for one in sorted(readings.latency.samples, key=lambda one: int(one.sample_id))
    ]
    assert all(one.first_token_s is None for one in readings.latency.samples)
    assert readings.memory.inference.peak_resident_bytes > 0


def test_the_time_of_several_chains_is_the_last_ones(run: Run) -> None:
    cell = Cell("random", "full", "ddi2013", "self_consistency", 0)
    out = run("chains", SAMPLED, cell, repeats=1)
    readings = Measurements.read(out / "measurements.json").latency.samples
    answers = {one.sample_id: one for one in read_records(out / "predictions.jsonl", Prediction)}
    assert all(len(one.outputs) == 5 for one in answers.values())
    assert all(one.new_tokens == answers[one.sample_id].new_tokens[-1] for one in readings)


@pytest.mark.parametrize("batches", [2, 8, 14])
def test_a_restart_ends_as_an_unbroken_run(run: Run, monkeypatch: pytest.MonkeyPatch, batches: int) -> None:
    """Killed among the first, the second or the third answers."""
    whole = run("whole", SAMPLED)
    generated: list[int] = []
    append = runner.Progress.append

    def crash(self: Any, answers: Any) -> None:
        append(self, answers)
        generated.append(len(answers))
        if len(generated) == batches:
            raise KeyboardInterrupt

    monkeypatch.setattr(runner.Progress, "append", crash)
    with pytest.raises(KeyboardInterrupt):
        run("broken", SAMPLED)
    out = run("broken", SAMPLED)
    for name in ("predictions.jsonl", "repeat_2.jsonl", "repeat_3.jsonl"):
        assert without_times(out / name) == without_times(whole / name)
    assert sum(generated) == 3 * len(SAMPLES)  # nothing was generated twice
    assert not list((out.parent / "progress").glob("*.jsonl"))


@pytest.mark.parametrize("batches", [3, 8])
def test_what_was_measured_while_answering_outlives_a_kill(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, batches: int
) -> None:
    """Killed among the first answers, the largest so far is answered again for the peak; among the second, nothing is measured
    again."""
    answered: list[tuple[str, int]] = []
    append, answer = runner.Progress.append, Generator.answer

    def crash(self: Any, answers: Any) -> None:
        append(self, answers)
        if len(answered) == batches:
            raise KeyboardInterrupt

    def note(self: Generator, batch: Sequence[Request]) -> list[Prediction]:
        answered.append((batch[0].sample_id, self.settings.seed))
        return answer(self, batch)

    monkeypatch.setattr(runner.Progress, "append", crash)
    monkeypatch.setattr(Generator, "answer", note)
    with pytest.raises(KeyboardInterrupt):
        run("broken", SAMPLED, repeats=2)
    before = answered[:]
    found = list((tmp_path / "broken/progress").glob("*.measurements.json"))
    readings = Measurements.read(run("broken", SAMPLED, repeats=2) / "measurements.json")
    again = [one for one in answered[batches:] if one in before]
    if batches < len(SAMPLES):
        assert not found and again == [max(before, key=lambda one: int(one[0]))]
    else:
        assert len(found) == 1 and not again
        assert readings.quality_pass.samples == len(SAMPLES)
    assert set(answered) == {(one.sample_id, seed) for one in SAMPLES for seed in (2509, 2510)}


@pytest.mark.parametrize("torn", ["predictions", "repeat2.predictions"])
def test_answers_lost_before_the_last_files_are_given_again(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, torn: str
) -> None:
    whole = run("whole", SAMPLED, repeats=2)

    def crash(*_: object) -> None:
        raise OSError("killed")

    with monkeypatch.context() as patch, pytest.raises(OSError):
        patch.setattr(runner, "write_cell", crash)
        run("broken", SAMPLED, repeats=2)
    [path] = (tmp_path / "broken/progress").glob(f"????????????????.{torn}.jsonl")
    path.write_bytes(path.read_bytes()[:-40])
    out = run("broken", SAMPLED, repeats=2)
    for name in ("predictions.jsonl", "repeat_2.jsonl"):
        assert without_times(out / name) == without_times(whole / name)


@pytest.mark.parametrize("timing", ["whole_pass", "apart"])
def test_settings_that_nothing_can_answer_by_are_one_line(run: Run, timing: str) -> None:
    with pytest.raises(
        ModelError, match=r"^random full on ddi2013 [^\n]*top_k[^\n]*generation_config\.json[^\n]*greedy[^\n]*$"
    ):
        run(f"refused {timing}", SAMPLED | {"top_k": -3}, timing=timing)


def test_fewer_repeats_leave_no_old_ones(run: Run) -> None:
    assert len(repeat_files(run("fewer", SAMPLED))) == 2
    assert not repeat_files(run("fewer", SAMPLED, repeats=1))
