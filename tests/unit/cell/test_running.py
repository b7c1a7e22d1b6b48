"""One cell end to end with a real model: contracts, and a restart that ends as an unbroken run does."""

import json
import re
import resource
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.tiny_tokenizers import LLAMA3_DATED
from tokenizers import AddedToken, Tokenizer, processors

from quantbench.cell import running as runner
from quantbench.cell.prepared_cell import CellFolders
from quantbench.cell.running import run_cell
from quantbench.config import Catalogue, load
from quantbench.contracts.cell_name import Cell
from quantbench.contracts.files import read_json, write_json
from quantbench.contracts.prepared_dataset import PreparedDataset
from quantbench.contracts.records import Sample, write_records
from quantbench.engine.generation import Generator
from quantbench.errors import DataError, ModelError
from quantbench.measure.energy import EnergyWindow
from quantbench.models.loading import load_model
from quantbench.models.tokenizing import load_tokenizer
from quantbench.models.weight_sizes import weight_bytes
from quantbench.study.spec import cell_spec

CELL = Cell("random", "full", "ddi2013", "instruction", 0)
SAMPLES = [Sample(str(number), {"sentence": f"@DRUG$ {'and ' * number}@DRUG$"}, "DDI-int", "d") for number in range(10)]
Run = Callable[..., Path]


@pytest.fixture
def catalogue(repository: Path, tmp_path: Path, random_model) -> Catalogue:
    settings = yaml.safe_load((repository / "config/config.yaml").read_text())
    settings |= {
        "inference": {"max_batch_size": 3, "max_new_tokens": 8},
        "measurement": {"latency_samples": 4, "warmup": 1, "fixed_samples": 3},
        "hardware": {"device": "cpu", "threads": 1},
    }
    loaded = load(repository, settings, "test")
    facts = random_model.architecture.model_copy(update={"context_length": 4096})
    folder = shutil.copytree(str(random_model.folder), tmp_path / "model")
    loaded.models["random"] = random_model.model_copy(update={"architecture": facts, "folder": str(folder)})
    config = folder / "config.json"
    write_json(config, read_json(config) | {"max_position_embeddings": 4096})
    return loaded


@pytest.fixture
def run(catalogue: Catalogue, tmp_path: Path) -> Run:
    data = tmp_path / "data"
    write_records(data / "samples.jsonl", SAMPLES)
    write_records(data / "shots.jsonl", [])
    PreparedDataset(
        dataset="ddi2013", files={}, limit=None, seed=0, samples=len(SAMPLES), label_counts={}, shots=0
    ).write(data / "dataset.json")

    def start(name: str, cell: Cell = CELL, **inference: Any) -> Path:
        folder = tmp_path / name
        settings = catalogue.run.model_copy(update={"inference": catalogue.run.inference.model_copy(update=inference)})
        run_cell(
            cell_spec(replace(catalogue, run=settings), cell),
            CellFolders(data, folder / "out", folder / "progress", tmp_path / "leases"),
            gpus=0,
        )
        return folder

    return start


@pytest.mark.parametrize("precision", ["full", "w8a16", "w4a16"])
def test_the_weights_are_weighed_as_loaded(run: Run, catalogue: Catalogue, precision: str) -> None:
    """Not after the first answers, by which bitsandbytes has moved part of what it keeps beside the weights."""
    measured = read_json(run("weighed", replace(CELL, precision=precision)) / "out/measurements.json")
    model, folder = catalogue.models["random"], Path(str(catalogue.models["random"].folder))
    loaded = load_model(folder, model, catalogue.precisions[precision], load_tokenizer(folder), "cpu")
    assert measured["weight_bytes"] == measured["held_weight_bytes"] == weight_bytes(loaded.model)


def test_contracts(run: Run) -> None:
    out = run("a") / "out"
    predictions = [json.loads(line) for line in (out / "predictions.jsonl").read_text().splitlines()]
    assert [prediction["sample_id"] for prediction in predictions] == [sample.sample_id for sample in SAMPLES]
    assert all(len(prediction["outputs"]) == 1 for prediction in predictions)
    measured = read_json(out / "measurements.json")
    assert len(measured["latency"]["samples"]) == 4
    assert all(0 < item["first_token_s"] <= item["latency_s"] for item in measured["latency"]["samples"])
    fixed = measured["latency"]["fixed"]
    assert fixed["new_tokens"] == 8  # the cell's limit, below the 64 that are set
    assert [item["sample_id"] for item in fixed["samples"]] == [
        item["sample_id"] for item in measured["latency"]["samples"][:3]
    ]
    assert all(item["new_tokens"] == len(item["token_times_s"]) == 8 for item in fixed["samples"])
    energy = measured["energy"]  # a CPU's counters may or may not be readable here
    assert (energy["energy_j"] is None) == bool(energy["reason"])
    manifest = read_json(out / "manifest.json")
    assert set(manifest["model"]["files"]) >= {"config.json", "model.safetensors", "tokenizer.json"}
    assert (manifest["resumed"], manifest["precision_applied"]["dtype"]) == (0, "float32")


