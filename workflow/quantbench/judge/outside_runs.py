"""A run made elsewhere, a file or a folder: which program wrote it, and the tasks in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from ..errors import ConfigError, DataError, nearest
from ..reading import json_text
from .inspect_logs import is_archive, is_log, read_log
from .lm_eval_samples import is_sample, read_samples, task_of
from .outside_files import first_line, records
from .outside_task import OutsideTask, Wanted
from .plain_answers import read_answers

# Where a folder has files of several kinds, the first kind is what was run: summaries and configurations lie beside it.
_PATTERNS = (
    ("samples_*.jsonl", "samples_*.jsonl.gz"),
    ("*.eval", "*.json"),
    ("*.jsonl", "*.jsonl.gz"),
)
_SUMMARY = "results_"

Kind = Literal["lm-evaluation-harness", "inspect_ai", "lines"]


def read_run(path: Path, wanted: Wanted, tasks: Sequence[str] = ()) -> list[OutsideTask]:
    """Read the tasks of a run, in the order of their names.

    Args:
        path: a file, or a folder with files of one program at any depth.
        wanted: which scores and fields are read.
        tasks: names of those to be read; empty: all.

    Raises:
        DataError: nothing to read, a damaged file, or two files of one task.
        ConfigError: a task that is asked for is not there.
    """
    files = _files(path)
    # A score or filter that is asked for need not be in the tasks that are not.
    chosen = [file for file in files if not tasks or (name := task_of(file)) is None or name in tasks] or files
    read = [_read(file, wanted) for file in chosen]
    if len(files) > 1:
        read = [task if task.name is not None else replace(task, name=task.source.name.split(".")[0]) for task in read]
    by_name: dict[str | None, OutsideTask] = {}
    for task in read:
        if task.name in by_name:
            raise DataError(
                f"{path}: two files of task {task.name}, {by_name[task.name].source} and {task.source}; give the file or the folder "
                "of one run"
            )
        by_name[task.name] = task
    for name in tasks:
        if name not in by_name:
            raise ConfigError(f"--task {name!r} is not in {path}{nearest(name, [str(known) for known in by_name])}")
    return [by_name[name] for name in sorted(by_name, key=str) if not tasks or name in tasks]


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    for patterns in _PATTERNS:
        found = sorted(file for pattern in patterns for file in path.rglob(pattern) if file.is_file())
        kept = [file for file in found if not file.name.startswith((_SUMMARY, "."))]
        if kept:
            return kept
    raise DataError(
        f"{path}: no samples_*.jsonl of lm-evaluation-harness (--log_samples), no log of inspect_ai and no .jsonl file in it"
    )


def _read(path: Path, wanted: Wanted) -> OutsideTask:
    kind = _kind(path)
    if kind != "lines" and (named := _named_fields(wanted)):
        raise ConfigError(
            f"{path}: {', '.join(named)} name fields of plain JSON lines, and this was written by {kind}; leave them out"
        )
    if kind == "inspect_ai":
        if wanted.filter is not None:
            raise ConfigError(
                f"{path}: --filter is for samples of lm-evaluation-harness, and this was written by {kind}; leave it out"
            )
        return read_log(path, wanted)
    return read_samples(path, wanted) if kind == "lm-evaluation-harness" else read_answers(path, wanted)


def _named_fields(wanted: Wanted) -> list[str]:
    stated = {"--id-field": wanted.identity, "--answer-field": wanted.answer, "--gold-field": wanted.gold}
    return [option for option, name in stated.items() if name is not None]


def _kind(path: Path) -> Kind:
    """Which program wrote a file, by its content."""
    if is_archive(path):
        return "inspect_ai"
    line = first_line(path)
    try:
        first: object = json_text.parse(line, str(path), foreign=True)
    except DataError:
        if not line.startswith(b"[") and ".jsonl" not in path.name:
            return "inspect_ai"  # one document over several lines
        first = next((record for _, record in records(path)), None)
    if isinstance(first, list):
        first = first[0] if first else None
    if not isinstance(first, dict):
        return "lines"
    if is_log(first):
        return "inspect_ai"
    return "lm-evaluation-harness" if is_sample(first) else "lines"
