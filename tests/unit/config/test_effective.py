"""A run's protocol is applied to models and datasets once, and the sound one changes none of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from quantbench.config import Catalogue, ModelEntry, RunConfig, load, load_datasets, load_models
from quantbench.config.effective import models_under
from quantbench.config.protocol import ProtocolSettings
from quantbench.config.settings import merged, parse, read_yaml
from quantbench.errors import ConfigError

# As far as a public copy of the authors' code says: chat template or raw text, and whether with a system prompt.
ASKED = {
    "llama-3.3-70b": ("tokenizer", True),
    "phi-4": ("tokenizer", True),
    "llama3-med42-70b": ("tokenizer", True),
    "deepseek-llm-67b": ("tokenizer", False),
    "qwen2.5-3b": ("tokenizer", False),
    "qwen2.5-7b": ("tokenizer", False),
    "qwen2.5-14b": ("tokenizer", False),
    "qwen2.5-32b": ("tokenizer", False),
    "qwen2.5-72b": ("tokenizer", False),
    "huatuogpt-o1-70b": ("none", False),
    "clinicalcamel-70b": ("none", False),
    "meditron-70b": ("none", False),
}


def configured(repository: Path, **protocol: object) -> Catalogue:
    settings = read_yaml(repository / "config/config.yaml")
    single = {"inference": {"engine": "single", "stop_early": False}}
    return load(repository, merged(settings, single | {"protocol": protocol}), "x")


@pytest.fixture(scope="module")
def published(repository: Path) -> Catalogue:
    settings = merged(read_yaml(repository / "config/config.yaml"), read_yaml(repository / "config/published.yaml"))
    return load(repository, settings, "x")


def test_under_the_sound_protocol_entries_are_what_their_files_say(repository: Path) -> None:
    catalogue = configured(repository)
    assert catalogue.run.protocol.is_sound
    assert (catalogue.models, catalogue.datasets) == (load_models(repository), load_datasets(repository))


def test_each_model_is_asked_as_its_authors_run_asked_it(published: Catalogue) -> None:
    told = published.run.protocol.system_prompt
    assert told and published.run.models == list(dict.fromkeys(published.run.models))
    found = {
        name: (entry.chat_template, entry.system_prompt == told)
        for name, entry in published.models.items()
        if name in published.run.models
    }
    assert found == ASKED
    assert {entry.system_prompt for entry in published.models.values()} == {None, told}


def test_what_is_no_model_of_the_paper_is_asked_as_its_entry_says(repository: Path, published: Catalogue) -> None:
    stated = load_models(repository)
    others = stated.keys() - ASKED.keys()
    assert "smollm2-135m" in others
    assert {name: published.models[name] for name in others} == {
        name: stated[name].model_copy(update={"full_dtype": "float16"}) for name in others
    }


def test_thoughts_have_no_room_of_their_own_where_the_authors_gave_none(repository: Path, published: Catalogue) -> None:
    own, theirs = (catalogue.models["huatuogpt-o1-70b"] for catalogue in (configured(repository), published))
    assert (own.reasoning_tokens, theirs.reasoning_tokens) == (2000, 0)
    assert own.reasoning == theirs.reasoning, "a thought is never an answer, whatever its room"


@pytest.mark.parametrize("switch", ["chat", "full_dtype"])
def test_each_switch_changes_what_it_names_and_nothing_else(repository: Path, switch: str) -> None:
    value = {"chat": "as_published", "full_dtype": "float16"}[switch]
    plain, changed = configured(repository), configured(repository, **{switch: value})
    changes: set[str] = set()
    for name, entry in changed.models.items():
        before = plain.models[name]
        changes |= {key for key in ModelEntry.model_fields if getattr(entry, key) != getattr(before, key)}
    assert changes == {"chat": {"chat_template", "reasoning_tokens"}, "full_dtype": {"full_dtype"}}[switch]
    assert changed.datasets == plain.datasets


def test_weights_that_were_published_quantized_keep_their_format(repository: Path) -> None:
    entry = load_models(repository)["phi-4"].model_copy(update={"precision": "as_published"})
    protocol = ProtocolSettings(full_dtype="float16")
    assert models_under(protocol, {"phi-4": entry}) == {"phi-4": entry}
    assert entry.full_dtype == "bfloat16"


def test_raw_text_needs_nothing_that_only_a_template_could_be_told(repository: Path) -> None:
    stated = load_models(repository)["huatuogpt-o1-70b"].model_copy(
        update={"enable_thinking": True, "chat_template_name": "rag", "system_prompt": "Be brief."}
    )
    entry = models_under(ProtocolSettings(chat="as_published"), {"m": stated})["m"]
    assert (entry.enable_thinking, entry.chat_template_name, entry.system_prompt) == (None, None, None)
    assert ModelEntry.model_validate(entry.model_dump(mode="json")) == entry


def test_pubmedqas_examples_come_from_its_test_split_first(repository: Path, published: Catalogue) -> None:
    stated = load_datasets(repository)
    assert published.datasets["pubmedqa"].few_shot_splits == ["test", "train", "dev"]
    changed = {name for name, entry in published.datasets.items() if entry != stated[name]}
    assert changed == {"pubmedqa"}


@pytest.mark.parametrize(
    ("protocol", "said"),
    [
        ({"slips": {"ncbi_asks_for_chemicals": True}}, "ncbi_asks_for_chemicals .* set prompts: as_published"),
        (
            {"prompts": "as_published", "slips": {"pubmedqa_examples_from_test": True}},
            "pubmedqa_examples_from_test needs examples: first_rows",
        ),
        ({"system_prompt": "Be brief."}, "system_prompt is told with chat: as_published alone"),
    ],
)
def test_a_switch_that_would_do_nothing_is_refused(protocol: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=rf"^x: key 'protocol' has the value .*{said}"):
        parse(RunConfig, {"run": "r", "studies": ["grid"], "protocol": protocol}, "x")


def test_examples_from_the_test_split_need_no_published_prompts(repository: Path) -> None:
    slips = {"pubmedqa_examples_from_test": True}
    assert configured(repository, examples="first_rows", slips=slips).datasets["pubmedqa"].few_shot_splits[0] == "test"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"system_prompt": "Be brief.", "chat_template": "none"}, "chat_template: none asks for no template"),
        ({"as_published": {"chat_template": "none", "system_prompt": True}}, "give chat_template: tokenizer"),
    ],
)
def test_a_system_prompt_needs_a_chat_template(repository: Path, change: dict[str, Any], said: str) -> None:
    stated = load_models(repository)["phi-4"].model_dump(mode="json") | change
    with pytest.raises(ConfigError, match=said):
        parse(ModelEntry, stated, "config/models/mine.yaml")
