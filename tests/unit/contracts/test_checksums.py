from __future__ import annotations

import shutil
import subprocess

import pytest

from quantbench.config import DataFile
from quantbench.datasets import git_blob_of, sha256_of, verify_file
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
