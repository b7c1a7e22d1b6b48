"""``quantbench score`` as a user calls it, in a Python where torch, transformers and scikit-learn cannot be imported."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from quantbench.cli.main import main
from quantbench.contracts.files import read_json
from quantbench.contracts.records import Sample, ScoredAnswer, read_records, write_records

# dataset -> outputs written by hand for the small test file, and how many of them are right.
OUTPUTS: dict[str, tuple[list[str], int]] = {
    "hoc": (
        [
            "sustaining proliferative signaling",
            '{"resisting cell death": 1, "activating invasion and metastasis": 1, "cellular energetics": 0}',
            "The abstract reports on inducing angiogenesis.",
            "- Enabling replicative immortality\n- Genomic instability and mutation",
            "```json\n[\"cellular energetics\", \"avoiding immune destruction\"]\n```",
            "I cannot tell.",
        ],
        4,
    ),
    "litcovid": (["prevention", "Treatment; Diagnosis", "Case Report: 1\nTransmission: yes", "Epidemic Forecasting", "none"], 4),
    "bc5cdr_chemical": (
        [
            "<span>Velumab</span> reduced Parkinson's tremor.",
            "Doses of 0.05 mg/kg <b>L-dopa</b> <b>zintol</b> helped.",
            "No drug was given (n &lt; 5).",
            "<span>No drug</span> was given ( n < 5 ) .",
            '\u03b1-zintol, naïve rats, and <span class="chemical">zintol</span>',
        ],
        3,
    ),
    "ncbi_disease": (
        [
            "Family members had <span>grey heart syndrome</span> ( <span>GHS</span> ) .",
            "None",
            "Risk of <mark>lymph blight stone fever</mark> was > 2 .",
        ],
        2,
    ),
    "chemprot": (["false", "CPR:4", "The class is CPR:6.", "CPR:3 or CPR:4", "cpr 3", "**CPR:5**", "Final answer: CPR:9"], 6),
    "ddi2013": (["mechanism", "DDI-false", "false", "DDI-advise", "no idea", "DDI-int", "Effect."], 5),
    "medqa": (["D. Velumab", "Ask the patient's wife", "A. E1 ... incorrect / E. E5 ... correct"], 3),
    "pubmedqa": (["Yes.", "yes, because", "No", "No", "The answer is no.", "It is unclear."], 4),
}  # fmt: skip
# An import hook that refuses; entries of None in sys.modules would confuse libraries that look there for torch.
WITHOUT_TORCH = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "transformers", "bitsandbytes", "sklearn", "scipy"):
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Refuse())
from quantbench.cli.main import main
sys.exit(main())
"""


def small_file(repository: Path, dataset: str) -> Path:
    return repository / "tests/data/datasets" / dataset / "test.tsv"


def write_predictions(path: Path, outputs: list[str]) -> Path:
    lines = [
        json.dumps({"sample_id": str(number), "outputs": [output]}) + "\n" for number, output in enumerate(outputs)
    ]
    path.write_text("".join(lines), encoding="utf-8")
    return path


