"""Any JSON lines with an id, an answer and what is right, under usual names or names of one's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import DataError, nearest, shorten
from .outside_files import Record, records
from .outside_task import OutsideSample, OutsideTask, Wanted, as_text, refuse_repeated

IDENTITIES = ("id", "sample_id", "question_id", "example_id", "qid", "uid", "doc_id", "index", "idx")
ANSWERS = ("prediction", "predicted", "pred", "parsed", "model_answer", "answer", "response", "output")
GOLDS = ("gold", "target", "label", "expected", "reference", "ground_truth", "correct_answer")
SCORES = ("correct", "is_correct", "score")
GROUPS = ("group", "document")
# The score where a file brings none: the answer is the gold answer, or one of several.
EXACT = "exact_match"


@dataclass(frozen=True, slots=True)
class _Fields:
    """Where each part of a sample stands in a file; ``score`` None: the answer is compared with gold."""

    identity: str
    answer: str
    gold: str
    score: str | None


def read_answers(path: Path, wanted: Wanted) -> OutsideTask:
    """Read one file of answers.

    Raises:
        DataError: malformed, repeated ids, no such field, or several that could be meant.
    """
    if wanted.filter is not None:
        raise DataError(f"{path}: --filter {wanted.filter!r} is for samples of lm-evaluation-harness; leave it out")
    fields: _Fields | None = None
    samples: list[OutsideSample] = []
    for where, record in records(path):
        if fields is None:
            fields = _fields(record, wanted, where)
            wanted = _grouped(record, wanted)
        samples.append(_sample(record, fields, wanted, where))
    if fields is None:
        raise DataError(f"{path}: no samples in it; give a file with answers")
    refuse_repeated(samples)
    return OutsideTask(
        name=None,
        source=path,
        metric=fields.score or EXACT,
        filter=None,
        settings={},
        samples=tuple(samples),
        unit=wanted.group or "sample",
    )


def _fields(record: Record, wanted: Wanted, where: str) -> _Fields:
    if wanted.metric == EXACT:
        score = None
    elif wanted.metric is not None:
        score = _named(record, wanted.metric, (), "--metric", where)
    else:
        score = next((name for name in SCORES if name in record), None)
    gold = _named(record, wanted.gold, GOLDS, "--gold-field", where)
    answers = tuple(name for name in ANSWERS if name != gold)
    return _Fields(
        identity=_named(record, wanted.identity, IDENTITIES, "--id-field", where),
        answer=_named(record, wanted.answer, answers, "--answer-field", where),
        gold=gold,
        score=score,
    )


def _named(record: Record, stated: str | None, usual: tuple[str, ...], option: str, where: str) -> str:
    """The field that an option names, else the one with a usual name."""
    if stated is not None:
        if stated not in record:
            raise DataError(f"{where}: no field {stated!r}, which {option} names{nearest(stated, record)}")
        return stated
    found = [name for name in usual if name in record]
    if len(found) == 1 or (found and option == "--id-field"):
        return found[0]
    if found:
        raise DataError(f"{where}: {' and '.join(map(repr, found))} could both be meant; name one with {option}")
    raise DataError(
        f"{where}: none of the usual fields for {option} ({', '.join(usual)}); it has {', '.join(list(record)[:12]) or 'none'}; name "
        f"one with {option}"
    )


def _grouped(record: Record, wanted: Wanted) -> Wanted:
    """What is asked for, with the field of a sample's document where it has a usual name."""
    group = wanted.group or next((name for name in GROUPS if name in record), None)
    return replace(wanted, group=group)


def _sample(record: Record, fields: _Fields, wanted: Wanted, where: str) -> OutsideSample:
    named = (fields.identity, fields.answer, fields.gold, *([fields.score] if fields.score else []))
    for name in named:
        if name not in record:
            raise DataError(f"{where}: the field {name!r} is missing; the lines before have it{_near(name, record)}")
    key, answer, gold = as_text(record[fields.identity]), record[fields.answer], record[fields.gold]
    if not isinstance(record[fields.identity], str | int) or isinstance(record[fields.identity], bool) or not key:
        raise DataError(
            f"{where}: {fields.identity!r} has the value {shorten(record[fields.identity])}; an id is a text or a number"
        )
    value = record[fields.score] if fields.score else _right(answer, gold)
    return OutsideSample(
        key=key,
        group=wanted.group_of(record, key, where),
        answer=as_text(answer),
        gold=as_text(gold),
        label=as_text(gold),
        score=wanted.score(value, fields.score or EXACT, where) if fields.score else float(bool(value)),
        prints={},
        where=where,
    )


def _near(name: str, record: Mapping[str, object]) -> str:
    return nearest(name, record) if record else ""


def _right(answer: object, gold: object) -> bool:
    """Whether the answer is the gold answer, or, where this is a list and the answer none, one of it."""
    if isinstance(gold, list) and not isinstance(answer, list):
        return as_text(answer) in [as_text(one) for one in gold]
    return as_text(answer) == as_text(gold)
