"""The ledger of likelihoods against plain forward passes of transformers, in float32."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.tiny_checkpoints import save_checkpoint
from transformers import AutoModelForCausalLM

from quantbench.config import ModelEntry, PrecisionEntry, read_entries
from quantbench.contracts.likelihoods import TOP
from quantbench.contracts.sample_scores import SampleScores, TokenScores
from quantbench.engine import given_tokens
from quantbench.engine.batches import Request
from quantbench.engine.by_plan import answer_halving
from quantbench.engine.decoding_settings import GenerationSettings
from quantbench.engine.divergence import KnownTokens
from quantbench.engine.generation import Generator
from quantbench.engine.given_tokens import Prompted
from quantbench.engine.ledger import Asked, Ledger
from quantbench.models.loading import load_model
from quantbench.models.tokenizing import load_tokenizer

SHARED = "Which label applies? Text: aspirin lowers fever; "
TEXTS = [SHARED + text for text in ("a", "warfarin does not. Labels:", "yes no maybe yes", "Answer: C; Answer:")]
EXACT = 1e-5
# Scores of the random model lie tens of nats apart, and so do what two orders of summing make of them.
WIDE = 5e-4
GREEDY = GenerationSettings(max_new_tokens=9)
CHAINS = GenerationSettings(max_new_tokens=9, chains=3, temperature=0.9, seed=7)
LETTERS = [[70], [71], [72]]
NAMES = [[40, 41, 42], [40, 43], [40, 41, 44, 45]]


@pytest.fixture(scope="module")
def full(repository: Path) -> PrecisionEntry:
    return read_entries(repository / "config/precisions", PrecisionEntry)["full"]


@pytest.fixture(scope="module")
def requests(random_model: ModelEntry) -> list[Request]:
    tokenizer = load_tokenizer(Path(str(random_model.folder)))
    return [Request(str(number), text, tokenizer(text)["input_ids"]) for number, text in enumerate(TEXTS)]


def engine(entry: ModelEntry, precision: PrecisionEntry, settings: GenerationSettings, asked: Asked) -> Generator:
    folder = Path(str(entry.folder))
    loaded = load_model(folder, entry, precision, load_tokenizer(folder), "cpu")
    return Generator(loaded, settings, ledger=Ledger(asked))


def answered(generator: Generator, batch: list[Request]) -> list[SampleScores]:
    generator.answer(batch)
    return generator.take_scores()


def plain(generator: Generator, prompt: list[int], tokens: list[int]) -> torch.Tensor:
    """The log-probabilities with which each token is chosen, shape (tokens, vocabulary), without padding or cache."""
    with torch.inference_mode():
        logits = generator.model(input_ids=torch.tensor([prompt + tokens]), use_cache=False).logits[0].float()
    return torch.log_softmax(logits, -1)[len(prompt) - 1 : -1]


def check(generator: Generator, request: Request, counts: list[int], written: TokenScores, atol: float = WIDE) -> None:
    """Hold one sample's tokens, an output after another, against plain passes."""
    start = 0
    assert len(written.tokens) == sum(counts)
    for count in counts:
        own = slice(start, start + count)
        expected = plain(generator, request.token_ids, written.tokens[own].tolist())
        likeliest = expected.topk(TOP, -1)
        chosen = expected.gather(-1, torch.from_numpy(written.tokens[own, None].astype(np.int64)))[:, 0]
        np.testing.assert_allclose(written.log_probabilities[own], chosen, rtol=1e-6, atol=atol)
        np.testing.assert_array_equal(written.top_tokens[own], likeliest.indices)
        np.testing.assert_allclose(written.top_log_probabilities[own], likeliest.values, rtol=1e-6, atol=atol)
        np.testing.assert_allclose(
            np.exp(written.other_log_probabilities[own]), 1 - likeliest.values.exp().sum(-1), atol=WIDE
        )
        start += count


