"""``make lint`` finds what rule files define twice."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture
def workflow(repository: Path, tmp_path: Path) -> Path:
    shutil.copytree(repository / "workflow/rules", tmp_path / "rules")
    shutil.copy(repository / "workflow/Snakefile", tmp_path)
    return tmp_path


def check(repository: Path, workflow: Path) -> tuple[int, str]:
    command = [sys.executable, "tests/lint/smk_names.py", str(workflow)]
    result = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False)
    assert not result.stderr, result.stderr
    return result.returncode, result.stdout


def test_the_workflow_defines_every_name_once(repository: Path, workflow: Path) -> None:
    assert check(repository, workflow) == (0, "")


@pytest.mark.parametrize(
    ("planted", "name"),
    [
        ("\n\ndef longest_first(wildcards):\n    return 1\n", "longest_first"),
        ("\n\nRUN = 3\n", "RUN"),
        ("\n\nTABLES: list = []\n", "TABLES"),
        ("\n\nrule compare:\n    output:\n        touch('x'),\n", "rule compare"),
        ("\n\nfrom pathlib import PurePath as Path\n", "Path"),
    ],
)
def test_a_planted_duplicate_is_named_with_both_places(
    repository: Path, workflow: Path, planted: str, name: str
) -> None:
    with (workflow / "rules/score.smk").open("a") as file:
        file.write(planted)
    code, printed = check(repository, workflow)
    assert code == 1
    assert f": {name} is defined at rules/co" in printed and printed.startswith("rules/score.smk:"), printed


def test_locals_and_what_is_imported_twice_alike_are_no_duplicates(repository: Path, workflow: Path) -> None:
    with (workflow / "rules/score.smk").open("a") as file:
        file.write(
            "\n\nfrom pathlib import Path\n\n\ndef one():\n    RUN = 1\n    return RUN == 2\n\n\nassert RUN == RUN\n"
        )
    assert check(repository, workflow) == (0, "")


def test_make_lint_runs_it(repository: Path) -> None:
    recipe = (repository / "Makefile").read_text().split("\nlint:")[1].split("\n\n")[0]
    assert "tests/lint/smk_names.py" in recipe
