"""What stands in the models folder: beside a model, in a quantized checkpoint, and as makers publish it."""

from __future__ import annotations

from typing import ClassVar

from pydantic import ConfigDict, Field

from ..config import PrecisionEntry, RemoteFile
from .contract import Contract, Lookup, Part
from .machine import DeviceFacts, Software


class Receipt(Contract):
    """What retrieving a model leaves: the commit and the SHA-256 of each file."""

    path: ClassVar[str] = "resources/models/<model>.json"

    model: str
    hub_id: str
    requested: str = Field(description="the branch, tag or commit that was asked for")
    revision: str = Field(description="the commit that was fetched")
    files: dict[str, str] = Field(description="file -> SHA-256, after conversion to safetensors")


class Released(Contract):
    """The full weights of a model were freed, since its quantized checkpoints take their place."""

    path: ClassVar[str] = "resources/models/<model>.released.json"

    model: str
    freed_bytes: int
    freed: str = Field(description="when, ISO 8601 in UTC")


class CheckpointPrecision(Part):
    """What of a precision a quantized checkpoint depends on."""

    method: str
    settings: dict[str, bool | int | float | str] = Field(description="arguments of the library's configuration")

    @classmethod
    def of(cls, precision: PrecisionEntry) -> CheckpointPrecision:
        """Of a configured precision."""
        return cls(method=precision.method, settings=precision.settings)

    @property
    def as_text(self) -> str:
        """In words, for messages."""
        return f"{self.method} {self.settings}"


class MadeWith(Software):
    """The software and the devices that quantized."""

    device: DeviceFacts


class CheckpointManifest(Contract):
    """A quantized checkpoint: what it was made from, how, and the SHA-256 of each of its files."""

    path: ClassVar[str] = "resources/models/quantized/<model>/<precision>/manifest.json"

    model: str
    hub_id: str | None = Field(description="null for a local folder")
    revision: str | None = Field(description="commit on the hub; null for a local folder")
    source_files: dict[str, str] = Field(description="file of the full model -> SHA-256")
    licence: str
    precision: CheckpointPrecision
    dtype: str = Field(description="number format of what is not quantized")
    made_on: str = Field(description="`cuda` or `cpu`")
    made_with: MadeWith
    seconds: float
    bytes: int = Field(description="of all its files")
    files: dict[str, str] = Field(description="file -> SHA-256")


class LocalManifest(Contract):
    """The ``manifest.json`` a local model folder may come with, such as an exported checkpoint; the rest is not read."""

    model_config = ConfigDict(extra="ignore")

    files: dict[str, str] | None = Field(default=None, description="file -> SHA-256")


class Conversion(Part):
    """What a pickled file of weights became."""

    published: RemoteFile = Field(description="size and hash of the pickled file")
    became: str = Field(description="the file in safetensors")
    sha256: str = Field(description="of that file")


class Conversions(Lookup[Conversion]):
    """Pickled files of a model folder that were converted: file -> what it became."""

    path: ClassVar[str] = "resources/models/<model>/.converted.json"


class HashedFiles(Lookup[str]):
    """SHA-256 of each model file that was read: name, size and time of change -> hash."""

    path: ClassVar[str] = "../.verified/<model>-<folder>.json"


class PublishedConfig(Contract):
    """The facts of a maker's ``config.json`` that the catalogue states too; null where it says nothing."""

    model_config = ConfigDict(extra="ignore")

    num_hidden_layers: int | None = None
    hidden_size: int | None = None
    num_attention_heads: int | None = None
    num_key_value_heads: int | None = Field(default=None, description="absent where every attention head has its own")
    intermediate_size: int | None = None
    vocab_size: int | None = None
    max_position_embeddings: int | None = None
    tie_word_embeddings: bool | None = None


class TensorIndex(Contract):
    """The index of weights in several files; what is beside the map goes through unread."""

    model_config = ConfigDict(extra="allow")

    weight_map: dict[str, str] = Field(description="tensor -> file")
