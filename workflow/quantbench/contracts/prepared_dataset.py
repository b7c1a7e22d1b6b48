"""``dataset.json``: where a prepared dataset comes from."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from ..config.entries import Split
from .contract import Contract, Part


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
    label_counts: dict[str, int] = Field(description="label or stratum -> its test samples")
    shots: int = Field(description="worked examples written")
    samples_sha256: str | None = Field(default=None, description="of `samples.jsonl`")
    shots_sha256: str | None = Field(default=None, description="of `shots.jsonl`")
