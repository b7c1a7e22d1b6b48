"""Models of other families, added by one command each, run to their figures without any file being edited."""

import json
import shlex
from pathlib import Path

import pytest

from quantbench.cli.main import main
from tests.model_folders import write_model

from .conftest import Project

ADDED = {"new-qwen3": "qwen3", "new-gemma": "gemma3_text", "new-gpt-oss": "gpt_oss"}
NARROW = [
    *("--configfile", "config/demo.yaml", "--config", f"models=[{', '.join(ADDED)}]", "run=new"),
    *(
        "studies_file=config/studies.yaml",
        "studies=[grid]",
        "precisions=[full, w4a16]",
        "datasets=[pubmedqa]",
        "limit=4",
    ),
    *("measurement={latency_samples: 2, warmup: 1}", "inference={max_new_tokens: 4}"),
]


def test_added_models_run_to_their_figures(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(project.folder)
    for name, family in ADDED.items():
        write_model(project.folder / "own" / name, family)
        assert main(["add-model", f"own/{name}"]) == 0
    command = shlex.split(capsys.readouterr().out.splitlines()[-1].removeprefix("Next: snakemake "))
    assert project.planned(*command)["infer"] > 0, "the command that it names plans a run"
    assert project.planned(*NARROW)["infer"] == 6
    result = project.snakemake("--cores", "2", *NARROW)
    assert result.returncode == 0, result.stdout
    run = Path("results/new")
    for name in ADDED:
        for precision in ("full", "w4a16"):
            manifest = json.loads(
                (run / f"cells/{name}/{precision}/pubmedqa/instruction-0shot/manifest.json").read_text()
            )
            assert manifest["model"]["files"].keys() >= {"config.json", "model.safetensors"}
    drawn = {path.stem for path in (run / "figures").glob("*.png")}
    assert drawn >= {"effects", "figure7"}


def test_what_is_wrong_with_a_local_model_is_said_before_anything_runs(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project.folder)
    for name, family in list(ADDED.items())[:2]:
        write_model(project.folder / "own" / name, family)
        assert main(["add-model", f"own/{name}"]) == 0
    config = project.folder / "own/new-qwen3/config.json"
    facts = json.loads(config.read_text()) | {"num_hidden_layers": 3, "head_dim": 16}
    config.write_text(json.dumps(facts))
    (project.folder / "own/new-gemma/chat_template.jinja").unlink()
    result = project.snakemake("-n", *NARROW[:3], "models=[new-qwen3, new-gemma]", *NARROW[4:])
    assert result.returncode != 0
    assert "Traceback" not in result.stdout
    for part in (
        "num_hidden_layers is 3, config/models/new-qwen3.yaml says layers: 2; head_dim is 16",
        "'new-gemma' has no chat template",
    ):
        assert part in result.stdout, result.stdout
