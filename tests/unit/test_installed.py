"""The package as pip installs it: from a source distribution, beside nothing but its base dependencies."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from quantbench import __version__

_SDIST = "import sys; from setuptools import build_meta; print(build_meta.build_sdist(sys.argv[1]))"
_SOURCES = ("setup.py", "pyproject.toml", "MANIFEST.in", "README.md", "LICENSE")
_FOLDERS = ("workflow", "config", "envs", "resources/documents", "resources/paper", "resources/published")


def checked(*command: str | Path, cwd: Path) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "QUANTBENCH"))}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from the source distribution of a copy, as pip builds what it downloads."""
    place = tmp_path_factory.mktemp("build")
    for folder in _FOLDERS:
        shutil.copytree(repository / folder, place / folder, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    for file in _SOURCES:
        shutil.copy(repository / file, place)
    name = checked(sys.executable, "-c", _SDIST, place / "dist", cwd=place).splitlines()[-1]
    build = ("-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index", "-w", place / "wheels")
    checked(sys.executable, *build, place / "dist" / name, cwd=place)
    (path,) = (place / "wheels").glob("*.whl")
    return path


def base_modules(name: str = "quantbench", extras: frozenset[str] = frozenset()) -> set[str]:
    """Distributions that an installation without extras brings."""
    found: set[str] = set()
    for line in distribution(name).requires or []:
        needed = Requirement(line)
        if needed.marker is None or needed.marker.evaluate({"extra": ""}):
            found |= {needed.name} | base_modules(needed.name)
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command of a fresh environment that holds the wheel and its base dependencies, and nothing else."""
    place = tmp_path_factory.mktemp("venv")
    checked(sys.executable, "-m", "venv", "--without-pip", place / "venv", cwd=place)
    python = place / "venv/bin/python"
    install = ("install", "--no-deps", "--no-index", "--disable-pip-version-check", wheel)
    checked(sys.executable, "-m", "pip", "--python", python, *install, cwd=place)
    (packages,) = (place / "venv/lib").glob("python*/site-packages")
    with zipfile.ZipFile(wheel) as archive:
        (metadata,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        stated = re.findall(r"^Requires-Dist: (.+)$", archive.read(metadata).decode(), re.MULTILINE)
    needed = [Requirement(line) for line in stated]
    direct = {one.name for one in needed if one.marker is None}
    for name in direct | {inner for one in direct for inner in base_modules(one)}:
        for file in distribution(name).files or []:
            top = file.parts[0]
            source = Path(str(distribution(name).locate_file(top)))
            if top != ".." and source.exists() and not (packages / top).exists():
                (packages / top).symlink_to(source)
    return place / "venv/bin/quantbench"


def test_the_wheel_brings_the_catalogue_and_no_tests(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    for path in (
        "config/config.yaml",
        "config/models/phi-4.yaml",
        "config/datasets/hoc/cot.txt",
        "resources/documents/ncbi_disease.test.csv",
        "resources/paper/table1.csv",
        "resources/published/other_measurements.csv",
    ):
        assert f"quantbench/_catalogue/{path}" in names
    assert any(name.startswith("quantbench/_catalogue/workflow/rules/") for name in names)
    assert not [name for name in names if "__pycache__" in name or name.startswith("tests") or "/demo/" in name]


def test_it_answers_from_any_folder(installed: Path, tmp_path: Path) -> None:
    assert checked(installed, "--version", cwd=tmp_path) == f"quantbench {__version__}\n"
    assert "add-model" in checked(installed, cwd=tmp_path)
    assert checked(installed, "where", cwd=tmp_path).strip().endswith("quantbench/_catalogue")
    assert "phi-4" in checked(installed, "plan", "--model", "phi-4", cwd=tmp_path)
    rows = list(
        csv.DictReader(io.StringIO(checked(installed, "plan", "--against", "paper", "--format", "csv", cwd=tmp_path)))
    )
    assert len(rows) == 96
    cells = json.loads(checked(installed, "cells", "--format", "json", cwd=tmp_path))
    assert {one["state"] for one in cells} == {"waiting"}
    assert "complete" in checked(installed, "completion", "bash", cwd=tmp_path)
    assert not list(tmp_path.iterdir())


def test_it_scores(installed: Path, repository: Path, tmp_path: Path) -> None:
    gold = repository / "tests/data/datasets/medqa/test.tsv"
    outputs = ["D", "B", "A"]
    lines = [json.dumps({"sample_id": str(number), "outputs": [text]}) for number, text in enumerate(outputs)]
    (tmp_path / "p.jsonl").write_text("\n".join(lines) + "\n")
    words = ["--dataset", "medqa", "--gold", gold, "--predictions", "p.jsonl", "--out", "out", "--resamples", "100"]
    assert checked(installed, "score", *words, cwd=tmp_path).startswith("medqa: accuracy ")
    assert (tmp_path / "out/scored.jsonl").read_text().count("\n") == 3


def test_it_judges(installed: Path, repository: Path, tmp_path: Path) -> None:
    runs = [repository / "tests/data/judged/lm_eval" / name for name in ("float32", "nf4")]
    shown = checked(installed, "judge", *runs, "--resamples", "100", "--out", "out", cwd=tmp_path)
    assert "facts: inconclusive." in shown and (tmp_path / "out/judged.html").stat().st_size > 4000


def test_what_an_extra_brings_is_said(installed: Path, repository: Path, tmp_path: Path) -> None:
    command = [installed, "open", repository / "resources/demo/demo.tar.zst"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.endswith("brings: pip install 'quantbench[analysis]'\n")


def test_a_catalogue_of_ones_own_is_taken(installed: Path, tmp_path: Path) -> None:
    shipped = Path(checked(installed, "where", cwd=tmp_path).strip())
    (tmp_path / "config/models").mkdir(parents=True)
    (tmp_path / "config/models/mine.yaml").write_text((shipped / "config/models/phi-4.yaml").read_text())
    (tmp_path / "config/config.yaml").write_text("models: [mine, qwen2.5-3b]\n")
    rows = json.loads(checked(installed, "plan", "--format", "json", cwd=tmp_path))
    assert {row["model"] for row in rows} == {"mine", "qwen2.5-3b"}


def test_the_workflow_comes_along(wheel: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path / "packages")
    snakefile = tmp_path / "packages/quantbench/_catalogue/workflow/Snakefile"
    command = [sys.executable, "-m", "snakemake", "-n", "--snakefile", snakefile, "--config", "models=[phi-4]"]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "packages")}
    (tmp_path / "mine").mkdir()
    done = subprocess.run(command, cwd=tmp_path / "mine", env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^infer +40$", done.stdout, re.MULTILINE), done.stdout  # 24 of the grid, 16 of the noise floor
