"""The search that stands before every bundle: no text that is withheld may be in what is packed, nor in what lies beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..config import Catalogue
from ..contracts.run_settings import RunSettings
from ..errors import DataError
from ..privacy import (
    PRIVATE,
    QUOTED,
    Finding,
    Homes,
    Lengths,
    Phrases,
    Search,
    Withheld,
    known_phrases,
    run_files,
    withheld,
    withheld_texts,
)

_SHOWN = 20


@dataclass
class Guard:
    """Looks at a bundle's files one by one, and at last at the other files of its run.

    Attributes:
        results: the run's folder.
        homes: files beside the packed ones that are made to hold texts.
        packed: what is searched for in what is packed.
        beside: what is searched for in the run's logs, tables, figures and report: texts of private datasets.
    """

    results: Path
    homes: Homes
    packed: tuple[Search, ...]
    beside: tuple[Search, ...]
    _found: list[Finding] = field(default_factory=list)
    _seen: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, catalogue: Catalogue, results: Path, left_out: Withheld, phrases: Sequence[Path]) -> Guard:
        """The guard of one run; ``phrases`` are files with phrases that are no secret."""

        def search(names: frozenset[str], lengths: Lengths) -> tuple[Search, ...]:
            if not names:
                return ()
            public = known_phrases(catalogue.datasets, catalogue.root, phrases)
            return (Search(Phrases(withheld_texts(catalogue, results, sorted(names)), public, lengths)),)

        private, beside = search(left_out.names, PRIVATE), _private_when_run(catalogue, results, left_out)
        return cls(
            results,
            Homes(left_out, catalogue.run.data.private_texts_in_report),
            private + search(left_out.texts - left_out.names, QUOTED),
            private if beside == left_out.names else search(beside, PRIVATE),
        )

    @property
    def unsearched(self) -> int:
        """Texts of too few words to be told from others, which are not searched for."""
        return sum(search.phrases.too_short for search in self.packed)

    def look_at(self, content: bytes, path: str) -> None:
        """Search a file that is to be packed as ``path``."""
        self._seen.add(path)
        for search in self.packed:
            self._found += search.content(content, path)

    def check(self, target: Path) -> None:
        """Search what lies beside the packed files, but ``target``, and refuse the bundle if anything was found.

        Raises:
            DataError: names each file that holds a withheld text, and where.
        """
        for search in self.beside:
            for path in run_files(self.results):
                name = path.relative_to(self.results).as_posix()
                if path != target and name not in self._seen and not self.homes.has(name):
                    self._found += search.file(path)
        if self._found:
            files = len({finding.file for finding in self._found})
            shown = [f"  {finding}" for finding in self._found[:_SHOWN]]
            more = [f"  and {len(self._found) - _SHOWN} more"] if len(self._found) > _SHOWN else []
            said = (
                f"{self.results}: texts that may not be passed on stand in {files} file{'s' * (files > 1)}, so nothing was packed; mend or "
                "delete what is named, leave outputs out with --without-outputs DATASET, or name phrases that are no secret in a file "
                "with --phrases (docs/privacy.md):"
            )
            raise DataError("\n".join([said, *shown, *more]))


def _private_when_run(catalogue: Catalogue, results: Path, left_out: Withheld) -> frozenset[str]:
    """The datasets whose texts the run's own report was to leave out: ``none`` may have been chosen for the bundle alone."""
    path = results / RunSettings.path
    data = RunSettings.read(path).data if path.exists() else catalogue.run.data
    return withheld(data.texts_in_bundles, {name: catalogue.datasets[name] for name in left_out.names}).names
