"""A model whose scores are no numbers stops at its first batch, with the cause and what to do."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from tests.tiny_checkpoints import rewrite

from quantbench.config import ModelEntry
from quantbench.engine.batches import Request
from quantbench.engine.decoding_settings import GenerationSettings
from quantbench.engine.finite import FiniteScores
from quantbench.engine.generation import Generator
from quantbench.engine.kinds.continuous import answer_continuously
from quantbench.errors import ModelError
from quantbench.models.loading import LoadedModel, load_model
from quantbench.models.number_formats import NumberFormats
from quantbench.models.tokenizing import load_tokenizer

OVERFLOW = "computed in float16, whose largest is 65504, the model's activations overflow; "
HALF = NumberFormats("float16", "float16")
UP = "model.layers.0.mlp.up_proj.weight"
TEXTS = ["Text: aspirin", "Answer: C; Answer:", "a"]


@pytest.fixture(scope="module")
def loud(random_model: ModelEntry, tmp_path_factory) -> Path:
    """A model that is sound in bfloat16, and whose activations exceed what float16 holds."""
    folder = tmp_path_factory.mktemp("loud") / "model"
    shutil.copytree(str(random_model.folder), folder)
    return rewrite(folder, lambda held: held | {UP: held[UP] * 2e4})


@pytest.fixture(scope="module")
def damaged(random_model: ModelEntry, tmp_path_factory) -> Path:
    """A model one of whose weights is no number."""
    folder = tmp_path_factory.mktemp("damaged") / "model"
    shutil.copytree(str(random_model.folder), folder)

    def damage(held: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        held[UP][3, 5] = torch.nan
        return held

    return rewrite(folder, damage)


@pytest.fixture
def load(random_model: ModelEntry, precisions):
    def one(folder: Path, precision: str, formats: NumberFormats | None = None) -> LoadedModel:
        return load_model(folder, random_model, precisions[precision], load_tokenizer(folder), "cpu", formats=formats)

    return one


def requests_of(loaded: LoadedModel) -> list[Request]:
    return [Request(str(number), text, loaded.tokenizer(text)["input_ids"]) for number, text in enumerate(TEXTS)]


def message(loaded: LoadedModel) -> str:
    with pytest.raises(ModelError) as found:
        Generator(loaded, GenerationSettings(8)).answer(requests_of(loaded))
    return str(found.value)


@pytest.mark.parametrize(
    ("precision", "advice"),
    [
        ("full", "give its entry full_dtype: bfloat16, which holds unless the run sets protocol.full_dtype: float16"),
        ("w4a16", "run it at the precision w4a16-bf16 in place of w4a16 (bnb_4bit_compute_dtype: bfloat16)"),
        (
            "w8a16",
            "run it at the precision int8wo in place of w8a16: LLM.int8 multiplies in float16 whatever it is told",
        ),
    ],
)
def test_what_overflows_float16_is_told_the_way_out(loud: Path, load, precision: str, advice: str) -> None:
    expected = f"the scores of the next token are not finite numbers: {OVERFLOW}{advice}"
    assert message(load(loud, precision, HALF)) == expected


@pytest.mark.parametrize("precision", ["full", "w4a16-bf16"])
def test_the_same_model_answers_in_bfloat16(loud: Path, load, precision: str) -> None:
    loaded = load(loud, precision, NumberFormats("bfloat16", "bfloat16"))
    assert len(Generator(loaded, GenerationSettings(4)).answer(requests_of(loaded))) == len(TEXTS)


@pytest.mark.parametrize("precision", ["full", "w4a16", "w8a16", "int8wo"])
@pytest.mark.parametrize("formats", [None, HALF])
def test_a_damaged_file_is_told_from_an_overflow(damaged: Path, load, precision: str, formats) -> None:
    assert message(load(damaged, precision, formats)) == (
        "the scores of the next token are not finite numbers, since the weights of model.layers.0.mlp.up_proj hold some that "
        "are none: the file is damaged or was saved from a training that broke down; retrieve the model again, or name another"
    )


def test_every_way_of_generating_stops(loud: Path, load) -> None:
    loaded = load(loud, "full", HALF)
    asked = requests_of(loaded)
    chains = Generator(loaded, GenerationSettings(8, chains=2, temperature=0.7))
    early = Generator(loaded, GenerationSettings(8), lambda _, text: True)
    shared = Generator(loaded, GenerationSettings(8))
    shared.share_prefix([Request(one.sample_id, "", list(range(3, 40)) + one.token_ids) for one in asked])
    prefixed = [Request(one.sample_id, "", list(range(3, 40)) + one.token_ids) for one in asked]
    for generate in (
        lambda: chains.answer(asked),
        lambda: early.answer(asked),
        lambda: shared.answer(prefixed),
        lambda: shared.time_one(asked[0]),
    ):
        with pytest.raises(ModelError, match=OVERFLOW):
            generate()
    with pytest.raises(ModelError, match=f"^cell: .*{OVERFLOW}"):
        next(answer_continuously(Generator(loaded, GenerationSettings(8)), asked, 512, "cell"))


class TestFiniteScores:
    """What counts as broken, and when it is said."""

    @pytest.fixture
    def finite(self) -> FiniteScores:
        return FiniteScores(lambda: "broken")

    def test_scores_go_through_as_they_are(self, finite) -> None:
        scores = torch.tensor([[1.0, -torch.inf], [0.0, 2.0]])
        assert finite(torch.zeros(2, 1), scores) is scores
        finite.check()

    @pytest.mark.parametrize("row", [[torch.nan, 1.0], [torch.inf, 1.0], [-torch.inf, -torch.inf]])
    def test_one_broken_row_stops_at_the_first_step(self, finite, row) -> None:
        with pytest.raises(ModelError, match="broken"):
            finite(torch.zeros(2, 1), torch.tensor([[1.0, 2.0], row]))

    def test_a_later_step_is_said_at_the_end(self, finite) -> None:
        sound, broken = torch.ones(1, 2), torch.full((1, 2), torch.nan)
        for scores in (sound, broken, sound):
            finite(torch.zeros(1, 1), scores)
        with pytest.raises(ModelError, match="broken"):
            finite.check()