def test_a_restart_after_a_crash_ends_as_an_unbroken_run(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = (run("whole") / "out/predictions.jsonl").read_bytes()
    generated: list[int] = []
    append = runner.Progress.append

    def crash_after_two(self: Any, answers: Any) -> None:
        append(self, answers)
        generated.append(len(answers))
        if len(generated) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(runner.Progress, "append", crash_after_two)
    with pytest.raises(KeyboardInterrupt):
        run("broken")
    folder = run("broken")
    assert (folder / "out/predictions.jsonl").read_bytes() == whole
    assert sum(generated) == len(SAMPLES)  # nothing was generated twice
    assert read_json(folder / "out/manifest.json")["resumed"] == 1
    assert not list((folder / "progress").glob("*.predictions.jsonl"))


class JouleAnAnswer:
    """A counter that moves by one joule for each answer that is generated, kept or not."""

    source = "rapl"
    ranges_uj = (None,)
    generated = 0

    def read_uj(self) -> list[int]:
        return [1_000_000 * type(self).generated]

    def idle_power_w(self) -> None:
        return None


@pytest.mark.parametrize(("killed_in", "covered"), [("generating", 10), ("keeping", 7)])
def test_a_killed_cell_states_the_energy_of_all_its_starts(
    run: Run, monkeypatch: pytest.MonkeyPatch, killed_in: str, covered: int
) -> None:
    """Batches of 3, 3, 3 and 1. Killed while it generates the third, only that batch's joules are lost; killed between the second's
    answers and its joules, these are."""
    monkeypatch.setattr(JouleAnAnswer, "generated", 0)
    monkeypatch.setattr(runner, "energy_window", lambda _: EnergyWindow(JouleAnAnswer()))
    answer, append, calls = Generator.answer, runner.Progress.append, {"generating": 0, "keeping": 0}

    def generating(self: Generator, batch: Any) -> Any:
        JouleAnAnswer.generated += len(batch)
        calls["generating"] += 1
        if killed_in == "generating" and calls["generating"] == 3:
            raise KeyboardInterrupt
        return answer(self, batch)

    def keeping(self: Any, answers: Any) -> None:
        append(self, answers)
        calls["keeping"] += 1
        if killed_in == "keeping" and calls["keeping"] == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(Generator, "answer", generating)
    monkeypatch.setattr(runner.Progress, "append", keeping)
    with pytest.raises(KeyboardInterrupt):
        run("killed")
    out = run("killed") / "out"
    measured, manifest = read_json(out / "measurements.json"), read_json(out / "manifest.json")
    assert manifest["resumed"] == 1
    assert (measured["energy"]["energy_j"], measured["energy"]["samples"]) == (pytest.approx(covered), covered)
    assert measured["quality_pass"]["samples"] == covered
    assert manifest["energy"] == measured["energy"]


@contextmanager
def files_limited_to(size: int) -> Iterator[None]:
    """A limit of the system on the size of files this process writes, as a full disk or a quota sets one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_disk_that_is_full_for_the_last_files_loses_nothing(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = run("whole", likelihoods=False) / "out"
    sizes = {path.name: path.stat().st_size for path in whole.iterdir()}
    *_, second, largest = sorted(sizes.values())
    assert (largest, largest > second + 500) == (
        sizes["manifest.json"],
        True,
    )  # the last one does not fit, all others do
    with files_limited_to((largest + second) // 2), pytest.raises(DataError) as full:
        run("full", likelihoods=False)
    assert (
        "out/manifest.json: not written (larger than the file system or a limit of the process allows); raise the limit (ulimit -f)"
        in str(full.value)
    )
    folder = whole.parents[1] / "full"
    assert not [path.name for path in (folder / "out").iterdir() if "manifest" in path.name]
    monkeypatch.setattr("quantbench.models.loading.load_model", lambda *_: pytest.fail("the model was loaded again"))
    run("full", likelihoods=False)
    assert (folder / "out/predictions.jsonl").read_bytes() == (whole / "predictions.jsonl").read_bytes()
    again, first = read_json(folder / "out/manifest.json"), read_json(whole / "manifest.json")
    assert again.keys() == first.keys()
    assert (again["resumed"], again["batches_generated"]) == (1, first["batches_generated"])
    assert read_json(folder / "out/measurements.json").keys() == read_json(whole / "measurements.json").keys()


def test_batches_that_were_halved_before_a_crash_are_in_the_manifest(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = Generator.answer
    refused = {"first": True}

    def short_of_memory(self: Generator, batch: Any) -> Any:
        if refused["first"] and len(batch) > 1:
            refused["first"] = False
            raise MemoryError
        return answer(self, batch)

    monkeypatch.setattr(Generator, "answer", short_of_memory)
    append = runner.Progress.append
    monkeypatch.setattr(runner.Progress, "append", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        run("halved")
    monkeypatch.setattr(runner.Progress, "append", append)
    manifest = read_json(run("halved") / "out/manifest.json")
    assert [len(batch) for batch in manifest["halved_batches"]] == [3]
    assert manifest["resumed"] == 1


def test_a_sample_that_does_not_fit_alone_says_what_would(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left(self: Generator, batch: Any) -> Any:
        raise MemoryError("tried to allocate 3.00 GiB")

    monkeypatch.setattr(Generator, "answer", none_left)
    with pytest.raises(ModelError) as short:
        run("short")
    assert re.fullmatch(
        r"random full on ddi2013 \(instruction, 0 shots\): out of memory at batch size 1, sample 9 with a prompt of \d+ tokens: "
        r"asked for 3.00 GiB, .* GiB are free \(tried to allocate 3.00 GiB\); .* \(--cores\), or choose a smaller precision or "
        r"model; by the memory planner such a sample takes 0.0 GiB at full, .*0.0 GiB at w4a16, .*",
        str(short.value),
    )


def test_continuous_batching_answers_alike_and_resumes(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = (run("static") / "out/predictions.jsonl").read_bytes()
    monkeypatch.setattr("quantbench.engine.kinds.continuous._KEEP_EVERY_S", 0.0)
    append = runner.Progress.append
    kept: list[int] = []

    def crash_after_four(self: Any, answers: Any) -> None:
        append(self, answers)
        kept.append(len(answers))
        if sum(kept) == 4:
            raise KeyboardInterrupt

    monkeypatch.setattr(runner.Progress, "append", crash_after_four)
    with pytest.raises(KeyboardInterrupt):
        run("continuous", engine="continuous")
    folder = run("continuous", engine="continuous")
    assert (folder / "out/predictions.jsonl").read_bytes() == whole
    assert sum(kept) == len(SAMPLES)  # what was kept was not answered again
    assert read_json(folder / "out/measurements.json")["quality_pass"]["engine"] == "continuous"
    assert "10 samples, 4 of them finished by an earlier start" in capsys.readouterr().err


def test_too_long_prompts_are_refused_before_the_model_loads(
    run: Run, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("quantbench.models.loading.load_model", lambda *_: pytest.fail("the model was loaded"))
    config = Path(str(catalogue.models["random"].folder)) / "config.json"
    write_json(config, read_json(config) | {"max_position_embeddings": 64})
    facts = catalogue.models["random"].architecture.model_copy(update={"context_length": 64})
    catalogue.models["random"] = catalogue.models["random"].model_copy(update={"architecture": facts})
    with pytest.raises(ModelError, match="exceeds the context of 64"):
        run("long")
    assert not list((tmp_path / "long").rglob("*.json*"))


def test_a_cell_that_goes_on_after_midnight_keeps_what_it_has(
    run: Run, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The template asks for the day, and in the two zones it is never the same one."""
    folder = Path(str(catalogue.models["random"].folder))
    (folder / "chat_template.jinja").write_text(LLAMA3_DATED, encoding="utf-8")
    catalogue.models["random"] = catalogue.models["random"].model_copy(update={"chat_template": "tokenizer"})
    append, generated = runner.Progress.append, []

    def crash_after_two(self: Any, answers: Any) -> None:
        append(self, answers)
        generated.append(len(answers))
        if len(generated) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(runner.Progress, "append", crash_after_two)
    try:
        monkeypatch.setenv("TZ", "Etc/GMT+12")
        time.tzset()
        with pytest.raises(KeyboardInterrupt):
            run("broken")
        monkeypatch.setenv("TZ", "Etc/GMT-14")
        time.tzset()
        full = read_json(run("broken") / "out/manifest.json")
        quantized = read_json(run("quantized", replace(CELL, precision="w4a16")) / "out/manifest.json")
    finally:
        monkeypatch.delenv("TZ")
        time.tzset()
    assert full["resumed"] == 1
    assert sum(generated) == 2 * len(SAMPLES)  # of two cells, and nothing twice
    assert full["prompt_date"] == "2024-07-26"
    assert full["prompts_sha256"] == quantized["prompts_sha256"]


def test_padding_without_embedding_and_an_end_token_after_texts_do_no_harm(run: Run, catalogue: Catalogue) -> None:
    plain = (run("plain") / "out/predictions.jsonl").read_bytes()
    folder = Path(str(catalogue.models["random"].folder))
    whole = Tokenizer.from_file(str(folder / "tokenizer.json"))
    end = ("</s>", whole.token_to_id("</s>"))
    whole.add_special_tokens([AddedToken("[PAD]", special=True)])
    assert whole.token_to_id("[PAD]") >= catalogue.models["random"].architecture.vocab_size
    whole.post_processor = processors.TemplateProcessing(single="$A </s>", pair="$A </s> $B </s>", special_tokens=[end])
    whole.save(str(folder / "tokenizer.json"))
    padding = {
        "tokenizer_config.json": {"pad_token": "[PAD]"},
        "config.json": {"pad_token_id": whole.token_to_id("[PAD]")},
    }
    for name, stated in padding.items():
        write_json(folder / name, read_json(folder / name) | stated)
    assert (run("odd") / "out/predictions.jsonl").read_bytes() == plain
