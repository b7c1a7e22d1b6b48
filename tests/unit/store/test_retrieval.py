"""Models from a hub of our own on loopback: what arrives, what is refused, and what is said."""

from __future__ import annotations

import json
import os
import pickle
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.hub_server import HubServer, Repository

from quantbench import hub_address
from quantbench.config import LockedModel, ModelEntry
from quantbench.contracts.checksums import file_hashes
from quantbench.contracts.files import read_json
from quantbench.errors import ConfigError, ModelError
from quantbench.store.hub import first_bytes
from quantbench.store.retrieval import resolve, retrieve_model

WEIGHTS = "model.safetensors"


def get(entry: ModelEntry, folder: Path, locked: LockedModel | None = None) -> dict:
    retrieve_model("tiny", entry, locked, folder / "tiny", folder / "tiny.json")
    return read_json(folder / "tiny.json")


def test_a_model_arrives_whole_with_a_receipt_and_nothing_else(hub, tiny, entry, tmp_path, capsys):
    commit = hub.add_folder("maker/tiny", tiny)
    receipt = get(entry, tmp_path)
    assert file_hashes(tmp_path / "tiny") == file_hashes(tiny) == receipt["files"]
    assert (receipt["revision"], receipt["requested"], receipt["hub_id"]) == (commit, "main", "maker/tiny")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".locks", "tiny", "tiny.json"]
    assert {path.name for path in (tmp_path / "tiny").iterdir()} == {path.name for path in tiny.iterdir()}
    said = capsys.readouterr().out
    assert "5 files, 0.00 GiB to download" in said
    assert "GiB free" in said


def test_only_what_is_needed_is_fetched_and_code_never(hub, tiny, entry, tmp_path):
    repository_files = {
        "modeling_tiny.py": b"raise SystemExit",
        "pytorch_model.bin": b"the same weights, pickled",
        "original/consolidated.00.pth": b"again",
        "onnx/model.onnx": b"again",
        "README.md": b"card",
        "LICENSE": b"MIT",
    }
    shutil.copytree(tiny, tmp_path / "published")
    for name, content in repository_files.items():
        (tmp_path / "published" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "published" / name).write_bytes(content)
    hub.add_folder("maker/tiny", tmp_path / "published")
    get(entry, tmp_path)
    fetched = {str(path.relative_to(tmp_path / "tiny")) for path in (tmp_path / "tiny").rglob("*")}
    assert fetched == {path.name for path in tiny.iterdir()} | {"LICENSE"}


def test_facts_are_checked_before_the_weights_arrive(hub, tiny, entry, tmp_path):
    facts = json.loads((tiny / "config.json").read_text()) | {"num_hidden_layers": 80}
    published = {path.name: path.read_bytes() for path in tiny.iterdir()}
    hub.repositories["maker/tiny"] = Repository()
    hub.repositories["maker/tiny"].publish(published | {"config.json": json.dumps(facts).encode()})
    with pytest.raises(ModelError, match=r"num_hidden_layers is 80, config/models/tiny\.yaml says layers: 4"):
        get(entry, tmp_path)
    assert hub.sent["config.json"] > 0
    assert hub.sent[WEIGHTS] == 0
    hub.repositories["maker/tiny"].publish(published)
    get(entry, tmp_path)
    assert file_hashes(tmp_path / "tiny") == file_hashes(tiny)


def test_a_template_that_is_not_published_is_said_before_the_weights_arrive(hub, tiny, entry, tmp_path):
    hub.add_folder("maker/tiny", tiny)
    with pytest.raises(ModelError, match=r"no chat template .*config/models/tiny\.yaml says chat_template: tokenizer"):
        get(entry.model_copy(update={"chat_template": "tokenizer"}), tmp_path)
    assert hub.sent[WEIGHTS] == 0


