"""The code of a job: what it runs is in it, what it cannot reach is not, and nothing but code counts."""

from __future__ import annotations

import ast
import importlib
import inspect
import os
import re
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from modulefinder import ModuleFinder
from pathlib import Path
from types import FrameType

import pytest
from tests.reported_run import make_reported

from quantbench import jobs, provenance
from quantbench.config import Catalogue
from quantbench.study.grid import run_cells

JOBS = ("prepare_dataset", "score", "compare", "figure", "recommend", "report", "published_figures")
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
    "scoring",
    "statistics",
    "tables",
    "tasks",
)


def all_modules() -> list[str]:
    return sorted(provenance._paths())


def forget() -> None:
    for cached in vars(provenance).values():
        if hasattr(cached, "cache_clear"):
            cached.cache_clear()


def codes(package: Path = provenance._PACKAGE) -> dict[str, str]:
    """The code of every job, read anew."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(provenance, "_PACKAGE", package)
        forget()
        found = {job: provenance.code_of(job) for job in JOBS}
    forget()
    return found


@dataclass(frozen=True)
class Package:
    """A copy of the package to change, and the code of every job as it is."""

    folder: Path
    before: dict[str, str]

    def changed_by(self, name: str, edit: Callable[[str], str]) -> set[str]:
        """The jobs whose code is another once a file is edited; the edit is taken back."""
        path = self.folder / name
        text = path.read_text()
        path.write_text(edit(text))
        try:
            assert path.read_text() != text
            return {job for job, code in codes(self.folder).items() if code != self.before[job]}
        finally:
            path.write_text(text)


@pytest.fixture(scope="module")
def package(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Package:
    folder = tmp_path_factory.mktemp("copy") / "quantbench"
    shutil.copytree(repository / "workflow/quantbench", folder, ignore=shutil.ignore_patterns("__pycache__"))
    return Package(folder, codes(folder))


def with_more(definition: str) -> Callable[[str], str]:
    """An edit that adds a statement to a function or class of a module, and loses every comment and the layout."""

    def edit(text: str) -> str:
        tree = ast.parse(text)
        (found,) = [node for node in tree.body if getattr(node, "name", "") == definition]
        found.body.append(ast.Pass())
        return ast.unparse(tree)

    return edit


READ = {"figure", "recommend", "report", "published_figures"}
SCORED = {"score", "compare", "report"}


@pytest.mark.parametrize(
    ("name", "definition", "expected"),
    [
        ("tasks/metrics.py", "f1_from_counts", SCORED | {"figure", "published_figures"}),
        ("tasks/kinds/relation_extraction.py", "Task", SCORED),
        ("tasks/kinds/relation_extraction.py", "Samples", SCORED | {"prepare_dataset"}),
        ("scoring/scored_files.py", "score_cell", {"score"}),
        ("datasets/stratification.py", "limit_samples", {"prepare_dataset"}),
        # The published protocol has a job of its own, so that a change of it runs no cell of the sound one again.
        ("datasets/first_rows.py", "first_rows_pool", {"report"}),
        ("datasets/preparation.py", "prepare_first_rows", set()),
        ("tasks/published_form.py", "with_final_answers", SCORED),
        ("config/entries.py", "DatasetEntry", {*JOBS}),
        ("config/model_entry.py", "ModelEntry", {*JOBS} - {"prepare_dataset"}),
        ("config/run.py", "HardwareSettings", {*JOBS} - {"prepare_dataset"}),
        ("statistics/paired.py", "holm", {"compare"}),
        ("statistics/verdicts.py", "verdict", {"compare", *READ}),
        ("config/architecture.py", "Counts", {*JOBS} - {"prepare_dataset"}),
        ("planner/weight_bytes.py", "scale_bytes", READ),
        ("tables/cells.py", "cells_table", {"compare"}),
        ("recommend/words.py", "headline", READ - {"figure"}),
        ("figures/figure4.py", "draw", {"figure", "published_figures"}),
        ("figures/style.py", "style", {"figure", "published_figures"}),
        ("report/verdict.py", "verdict_words", {"report"}),
        ("bundle/packing.py", "pack", set()),
        ("engine/generation.py", "Generator", set()),
        ("cell/running.py", "run_cell", set()),
        ("store/locking.py", "lock_models", set()),
        ("datasets/pinned_files.py", "retrieve", set()),
        ("datasets/readers/read_token_tags.py", "read", {"prepare_dataset", "score"}),
        ("cli/main.py", "main", set()),
        ("jobs.py", "recommend", {"recommend"}),
        ("jobs.py", "catalogue_of", {*JOBS} - {"prepare_dataset"}),
        ("jobs.py", "infer", set()),
    ],
)
def test_a_changed_definition_changes_the_jobs_that_reach_it(
    package: Package, name: str, definition: str, expected: set[str]
) -> None:
    assert package.changed_by(name, with_more(definition)) == expected


def test_what_a_module_does_while_it_is_imported_counts(package: Package) -> None:
    doing = "\nimport atexit\n\natexit.register(print)\n"
    assert package.changed_by("tasks/kinds/relation_extraction.py", lambda text: text + doing) == SCORED | {
        "prepare_dataset"
    }


@pytest.mark.parametrize("name", ["tasks/metrics.py", "config/run.py", "scoring/scored_files.py", "jobs.py"])
def test_comments_docstrings_descriptions_and_layout_change_nothing(package: Package, name: str) -> None:
    def edit(text: str) -> str:
        text = re.sub(r'"""(?=[A-Z`])', '"""Said otherwise. ', text)
        text = re.sub(r'description="', 'description="Said otherwise. ', text)
        return re.sub(r"\n\n\n", "\n\n\n# A remark.\n\n\n", text)

    assert package.changed_by(name, edit) == set()


def test_files_beside_a_page_count_for_it(package: Package) -> None:
    assert package.changed_by("report/page/report.js", lambda text: f"{text}// more\n") == {"report"}


def modules_of(job: str, *by_name: str) -> set[str]:
    return {module for module, _ in provenance.definitions_of(job, *by_name)}


def test_a_figure_is_its_own_module_and_what_it_shares() -> None:
    first, seventh = (modules_of("figure", f"figures.{name}") for name in ("figure2", "figure7"))
    assert {"figures.figure2", "figures.panels", "figures.style"} <= first
    assert not first & {"figures.figure7", "figures.paper", "recommend.ranking"}
    assert "recommend.ranking" in seventh and "figures.figure2" not in seventh
    assert {"figures.figure2", "figures.figure7"} <= modules_of("figure"), "unnamed, any figure may be drawn"


def test_reading_outputs_prepares_no_dataset_anew_and_a_task_no_other() -> None:
    """A dataset's own task counts, and of it what its samples hold."""
    prepared, scored = (
        provenance.definitions_of(job, "datasets.readers.read_records", "tasks.kinds.question_answering")
        for job in ("prepare_dataset", "score")
    )
    task = "tasks.kinds.question_answering"
    assert (task, "Samples") in prepared & scored
    assert (task, "Task") in scored - prepared
    assert not {module for module, _ in prepared} & {"tasks.choice", "tasks.text"}
    assert not {module for module, _ in scored} & {"tasks.kinds.relation_extraction", "tasks.names"}


def test_an_unknown_job_is_an_error() -> None:
    with pytest.raises(KeyError, match="nothing"):
        provenance.code_of("nothing")


@pytest.fixture(scope="module")
def executed(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[tuple[str, str]]]:
    """The functions and classes whose code each job ran in a real run, by the interpreter's own account."""
    for name in all_modules():
        if name.partition(".")[0] in (*LIGHT, "prompts"):
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
        "prepare_dataset": lambda: jobs.prepare_dataset(
            "hoc",
            catalogue.datasets["hoc"].model_dump_json(exclude={"tokens", "redistributable"}),
            8,
            2509,
            [catalogue.root / "resources/demo/datasets/hoc/test.tsv"],
            results / "prepared/samples.jsonl",
        ),
    }


def traced(call: Callable[[], None]) -> set[tuple[str, str]]:
    files = {str(path): name for name, path in provenance._paths().items()}
    found: set[tuple[str, str]] = set()

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code.co_filename in files and frame.f_code.co_name != "<module>":
            found.add((files[frame.f_code.co_filename], frame.f_code.co_qualname.partition(".")[0]))

    sys.setprofile(note)
    try:
        call()
    finally:
        sys.setprofile(None)
    # A lambda or comprehension at the top of a module bears no name of it.
    return {(module, name) for module, name in found if not name.startswith("<")}


@pytest.mark.parametrize("job", [job for job in JOBS if job != "published_figures"])
def test_what_a_job_runs_is_in_its_code(executed: dict[str, set[tuple[str, str]]], job: str) -> None:
    assert len(executed[job]) > 20
    by_name = ["figures.figure7"] if job == "figure" else []
    code = provenance.definitions_of(job, *by_name)
    assert {found for found in executed[job] if found not in code and (found[0], "*") not in code} == set()


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
    by_name = ["figures.figure2"] if job == "figure" else []
    unreached = modules_of(job, *by_name) - reachable(repository, tmp_path, job) - {"jobs", *by_name}
    # The finder does not see what is imported by a name: readers, tasks, figures, and what they alone import.
    rooms = {"figures", "recommend", "planner", "statistics"} if job == "published_figures" else set()
    rooms |= {"figures"} if job == "figure" else {"tasks"} if job in SCORED else set()
    rooms |= {"datasets", "tasks"} if job in ("prepare_dataset", "score") else set()
    assert {name.partition(".")[0] for name in unreached} <= rooms


def test_every_module_changes_just_the_jobs_it_belongs_to(
    executed: dict[str, set[tuple[str, str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    before, code = codes(), provenance._code
    changed: dict[str, set[str]] = {}
    for module in all_modules():
        monkeypatch.setattr(
            provenance, "_code", lambda name, place, edited=module: code(name, place) + "!" * (name == edited)
        )
        provenance.code_of.cache_clear()
        changed[module] = {job for job in JOBS if provenance.code_of(job) != before[job]}
    monkeypatch.undo()
    forget()
    for module, of_jobs in changed.items():
        assert {job for job, ran in executed.items() if module in {name for name, _ in ran}} <= of_jobs, module
    untouched = {module for module, of_jobs in changed.items() if not of_jobs}
    assert {module for module in changed if module.startswith(("cell.", "engine.", "models.", "cli."))} <= untouched
