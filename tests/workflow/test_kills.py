"""What is killed with SIGKILL and started again by the same command goes on: a cell at random moments, and Snakemake itself.

A cell ends with the bytes of an unbroken run.

``QUANTBENCH_KILLS=50 pytest -rP tests/workflow/test_kills.py`` kills fifty times and prints how much was generated twice.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from .conftest import copy_project

KILLS = int(os.environ.get("QUANTBENCH_KILLS", "10"))
BATCH_SIZE = 2
CELL = "tiny-s/w4a16/hoc/instruction-0shot"
RUN = """
import json, sys
sys.path.insert(0, "workflow")
from quantbench import jobs
jobs.infer_here(**json.loads(sys.argv[1]))
"""


@pytest.fixture
def arguments(repository: Path, tmp_path: Path) -> dict[str, object]:
    """What the job of one cell gets: batches of two samples, so that there is always a batch to interrupt."""
    project = copy_project(repository, tmp_path)
    narrow = ["models=[tiny-s]", "studies=[grid]", f"inference={{max_batch_size: {BATCH_SIZE}}}"]
    command = ["--configfile", "config/demo.yaml", "--config", *narrow]
    prepared = project.snakemake("--cores", "1", "results/demo/datasets/hoc/samples.jsonl", *command)
    assert prepared.returncode == 0, prepared.stdout
    printed = subprocess.run(
        [sys.executable, "-c", CONFIG, *narrow], cwd=project.folder, capture_output=True, text=True, check=True
    )
    return {"folder": project.folder, "config": json.loads(printed.stdout)}


CONFIG = """
import json, sys, yaml
from snakemake.utils import update_config
config = yaml.safe_load(open("config/config.yaml"))
update_config(config, yaml.safe_load(open("config/demo.yaml")))
for item in sys.argv[1:]:
    key, value = item.split("=", 1)
    update_config(config, {key: yaml.safe_load(value)})
print(json.dumps(config))
"""


def start(arguments: dict[str, object], name: str) -> subprocess.Popen[bytes]:
    folders = {"data": "results/demo/datasets/hoc", "outputs": f"{name}/out", "progress": f"{name}/progress"}
    call = {"config": arguments["config"], "cell": CELL, "gpus": 0}
    call["folders"] = {**folders, "leases": "leases"}
    return subprocess.Popen(
        [sys.executable, "-c", RUN, json.dumps(call)], cwd=arguments["folder"], stderr=subprocess.DEVNULL
    )


def finished_lines(folder: Path) -> int:
    return sum(path.read_bytes().count(b"\n") for path in folder.glob("progress/*.predictions.jsonl"))


def test_killed_and_restarted(arguments: dict[str, object]) -> None:
    assert start(arguments, "whole").wait(120) == 0
    broken = Path(str(arguments["folder"])) / "broken"
    moment = random.Random(2509)
    for _ in range(KILLS):
        before = finished_lines(broken)
        process = start(arguments, "broken")
        target = before + BATCH_SIZE * moment.randrange(3)
        while finished_lines(broken) < target and process.poll() is None:
            time.sleep(0.005)
        time.sleep(moment.random() * (0.08 if target > before else 0.8))
        assert process.poll() is None, "the cell ended before it could be killed"
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert start(arguments, "broken").wait(120) == 0
    whole = Path(str(arguments["folder"])) / "whole/out"
    assert (broken / "out/predictions.jsonl").read_bytes() == (whole / "predictions.jsonl").read_bytes()
    manifest = json.loads((broken / "out/manifest.json").read_text())
    batches = json.loads((broken / "out/measurements.json").read_text())["quality_pass"]["batches"]
    assert manifest["resumed"] >= KILLS // 2  # a kill may come before the cell has begun
    again = manifest["batches_generated"] - batches
    print(f"{KILLS} kills, {manifest['resumed']} resumptions: {again} batches of {BATCH_SIZE} samples begun again")
    assert 0 <= again <= KILLS


def test_a_killed_snakemake_goes_on_by_the_same_command(repository: Path, tmp_path: Path) -> None:
    """While it lives, another one is refused and told why; afterwards its lock is removed, and nobody has to unlock."""
    project = copy_project(repository, tmp_path)
    narrow = ["--config", "models=[tiny-xs]", "studies=[grid]", "precisions=[full]", "datasets=[hoc]", "limit=8"]
    command = ["--cores", "1", "--configfile", "config/demo.yaml", *narrow]
    target = ["--", "infer_all"]
    first = project.start(*command, *target)
    locks = project.folder / ".snakemake/locks"
    while not any(path.read_bytes() for path in locks.glob("*.signature")) and first.poll() is None:
        time.sleep(0.01)
    first.send_signal(signal.SIGSTOP)  # it lives, and cannot end before it is killed
    refused = project.snakemake(*command, *target)
    assert refused.returncode == 1
    assert f"process {first.pid} on" in refused.stdout and "wait until it has ended" in refused.stdout
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert len(list(locks.glob("*.lock"))) == 2
    second = project.snakemake(*command, *target)
    assert second.returncode == 0, second.stdout
    assert second.stdout.count("left its lock behind") == 1
    assert not list(locks.glob("*"))
    (manifest,) = project.folder.glob("results/demo/cells/tiny-xs/full/hoc/*/manifest.json")
    assert json.loads(manifest.read_text())["batches_generated"] >= 1
