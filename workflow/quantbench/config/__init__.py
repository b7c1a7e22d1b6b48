"""Typed, checked configuration. Start at :func:`load`."""

from .catalogue import (
    CATALOGUE_VARIABLE,
    Catalogue,
    assigned,
    data_folder,
    find_file,
    layered,
    load,
    load_datasets,
    located,
    read_entries,
    shipped_catalogue,
    working_root,
)
from .entries import (
    Architecture,
    DataFile,
    DatasetEntry,
    HubDataset,
    ModelEntry,
    PrecisionEntry,
    Prompting,
    Split,
    StudyEntry,
)
from .lock import LOCK_FILE, LockedModel, RemoteFile, lock_text, read_lock
from .run import RunConfig, recorded_settings
from .vocabulary import REFERENCE, Vocabulary, is_zero_shot

__all__ = [
    "CATALOGUE_VARIABLE",
    "LOCK_FILE",
    "REFERENCE",
    "Architecture",
    "Catalogue",
    "DataFile",
    "DatasetEntry",
    "HubDataset",
    "LockedModel",
    "ModelEntry",
    "PrecisionEntry",
    "Prompting",
    "RemoteFile",
    "RunConfig",
    "Split",
    "StudyEntry",
    "Vocabulary",
    "assigned",
    "data_folder",
    "find_file",
    "is_zero_shot",
    "layered",
    "load",
    "load_datasets",
    "located",
    "lock_text",
    "read_entries",
    "read_lock",
    "recorded_settings",
    "shipped_catalogue",
    "working_root",
]
