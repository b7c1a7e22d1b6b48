"""A cell's settings, resolved once: its identity is what finished cells were recorded under."""

from __future__ import annotations

from pathlib import Path

import pytest

from quantbench.bundle import open_bundle
from quantbench.config import ModelEntry, load
from quantbench.config.run import recorded_settings
from quantbench.config.settings import read_yaml
from quantbench.contracts.cell_name import Cell
from quantbench.contracts.manifest import Manifest
from quantbench.errors import ConfigError
from quantbench.study.grid import run_cells
from quantbench.study.spec import CellSpec, cell_spec, cell_specs, identity_hash

# Only a tokenizer could make these again.
DERIVED = {"prompts", "plan", "weights"}


def test_no_cell_of_the_shipped_bundle_would_run_again(repository: Path, tmp_path: Path) -> None:
    folder = open_bundle(repository / "resources/demo/demo.tar.zst", tmp_path, repository).parent
    manifests = [Manifest.read(path) for path in folder.glob("cells/*/*/*/*/manifest.json")]
    assert len(manifests) > 100
    settings = {**recorded_settings(manifests[0].configuration or {}), "data": {"folder": None}}
    specs = cell_specs(load(repository, settings, "test"), [manifest.cell for manifest in manifests])
    for manifest in manifests:
        recorded = {name: value for name, value in manifest.identity.items() if name not in DERIVED}
        assert specs[manifest.cell].identity == recorded, manifest.cell.label
        assert identity_hash(specs[manifest.cell].identity) == identity_hash(recorded)


# Of all 348 cells of the paper's run, as they were recorded before there was another protocol. What runs cells again on purpose
# (a template, ENGINE_VERSION, an entry's revision) changes it.
DEFAULT_IDENTITIES = "158e259a7f5762477e024d2e3988e992b80a0021ae6b330b9144b55aa423584b"
PUBLISHED = {"prompts": "as_published", "examples": "first_rows", "chat": "as_published", "system_prompt": "Be brief."}


def test_the_sound_protocol_runs_no_cell_of_earlier_versions_again(repository: Path) -> None:
    settings = read_yaml(repository / "config/config.yaml") | {"studies": ["grid", "fewshot", "prompting"]}
    catalogue = load(repository, settings, "test")
    specs = cell_specs(catalogue, run_cells(catalogue))
    assert len(specs) == 348
    assert identity_hash({cell.folder: spec.identity for cell, spec in specs.items()}) == DEFAULT_IDENTITIES


def test_timing_at_a_fixed_length_runs_no_finished_cell_again(repository: Path) -> None:
    cell, settings = Cell("phi-4", "full", "hoc", "instruction", 0), read_yaml(repository / "config/config.yaml")
    specs = [
        cell_spec(load(repository, settings | {"measurement": measurement}, "test"), cell)
        for measurement in ({}, {"fixed_new_tokens": None}, {"fixed_new_tokens": 4, "fixed_samples": 2})
    ]
    assert [spec.fixed_new_tokens for spec in specs] == [50, None, 4]  # HoC's answers have at most 50 tokens
    assert specs[0].identity == specs[1].identity == specs[2].identity
    other = cell_spec(load(repository, settings | {"measurement": {"warmup": 4}}, "test"), cell)
    assert other.identity != specs[0].identity


def test_a_noise_floor_of_earlier_versions_is_not_run_again_and_a_further_one_is_another_cell(repository: Path) -> None:
    catalogue = load(repository, read_yaml(repository / "config/config.yaml"), "test")
    second, third = (
        cell_spec(catalogue, Cell("phi-4", name, "hoc", "instruction", 0)).identity["precision"]
        for name in ("full-replanned", "full-replanned-2")
    )
    assert second == {"method": "none", "settings": {}, "noise_floor_of": "full"}
    assert third == {"method": "none", "settings": {}, "noise_floor_of": "full", "plan": 3}


def under(repository: Path, model: str, dataset: str, **protocol: object) -> CellSpec:
    settings = read_yaml(repository / "config/config.yaml")
    settings["protocol"] = protocol
    settings["inference"] |= {"engine": "single", "stop_early": False}
    return cell_spec(load(repository, settings, "test"), Cell(model, "full", dataset, "instruction", 3))


