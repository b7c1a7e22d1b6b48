"""What a run writes has its place under results/, and nothing of it belongs to the repository's first folder."""

import subprocess
from pathlib import Path

import pytest


def test_no_files_of_a_run_are_tracked_in_the_first_folder(repository: Path) -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=repository, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a clone")
    first = [name for name in listed.stdout.splitlines() if "/" not in name]
    assert not [name for name in first if Path(name).suffix in {".json", ".jsonl", ".npz", ".lock"}]
