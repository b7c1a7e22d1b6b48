"""The workflow in other people's: imported as a module, deployed by snakedeploy, started elsewhere, read-only."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from .conftest import Project, copy_project

IMPORTER = """
configfile: "settings.yaml"

module quantbench:
    snakefile: "{snakefile}"
    config: config["quantbench"]

use rule * from quantbench as qb_*

rule mine:
    default_target: True
    input: rules.qb_all.input
"""
# What `snakedeploy deploy-workflow https://github.com/owner/quantbench . --tag v0.1.0` writes (snakedeploy 0.17).
DEPLOYED = """
from snakemake.utils import min_version

min_version("6.10.0")

configfile: "config/config.yaml"

module quantbench:
    snakefile:
        github("owner/quantbench", path="workflow/Snakefile", tag="v0.1.0")
    config:
        config

use rule * from quantbench
"""
# One model and dataset of the demo; a few samples.
SMALL = {
    "run": "small",
    "studies": ["grid"],
    "models": ["tiny-xs"],
    "precisions": ["full"],
    "datasets": ["hoc"],
    "limit": 4,
    "data": {"folder": "resources/demo/datasets"},
    "measurement": {"latency_samples": 2, "warmup": 1},
    "hardware": {"device": "cpu", "threads": 1},
}
CELL = "cells/tiny-xs/full/hoc/instruction-0shot"


@pytest.fixture(scope="module")
def checkout(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A checkout whose path has blanks, and which nothing here changes."""
    folder = tmp_path_factory.mktemp("check out") / "quant bench"
    folder.mkdir()
    return copy_project(repository, folder)


@pytest.fixture
def importer(tmp_path: Path) -> Path:
    """The folder of somebody else's workflow."""
    folder = tmp_path / "my study"
    folder.mkdir()
    return folder


def snakemake(folder: Path, *arguments: str, **environment: str) -> str:
    """Run a folder's own workflow; what it printed."""
    result = try_snakemake(folder, *arguments, **environment)
    assert result.returncode == 0, result.stdout
    return result.stdout


def try_snakemake(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "snakemake", *arguments],
        cwd=folder,
        # Where the package is found is up to the rules, unless a test says so.
        env={**os.environ, "PYTHONPATH": "", "OMP_NUM_THREADS": "1", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )


def job_counts(printed: str) -> dict[str, int]:
    rows = re.findall(r"^([a-z]\w*) +(\d+)$", printed.split("Job stats:")[-1], re.MULTILINE)
    return {rule: int(count) for rule, count in rows}


