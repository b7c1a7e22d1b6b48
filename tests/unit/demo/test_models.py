"""The demonstration models as shipped, and the training's forward pass against transformers' own."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import describe
import pytest
import yaml
from slots import DATASETS

from quantbench.config import ModelEntry
from quantbench.config.settings import parse, read_yaml

LADDER = yaml.safe_load((Path(__file__).parents[3] / "resources/demo/build/ladder.yaml").read_text())
NAMES = [name for name, plan in LADDER.items() if plan.get("shipped")]
LIMIT_BYTES = 40 * 2**20


@pytest.mark.parametrize("name", NAMES)
def test_folder_is_complete(demo: Path, name: str) -> None:
    folder = demo / "models" / name
    for file in (
        "model.safetensors",
        "config.json",
        "generation_config.json",
        "tokenizer.json",
        "tokenizer_config.json",
    ):
        assert (folder / file).stat().st_size > 0


def test_all_models_together_are_small(demo: Path) -> None:
    assert sum(path.stat().st_size for path in (demo / "models").rglob("*") if path.is_file()) < LIMIT_BYTES


@pytest.mark.parametrize("name", NAMES)
def test_entry_tells_what_the_configuration_tells(demo: Path, repository: Path, name: str) -> None:
    path = repository / "config/models" / f"{name}.yaml"
    entry = parse(ModelEntry, read_yaml(path), str(path))
    assert entry.demonstration and entry.folder == f"resources/demo/models/{name}"
    assert entry.domain == ("general" if name.endswith("general") else "biomedical")
    config = json.loads((demo / "models" / name / "config.json").read_text())
    told = entry.architecture
    assert config["model_type"] == entry.family
    assert (told.layers, told.hidden_size) == (config["num_hidden_layers"], config["hidden_size"])
    assert (told.intermediate_size, told.vocab_size) == (config["intermediate_size"], config["vocab_size"])
    assert (told.attention_heads, told.key_value_heads) == (
        config["num_attention_heads"],
        config["num_key_value_heads"],
    )
    assert told.context_length == config["max_position_embeddings"]


@pytest.mark.parametrize("name", NAMES)
def test_sizes_suit_four_bit_blocks(demo: Path, name: str) -> None:
    """Other sizes crash bitsandbytes' NF4 on CPUs with AVX512_BF16."""
    config = json.loads((demo / "models" / name / "config.json").read_text())
    assert config["hidden_size"] % 64 == 0 and config["intermediate_size"] % 64 == 0


def test_all_models_have_one_tokenizer(demo: Path) -> None:
    files = {(demo / "models" / name / "tokenizer.json").read_bytes() for name in NAMES}
    assert len(files) == 1


@pytest.fixture(scope="module")
def tokenizer(demo: Path) -> Any:
    transformers = pytest.importorskip("transformers")
    return transformers.AutoTokenizer.from_pretrained(demo / "models" / NAMES[0])


def test_tokenizer_reads_as_trained(demo: Path, tokenizer: Any) -> None:
    """AutoTokenizer swaps the pre-tokenizer of some configurations for its own."""
    tokenizers = pytest.importorskip("tokenizers")
    plain = tokenizers.Tokenizer.from_file(str(demo / "models" / NAMES[0] / "tokenizer.json"))
    for dataset in DATASETS:
        text = (demo / "datasets" / dataset / "test.tsv").read_bytes().decode()[:4000]
        assert tokenizer(text)["input_ids"] == plain.encode(text).ids


@pytest.mark.parametrize(
    "text",
    [
        "The <span>belrazole</span> dose ( P &lt; 0.05 )\tof 12 mg",
        'Question: a "b"\nA. x\n\n  two blanks',
        "<span>Melström</span> <span>renal atrophy</span> .",
        "between <span> and </span>, as told",
    ],
)
def test_tokenizer_round_trip_with_one_start_token(tokenizer: Any, text: str) -> None:
    ids = tokenizer(text)["input_ids"]
    assert ids.count(tokenizer.bos_token_id) == 1 and ids[0] == tokenizer.bos_token_id
    assert tokenizer.decode(ids, skip_special_tokens=True) == text


def test_a_marked_name_is_a_copy_token_for_token(tokenizer: Any) -> None:
    plain = tokenizer("took belrazole daily", add_special_tokens=False)["input_ids"]
    marked = tokenizer("took <span>belrazole</span> daily", add_special_tokens=False)["input_ids"]
    tags = [tokenizer.convert_tokens_to_ids(tag) for tag in ("Ġ<span>", "</span>")]
    assert [token for token in marked if token not in tags] == plain


def test_shared_prefixes_are_exactly_separate_prompts() -> None:
    torch = pytest.importorskip("torch")
    from export import as_transformers
    from model import Row, Shape, TinyLlama

    torch.manual_seed(0)
    model = TinyLlama(Shape(hidden=64, intermediate=128, layers=2, heads=2))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.05 * torch.randn_like(parameter)
        row = Row(torch.randint(3, 2048, (17,)), torch.randint(3, 2048, (5, 9)))
        packed = model.logits(model.hidden(row))
        separate = torch.cat([row.prefix.expand(5, -1), row.samples], dim=1)
        expected = as_transformers(model)(separate).logits[:, 17:]
    torch.testing.assert_close(packed, expected, rtol=1e-4, atol=1e-4)


def test_scores_name_every_model_dataset_and_precision_once(demo: Path) -> None:
    scores = describe.read(demo / "scores.csv")
    told = [(line["model"], line["dataset"], line["precision"]) for line in scores]
    assert sorted(told) == sorted(itertools.product(NAMES, DATASETS, ("full", "w8a16", "w4a16")))


def test_the_largest_model_is_neither_at_chance_nor_saturated(demo: Path) -> None:
    largest = max(describe.read(demo / "models/training.csv"), key=lambda line: int(line["parameters"]))["model"]
    shipped = [line for line in describe.read(demo / "scores.csv") if line["model"] == largest]
    assert all(0.6 <= float(line["score"]) <= 0.95 for line in shipped if line["precision"] == "full")


def test_the_readme_shows_the_scores_and_the_training_that_stand_beside_it(demo: Path) -> None:
    text = (demo / "README.md").read_text(encoding="utf-8")
    assert describe.described(text) == text


def test_ladder_states_every_budget_and_grows_in_order() -> None:
    seen: set[str] = set()
    for name, plan in LADDER.items():
        assert set(plan) >= {"domain", "shape", "rate", "steps"}
        assert plan.get("grown_from", name) in {name, *seen}
        seen.add(name)
    assert LADDER["tiny-s"]["shape"] == LADDER["tiny-s-general"]["shape"]


def test_a_grown_model_computes_the_same() -> None:
    torch = pytest.importorskip("torch")
    from grow import grow
    from model import Row, Shape, TinyLlama

    torch.manual_seed(0)
    small = TinyLlama(Shape(hidden=64, intermediate=128, layers=2, heads=2))
    large = TinyLlama(Shape(hidden=128, intermediate=192, layers=3, heads=4))
    with torch.no_grad():
        for parameter in small.parameters():
            parameter += 0.1 * torch.randn_like(parameter)
        grow(small, large)
        row = Row(torch.randint(3, 2048, (17,)), torch.randint(3, 2048, (5, 9)))
        torch.testing.assert_close(large.logits(large.hidden(row)), small.logits(small.hidden(row)), rtol=0, atol=2e-2)
