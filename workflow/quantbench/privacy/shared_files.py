"""The files of a run: which hold texts because that is what they are for, and which are to hold none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .withholding import Withheld

_CELL = r"[^/]+/[^/]+/(?P<dataset>[^/]+)/[^/]+"
_SAMPLES = re.compile(r"datasets/(?P<dataset>[^/]+)/(samples|shots)\.jsonl")
_SCORED = re.compile(rf"cells/{_CELL}/(scored\.jsonl|likelihoods\.npz)")
_ANSWERS = re.compile(rf"cells/{_CELL}/(predictions|repeat_\d+)\.jsonl")
_PROGRESS = re.compile(rf"progress/{_CELL}/[^/]+")
REPORT = "report.html"


@dataclass(frozen=True, slots=True)
class Homes:
    """The files of a run that hold texts or outputs of withheld datasets and never leave as they are.

    Attributes:
        left_out: what is withheld.
        report: whether the page is meant to show texts.
    """

    left_out: Withheld
    report: bool

    def has(self, name: str) -> bool:
        """Whether a file, named relative to ``results/<run>``, is such a home."""
        if name == REPORT:
            return self.report
        for pattern, datasets in (
            (_SAMPLES, self.left_out.texts),
            (_SCORED, self.left_out.texts),
            (_ANSWERS, self.left_out.outputs),
            (_PROGRESS, self.left_out.outputs),
        ):
            found = pattern.fullmatch(name)
            if found is not None:
                return found["dataset"] in datasets
        return False


def run_files(results: Path) -> Iterator[Path]:
    """Every file of ``results/<run>``, in the order of their names."""
    yield from sorted(path for path in results.rglob("*") if path.is_file() and not path.is_symlink())
