"""Rows stop one by one, at the same token in every batch, and what was generated before is what it would have been."""

from pathlib import Path

import pytest
import torch

from quantbench.cell.requests import Request, build_prompts
from quantbench.config import ModelEntry, load, load_datasets, read_entries
from quantbench.config.entries import PrecisionEntry
from quantbench.config.settings import read_yaml
from quantbench.contracts.cell_name import Cell
from quantbench.contracts.records import Sample, read_records
from quantbench.datasets import prepare
from quantbench.engine.decoding import Decoder
from quantbench.engine.decoding_settings import GenerationSettings
from quantbench.engine.generation import Generator
from quantbench.engine.stopping import AnswerCheck, LineWatch, RowStops
from quantbench.models.loading import LoadedModel, load_model
from quantbench.models.tokenizing import load_tokenizer
from quantbench.study.spec import cell_spec
from quantbench.tasks import get
from quantbench.tasks.origin import Origin

TEXTS = ["Text: aspirin", "Which label applies? Text:", "a", "yes no maybe yes", "Answer: C; Answer:", "fever;"]
SAMPLE = Sample("0", {"sentence": "@DRUG$ raises the level of @DRUG$ ."}, "DDI-mechanism", "d")


@pytest.fixture(scope="module")
def loaded(random_model: ModelEntry, repository: Path) -> LoadedModel:
    folder = Path(str(random_model.folder))
    full = read_entries(repository / "config/precisions", PrecisionEntry)["full"]
    return load_model(folder, random_model, full, load_tokenizer(folder), "cpu")


@pytest.fixture(scope="module")
def requests(loaded: LoadedModel) -> list[Request]:
    return [Request(str(number), text, loaded.tokenizer(text)["input_ids"]) for number, text in enumerate(TEXTS)]


@pytest.mark.parametrize("settings", [GenerationSettings(40), GenerationSettings(40, 4, 1.5, seed=3)])
def test_rows_stop_by_themselves_whatever_their_batch(loaded, requests, settings: GenerationSettings) -> None:
    whole = Generator(loaded, settings).answer(requests)
    engine = Generator(loaded, settings, lambda _, text: True)  # the first line break or colon ends an answer
    stopped = engine.answer(requests)
    assert stopped == [engine.answer([request])[0] for request in requests]
    assert engine.answer(requests[::-1])[::-1] == stopped
    engine.share_prefix([requests[0], Request("x", "", [*requests[0].token_ids, 5])])
    assert engine.answer([requests[0]]) == [stopped[0]]
    early = 0
    for answer, full in zip(stopped, whole, strict=True):
        for chain, (text, other) in enumerate(zip(answer.outputs, full.outputs, strict=True)):
            ends = [place for place, char in enumerate(other) if char in ":\n"]
            if not ends:
                assert (text, answer.new_tokens[chain]) == (other, full.new_tokens[chain])
                continue
            early += 1
            assert other.startswith(text.rstrip("\ufffd"))
            assert len(text) > ends[0]
            assert answer.finish_reason[chain] == "stop"
            assert answer.new_tokens[chain] <= full.new_tokens[chain]
    assert 0 < early < sum(len(answer.outputs) for answer in stopped)


def test_checks_see_their_own_request(loaded, requests) -> None:
    chosen = {"0"}
    engine = Generator(loaded, GenerationSettings(40), lambda request, _: request.sample_id in chosen)
    reasons = {answer.sample_id: answer.finish_reason for answer in engine.answer(requests)}
    assert {sample_id for sample_id, reason in reasons.items() if reason == ["stop"]} == chosen


def test_latency_is_measured_to_the_end(loaded, requests) -> None:
    engine = Generator(loaded, GenerationSettings(40), lambda _, text: True)
    assert engine.answer([requests[0]])[0].new_tokens[0] < 40
    assert engine.time_one(requests[0]).new_tokens == 40


@pytest.mark.parametrize(
    ("reasoned", "output", "kept"),
    [
        (False, " DDI-int\n\nSentence: @DRUG$ and @DRUG$\nClass: DDI-false", " DDI-int\n\nSentence:"),
        (False, " DDI-int", None),
        (True, " Perhaps DDI-int.\n\nSentence: so what?\nFinal answer:", None),
        (
            True,
            " Levels rise.\nFinal answer: DDI-mechanism\n\nSentence: a",
            " Levels rise.\nFinal answer: DDI-mechanism\n\n",
        ),
    ],
)
def test_token_by_token_with_a_real_tokenizer_and_task(
    repository: Path, reasoned: bool, output: str, kept: str
) -> None:
    folder = next(path.parent for path in sorted((repository / "resources/demo/models").glob("*/tokenizer.json")))
    tokenizer = load_tokenizer(folder)
    check = AnswerCheck(get(load_datasets(repository)["ddi2013"]), {"0": SAMPLE}, Origin(reasoned=reasoned))
    request = Request("0", "Sentence: x\nClass:", [1, 2, 3])
    decode = Decoder(tokenizer)
    stops = RowStops([lambda text: check(request, text)] * 2, 3, decode, LineWatch(decode))
    tokens = tokenizer(output, add_special_tokens=False)["input_ids"]
    other = tokenizer(" DDI-int and", add_special_tokens=False)["input_ids"][:1] * len(tokens)
    for count in range(1, len(tokens) + 1):
        ended = stops(torch.tensor([[1, 2, 3, *tokens[:count]], [1, 2, 3, *other[:count]]]), None)
        if ended[0]:
            break
    length = stops.lengths[0]
    if kept is None:
        assert (length, ended.tolist()) == (None, [False, False])
    else:
        assert tokenizer.decode(tokens[:length]) == kept
        assert ended.tolist() == [True, False]


def test_outputs_that_run_on_are_read_alike_from_each_of_their_beginnings(repository: Path, tmp_path: Path) -> None:
    """The demo's trained model with its end token taken away, so that it runs on as base models do."""
    demo = read_yaml(repository / "config/config.yaml") | read_yaml(repository / "config/demo.yaml")
    catalogue = load(repository, demo, "demo")
    name = catalogue.run.models[-1]
    folder, entry = repository / str(catalogue.models[name].folder), catalogue.models[name]
    tokenizer = load_tokenizer(folder)
    model = load_model(folder, entry, catalogue.precisions["full"], tokenizer, "cpu")
    generator = Generator(model, GenerationSettings(80))
    generator.model.generation_config.eos_token_id = None
    read = 0
    for dataset, prompting in [("ddi2013", "instruction"), ("hoc", "cot"), ("medqa", "cot"), ("ncbi_disease", "cot")]:
        data, source = tmp_path / dataset, repository / "resources/demo/datasets" / dataset
        prepare(catalogue.datasets[dataset], dataset, source, 6, 1, data)
        cell = Cell(name, "full", dataset, prompting, 0)
        requests = build_prompts(cell_spec(catalogue, cell), data, tokenizer).requests
        task = get(catalogue.datasets[dataset])
        samples = {sample.sample_id: sample for sample in read_records(data / "samples.jsonl", Sample)}
        for answer in generator.answer(requests):
            sample, whole = samples[answer.sample_id], answer.outputs[0] + "\n\nSentence: more"
            ends = [place for place in range(len(whole)) if task.answer_end(whole[:place], sample) is not None]
            expected = task.parse(whole, sample)
            assert all(task.parse(whole[:place], sample) == expected for place in ends)
            read += expected.ok
    assert read > 8
