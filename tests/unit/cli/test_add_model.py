"""``quantbench add-model``: entries from folders, files and a hub, and what no entry is written of."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from safetensors.torch import load_file, save_file
from tests.hub_server import HubServer
from tests.model_folders import FAMILIES, write_model

from quantbench.cli.main import main
from quantbench.config import ModelEntry, read_entries
from quantbench.models.counting import count, model_class
from quantbench.models.random_weights import class_settings
from quantbench.store.folder_checks import check_folder

Captured = pytest.CaptureFixture[str]


def add(source: Path, *more: str) -> list[str]:
    return ["add-model", "mine", "--from", str(source), "--licence", "MIT", "--domain", "general", *more]


def made(root: Path) -> ModelEntry:
    return read_entries(root / "config/models", ModelEntry)["mine"]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Qwen3 of a few thousand weights, in several files."""
    return write_model(tmp_path_factory.mktemp("models") / "Tiny-Qwen3", "qwen3", shard_size="60KB")


@pytest.fixture
def folder(checkpoint: Path, tmp_path: Path) -> Path:
    """A copy of it to change."""
    return Path(shutil.copytree(checkpoint, tmp_path / "Tiny-Qwen3"))


def change(folder: Path, **facts: object) -> None:
    """Change ``config.json``; a fact that is None is taken out."""
    path = folder / "config.json"
    value = {**json.loads(path.read_text()), **facts}
    path.write_text(json.dumps({key: fact for key, fact in value.items() if fact is not None}))


def refused(root: Path, words: list[str], capsys: Captured) -> str:
    """What one line says of a source that no entry is written of."""
    before = sorted((root / "config").rglob("*"))
    assert main(words) == 2
    assert sorted((root / "config").rglob("*")) == before
    said = capsys.readouterr()
    assert said.err.count("\n") == 1, said.err
    return said.err


@pytest.mark.parametrize("family", FAMILIES)
def test_any_family_becomes_an_entry_with_the_counts_of_its_class(
    root: Path, tmp_path: Path, family: str, capsys: Captured
) -> None:
    from transformers import AutoConfig

    folder = write_model(tmp_path / family, family)
    assert main(add(folder)) == 0
    entry = made(root)
    assert (entry.family, entry.chat_template, entry.full_dtype) == (family, "tokenizer", "bfloat16")
    assert entry.counts == count(model_class(AutoConfig.from_pretrained(folder)))
    assert entry.counts == count(model_class(class_settings(entry))), "a stand-in has as many weights of each kind"
    check_folder(folder, "mine", entry)
    said = capsys.readouterr().out
    assert all(f"mine   {precision}" in said for precision in ("full", "w8a16", "w4a16"))
    assert "Next: snakemake --cores 4 --config 'models=[mine]' run=mine" in said
    assert main(["plan", "--model", "mine", "--format", "json"]) == 0
    assert {plan["model"] for plan in json.loads(capsys.readouterr().out)} == {"mine"}


def test_experts_that_stay_in_16_bits_are_said(root: Path, tmp_path: Path, capsys: Captured) -> None:
    assert main(add(write_model(tmp_path / "experts", "mixtral"))) == 0
    share = made(root).counted.quantized_share
    assert f"quantization replaces {share:.0%}" in capsys.readouterr().out


def test_a_name_alone_is_enough(root: Path, folder: Path, capsys: Captured) -> None:
    (folder / "README.md").write_text("---\nlicense: other\nlicense_name: tiny-research\n---\n# A card\n")
    assert main(["add-model", str(folder)]) == 0
    entry = read_entries(root / "config/models", ModelEntry)["tiny-qwen3"]
    assert (entry.title, entry.licence, entry.domain) == ("tiny-qwen3", "tiny-research", "general")
    assert entry.folder == "Tiny-Qwen3", "relative to the catalogue that it lies in"
    assert "domain: general is assumed" in capsys.readouterr().out


def test_the_next_command_finds_the_workflow(root: Path, folder: Path, repository: Path, capsys: Captured) -> None:
    assert main(add(folder)) == 0
    said = capsys.readouterr().out.splitlines()[-1]
    assert said.endswith(f" run=mine --snakefile {repository / 'workflow/Snakefile'}")
    (root / "Snakefile").touch()
    assert main(["add-model", "other", "--from", str(folder)]) == 0
    assert capsys.readouterr().out.splitlines()[-1].endswith(" run=other")


