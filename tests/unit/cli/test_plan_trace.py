"""``quantbench plan --trace`` as a user calls it."""

from __future__ import annotations

import csv
import importlib.util
import io
import json
from pathlib import Path

import pytest
import yaml

from quantbench.cli import plan_trace
from quantbench.cli.main import main

SMALL = ["plan", "--trace", "--model", "tiny-m", "--prompt-tokens", "400", "--new-tokens", "20"]


def test_traced_stands_beside_planned(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*SMALL, "--precision", "full", "--precision", "w4a16", "--gpu", "h100-80gb"]) == 0
    shown = capsys.readouterr()
    assert "on 1 H100 80GB: prompts of 400 tokens" in shown.out
    assert sum(line.startswith("tiny-m ") and "load" in line for line in shown.out.splitlines()) == 2
    assert "tiny-m w4a16: weights" in shown.out
    assert "of the activations" not in shown.out  # none of a MiB
    assert "traced 2 of 2, about 0 s left" in shown.err


def test_each_device_and_stage_is_a_record(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*SMALL, "--devices", "2", "--precision", "full", "--format", "json"]) == 0
    records = json.loads(capsys.readouterr().out)
    assert [(record["device"], record["stage"]) for record in records] == [
        (device, stage) for stage in ("load", "prompt", "answer") for device in (0, 1)
    ]
    for record in records:
        kinds = [value for name, value in record.items() if name.endswith("_gib")][2:]
        assert sum(kinds) == pytest.approx(record["traced_gib"], abs=0.004)
        assert record["planned_by_formulas"] == "yes"


def test_csv_has_the_same_columns(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*SMALL, "--precision", "full", "--format", "csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert len(rows) == 3 and rows[1]["module"].startswith("model.layers.")


def test_what_does_not_go_together_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*SMALL, "--hours"]) == 2
    assert main([*SMALL, "--against", "paper"]) == 2
    assert main([*SMALL, "--gpus", "2"]) == 2
    assert "--gpus does not go with --trace" in capsys.readouterr().err


def test_missing_packages_are_named(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(
        plan_trace.importlib.util, "find_spec", lambda name: None if name == "bitsandbytes" else found(name)
    )
    assert main([*SMALL]) == 2
    assert "bitsandbytes is not installed here: pip install -r requirements/inference.txt" in capsys.readouterr().err


def test_models_without_formulas_are_planned_roughly_and_traced(
    capsys: pytest.CaptureFixture[str], repository: Path, tmp_path: Path
) -> None:
    entry = yaml.safe_load((repository / "config/models/tiny-m.yaml").read_text(encoding="utf-8"))
    entry["counts"]["beyond_formulas"] = ["a feed-forward part without a gate"]
    (tmp_path / "config/models").mkdir(parents=True)
    (tmp_path / "config/models/mine.yaml").write_text(yaml.dump(entry), encoding="utf-8")
    mine = ["plan", "--root", str(tmp_path), "--model", "mine", "--precision", "full", "--prompt-tokens", "100"]
    assert main(mine) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert (
        "the figures of mine are estimates: the planner has no formulas for a feed-forward part without a gate" in said
    )
    assert "quantbench plan --trace --model mine" in said
    assert main([*mine, "--trace"]) == 0
    assert (
        "no formulas for a feed-forward part without a gate: of mine the traced figures count, the planned ones are estimates"
        in capsys.readouterr().out
    )
    assert main([*mine, "--trace", "--format", "json"]) == 0
    assert {record["planned_by_formulas"] for record in json.loads(capsys.readouterr().out)} == {"no"}


def test_stated_gpus_that_do_not_hold_what_was_traced_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    asked = [*SMALL, "--precision", "full", "--config"]
    assert main([*asked, "hardware={gpu_memory_gib: 24}"]) == 0
    assert main([*asked, "hardware={gpu_memory_gib: 0.51}"]) == 1
    assert "1 GPU of 0.51 GiB, as configured, does not hold" in capsys.readouterr().err
