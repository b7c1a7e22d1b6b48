"""One compressed file with what a run left, from which its tables, figures and report are made again without torch."""

from ..contracts.bundle_index import Index
from .index import FORMAT, INDEX, check_index
from .opening import check_bundle, open_bundle
from .packing import pack
from .state import figures_unchanged, restore_texts, unscored

__all__ = [
    "FORMAT",
    "INDEX",
    "Index",
    "check_bundle",
    "check_index",
    "figures_unchanged",
    "open_bundle",
    "pack",
    "restore_texts",
    "unscored",
]