@pytest.mark.parametrize(
    ("files", "licence"),
    [
        ({"README.md": "---\nlicense: apache-2.0\n---\n"}, "apache-2.0"),
        ({"README.md": "---\nlicense: [unclosed\n---\n", "LICENSE": "\n  MIT License\n\nCopyright"}, "MIT License"),
        ({"README.md": "# No front matter", "LICENCE.txt": "# Apache License\n"}, "Apache License"),
        ({}, "not stated"),
    ],
)
def test_the_licence_is_that_of_card_or_file(
    root: Path, folder: Path, files: dict[str, str], licence: str, capsys: Captured
) -> None:
    for name, text in files.items():
        (folder / name).write_text(text)
    assert main(["add-model", str(folder), "--name", "mine"]) == 0
    assert made(root).licence == licence
    assert ("names a licence" in capsys.readouterr().out) == (licence == "not stated")


def test_a_missing_chat_template_is_said(root: Path, folder: Path, capsys: Captured) -> None:
    (folder / "chat_template.jinja").unlink()
    assert main(add(folder)) == 0
    assert made(root).chat_template == "none"
    assert "Its files have no chat template" in capsys.readouterr().out
    assert main(["add-model", str(folder), "--name", "base", "--chat-template", "none"]) == 0
    assert "Its files have no chat template" not in capsys.readouterr().out


def test_the_number_format_is_that_of_the_weights(root: Path, folder: Path, capsys: Captured) -> None:
    change(folder, dtype="float32")
    assert main(add(folder)) == 0
    assert made(root).full_dtype == "bfloat16"
    assert "dtype is float32, and most weights are stored in bfloat16" in capsys.readouterr().out