def test_each_switch_runs_cells_again(repository: Path) -> None:
    slips = {"ncbi_asks_for_chemicals": True}
    tried: list[dict[str, object]] = [
        {},
        {"prompts": "as_published"},
        {"prompts": "as_published", "slips": slips},
        {"chat": "as_published"},
        {"chat": "as_published", "system_prompt": "Be brief."},
        {"examples": "first_rows"},
        {"examples": "first_rows", "slips": {"pubmedqa_examples_from_test": True}},
        {"full_dtype": "float16"},
        {"decoding": "of_model"},
        {"timing": "whole_pass"},
    ]
    hashes = [identity_hash(under(repository, "phi-4", "ncbi_disease", **protocol).identity) for protocol in tried]
    assert len(set(hashes)) == len(tried)
    templates = [under(repository, "phi-4", "ncbi_disease", **protocol).template.name for protocol in tried[:2]]
    assert templates == ["instruction.txt", "as_published_instruction.txt"]


def test_an_identity_says_which_protocol_it_is_of_and_what_the_model_is_told(repository: Path) -> None:
    sound = under(repository, "phi-4", "hoc")
    assert "protocol" not in sound.identity and "system_prompt" not in sound.identity["model"]
    published = under(repository, "phi-4", "hoc", full_dtype="float16", **PUBLISHED)
    assert published.identity["protocol"] == published.protocol.model_dump()
    assert published.identity["model"] == sound.identity["model"] | {
        "full_dtype": "float16",
        "system_prompt": "Be brief.",
    }
    raw = under(repository, "huatuogpt-o1-70b", "hoc", **PUBLISHED)
    assert (raw.identity["model"]["chat_template"], raw.max_new_tokens, raw.answer_limit) == ("none", 50, 50)


def test_a_system_prompt_of_ones_own_enters_an_identity_of_weights_and_of_a_stand_in(repository: Path) -> None:
    for weights in ("published", "random"):
        plain = thinking(repository, weights=weights).identity["model"]
        told = thinking(repository, weights=weights, system_prompt="Be brief.").identity["model"]
        assert told == plain | {"system_prompt": "Be brief."}


def test_limits_sampling_and_noise_floors_come_from_the_configuration(repository: Path) -> None:
    settings = read_yaml(repository / "config/config.yaml")
    settings["inference"] = {"max_new_tokens": 20, "self_consistency": {"chains": 3}, "engine": "static"}
    catalogue = load(repository, settings, "test")
    plain = cell_spec(catalogue, Cell("phi-4", "full", "medqa", "instruction", 0))
    stated = catalogue.datasets["medqa"].max_new_tokens["instruction"]
    assert (plain.max_new_tokens, plain.chains, plain.sampling) == (min(stated, 20), 1, None)
    chains = cell_spec(catalogue, Cell("phi-4", "full-replanned", "hoc", "self_consistency", 0))
    assert (chains.max_new_tokens, chains.chains, chains.precision.plan_number) == (20, 3, 2)
    assert "full-replanned" not in chains.alternatives
    assert chains.template.name == "cot.txt"


def thinking(repository: Path, **changes: object) -> CellSpec:
    """A cell of a model whose entry says this of its thoughts."""
    catalogue = load(repository, read_yaml(repository / "config/config.yaml"), "test")
    entry = catalogue.models["phi-4"].model_dump(mode="json") | changes
    catalogue.models["phi-4"] = ModelEntry.model_validate(entry)
    return cell_spec(catalogue, Cell("phi-4", "full", "medqa", "cot", 0))


def test_what_is_said_of_thoughts_enters_an_identity_and_nothing_else_does(repository: Path) -> None:
    plain = thinking(repository)
    facts = {"hub_id", "revision", "folder", "chat_template", "full_dtype"}
    assert plain.identity["model"].keys() == facts
    changes: list[dict[str, object]] = [
        {"reasoning": "think"},
        {"reasoning": {"open": "<t>", "close": "</t>"}},
        {"reasoning": "think", "reasoning_tokens": 100},
        {"enable_thinking": True},
        {"enable_thinking": False},
    ]
    identities = [plain.identity, *(thinking(repository, **change).identity for change in changes)]
    assert len({identity_hash(identity) for identity in identities}) == len(identities)
    for change, identity in zip(changes, identities[1:], strict=True):
        assert identity["model"].keys() - facts == change.keys() - {"reasoning_tokens"}
        assert identity.keys() == plain.identity.keys()
    stand_in = thinking(repository, weights="random").identity["model"]
    assert thinking(repository, weights="random", reasoning="think").identity["model"].keys() - stand_in.keys() == {
        "reasoning"
    }


