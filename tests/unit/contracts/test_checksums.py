from __future__ import annotations

import shutil
import subprocess

import pytest

from quantbench.config import DataFile, RemoteFile
from quantbench.contracts.checksums import (
    Change,
    Expected,
    changes,
    difference,
    file_hashes,
    git_blob_of,
    sha256_of,
    verify_file,
)
from quantbench.errors import DataError

# Known values: FIPS 180 gives the digest of "abc"; git itself names the empty blob and "abc".
SHA256_ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
BLOB_ABC = "f2ba8f84ab5c1bce84a7b441cb1959cfc7093b7f"
BLOB_EMPTY = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"


def stated(**proof: str) -> DataFile:
    return DataFile(name="abc.tsv", rows=1, **proof)


def test_digests_are_the_known_ones(tmp_path):
    path = tmp_path / "abc.tsv"
    path.write_bytes(b"abc")
    assert sha256_of(path) == SHA256_ABC
    assert git_blob_of(path) == BLOB_ABC
    path.write_bytes(b"")
    assert git_blob_of(path) == BLOB_EMPTY


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_the_blob_id_is_what_git_says(repository):
    path = repository / "tests/data/datasets/chemprot/test.tsv"
    command = ["git", "hash-object", "--no-filters", str(path)]
    assert git_blob_of(path) == subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_the_right_file_passes_and_a_file_without_proof_passes(tmp_path):
    path = tmp_path / "abc.tsv"
    path.write_bytes(b"abc")
    verify_file(path, stated(sha256=SHA256_ABC))
    verify_file(path, stated(git_blob=BLOB_ABC))
    verify_file(path, stated())


@pytest.mark.parametrize("proof", [{"sha256": SHA256_ABC}, {"git_blob": BLOB_ABC}])
def test_one_changed_byte_is_refused_with_both_digests_and_the_next_step(tmp_path, proof):
    path = tmp_path / "abc.tsv"
    path.write_bytes(b"abd")
    found = sha256_of(path) if "sha256" in proof else git_blob_of(path)
    with pytest.raises(DataError) as caught:
        verify_file(path, stated(**proof))
    for part in [str(path), *proof.values(), found, "3 bytes", "retrieve it again", "files.yaml"]:
        assert part in str(caught.value)


def test_the_sha256_counts_where_both_are_stated(tmp_path):
    path = tmp_path / "abc.tsv"
    path.write_bytes(b"abc")
    with pytest.raises(DataError, match="SHA-256"):
        verify_file(path, stated(sha256="0" * 64, git_blob=BLOB_ABC))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"abc\.tsv: no such file"):
        verify_file(tmp_path / "abc.tsv", stated())


@pytest.mark.parametrize(
    ("expected", "said"),
    [
        (Expected(), None),
        (Expected(size=3, sha256=SHA256_ABC, git_blob=BLOB_ABC), None),
        (Expected(size=4, sha256=SHA256_ABC), "3 bytes, expected 4"),
        (Expected(size=3, git_blob=BLOB_EMPTY), f"expected git blob id {BLOB_EMPTY}, found {BLOB_ABC} (3 bytes)"),
        (Expected(sha256="0" * 64), f"expected SHA-256 {'0' * 64}, found {SHA256_ABC} (3 bytes)"),
    ],
)
def test_how_a_file_differs_is_said_in_one_way(tmp_path, expected, said):
    (tmp_path / "f").write_bytes(b"abc")
    assert difference(tmp_path / "f", expected) == said
    assert difference(tmp_path / "none", expected) == "no such file"


def test_a_file_of_another_size_is_not_read(tmp_path):
    (tmp_path / "f").write_bytes(b"abc")
    facts = RemoteFile(size=4, sha256=SHA256_ABC)
    assert difference(tmp_path / "f", Expected.of(facts), hash_file=lambda path: pytest.fail("read")) is not None


def test_folders_are_compared_file_by_file(tmp_path):
    for name in ("same", "other", "sub/lost", ".hidden/x", ".note"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    recorded = file_hashes(tmp_path)
    assert recorded.keys() == {"same", "other", "sub/lost"}
    (tmp_path / "other").write_bytes(b"changed")
    (tmp_path / "sub/lost").rename(tmp_path / "new")
    found = file_hashes(tmp_path)
    assert changes(recorded, found) == [Change("new", "added"), Change("other", "changed"), Change("sub/lost", "gone")]
    assert changes(recorded, recorded) == []
