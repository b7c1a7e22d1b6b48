"""Memory that runs out on a simulated device: at each moment a message or smaller batches, and nothing held afterwards."""

from __future__ import annotations

import gc
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from quantbench.config import ModelEntry, PrecisionEntry, read_entries
from quantbench.contracts.checksums import file_hashes
from quantbench.contracts.files import read_json
from quantbench.contracts.machine import DeviceFacts
from quantbench.contracts.model_folder import MadeWith
from quantbench.contracts.records import Prediction
from quantbench.engine.batches import Request
from quantbench.engine.by_plan import answer_halving
from quantbench.engine.decoding_settings import GenerationSettings
from quantbench.engine.generation import Generator
from quantbench.engine.kinds.continuous import answer_continuously
from quantbench.engine.ledger import Asked, Ledger
from quantbench.errors import ModelError
from quantbench.models.broken_numbers import broken_numbers
from quantbench.models.loading import LoadedModel
from quantbench.models.quantizing import Source, quantize_model
from quantbench.store.places import MANIFEST

from .conftest import SimulatedCuda
from .simulated_models import demo_model, prompts
from .simulated_tensor import Machine

MIB = 2**20


@dataclass(frozen=True)
class Placed:
    """A model on one simulated device of 4 GiB."""

    machine: Machine
    loaded: LoadedModel
    weights: int

    @contextmanager
    def room(self, size: int) -> Iterator[None]:
        """So many bytes beside the weights; afterwards nothing but these is alive."""
        self.machine.limits[0] = self.weights + size
        try:
            yield
        finally:
            self.machine.limits[0] = 4096 * MIB
        assert self.alive() == 0

    def alive(self) -> int:
        """Bytes beside the weights."""
        gc.collect()
        return self.machine.live[0] - self.weights

    def peak(self, generator: Generator, batch: list[Request]) -> int:
        """Most bytes beside the weights while a batch is answered."""
        self.machine.peak[0] = self.machine.live[0]
        generator.answer(batch)
        return self.machine.peak[0] - self.weights


@pytest.fixture(scope="module")
def placed(repository: Path, simulated_cuda: SimulatedCuda) -> Iterator[Placed]:
    with simulated_cuda(1, 4.0) as machine:
        loaded = demo_model(repository, "cuda")
        yield Placed(machine, loaded, machine.live[0])


def halving(generator: Generator, batch: list[Request], halved: list[int]) -> list[Prediction]:
    return answer_halving(generator.answer, batch, lambda ids: halved.append(len(ids)), lambda tokens: "try less")


def test_a_batch_is_halved_until_it_fits(placed: Placed) -> None:
    generator, requests = Generator(placed.loaded, GenerationSettings(3)), prompts(placed.loaded, 6)
    expected = generator.answer(requests)
    room = placed.peak(generator, requests[3:]) + MIB // 4
    halved: list[int] = []
    with placed.room(room):
        assert halving(generator, requests, halved) == expected
    assert halved == [6]


def test_a_batch_behind_a_shared_prefix_is_halved(placed: Placed) -> None:
    requests, halved = prompts(placed.loaded, 6), []
    generator = Generator(placed.loaded, GenerationSettings(3))
    expected = generator.answer(requests)
    generator.share_prefix(requests)
    room = placed.peak(generator, requests[3:]) + MIB // 8
    generator = Generator(placed.loaded, GenerationSettings(3))
    with placed.room(room):
        generator.share_prefix(requests)
        assert halving(generator, requests, halved) == expected
        del generator
    assert halved == [6]


