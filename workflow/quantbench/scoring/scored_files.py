"""Predictions judged and summed up in ``scored.jsonl`` and ``scores.json``."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from .. import tasks
from ..config import Catalogue, DatasetEntry, reasons_first
from ..contracts.cell_name import Cell
from ..contracts.records import Answer as AnswerValue
from ..contracts.records import Sample, ScoredAnswer, Unit, repeat_files, write_records
from ..contracts.scores import LabelScore, PublishedScore, Scores
from ..errors import DataError
from ..statistics import Bootstrap, interval_of_counts, interval_of_sparse_counts
from ..tasks import Answer, f1_from_counts, published_answer, published_convention
from ..tasks.metrics import Counts
from ..tasks.origin import UNKNOWN, Origin
from ..tasks.refusals import is_refusal
from ..tasks.thoughts import without_thoughts
from .predictions_and_gold import Outputs, changed_since_written, is_cut, match_gold, read_gold, read_predictions


def score_predictions(
    predictions: Sequence[Outputs],
    samples: Sequence[Sample],
    entry: DatasetEntry,
    bootstrap: Bootstrap,
    origin: Origin = UNKNOWN,
    unit: Unit | None = None,
) -> tuple[list[ScoredAnswer], Scores]:
    """Read, judge and sum up predictions.

    Args:
        predictions: n predictions.
        samples: their n samples, same order.
        entry: the dataset.
        bootstrap: how the interval is made.
        origin: how all of the outputs came about; which of them were cut, each prediction says itself.
        unit: what the samples' groups name; None: not known.

    Returns:
        n scored answers, and what they come to.
    """
    task = tasks.get(entry)
    pairs = [(prediction.from_origin(origin), sample) for prediction, sample in zip(predictions, samples, strict=True)]
    readings = [[task.readings(raw, sample, own) for raw, own in outputs] for outputs, sample in pairs]
    answers = [task.vote([reading.careful for reading in each]) for each in readings]
    strict = [task.vote([reading.exact for reading in each]) for each in readings]
    scored = [
        ScoredAnswer(
            sample.sample_id,
            answer.value,
            answer.ok,
            sample.gold,
            answer.ok and task.correct(answer.value, sample.gold),
            _unread([reading.unread for reading in each]),
        )
        for answer, sample, each in zip(answers, samples, readings, strict=True)
    ]
    golds, groups = [sample.gold for sample in samples], [sample.group for sample in samples]
    values = [answer.value for answer in answers]
    counts = task.counts(values, golds)
    per_label = {label: _label_score(row) for label, row in task.label_counts(values, golds).items()}
    return scored, Scores(
        metric=task.metric.name,
        value=task.metric.value(counts.sum(axis=0)),
        interval=interval_of_counts(counts, groups, task.metric, bootstrap),
        confidence=bootstrap.confidence,
        n=len(samples),
        unit=unit,
        units=len(set(groups)),
        constant_value=task.constant_score(golds),
        unparseable_rate=_unreadable(answers),
        refused_rate=_refused_rate(predictions, answers, origin),
        strict_value=task.metric.value(task.counts([answer.value for answer in strict], golds).sum(axis=0)),
        strict_unparseable_rate=_unreadable(strict),
        positive_macro_f1=_positive_macro_f1(per_label, entry.negative_label),
        per_label=per_label,
        truncated_rate=_truncated_rate(predictions),
        mean_new_tokens=_mean_new_tokens(predictions),
        as_published=score_as_published(predictions, samples, entry, bootstrap, origin.reasoned),
    )


def careful_answers(
    predictions: Sequence[Outputs], samples: Sequence[Sample], entry: DatasetEntry, origin: Origin
) -> list[Answer[AnswerValue]]:
    """What a careful reader takes from each of n predictions of n samples, by majority where it has several outputs."""
    task = tasks.get(entry)
    return [
        task.vote([task.parse(raw, sample, own) for raw, own in prediction.from_origin(origin)])
        for prediction, sample in zip(predictions, samples, strict=True)
    ]


def score_as_published(
    predictions: Sequence[Outputs], samples: Sequence[Sample], entry: DatasetEntry, bootstrap: Bootstrap, reasoned: bool
) -> PublishedScore | None:
    """Score predictions as the paper's authors scored; None for a task that the paper does not have.

    Args:
        predictions: n predictions.
        samples: their n samples, same order.
        entry: the dataset.
        bootstrap: how the interval is made.
        reasoned: whether a chain of thought was asked for.
    """
    convention = published_convention(entry)
    if convention is None:
        return None
    answers = [published_answer(prediction.outputs, reasoned) for prediction in predictions]
    golds = [sample.gold for sample in samples]
    counts = convention.counts(answers, golds)
    groups = [sample.group for sample in samples]
    return PublishedScore(
        metric=convention.metric.name,
        value=convention.metric.value(counts.total()),
        interval=interval_of_sparse_counts(counts, groups, convention.metric, bootstrap),
        constant_value=convention.constant_value(golds),
        unknown_rate=convention.unknown_rate(answers, golds),
    )


def score_file(
    predictions: Path,
    gold: Path,
    entry: DatasetEntry,
    out: Path,
    bootstrap: Bootstrap,
    subset: bool = False,
    origin: Origin = UNKNOWN,
    repeats: Sequence[Path] = (),
) -> Scores:
    """Score a predictions file against a gold file; write ``scored.jsonl`` and ``scores.json`` under ``out``.

    Both are written only after everything has been scored; see :func:`judged_file`.
    """
    scored, scores = judged_file(predictions, gold, entry, bootstrap, subset, origin, repeats)
    write_records(out / "scored.jsonl", scored)
    scores.write(out / "scores.json")
    return scores


def judged_file(
    predictions: Path,
    gold: Path,
    entry: DatasetEntry,
    bootstrap: Bootstrap,
    subset: bool = False,
    origin: Origin = UNKNOWN,
    repeats: Sequence[Path] = (),
) -> tuple[list[ScoredAnswer], Scores]:
    """Read, judge and sum up a predictions file against a gold file.

    Answers that are not those that the manifest beside them knows are scored, and named in the scores. ``origin`` says how all of the
    outputs came about; ``repeats`` are files with further answers of the same samples, whose scores alone are kept.

    Raises:
        DataError: see :func:`read_predictions`, :func:`read_gold`, :func:`match_gold`.
    """
    outputs, known = read_predictions(predictions), read_gold(gold, entry)
    matched = match_gold(outputs, known.samples, subset, predictions, gold)
    scored, scores = score_predictions(outputs, matched, entry, bootstrap, origin, known.unit)
    if changed := changed_since_written([predictions, *repeats]):
        scores = scores.model_copy(update={"changed_answers": changed})
    if repeats:
        scores = _with_repeats(scores, [_matching(path, matched) for path in repeats], matched, entry, origin)
    return scored, scores


def score_cell(
    folder: Path, samples: Path, entry: DatasetEntry, bootstrap: Bootstrap, origin: Origin = UNKNOWN
) -> Scores:
    """Score one cell's folder: ``predictions.jsonl`` against the run's ``samples.jsonl``, every sample answered."""
    answers = folder / "predictions.jsonl"
    scores = score_file(answers, samples, entry, folder, bootstrap, origin=origin, repeats=_repeats(folder))
    if scores.changed_answers:
        print(f"{folder}: {changed_words(scores.changed_answers)}", file=sys.stderr, flush=True)
    return scores


def judged_cell(
    folder: Path, samples: Path, entry: DatasetEntry, bootstrap: Bootstrap, origin: Origin
) -> tuple[list[ScoredAnswer], Scores]:
    """What :func:`score_cell` would write of a cell."""
    answers = folder / "predictions.jsonl"
    return judged_file(answers, samples, entry, bootstrap, origin=origin, repeats=_repeats(folder))


def origin_of(catalogue: Catalogue, cell: Cell) -> Origin:
    """How the outputs of a cell came about."""
    return Origin(
        reasoned=reasons_first(cell.prompting),
        reasoning=catalogue.models[cell.model].reasoning,
        prompts=catalogue.run.protocol.prompts,
    )


def _repeats(folder: Path) -> list[Path]:
    return [path for path in repeat_files(folder) if path.stat().st_size]


def changed_words(names: Sequence[str]) -> str:
    """What is said of answers that are not those of the cell."""
    which = f"{', '.join(names)} {'is' if len(names) == 1 else 'are'}"
    return (
        f"{which} not what the cell wrote, by the hash in manifest.json; scored as found, quantbench verify says more"
    )


def _matching(path: Path, samples: Sequence[Sample]) -> list[Outputs]:
    """The answers of a repeat, in the order of the samples.

    Raises:
        DataError: as :func:`read_predictions`, or a sample without an answer there.
    """
    answers = {prediction.sample_id: prediction for prediction in read_predictions(path)}
    missing = [sample.sample_id for sample in samples if sample.sample_id not in answers]
    if missing:
        raise DataError(
            f"{path}: {len(missing)} of {len(samples)} samples have no answer there (first: {missing[0]!r}); delete the cell's "
            "folder to have it answered anew"
        )
    return [answers[sample.sample_id] for sample in samples]


def _with_repeats(
    scores: Scores,
    repeats: Sequence[Sequence[Outputs]],
    samples: Sequence[Sample],
    entry: DatasetEntry,
    origin: Origin,
) -> Scores:
    """The scores of a cell with those of its repeats beside them, each m answers of the m samples."""
    task, golds = tasks.get(entry), [sample.gold for sample in samples]
    own = [scores.value]
    for answers in repeats:
        values = [answer.value for answer in careful_answers(answers, samples, entry, origin)]
        own.append(task.metric.value(task.counts(values, golds).sum(axis=0)))
    published, convention = scores.as_published, published_convention(entry)
    if published is not None and convention is not None:
        texts = [[published_answer(one.outputs, origin.reasoned) for one in answers] for answers in repeats]
        again = [convention.value(each, golds) for each in texts]
        published = published.model_copy(update={"repeats": [published.value, *again]})
    return scores.model_copy(update={"repeats": own, "as_published": published})


def _label_score(counts: Counts) -> LabelScore:
    tp, fp, fn = (int(count) for count in counts)
    return LabelScore(f1=float(f1_from_counts(counts)), support=tp + fn, predicted=tp + fp)


def _positive_macro_f1(per_label: Mapping[str, LabelScore], negative: str | None) -> float | None:
    if negative is None:
        return None
    return float(np.mean([score.f1 for label, score in per_label.items() if label != negative]))


def _unread(said: Sequence[str | None]) -> str | None:
    """What of a sample's outputs was not read; of several, of how many, and the first one's words."""
    parts = [words for words in said if words]
    if not parts:
        return None
    return parts[0] if len(said) == 1 else f"in {len(parts)} of {len(said)} outputs, the first: {parts[0]}"


def _unreadable(answers: Sequence[Answer[AnswerValue]]) -> float:
    return sum(not answer.ok for answer in answers) / len(answers)


def _refused_rate(predictions: Sequence[Outputs], answers: Sequence[Answer[AnswerValue]], origin: Origin) -> float:
    """The share of samples without a readable answer of which most outputs decline to give one."""
    unread = [prediction.outputs for prediction, answer in zip(predictions, answers, strict=True) if not answer.ok]
    declined = [[is_refusal(without_thoughts(raw, origin.reasoning)) for raw in outputs] for outputs in unread]
    return sum(2 * sum(each) > len(each) for each in declined) / len(answers)


def _truncated_rate(predictions: Sequence[Outputs]) -> float | None:
    reasons = [prediction.finish_reason for prediction in predictions]
    if any(reason is None for reason in reasons):
        return None
    flat = [reason for listed in reasons if listed for reason in listed]
    return sum(map(is_cut, flat)) / len(flat)


def _mean_new_tokens(predictions: Sequence[Outputs]) -> float | None:
    lengths = [prediction.new_tokens for prediction in predictions]
    if any(length is None for length in lengths):
        return None
    return float(np.mean([length for listed in lengths if listed for length in listed]))
