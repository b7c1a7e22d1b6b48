"""From predictions and gold answers to ``scored.jsonl`` and ``scores.json``. Needs no torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeGuard

import numpy as np

from . import tasks
from .config import DatasetEntry
from .contracts.files import iterate_lines
from .contracts.prepared_dataset import PreparedDataset
from .contracts.records import Answer as AnswerValue
from .contracts.records import Sample, ScoredAnswer, Unit, read_records, repeat_files, write_records
from .contracts.scores import LabelScore, PublishedScore, Scores
from .errors import DataError
from .statistics import Bootstrap, interval_of_counts, interval_of_sparse_counts
from .tasks import Answer, f1_from_counts, published_answer, published_convention
from .tasks.metrics import Counts
from .tasks.origin import UNKNOWN, Origin
from .tasks.refusals import is_refusal
from .tasks.thoughts import without_thoughts


@dataclass(frozen=True, slots=True)
class Outputs:
    """What scoring needs of one prediction; what a file may leave out is None where it does."""

    sample_id: str
    outputs: list[str]
    finish_reason: list[str] | None = None
    new_tokens: list[int] | None = None

    def from_origin(self, origin: Origin) -> list[tuple[str, Origin]]:
        """Each output with how it came about: cut where its finish reason says so."""
        reasons = self.finish_reason or [""] * len(self.outputs)
        return [(raw, origin.ending(is_cut(reason))) for raw, reason in zip(self.outputs, reasons, strict=True)]


# As servers and libraries name the token limit: OpenAI and vLLM, Anthropic, Google, Cohere, TGI.
_CUT = ("length", "max_tokens", "max_length", "max_new_tokens", "max_output_tokens", "model_length")


def is_cut(finish_reason: str) -> bool:
    """Tell whether a finish reason says that the token limit ended an output."""
    return finish_reason.casefold() in _CUT


def read_predictions(path: Path) -> list[Outputs]:
    """Read the ``sample_id`` and ``outputs`` of each line of a predictions file, and how they ended where it says so.

    Raises:
        DataError: missing, empty or malformed file, a field of the wrong kind, or an id that occurs twice, with its line.
    """
    predictions: dict[str, Outputs] = {}
    for number, value in iterate_lines(path):
        where = f"{path}, line {number}"
        for field in ("sample_id", "outputs"):
            if field not in value:
                raise DataError(f"{where}: field {field!r} is missing; each line needs sample_id and outputs")
        sample_id, outputs, reasons = value["sample_id"], value["outputs"], value.get("finish_reason")
        lengths = value.get("new_tokens")
        if not isinstance(sample_id, str):
            raise DataError(f"{where}: sample_id {sample_id!r} is not text; write it in quotes")
        if not _is_texts(outputs) or not outputs:
            raise DataError(f"{where}: outputs {str(outputs)[:80]!r} is not a list of one or more texts")
        if reasons is not None and (not _is_texts(reasons) or len(reasons) != len(outputs)):
            raise DataError(
                f"{where}: finish_reason {str(reasons)[:80]} is not a list of {len(outputs)} text(s), one for each output"
            )
        if lengths is not None and (not _is_lengths(lengths) or len(lengths) != len(outputs)):
            raise DataError(
                f"{where}: new_tokens {str(lengths)[:80]} is not a list of {len(outputs)} whole number(s), one for each output"
            )
        if sample_id in predictions:
            raise DataError(f"{where}: sample_id {sample_id!r} occurs twice")
        predictions[sample_id] = Outputs(sample_id, outputs, reasons, lengths)
    if not predictions:
        raise DataError(f"{path}: no predictions; the file is empty")
    return list(predictions.values())


@dataclass(frozen=True, slots=True)
class Gold:
    """Samples with their gold answers, and what their groups name; None where that is not known."""

    samples: list[Sample]
    unit: Unit | None


def read_gold(path: Path, entry: DatasetEntry) -> Gold:
    """Read gold answers from a prepared ``samples.jsonl`` (any name ending in ``.jsonl``) or a file in the dataset's own format.

    In a published file the sample id is the 0-based number of the record as text; for token tags, of the sentence. The
    ``test.jsonl`` of a user's own dataset is known by its name, or by lines without ``group``, which each sample of a run has.

    Raises:
        DataError: anything malformed, or gold answers that are not of this dataset, with file and place.
    """
    if not _is_prepared(path, entry):
        from .datasets import read_split_samples

        if not path.is_file():
            raise DataError(f"{path}: {'a folder; give a file in it' if path.is_dir() else 'no such file'}")
        split = read_split_samples(path, entry, None)
        return Gold(split.samples, split.unit(entry))
    samples = read_records(path, Sample)
    task = tasks.get(entry)
    for number, sample in enumerate(samples, start=1):
        problem = task.check_gold(sample) if isinstance(sample.inputs, dict) else "inputs is not an object"
        if problem:
            raise DataError(f"{path}, line {number}: {problem}; is this the gold file of {entry.title}?")
    return Gold(samples, _prepared_unit(path))


def _prepared_unit(samples: Path) -> Unit | None:
    """What the groups of prepared samples name, as it was written beside them."""
    description = samples.with_name("dataset.json")
    if samples.name != "samples.jsonl" or not description.exists():
        return None
    return PreparedDataset.read(description).unit


def _is_prepared(path: Path, entry: DatasetEntry) -> bool:
    """Tell samples as a run writes them from a user's own records, which count the places of entities otherwise."""
    if path.suffix != ".jsonl" or entry.reader != "records":
        return path.suffix == ".jsonl"
    own = {source.name for sources in entry.files.values() for source in sources}
    return path.name not in own and all("group" in line for _, line in iterate_lines(path))


