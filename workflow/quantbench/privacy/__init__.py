"""Texts that may not leave: whose they are, and whether any of them stands in a file. Start at :func:`withheld` and :class:`Search`."""

from .owner_only import close_to_others
from .phrases import PRIVATE, QUOTED, Lengths, Phrases, Text
from .search import Finding, Search
from .shared_files import REPORT, Homes, run_files
from .texts import given_texts, known_phrases, withheld_texts
from .withholding import Withheld, withheld

__all__ = [
    "PRIVATE",
    "QUOTED",
    "REPORT",
    "Finding",
    "Homes",
    "Lengths",
    "Phrases",
    "Search",
    "Text",
    "Withheld",
    "close_to_others",
    "given_texts",
    "known_phrases",
    "run_files",
    "withheld",
    "withheld_texts",
]
