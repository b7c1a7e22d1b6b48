"""``quantbench lock``, ``add-model``, ``clean`` and ``where``: what changes a catalogue and what lies on disk."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from tests.hub_server import HubServer

from quantbench.cli.main import main
from quantbench.config import ModelEntry, read_entries, read_lock

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def root(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A catalogue of its own, in the working directory."""
    shutil.copytree(repository / "config", tmp_path / "config")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    server = HubServer()
    monkeypatch.setenv("HF_ENDPOINT", server.url)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    yield server
    server.close()


def add(source: Path, *more: str) -> list[str]:
    return ["add-model", "mine", "--from", str(source), "--licence", "MIT", "--domain", "general", *more]


@pytest.mark.parametrize("name", ["tiny-xs", "tiny-s", "tiny-m", "tiny-l"])
def test_a_folder_becomes_the_entry_its_makers_wrote(root: Path, repository: Path, name: str, capsys: Captured) -> None:
    shipped = read_entries(root / "config/models", ModelEntry)[name]
    assert main(add(repository / str(shipped.folder))) == 0
    made = read_entries(root / "config/models", ModelEntry)["mine"]
    assert made.architecture == shipped.architecture
    assert (made.family, made.chat_template, made.full_dtype) == (
        shipped.family,
        shipped.chat_template,
        shipped.full_dtype,
    )
    assert made.folder == str(repository / str(shipped.folder))
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
        (folder / place).write_text(json.dumps({"chat_template": [{"name": "default", "template": template}]}))
    assert main(add(folder, *options)) == 0
    made = yaml.safe_load((root / "config/models/mine.yaml").read_text())
    assert {key: made[key] for key in ("reasoning", "reasoning_tokens", "enable_thinking") if key in made} == told
    out = capsys.readouterr().out
    remarks = ["has thought markers", "has the switch enable_thinking"]
    assert all(part in out for part in said)
    assert sum(remark in out for remark in remarks) == len(said)
    assert read_entries(root / "config/models", ModelEntry)["mine"].reasoning_tokens == told.get("reasoning_tokens", 0)


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


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model_type": "mamba"}, "model_type is 'mamba'; the known families are llama, qwen2, phi3"),
        ({"vocab_size": None}, "does not state vocab_size"),
        ({"head_dim": 999}, "head_dim is 999"),
        ({"quantization_config": {}}, "quantized already"),
        ({"dtype": "int4", "torch_dtype": None}, "key 'full_dtype' has the value 'int4'"),
    ],
)
def test_what_an_entry_cannot_express_is_refused(
    root: Path, repository: Path, tmp_path: Path, change: dict[str, object], message: str, capsys: Captured
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(repository / "resources/demo/models/tiny-xs", folder)
    facts = json.loads((folder / "config.json").read_text()) | change
    (folder / "config.json").write_text(json.dumps({key: value for key, value in facts.items() if value is not None}))
    assert main(add(folder)) == 2
    assert message in capsys.readouterr().err
    assert not (root / "config/models/mine.yaml").exists()


def test_what_files_cannot_say_is_asked_for(root: Path, repository: Path, capsys: Captured) -> None:
    assert main(["add-model", "mine", "--from", str(repository / "resources/demo/models/tiny-xs")]) == 2
    assert "give --domain (general or biomedical)" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["../mine", "a/b", "my model", "", ".hidden"])
def test_a_name_that_no_folder_can_have_is_refused(root: Path, repository: Path, name: str, capsys: Captured) -> None:
    before = sorted(root.rglob("*.yaml"))
    words = add(repository / "resources/demo/models/tiny-xs")
    assert main([words[0], name, *words[2:]]) == 2
    assert f"NAME has the value {name!r}" in capsys.readouterr().err
    assert sorted(root.rglob("*.yaml")) == before


def test_lock_leaves_no_file_where_nothing_is_locked(root: Path, capsys: Captured) -> None:
    (root / "config/models.lock.yaml").unlink(missing_ok=True)
    assert main(["lock", "--model", "tiny-xs"]) == 0
    assert "nothing to lock" in capsys.readouterr().out
    assert not (root / "config/models.lock.yaml").exists()