def match_gold(
    predictions: Sequence[Outputs], samples: Sequence[Sample], subset: bool, source: Path, gold: Path
) -> list[Sample]:
    """Return the sample of each prediction, in the order of the predictions.

    Args:
        predictions: read from ``source``.
        samples: read from ``gold``.
        subset: whether predictions may cover only a part of the samples.
        source: named in errors.
        gold: named in errors.

    Raises:
        DataError: a prediction for an unknown sample, or (unless ``subset``) samples without prediction.
    """
    if not samples:
        raise DataError(f"{gold}: holds no sample; name the whole file, or delete it to have it made again")
    by_id = {sample.sample_id: sample for sample in samples}
    for number, prediction in enumerate(predictions, start=1):
        if prediction.sample_id not in by_id:
            raise DataError(
                f"{source}, line {number}: sample_id {prediction.sample_id!r} is not in {gold}, which has {len(by_id)} "
                f"samples from {samples[0].sample_id!r} to {samples[-1].sample_id!r}"
            )
    missing = by_id.keys() - {prediction.sample_id for prediction in predictions}
    if missing and not subset:
        first = [sample.sample_id for sample in samples if sample.sample_id in missing][:5]
        raise DataError(
            f"{source}: {len(missing)} of {len(by_id)} samples of {gold} have no prediction (first: {', '.join(first)}); "
            "allow it with --subset if only a part was run"
        )
    return [by_id[prediction.sample_id] for prediction in predictions]


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
        )
        for answer, sample in zip(answers, samples, strict=True)
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

    Both are written only after everything has been scored. ``origin`` says how all of the outputs came about; ``repeats`` are
    files with further answers of the same samples, whose scores alone are kept.

    Raises:
        DataError: see :func:`read_predictions`, :func:`read_gold`, :func:`match_gold`.
    """
    outputs, known = read_predictions(predictions), read_gold(gold, entry)
    matched = match_gold(outputs, known.samples, subset, predictions, gold)
    scored, scores = score_predictions(outputs, matched, entry, bootstrap, origin, known.unit)
    if repeats:
        scores = _with_repeats(scores, [_matching(path, matched) for path in repeats], matched, entry, origin)
    write_records(out / "scored.jsonl", scored)
    scores.write(out / "scores.json")
    return scores


def score_cell(
    folder: Path, samples: Path, entry: DatasetEntry, bootstrap: Bootstrap, origin: Origin = UNKNOWN
) -> Scores:
    """Score one cell's folder: ``predictions.jsonl`` against the run's ``samples.jsonl``, every sample answered."""
    repeats = [path for path in repeat_files(folder) if path.stat().st_size]
    return score_file(folder / "predictions.jsonl", samples, entry, folder, bootstrap, origin=origin, repeats=repeats)


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


def _is_lengths(value: object) -> TypeGuard[list[int]]:
    return isinstance(value, list) and all(type(item) is int and item >= 0 for item in value)


def _is_texts(value: object) -> TypeGuard[list[str]]:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)
