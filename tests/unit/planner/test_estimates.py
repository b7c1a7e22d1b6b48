"""The scripts that found the constants still find them."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from quantbench.planner.speed import CALL_S


def printed(repository: Path, *command: str) -> str:
    return subprocess.run([sys.executable, *command], cwd=repository, capture_output=True, text=True, check=True).stdout


def test_costs_of_calls_follow_from_the_papers_latencies(repository: Path) -> None:
    report = printed(repository, "resources/paper/step_times.py")
    found = {kind: float(value) / 1000 for kind, value in re.findall(r"a call at (\w+): ([\d.]+) ms", report)}
    assert found == pytest.approx(CALL_S, rel=0.05)
    published, planned = map(float, re.findall(r"published ([\d.]+) days, by these costs ([\d.]+)", report)[0])
    assert planned == pytest.approx(published, rel=0.1)


def test_token_counts_follow_from_the_published_files(repository: Path, real_data: Path, make) -> None:
    report = printed(repository, "resources/token_counts.py", str(real_data), "hoc", "medqa")
    found = re.findall(r"^(\w+): tokens: {prompt: (\d+), longest_prompt: (\d+), answer: (\d+)}$", report, re.MULTILINE)
    assert len(found) == 2
    for name, *numbers in found:
        assert list(make().datasets[name].tokens.model_dump().values()) == list(map(int, numbers))


def test_the_counts_of_test_sets_follow_from_the_published_files(repository: Path, real_data: Path, make) -> None:
    names = ["hoc", "ddi2013", "ncbi_disease"]
    report = printed(repository, "resources/token_counts.py", str(real_data), *names)
    found = dict(re.findall(r"^(\w+): test_set: (.*)$", report, re.MULTILINE))
    assert list(found) == names
    for name, stated in found.items():
        assert yaml.safe_load(stated) == make().datasets[name].test_set.model_dump()
