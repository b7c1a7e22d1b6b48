"""``samples_<task>_<date>.jsonl`` of lm-evaluation-harness, one line a sample and filter, and the ``results_<date>.json`` beside.

Releases differ: since 0.4.3 lines have ``doc_hash``, ``prompt_hash`` and ``target_hash``, since 0.4.8 ``filter`` and ``metrics``;
prompts are lists of texts or, later, objects of numbered arguments; log-likelihoods are numbers or, later, texts. The first releases
wrote one array. Whatever a line has is compared, so that lines of two releases pair on what both have.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from ..errors import DataError, nearest, shorten
from .outside_files import Record, document, records
from .outside_task import OutsideSample, OutsideTask, Wanted, as_text, print_of, refuse_repeated

_NAME = re.compile(r"samples_(?P<task>.+?)(?:_(?P<date>\d{4}-\d\d-\d\dT[-\d:.]+?))?\.jsonl(?:\.gz)?")
_OWN = frozenset(
    (
        *("doc_id", "doc", "target", "arguments", "resps", "filtered_resps", "filter", "metrics"),
        *("doc_hash", "prompt_hash", "target_hash", "task_name", "task_hash"),
    )
)
# Of these less is better, also where no summary beside the samples says so.
_LOWER_IS_BETTER = frozenset(
    ("perplexity", "word_perplexity", "byte_perplexity", "bits_per_byte", "brier_score", "ter", "likelihood_diff")
)
_HASHES = ("doc_hash", "prompt_hash", "target_hash")


def is_sample(record: Mapping[str, object]) -> bool:
    """Whether a line is one of lm-evaluation-harness."""
    return "doc_id" in record and ("filtered_resps" in record or "resps" in record)


def task_of(path: Path) -> str | None:
    """The task that a file's name says; None: another name."""
    named = _NAME.fullmatch(path.name)
    return named["task"] if named else None


def read_samples(path: Path, wanted: Wanted) -> OutsideTask:
    """Read one file of samples.

    Raises:
        DataError: malformed, repeated samples, a score that is none of one answer, or no such metric or filter.
    """
    named = _NAME.fullmatch(path.name)
    results = _results_beside(path, named["date"]) if named and named["date"] else {}
    task = named["task"] if named else None
    filters: dict[str, None] = {}
    metrics: list[str] = []
    samples: list[OutsideSample] = []
    for where, record in records(path):
        if not is_sample(record):
            raise DataError(f"{where}: no sample of lm-evaluation-harness as the lines before; leave it out")
        name = str(record.get("filter", ""))
        filters[name] = None
        if name != (wanted.filter if wanted.filter is not None else next(iter(filters))):
            continue
        if not metrics:
            metrics = _chosen_first(record, wanted, _lower_is_better(results, task), where)
        samples.append(_sample(record, metrics[0], wanted, where))
    if not samples:
        raise DataError(_no_samples(path, wanted, list(filters)))
    refuse_repeated(samples)
    kept = wanted.filter if wanted.filter is not None else next(iter(filters))
    return OutsideTask(
        name=task,
        source=path,
        metric=metrics[0],
        filter=kept or None,
        settings=_settings(results, task),
        samples=tuple(samples),
        unit=wanted.group or "sample",
        also=_also("--metric", metrics[1:]) + _also("--filter", [name for name in filters if name != kept]),
    )


def _no_samples(path: Path, wanted: Wanted, filters: list[str]) -> str:
    if not filters:
        return f"{path}: no samples in it; give a file with answers"
    known = [name for name in filters if name]
    hint = nearest(str(wanted.filter), known) if known else "; its lines name no filter, so leave --filter out"
    return f"{path}: no sample has the filter {wanted.filter!r}{hint}"


def _also(option: str, names: list[str]) -> str:
    return f" Also there: {', '.join(names)} ({option})." if names else ""


def _chosen_first(record: Record, wanted: Wanted, lower: frozenset[str], where: str) -> list[str]:
    """The scores of a line that can be judged, that to be read first."""
    stated = record.get("metrics")
    names = [str(name) for name in stated] if isinstance(stated, list) else [key for key in record if key not in _OWN]
    if wanted.metric is not None:
        if wanted.metric not in names or wanted.metric not in record:
            raise DataError(f"{where}: no metric {wanted.metric!r}{nearest(wanted.metric, names)}")
        if wanted.metric in lower:
            raise DataError(f"{where}: of {wanted.metric!r} less is better; judge takes scores of which more is better")
        return [wanted.metric, *(name for name in names if name != wanted.metric)]
    usable = [name for name in names if name not in lower and isinstance(record.get(name), int | float)]
    if not usable:
        said = ", ".join(f"{name} = {shorten(record.get(name), 30)}" for name in names) or "none"
        raise DataError(
            f"{where}: no score of this one answer of which more is better (metrics: {said}); a corpus-wide metric cannot be paired"
        )
    return usable