def test_a_model_of_the_hub_is_described_without_its_weights(
    root: Path, folder: Path, hub: HubServer, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    (folder / "README.md").write_text("---\nlicense: mit\n---\n")
    commit = hub.add_folder("Maker/Tiny-Qwen3", folder, gated=True)
    words = ["add-model", "https://huggingface.co/Maker/Tiny-Qwen3", "--name", "mine"]
    assert "Maker/Tiny-Qwen3' is gated: accept its licence" in refused(root, words, capsys)
    monkeypatch.setenv("HF_TOKEN", "secret-token")
    hub.tokens["secret-token"] = True
    assert main(words) == 0
    entry = made(root)
    assert (entry.hub_id, entry.revision, entry.gated) == ("Maker/Tiny-Qwen3", commit, True)
    assert (entry.title, entry.licence, entry.chat_template) == ("Tiny-Qwen3", "mit", "tokenizer")
    assert entry.counts == count(model_class(class_settings(entry)))
    said = capsys.readouterr()
    assert "secret-token" not in said.out + said.err + (root / "config/models/mine.yaml").read_text()
    assert "Next: quantbench lock --model mine, then snakemake" in said.out
    assert "tokenizer.json" not in hub.sent, "the vocabulary says nothing of this"


def test_only_the_head_of_weights_is_fetched(root: Path, tmp_path: Path, hub: HubServer) -> None:
    folder = write_model(tmp_path / "one", "qwen3")
    weights = load_file(folder / "model.safetensors")
    save_file(weights | {"padding": next(iter(weights.values())).new_zeros(500_000)}, folder / "model.safetensors")
    hub.add_folder("maker/one", folder)
    assert main(["add-model", "maker/one", "--name", "mine"]) == 0
    size = (folder / "model.safetensors").stat().st_size
    assert 0 < hub.sent["model.safetensors"] <= 1 << 16 < size


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["maker/none"], "the hub gives no 'maker/none'"),
        (["maker/tiny", "--revision", "v9"], "'maker/tiny' has no revision 'v9'"),
        (["gpt2"], "gpt2: no such folder or file, and no id on the hub"),
        (["/no/such/folder"], "/no/such/folder: no such folder or file"),
        (["./folder"], "./folder: no such folder or file"),
        (["../folder"], "../folder: no such folder or file"),
        (["maker/a--b"], "'maker/a--b' is no id that the hub can have; give one as the model's page names it"),
    ],
)
def test_what_is_nowhere_is_refused(
    root: Path, folder: Path, hub: HubServer, words: list[str], message: str, capsys: Captured
) -> None:
    hub.add_folder("maker/tiny", folder)
    assert message in refused(root, ["add-model", *words, "--name", "mine"], capsys)


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"model_type": "vit", "architectures": ["ViTModel"]}, "model_type 'vit' is no causal language model"),
        ({"model_type": "clip"}, "model_type 'clip' is no causal language model"),
        ({"model_type": "t5"}, "model_type 't5' is no causal language model"),
        (
            {"model_type": "bert", "architectures": ["BertForMaskedLM"]},
            "architectures has the value ['BertForMaskedLM']",
        ),
        ({"model_type": "bert", "architectures": None}, "'bert': its class keeps nothing of the tokens before"),
        (
            {"architectures": ["Qwen3ForSequenceClassification"]},
            "['Qwen3ForSequenceClassification'], and not the causal",
        ),
        ({"model_type": "bart", "architectures": ["BartForConditionalGeneration"]}, "is_encoder_decoder is true"),
        ({"model_type": "mamba", "num_attention_heads": None, "layer_types": None}, "'mamba' has no attention heads"),
        ({"model_type": "mamba", "intermediate_size": None}, "'mamba' has no attention heads"),
        ({"model_type": "rwkv", "vocab_size": None}, "'rwkv' has no attention heads"),
        ({"per_layer_config": {"0": {"head_dim": 32}}}, "'qwen3' states facts layer by layer (per_layer_config)"),
        ({"model_type": "dots3_note"}, "'dots3_note' states facts layer by layer"),
        ({"model_type": "gemma4_assistant"}, "'gemma4_assistant' is no model of its own"),
        (
            {"model_type": "minimax", "num_hidden_layers": 4, "layer_types": None},
            "its layers keep other things than keys and values",
        ),
        ({"model_type": "ours", "auto_map": {"AutoModelForCausalLM": "m.Ours"}}, "code of its own (auto_map)"),
        ({"model_type": "qwen33"}, "model_type 'qwen33' is unknown to transformers 5.23.0"),
        ({"model_type": None}, "model_type has the value None"),
        ({"model_type": ["qwen3"]}, "model_type has the value ['qwen3']"),
        ({"num_hidden_layers": None}, "does not state num_hidden_layers"),
        ({"vocab_size": None, "hidden_size": None}, "does not state hidden_size, vocab_size"),
        ({"num_key_value_heads": 3}, "num_attention_heads is 4, no multiple of num_key_value_heads, 3"),
        ({"num_hidden_layers": 0}, "num_hidden_layers has the value 0; a whole number from 1 to 1000"),
        ({"hidden_size": -64}, "hidden_size has the value -64"),
        ({"vocab_size": "many"}, "vocab_size has the value 'many'"),
        ({"num_attention_heads": True}, "num_attention_heads has the value True"),
        ({"num_hidden_layers": 10**9}, "num_hidden_layers has the value 1000000000"),
        ({"head_dim": 0}, "head_dim has the value 0"),
        ({"intermediate_size": 128.5}, "intermediate_size has the value 128.5"),
        ({"head_dim": 4096}, "some are missing, or are of another model"),
        ({"rope_parameters": "fast"}, "config.json: "),
        ({"quantization_config": {}}, "quantization_config has the value {}, and names no quant_method"),
        ({"quantization_config": "gptq"}, "quantization_config has the value 'gptq', and names no quant_method"),
        (
            {"compression_config": {"bits": 4}},
            "compression_config has the value {'bits': 4}, and names no quant_method",
        ),
    ],
)
def test_a_configuration_that_no_entry_can_be_written_of_is_refused(
    root: Path, folder: Path, facts: dict[str, object], message: str, capsys: Captured
) -> None:
    change(folder, **facts)
    said = refused(root, add(folder), capsys)
    assert message in said
    assert f"{folder}/config.json" in said