def test_the_runs_limit_cuts_no_thought(repository: Path) -> None:
    settings = read_yaml(repository / "config/config.yaml") | {"inference": {"max_new_tokens": 20}}
    own, lowered = (
        load(repository, given, "test") for given in (read_yaml(repository / "config/config.yaml"), settings)
    )
    for prompting in ("instruction", "cot", "self_consistency"):
        cell = Cell("huatuogpt-o1-70b", "full", "medqa", prompting, 0)
        stated = own.datasets["medqa"].max_new_tokens[prompting]
        assert (cell_spec(own, cell).max_new_tokens, cell_spec(own, cell).answer_limit) == (stated + 2000, stated)
        assert (cell_spec(lowered, cell).max_new_tokens, cell_spec(lowered, cell).answer_limit) == (2020, 20)
    assert cell_spec(own, Cell("llama-3.3-70b", "full", "medqa", "cot", 0)).max_new_tokens == stated


@pytest.mark.parametrize(("engine", "size"), [("single", 1), ("static", 64), ("continuous", 64)])
def test_the_engine_single_has_batches_of_one(repository: Path, engine: str, size: int) -> None:
    settings = read_yaml(repository / "config/config.yaml") | {"inference": {"engine": engine}}
    spec = cell_spec(load(repository, settings, "test"), Cell("phi-4", "full", "hoc", "instruction", 0))
    assert spec.max_batch_size == size


def asked(repository: Path, **changes: object) -> dict[str, CellSpec]:
    """A cell of a model with a chat template, of one without, and of a stand-in, under some settings of the run."""
    settings = read_yaml(repository / "config/config.yaml") | changes
    catalogue = load(repository, settings, "test")
    names = {"chat": "phi-4", "base": "meditron-70b", "stand-in": "qwen2.5-3b"}
    catalogue.models["qwen2.5-3b"] = catalogue.models["qwen2.5-3b"].model_copy(update={"weights": "random"})
    return {kind: cell_spec(catalogue, Cell(name, "full", "hoc", "instruction", 0)) for kind, name in names.items()}


def test_another_day_runs_cells_with_a_chat_template_again_and_no_others(repository: Path) -> None:
    plain, stated = asked(repository), asked(repository, prompt_date="2024-07-26")
    other = asked(repository, prompt_date="2026-01-31")
    assert {kind: spec.identity for kind, spec in plain.items()} == {
        kind: spec.identity for kind, spec in stated.items()
    }
    differ = {kind for kind, spec in other.items() if spec.identity != plain[kind].identity}
    assert differ == {"chat"}
    assert other["chat"].identity["model"] == plain["chat"].identity["model"] | {"prompt_date": "2026-01-31"}


@pytest.mark.parametrize("value", ["today", "2024-02-30", 20240726, "26 Jul 2024", None])
def test_a_day_that_is_none_is_refused(repository: Path, value: object) -> None:
    with pytest.raises(ConfigError, match=r"^test: key 'prompt_date' has the value "):
        asked(repository, prompt_date=value)


def test_a_named_chat_template_enters_the_identity(repository: Path) -> None:
    named = thinking(repository, chat_template_name="rag").identity["model"]
    assert named == thinking(repository).identity["model"] | {"chat_template_name": "rag"}
    with pytest.raises(ValueError, match=r"chat_template_name is 'rag', and chat_template: none asks for no template"):
        thinking(repository, chat_template_name="rag", chat_template="none")


def test_whether_texts_begin_with_a_start_token_reruns_nothing(repository: Path) -> None:
    assert thinking(repository, start_token=True).identity == thinking(repository, start_token=None).identity