def files(folder: Path) -> dict[str, tuple[int, int]]:
    found = [path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    return {str(path.relative_to(folder)): (path.stat().st_size, path.stat().st_mtime_ns) for path in found}


@pytest.mark.parametrize("snakefile", ["Snakefile", "workflow/Snakefile"])
def test_imported_as_a_module_with_a_prefix(checkout: Project, importer: Path, snakefile: str) -> None:
    (importer / "Snakefile").write_text(IMPORTER.format(snakefile=checkout.folder / snakefile))
    (importer / "settings.yaml").write_text(yaml.safe_dump({"quantbench": {"studies": ["main"]}, "of_mine": 1}))
    printed = snakemake(importer, "-n")
    counts = job_counts(printed)
    assert (counts["qb_infer"], counts["qb_score_hoc_1"], counts["mine"]) == (96, 1, 1)
    assert "qb_all" not in counts and "localrules" not in printed


def test_a_module_runs_with_the_importers_entries_beside_the_shipped(checkout: Project, importer: Path) -> None:
    """Its own model (under a new title) and dataset, the shipped precisions, prompts, studies and demo weights."""
    (importer / "Snakefile").write_text(IMPORTER.format(snakefile=checkout.folder / "workflow/Snakefile"))
    settings = {**SMALL, "models": ["mine"], "datasets": ["hoc", "notes"], "studies_file": "config/demo_studies.yaml"}
    (importer / "settings.yaml").write_text(yaml.safe_dump({"quantbench": settings}))
    for name in ("config/models", "config/datasets/notes"):
        (importer / name).mkdir(parents=True)
    entry = yaml.safe_load((checkout.folder / "config/models/tiny-xs.yaml").read_text())
    (importer / "config/models/mine.yaml").write_text(yaml.safe_dump({**entry, "title": "Of mine"}))
    studies = yaml.safe_load((checkout.folder / "config/demo_studies.yaml").read_text())
    studies["grid"] |= {"models": "all", "datasets": "all"}
    (importer / "config/demo_studies.yaml").write_text(yaml.safe_dump({"grid": studies["grid"]}))
    notes, shipped = importer / "config/datasets/notes", checkout.folder / "resources/demo/datasets/hoc"
    entry = yaml.safe_load((checkout.folder / "config/datasets/hoc/dataset.yaml").read_text())
    stated = yaml.safe_load((shipped / "files.yaml").read_text())
    (notes / "dataset.yaml").write_text(
        yaml.safe_dump({**entry, "title": "Notes", "private": stated.pop("private"), "files": stated})
    )
    shutil.copytree(shipped, notes, dirs_exist_ok=True)
    shutil.copy(checkout.folder / "config/datasets/hoc/instruction.txt", notes)
    before = files(checkout.folder)
    snakemake(importer, "--cores", "2", "qb_compare")
    tables = importer / "results/small/tables"
    assert "Of mine" in (tables / "table1.md").read_text() and "Notes" in (tables / "table1.md").read_text()
    assert files(checkout.folder) == before, "everything that is made lies in the importer's folder"


def test_a_key_of_the_importers_own_is_refused_by_name(checkout: Project, importer: Path) -> None:
    (importer / "Snakefile").write_text(IMPORTER.format(snakefile=checkout.folder / "Snakefile"))
    (importer / "settings.yaml").write_text("quantbench: {limitt: 3}")
    result = try_snakemake(importer, "-n")
    assert result.returncode != 0
    assert re.search(r"unknown key 'limitt' \(value 3\).*did you mean 'limit'", result.stdout), result.stdout


@pytest.fixture
def deployed(checkout: Project, importer: Path) -> dict[str, str]:
    """A folder as snakedeploy leaves it; the environment in which github.com answers from this machine."""
    for part in ("config", "profiles"):
        shutil.copytree(checkout.folder / part, importer / part)
    (importer / "workflow").mkdir()
    (importer / "workflow/Snakefile").write_text(DEPLOYED)
    repository = importer.parent / "repository"
    shutil.copytree(checkout.folder, repository)
    settings = importer.parent / "gitconfig"
    settings.write_text(
        f'[url "file://{repository}"]\n\tinsteadOf = https://github.com/owner/quantbench\n'
        "[user]\n\tname = nobody\n\temail = nobody@localhost\n"
    )
    environment = {"GIT_CONFIG_GLOBAL": str(settings), "XDG_CACHE_HOME": str(importer.parent / "cache")}
    for command in (["init", "-q"], ["add", "--all"], ["commit", "-qm", "All"], ["tag", "v0.1.0"]):
        subprocess.run(["git", *command], cwd=repository, env={**os.environ, **environment}, check=True)
    return environment


def test_deployed_by_snakedeploy_with_the_package_installed(
    checkout: Project, importer: Path, deployed: dict[str, str]
) -> None:
    installed = importer.parent / "site-packages"
    shutil.copytree(checkout.folder / "workflow/quantbench", installed / "quantbench")
    for part in ("config", "resources"):
        shutil.copytree(checkout.folder / part, installed / "quantbench/_catalogue" / part)
    environment = {**deployed, "PYTHONPATH": str(installed)}
    counts = job_counts(snakemake(importer, "-n", **environment))
    assert (counts["infer"], counts["all"]) == (412, 1)
    (importer / "config/small.yaml").write_text(yaml.safe_dump(SMALL | {"studies_file": "config/demo_studies.yaml"}))
    target = f"results/small/{CELL}/scores.json"
    snakemake(importer, "--cores", "1", "--configfile", "config/small.yaml", "--", target, **environment)
    assert (importer / target).exists()


def test_deployed_without_the_package_says_how_to_install_it(importer: Path, deployed: dict[str, str]) -> None:
    hidden = importer.parent / "hidden"
    hidden.mkdir()
    (hidden / "sitecustomize.py").write_text(
        "import sys\n"
        "class Hidden:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.partition('.')[0] == 'quantbench':\n"
        "            raise ModuleNotFoundError('No module named quantbench', name='quantbench')\n"
        "sys.meta_path.insert(0, Hidden())\n"
    )
    result = try_snakemake(importer, "-n", **{**deployed, "PYTHONPATH": str(hidden)})
    assert result.returncode != 0
    assert re.search(r"owner/quantbench.*need the Python package quantbench.*pip install", result.stdout, re.DOTALL)
    assert "Traceback" not in result.stdout


def read_only(folder: Path) -> list[str]:
    """The start of a command under which a folder cannot be written, by root neither; skips where that cannot be had."""
    if shutil.which("unshare") is None:
        pytest.skip("no unshare: the checkout cannot be made read-only")
    mount = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@"'
    start = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mount, str(folder)]
    tried = subprocess.run([*start, "touch", str(folder / "written")], capture_output=True, text=True, check=False)
    if "Read-only file system" not in tried.stderr:
        pytest.skip(f"no read-only mount here: {tried.stderr.strip()}")
    return start


def test_started_elsewhere_from_a_read_only_checkout(checkout: Project, importer: Path) -> None:
    (importer / "small.yaml").write_text(yaml.safe_dump(SMALL | {"studies_file": "config/demo_studies.yaml"}))
    command = ["--snakefile", str(checkout.folder / "Snakefile"), "--directory", str(importer), "--cores", "1"]
    command += ["--configfile", str(importer / "small.yaml"), "--", f"results/small/{CELL}/scores.json"]
    before = files(checkout.folder)
    result = subprocess.run(
        [*read_only(checkout.folder), sys.executable, "-m", "snakemake", *command],
        cwd=checkout.folder,
        env={**os.environ, "PYTHONPATH": "", "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
    assert result.returncode == 0, result.stdout
    made = {str(path.relative_to(importer / "results/small")) for path in (importer / "results/small").rglob("*.json*")}
    assert {f"{CELL}/manifest.json", f"{CELL}/scores.json", "datasets/hoc/samples.jsonl"} <= made
    assert (importer / f"results/small/benchmarks/infer/{CELL.removeprefix('cells/')}.tsv").exists()
    assert files(checkout.folder) == before
