"""The code of a job: what it runs is in it, what it cannot reach is not, and nothing but code counts."""

from __future__ import annotations

import importlib
import inspect
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from modulefinder import ModuleFinder
from pathlib import Path
from types import FrameType

import pytest
from tests.reported_run import make_reported

from quantbench import jobs, provenance
from quantbench.config import Catalogue
from quantbench.study.grid import run_cells

JOBS = ("prepare_dataset", "score", "compare", "figure", "recommend", "report", "bundle", "published_figures")
# Imported beforehand, so that what runs while a module is imported does not count as run by a job.
LIGHT = (
    "bundle",
    "config",
    "contracts",
    "datasets",
    "figures",
    "planner",
    "recommend",
    "report",
    "statistics",
    "tables",
    "tasks",
)


def all_modules() -> list[str]:
    return sorted(provenance._all_modules())


def codes() -> dict[str, str]:
    """The code of every job, read anew."""
    for cached in vars(provenance).values():
        if hasattr(cached, "cache_clear"):
            cached.cache_clear()
    return {job: provenance.code_of(job) for job in JOBS}


@pytest.fixture
def package(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the package to change."""
    folder = tmp_path / "quantbench"
    shutil.copytree(repository / "workflow/quantbench", folder, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(provenance, "_PACKAGE", folder)
    yield folder
    monkeypatch.undo()
    codes()


def changed_by(package: Path, name: str, edit: Callable[[str], str]) -> set[str]:
    before, path = codes(), package / name
    path.write_text(edit(path.read_text()))
    return {job for job, code in codes().items() if code != before[job]}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("tasks/metrics.py", {*JOBS} - {"prepare_dataset"}),
        ("tasks/relations.py", {"score", "compare", "report"}),
        ("datasets/stratification.py", {"prepare_dataset"}),
        ("statistics/paired.py", {*JOBS} - {"prepare_dataset", "score"}),
        ("planner/weight_bytes.py", {*JOBS} - {"prepare_dataset", "score"}),
        ("recommend/words.py", {"figure", "recommend", "report", "bundle", "published_figures"}),
        ("report/verdict.py", {"report"}),
        ("bundle/packing.py", {"bundle"}),
        ("config/settings.py", {*JOBS}),
        ("engine/generation.py", set()),
        ("cell/running.py", set()),
        ("store/locking.py", set()),
        ("datasets/pinned_files.py", set()),
        ("cli/main.py", set()),
    ],
)
def test_a_changed_module_changes_the_jobs_that_reach_it(package: Path, name: str, expected: set[str]) -> None:
    assert changed_by(package, name, lambda text: f"{text}\nCHANGED = 1\n") == expected


@pytest.mark.parametrize("name", ["tasks/metrics.py", "config/run.py", "scoring.py", "jobs.py"])
def test_comments_docstrings_descriptions_and_layout_change_nothing(package: Path, name: str) -> None:
    def edit(text: str) -> str:
        text = re.sub(r'"""(?=[A-Z`])', '"""Said otherwise. ', text)
        text = re.sub(r'description="', 'description="Said otherwise. ', text)
        return re.sub(r"\n\n\n", "\n\n\n# A remark.\n\n\n", text)

    assert changed_by(package, name, edit) == set()


def test_a_jobs_own_function_counts_and_its_neighbours_do_not(package: Path) -> None:
    edited = "catalogue.run.comparison.margin, folder)\n\n\ndef published"
    assert edited in (package / "jobs.py").read_text()
    assert changed_by(
        package, "jobs.py", lambda text: text.replace(edited, edited.replace("margin", "confidence"))
    ) == {"recommend"}
    assert changed_by(package, "jobs.py", lambda text: text.replace("Path.cwd(), config", "Path(), config")) == {*JOBS}


def test_files_beside_a_page_count_for_it(package: Path) -> None:
    assert changed_by(package, "report/page/report.js", lambda text: f"{text}// more\n") == {"report"}


def test_a_figure_is_its_own_module_and_what_it_shares() -> None:
    first, seventh = (provenance.modules_of("figure", f"figures.{name}") for name in ("figure2", "figure7"))
    assert {"figures.figure2", "figures.panels", "figures.style"} <= first
    assert not first & {"figures.figure7", "figures.paper", "recommend.ranking"}
    assert "recommend.ranking" in seventh and "figures.figure2" not in seventh
    assert {"figures.figure2", "figures.figure7"} <= provenance.modules_of("figure"), "unnamed, any figure may be drawn"


def test_an_unknown_job_or_module_is_an_error() -> None:
    with pytest.raises(KeyError, match="nothing"):
        provenance.code_of("nothing")


@pytest.fixture(scope="module")
def executed(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """The modules whose functions each job called in a real run, by the interpreter's own account."""
    for name in all_modules():
        if name.partition(".")[0] in LIGHT or name in ("scoring", "prompts"):
            importlib.import_module(f"quantbench.{name}")
    folder = tmp_path_factory.mktemp("run")
    os.chdir(repository)
    catalogue = make_reported(repository, folder, n=12, studies=["grid"], data={"folder": "resources/demo/datasets"})
    return {job: traced(call) for job, call in calls(catalogue).items()}


def calls(catalogue: Catalogue) -> dict[str, Callable[[], None]]:
    config, results = catalogue.run.model_dump(mode="json"), Path(catalogue.run_folder)
    cells = [cell.folder for cell in run_cells(catalogue)]
    of_hoc, samples = [name for name in cells if "/hoc/" in name], results / "datasets/hoc/samples.jsonl"
    return {
        "score": lambda: jobs.score(config, "hoc", samples, of_hoc),
        "compare": lambda: jobs.compare(config, cells),
        "figure": lambda: jobs.figure(config, "figure7"),
        "recommend": lambda: jobs.recommend(config),
        "report": lambda: jobs.report(config, cells, results / "report.html"),
        "bundle": lambda: jobs.bundle(config, cells, results / "run.tar.zst"),
        "prepare_dataset": lambda: jobs.prepare_dataset(config, "hoc", results / "prepared/samples.jsonl"),
    }


def traced(call: Callable[[], None]) -> set[str]:
    files = {str(path): name for name, path in provenance._all_modules().items()}
    found: set[str] = set()

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code.co_filename in files and frame.f_code.co_name != "<module>":
            found.add(files[frame.f_code.co_filename])

    sys.setprofile(note)
    try:
        call()
    finally:
        sys.setprofile(None)
    return found - {"jobs"}


@pytest.mark.parametrize("job", [job for job in JOBS if job != "published_figures"])
def test_what_a_job_runs_is_in_its_code(executed: dict[str, set[str]], job: str) -> None:
    assert len(executed[job]) > 5
    assert executed[job] <= provenance.modules_of(job)


def reachable(repository: Path, folder: Path, job: str) -> set[str]:
    """What Python's own finder reaches from a job's imports, compiled; a package's members all count there."""
    lines = [line for line in inspect.getsource(jobs).splitlines() if line.startswith("from .")]
    functions = [getattr(jobs, name) for name in (job, "catalogue_of")]
    script = folder / f"{job}.py"
    text = "\n".join([*lines, *map(inspect.getsource, functions)])
    script.write_text(
        "from __future__ import annotations\n"
        + re.sub(r"from \.(?! )", "from quantbench.", text).replace("from . ", "from quantbench ")
    )
    # The finder takes a name that it found nowhere for missing everywhere, and one of ours is in the standard library, too.
    (folder / "statistics.py").touch()
    finder = ModuleFinder(path=[str(repository / "workflow"), str(folder)])
    finder.run_script(str(script))
    return {name.removeprefix("quantbench").lstrip(".") for name in finder.modules if name.startswith("quantbench")}


@pytest.mark.parametrize("job", JOBS)
def test_what_a_job_cannot_reach_is_not_in_its_code(repository: Path, tmp_path: Path, job: str) -> None:
    found = reachable(repository, tmp_path, job)
    by_name = {name for name in all_modules() if name.startswith("figures.")} if "figures" in found else set()
    unreached = provenance.modules_of(job) - found - by_name
    # What figures alone import is reached by their names.
    assert {name.partition(".")[0] for name in unreached} <= ({"recommend", "planner", "tables"} if by_name else set())
    assert provenance.modules_of(job) < {*all_modules()}


def test_every_module_changes_just_the_jobs_it_belongs_to(
    executed: dict[str, set[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    before, code = codes(), provenance._code
    changed: dict[str, set[str]] = {}
    for module in all_modules():
        monkeypatch.setattr(provenance, "_code", lambda name, edited=module: code(name) + "!" * (name == edited))
        provenance.code_of.cache_clear()
        changed[module] = {job for job in JOBS if provenance.code_of(job) != before[job]}
    monkeypatch.undo()
    codes()
    for module, of_jobs in changed.items():
        assert {job for job in JOBS if module in executed.get(job, ())} <= of_jobs, module
    assert {module.partition(".")[0] for module, of_jobs in changed.items() if not of_jobs} >= {
        "cell",
        "engine",
        "models",
    }
    assert not any(
        of_jobs for module, of_jobs in changed.items() if module.startswith(("cell.", "engine.", "models.", "cli."))
    )
