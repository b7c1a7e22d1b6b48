"""lm-evaluation-harness's side of ``throughput.py``; runs in an environment that has lm_eval, and knows nothing of ours.

python throughput_lm_eval.py FOLDER NEW_TOKENS STOP BATCH_SIZE...

Answers the prompts of ``FOLDER/prompts.jsonl`` by a ``generate_until`` task of the hf backend at each batch size, timing only
``generate_until`` itself, and writes the fastest to ``FOLDER/lm_eval.json``.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

import yaml
from lm_eval import simple_evaluate
from lm_eval.models.huggingface import HFLM
from lm_eval.tasks import TaskManager


class Timed(HFLM):  # type: ignore[misc]
    """The hf backend, with the seconds of its last ``generate_until``, and of the processor's use in it."""

    seconds = processor_s = 0.0

    def generate_until(self, requests: Any, disable_tqdm: bool = False) -> list[str]:
        """Answer all requests."""
        begin, used = time.perf_counter(), time.process_time()
        answers: list[str] = super().generate_until(requests, disable_tqdm=True)
        self.seconds, self.processor_s = time.perf_counter() - begin, time.process_time() - used
        return answers


def write_task(folder: Path, new_tokens: int, stop: str) -> None:
    """Write the task: the prompt as it is, greedy, ended by the stop string."""
    task = {
        "task": "throughput",
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": {"test": str(folder / "prompts.jsonl")}},
        "test_split": "test",
        "output_type": "generate_until",
        "doc_to_text": "{{prompt}}",
        "doc_to_target": "{{answer}}",
        "generation_kwargs": {"until": [stop], "max_gen_toks": new_tokens, "do_sample": False},
        "metric_list": [{"metric": "exact_match"}],
    }
    (folder / "tasks").mkdir(exist_ok=True)
    (folder / "tasks/throughput.yaml").write_text(yaml.safe_dump(task), encoding="utf-8")


def main() -> None:
    """Run as a command."""
    folder, new_tokens, stop = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    write_task(folder, new_tokens, stop)
    manager = TaskManager(include_path=str(folder / "tasks"), include_defaults=False)
    runs = []
    for size in map(int, sys.argv[4:]):
        model = Timed(pretrained=str(folder / "model"), dtype="float32", device="cpu", batch_size=size)
        run = {"model": model, "tasks": ["throughput"], "task_manager": manager, "bootstrap_iters": 0}
        simple_evaluate(**run, limit=2)  # warm-up
        samples = simple_evaluate(**run, log_samples=True)["samples"]["throughput"]
        answers = [sample["resps"][0][0] for sample in sorted(samples, key=lambda sample: sample["doc_id"])]
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        timed = {"seconds": model.seconds, "processor_s": model.processor_s}
        runs.append({"batch_size": size, **timed, "answers": answers, "peak_bytes": peak})
    best = min(runs, key=lambda run: run["processor_s"])
    tried = {run["batch_size"]: run["processor_s"] for run in runs}
    (folder / "lm_eval.json").write_text(json.dumps(best | {"tried": tried}), encoding="utf-8")


if __name__ == "__main__":
    main()
