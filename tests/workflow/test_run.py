"""A small run through real inference, and what a change makes Snakemake run again (and what not)."""

import ast
import json
import os
import re
import shutil
import signal
import time
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
from safetensors.torch import load_file, save_file

from quantbench import figures
from quantbench.bundle import figures_unchanged
from quantbench.contracts.checksums import sha256_of
from quantbench.contracts.likelihoods import Likelihoods

from .conftest import Project, copy_project
from .lean import lean_path

# Two datasets, two precisions, one model; few samples. The demo's own data and models.
NARROW = [
    "--configfile",
    "config/demo.yaml",
    "--config",
    "models=[tiny-s]",
    "precisions=[full, w4a16]",
    "datasets=[hoc, ddi2013]",
    "studies=[grid]",
    "limit=8",
    "measurement={latency_samples: 2, warmup: 1}",
]


@pytest.fixture(scope="module")
def finished(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A checkout in which the small run has been made."""
    project = copy_project(repository, tmp_path_factory.mktemp("project"))
    result = project.snakemake("--cores", "2", *NARROW)
    assert result.returncode == 0, result.stdout
    return project


@pytest.fixture
def changed(finished: Project, tmp_path: Path) -> Project:
    """A copy of the finished checkout, free to change, with every time stamp kept."""
    shutil.copytree(finished.folder, tmp_path / "p", ignore=shutil.ignore_patterns("__pycache__"))
    return Project(tmp_path / "p")


def rerun(project: Project) -> Counter[str]:
    counts = project.planned(*NARROW)
    follows_tables = {"all", "total", "figure", "recommend", "report"}
    return Counter({rule: count for rule, count in counts.items() if rule not in follows_tables})


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_every_contract_is_there(finished: Project) -> None:
    results = finished.folder / "results/demo"
    folders = sorted(path.parent for path in results.glob("cells/*/*/*/*/manifest.json"))
    assert len(folders) == 4
    for folder in folders:
        names = {"predictions.jsonl", "measurements.json", "manifest.json", "scores.json", "scored.jsonl"}
        names |= {"likelihoods.npz"}
        assert {path.name for path in folder.iterdir()} == names
        ids = [json.loads(line)["sample_id"] for line in (folder / "predictions.jsonl").read_text().splitlines()]
        samples = results / "datasets" / folder.parent.name / "samples.jsonl"
        assert ids == [json.loads(line)["sample_id"] for line in samples.read_text().splitlines()]
        assert len(ids) == 8
    assert not list(results.glob("progress/**/*.jsonl"))
    table = pd.read_csv(results / "tables/table1.csv")
    assert len(table) == 4
    assert table[["memory_gib", "latency_s", "score"]].notna().all().all()
    for name in ("figure2", "effects", "labels"):
        assert all((results / f"figures/{name}.{kind}").stat().st_size > 1000 for kind in ("png", "pdf", "svg"))


def test_quantized_cells_read_what_full_precision_wrote(finished: Project) -> None:
    cells = finished.folder / "results/demo/cells/tiny-s"
    for dataset in ("hoc", "ddi2013"):
        full, quantized = (cells / precision / dataset / "instruction-0shot" for precision in ("full", "w4a16"))
        kept = Likelihoods.read(quantized / "likelihoods.npz")
        assert kept.reference is not None
        assert kept.reference.predictions_sha256 == sha256_of(full / "predictions.jsonl")
        assert len(kept.reference.agrees) == len(Likelihoods.read(full / "likelihoods.npz").written.tokens)


def test_cells_of_before_likelihoods_were_kept_do_not_run_again(changed: Project) -> None:
    """Such a cell has no file of them, was handed no answers, and its manifest knows neither."""
    cells = changed.folder / "results/demo/cells"
    for path in cells.glob("*/*/*/*/likelihoods.npz"):
        path.unlink()
    assert rerun(changed) == Counter()


def test_a_switch_turned_later_runs_nothing_again(changed: Project) -> None:
    counts = changed.planned(*NARROW, "inference={likelihoods: false}")
    assert counts["infer"] == 0


def test_precisions_share_their_plan_and_prompts(finished: Project) -> None:
    for dataset in ("hoc", "ddi2013"):
        paths = (finished.folder / "results/demo/cells/tiny-s").glob(f"*/{dataset}/*/manifest.json")
        manifests = [json.loads(path.read_text()) for path in paths]
        assert len(manifests) == 2
        assert len({manifest["plan_sha256"] for manifest in manifests}) == 1
        assert len({manifest["identity"]["prompts"] for manifest in manifests}) == 1
        assert {manifest["precision_applied"]["method"] for manifest in manifests} == {"none", "bitsandbytes"}


def test_snakemakes_own_report_has_captions_and_categories(finished: Project, tmp_path: Path) -> None:
    result = finished.snakemake("--cores", "1", *NARROW, "--report", str(tmp_path / "report.html"))
    assert result.returncode == 0, result.stdout
    page = (tmp_path / "report.html").read_text()
    for name in ("figure2", "figure7", "effects"):
        assert figures.caption(name).partition("\n")[0] in page
    assert all(f'"{category}"' in page for category in ("Figures", "Tables", "Recommendations", "Report"))


def test_nothing_changed_runs_nothing(finished: Project) -> None:
    result = finished.snakemake("--cores", "1", *NARROW)
    assert "Nothing to be done" in result.stdout, result.stdout


# What follows from new tables: the four figures of the run, what is read.
AFTER_TABLES = Counter(figure=6, recommend=1, report=1)


def edit_function(path: Path, name: str) -> None:
    """Change what a function or class of a module compiles to."""
    tree = ast.parse(path.read_text())
    next(node for node in tree.body if getattr(node, "name", "") == name).body.append(ast.Pass())
    path.write_text(ast.unparse(tree))


@pytest.mark.parametrize(
    ("name", "definition", "expected"),
    [
        ("tasks/metrics.py", "f1_from_counts", Counter(score=2, compare=1) + AFTER_TABLES),
        ("planner/weight_bytes.py", "row_scale_bytes", Counter(figure=1, recommend=1, report=1)),
        ("planner/terms.py", "kv_cache", Counter(figure=1, recommend=1, report=1)),
        ("figures/figure2.py", "draw", Counter(figure=1, report=1)),
        ("report/verdict.py", "verdict_words", Counter(report=1)),
        ("cell/running.py", "run_cell", Counter()),
        ("config/model_entry.py", "ModelEntry", Counter(score=2, compare=1) + AFTER_TABLES),
    ],
)
def test_changed_code_reruns_what_it_can_change(
    changed: Project, name: str, definition: str, expected: Counter[str]
) -> None:
    edit_function(changed.folder / "workflow/quantbench" / name, definition)
    planned = changed.planned(*NARROW)
    assert Counter({rule: planned[rule] for rule in planned if rule not in ("all", "total")}) == expected


def test_other_words_rerun_nothing(changed: Project) -> None:
    """Docstrings, comments, and the time stamp of the script that all rules share."""
    for name in ("tasks/metrics.py", "scoring/scored_files.py", "jobs.py", "config/run.py", "tables/cells.py"):
        edit(changed.folder / "workflow/quantbench" / name, '"""', '# A remark.\n"""In other words: ')
    (changed.folder / "workflow/scripts/job.py").touch()
    assert changed.planned(*NARROW) == Counter()


def test_a_figures_docstring_is_its_caption(changed: Project) -> None:
    edit(changed.folder / "workflow/quantbench/figures/figure2.py", '"""', '"""In other words: ')
    planned = changed.planned(*NARROW)
    assert (planned["figure"], planned["report"], planned["compare"]) == (1, 1, 0)


def test_a_changed_prompt_reruns_that_datasets_cells(changed: Project) -> None:
    edit(changed.folder / "config/datasets/hoc/instruction.txt", "Which hallmarks", "What hallmarks")
    assert rerun(changed) == Counter(infer=2, score=1, compare=1)


def test_a_changed_precision_reruns_its_cells(changed: Project) -> None:
    edit(changed.folder / "config/precisions/w4a16.yaml", "quant_type: nf4", "quant_type: fp4")
    assert rerun(changed) == Counter(infer=2, score=2, compare=1)


def test_other_thought_markers_rerun_their_models_cells(changed: Project) -> None:
    entry = changed.folder / "config/models/tiny-s.yaml"
    entry.write_text(entry.read_text() + "reasoning: {open: <note>, close: </note>}\n")
    assert rerun(changed) == Counter(infer=4, score=2, compare=1)


def test_a_changed_margin_compares_again(changed: Project) -> None:
    edit(changed.folder / "config/config.yaml", "margin: null", "margin: 0.05")
    assert rerun(changed) == Counter(compare=1)


def test_another_margin_of_a_dataset_compares_again_and_scores_nothing(changed: Project) -> None:
    edit(changed.folder / "config/datasets/hoc/dataset.yaml", "margin: 0.03", "margin: 0.05")
    assert rerun(changed) == Counter(compare=1)


def test_a_failed_cell_leaves_no_file_and_the_others_go_on(changed: Project) -> None:
    """One model lacks a tensor, as its cells alone find: they fail by name; merges draw what exists, naming the rest."""
    shutil.rmtree(changed.folder / "results/demo/cells/tiny-s/w4a16/hoc")
    copy = changed.folder / "resources/demo/models/broken"
    shutil.copytree(changed.folder / "resources/demo/models/tiny-s", copy)
    weights = load_file(copy / "model.safetensors")
    del weights["model.norm.weight"]
    save_file(weights, copy / "model.safetensors", metadata={"format": "pt"})
    entry = (changed.folder / "config/models/tiny-s.yaml").read_text()
    (changed.folder / "config/models/broken.yaml").write_text(entry.replace("tiny-s", "broken"))
    studies = changed.folder / "config/demo_studies.yaml"
    studies.write_text(studies.read_text().replace("models: [tiny-xs, tiny-s]", "models: [broken, tiny-s]"))
    narrow = [part.replace("models=[tiny-s]", "models=[broken, tiny-s]") for part in NARROW]
    result = changed.snakemake("--cores", "2", *narrow)
    assert result.returncode != 0
    assert re.search(r"resources/demo/models/broken: its weights are not those of the Llama", result.stdout), (
        result.stdout
    )
    cells = changed.folder / "results/demo/cells"
    assert not list(cells.glob("broken/**/*.json*"))
    assert (cells / "tiny-s/w4a16/hoc/instruction-0shot/predictions.jsonl").exists(), result.stdout
    result = changed.snakemake("--cores", "2", *narrow, "allow_missing=true")
    assert result.returncode == 0, result.stdout
    assert "broken" in (changed.folder / "results/demo/figures/figure2.svg").read_text()


def test_after_ctrl_c_the_same_command_goes_on(repository: Path, tmp_path: Path) -> None:
    project = copy_project(repository, tmp_path)
    cells = project.folder / "results/demo/cells"
    run = project.start("--cores", "1", *NARROW)
    deadline = time.monotonic() + 120
    # The first cell is certainly done once the second has left its last file.
    while len(list(cells.glob("**/manifest.json"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(run.pid, signal.SIGINT)  # a terminal's Ctrl-C reaches Snakemake and its jobs alike
    assert run.wait(60) != 0
    first = min(cells.glob("**/manifest.json"), key=lambda path: path.stat().st_mtime_ns)
    written = first.stat().st_mtime_ns
    result = project.snakemake("--cores", "2", *NARROW)
    assert result.returncode == 0, result.stdout
    assert len(list(cells.glob("**/manifest.json"))) == 4
    assert first.stat().st_mtime_ns == written


def test_a_bundle_redraws_the_same_bytes(
    changed: Project, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In another checkout, without torch and without a network: HoC from predictions, DDI2013 from scored answers."""
    edit(changed.folder / "config/datasets/hoc/dataset.yaml", "citation:", "redistributable: true\ncitation:")
    data = "data={folder: resources/demo/datasets, texts_in_bundles: by_licence}"
    result = changed.snakemake("--cores", "2", *NARROW, data)
    assert result.returncode == 0, result.stdout
    assert "rule infer" not in result.stdout
    assert "left out: texts of ddi2013\n" in changed.quantbench("bundle", "results/demo")
    (tmp_path / "other").mkdir()
    other = copy_project(repository, tmp_path / "other")
    monkeypatch.setenv("PYTHONPATH", lean_path(repository, tmp_path / "lean"))
    opened = other.open_bundle(changed.folder / "results/demo/demo.tar.zst")
    result = other.snakemake("--cores", "2", "--configfile", opened)
    assert result.returncode == 0, result.stdout
    drawn, packed = other.folder / "results/bundles/demo", changed.folder / "results/demo"
    unchanged = figures_unchanged(drawn)
    assert len(unchanged) == 18 and all(unchanged.values()), unchanged
    for name in ("cells", "table1", "precision_effects"):
        assert (drawn / f"tables/{name}.csv").read_bytes() == (packed / f"tables/{name}.csv").read_bytes()
    assert [path.stem for path in (drawn / "logs/score").iterdir()] == ["hoc"]
    assert "ddi2013" in (drawn / "report.html").read_text()


def test_the_real_test_files_run_through_the_same_rules(repository: Path, real_data: Path, tmp_path: Path) -> None:
    project = copy_project(repository, tmp_path)
    settings = [f"data={{folder: {real_data}}}", "limit=4", "precisions=[w4a16]"]
    result = project.snakemake("--cores", "2", "--configfile", "config/real.yaml", "--config", *settings)
    assert result.returncode == 0, result.stdout
    table = pd.read_csv(project.folder / "results/real/tables/table1.csv")
    assert len(table) == 8
    assert table["score"].between(0, 1).all()
    described = [
        json.loads(path.read_text()) for path in (project.folder / "results/real/datasets").glob("*/dataset.json")
    ]
    rows = {item["dataset"]: item["files"]["test"]["rows"] for item in described}
    assert rows == {
        "hoc": 315,
        "litcovid": 2500,
        "bc5cdr_chemical": 4797,
        "ncbi_disease": 940,
        "chemprot": 16112,
        "ddi2013": 5761,
        "medqa": 1273,
        "pubmedqa": 500,
    }
