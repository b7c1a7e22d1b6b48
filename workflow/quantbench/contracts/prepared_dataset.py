"""Where a dataset comes from: ``retrieved.json`` of its download, ``dataset.json`` of its preparation."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from ..config.entries import Split
from .contract import Contract, Part, unknown
from .records import Unit


class SourceFile(Part):
    """One published file that samples or worked examples were read from."""

    name: str
    sha256: str
    rows: int = Field(description="records in the file")


class PreparedDataset(Contract):
    """A prepared dataset: its source files, checksums and counts. Written last, after samples and worked examples."""

    path: ClassVar[str] = "datasets/<dataset>/dataset.json"

    dataset: str
    files: dict[Split, SourceFile] = Field(description="split -> the file it was read from")
    limit: int | None = Field(description="test samples asked for; null: all")
    seed: int = Field(description="of the limit and of the worked examples")
    samples: int = Field(description="test samples written")
    unit: Unit | None = Field(
        default=None,
        exclude_if=unknown,
        description="what their `group` names, which intervals take as independent: `document`, or what a sample is where its document "
        "is not known; left out in files of before it was said",
    )
    units: int | None = Field(
        default=None, exclude_if=unknown, description="how many of them the test samples are from"
    )
    label_counts: dict[str, int] = Field(description="label or stratum -> its test samples")
    shots: int = Field(description="worked examples written")
    samples_sha256: str | None = Field(default=None, description="of `samples.jsonl`")
    shots_sha256: str | None = Field(default=None, description="of `shots.jsonl`")


class DownloadedDataset(Contract):
    """The receipt of a download, written last."""

    path: ClassVar[str] = "resources/datasets/<dataset>/retrieved.json"

    dataset: str
    files: dict[str, str] = Field(description="file -> SHA-256")
