"""How the time of reading an output grows with its length, where a model repeated one piece of text until its limit.

    python benchmarks/monotonous_outputs.py [--length CHARACTERS]

Each piece is repeated to a quarter of the length and to all of it; what grows with the square of the length takes sixteen times as
long there. Prints, for each task, the piece that took longest, its milliseconds of processor time, and the largest ratio of the
two lengths among pieces that take a millisecond or more.
"""

from __future__ import annotations

import argparse
import gc
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY / "workflow"))

from quantbench import tasks  # noqa: E402
from quantbench.config import load_datasets  # noqa: E402
from quantbench.contracts.records import Sample  # noqa: E402
from quantbench.tasks.origin import Origin  # noqa: E402

TEXT = "Zintol (0.05 mg/kg) was given with L-dopa to patients."
ASKED = {
    "hoc": Sample("0", {"text": TEXT}, [], "0"),
    "bc5cdr_chemical": Sample("0", {"text": TEXT}, [], "0"),
    "chemprot": Sample("0", {"sentence": TEXT}, "false", "0"),
    "medqa": Sample("0", {"question": TEXT, "options": {"A": "zintol", "B": "L-dopa"}}, "A", "0"),
}
PIECES = [
    " ", "\n", "\t", "x", "<", "</", "<b", "<span>", "<span></span>", "<span>a</span> ", "&lt;b&gt;", "**", "*a* ", "_", "`", "[", "[]",
    "[[", "[a](drug)", "{", "{}", '["a", ', '{"a": ', "| a ", "- ", "- a\n", "label: ", "labels are ", "not ", "no ", ", ", "a, ", ". ",
    "\n \nx", "and ", "A. ", "CPR:3 ", "CPR:3, not CPR:4. ", "A, no, B. ", "resisting cell death; ", "cellular energetics is not ",
    "therefore ", "final answer ", "Final answer: ", "Explanation: ", "Sentence: a\n", "Question: a\n", "<think>", "</think>",
    "## Thinking\n", "words of prose, and more. ", "Zintol ", "The abstract does not ", f"{TEXT}\n",
]  # fmt: skip
ORIGINS = (Origin(), Origin(cut=True), Origin(reasoned=True))


def main() -> int:
    """Read every piece with every task."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--length", type=int, default=100_000, help="characters of an output (default: 100000)")
    length = parser.parse_args().length
    entries = load_datasets(REPOSITORY)
    print("| task | longest (ms) | its piece | largest ratio | its piece |\n| --- | --- | --- | --- | --- |")
    for name, sample in ASKED.items():
        task = tasks.get(entries[name])
        times, ratios = {}, {}
        for piece in PIECES:
            for origin in ORIGINS:
                short, long = (
                    _seconds(partial(task.parse, piece * (size // len(piece)), sample, origin))
                    for size in (length // 4, length)
                )
                times[piece] = max(long, times.get(piece, 0.0))
                if long > 1e-3:
                    ratios[piece] = max(long / short, ratios.get(piece, 0.0))
        slowest, steepest = max(times, key=times.__getitem__), max(ratios, key=ratios.__getitem__)
        cells = [name, f"{times[slowest] * 1000:.1f}", repr(slowest), f"{ratios[steepest]:.1f}", repr(steepest)]
        print(f"| {' | '.join(cells)} |", flush=True)
    return 0


def _seconds(call: Callable[[], object]) -> float:
    """The least processor time of three calls, with no collection of garbage among them."""
    taken = []
    gc.disable()
    for _ in range(3):
        begin = time.process_time()
        call()
        taken.append(time.process_time() - begin)
    gc.enable()
    return min(taken)


if __name__ == "__main__":
    sys.exit(main())
