"""How long degenerate answers take to score: one piece of text again and again, counters, brackets in brackets, names that never repeat.

    python benchmarks/degenerate_answers.py [--answers 1000] [--tokens 2000]

A token is a word or a mark. For each task, prints seconds of processor time to score so many answers, each shape in turn, the shape that
takes longest with its milliseconds an answer, and the largest ratio of an answer of twice the tokens to one of them, among shapes that take
a millisecond or more: 2 is time in proportion to the length, 4 time in proportion to its square.
"""

from __future__ import annotations

import argparse
import gc
import re
import sys
import time
from collections.abc import Callable
from functools import partial
from itertools import count, cycle, islice
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY / "workflow"))

from quantbench import tasks  # noqa: E402
from quantbench.config import load_datasets  # noqa: E402
from quantbench.contracts.records import Sample  # noqa: E402
from quantbench.scoring import Outputs, score_predictions  # noqa: E402
from quantbench.statistics import Bootstrap  # noqa: E402
from quantbench.tasks.origin import Origin  # noqa: E402

TEXT = "Zintol (0.05 mg/kg) was given with L-dopa to patients."
OPTIONS = {"A": "zintol", "B": "L-dopa", "C": "both of them"}
ASKED = {
    "hoc": Sample("0", {"text": TEXT}, [], "0"),
    "bc5cdr_chemical": Sample("0", {"text": TEXT}, [], "0"),
    "chemprot": Sample("0", {"sentence": TEXT}, "false", "0"),
    "medqa": Sample("0", {"question": TEXT, "options": OPTIONS}, "A", "0"),
    "pubmedqa": Sample("0", {"question": TEXT, "context": TEXT}, "yes", "0"),
}
PIECES = [
    " ", "\n", "\t", "x", "<", "</", "<b", "<span>", "<span></span>", "<span>a</span> ", "&lt;b&gt;", "&lt;", "**", "*a* ", "_", "`", "[", "[]",
    "[[", "]", ")", "(", '"', "'", '" ', "\u2028", "[a](drug)", "{", "{}", '["a", ', '{"a": ', "| a ", "- ", "- a\n", "label: ", "label:",
    "labels are ", "not ", "no ", ", ", "a, ", ". ", "\n \nx", "and ", "A. ", "A or B ", "CPR:3 ", "CPR:3, not CPR:4. ", "A, no, B. ",
    "resisting cell death; ", "cellular energetics is not ", "answer is ", "the answer is ", "The answer is A. ", "the best option is ",
    "therefore ", "final answer ", "Final answer: ", "Final answer: A\n", "\\boxed{", "\\boxed{A}", "<answer>A", "Explanation: ", "Sentence: a\n",
    "Question: a\n", "<think>", "</think>", "## Thinking\n", "[ ] ", "☒", "words of prose, and more. ", "Zintol ", "The abstract does not ",
    "I'm sorry, but ", f"{TEXT}\n",
]  # fmt: skip
# Pieces that differ from one to the next, by their number.
COUNTED = [
    "{0}. thing {0}\n", "thing {0}; ", "w{0} ", "<t{0}>", "<span>zintol</span> {0}\n", "- resisting cell death {0}: no\n", "The answer is w{0}. ",
    "\\boxed{{w{0}}} ", "[{0} ", '{{"a": {0}, ', "Question {0}: a\n", "CPR:3 {0} CPR:4 ", "A. x{0}\n", "option A{0} ",
    "Zintol (0.05 mg/kg) was g{0}en with L-dopa to <b>patients</b>.\n",
]  # fmt: skip
ORIGINS = (Origin(), Origin(cut=True), Origin(reasoned=True), Origin(reasoned=True, prompts="as_published"))
_TOKEN = re.compile(r"\w+|[^\w\s]")


def main() -> int:
    """Score every shape with every task."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--answers", type=int, default=1_000, help="answers of each task (default: 1000)")
    parser.add_argument("--tokens", type=int, default=2_000, help="words and marks of an answer (default: 2000)")
    asked = parser.parse_args()
    entries = load_datasets(REPOSITORY)
    short, long = (shapes(asked.tokens * times) for times in (1, 2))
    print("| task | seconds | longest (ms an answer) | its piece | largest ratio | its piece |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name, sample in ASKED.items():
        task = tasks.get(entries[name])
        samples = [Sample(str(number), sample.inputs, sample.gold, str(number)) for number in range(asked.answers)]
        outputs = [
            Outputs(str(number), [text]) for number, text in enumerate(islice(cycle(short.values()), asked.answers))
        ]
        total = seconds(partial(score_predictions, outputs, samples, entries[name], Bootstrap()), times=1)
        times, ratios = {}, {}
        for piece, text in short.items():
            for origin in ORIGINS:
                once = seconds(partial(task.parse, text, sample, origin))
                times[piece] = max(once, times.get(piece, 0.0))
                if once > 1e-3:
                    twice = seconds(partial(task.parse, long[piece], sample, origin))
                    ratios[piece] = max(twice / once, ratios.get(piece, 0.0))
        slowest, steepest = max(times, key=times.__getitem__), max(ratios, key=ratios.__getitem__)
        cells = [
            f"{total:.2f}",
            f"{times[slowest] * 1000:.1f}",
            repr(slowest),
            f"{ratios[steepest]:.1f}",
            repr(steepest),
        ]
        print(f"| {' | '.join([name, *cells])} |", flush=True)
    return 0


def shapes(tokens: int) -> dict[str, str]:
    """Piece -> so many tokens of it; of pieces without tokens, as many pieces."""
    repeated = {piece: piece * (tokens // max(1, len(_TOKEN.findall(piece)))) for piece in PIECES}
    counted = {
        piece: "".join(map(piece.format, islice(count(1), tokens // len(_TOKEN.findall(piece.format(1))))))
        for piece in COUNTED
    }
    nested = {f"{one}..{other}": one * (tokens // 2) + other * (tokens // 2) for one, other in ("[]", "{}", "()")}
    return repeated | counted | nested


def seconds(call: Callable[[], object], times: int = 3) -> float:
    """The least processor time of some calls, with no collection of garbage among them."""
    taken = []
    gc.disable()
    for _ in range(times):
        begin = time.process_time()
        call()
        taken.append(time.process_time() - begin)
    gc.enable()
    return min(taken)


if __name__ == "__main__":
    sys.exit(main())
