"""Runs as other programs leave them, small: recorded ones, and lines to be changed."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

# Made by lm-evaluation-harness 0.4.13 and inspect_ai 0.3.285 from SmolLM2-135M-Instruct, over questions of ours: in float32; with weights in
# NF4 (bitsandbytes); in bfloat16. Cut to the first samples, and to what is no account of the machine.
RECORDED = Path(__file__).parent / "data/judged"
FULL, QUANTIZED = RECORDED / "lm_eval/float32", RECORDED / "lm_eval/nf4"

Record = dict[str, object]


def write_lines(path: Path, records: Iterable[object]) -> Path:
    """JSON lines; the folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{json.dumps(record)}\n" for record in records), encoding="utf-8")
    return path


def read_lines(path: Path) -> list[Record]:
    """The objects of a file of JSON lines."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def recorded(run: Path, task: str) -> list[Record]:
    """The lines of one recorded task of lm-evaluation-harness."""
    return read_lines(next(run.glob(f"samples_{task}_*.jsonl")))


def plain(right: Iterable[bool], **more: object) -> list[Record]:
    """Answers A, of which those are right whose gold answer is A."""
    return [{"id": number, "answer": "A" if yes else "B", "gold": "A", **more} for number, yes in enumerate(right)]
