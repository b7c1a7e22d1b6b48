"""Logs of inspect_ai: one JSON document, or an ``.eval`` archive of one document a sample.

A sample that was answered several times is told apart by its epoch, and is itself what is taken as independent: its epochs stand
and fall together.
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

from ..errors import DataError, nearest, shorten
from ..reading.os_errors import unreadable
from .outside_files import LARGEST, Record, damaged, document, parsed
from .outside_task import OutsideSample, OutsideTask, Wanted, as_text, print_of, refuse_repeated

# What inspect_ai's scorers write for right, partly right, wrong, and no answer; its own metrics count them so.
GRADES = {"C": 1.0, "P": 0.5, "I": 0.0, "N": 0.0}
_ZSTANDARD = 93  # the method's number in a zip archive, which Python before 3.14 cannot unpack
_LOCAL_HEADER = struct.Struct("<26xHH")  # of a member: the lengths of its name and of what follows it


def is_log(record: Mapping[str, object]) -> bool:
    """Whether a JSON document is a log of inspect_ai."""
    return isinstance(record.get("eval"), dict) and "status" in record


def is_archive(path: Path) -> bool:
    """Whether a file is an archive.

    Raises:
        DataError: it cannot be read, or is one by its name alone.
    """
    try:
        packed = path.is_file() and zipfile.is_zipfile(path)
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from None
    if not packed and path.suffix == ".eval" and path.is_file():
        raise DataError(f"{path}: no archive of inspect_ai, or a part of one; copy it again")
    return packed


def read_log(path: Path, wanted: Wanted) -> OutsideTask:
    """Read one log, a JSON document or an archive.

    Raises:
        DataError: damaged, unfinished, without scores, repeated samples, or no such score.
    """
    header, samples = _archive(path) if is_archive(path) else _document(path)
    if header["status"] != "success":
        raise DataError(
            f"{path}: status is {header['status']!r}; judge takes a run that ended: inspect eval-retry finishes it"
        )
    metric, also, read = None, "", []
    for where, record in samples:
        scores = _scores(record, where)
        if metric is None:
            metric, also = _chosen(scores, wanted, where)
        read.append(_sample(record, scores, metric, wanted, where))
    if metric is None:
        raise DataError(f"{path}: no samples in it; run inspect_ai with log_samples")
    refuse_repeated(read)
    spec = header["eval"]
    assert isinstance(spec, dict)
    return OutsideTask(
        name=as_text(spec.get("task")),
        source=path,
        metric=metric,
        filter=None,
        settings=_settings(spec, header.get("plan")),
        samples=tuple(read),
        unit=wanted.group or "sample",
        also=also,
    )


def _document(path: Path) -> tuple[Record, Iterator[tuple[str, Record]]]:
    log = _log(document(path), path)
    samples = log.get("samples")
    if not isinstance(samples, list):
        raise DataError(f"{path}: no samples in it; run inspect_ai with log_samples")
    return log, ((f"{path}, sample {place}", _object(one, path, place)) for place, one in enumerate(samples, start=1))


def _log(value: Record, path: Path) -> Record:
    if not is_log(value):
        raise DataError(
            f"{path}: no log of inspect_ai; it has the fields {', '.join(list(value)[:8]) or 'none'}; judge takes such logs, JSON lines, "
            "and the samples_*.jsonl of lm-evaluation-harness (--log_samples)"
        )
    return value


def _object(value: object, path: Path, place: int) -> Record:
    if not isinstance(value, dict):
        raise DataError(f"{path}, sample {place}: expected a JSON object, found {type(value).__name__}")
    return value


def _archive(path: Path) -> tuple[Record, Iterator[tuple[str, Record]]]:
    names = [name for name in _names(path) if name.startswith("samples/") and name.endswith(".json")]
    if "header.json" not in _names(path):
        raise DataError(f"{path}: no header.json in it; no archive of inspect_ai, or of a run that did not end")
    header = _log(next(_members(path, ["header.json"]))[1], path)
    return header, _members(path, sorted(names))


def _names(path: Path) -> list[str]:
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.namelist()
    except zipfile.BadZipFile as error:
        raise damaged(path, error) from None
    except OSError as error:
        raise unreadable(path, error) from None


def _members(path: Path, names: list[str]) -> Iterator[tuple[str, Record]]:
    with path.open("rb") as handle, zipfile.ZipFile(path) as archive:
        for name in names:
            try:
                content = _content(handle, archive, archive.getinfo(name))
            # RuntimeError: a member that is encrypted.
            except (zipfile.BadZipFile, zlib.error, EOFError, struct.error, NotImplementedError, RuntimeError) as error:
                raise damaged(path, error) from None
            yield f"{path}, {name}", parsed(content, f"{path}, {name}")


def _content(handle: BinaryIO, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """A member's bytes, whatever it is packed by."""
    if member.file_size > LARGEST:
        raise zipfile.BadZipFile(f"{member.filename} is said to take {member.file_size} bytes unpacked")
    if member.compress_type != _ZSTANDARD:
        return archive.read(member)
    import zstandard

    handle.seek(member.header_offset)
    name, extra = _LOCAL_HEADER.unpack(handle.read(_LOCAL_HEADER.size))
    handle.seek(name + extra, 1)
    packed = handle.read(member.compress_size)
    try:
        # A large member is packed as several frames, one behind the other.
        content: bytes = (
            zstandard.ZstdDecompressor().stream_reader(packed, read_across_frames=True).read(member.file_size + 1)
        )
    except zstandard.ZstdError as error:
        raise zipfile.BadZipFile(str(error)) from None
    if len(content) != member.file_size or zlib.crc32(content) != member.CRC:
        raise zipfile.BadZipFile(f"{member.filename} has another checksum")
    return content


