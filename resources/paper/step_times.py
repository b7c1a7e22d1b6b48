"""Fit what a call of a linear layer costs at each precision to the 96 latencies of the paper's Table 1: prints a report.

    python resources/paper/step_times.py

The model is that of ``workflow/quantbench/planner/speed.py``: reading the prompt, then one step a written token, at the
bandwidth and matrix units of an A100 40GB. Unknown are the three costs a call and how many tokens the answers had. The
paper's models wrote the sentence again with marks on the two entity datasets, whose gold answers have 41 tokens; that
anchors the scale. The other six lengths, one a dataset for all models and precisions, are fitted with the costs. Prompts
are taken to be as long as ours. The errors are those of single latencies; answers of one model may be longer than another's.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import numpy as np
from scipy.optimize import least_squares

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "workflow"))

from quantbench.config import Catalogue, load  # noqa: E402
from quantbench.config.settings import read_yaml  # noqa: E402
from quantbench.planner.gpus import GPUS  # noqa: E402
from quantbench.planner.speed import (  # noqa: E402
    CALL_S,
    kind_of,
    prompt_seconds,
    step_seconds,
)

GPU = GPUS["a100-40gb"]
ANSWER_TOKENS = {"bc5cdr_chemical": 41, "ncbi_disease": 41}
KINDS = list(CALL_S)
DAY_S = 86400


def published() -> list[dict[str, str]]:
    """The rows of Table 1."""
    with (ROOT / "resources/paper/table1.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def examples(catalogue: Catalogue, dataset: str) -> int:
    """Test samples of a dataset."""
    return next(file.rows for file in catalogue.datasets[dataset].files["test"] if file.rows)


def design(catalogue: Catalogue, row: dict[str, str]) -> tuple[float, float, int, str]:
    """What does not depend on the unknowns: seconds of the prompt and of a step without calls, calls, kind."""
    model, precision = catalogue.models[row["model"]], catalogue.precisions[row["precision"]]
    tokens = catalogue.datasets[row["dataset"]].tokens
    kind, calls = kind_of(precision), model.counted.linear_calls
    # speed.py's costs a call are taken off again.
    own = calls * CALL_S[kind]
    prompt = prompt_seconds(model, precision, GPU, tokens.prompt) - own
    return prompt, step_seconds(model, precision, GPU, 1, tokens.prompt) - own, calls, kind


def main() -> None:
    """Fit and report."""
    path = ROOT / "config/config.yaml"
    catalogue = load(ROOT, read_yaml(path), str(path))
    rows = published()
    parts = [design(catalogue, row) for row in rows]
    free = sorted({row["dataset"] for row in rows} - ANSWER_TOKENS.keys())
    seconds = np.array([float(row["latency_s"]) for row in rows])

    def planned(unknown: np.ndarray) -> np.ndarray:
        call = dict(zip(KINDS, unknown[:3], strict=True))
        answer = {**ANSWER_TOKENS, **dict(zip(free, unknown[3:], strict=True))}
        return np.array(
            [
                prompt + calls * call[kind] + answer[row["dataset"]] * (step + calls * call[kind])
                for row, (prompt, step, calls, kind) in zip(rows, parts, strict=True)
            ]
        )

    start = np.array([*CALL_S.values(), *[10.0] * len(free)])
    fitted = least_squares(
        lambda unknown: np.log(planned(unknown) / seconds), start, bounds=(0, np.inf), x_scale=start, loss="soft_l1"
    ).x
    errors = np.abs(planned(fitted) / seconds - 1)
    for kind, value in zip(KINDS, fitted[:3], strict=True):
        print(f"a call at {kind}: {1000 * value:.3f} ms (speed.py: {1000 * CALL_S[kind]:.3f})")
    print("tokens of answers:", ", ".join(f"{name} {value:.1f}" for name, value in zip(free, fitted[3:], strict=True)))
    days = [
        sum(s * examples(catalogue, row["dataset"]) for s, row in zip(v, rows, strict=True)) / DAY_S
        for v in (seconds, planned(fitted))
    ]
    print(f"all samples of the 96 cells, one at a time: published {days[0]:.1f} days, by these costs {days[1]:.1f}")
    print(f"error of a latency: median {100 * np.median(errors):.0f}%, largest {100 * errors.max():.0f}%")


if __name__ == "__main__":
    main()