def test_code_beside_a_known_class_is_not_needed(root: Path, folder: Path) -> None:
    change(folder, auto_map={"AutoModelForCausalLM": "modeling_tiny.Tiny"})
    assert main(add(folder)) == 0


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe", b"[1]", b"", b"[" * 100_000])
def test_what_is_no_json_object_is_refused(root: Path, folder: Path, content: bytes, capsys: Captured) -> None:
    (folder / "config.json").write_bytes(content)
    assert f"{folder}/config.json: " in refused(root, add(folder), capsys)


def adapter(folder: Path) -> None:
    (folder / "adapter_config.json").write_text("{}")


def only_gguf(folder: Path) -> None:
    for path in folder.glob("*.safetensors*"):
        path.unlink()
    (folder / "tiny-Q4_K_M.gguf").write_bytes(b"GGUF")


def no_weights(folder: Path) -> None:
    for path in folder.glob("*.safetensors*"):
        path.unlink()


def no_tokenizer(folder: Path) -> None:
    for path in folder.glob("tokenizer*"):
        path.unlink()


def truncated(folder: Path) -> None:
    path = sorted(folder.glob("*.safetensors"))[-1]
    path.write_bytes(path.read_bytes()[:-10])


def truncated_header(folder: Path) -> None:
    path = sorted(folder.glob("*.safetensors"))[-1]
    path.write_bytes(path.read_bytes()[:20])


def pointer(folder: Path) -> None:
    sorted(folder.glob("*.safetensors"))[-1].write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\n")


def shard_gone(folder: Path) -> None:
    sorted(folder.glob("*.safetensors"))[-1].unlink()


def empty_index(folder: Path) -> None:
    (folder / "model.safetensors.index.json").write_text("{}")


def weights_of_integers(folder: Path) -> None:
    for path in folder.glob("*.safetensors"):
        save_file({name: weight.char() for name, weight in load_file(path).items()}, path)


@pytest.mark.parametrize(
    ("damage", "messages"),
    [
        (adapter, ["adapter_config.json: this is an adapter"]),
        (only_gguf, ["has no weights", "tiny-Q4_K_M.gguf is GGUF"]),
        (no_weights, ["has no weights", "--hub-id"]),
        (no_tokenizer, ["has no tokenizer (tokenizer.json or"]),
        (truncated, [".safetensors: cut short"]),
        (truncated_header, [".safetensors: cut short"]),
        (pointer, ["a pointer of Git LFS"]),
        (shard_gone, ["model.safetensors.index.json: weight_map names 'model-0", "there is no such file"]),
        (empty_index, ["model.safetensors.index.json: key 'weight_map' is missing"]),
        (weights_of_integers, ["stored in I8, which is no format of full precision"]),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
@pytest.mark.parametrize("place", ["folder", "hub"])
def test_files_that_do_not_make_a_model_are_refused(
    root: Path, folder: Path, hub: HubServer, place: str, damage: object, messages: list[str], capsys: Captured
) -> None:
    assert callable(damage)
    damage(folder)
    if place == "hub":
        hub.add_folder("maker/tiny", folder)
        said = refused(root, ["add-model", "maker/tiny", "--name", "mine"], capsys)
    else:
        said = refused(root, add(folder), capsys)
    assert all(part in said for part in messages), said


def test_without_torch_one_line_says_what_to_install(repository: Path, folder: Path, root: Path) -> None:
    code = (
        "import sys; sys.modules['torch'] = None; from quantbench.cli.main import main; "
        f"sys.exit(main(['add-model', {str(folder)!r}]))"
    )
    command = [sys.executable, "-c", code]
    result = subprocess.run(
        command, env={"PYTHONPATH": str(repository / "workflow")}, capture_output=True, text=True, check=False, cwd=root
    )
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == (
        "quantbench add-model: needs torch, which the extra 'inference' brings: pip install 'quantbench[inference]'\n"
    )


@pytest.mark.parametrize("name", ["tiny-xs", "tiny-s", "tiny-m", "tiny-l"])
def test_a_folder_becomes_the_entry_its_makers_wrote(root: Path, repository: Path, name: str, capsys: Captured) -> None:
    shipped = read_entries(root / "config/models", ModelEntry)[name]
    assert main(add(repository / str(shipped.folder))) == 0
    entry = made(root)
    facts = {"family", "chat_template", "full_dtype", "architecture", "counts"}
    assert entry.model_dump(include=facts) == shipped.model_dump(include=facts)
    assert entry.folder == str(repository / str(shipped.folder))
    assert main(["plan", "--model", "mine"]) == 0
    assert "mine" in capsys.readouterr().out


THINKS = "{% if enable_thinking is false %}<think>\n\n</think>{% else %}<think>\n{% endif %}"


@pytest.mark.parametrize(
    ("template", "options", "told", "said"),
    [
        ("{{ messages }}", [], {}, []),
        (
            "{{ messages }}",
            ["--reasoning", "huatuo", "--reasoning-tokens", "9"],
            {"reasoning": "huatuo", "reasoning_tokens": 9},
            [],
        ),
        ("{{ messages }}", ["--reasoning", "<t>", "</t>"], {"reasoning": {"open": "<t>", "close": "</t>"}}, []),
        (THINKS, [], {"reasoning": "think"}, ["has thought markers (think)", "has the switch enable_thinking"]),
        (THINKS, ["--chat-template", "none"], {}, []),
        (
            THINKS,
            ["--reasoning-tokens", "2000", "--enable-thinking", "true"],
            {"reasoning": "think", "reasoning_tokens": 2000, "enable_thinking": True},
            [],
        ),
        (
            THINKS,
            ["--enable-thinking", "false"],
            {"reasoning": "think", "enable_thinking": False},
            [],
        ),
        (THINKS + "[THINK][/THINK]", [], {}, ["has thought markers (think, mistral)", "has the switch"]),
    ],
)
@pytest.mark.parametrize("place", ["chat_template.jinja", "tokenizer_config.json"])
def test_how_a_model_thinks_is_said_by_options_or_its_template(
    root: Path,
    repository: Path,
    tmp_path: Path,
    place: str,
    template: str,
    options: list[str],
    told: dict[str, object],
    said: list[str],
    capsys: Captured,
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(repository / "resources/demo/models/tiny-xs", folder)
    if place.endswith(".jinja"):
        (folder / place).write_text(template)
    else:
        stated = json.loads((folder / place).read_text())
        stated["chat_template"] = [{"name": "default", "template": template}]
        (folder / place).write_text(json.dumps(stated))
    assert main(add(folder, *options)) == 0
    written = yaml.safe_load((root / "config/models/mine.yaml").read_text())
    assert {key: written[key] for key in ("reasoning", "reasoning_tokens", "enable_thinking") if key in written} == told
    out = capsys.readouterr().out
    remarks = ["has thought markers", "has the switch enable_thinking"]
    assert all(part in out for part in said)
    assert sum(remark in out for remark in remarks) == len(said)
    assert made(root).reasoning_tokens == told.get("reasoning_tokens", 0)


@pytest.mark.parametrize(
    ("markers", "reasoning"), [(["huatuo"], "huatuo"), (["<t>", "</t>"], {"open": "<t>", "close": "</t>"})]
)
def test_markers_leave_the_name_behind_them_alone(
    root: Path, repository: Path, markers: list[str], reasoning: object
) -> None:
    _, name, *others = add(repository / "resources/demo/models/tiny-xs")
    assert main(["add-model", *others, "--reasoning", *markers, name]) == 0
    assert yaml.safe_load((root / "config/models/mine.yaml").read_text())["reasoning"] == reasoning


def test_thoughts_that_cannot_be_are_refused(root: Path, repository: Path, capsys: Captured) -> None:
    assert main(add(repository / "resources/demo/models/tiny-xs", "--reasoning-tokens", "2000")) == 2
    assert "reasoning_tokens is 2000, and reasoning does not say how thoughts are marked" in capsys.readouterr().err
    assert not (root / "config/models/mine.yaml").exists()


def test_a_configuration_alone_becomes_a_hub_model(root: Path, tmp_path: Path, capsys: Captured) -> None:
    source = tmp_path / "config.json"
    facts = {"model_type": "qwen2", "num_hidden_layers": 28, "hidden_size": 3584, "num_attention_heads": 28}
    facts |= {"num_key_value_heads": 4, "intermediate_size": 18944, "vocab_size": 152064, "torch_dtype": "bfloat16"}
    source.write_text(json.dumps(facts | {"max_position_embeddings": 32768, "tie_word_embeddings": False}))
    assert main(add(source)) == 2
    assert "one file is no model" in capsys.readouterr().err
    hub = ("--hub-id", "Qwen/Qwen2.5-7B-Instruct", "--title", "Qwen2.5 7B")
    assert main(add(source, *hub)) == 2
    assert "give --chat-template (tokenizer or none)" in capsys.readouterr().err
    assert main(add(source, *hub, "--chat-template", "tokenizer")) == 0
    out = capsys.readouterr().out
    assert "Next: quantbench lock --model mine" in out
    assert "Whether it thinks, config.json does not say" in out
    entries = read_entries(root / "config/models", ModelEntry)
    assert entries["mine"].architecture == entries["qwen2.5-7b"].architecture
    assert (entries["mine"].hub_id, entries["mine"].revision) == ("Qwen/Qwen2.5-7B-Instruct", "main")
    assert main(add(source, *hub, "--chat-template", "tokenizer")) == 2
    assert "is there already" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["../mine", "a/b", "my model", "", ".hidden"])
def test_a_name_that_no_folder_can_have_is_refused(root: Path, repository: Path, name: str, capsys: Captured) -> None:
    before = sorted(root.rglob("*.yaml"))
    words = add(repository / "resources/demo/models/tiny-xs")
    assert main([words[0], name, *words[2:]]) == 2
    assert f"NAME has the value {name!r}" in capsys.readouterr().err
    assert sorted(root.rglob("*.yaml")) == before


def quantized(folder: Path, source: Path) -> Path:
    """A checkpoint in NF4, as transformers saves it."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig

    settings = BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4")
    model = AutoModelForCausalLM.from_pretrained(
        source, quantization_config=settings, dtype=torch.bfloat16, device_map="cpu"
    )
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(source).save_pretrained(folder)
    return folder


@pytest.mark.parametrize("place", ["folder", "hub", "config.json"])
def test_a_model_that_was_published_quantized_has_the_facts_of_the_one_it_was_made_from(
    root: Path, checkpoint: Path, tmp_path: Path, hub: HubServer, place: str, capsys: Captured
) -> None:
    folder = quantized(tmp_path / "nf4", checkpoint)
    assert main(["add-model", "whole", "--from", str(checkpoint)]) == 0
    capsys.readouterr()
    if place == "folder":
        assert main(add(folder)) == 0
    elif place == "hub":
        hub.add_folder("maker/nf4", folder)
        assert main(["add-model", "maker/nf4", "--name", "mine"]) == 0
    else:
        assert main(add(folder / "config.json", "--hub-id", "maker/nf4", "--chat-template", "tokenizer")) == 0
    said = capsys.readouterr().out
    entry, whole = made(root), read_entries(root / "config/models", ModelEntry)["whole"]
    facts = {"family", "architecture", "counts", "config_json", "full_dtype"}
    assert entry.model_dump(include=facts) == whole.model_dump(include=facts)
    assert (entry.precision, whole.precision) == ("as_published", None)
    held = sum(tensor.nbytes for tensor in load_file(folder / "model.safetensors").values())
    assert entry.stored_bytes == (None if place == "config.json" else held)
    assert "published quantized (bitsandbytes)" in said
    assert "mine   as_published" in said
    assert "snakemake --cores 4 --config 'models=[mine]' 'precisions=[as_published]' run=mine" in said


@pytest.mark.parametrize(
    "stated",
    [
        {"quantization_config": {"quant_method": "gptq", "bits": 4}},
        {"quantization_config": {"load_in_4bit": True}},
        {"compression_config": {"quant_method": "compressed-tensors"}},
    ],
)
def test_methods_are_those_that_config_json_names(root: Path, folder: Path, stated: dict[str, object]) -> None:
    change(folder, **stated)
    assert main(add(folder)) == 0
    assert made(root).precision == "as_published"


def behind_a_prefix(folder: Path) -> None:
    for path in folder.glob("*.safetensors"):
        save_file({f"module.{name}": held for name, held in load_file(path).items()}, path, metadata={"format": "pt"})
    index = json.loads((folder / "model.safetensors.index.json").read_text())
    index["weight_map"] = {f"module.{name}": file for name, file in index["weight_map"].items()}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (behind_a_prefix, "the names in the files begin with 'module.'"),
        (
            lambda folder: (folder / "tokenizer.json").write_text("{"),
            "malformed JSON (Expecting property name enclosed in double quotes): '{'; put the tokenizer.json there",
        ),
        (lambda folder: (folder / "quantize_config.json").write_text('{"bits": 4}'), "are quantized already"),
        (lambda folder: (folder / "adapter_model.bin").write_bytes(b"x"), "is an adapter"),
    ],
)
def test_a_folder_that_no_cell_could_load_gets_no_entry(
    root: Path, folder: Path, spoil: Callable[[Path], None], message: str, capsys: Captured
) -> None:
    spoil(folder)
    assert message in refused(root, add(folder), capsys)


def test_an_id_that_no_hub_has_is_refused(root: Path, folder: Path, capsys: Captured) -> None:
    words = ["add-model", str(folder / "config.json"), "--hub-id", "a/../b", "--chat-template", "none"]
    assert "--hub-id has the value 'a/../b'; give an id on the hub (maker/name)" in refused(root, words, capsys)
