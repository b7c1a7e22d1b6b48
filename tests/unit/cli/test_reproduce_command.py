"""``quantbench reproduce`` as a user calls it."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.reproduced_run import make_run

from quantbench.cli.main import main


@pytest.fixture(scope="module")
def run(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    return make_run(repository, tmp_path_factory.mktemp("results")).run_folder


def test_everything_for_people(run: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reproduce", run]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("Run paper: 24 of the 96 cells of the paper's Table 1 (arXiv 2509.04534) are here.")
    assert "Of 24 published scores, 24 lie inside" in shown
    for heading in ("What differs from", "Table 1:", "The paper's figures:", "The paper's claims, in our words:"):
        assert f"\n\n{heading}" in shown
    assert "macro F1 over characters" in shown and "macro F1 over distinct gold mentions" in shown
    assert "bounded by the bootstrap, since this run has no repeats" in " ".join(shown.split())
    assert "protocol.decoding: greedy (its authors, probably: of_model)" in shown


def test_one_part_alone(run: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reproduce", run, "--part", "figures"]) == 0
    shown = capsys.readouterr().out
    assert "Figure 6" in shown and "claims" not in shown and "What differs" not in shown


def test_cells_for_programs(run: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reproduce", run, "--format", "csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert len(rows) == 36
    (row,) = [row for row in rows if (row["dataset"], row["model"], row["precision"]) == ("pubmedqa", "phi-4", "w8a16")]
    assert (row["published_score"], row["published_memory_gib"], row["published_latency_s"]) == (
        "0.532",
        "15.87",
        "0.4",
    )
    assert (row["published_metric"], row["published_inside"]) == ("case_sensitive_accuracy", "true")
    assert {row["published_score"] for row in rows if row["model"] == "llama3-med42-70b"} == {""}


@pytest.mark.parametrize(("part", "count"), [("departures", 13), ("figures", 5), ("claims", 27)])
def test_other_parts_for_programs(part: str, count: int, run: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reproduce", run, "--format", "json", "--part", part]) == 0
    found = json.loads(capsys.readouterr().out)
    assert len(found) == count
    assert all(value is not None for one in found for value in one.values())


def test_a_run_without_a_published_cell_shows_both_scorings(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    catalogue = make_run(repository, tmp_path, models=["llama3-med42-70b"])
    assert main(["reproduce", catalogue.run_folder]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("Run paper: none of its cells is in the paper's Table 1")
    assert "Its zero-shot models: Llama3-Med42-70B." in " ".join(shown.split())
    assert "Both scorings of this run:" in shown and "\nTable 1:" not in shown
    assert "macro F1 over characters" in shown


def test_figures_are_drawn_where_asked(run: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reproduce", run, "--part", "departures", "--figure", str(tmp_path / "new/beside")]) == 0
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == [
        *(f"beside.{kind}" for kind in ("pdf", "png", "svg")),
        *(f"beside_by_model.{kind}" for kind in ("pdf", "png", "svg")),
    ]
    assert "All rows show the 24 cells" in (tmp_path / "new/beside.svg").read_text().replace("\n", " ")
    assert "drawn: " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("model", "gone", "config/models no longer has 'gone'"),
        ("precision", "w9a16", "config/precisions no longer has 'w9a16'; did you mean 'w"),
        ("dataset", "gone", "config/datasets no longer has 'gone'"),
        ("memory_gib", "0", "key 'memory_gib' has the value 0, where a number above 0 is expected"),
        ("latency_mean_s", "-1", "key 'latency_mean_s' has the value -1, where a number above 0"),
        ("score_as_published", "nan", "key 'score_as_published' has the value 'nan': Input should be a finite number"),
        ("published_metric", "odd", "unknown published metric 'odd'"),
        ("metric", "odd", "unknown metric 'odd'"),
    ],
)
def test_a_row_that_nothing_can_be_said_of_is_named(
    column: str, value: str, said: str, run: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(run, tmp_path / "run")
    path = tmp_path / "run/tables/cells.csv"
    rows = list(csv.DictReader(io.StringIO(path.read_text())))
    rows[1][column] = value
    with path.open("w", newline="") as handle:
        table = csv.DictWriter(handle, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    assert main(["reproduce", str(tmp_path / "run")]) == 2
    assert f"{path}, line 3: {said}" in capsys.readouterr().err


def test_a_file_and_a_figure_without_a_name_are_refused(
    run: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "run.tar.zst").touch()
    assert main(["reproduce", str(tmp_path / "run.tar.zst")]) == 2
    assert f"quantbench open {tmp_path / 'run.tar.zst'}" in capsys.readouterr().err
    assert main(["reproduce", run, "--figure", ""]) == 2
    assert "the path is empty" in capsys.readouterr().err


def test_an_opened_bundle_needs_its_tables_first(
    opened: Path, repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(repository)
    assert main(["reproduce", str(opened)]) == 2
    assert f"run snakemake --cores 2 --configfile {opened / 'run.yaml'} first" in capsys.readouterr().err


def test_neither_torch_nor_matplotlib_is_loaded(run: str, repository: Path) -> None:
    code = (
        "import sys; from quantbench.cli.main import main; "
        f"main(['reproduce', {run!r}, '--part', 'claims']); "
        "print([name for name in ('torch', 'transformers', 'matplotlib', 'requests') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=repository)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_folder_that_is_no_run_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reproduce", str(tmp_path / "none")]) == 2
    assert f"{tmp_path / 'none'}: no tables/configuration.json there" in capsys.readouterr().err
