"""Every rule that asks for GPUs asks in both forms that clusters know, and for one node: elsewhere a job would be split."""

from __future__ import annotations

import re
from pathlib import Path

import pytest


def rules(folder: Path) -> dict[str, str]:
    """The text of every rule and checkpoint by its name."""
    parts = [
        re.split(r"^(?:rule|checkpoint) (\w+):$", path.read_text(), flags=re.MULTILINE)
        for path in [folder / "Snakefile", *sorted((folder / "rules").glob("*.smk"))]
    ]
    return {name: body for part in parts for name, body in zip(part[1::2], part[2::2], strict=True)}


def lacking(body: str) -> list[str]:
    """What a rule that asks for GPUs in any form should ask for too."""
    asked = re.findall(r"^        (\w+)=", body.partition("resources:")[2].partition("params:")[0], re.MULTILINE)
    if not {"gpu", "gres", "gpus", "nvidia_gpu", "slurm_extra"} & set(asked):
        return []
    wanted = {"gpu": "gpu" in asked, "gres": "gres" in asked, "nodes=1": "\n        nodes=1,\n" in body}
    return [name for name, found in wanted.items() if not found]


def test_jobs_with_gpus_stay_on_one_node(repository: Path) -> None:
    found = rules(repository / "workflow")
    assert len(found) > 10
    assert {name for name, body in found.items() if "gpu=" in body} == {"infer", "quantize_model"}
    assert {name: lacking(body) for name, body in found.items() if lacking(body)} == {}


@pytest.mark.parametrize(
    ("line", "missing"),
    [
        ("        nodes=1,\n", ["nodes=1"]),
        ('        gres=request("gres"),\n', ["gres"]),
        ('        gpu=request("gpu"),\n', ["gpu"]),
    ],
)
def test_a_rule_that_lacks_one_is_found(repository: Path, line: str, missing: list[str]) -> None:
    body = rules(repository / "workflow")["infer"]
    assert line in body
    assert lacking(body.replace(line, "")) == missing
