"""Search a run's files, or a bundle, for texts that may not be passed on; names each file that holds a phrase of one, and where.

  quantbench privacy results/demo                            every text that a bundle of the run would leave out
  quantbench privacy results/demo --texts ward_notes.jsonl   the texts of this file
  quantbench privacy demo.tar.zst --texts ward_notes.jsonl   within a bundle, or any other file

A phrase is six words in a row, or a whole text of four or five, whatever the letter case, punctuation, escapes, markup and packing around
them; of published datasets, whose outputs may quote a few words, it is thirteen (docs/privacy.md). A file of texts has JSON lines, of which the texts in `inputs` count, or else paragraphs. A run's own samples,
outputs and progress hold texts because that is what they are for, and are passed over.

Exit status: 0 nothing found, 1 a text found, 2 bad input.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..config import Catalogue, load_datasets
from ..errors import ConfigError, DataError, FoundWanting
from . import options
from .argument_types import a_path
from .printing import write_records

if TYPE_CHECKING:
    from ..privacy import Finding, Search, Withheld

PARENTS = (options.ROOT, options.CONFIGURATION, options.FORMAT)
_COLUMNS = ("file", "inside", "line", "text", "words")


@dataclass(frozen=True)
class _Part:
    """A search, and the files in which nothing of its texts may stand."""

    search: Search
    files: list[Path]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("run", type=a_path, metavar="RUN", help="a run's folder, such as results/demo, or a bundle")
    parser.add_argument(
        "--texts",
        action="append",
        type=a_path,
        default=[],
        metavar="FILE",
        help="a file of texts to look for (default: those of the run's datasets that bundles leave out); may be repeated",
    )
    options.add_phrases(parser)


def run(arguments: argparse.Namespace) -> None:
    """Print each file that holds a text.

    Raises:
        DataError: no such run or file, one that cannot be read to its end, or named texts none of which can be searched for.
        ConfigError: the configuration is wrong, or a bundle is given without ``--texts``.
        FoundWanting: a text was found.
    """
    place: Path = arguments.run
    if not place.exists():
        raise DataError(f"{place}: no such file or folder; give a run's folder, such as results/demo, or a bundle")
    if place.is_file() and not arguments.texts:
        raise ConfigError(f"{place}: a file does not say whose texts may not be in it; name them with --texts FILE")
    parts = list(_given(arguments, place) if arguments.texts else _of_the_run(arguments, place))
    found = [finding for part in parts for path in part.files for finding in part.search.file(path)]
    if arguments.format != "text":
        rows = [(one.file, ", ".join(one.inside), one.line, one.text, one.words) for one in found]
        write_records(arguments.format, dict.fromkeys(_COLUMNS), rows)
    else:
        _print(place, parts, found)
    if found:
        files = len({finding.file for finding in found})
        raise FoundWanting(f"{place}: texts that may not be passed on stand in {files} file{'s' * (files > 1)}")


def _given(arguments: argparse.Namespace, place: Path) -> Iterator[_Part]:
    """The search for the texts of files that are named."""
    from ..privacy import Phrases, Search, given_texts, known_phrases

    catalogue = options.recorded(arguments) if place.is_dir() else None
    root = catalogue.root if catalogue else options.root_of(arguments)
    datasets = catalogue.datasets if catalogue else load_datasets(root)
    phrases = Phrases(given_texts(arguments.texts), known_phrases(datasets, root, arguments.phrases))
    if phrases.texts == phrases.too_short:
        raise DataError(
            f"{', '.join(map(str, arguments.texts))}: no text of enough words to be told from any other, so nothing was searched for; "
            "give whole texts: a paragraph each, or JSON lines"
        )
    files = _files(catalogue, place, catalogue.run.data.private_texts_in_report) if catalogue else [place]
    yield _Part(Search(phrases), files)


def _of_the_run(arguments: argparse.Namespace, results: Path) -> Iterator[_Part]:
    """The search for what bundles of a run leave out; of datasets that are not private, the page may show texts."""
    from ..privacy import PRIVATE, QUOTED, Phrases, Search, known_phrases, withheld_texts

    catalogue = options.recorded(arguments)
    left_out = _left_out(catalogue, results)
    for names, lengths, report in (
        (left_out.names, PRIVATE, catalogue.run.data.private_texts_in_report),
        (left_out.texts - left_out.names, QUOTED, True),
    ):
        if names:
            texts = withheld_texts(catalogue, results, sorted(names))
            public = known_phrases(catalogue.datasets, catalogue.root, arguments.phrases)
            yield _Part(Search(Phrases(texts, public, lengths)), _files(catalogue, results, report))


def _files(catalogue: Catalogue, results: Path, report: bool) -> list[Path]:
    from ..privacy import Homes, run_files

    homes = Homes(_left_out(catalogue, results), report)
    return [path for path in run_files(results) if not homes.has(path.relative_to(results).as_posix())]


def _left_out(catalogue: Catalogue, results: Path) -> Withheld:
    from ..privacy import withheld

    names = sorted(path.name for path in (results / "datasets").glob("*") if path.name in catalogue.datasets)
    return withheld(catalogue.run.data.texts_in_bundles, {name: catalogue.datasets[name] for name in names})


def _print(place: Path, parts: list[_Part], found: list[Finding]) -> None:
    for finding in found:
        print(finding)
    texts = sum(part.search.phrases.texts for part in parts)
    short = sum(part.search.phrases.too_short for part in parts)
    files = len({path for part in parts for path in part.files})
    if not texts:
        print(f"{place}: nothing of this run is withheld; name texts to look for with --texts FILE")
        return
    print(
        f"{place}: {_counted(files, 'file')} searched for {_counted(texts - short, 'text')}; {len(found) or 'none'} found"
    )
    if short:
        print(f"note: not searched for: {_counted(short, 'text')} with too few words to be told from others")
    page = place / "report.html"
    if page.is_file() and not any(page in part.files for part in parts):
        print(f"note: not searched: {page}, which data.private_texts_in_report lets show texts")


def _counted(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"
