"""``quantbench plan`` as a user calls it."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from tests.simulated_run import paper_catalogue, simulate

from quantbench.cli.main import main
from quantbench.config import load
from quantbench.contracts.prepared_dataset import PreparedDataset
from quantbench.planner import gpus_needed

WITHOUT_LIBRARIES = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "transformers", "bitsandbytes", "pandas"):
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Refuse())
from quantbench.cli.main import main
sys.exit(main())
"""


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_configured_models_are_planned(capsys, repository: Path) -> None:
    assert main(["plan"]) == 0
    output = capsys.readouterr().out
    for model in yaml.safe_load((repository / "config/config.yaml").read_text())["models"]:
        assert sum(line.startswith(f"{model} ") for line in output.splitlines()) == 3
    assert "prompts of 2048 tokens, answers of 512, 1 at a time" in output
    assert "One GPU of 24 GiB holds phi-4 w8a16, w4a16;" in output


def test_csv_terms_add_up_and_gpus_are_counted(capsys) -> None:
    assert main(["plan", "--model", "qwen2.5-72b", "--devices", "2", "--batch", "3", "--format", "csv"]) == 0
    rows = rows_of(capsys.readouterr().out)
    assert [row["precision"] for row in rows] == ["full", "w8a16", "w4a16"]
    for row in rows:
        assert (row["devices"], row["batch"]) == ("2", "3")
        *terms, peak, fullest = (
            float(value) for name, value in row.items() if name.endswith("_gib") and not name.startswith("gpus")
        )
        assert sum(terms) == pytest.approx(peak, abs=0.01)
        assert peak / 2 <= fullest < peak
        assert row["blocks"] == "40+40"
    assert [row["gpus_of_80_gib"] for row in rows] == ["2", "1", "1"]


def test_the_configured_gpu_is_among_the_counted(capsys, repository: Path, tmp_path: Path) -> None:
    settings = yaml.safe_load((repository / "config/config.yaml").read_text())
    settings["hardware"]["gpu_memory_gib"] = 32
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(settings))
    assert main(["plan", "--configfile", str(path), "--model", "phi-4", "--precision", "full", "--format", "csv"]) == 0
    (row,) = rows_of(capsys.readouterr().out)
    catalogue = load(repository, settings, str(path))
    expected = gpus_needed(catalogue.models["phi-4"], catalogue.precisions["full"], 32)
    assert row["gpus_of_32_gib"] == str(expected)


def test_gpus_that_are_stated_must_hold_what_is_planned(capsys) -> None:
    words = ["plan", "--model", "qwen2.5-72b", "--config", "hardware={gpu_memory_gib: 40, gpus: 2}"]
    assert main([*words, "--precision", "full"]) == 1
    assert "at most 2 GPUs of 40 GiB, as configured, do not hold qwen2.5-72b full" in capsys.readouterr().err
    assert main([*words, "--precision", "w4a16"]) == 0


def test_json_is_csv_with_types(capsys) -> None:
    for words in (["--against", "paper"], ["--hours", "--gpus", "4"], ["--model", "phi-4"]):
        assert main(["plan", *words, "--format", "csv"]) == 0
        rows = rows_of(capsys.readouterr().out)
        assert main(["plan", *words, "--format", "json"]) == 0
        objects = json.loads(capsys.readouterr().out)
        assert [list(one) for one in objects] == [list(one) for one in rows]
        for one, row in zip(objects, rows, strict=True):
            for key, value in one.items():
                assert value == (float(row[key]) if isinstance(value, int | float) else row[key] or None)
        assert any(isinstance(value, float) for value in objects[0].values())


def test_a_prompt_beyond_the_context_is_noted(capsys) -> None:
    assert main(["plan", "--model", "meditron-70b", "--prompt-tokens", "4000", "--new-tokens", "97"]) == 0
    assert "4097 tokens of prompt and answer exceed the context of meditron-70b, 4096" in capsys.readouterr().out


def test_a_thought_is_planned_on_top_of_the_answer(capsys) -> None:
    words = [
        "plan",
        "--model",
        "huatuogpt-o1-70b",
        "--model",
        "llama-3.3-70b",
        "--precision",
        "full",
        "--new-tokens",
        "60",
    ]
    assert main([*words, "--format", "csv"]) == 0
    thinking, plain = rows_of(capsys.readouterr().out)
    assert (thinking["new_tokens"], plain["new_tokens"]) == ("2060", "60")
    assert (thinking["thought_tokens"], plain["thought_tokens"]) == ("2000", "0")
    # Keys and values of 80 layers and 8 heads of 128, 2 bytes a number; the other's peak is reached with its prompt alone.
    tokens = 2048 + 2060
    assert float(thinking["kv_cache_gib"]) == pytest.approx(2 * 80 * 8 * 128 * 2 * tokens / 2**30, abs=0.001)
    assert float(thinking["peak_gib"]) > float(plain["peak_gib"])
    assert main(words) == 0
    output = capsys.readouterr().out
    assert "answers of 60, 1 at a time" in output
    assert (
        "Note: of the 2060 new tokens planned for huatuogpt-o1-70b, 2000 are for a thought before the answer." in output
    )
    assert output.count("for a thought") == 1


