"""Bundles made to take memory, time or disk are refused in little of each, and leave nothing."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from tests.hostile_bundles import HOSTILE, sound
from tests.opened_apart import open_apart

from quantbench.bundle import check_bundle, open_bundle
from quantbench.errors import DataError

# What takes the most of all, and what took gigabytes where a library read it; benchmarks/hostile_bundles.py measures all.
MEASURED = (
    "pax header, 2 GiB",
    "index of one text of 8 MiB",
    "index with 42,000 files that are missing",
    "window of 2 GiB",
)
# Those that take a second to write.
SLOW = ("2 GiB", "42,000", "512 MiB", "a million", "128 MiB to pass over", "100 MiB", "200,000", "letters in a list")


@pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="other systems do not tell a process its peak of memory so"
)
@pytest.mark.parametrize("name", MEASURED)
def test_little_memory_is_taken(name: str, repository: Path, tmp_path: Path) -> None:
    path = tmp_path / "hostile.tar.zst"
    path.write_bytes(HOSTILE[name](sound(repository)))
    answer = open_apart(path, tmp_path / "into/results")
    assert answer.is_refusal, answer
    assert 20 < answer.peak_mib <= 150


@pytest.mark.parametrize("name", [name for name in HOSTILE if not any(part in name for part in SLOW)])
def test_every_one_is_refused_in_words_and_leaves_nothing(name: str, repository: Path, tmp_path: Path) -> None:
    path = tmp_path / "hostile.tar.zst"
    path.write_bytes(HOSTILE[name](sound(repository)))
    with pytest.raises(DataError, match=r"hostile.tar.zst: ") as refusal:
        open_bundle(path, tmp_path / "into/results", repository)
    assert len(str(refusal.value)) < 3000
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


def test_the_sound_one_is_taken(repository: Path, tmp_path: Path) -> None:
    path = tmp_path / "sound.tar.zst"
    path.write_bytes(sound(repository).packed())
    assert check_bundle(path).cells == sound(repository).index["cells"]
    assert open_bundle(path, tmp_path / "results", repository) == tmp_path / "results/demo/run.yaml"
