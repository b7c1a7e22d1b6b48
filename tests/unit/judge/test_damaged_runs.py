"""Whatever a file of another program holds, it is read or refused in words: no value leads to a traceback."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from tests.outside_runs import FULL, QUANTIZED, RECORDED, plain, recorded, write_lines

from quantbench.errors import QuantbenchError
from quantbench.judge import Wanted, flips, judge, pair_runs, read_run
from quantbench.statistics import Bootstrap

ODD = (
    *(None, True, 0, -1, 3.5, 1e308, float("nan"), float("inf"), 10**400, "", "x", "\ud800", "C", "9" * 30),
    *([], {}, [[]], [None], {"a": 1}, [["1", "False"]], [["-1.5", "True"], ["nan", "False"]]),
)


def damaged(value: object, chance: random.Random) -> object:
    """The value with something in it taken out or made another kind."""
    if isinstance(value, dict) and value and chance.random() < 0.8:
        name = chance.choice(list(value))
        if chance.random() < 0.2:
            return {key: one for key, one in value.items() if key != name}
        return {**value, name: damaged(value[name], chance)}
    if isinstance(value, list) and value and chance.random() < 0.7:
        place = chance.randrange(len(value))
        return [*value[:place], damaged(value[place], chance), *value[place + 1 :]]
    return chance.choice(ODD)


def run_through(one: Path, two: Path, *tasks: str) -> bool:
    """Whether the two were judged; else they were refused, in one line that names one of them."""
    try:
        pairs = pair_runs(read_run(one, Wanted(), tasks), read_run(two, Wanted(), tasks), (one, two))
        judge(pairs, 0.01, Bootstrap(resamples=20))
        assert json.dumps([flip.answer for flip in flips(pairs)]).encode()
    except QuantbenchError as error:
        assert str(one) in str(error) and "\n" not in str(error)
        return False
    return True


@pytest.mark.parametrize("seed", range(8))
def test_samples_of_lm_eval(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    judged = []
    for number in range(12):
        task = chance.choice(["facts", "sums"])
        lines = recorded(QUANTIZED, task)
        place = chance.choice([0, 1, 20])
        broken = [*lines[:place], damaged(lines[place], chance), *lines[place + 1 :]]
        path = write_lines(tmp_path / f"{number}/samples_{task}_2026-11-27T23-07-20.396210.jsonl", broken)
        judged.append(run_through(path, FULL, task))
    assert not all(judged)


@pytest.mark.parametrize("seed", range(8))
def test_logs_of_inspect(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    log = json.loads((RECORDED / "inspect/float32.json").read_text())
    for number in range(6):
        broken = damaged(log, chance) if number % 2 else {**log, "samples": damaged(log["samples"], chance)}
        path = tmp_path / f"{number}.json"
        path.write_text(json.dumps(broken))
        run_through(path, RECORDED / "inspect/bfloat16.eval")


@pytest.mark.parametrize("seed", range(8))
def test_plain_lines(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    whole = write_lines(tmp_path / "whole.jsonl", plain([True, False] * 15, score=0.5, group="a"))
    for number in range(12):
        lines = plain([True] * 30, score=0.5, group="a")
        lines[number % 3] = damaged(lines[number % 3], chance)
        run_through(write_lines(tmp_path / f"{number}.jsonl", lines), whole)
