"""What the workflow reads while it plans, and what analysis commands read, needs no inference package."""

import subprocess
import sys
from pathlib import Path

import pytest

# Packages of requirements/inference.txt that requirements/analysis.txt does not have.
INFERENCE = [
    "torch",
    "transformers",
    "bitsandbytes",
    "accelerate",
    "safetensors",
    "huggingface_hub",
    "datasets",
]


@pytest.mark.parametrize(
    "module",
    [
        "store.cleaning",
        "store.folder_checks",
        "store.places",
        "store.exporting",
        "verify.run_files",
        "verify.run_cells",
    ],
)
def test_a_module_is_importable_without_them(repository: Path, module: str) -> None:
    code = f"import sys; sys.modules.update(dict.fromkeys({INFERENCE!r})); import quantbench.{module}"
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, env={"PYTHONPATH": str(repository / "workflow")}, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