def test_against_the_paper_as_csv(capsys) -> None:
    assert main(["plan", "--against", "paper", "--format", "csv"]) == 0
    output = capsys.readouterr().out
    assert output.splitlines()[0] == "dataset,model,precision,published_gib,planned_gib,error_percent"
    rows = rows_of(output)
    assert len(rows) == 96
    for row in rows:
        published, planned = float(row["published_gib"]), float(row["planned_gib"])
        assert float(row["error_percent"]) == pytest.approx(100 * (planned / published - 1), abs=0.01)


def test_against_the_paper_as_text(capsys) -> None:
    assert main(["plan", "--against", "paper", "--model", "phi-4", "--precision", "full"]) == 0
    output = capsys.readouterr().out
    assert "\n8 cells: median absolute error " in output
    assert output.count("phi-4") == 9  # the cells, and the largest error's


def test_hours_of_the_configured_run(capsys) -> None:
    assert main(["plan", "--hours", "--gpus", "4", "--gpu", "h100-80gb"]) == 0
    output = capsys.readouterr().out
    assert output.startswith("412 cells of the run 'paper' on 4 x H100 80GB of 80 GiB.")
    assert "Assumed (docs/hours.md" in output
    assert "Not counted" not in output


def test_hours_as_csv_grow_with_what_there_is_to_do(capsys) -> None:
    def hours(*words: str) -> dict[tuple[str, str], dict[str, str]]:
        assert main(["plan", "--hours", "--format", "csv", *words]) == 0
        return {(row["engine"], row["answers"]): row for row in rows_of(capsys.readouterr().out)}

    four, eight = hours("--gpus", "4", "--gpu", "h100-80gb"), hours("--gpus", "8", "--gpu", "h100-80gb")
    assert list(four) == [(engine, answers) for engine in ("single", "static") for answers in ("gold", "limit")]
    for key, row in four.items():
        assert row["cells"] == ("348" if key[0] == "single" else "412")  # one at a time has no noise floors
        assert float(row["gpu_hours"]) == float(eight[key]["gpu_hours"]) <= 4 * float(row["wall_hours"]) + 0.3
        assert float(eight[key]["wall_hours"]) < float(row["wall_hours"])
    assert float(four["single", "gold"]["gpu_hours"]) > 5 * float(four["static", "gold"]["gpu_hours"])


def test_hours_name_what_does_not_fit(capsys) -> None:
    assert main(["plan", "--hours", "--gpus", "3", "--gpu", "a100-40gb"]) == 1
    assert "Not counted under single: 76 cells do not fit on GPUs of 40 GiB with at most 3" in capsys.readouterr().out


def power_rows(capsys, *words: str) -> dict[tuple[str, str], dict[str, str]]:
    assert main(["plan", "--power", "--format", "csv", *words]) == 0
    return {(row["dataset"], row["changed"]): row for row in rows_of(capsys.readouterr().out)}


def test_power_of_the_configured_run(capsys) -> None:
    rows = power_rows(capsys)
    assert len(rows) == 8 * 3
    hoc, ddi = rows["hoc", "0.1"], rows["ddi2013", "0.1"]
    assert (hoc["samples"], hoc["units"], hoc["margin"]) == ("315", "315", "0.03")
    assert (ddi["samples"], ddi["units"], ddi["counted_from"]) == ("5761", "192", "entry")
    assert float(hoc["preserved_probability"]) < 0.8 < float(ddi["preserved_probability"])
    assert int(hoc["samples_needed"]) > 315 and int(ddi["samples_needed"]) < 5761
    for dataset in ("hoc", "medqa"):
        losses = [float(rows[dataset, changed]["smallest_loss"]) for changed in ("0.02", "0.1", "0.25")]
        assert losses == sorted(losses)


def test_power_falls_with_the_limit_and_follows_the_margin(capsys) -> None:
    whole, some = power_rows(capsys), power_rows(capsys, "--config", "limit=100")
    assert {row["samples"] for row in some.values()} == {"100"}
    for key, row in some.items():
        assert float(row["smallest_loss"]) > float(whole[key]["smallest_loss"])
    wide = power_rows(capsys, "--config", "comparison={margin: 0.1}")
    assert {row["margin"] for row in wide.values()} == {"0.1"}
    assert all(
        float(wide[key]["preserved_probability"]) > float(row["preserved_probability"])
        for key, row in whole.items()
        if float(row["preserved_probability"]) < 0.99
    )


