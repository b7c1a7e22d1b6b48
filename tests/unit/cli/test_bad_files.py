"""Every command and every job, with bad files in the place of each file it reads: one line or a clean end, never a traceback."""

from __future__ import annotations

import gzip
import inspect
import os
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout, suppress
from io import StringIO
from pathlib import Path

import pytest

from quantbench import jobs
from quantbench.cli.main import BAD_INPUT, COMMANDS, DONE, WANTING, main
from quantbench.errors import QuantbenchError

BAD: dict[str, Callable[[Path], object]] = {
    "absent": lambda path: None,
    "a folder": lambda path: path.mkdir(parents=True),
    "a pipe": lambda path: os.mkfifo(path),
    "a circle": lambda path: path.symlink_to(path.name),
    "a device": lambda path: path.symlink_to("/dev/zero"),
    "empty": lambda path: path.write_bytes(b""),
    "a zero byte": lambda path: path.write_bytes(b'{"a": "\0"}\n'),
    "UTF-16": lambda path: path.write_bytes("a: 1\n".encode("utf-16")),
    "Latin-1": lambda path: path.write_bytes("a: é\n".encode("latin-1")),
    "gzip": lambda path: path.write_bytes(gzip.compress(b"{}")),
    "deep": lambda path: path.write_bytes(b"[" * 50_000),
    "digits": lambda path: path.write_bytes(b'{"run": ' + b"9" * 5000 + b"}"),
    "a half": lambda path: path.write_bytes(rb'{"sample_id": "\ud83d", "outputs": ["\ud83d"]}'),
    "a list": lambda path: path.write_bytes(b"[1, [2]]\n"),
    "another object": lambda path: path.write_bytes(b'{"sample_id": ["1"], "outputs": 5, "eval": {}, "run": [], "cells": 7}\n'),
    "twice": lambda path: path.write_bytes(b'{"run": "a", "run": "b"}\n'),
    "aliases": lambda path: path.write_bytes(
        b"a: &a [x,x,x,x,x,x,x,x,x]\n" + b"".join(b"%c: &%c [%s]\n" % (98 + i, 98 + i, b",".join([b"*%c" % (97 + i)] * 9)) for i in range(9))
    ),
}  # fmt: skip


@pytest.fixture(params=sorted(BAD))
def bad(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A path at which something stands that no reader takes."""
    path = tmp_path / "bad.jsonl"
    BAD[request.param](path)
    return path


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")


def words_of(bad: Path, repository: Path) -> dict[str, list[list[str]]]:
    """Command -> its command lines with a bad file in the place of each file, the others being good."""
    path, gold = str(bad), str(repository / "tests/data/datasets/medqa/test.tsv")
    score = ["score", "--dataset", "medqa", "--out", "out"]
    return {
        "plan": [["plan", "--configfile", path], ["plan", "--root", path]],
        "recommend": [["recommend", "--gpu-memory", "24", "--run", path]],
        "add-model": [["add-model", path]],
        "lock": [["lock", "--root", path]],
        "cells": [["cells", path], ["cells", "--configfile", path]],
        "outputs": [["outputs", path]],
        "reproduce": [["reproduce", path]],
        "judge": [["judge", path, path]],
        "verify": [["verify", path]],
        "score": [
            [*score, "--gold", gold, "--predictions", path],
            [*score, "--gold", path, "--predictions", path],
            ["score", "--dataset", "medqa", "--out", path, "--gold", gold, "--predictions", gold],
        ],
        "bundle": [["bundle", path]],
        "open": [["open", path, "--into", "into"]],
        "privacy": [["privacy", path, "--texts", path]],
        "export": [["export", path, "--to", "to"]],
        "clean": [["clean", "models", "--configfile", path]],
        "where": [["where", path]],
        "completion": [["completion", path]],
    }


def test_every_command_meets_every_bad_file_in_a_line(bad: Path, repository: Path) -> None:
    tried = words_of(bad, repository)
    assert tried.keys() == COMMANDS.keys()
    for words in (words for lines in tried.values() for words in lines):
        said = StringIO()
        with redirect_stderr(said), redirect_stdout(said):
            status = main(words)
        assert status in (DONE, WANTING, BAD_INPUT), (words, said.getvalue())
        assert "Traceback" not in said.getvalue(), (words, said.getvalue())


def jobs_of(bad: Path) -> Iterator[tuple[str, dict[str, object]]]:
    """Each job with a bad file in the place of each path, and a configuration that is none."""
    values: dict[str, object] = {
        "dataset": "medqa",
        "model": "phi-4",
        "precision": "full",
        "cell": "phi-4/full/medqa/instruction-0shot",
        "cells": ["phi-4/full/medqa/instruction-0shot"],
        "figure": "figure2",
        "entry": "[" * 5000,
        "limit": None,
        "seed": 1,
        "gpus": 0,
        "files": [bad],
        "checkpoints": [bad],
        "folders": {"data": str(bad), "outputs": "o", "progress": "p", "leases": "l", "notes": "n"},
    }
    configurations = ({}, {"run": "x", "studies": ["main"], "studies_file": str(bad)}, {"run": "x", "studies": 5})
    for name, job in inspect.getmembers(jobs, inspect.isfunction):
        # The paper's figures are drawn from shipped files alone.
        if job.__module__ != jobs.__name__ or name.startswith("_") or name == "published_figures":
            continue
        for config in configurations:
            given = {"config": config, **values}
            yield name, {parameter: given.get(parameter, bad) for parameter in inspect.signature(job).parameters}


def test_every_job_meets_every_bad_file_with_an_error_of_ours(bad: Path) -> None:
    tried = set()
    for name, arguments in jobs_of(bad):
        tried.add(name)
        if name == "infer_forked":
            arguments["log"] = str(bad.parent / "a.log")
        with suppress(QuantbenchError, SystemExit):
            getattr(jobs, name)(**arguments)
    assert {"infer", "infer_here", "score", "compare", "figure", "report", "prepare_dataset"} <= tried