def test_lock_writes_the_commits_and_names_what_failed(
    root: Path, repository: Path, hub: HubServer, capsys: Captured
) -> None:
    commit = hub.add_folder("maker/tiny", repository / "resources/demo/models/tiny-xs")
    entry = yaml.safe_load((root / "config/models/tiny-xs.yaml").read_text())
    del entry["folder"]
    for name in ("tiny", "absent"):
        path = root / f"config/models/hub-{name}.yaml"
        path.write_text(yaml.safe_dump(entry | {"hub_id": f"maker/{name}", "revision": "main"}))
    words = ["lock", "--config", "models=[hub-tiny, hub-absent]"]
    assert main(words) == 2
    out = capsys.readouterr()
    assert out.out == f"hub-tiny: maker/tiny main is {commit}\n"
    assert "gives no 'maker/absent'" in out.err
    assert read_lock(root)["hub-tiny"].commit == commit
    assert main(["lock", "--model", "hub-tiny", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == [
        {"model": "hub-tiny", "commit": commit, "said": f"{commit}, as before"}
    ]
    assert main(["lock", "--model", "hub-tny"]) == 2
    assert "did you mean 'hub-tiny'" in capsys.readouterr().err


def test_clean_lists_and_deletes_only_with_yes(root: Path, capsys: Captured) -> None:
    weights = root / "resources/models/phi-4/model.safetensors"
    checkpoint = root / "resources/models/quantized/phi-4/w4a16/model.safetensors"
    data = root / "resources/datasets/hoc/test.tsv"
    other = root / "resources/models/another/model.safetensors"
    for path in (weights, checkpoint, data, other):
        path.parent.mkdir(parents=True)
        path.write_bytes(b"x" * 5000)
    assert main(["clean", "models"]) == 0
    said = capsys.readouterr().out
    assert "GiB  resources/models/phi-4\n" in said
    assert "would free 0.000 GiB in 1 places. Nothing was deleted; --yes frees it" in said
    assert weights.exists()
    assert main(["clean", "models", "--yes", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == [
        {"kind": "models", "path": "resources/models/phi-4", "bytes": 5000, "deleted": True}
    ]
    assert not weights.parent.exists() and checkpoint.exists() and data.exists()
    assert main(["clean", "checkpoints", "datasets", "--yes"]) == 0
    assert "freed 0.000 GiB in 2 places" in capsys.readouterr().out
    assert not checkpoint.parent.parent.exists() and not data.parent.exists()
    assert other.exists(), "no model of the run"
    assert main(["clean", "models"]) == 0
    assert "nothing to free" in capsys.readouterr().out
    assert main(["clean", "everything"]) == 2


def test_a_local_folder_is_never_listed(root: Path, repository: Path, capsys: Captured) -> None:
    words = ["clean", "models", "datasets", "--configfile", str(root / "config/demo.yaml"), "--yes"]
    shutil.copytree(repository / "resources/demo/datasets", root / "resources/demo/datasets")
    assert main(words) == 0
    assert "nothing to free" in capsys.readouterr().out
    assert (root / "resources/demo/datasets/hoc/test.tsv").exists()


def test_a_data_folder_where_downloads_go_is_ones_own(root: Path, repository: Path, capsys: Captured) -> None:
    shutil.copytree(repository / "resources/demo/datasets", root / "resources/datasets")
    words = ["clean", "datasets", "--configfile", str(root / "config/demo.yaml"), "--yes"]
    assert main([*words, "--config", "data={folder: resources/datasets}"]) == 0
    assert "nothing to free" in capsys.readouterr().out
    assert (root / "resources/datasets/hoc/test.tsv").exists()


def test_a_local_model_in_the_folder_of_a_retrieved_one_is_kept(root: Path, repository: Path, capsys: Captured) -> None:
    source = repository / str(read_entries(root / "config/models", ModelEntry)["tiny-xs"].folder)
    shutil.copytree(source, root / "resources/models/phi-4")
    assert main(add(root / "resources/models/phi-4")) == 0
    assert main(["clean", "models", "--yes"]) == 0
    assert "nothing to free" in capsys.readouterr().out
    assert (root / "resources/models/phi-4/config.json").exists()


def test_where_names_what_is_shipped(root: Path, repository: Path, capsys: Captured) -> None:
    assert main(["where"]) == 0
    assert capsys.readouterr().out == f"{repository}\n"