@pytest.mark.parametrize(
    ("prepared", "limit", "counted"),
    [
        (30, 30, ("30", "prepared samples")),
        (30, 20, ("20", "prepared samples")),
        (30, 100, ("100", "entry")),
        (30, "null", ("315", "entry")),
        (None, 20, ("20", "prepared samples")),
        (100, 200, ("30", "prepared samples")),  # there were no more
    ],
)
def test_power_is_of_the_limit_asked_for_not_of_the_one_prepared_for(
    repository: Path, tmp_path: Path, capsys, prepared: int | None, limit: int | str, counted: tuple[str, str]
) -> None:
    catalogue = paper_catalogue(
        repository, studies=["grid"], models=["phi-4"], datasets=["hoc"], results_folder=str(tmp_path)
    )
    folder = tmp_path / catalogue.run.run
    simulate(catalogue, folder, n=30)
    stated = {
        "dataset": "hoc",
        "files": {},
        "limit": prepared,
        "seed": 1,
        "samples": 30,
        "label_counts": {},
        "shots": 0,
    }
    PreparedDataset.model_validate(stated).write(folder / "datasets/hoc/dataset.json")
    rows = power_rows(capsys, "--config", f"limit={limit}", f"results_folder={tmp_path}", "datasets=[hoc]")
    assert {(row["samples"], row["counted_from"]) for row in rows.values()} == {counted}


def test_power_in_words_says_what_is_too_few(capsys) -> None:
    """Of 50 samples most of HoC's labels have fewer than ten."""
    assert main(["plan", "--power", "--config", "limit=50", "--config", "datasets=[hoc, medqa]"]) == 0
    output = capsys.readouterr().out
    assert "Too few documents for a verdict, or too many rare labels: hoc." in output
    assert "docs/protocol.md#power" in output


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--power", "--hours"], "--hours does not go with --power"),
        (["--power", "--batch", "2"], "--batch does not go with --power"),
        (["--model", "phi4"], "--model 'phi4' is unknown; did you mean 'phi-4'?"),
        (["--precision", "w8a6"], "--precision 'w8a6' is unknown; did you mean 'w8a16'?"),
        (["--prompt-tokens", "-5"], "prompt_tokens has the value -5; give a number of at least 1"),
        (["--devices", "0"], "devices has the value 0"),
        (["--against", "paper", "--batch", "2"], "--batch does not go with --against"),
        (
            ["--against", "paper", "--model", "qwen2.5-7b"],
            "--model 'qwen2.5-7b' is unknown; did you mean 'qwen2.5-72b'?",
        ),
        (["--configfile", "nowhere.yaml"], "nowhere.yaml: no such file"),
        (["--config", "mine.yaml"], "--config 'mine.yaml' is not KEY=VALUE; a file is named with --configfile"),
        (["--config", "limit=[1"], "--config 'limit=[1': not valid YAML"),
        (
            ["--config", "confirm=true"],
            "key 'confirm' is retired: `quantbench clean` frees disk, and deletes with --yes",
        ),
        (["--hours", "--gpus", "0"], "--gpus has the value 0; give a number of at least 1"),
        (["--hours", "--batch", "2"], "--batch does not go with --hours"),
        (["--hours", "--against", "paper"], "--against does not go with --hours"),
        (["--gpu", "h200"], "--gpu does not go with a plan of memory: it belongs to --hours or --trace"),
    ],
)
def test_bad_input_is_named(capsys, words: list[str], message: str) -> None:
    assert main(["plan", *words]) == 2
    assert message in capsys.readouterr().err


def test_neither_torch_nor_pandas_is_needed(repository: Path) -> None:
    command = [sys.executable, "-c", WITHOUT_LIBRARIES, "plan", "--model", "phi-4"]
    done = subprocess.run(command, capture_output=True, text=True, env={"PYTHONPATH": str(repository / "workflow")})
    assert done.returncode == 0, done.stderr
    assert "phi-4" in done.stdout


def test_a_wrong_entry_stops_only_who_asks_for_it(tmp_path: Path, capsys) -> None:
    (tmp_path / "config/models").mkdir(parents=True)
    (tmp_path / "config/models/half.yaml").write_text("title: half an entry\n")
    assert main(["plan", "--root", str(tmp_path), "--model", "phi-4"]) == 0
    assert main(["plan", "--root", str(tmp_path), "--model", "half"]) == 2
    assert "half.yaml: key 'family' is missing" in capsys.readouterr().err


def test_a_model_published_quantized_is_planned_at_its_one_precision(repository: Path, tmp_path: Path, capsys) -> None:
    entry = yaml.safe_load((repository / "config/models/phi-4.yaml").read_text()) | {"precision": "as_published"}
    (tmp_path / "config/models").mkdir(parents=True)
    (tmp_path / "config/models/phi-4-gptq.yaml").write_text(yaml.safe_dump(entry))
    words = ["plan", "--root", str(tmp_path), "--model", "phi-4-gptq", "--model", "phi-4", "--format", "csv"]
    assert main(words) == 0
    rows = [(row["model"], row["precision"]) for row in rows_of(capsys.readouterr().out)]
    assert rows == [("phi-4-gptq", "as_published"), *(("phi-4", name) for name in ("full", "w8a16", "w4a16"))]
    assert main([*words[:5], "--precision", "w4a16"]) == 2
    assert "nothing to plan: a model with 'precision: as_published'" in capsys.readouterr().err