@pytest.mark.parametrize("settings", [GREEDY, CHAINS])
@pytest.mark.parametrize("shares", [False, True])
def test_tokens_are_scored_as_by_a_plain_pass(random_model, full, requests, settings, shares: bool) -> None:
    generator = engine(random_model, full, settings, Asked())
    if shares:
        assert generator.share_prefix(requests) >= 16
    predictions = generator.answer(requests)
    scores = generator.take_scores()
    assert [one.sample_id for one in scores] == [request.sample_id for request in requests]
    assert generator.take_scores() == []
    for request, prediction, one in zip(requests, predictions, scores, strict=True):
        check(generator, request, prediction.new_tokens, one.written)
        assert (one.options, one.reference) == (None, None)


def test_a_ledger_changes_no_answer(random_model, full, requests) -> None:
    with_ledger = engine(random_model, full, CHAINS, Asked())
    bare = Generator(with_ledger._loaded, CHAINS)
    assert with_ledger.answer(requests) == bare.answer(requests)
    assert bare.take_scores() == []
    assert with_ledger.with_seed(8).answer(requests) == bare.with_seed(8).answer(requests)
    assert with_ledger.with_seed(8).take_scores() == []


def test_processors_of_the_models_own_settings_come_later(random_model, full, requests) -> None:
    """What is noted is the model's distribution, not what is left of it after a penalty and a temperature."""
    generator = engine(random_model, full, GREEDY, Asked())
    generator.model.generation_config.update(repetition_penalty=1.8, do_sample=True, temperature=0.5)
    settings = replace(GREEDY, chains=2, temperature=0.5, decoding="of_model")
    generator = Generator(generator._loaded, settings, ledger=Ledger(Asked()))
    predictions = generator.answer(requests[:2])
    for request, prediction, one in zip(requests[:2], predictions, generator.take_scores(), strict=True):
        check(generator, request, prediction.new_tokens, one.written)


@pytest.mark.parametrize("shares", [False, True])
@pytest.mark.parametrize("options", [LETTERS, NAMES])
def test_options_are_scored_as_by_brute_force(random_model, full, requests, options, shares: bool) -> None:
    """By their first tokens where these differ, by all of their tokens where they do not; longer than the answer may be, too."""
    own = {request.sample_id: options[: 2 + place % 2] for place, request in enumerate(requests)}
    generator = engine(random_model, full, GenerationSettings(max_new_tokens=2), Asked(own))
    if shares:
        generator.share_prefix(requests)
    for request, one in zip(requests, answered(generator, requests), strict=True):
        counted = [option[:1] if options is LETTERS else option for option in own[request.sample_id]]
        expected = [
            float(plain(generator, request.token_ids, option)[range(len(option)), option].sum()) for option in counted
        ]
        assert one.options is not None
        np.testing.assert_allclose(one.options, expected, rtol=1e-6, atol=WIDE)


def known(scores: list[SampleScores], counts: dict[str, list[int]]) -> dict[str, list[KnownTokens]]:
    """What was written, as a quantized cell finds it: rounded to 16 bits, an output after another."""
    found = {}
    for one in scores:
        ends = np.cumsum(counts[one.sample_id])
        parts = [slice(end - count, end) for end, count in zip(ends, counts[one.sample_id], strict=True)]
        half = {name: getattr(one.written, name).astype(np.float16) for name in TokenScores.__slots__ if "log" in name}
        whole = replace(one.written, **half)
        cut = [TokenScores(**{name: getattr(whole, name)[part] for name in TokenScores.__slots__}) for part in parts]
        found[one.sample_id] = [KnownTokens.of(part) for part in cut]
    return found


@pytest.mark.parametrize("settings", [GREEDY, CHAINS])
def test_a_model_does_not_diverge_from_itself(random_model, full, requests, settings) -> None:
    first = engine(random_model, full, settings, Asked())
    counts = {one.sample_id: one.new_tokens for one in first.answer(requests)}
    scores = first.take_scores()
    again = engine(random_model, full, settings, Asked(reference=known(scores, counts)))
    again.share_prefix(requests)
    for before, after in zip(scores, answered(again, requests), strict=True):
        assert after.reference is not None
        np.testing.assert_allclose(
            after.reference.log_probabilities, before.written.log_probabilities, rtol=1e-6, atol=WIDE
        )
        assert after.reference.divergences.max() < 1e-6
        assert after.reference.agrees.all()