def _scores(record: Record, where: str) -> dict[str, Record]:
    scores = record.get("scores")
    if not isinstance(scores, dict) or not scores or not all(isinstance(score, dict) for score in scores.values()):
        failed = f" (its error: {shorten(record['error'])})" if record.get("error") else ""
        raise DataError(
            f"{where}: no scores{failed}; judge takes runs whose samples are all scored: inspect score adds them"
        )
    return scores


def _chosen(scores: Mapping[str, Record], wanted: Wanted, where: str) -> tuple[str, str]:
    """The scorer that is read, and in words which others there are."""
    if wanted.metric is not None and wanted.metric not in scores:
        raise DataError(f"{where}: no score {wanted.metric!r}{nearest(wanted.metric, scores)}")
    name = wanted.metric or next(iter(scores))
    others = [other for other in scores if other != name]
    return name, f" Also there: {', '.join(others)} (--metric)." if others else ""


def _sample(record: Record, scores: Mapping[str, Record], metric: str, wanted: Wanted, where: str) -> OutsideSample:
    if metric not in scores:
        raise DataError(f"{where}: the score {metric!r} is missing; the samples before have it")
    for field in ("id", "target"):
        if field not in record:
            raise DataError(f"{where}: the field {field!r} is missing; no sample of inspect_ai")
    identity, epoch, score = as_text(record["id"]), record.get("epoch", 1), scores[metric]
    value, given = score.get("value"), score.get("answer")
    graded = GRADES[value] * wanted.scale if isinstance(value, str) and value in GRADES else value
    target = record["target"]
    gold = as_text(target[0] if isinstance(target, list) and len(target) == 1 else target)
    return OutsideSample(
        key=identity if epoch == 1 else f"{identity}, epoch {epoch}",
        group=wanted.group_of(record, identity, where),
        answer=as_text(_completion(record) if given is None else given),
        gold=gold,
        label=gold,
        score=wanted.score(graded, metric, where),
        prints={"input": print_of(_texts(record.get("input"))), "choices": print_of(record.get("choices"))},
        where=where,
    )


def _completion(record: Record) -> object:
    output = record.get("output")
    return output.get("completion", "") if isinstance(output, dict) else ""


def _texts(asked: object) -> object:
    """What was asked, without the ids that messages are given anew in each run."""
    if not isinstance(asked, list):
        return asked
    return [[one.get("role"), one.get("content")] if isinstance(one, dict) else one for one in asked]


def _settings(spec: Mapping[str, object], plan: object) -> dict[str, str]:
    """How the task was run, as far as it decides what is asked."""
    stated = {name: spec.get(name) for name in ("task_version", "task_args")}
    configured = spec.get("config")
    if isinstance(configured, dict):
        stated["epochs"] = configured.get("epochs") or 1
    if isinstance(plan, dict):
        stated["solvers"] = [step.get("solver") for step in plan.get("steps") or [] if isinstance(step, dict)]
        stated["generate_config"] = _decoding(plan.get("config"))
    return {name: as_text(value) for name, value in stated.items() if value not in (None, {}, [])}


def _decoding(config: object) -> dict[str, object]:
    """Settings that decide an answer; how many requests go out at a time does not."""
    kept = ("max_tokens", "temperature", "top_p", "top_k", "seed", "stop_seqs", "system_message", "num_choices")
    return {name: config[name] for name in kept if config.get(name) is not None} if isinstance(config, dict) else {}