@pytest.mark.parametrize("dataset", OUTPUTS)
def test_hand_written_predictions_are_scored(
    dataset: str, repository: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outputs, right = OUTPUTS[dataset]
    source = write_predictions(tmp_path / "p.jsonl", outputs)
    gold = small_file(repository, dataset)
    words = ["--dataset", dataset, "--gold", str(gold), "--predictions", str(source), "--out", str(tmp_path / "out")]
    assert main(["score", *words, "--resamples", "200"]) == 0
    answers = read_records(tmp_path / "out/scored.jsonl", ScoredAnswer)
    assert [answer.sample_id for answer in answers] == [str(number) for number in range(len(outputs))]
    assert sum(answer.correct for answer in answers) == right
    scores = read_json(tmp_path / "out/scores.json")
    assert 0 < scores["value"] <= 1
    assert f"{dataset}: {scores['metric']} {scores['value']:.4f}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("dataset", "title"), [("ddi2013", "macro F1 over characters"), ("medqa", "accuracy, letter case counted")]
)
def test_the_score_as_published_is_printed_by_the_name_of_what_it_measures(
    dataset: str, title: str, repository: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = write_predictions(tmp_path / "p.jsonl", OUTPUTS[dataset][0])
    gold = str(small_file(repository, dataset))
    words = [
        "score",
        "--dataset",
        dataset,
        "--gold",
        gold,
        "--predictions",
        str(source),
        "--out",
        str(tmp_path / "out"),
    ]
    assert main(words) == 0
    found = read_json(tmp_path / "out/scores.json")["as_published"]
    assert f"as published: {title} {found['value']:.4f} [" in capsys.readouterr().out
    assert main([*words, "--format", "json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["published_metric"], row["score_as_published"]) == (found["metric"], found["value"])
    assert [row["score_as_published_low"], row["score_as_published_high"]] == found["interval"]
    assert (row["constant_score_as_published"], row["unknown_rate_as_published"]) == (
        found["constant_value"],
        found["unknown_rate"],
    )


def test_it_runs_without_torch_from_another_folder(repository: Path, tmp_path: Path) -> None:
    outputs, _ = OUTPUTS["medqa"]
    source = write_predictions(tmp_path / "p.jsonl", outputs)
    words = ["--dataset", "medqa", "--gold", small_file(repository, "medqa"), "--predictions", source, "--out", "out"]
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH, "score", *words],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(repository / "workflow")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert read_json(tmp_path / "out/scores.json")["value"] == 1.0


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (["--dataset", "medq"], "did you mean 'medqa'?"),
        (["--gold", "absent.tsv"], "absent.tsv: no such file"),
        (["--gold", "."], ".: a folder; give a file in it"),
        (["--predictions", "absent.jsonl"], "absent.jsonl: no such file"),
        (["--dataset", "pubmedqa"], "column 'QUESTION' is missing"),
        (["--resamples", "0"], "--resamples"),
        (["--root", "nowhere"], "nowhere: --root names it"),
        (["--prompting", "chain"], "invalid choice: 'chain'"),
        (["--model", "huatuo"], "--model 'huatuo' is unknown; did you mean 'huatuogpt-o1-70b'?"),
        (["--reasoning", "hutuo"], "--reasoning: key 'reasoning' has the value 'hutuo'"),
        (
            ["--reasoning", "<t>", "</t>", "x"],
            "unrecognized arguments: x",
        ),
        (["--reasoning", "think", "--model", "phi-4"], "--model and --reasoning both name thought markers; give one"),
    ],
)
def test_bad_input_is_said_in_one_message_and_nothing_is_written(
    changed: list[str], message: str, repository: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = write_predictions(tmp_path / "p.jsonl", OUTPUTS["medqa"][0])
    words = ["--dataset", "medqa", "--gold", str(small_file(repository, "medqa")), "--predictions", str(source)]
    assert main(["score", *words, "--out", str(tmp_path / "out"), *changed]) == 2
    said = capsys.readouterr().err
    assert message.lower() in said.lower()
    assert "Traceback" not in said
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "right"),
    [
        ([], 1),
        (["--prompting", "cot"], 2),
        (["--reasoning", "[NOTE]", "[/NOTE]"], 2),
        (["--prompting", "cot", "--reasoning", "[NOTE]", "[/NOTE]"], 3),
        (["--prompting", "cot", "--model", "noting"], 3),
    ],
)
def test_prompting_and_markers_are_said_by_options(
    options: list[str], right: int, repository: Path, tmp_path: Path
) -> None:
    entry = yaml.safe_load((repository / "config/models/phi-4.yaml").read_text())
    entry["reasoning"] = {"open": "[NOTE]", "close": "[/NOTE]"}
    (tmp_path / "config/models").mkdir(parents=True)
    (tmp_path / "config/models/noting.yaml").write_text(yaml.safe_dump(entry))
    gold = [Sample(str(n), {"question": "Is it?", "context": "c"}, "no", str(n)) for n in range(3)]
    write_records(tmp_path / "samples.jsonl", gold)
    outputs = ["no", "yes\n\nContext: read again.\nFinal answer: no", "[NOTE]\nFinal answer: yes\n[/NOTE]\nno"]
    source = write_predictions(tmp_path / "p.jsonl", outputs)
    files = ["--gold", str(tmp_path / "samples.jsonl"), "--predictions", str(source), "--out", str(tmp_path / "out")]
    words = ["score", "--dataset", "pubmedqa", "--root", str(tmp_path), "--resamples", "100", *files, *options]
    assert main(words) == 0
    assert round(3 * read_json(tmp_path / "out/scores.json")["strict_value"]) == right


def test_the_documented_example_prints_what_its_page_says(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = "".join((repository / "docs" / page).read_text() for page in ("own-datasets.md", "scoring-predictions.md"))
    files = dict(re.findall(r"`([\w./]+)`\n```\w*\n(.*?)```", shown, re.DOTALL))
    for name in (
        "config/datasets/ward_notes/dataset.yaml",
        "config/datasets/ward_notes/test.jsonl",
        "predictions.jsonl",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(files[name])
    monkeypatch.chdir(tmp_path)
    (command,) = re.findall(r"quantbench (score --dataset ward_notes .*?)\n```", shown, re.DOTALL)
    assert main(shlex.split(command.replace("\\\n", " "))) == 0
    (printed,) = re.findall(r"prints\n\n```\n(.*?)```", shown, re.DOTALL)
    assert capsys.readouterr().out == printed
    assert (tmp_path / "scored/scored.jsonl").read_text() == files["scored/scored.jsonl"]


def test_what_is_written_of_private_data_is_their_owners_alone(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Gold entities have their words, and samples are named as the records are."""
    folder = tmp_path / "config/datasets/own"
    folder.mkdir(parents=True)
    shipped = yaml.safe_load((repository / "config/datasets/bc5cdr_chemical/dataset.yaml").read_text())
    left = {"upstream_folder", "redistributable", "files", "tokens", "test_set", "margin"}
    stated = {name: value for name, value in shipped.items() if name not in left}
    (folder / "dataset.yaml").write_text(
        yaml.safe_dump({**stated, "reader": "records", "files": {"test": [{"name": "t"}]}})
    )
    record = {"sample_id": "Doe", "inputs": {"text": "Aspirin."}, "gold": [{"start": 0, "end": 7, "text": "Aspirin"}]}
    (tmp_path / "gold.jsonl").write_text(json.dumps(record) + "\n")
    (tmp_path / "p.jsonl").write_text(json.dumps({"sample_id": "Doe", "outputs": ["<span>Aspirin</span>."]}) + "\n")
    monkeypatch.chdir(tmp_path)
    assert main([*["score", "--dataset", "own", "--gold", "gold.jsonl", "--predictions", "p.jsonl", "--out", "."]]) == 0
    assert {(tmp_path / name).stat().st_mode & 0o777 for name in ("scored.jsonl", "scores.json")} == {0o600}