def _sample(record: Record, metric: str, wanted: Wanted, where: str) -> OutsideSample:
    key = as_text(record["doc_id"])
    if metric not in record:
        raise DataError(f"{where}: the score {metric!r} is missing; the samples before have it")
    choices = _choices(record)
    label = as_text(record.get("target"))
    return OutsideSample(
        key=key,
        group=wanted.group_of(record, key, where),
        answer=_answer(record, choices, by_length="norm" in metric),
        gold=_option(choices, int(label)) if label.isdecimal() and int(label) < len(choices) else label,
        label=label,
        score=wanted.score(record[metric], metric, where),
        prints=_prints(record),
        where=where,
    )


def _prints(record: Record) -> dict[str, str]:
    """What two runs of a sample must have alike: the hashes that the harness wrote, and our own where all releases have the content."""
    prints = {name: str(record[name]) for name in _HASHES if name in record}
    if "doc" in record:
        prints["doc"] = print_of(record["doc"])
    if prompts := [texts[0] for texts in _arguments(record) if texts]:
        prints["prompt"] = print_of(prompts)
    prints["target"] = print_of(as_text(record.get("target")))
    return prints


def _arguments(record: Record) -> list[list[object]]:
    """The arguments of each request, whichever release wrote them."""
    arguments = record.get("arguments")
    requests = list(arguments.values()) if isinstance(arguments, dict) else arguments
    if not isinstance(requests, list):
        return []
    return [
        list(request.values()) if isinstance(request, dict) else request if isinstance(request, list) else [request]
        for request in requests
    ]


def _choices(record: Record) -> list[str]:
    """The continuations whose likelihoods were compared; empty where text was generated."""
    requests = _arguments(record)
    texts = [request[1] for request in requests if len(request) > 1 and isinstance(request[1], str)]
    return [str(text) for text in texts] if len(texts) == len(requests) > 1 else []


def _answer(record: Record, choices: list[str], *, by_length: bool) -> str:
    """The answer that was judged: the likeliest option with its number, else the filtered output."""
    given = record.get("filtered_resps", record.get("resps"))
    if not isinstance(given, list):
        return as_text(given)
    likelihoods = [_likelihood(one) for one in given]
    known = [value for value in likelihoods if value is not None]
    if known and len(known) == len(given):
        if len(known) == 1:  # one continuation: whether it is what the model would have written
            return f"greedy: {given[0][1]}"
        if by_length and len(choices) == len(known):
            known = [value / max(1, len(text.strip())) for value, text in zip(known, choices, strict=True)]
        return _option(choices, known.index(max(known)))
    return as_text(given[0] if len(given) == 1 else given)


def _option(choices: list[str], place: int) -> str:
    return f"{place}: {choices[place].strip()}" if place < len(choices) else str(place)


def _likelihood(response: object) -> float | None:
    """The log-likelihood of a pair of it and whether it was the greedy choice; None: something else."""
    if not isinstance(response, list) or len(response) != 2 or str(response[1]) not in ("True", "False"):
        return None
    try:
        return float(response[0])
    except (TypeError, ValueError):
        return None


def _results_beside(path: Path, date: str) -> Record:
    """The summary of the same run; empty where it does not stand beside the samples."""
    summary = path.with_name(f"results_{date}.json")
    return document(summary, "copy it again, or move it away") if summary.is_file() else {}


def _of_task(results: Record, table: str, task: str | None) -> object:
    found = results.get(table)
    return found.get(task) if isinstance(found, dict) and task is not None else None


def _lower_is_better(results: Record, task: str | None) -> frozenset[str]:
    stated = _of_task(results, "higher_is_better", task)
    better = stated if isinstance(stated, dict) else {}
    lower = {name for name, higher in better.items() if higher is False}
    return frozenset(lower | (_LOWER_IS_BETTER - better.keys()))


def _settings(results: Record, task: str | None) -> dict[str, str]:
    """How the task was run, as far as it decides what is asked."""
    stated = {"n-shot": _of_task(results, "n-shot", task), "version": _of_task(results, "versions", task)}
    configured = _of_task(results, "configs", task)
    if isinstance(configured, dict):
        stated["generation_kwargs"] = configured.get("generation_kwargs")
    return {name: as_text(value) for name, value in stated.items() if value is not None}
