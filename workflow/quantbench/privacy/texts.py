"""Which texts a search is for: those of datasets as the run and its source files have them, or of files that are named."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from pydantic import JsonValue

from ..config import Catalogue, DatasetEntry, data_folder, find_file, shipped_catalogue
from ..contracts.records import Sample, read_records
from ..datasets.preparation import source_folder
from ..datasets.readers import read_split
from ..errors import DataError
from ..reading.json_text import parse
from ..reading.text_files import read_text
from .compared_words import words
from .phrases import PRIVATE, Text

# What a record has beside its texts.
_NO_TEXTS = frozenset({"sample_id", "group", "gold", "start", "end"})
_PROMPTS = ("*.txt", "dataset.yaml")


def withheld_texts(catalogue: Catalogue, results: Path, names: Iterable[str]) -> Iterator[Text]:
    """Every text of some datasets: of the samples and worked examples of ``results/<run>``, and of the files of private ones.

    These hold more than a run that is limited; those that are not here are passed over.

    Raises:
        DataError: one that is here and cannot be read.
    """
    seen: set[str] = set()
    for name in names:
        for text in _dataset(catalogue, results, name):
            if text.content not in seen:
                seen.add(text.content)
                yield text


def given_texts(files: Iterable[Path]) -> Iterator[Text]:
    """The texts of files that are named: of JSON lines the texts in ``inputs``, or all texts; elsewhere each paragraph.

    Raises:
        DataError: no such file, or no text in UTF-8.
    """
    for path in files:
        content = read_text(path, missing="no such file; name a file with the texts to look for")
        for number, text in _parts(content):
            yield Text(f"{path}, line {number}", text)


def known_phrases(datasets: Mapping[str, DatasetEntry], root: Path, files: Iterable[Path] = ()) -> Iterator[str]:
    """Texts whose phrases are no secret: prompts and entries of published datasets, titles and labels of private ones, and ``files``.

    The prompts of private datasets are searched as everything is: an example may have been pasted into one.
    """
    for entry in datasets.values():
        yield from (entry.title, entry.entity_type or "", *entry.labels)
    for name in (name for name, entry in datasets.items() if not entry.is_private):
        for place in dict.fromkeys((root, shipped_catalogue())):
            for pattern in _PROMPTS:
                for path in sorted((place / "config/datasets" / name).glob(pattern)):
                    yield read_text(path)
    for text in given_texts(files):
        yield text.content


def _dataset(catalogue: Catalogue, results: Path, name: str) -> Iterator[Text]:
    entry = catalogue.datasets[name]
    folder = results / "datasets" / name
    for path in (folder / "samples.jsonl", folder / "shots.jsonl"):
        yield from _samples(path, read_records(path, Sample) if path.exists() else [], entry)
    if not entry.is_private:
        return
    source = source_folder(catalogue.root, entry, name, data_folder(catalogue.root, catalogue.run))
    for split in entry.files:
        file = find_file(entry, split, source)
        if file is not None:
            yield from _samples(source / file.name, read_split(source / file.name, entry, None), entry)


def _samples(path: Path, samples: Iterable[Sample], entry: DatasetEntry) -> Iterator[Text]:
    for number, sample in enumerate(samples, start=1):
        # Names of documents and samples may be those of persons; most are too short to be searched for, and are replaced.
        named = [
            name
            for name in (sample.sample_id, sample.group)
            if entry.is_private and len(words(name)) >= PRIVATE.shortest
        ]
        for text in (*_strings(sample.inputs), *named):
            yield Text(f"{path}, record {number}", text)


def _parts(content: str) -> Iterator[tuple[int, str]]:
    """The texts of a file, each with the line it begins in."""
    lines = content.splitlines()
    try:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                record = parse(line, "a line", foreign=True)
                inputs = record.get("inputs", record) if isinstance(record, dict) else record
                for text in _strings(inputs):
                    yield number, text
    except DataError:  # no JSON lines
        begun, paragraph = 1, list[str]()
        for number, line in enumerate([*lines, ""], start=1):
            if line.strip():
                begun = begun if paragraph else number
                paragraph.append(line)
            elif paragraph:
                yield begun, "\n".join(paragraph)
                paragraph = []


def _strings(value: JsonValue) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key not in _NO_TEXTS:
                yield from _strings(item)