@pytest.mark.parametrize("shares", [False, True])
@pytest.mark.parametrize("odd", [["0"], ["1", "2", "3"]])
def test_outputs_the_model_would_not_write_are_read_too(
    random_model, full, requests, odd: list[str], shares: bool
) -> None:
    """Some rows of a batch by themselves, or all of them, longer and shorter than what the model writes."""
    first = engine(random_model, full, GREEDY, Asked())
    counts = {one.sample_id: one.new_tokens for one in first.answer(requests)}
    asked = known(first.take_scores(), counts)
    for number, name in enumerate(odd):
        one = asked[name][0]
        tokens = np.resize(np.arange(40, 45, dtype=np.int32), 9 - 3 * number)
        outcomes = np.concatenate([np.resize(one.outcomes[:, :-1], (len(tokens), TOP)), tokens[:, None]], axis=-1)
        asked[name] = [KnownTokens(tokens, outcomes, np.full((len(tokens), TOP + 2), 1 / (TOP + 2)))]
    again = engine(random_model, full, GREEDY, Asked(reference=asked))
    if shares:
        again.share_prefix(requests)
    for request, one in zip(requests, answered(again, requests), strict=True):
        (wanted,) = asked[request.sample_id]
        expected = plain(again, request.token_ids, wanted.tokens.tolist())
        assert one.reference is not None
        logs = expected[range(len(wanted.tokens)), wanted.tokens.tolist()]
        np.testing.assert_allclose(one.reference.log_probabilities, logs, rtol=1e-6, atol=WIDE)
        np.testing.assert_array_equal(
            one.reference.agrees, expected.argmax(-1) == torch.from_numpy(wanted.outcomes[:, 0])
        )
        assert (one.reference.divergences.max() < 1e-6) == (request.sample_id not in odd)


def test_divergence_is_a_lower_bound_of_that_of_whole_distributions(random_model, full, requests) -> None:
    first = engine(random_model, full, GREEDY, Asked())
    counts = {one.sample_id: one.new_tokens for one in first.answer(requests)}
    scores = first.take_scores()
    other = engine(random_model, full, GREEDY, Asked(reference=known(scores, counts)))
    with torch.no_grad():
        for number, weights in enumerate(other.model.parameters()):
            weights += 0.02 * torch.randn(weights.shape, generator=torch.Generator().manual_seed(number))
    read = answered(other, requests)
    for request, before, after in zip(requests, scores, read, strict=True):
        tokens = before.written.tokens.tolist()
        theirs, own = plain(first, request.token_ids, tokens), plain(other, request.token_ids, tokens)
        whole = (theirs.exp() * (theirs - own)).sum(-1).numpy()
        parts = [
            torch.stack(
                [
                    all_logs.gather(-1, places),
                ],
                0,
            )[0].exp()
            for all_logs in (theirs, own)
            for places in [theirs.topk(TOP, -1).indices]
        ]
        p, q = (torch.cat([part, 1 - part.sum(-1, keepdim=True)], -1) for part in parts)
        assert after.reference is not None
        np.testing.assert_allclose(after.reference.divergences, (p * (p / q).log()).sum(-1), atol=1e-3)
        assert (after.reference.divergences <= whole + 1e-3).all()
        assert after.reference.divergences.max() > 0.01
        np.testing.assert_array_equal(after.reference.agrees, theirs.argmax(-1) == own.argmax(-1))
        np.testing.assert_allclose(
            after.reference.log_probabilities, own[range(len(tokens)), tokens], rtol=1e-6, atol=WIDE
        )
    assert not all(one.reference.agrees.all() for one in read if one.reference)


