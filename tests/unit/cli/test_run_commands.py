"""``quantbench cells``, ``outputs``, ``bundle`` and ``verify`` on a run as the shipped bundle leaves it."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path

import pytest

from quantbench.bundle import open_bundle
from quantbench.cli.main import main
from quantbench.contracts.files import read_json

Captured = pytest.CaptureFixture[str]
CELLS = 126  # of the shipped bundle


def objects(capsys: Captured) -> list[dict[str, object]]:
    return json.loads(capsys.readouterr().out)


@pytest.fixture
def run(opened: Path, tmp_path: Path) -> Path:
    """A copy to change."""
    return Path(shutil.copytree(opened, tmp_path / "demo"))


def drawn(run: Path) -> None:
    (run / "figures").mkdir()
    (run / "figures/figure2.png").write_bytes(b"stands for a figure")


def test_cells_of_an_opened_bundle_are_finished(opened: Path, capsys: Captured) -> None:
    cells = len(list(opened.glob("cells/*/*/*/*/manifest.json")))
    assert main(["cells", str(opened)]) == 0
    said = capsys.readouterr().out
    assert said.splitlines()[0].split() == ["model", "precision", "dataset", "prompting", "shots", "state", "samples"]
    assert said.endswith(f"\n{opened}: {cells} cells; {cells} finished\n")
    assert main(["cells", str(opened), "--format", "csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert len(rows) == cells
    assert all(row["state"] == "finished" and row["done"] == row["samples"] for row in rows)


def test_a_cell_on_its_way_says_how_far_it_is(run: Path, capsys: Captured) -> None:
    first, second = sorted(run.glob("cells/*/*/hoc/instruction-0shot"))[:2]
    finished = (first / "predictions.jsonl").read_text().splitlines(keepends=True)
    for folder in (first, second):
        shutil.rmtree(folder)
    progress = run / "progress" / first.relative_to(run / "cells")
    progress.mkdir(parents=True)
    (progress / "0123456789abcdef.history").write_text("start\nbatch\n")
    (progress / "0123456789abcdef.predictions.jsonl").write_text("".join(finished[:3]) + finished[3][:20])
    assert main(["cells", str(run), "--format", "json"]) == 0
    states = {
        (one["model"], one["precision"], one["state"]): one for one in objects(capsys) if one["state"] != "finished"
    }
    (model, precision), (other, again) = ((one.parts[-4], one.parts[-3]) for one in (first, second))
    assert set(states) == {(model, precision, "in progress"), (other, again, "waiting")}
    assert states[model, precision, "in progress"]["done"] == 3
    assert states[model, precision, "in progress"]["samples"] == len(finished)
    assert {one["shots"] for one in states.values()} == {0}


def test_cells_of_a_configuration_that_never_ran_wait(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["cells", "--root", str(repository), "--config", "models=[phi-4]", "studies=[grid]", "--format", "json"]
    assert main(words) == 0
    found = objects(capsys)
    assert len(found) == 24
    assert {(one["model"], one["state"], one["samples"]) for one in found} == {("phi-4", "waiting", None)}
    small = "hardware={gpu_memory_gib: 8, gpus: 1, unfit: leave_out}"
    assert (
        main(["cells", "--root", str(repository), "--config", "models=[phi-4, qwen2.5-3b]", small, "--format", "json"])
        == 0
    )
    assert {one["state"] for one in objects(capsys) if one["model"] == "phi-4"} == {"left out"}


def test_a_run_is_packed_again_and_opens(run: Path, repository: Path, tmp_path: Path, capsys: Captured) -> None:
    target = tmp_path / "again.tar.zst"
    assert main(["bundle", str(run), "--to", str(target)]) == 2
    assert "its figures are not drawn yet" in capsys.readouterr().err
    drawn(run)
    assert main(["bundle", str(run), "--to", str(target)]) == 0
    assert capsys.readouterr().out.startswith(f"{target}: {CELLS} cells, ")
    again = open_bundle(target, tmp_path / "opened", repository).parent
    for path in run.glob("cells/**/predictions.jsonl"):
        assert (again / path.relative_to(run)).read_bytes() == path.read_bytes()
    assert main(["bundle", str(run)]) == 0
    assert f"{run}/demo.tar.zst: {CELLS} cells" in capsys.readouterr().out


def test_an_unfinished_run_is_packed_only_where_that_is_said(run: Path, tmp_path: Path, capsys: Captured) -> None:
    drawn(run)
    (next(run.glob("cells/*/*/hoc/instruction-0shot")) / "manifest.json").unlink()
    words = ["bundle", str(run), "--to", str(tmp_path / "part.tar.zst"), "--config"]
    assert main([*words, "allow_missing=false"]) == 2
    said = capsys.readouterr().err
    assert f"1 of {CELLS} cells are not finished" in said and f"quantbench cells {run}" in said
    assert not (tmp_path / "part.tar.zst").exists()
    assert main([*words, "allow_missing=true"]) == 0
    assert f": {CELLS - 1} cells, " in capsys.readouterr().out


def test_outputs_of_an_opened_bundle_that_is_not_drawn_yet(run: Path, capsys: Captured) -> None:
    assert main(["outputs", str(run)]) == 0
    said = f"{CELLS} cells; nothing is drawn yet, run snakemake for tables, figures and the report"
    assert capsys.readouterr().out == f"{run}: {said}\n"


def test_outputs_for_programs(opened: Path, capsys: Captured) -> None:
    (opened / "report.html").write_text("x")
    assert main(["outputs", str(opened), "--format", "json"]) == 0
    assert objects(capsys)[0] == {"path": str(opened / "report.html"), "bytes": 1}


def test_a_changed_cell_is_found_wanting(run: Path, repository: Path, capsys: Captured) -> None:
    words = ["verify", str(run), "--format", "json"]
    assert main(words) == 0
    assert all(one["kind"] == "cell" and one["matches"] and not one["reason"] for one in objects(capsys))
    # Other answers of full precision would be found in the cells that have read them, too.
    changed = next(run.glob("cells/*/w4a16/hoc/instruction-0shot")) / "predictions.jsonl"
    changed.write_text(changed.read_text() + "\n")
    assert main(words) == 1
    (wrong,) = [one for one in objects(capsys) if not one["matches"]]
    assert wrong["name"] == str(changed.parent.relative_to(run / "cells"))
    assert "not the file the cell wrote" in str(wrong["reason"])
    assert main(["verify", str(run)]) == 1
    assert f"1 of {CELLS} cells no longer match" in capsys.readouterr().err


def test_files_are_read_again_without_a_run(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    root = tmp_path / "catalogue"
    for part in ("config", "resources/demo/datasets/hoc", "resources/demo/models/tiny-xs"):
        shutil.copytree(repository / part, root / part)
    monkeypatch.chdir(tmp_path)
    narrow = ["models=[tiny-xs]", "datasets=[hoc]", "studies=[grid]"]
    words = [
        "verify",
        "--files",
        "--root",
        str(root),
        "--configfile",
        str(root / "config/demo.yaml"),
        "--config",
        *narrow,
    ]
    assert main(words) == 0
    said = capsys.readouterr().out
    assert "tiny-xs: " in said and "hoc/test.tsv: verified" in said
    data = root / "resources/demo/datasets/hoc/test.tsv"
    data.write_text(data.read_text() + "\n")
    assert main([*words, "--format", "csv"]) == 1
    out = capsys.readouterr()
    assert [row["matches"] for row in csv.DictReader(io.StringIO(out.out)) if row["name"].endswith("test.tsv")] == [
        "False"
    ]
    assert "test.tsv" in out.err
    assert main(["verify"]) == 2
    assert "give --files" in capsys.readouterr().err


def test_a_run_that_records_nothing_is_told_what_to_name(tmp_path: Path, capsys: Captured) -> None:
    for command in ("cells", "bundle"):
        assert main([command, str(tmp_path)]) == 2
        assert "name it with --configfile" in capsys.readouterr().err
        assert main([command, str(tmp_path / "absent")]) == 2
        assert "absent: no such folder" in capsys.readouterr().err


def test_what_a_manifest_records_is_enough(run: Path, repository: Path, capsys: Captured) -> None:
    manifests = list(run.glob("cells/*/*/*/*/manifest.json"))
    settings = read_json(manifests[0])["configuration"]
    (run / "run.yaml").unlink()
    assert main(["cells", str(run), "--root", str(repository)]) == 0
    # The studies are the repository's own here, which may have grown since the bundle was packed.
    assert f" cells; {len(manifests)} finished" in capsys.readouterr().out
    assert settings["run"] == "demo"
