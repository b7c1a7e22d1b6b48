"""Files of predictions and of gold answers, read and matched sample by sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeGuard

from .. import tasks
from ..config import DatasetEntry
from ..contracts.checksums import sha256_of
from ..contracts.files import read_json
from ..contracts.prepared_dataset import PreparedDataset
from ..contracts.records import Sample, Unit, read_records
from ..errors import DataError
from ..reading.json_text import iterate_objects
from ..tasks.origin import Origin


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
    for number, value in iterate_objects(path):
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
        from ..datasets import read_split_samples

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
    return path.name not in own and all("group" in line for _, line in iterate_objects(path))


def changed_since_written(answers: Sequence[Path]) -> list[str]:
    """Names of files of answers that differ from what a cell's manifest beside them states.

    None where no manifest stands there, as with predictions made elsewhere, or it states no hash.
    """
    changed = []
    for path in answers:
        try:
            # The rest of a manifest, and whether it is one, is for verify to judge.
            stated = read_json(path.with_name("manifest.json")).get("outputs")
        except DataError:
            continue
        if isinstance(stated, dict) and stated.get(path.name) not in (None, sha256_of(path)):
            changed.append(path.name)
    return changed


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


def _is_lengths(value: object) -> TypeGuard[list[int]]:
    return isinstance(value, list) and all(type(item) is int and item >= 0 for item in value)


def _is_texts(value: object) -> TypeGuard[list[str]]:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)
