"""Two runs of the same tasks, sample beside sample; whatever does not pair is refused by name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import DataError, shorten
from .outside_task import OutsideSample, OutsideTask

_SHOWN_IDS = 5
# In words, what differs where a field does, and what to do about it.
_MEANINGS = {
    "doc_hash": "another document",
    "doc": "another document",
    "prompt_hash": "another prompt",
    "prompt": "another prompt",
    "input": "another prompt",
    "choices": "other options",
    "target_hash": "another gold answer",
    "target": "another gold answer",
}
_AGAIN = "run both on the same version of the task, with the same examples and chat template"


@dataclass(frozen=True, slots=True)
class PairedTask:
    """One task of two runs; the n-th sample of ``other`` answers what the n-th of ``reference`` does."""

    name: str
    reference: OutsideTask
    other: OutsideTask

    @property
    def samples(self) -> Iterator[tuple[OutsideSample, OutsideSample]]:
        """Each sample's answer in both."""
        return zip(self.reference.samples, self.other.samples, strict=True)

    @property
    def groups(self) -> list[str]:
        """What each sample belongs to."""
        return [sample.group for sample in self.reference.samples]

    @property
    def right_or_wrong(self) -> bool:
        """Whether every score is 0 or 1."""
        return all(sample.score in (0, 1) for task in (self.reference, self.other) for sample in task.samples)


def pair_runs(
    reference: Sequence[OutsideTask], other: Sequence[OutsideTask], paths: tuple[Path, Path]
) -> list[PairedTask]:
    """Pair the tasks of two runs.

    Args:
        reference: the run that is compared with.
        other: the run that is judged.
        paths: where the two were read from, for messages.

    Raises:
        DataError: they have other tasks, scores, settings, samples, gold answers or prompts.
    """
    if paths[0].resolve() == paths[1].resolve():
        raise DataError(f"{paths[0]}: both runs are this one; give the run at full precision and the quantized one")
    single = len(reference) == len(other) == 1
    if single and None in (reference[0].name, other[0].name):
        # A file that does not name its task is taken at the word of who gives it.
        name = reference[0].name or other[0].name or "answers"
        reference, other = [replace(reference[0], name=name)], [replace(other[0], name=name)]
    of_reference = {str(task.name): task for task in reference}
    of_other = {str(task.name): task for task in other}
    if of_reference.keys() != of_other.keys():
        raise DataError(_other_tasks(list(of_reference), list(of_other), paths))
    return [_paired(name, task, of_other[name]) for name, task in of_reference.items()]


def _other_tasks(reference: list[str], other: list[str], paths: tuple[Path, Path]) -> str:
    said = [
        f"{path} alone has {', '.join(alone[:_SHOWN_IDS])}{f' and {len(alone) - _SHOWN_IDS} more' * (len(alone) > _SHOWN_IDS)}"
        for path, own, others in ((paths[0], reference, other), (paths[1], other, reference))
        if (alone := [name for name in own if name not in others])
    ]
    shared = [name for name in reference if name in other]
    step = f"--task names those to judge, such as {shared[0]}" if shared else "give two runs of the same task"
    return f"the runs have other tasks: {'; '.join(said)}; {step}"


def _paired(name: str, reference: OutsideTask, other: OutsideTask) -> PairedTask:
    _check_alike(name, reference, other)
    by_key = {sample.key: sample for sample in other.samples}
    _check_ids(name, reference, other)
    matched = tuple(by_key[sample.key] for sample in reference.samples)
    for before, after in zip(reference.samples, matched, strict=True):
        _check_sample(before, after)
    return PairedTask(name, reference, replace(other, samples=matched))


def _check_alike(name: str, reference: OutsideTask, other: OutsideTask) -> None:
    """Refuse two readings of a task that differ in what was scored or how it was asked."""
    for field, one, two, step in (
        ("filter", reference.filter, other.filter, "name one that both have with --filter"),
        ("metric", reference.metric, other.metric, "name one that both have with --metric"),
        ("unit", reference.unit, other.unit, "name a field that both have with --group-field"),
    ):
        if one != two:
            raise DataError(f"{name}: {field} is {one!r} in {reference.source} and {two!r} in {other.source}; {step}")
    for field in reference.settings.keys() & other.settings.keys():
        one, two = reference.settings[field], other.settings[field]
        if one != two:
            raise DataError(
                f"{name}: {field} is {shorten(one)} in {reference.source} and {shorten(two)} in {other.source}; answers to other "
                "questions do not pair: run both with the same settings"
            )


def _check_ids(name: str, reference: OutsideTask, other: OutsideTask) -> None:
    here, there = {sample.key for sample in reference.samples}, {sample.key for sample in other.samples}
    if here == there:
        return
    said = []
    for which, source, own, others in (("first", reference, here, there), ("second", other, there, here)):
        alone = [sample.key for sample in source.samples if sample.key in own - others]
        if alone:
            more = f" and {len(alone) - _SHOWN_IDS} more" if len(alone) > _SHOWN_IDS else ""
            said.append(f"the {which} alone has {', '.join(map(repr, alone[:_SHOWN_IDS]))}{more}")
    raise DataError(
        f"{name}: the runs answered other samples, {len(here)} in {reference.source} and {len(there)} in {other.source}: "
        f"{'; '.join(said)}; run both on the same samples, with the same limit and number of epochs"
    )


def _check_sample(before: OutsideSample, after: OutsideSample) -> None:
    """Refuse two answers to other questions, or measured against other gold answers."""
    for field in before.prints.keys() & after.prints.keys():
        if before.prints[field] != after.prints[field] and field not in ("target", "target_hash"):
            raise DataError(
                f"{before.where} and {after.where}: {_MEANINGS.get(field, 'something else')} for id {before.key!r} ({field} "
                f"{before.prints[field][:16]} and {after.prints[field][:16]}); {_AGAIN}"
            )
    for one, two in ((before.gold, after.gold), (before.label, after.label)):
        if one != two:
            raise DataError(
                f"{before.where} and {after.where}: the gold answer of id {before.key!r} is {shorten(one)} and {shorten(two)}; "
                "judge both against the same gold answers"
            )
    if before.group != after.group:
        raise DataError(
            f"{before.where} and {after.where}: id {before.key!r} belongs to {shorten(before.group)} and {shorten(after.group)}; "
            "group both alike"
        )
