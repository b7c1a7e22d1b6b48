"""The lock file: names resolved to commits, kept until someone decides otherwise."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from quantbench.config import LOCK_FILE, Catalogue, ModelEntry, load, read_lock
from quantbench.config.settings import read_yaml
from quantbench.contracts.model_folder import Receipt
from quantbench.errors import ConfigError, ModelError
from quantbench.store.locking import Pinned, lock_models
from quantbench.store.places import check_receipt, receipt_path
from quantbench.store.retrieval import retrieve_model


@pytest.fixture
def catalogue(repository: Path, tmp_path: Path, entry: ModelEntry) -> Catalogue:
    """A repository of its own in which two models come from the hub."""
    shutil.copytree(repository / "config", tmp_path / "config")
    for name in ("tiny", "other"):
        own = entry.model_copy(update={"hub_id": f"maker/{name}"})
        (tmp_path / f"config/models/{name}.yaml").write_text(yaml.safe_dump(own.model_dump(exclude_none=True)))
    return reloaded(tmp_path)


def reloaded(root: Path) -> Catalogue:
    return load(root, read_yaml(root / "config/config.yaml") | {"models": ["tiny"]}, "test")


def lock(catalogue: Catalogue, *names: str) -> list[Pinned]:
    return lock_models(catalogue.root, {name: catalogue.models[name] for name in names}, catalogue.run.models_folder)


def test_a_name_becomes_a_commit_with_its_files(hub, tiny, catalogue):
    commit = hub.add_folder("maker/tiny", tiny)
    lock(catalogue, "tiny", "tiny-xs")
    locked = reloaded(catalogue.root).locked["tiny"]
    assert (locked.hub_id, locked.revision, locked.commit) == ("maker/tiny", "main", commit)
    assert locked.files.keys() == {path.name for path in tiny.iterdir()}
    assert locked.files["model.safetensors"].sha256
    assert locked.files["config.json"].git_blob
    assert locked.answers(catalogue.models["tiny"])
    assert not locked.answers(catalogue.models["tiny"].model_copy(update={"revision": "v2"}))


def test_a_moved_revision_is_said_and_not_taken(hub, tiny, catalogue):
    old = hub.add_folder("maker/tiny", tiny)
    lock(catalogue, "tiny")
    new = hub.repositories["maker/tiny"].publish({**hub.repositories["maker/tiny"].commits[old], "LICENSE": b"x"})
    (pinned,) = lock(catalogue, "tiny")
    assert read_lock(catalogue.root)["tiny"].commit == pinned.commit == old
    assert f"has moved to {new}; the lock keeps {old}" in pinned.said
    (catalogue.root / LOCK_FILE).write_text("{}\n")
    lock(catalogue, "tiny")
    assert read_lock(catalogue.root)["tiny"].commit == new


def test_a_retrieved_model_is_locked_to_what_was_retrieved(hub, tiny, catalogue):
    old = hub.add_folder("maker/tiny", tiny)
    receipt = receipt_path(catalogue.root, catalogue.run.models_folder, "tiny")
    retrieve_model("tiny", catalogue.models["tiny"], None, receipt.with_name("tiny"), receipt)
    hub.repositories["maker/tiny"].publish({**hub.repositories["maker/tiny"].commits[old], "LICENSE": b"x"})
    (pinned,) = lock(catalogue, "tiny")
    assert read_lock(catalogue.root)["tiny"].commit == pinned.commit == old
    assert "as retrieved" in pinned.said


def test_one_model_that_fails_does_not_keep_the_others_out(hub, tiny, catalogue):
    hub.add_folder("maker/other", tiny)
    failed, done = lock(catalogue, "tiny", "other")
    assert failed.failed and "gives no 'maker/tiny'" in failed.said
    assert not done.failed
    assert read_lock(catalogue.root).keys() == {"other"}


def test_a_folder_at_another_commit_than_the_lock_is_refused(hub, tiny, entry, catalogue, tmp_path):
    commit = hub.add_folder("maker/tiny", tiny)
    lock(catalogue, "tiny")
    locked = read_lock(catalogue.root)["tiny"]
    receipt = tmp_path / "tiny.json"
    check_receipt("tiny", entry, locked, receipt)
    recorded = Receipt(model="tiny", hub_id="maker/tiny", requested="main", revision=commit, files={})
    recorded.write(receipt)
    check_receipt("tiny", entry, locked, receipt)
    recorded.model_copy(update={"revision": "0" * 40}).write(receipt)
    with pytest.raises(ModelError, match=rf"{receipt}.*retrieved at commit 0000.*names {commit}; delete the receipt"):
        check_receipt("tiny", entry, locked, receipt)
    check_receipt("tiny", entry, None, receipt)


def test_a_folder_at_another_commit_than_its_entry_pins_is_refused(entry, tmp_path):
    receipt = tmp_path / "tiny.json"
    Receipt(model="tiny", hub_id="maker/tiny", requested="main", revision="0" * 40, files={}).write(receipt)
    pinned = entry.model_copy(update={"revision": "1" * 40})
    with pytest.raises(
        ModelError, match=r"at commit 0000.*config/models/tiny\.yaml names 1111.* or write revision: 0+ in it"
    ):
        check_receipt("tiny", pinned, None, receipt)
    check_receipt("tiny", entry.model_copy(update={"revision": "0" * 40}), None, receipt)
    check_receipt("tiny", pinned.model_copy(update={"weights": "random"}), None, receipt)


def test_a_damaged_lock_file_is_named(catalogue):
    (catalogue.root / LOCK_FILE).write_text("tiny: {hub_id: a/b, revision: main, commit: abc, files: {}}\n")
    with pytest.raises(ConfigError, match=r"models\.lock\.yaml, model 'tiny': key 'commit' has the value 'abc'"):
        read_lock(catalogue.root)
    (catalogue.root / LOCK_FILE).write_text("tiny: 3\n")
    with pytest.raises(ConfigError, match="model 'tiny' has the value 3"):
        read_lock(catalogue.root)