def test_a_sample_that_does_not_fit_alone_is_named(placed: Placed) -> None:
    generator, request = Generator(placed.loaded, GenerationSettings(3)), prompts(placed.loaded)[4]
    with placed.room(MIB // 4), pytest.raises(ModelError) as refused:
        halving(generator, [request], [])
    tokens = len(request.token_ids)
    assert re.fullmatch(
        rf"out of memory at batch size 1, sample 4 with a prompt of {tokens} tokens on GPU 0: asked for \d\.\d\d GiB, "
        r"0\.00 of \d\.\d GiB are free \(CUDA out of memory\. Tried to allocate .*\); give it a GPU .*; try less",
        str(refused.value),
    )


def test_reading_beside_the_answers_gives_way_to_them(placed: Placed) -> None:
    requests = prompts(placed.loaded, 4)
    options = [[5, 6, 7, *range(20 + n, 180 + n)] for n in range(3)]
    asked = Asked({request.sample_id: options for request in requests})

    def generator() -> Generator:
        return Generator(placed.loaded, GenerationSettings(3), ledger=Ledger(asked))

    expected = generator().answer(requests)
    room = placed.peak(Generator(placed.loaded, GenerationSettings(3), ledger=Ledger(Asked())), requests) + MIB // 8
    with placed.room(room):
        short = generator()
        assert short.answer(requests) == expected
        scores = short.take_scores()
        del short
    assert [len(one.written.tokens) for one in scores] == [one.new_tokens[0] for one in expected]
    assert [one.options for one in scores] == [None] * len(requests)


def test_scores_of_a_chain_that_fails_are_noted_once(placed: Placed) -> None:
    """Settings of the model answer one request after another; of those answered before one fails, nothing is kept."""
    requests = prompts(placed.loaded, 4)
    settings = GenerationSettings(2, 1, 0.7, 1, decoding="of_model")
    longest = max(requests, key=lambda request: len(request.token_ids))
    generator = Generator(placed.loaded, settings, ledger=Ledger(Asked()))
    room = placed.peak(generator, [longest]) - 4096
    generator.take_scores()
    with placed.room(room), pytest.raises(ModelError, match="batch size 1, sample 3"):
        halving(generator, requests, [])
    assert [one.sample_id for one in generator.take_scores()] == ["0", "1", "2"]


@pytest.mark.parametrize(
    ("room", "said"),
    [
        (MIB // 8, "Tried to allocate"),  # the prompt that is looked at first
        (20 * MIB, "num_sectors"),  # no block fits
    ],
)
def test_no_room_for_continuous_batching(placed: Placed, room: int, said: str) -> None:
    generator, requests = Generator(placed.loaded, GenerationSettings(3)), prompts(placed.loaded)
    longest = max(len(request.token_ids) for request in requests)
    with placed.room(room), pytest.raises(ModelError) as refused:
        list(answer_continuously(generator, requests, 1, "m full on d"))
    words = str(refused.value)
    begin = f"m full on d: out of memory in continuous batching with prompts of up to {longest} tokens"
    assert words.startswith(begin) and words.endswith("and inference.engine: static takes less")
    assert said in words and "GiB" in words


def test_memory_taken_away_while_continuous_batching_runs(placed: Placed) -> None:
    """Somebody else takes what its thread was to compute with."""
    generator, requests = Generator(placed.loaded, GenerationSettings(8)), prompts(placed.loaded)

    def taken(*_: object) -> None:
        if threading.current_thread() is not threading.main_thread():
            placed.machine.limits[0] = placed.machine.live[0]

    with placed.room(400 * MIB), pytest.raises(ModelError) as refused:
        stream = answer_continuously(generator, requests, 1, "m full on d")
        with placed.loaded.model.get_output_embeddings().register_forward_hook(taken):
            list(stream)
    assert "m full on d: out of memory in continuous batching" in str(refused.value)
    assert "Tried to allocate" in str(refused.value)


def test_broken_numbers_are_explained_beside_a_full_device(placed: Placed, monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking for the damaged weight takes no memory worth the name."""
    monkeypatch.setattr("quantbench.models.broken_numbers._AT_ONCE", 1 << 12)
    generator, request = Generator(placed.loaded, GenerationSettings(1)), prompts(placed.loaded)[0]
    room = placed.peak(generator, [request])
    norm = dict(placed.loaded.model.named_parameters())["model.norm.weight"]
    kept, largest = norm.detach().cpu(), max(part.numel() for part in placed.loaded.model.parameters())
    norm.data.fill_(float("nan"))
    explained = broken_numbers

    def beside_a_batch(loaded: LoadedModel) -> str:
        placed.machine.limits[0] = placed.machine.live[0] + largest // 2
        return explained(loaded)

    monkeypatch.setattr("quantbench.engine.generation.broken_numbers", beside_a_batch)
    try:
        with placed.room(room), pytest.raises(ModelError, match=r"since the weights of model\.norm hold some"):
            halving(generator, [request], [])
    finally:
        norm.data.copy_(kept)


def test_memory_that_runs_out_while_a_checkpoint_is_written(
    placed: Placed, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Quantizing itself is loading; bitsandbytes' layers are no simulated tensors, so a model at full precision stands in."""
    entry = read_entries(repository / "config/models", ModelEntry)["tiny-m"]
    precision = read_entries(repository / "config/precisions", PrecisionEntry)["w8a16"]
    folder = repository / str(entry.folder)
    source = Source("tiny-m", entry, folder, None, file_hashes(folder))
    made_with = MadeWith(device=DeviceFacts(kind="cuda", names=["simulated"]), python="3.11", packages={})
    monkeypatch.setattr("quantbench.models.quantizing.load_model", lambda *_, **__: placed.loaded)
    own = placed.loaded.model.generation_config
    quantize_model(source, precision, tmp_path / "whole", "cuda", made_with)
    assert read_json(tmp_path / "whole" / MANIFEST)["made_on"] == "cuda"

    def short(*_: object, **__: object) -> None:
        raise MemoryError("Unable to allocate 4.6 GiB")

    monkeypatch.setattr(placed.loaded.model, "save_pretrained", short)
    # Of the host's memory, not of the GPU's.
    said = r"^tiny-m: out of memory while writing .* at precision '.*': .* GiB are free \(Unable to allocate 4.6 GiB\); end other"
    with pytest.raises(ModelError, match=said):
        quantize_model(source, precision, tmp_path / "short", "cuda", made_with)
    assert not (tmp_path / "short").exists()
    placed.loaded.model.generation_config = own