def test_a_written_token_beyond_the_likeliest_is_an_outcome_of_its_own() -> None:
    logs = np.log(np.array([[0.3, 0.2, 0.1, 0.1, 0.1]], dtype=np.float32))
    written = TokenScores(
        np.array([9], np.int32),
        np.log(np.array([0.05], np.float32)),
        np.arange(5, dtype=np.int32)[None],
        logs,
        np.log(np.array([0.2], np.float32)),
    )
    theirs = np.array([0.2, 0.2, 0.2, 0.1, 0.1, 0.1])
    expected = sum(
        p * np.log(p / q) for p, q in zip([0.3, 0.2, 0.1, 0.1, 0.1, 0.05, 0.15], [*theirs, 0.1], strict=True)
    )
    found = KnownTokens.of(written).divergence(np.log(theirs[None]).astype(np.float32))
    assert found == pytest.approx([expected], abs=1e-6)


def test_halved_batches_and_small_pieces_are_read_alike(random_model, full, requests, monkeypatch) -> None:
    asked = Asked({request.sample_id: NAMES for request in requests})
    generator = engine(random_model, full, GREEDY, asked)
    counts = {one.sample_id: one.new_tokens for one in generator.answer(requests)}
    whole = generator.take_scores()
    asked = replace(asked, reference=known(whole, counts))
    whole = answered(engine(random_model, full, GREEDY, asked), requests)
    generator = engine(random_model, full, GREEDY, asked)
    answer = generator.answer

    def short_of_memory(batch):
        if len(batch) > 2:
            raise MemoryError
        return answer(batch)

    monkeypatch.setattr(Prompted.read, "__defaults__", (1,))  # scores of one token at a time
    assert given_tokens.SCORES_AT_ONCE > 1
    answer_halving(short_of_memory, requests, lambda _: None, lambda _: "")
    halves = generator.take_scores()
    for one, other in zip(whole, halves, strict=True):
        np.testing.assert_allclose(one.options, other.options, rtol=1e-6, atol=WIDE)
        np.testing.assert_allclose(one.reference.divergences, other.reference.divergences, rtol=1e-6, atol=WIDE)
        np.testing.assert_array_equal(one.written.tokens, other.written.tokens)


def test_memory_that_does_not_suffice_for_reading_costs_no_answer(random_model, full, requests, monkeypatch) -> None:
    generator = engine(random_model, full, GREEDY, Asked({request.sample_id: NAMES for request in requests}))
    bare = Generator(generator._loaded, GREEDY).answer(requests)
    monkeypatch.setattr(Prompted, "read", lambda *_: (_ for _ in ()).throw(MemoryError()))
    assert generator.answer(requests) == bare
    assert [one.options for one in generator.take_scores()] == [None] * len(requests)


@pytest.mark.parametrize("kind", ["llama", "qwen2", "phi3", "gemma3_text", "gpt2", "qwen3_moe", "gpt_oss"])
def test_every_family_is_read_behind_its_own_cache(random_model, full, requests, kind: str, tmp_path: Path) -> None:
    """Sliding windows narrower than a prompt included: what they let go of is computed again."""
    facts: dict[str, object] = {"sliding_window": 8} if kind in {"gemma3_text", "gpt_oss"} else {}
    folder = save_checkpoint(
        tmp_path, kind, "float32", vocab_size=300, bos_token_id=0, eos_token_id=1, pad_token_id=2, **facts
    )
    loaded = load_model(
        Path(str(random_model.folder)), random_model, full, load_tokenizer(Path(str(random_model.folder))), "cpu"
    )
    model = AutoModelForCausalLM.from_pretrained(folder)
    loaded = replace(loaded, model=model.eval())
    own = {request.sample_id: NAMES for request in requests}
    generator = Generator(loaded, GREEDY, ledger=Ledger(Asked(own)))
    counts = {one.sample_id: one.new_tokens for one in generator.answer(requests)}
    scores = generator.take_scores()
    for request, one in zip(requests, scores, strict=True):
        check(generator, request, counts[request.sample_id], one.written, EXACT)
        expected = [float(plain(generator, request.token_ids, name)[range(len(name)), name].sum()) for name in NAMES]
        np.testing.assert_allclose(one.options, expected, rtol=1e-6, atol=EXACT)
    again = Generator(loaded, GREEDY, ledger=Ledger(Asked(own, known(scores, counts))))
    assert max(one.reference.divergences.max() for one in answered(again, requests) if one.reference) < 1e-6
