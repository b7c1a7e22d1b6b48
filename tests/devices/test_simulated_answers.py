"""Everything that is computed of a model on one simulated device and on two: the CPU's results, token for token."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quantbench.contracts.records import Prediction
from quantbench.contracts.sample_scores import SampleScores
from quantbench.engine.decoding_settings import GenerationSettings
from quantbench.engine.divergence import KnownTokens
from quantbench.engine.generation import Generator
from quantbench.engine.kinds.continuous import answer_continuously
from quantbench.engine.ledger import Asked, Ledger
from quantbench.errors import ModelError
from quantbench.models.loading import LoadedModel

from .conftest import SimulatedCuda
from .simulated_models import demo_model, prompts
from .simulated_tensor import Machine

MIB = 2**20


@dataclass(frozen=True)
class Placed:
    """A model on simulated devices."""

    machine: Machine
    loaded: LoadedModel


@pytest.fixture(scope="module")
def on_cpu(repository: Path) -> LoadedModel:
    return demo_model(repository, "cpu")


@pytest.fixture(scope="module", params=[1, 2])
def placed(
    request: pytest.FixtureRequest, on_cpu: LoadedModel, repository: Path, simulated_cuda: SimulatedCuda
) -> Iterator[Placed]:
    with simulated_cuda(request.param, 4.0) as machine:
        yield Placed(machine, demo_model(repository, "cuda", request.param))


def answered(loaded: LoadedModel, settings: GenerationSettings, **options: Any) -> list[Prediction]:
    return Generator(loaded, settings, **options).answer(prompts(loaded))


def alone(loaded: LoadedModel) -> list[Prediction]:
    generator = Generator(loaded, GenerationSettings(6))
    return [one for request in prompts(loaded)[:2] for one in generator.answer([request])]


def behind_what_all_share(loaded: LoadedModel, chains: int = 1) -> list[Prediction]:
    sampled = GenerationSettings(4, chains, 0.7, 1) if chains > 1 else GenerationSettings(6)
    generator, requests = Generator(loaded, sampled), prompts(loaded)
    assert generator.share_prefix(requests) > 60
    # The second batch is answered in the first one's memory.
    return generator.answer(requests[:3]) + generator.answer(requests[3:])


@pytest.mark.parametrize(
    "answers",
    [
        lambda loaded: answered(loaded, GenerationSettings(6)),
        alone,
        behind_what_all_share,
        lambda loaded: answered(loaded, GenerationSettings(4, 3, 0.7, 1)),
        lambda loaded: behind_what_all_share(loaded, 3),
        lambda loaded: answered(loaded, GenerationSettings(3, 2, 0.7, 1, decoding="sampled")),
        lambda loaded: answered(loaded, GenerationSettings(3, 1, 0.7, 1, decoding="of_model")),
        lambda loaded: answered(loaded, GenerationSettings(14), completes=lambda _, text: True),
    ],
    ids=["batch", "single", "prefix", "chains", "prefix of chains", "sampled", "of model", "early"],
)
def test_the_answers_of_the_cpu(
    on_cpu: LoadedModel, placed: Placed, answers: Callable[[LoadedModel], list[Prediction]]
) -> None:
    held = list(placed.machine.live)
    assert answers(placed.loaded) == answers(on_cpu)
    gc.collect()
    assert placed.machine.live == held  # nothing but the weights
    assert all(peak > now for peak, now in zip(placed.machine.peak, held, strict=True))


def test_the_likelihoods_of_the_cpu(on_cpu: LoadedModel, placed: Placed) -> None:
    requests = prompts(on_cpu)
    written = Ledger(Asked())
    Generator(on_cpu, GenerationSettings(6), ledger=written).answer(requests)
    options = [[11, 12, 13], [11, 14], [15]]
    other = {one.sample_id: [KnownTokens.of(one.written)] for one in written.take()}
    # Of some samples it is what they write themselves, of the others it is read behind their prompts.
    reference = dict(zip(other, [*list(other.values())[:3], *list(other.values())[:2]], strict=True))
    asked = Asked({request.sample_id: options for request in requests}, reference)

    def scores(loaded: LoadedModel) -> list[SampleScores]:
        generator = Generator(loaded, GenerationSettings(6), ledger=Ledger(asked))
        generator.share_prefix(requests)
        generator.answer(requests)
        return generator.take_scores()

    for found, expected in zip(scores(placed.loaded), scores(on_cpu), strict=True):
        assert found.reference is not None and found.options is not None
        np.testing.assert_array_equal(found.written.tokens, expected.written.tokens)
        np.testing.assert_allclose(found.options, expected.options, atol=1e-5)
        np.testing.assert_allclose(found.reference.divergences, expected.reference.divergences, atol=1e-5)


def test_timing(on_cpu: LoadedModel, placed: Placed) -> None:
    request = prompts(on_cpu)[0]
    waited = list(placed.machine.synchronized)
    for length in (None, 5):
        own, expected = (
            Generator(one, GenerationSettings(6)).time_one(request, length) for one in (placed.loaded, on_cpu)
        )
        assert (len(own.token_at), own.new_tokens) == (len(expected.token_at), expected.new_tokens)
    assert all(now >= before + 5 for before, now in zip(waited, placed.machine.synchronized, strict=True))


def test_scores_are_checked(placed: Placed) -> None:
    generator, request = Generator(placed.loaded, GenerationSettings(4)), prompts(placed.loaded)[0]
    generator.check_numbers(request)
    norm = dict(placed.loaded.model.named_parameters())["model.norm.weight"]
    kept = norm.detach().clone()
    norm.data.fill_(float("nan"))
    try:
        with pytest.raises(ModelError, match=r"not finite numbers, since the weights of model.norm hold some"):
            generator.check_numbers(request)
        with pytest.raises(ModelError, match="not finite numbers"):
            generator.answer([request])
    finally:
        norm.data.copy_(kept)


def test_continuous_batching(on_cpu: LoadedModel, placed: Placed) -> None:
    generator, requests = Generator(placed.loaded, GenerationSettings(6)), prompts(on_cpu)
    if len(placed.machine.limits) > 1:
        with pytest.raises(ModelError, match="needs the model on one GPU, and it is spread over"):
            list(answer_continuously(generator, requests, 4096, "cell"))
        return
    held = list(placed.machine.live)
    placed.machine.limits[0] = held[0] + 400 * MIB  # its cache takes nearly all that is free
    try:
        found = {one.sample_id: one for one in answer_continuously(generator, requests, 4096, "cell")}
    finally:
        placed.machine.limits[0] = 4 * 1024 * MIB
    assert [found[request.sample_id] for request in requests] == answered(on_cpu, GenerationSettings(6))
    gc.collect()
    assert placed.machine.live == held
    assert placed.machine.peak[0] > held[0] + 200 * MIB
