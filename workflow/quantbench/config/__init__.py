"""Typed, checked configuration. Start at :func:`load`."""

from .catalogue import Catalogue, data_folder, find_file, load, load_datasets, read_entries
from .entries import Architecture, DataFile, DatasetEntry, ModelEntry, PrecisionEntry, Prompting, Split, StudyEntry
from .run import RunConfig

__all__ = [
    "Architecture",
    "Catalogue",
    "DataFile",
    "DatasetEntry",
    "ModelEntry",
    "PrecisionEntry",
    "Prompting",
    "RunConfig",
    "Split",
    "StudyEntry",
    "data_folder",
    "find_file",
    "load",
    "load_datasets",
    "read_entries",
]
