"""Typed, checked configuration. Start at :func:`load`."""

from .architecture import Architecture, Counts
from .catalogue import (
    Catalogue,
    assigned,
    data_folder,
    find_file,
    layered,
    load,
    load_datasets,
    load_models,
    read_entries,
)
from .entries import (
    AS_PUBLISHED,
    DataFile,
    DatasetEntry,
    HubDataset,
    PrecisionEntry,
    Prompting,
    Split,
    StudyEntry,
)
from .layers import CATALOGUE_VARIABLE, located, shipped_catalogue, working_root
from .lock import LOCK_FILE, LockedModel, RemoteFile, lock_text, read_lock
from .model_entry import ModelEntry
from .protocol import Examples, Prompts, ProtocolSettings, Slips
from .reasoning import FAMILIES, Reasoning
from .run import RunConfig, recorded_settings
from .vocabulary import REFERENCE, Vocabulary, is_zero_shot, reasons_first

__all__ = [
    "AS_PUBLISHED",
    "CATALOGUE_VARIABLE",
    "FAMILIES",
    "LOCK_FILE",
    "REFERENCE",
    "Architecture",
    "Catalogue",
    "Counts",
    "DataFile",
    "DatasetEntry",
    "Examples",
    "HubDataset",
    "LockedModel",
    "ModelEntry",
    "PrecisionEntry",
    "Prompting",
    "Prompts",
    "ProtocolSettings",
    "Reasoning",
    "RemoteFile",
    "RunConfig",
    "Slips",
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
    "load_models",
    "located",
    "lock_text",
    "read_entries",
    "read_lock",
    "reasons_first",
    "recorded_settings",
    "shipped_catalogue",
    "working_root",
]