@pytest.fixture
def small_steps(monkeypatch):
    """The client writes in steps of 10 MiB, more than a tiny model has; the steps of a large one, to scale."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 1 << 14)


def test_a_cut_connection_is_taken_up_where_it_broke(hub, tiny, entry, tmp_path, small_steps):
    size = (tiny / WEIGHTS).stat().st_size
    hub.add_folder("maker/tiny", tiny)
    hub.cuts[WEIGHTS] = [size // 2, size // 4]
    get(entry, tmp_path)
    after_the_cut = hub.sent[WEIGHTS] - size // 2
    assert after_the_cut < 0.6 * size
    assert file_hashes(tmp_path / "tiny") == file_hashes(tiny)


def test_a_download_given_up_goes_on_in_the_next_run(hub, tiny, entry, tmp_path, small_steps):
    size = (tiny / WEIGHTS).stat().st_size
    hub.add_folder("maker/tiny", tiny)
    hub.cuts[WEIGHTS] = [3 * size // 4, *[0] * 100]
    with pytest.raises(ModelError, match=r"did not arrive .*run again to go on where it broke off"):
        get(entry, tmp_path)
    assert not (tmp_path / "tiny.json").exists()
    assert not (tmp_path / "tiny" / WEIGHTS).exists()
    hub.cuts.clear()
    hub.sent.clear()
    get(entry, tmp_path)
    assert {name for name, sent in hub.sent.items() if name and sent} == {WEIGHTS}, "finished files are kept"
    assert 0 < hub.sent[WEIGHTS] < 0.3 * size
    assert file_hashes(tmp_path / "tiny") == file_hashes(tiny)


def test_what_an_earlier_run_left_of_another_file_is_not_built_upon(hub, tiny, entry, tmp_path):
    hub.add_folder("maker/tiny", tiny)
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny" / f".{WEIGHTS}.part").write_bytes(b"of another commit" * 1000)
    get(entry, tmp_path)
    assert file_hashes(tmp_path / "tiny") == file_hashes(tiny)


@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_busy_server_is_tried_again(hub, tiny, entry, tmp_path, status):
    hub.add_folder("maker/tiny", tiny)
    hub.statuses[WEIGHTS] = [status]
    get(entry, tmp_path)
    assert file_hashes(tmp_path / "tiny") == file_hashes(tiny)


def test_a_server_that_stays_busy_is_given_up(hub, tiny, entry, tmp_path):
    hub.add_folder("maker/tiny", tiny)
    hub.statuses[WEIGHTS] = [503] * 50
    with pytest.raises(ModelError, match=r"answered 503 .*what has arrived is kept"):
        get(entry, tmp_path)


def test_what_is_there_and_right_is_kept_and_what_is_wrong_is_fetched(hub, tiny, entry, tmp_path):
    hub.add_folder("maker/tiny", tiny)
    get(entry, tmp_path)
    hub.sent.clear()
    content = bytearray((tmp_path / "tiny/config.json").read_bytes())
    content[5] ^= 1
    (tmp_path / "tiny/config.json").write_bytes(content)
    get(entry, tmp_path)
    assert [name for name, sent in hub.sent.items() if name and sent] == ["config.json"]
    assert file_hashes(tmp_path / "tiny") == file_hashes(tiny)


@pytest.mark.parametrize("name", [WEIGHTS, "config.json"])
def test_other_content_than_the_hubs_hash_is_refused_and_removed(hub, tiny, entry, tmp_path, name):
    hub.add_folder("maker/tiny", tiny)
    content = bytearray((tiny / name).read_bytes())
    content[len(content) // 2] ^= 1
    hub.served[name] = bytes(content)
    with pytest.raises(
        ModelError,
        match=rf"{name}: .*is not the published file: expected (SHA-256|git blob id) [0-9a-f]+.*nothing of it was kept",
    ):
        get(entry, tmp_path)
    assert not (tmp_path / "tiny" / name).exists()
    assert not (tmp_path / "tiny.json").exists()


def test_gated_without_a_token_says_where_to_accept_and_where_the_token_goes(hub, tiny, entry, tmp_path):
    hub.add_folder("maker/tiny", tiny, gated=True)
    with pytest.raises(ModelError) as caught:
        get(entry, tmp_path)
    for part in ("gated", f"{hub.url}/maker/tiny", f"{hub.url}/settings/tokens", "HF_TOKEN"):
        assert part in str(caught.value)


def test_gated_with_a_token_that_was_not_granted_access(hub, tiny, entry, tmp_path, monkeypatch):
    hub.add_folder("maker/tiny", tiny, gated=True)
    hub.tokens["hf_stranger"] = False
    monkeypatch.setenv("HF_TOKEN", "hf_stranger")
    with pytest.raises(ModelError, match="HF_TOKEN has no access: accept the licence") as caught:
        get(entry, tmp_path)
    assert "hf_stranger" not in str(caught.value)


def test_gated_with_a_token_that_may_read(hub, tiny, entry, tmp_path, monkeypatch, capfd):
    hub.add_folder("maker/tiny", tiny, gated=True)
    hub.tokens["hf_member"] = True
    monkeypatch.setenv("HF_TOKEN", "hf_member")
    get(entry, tmp_path)
    assert hub.authorized
    said = capfd.readouterr()
    assert "hf_member" not in said.out + said.err
    for path in tmp_path.rglob("*"):
        assert path.is_dir() or b"hf_member" not in path.read_bytes()


def test_the_token_stays_with_the_hub_when_large_files_lie_elsewhere(hub, tiny, entry, tmp_path, monkeypatch):
    storage = HubServer()
    try:
        hub.add_folder("maker/tiny", tiny, gated=True)
        storage.add_folder("maker/tiny", tiny)
        hub.storage = storage.url.replace("127.0.0.1", "localhost")
        hub.tokens["hf_member"] = True
        monkeypatch.setenv("HF_TOKEN", "hf_member")
        monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
        get(entry, tmp_path)
        assert storage.sent[WEIGHTS] == (tiny / WEIGHTS).stat().st_size
        assert hub.authorized
        assert storage.authorized == []
    finally:
        storage.close()


def test_the_token_stays_with_the_hub_when_the_first_bytes_of_a_file_lie_elsewhere(hub, tiny, monkeypatch):
    storage = HubServer()
    try:
        commit = hub.add_folder("maker/tiny", tiny)
        assert storage.add_folder("maker/tiny", tiny) == commit
        hub.storage = storage.url.replace("127.0.0.1", "localhost")
        hub.tokens["hf_member"] = True
        monkeypatch.setenv("HF_TOKEN", "hf_member")
        monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
        assert (
            first_bytes(hub_address.Repository("maker/tiny", "main"), commit, WEIGHTS, 8)
            == (tiny / WEIGHTS).read_bytes()[:8]
        )
        assert hub.authorized and storage.sent[WEIGHTS] and storage.authorized == []
    finally:
        storage.close()


def test_a_token_that_would_travel_unencrypted_is_refused_before_anything_is_asked(entry, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://hub.local")
    monkeypatch.setenv("HF_TOKEN", "hf_member")
    with pytest.raises(ConfigError, match="sent unencrypted"):
        get(entry, tmp_path)


def test_a_token_on_disk_is_not_used(hub, tiny, entry, tmp_path, monkeypatch):
    from huggingface_hub import constants

    (tmp_path / "token").write_text("hf_from_disk")
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "token"))
    hub.add_folder("maker/tiny", tiny)
    get(entry, tmp_path)
    assert hub.authorized == []


def test_a_wrong_token_is_called_wrong(hub, tiny, entry, tmp_path, monkeypatch):
    hub.add_folder("maker/tiny", tiny)
    monkeypatch.setenv("HF_TOKEN", "hf_mistyped")
    with pytest.raises(ModelError, match="does not accept the token in HF_TOKEN") as caught:
        get(entry, tmp_path)
    assert "hf_mistyped" not in str(caught.value)


@pytest.mark.parametrize("token", [None, "hf_member"])
def test_a_model_that_is_not_there(hub, entry, tmp_path, monkeypatch, token):
    hub.tokens["hf_member"] = True
    if token:
        monkeypatch.setenv("HF_TOKEN", token)
    with pytest.raises(
        ModelError, match=r"gives no 'maker/tiny' \(40[14]\): renamed, removed, or private.*correct hub_id"
    ):
        get(entry, tmp_path)


def test_a_renamed_model_says_its_new_name(hub, tiny, entry, tmp_path):
    hub.add_folder("newmaker/tiny", tiny)
    hub.moved["maker/tiny"] = "newmaker/tiny"
    with pytest.raises(ModelError, match=r"calls 'maker/tiny' 'newmaker/tiny' now.*hub_id: newmaker/tiny"):
        get(entry, tmp_path)


def test_a_revision_that_is_not_there(hub, tiny, entry, tmp_path):
    hub.add_folder("maker/tiny", tiny)
    with pytest.raises(ModelError, match=r"no revision 'v2'.*config/models/tiny\.yaml"):
        get(entry.model_copy(update={"revision": "v2"}), tmp_path)


def test_the_lock_keeps_a_moved_revision_where_it_was(hub, tiny, entry, tmp_path):
    old = hub.add_folder("maker/tiny", tiny)
    locked = resolve("tiny", entry)
    changed = {**hub.repositories["maker/tiny"].commits[old], "LICENSE": b"new terms"}
    new = hub.repositories["maker/tiny"].publish(changed)
    assert get(entry, tmp_path / "pinned", locked)["revision"] == old != new
    assert get(entry, tmp_path / "free")["revision"] == new
    del hub.repositories["maker/tiny"].commits[old]
    with pytest.raises(ModelError, match=r"or its locked commit any more.*quantbench lock"):
        get(entry, tmp_path / "gone", locked)


def test_what_an_earlier_commit_left_is_not_loaded_instead(hub, tiny, entry, tmp_path):
    from safetensors.torch import load_file, save_file

    hub.add_folder("maker/tiny", tiny)
    get(entry, tmp_path)
    published = shutil.copytree(tiny, tmp_path / "published", ignore=shutil.ignore_patterns("*.safetensors"))
    tensors = load_file(tiny / WEIGHTS)
    names, files = list(tensors), {}
    for part in range(2):
        file = f"model-{part + 1:05}-of-00002.safetensors"
        save_file({name: tensors[name] for name in names[part::2]}, published / file, metadata={"format": "pt"})
        files |= dict.fromkeys(names[part::2], file)
    (published / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": files}))
    hub.add_folder("maker/tiny", published)
    receipt = get(entry, tmp_path)
    assert not (tmp_path / "tiny" / WEIGHTS).exists()
    assert receipt["files"] == file_hashes(tmp_path / "tiny") == file_hashes(published)


def test_two_users_at_once_fetch_it_once(hub, tiny, entry, tmp_path):
    hub.add_folder("maker/tiny", tiny)
    with ThreadPoolExecutor(2) as users:
        receipts = list(users.map(lambda _: get(entry, tmp_path), range(2)))
    assert receipts[0] == receipts[1]
    assert hub.sent[WEIGHTS] == (tiny / WEIGHTS).stat().st_size


def test_a_full_disk_is_said_before_the_download(hub, tiny, entry, tmp_path, monkeypatch):
    hub.add_folder("maker/tiny", tiny)
    usage = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage)
    with pytest.raises(ModelError, match=r"needs 0\.00 GiB and 0\.00 GiB are free.*models_folder"):
        get(entry, tmp_path)
    assert not [name for name in hub.sent if name]


def test_no_connection_and_offline_mode_are_said(hub, entry, tmp_path, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(ModelError, match=r"did not arrive from http://127\.0\.0\.1:9 .*run again"):
        get(entry, tmp_path)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(ModelError, match="HF_HUB_OFFLINE is set"):
        get(entry, tmp_path)


def publish_pickled(hub: HubServer, tiny: Path, folder: Path, parts: int) -> None:
    """The demo model as older repositories published models."""
    import torch
    from safetensors.torch import load_file

    shutil.copytree(tiny, folder, ignore=shutil.ignore_patterns("*.safetensors"))
    tensors = load_file(tiny / WEIGHTS)
    names, files = list(tensors), {}
    for part in range(parts):
        file = "pytorch_model.bin" if parts == 1 else f"pytorch_model-{part + 1:05}-of-{parts:05}.bin"
        torch.save({name: tensors[name] for name in names[part::parts]}, folder / file)
        files |= dict.fromkeys(names[part::parts], file)
    if parts > 1:
        (folder / "pytorch_model.bin.index.json").write_text(json.dumps({"metadata": {}, "weight_map": files}))
    hub.add_folder("maker/tiny", folder)


@pytest.mark.parametrize("parts", [1, 2])
def test_pickled_weights_become_safetensors_with_the_same_tensors(hub, tiny, entry, tmp_path, parts):
    import torch
    from safetensors.torch import load_file
    from transformers import AutoModelForCausalLM

    publish_pickled(hub, tiny, tmp_path / "published", parts)
    receipt = get(entry, tmp_path)
    assert not list((tmp_path / "tiny").glob("*.bin*"))
    found = {}
    for path in (tmp_path / "tiny").glob("*.safetensors"):
        found |= load_file(path)
    expected = load_file(tiny / WEIGHTS)
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in expected)
    AutoModelForCausalLM.from_pretrained(tmp_path / "tiny", local_files_only=True)
    hub.sent.clear()
    (tmp_path / "tiny.json").unlink()  # as Snakemake does before it runs a job again
    assert get(entry, tmp_path) == receipt
    assert not [name for name in hub.sent if name], "converted files are not fetched again"
    (tmp_path / "tiny" / receipt_weights(receipt)).write_bytes(b"damaged")
    assert get(entry, tmp_path) == receipt
    assert len([name for name in hub.sent if name]) == 1, "only the damaged one is fetched again"


def receipt_weights(receipt: dict) -> str:
    return next(name for name in receipt["files"] if name.endswith(".safetensors"))


def test_code_in_pickled_weights_is_refused_and_not_run(hub, tiny, entry, tmp_path):
    class Attack:
        def __reduce__(self):
            return os.system, (f"touch {tmp_path}/ran",)

    shutil.copytree(tiny, tmp_path / "published", ignore=shutil.ignore_patterns("*.safetensors"))
    (tmp_path / "published/pytorch_model.bin").write_bytes(pickle.dumps({"weight": Attack()}))
    hub.add_folder("maker/tiny", tmp_path / "published")
    with pytest.raises(
        ModelError, match=r"not readable as weights.*nothing in it was run; retrieve it again"
    ) as refused:
        get(entry, tmp_path)
    assert "weights_only" not in str(refused.value), "torch advises loading it without that check"
    assert not (tmp_path / "ran").exists()


def test_a_repository_without_weights_is_refused(hub, tiny, entry, tmp_path):
    shutil.copytree(tiny, tmp_path / "published", ignore=shutil.ignore_patterns("*.safetensors"))
    (tmp_path / "published/model.gguf").write_bytes(b"x")
    hub.add_folder("maker/tiny", tmp_path / "published")
    with pytest.raises(ModelError, match=r"neither model\.safetensors nor pytorch_model\.bin .*model\.gguf"):
        get(entry, tmp_path)
