"""What stands in the models folder: beside a model, in a quantized checkpoint, and as makers publish it."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar

from pydantic import AliasChoices, ConfigDict, Field, JsonValue, field_serializer, field_validator

from ..config import ModelEntry, PrecisionEntry, RemoteFile
from ..errors import shorten
from .contract import Contract, Part
from .machine import DeviceFacts, Software

# Of a file of weights, as every tool writes it: no separators, no leading dot.
_FILE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+=-]{0,200}\.(safetensors|bin)")


def _named(*names: str) -> AliasChoices:
    """A fact that families call differently."""
    return AliasChoices(*names)


class Receipt(Contract):
    """What retrieving a model leaves: the commit and the SHA-256 of each file."""

    path: ClassVar[str] = "resources/models/<model>.json"

    model: str
    hub_id: str
    requested: str = Field(description="the branch, tag or commit that was asked for")
    revision: str = Field(description="the commit that was fetched")
    files: dict[str, str] = Field(description="file -> SHA-256, after conversion to safetensors")

    def answers(self, entry: ModelEntry) -> bool:
        """Whether what was fetched is what an entry asks for now."""
        return (self.hub_id, self.requested) == (entry.hub_id, entry.revision)


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

    path: ClassVar[str] = "resources/models/<local model>/manifest.json"
    model_config = ConfigDict(extra="ignore")

    files: dict[str, str] | None = Field(default=None, description="file -> SHA-256")


class Conversion(Part):
    """What a pickled file of weights became."""

    published: RemoteFile = Field(description="size and hash of the pickled file")
    became: str = Field(description="the file in safetensors")
    sha256: str = Field(description="of that file")

    @field_serializer("published")
    def _what_is_stated(self, published: RemoteFile) -> dict[str, JsonValue]:
        return published.model_dump(exclude_none=True)


class Conversions(Contract):
    """Pickled files of a model folder that were converted to safetensors."""

    path: ClassVar[str] = "resources/models/<model>/.converted.json"
    whole: ClassVar[str] = "files"

    files: dict[str, Conversion] = Field(description="the whole file: pickled file -> what it became")


class HashedFiles(Contract):
    """The model files that were hashed, so that each is read again only once it changed."""

    path: ClassVar[str] = "../.verified/<model>-<folder>.json"
    whole: ClassVar[str] = "hashes"

    hashes: dict[str, str] = Field(description="the whole file: name, size and time of change -> SHA-256")


class PublishedConfig(Contract):
    """The facts of a maker's ``config.json`` that the catalogue states too; null where it says nothing.

    Of several models in one, the text model's, which stand in a section of their own; some families have other names.
    """

    path: ClassVar[str] = "resources/models/<model>/config.json"
    remedy: ClassVar[str] = "retrieve the model again, or correct the file"
    # transformers takes no "64" for 64 either.
    model_config = ConfigDict(extra="allow", strict=True, validate_by_name=True, validate_by_alias=True)

    model_type: str | None = None
    auto_map: dict[str, JsonValue] | None = Field(
        default=None,
        description="code that the model brings, for each of transformers' classes; none of it is ever run",
    )
    num_hidden_layers: int | None = Field(default=None, validation_alias=_named("num_hidden_layers", "n_layer"))
    hidden_size: int | None = Field(default=None, validation_alias=_named("hidden_size", "n_embd"))
    num_attention_heads: int | None = Field(default=None, validation_alias=_named("num_attention_heads", "n_head"))
    num_key_value_heads: int | None = Field(default=None, description="absent where every attention head has its own")
    head_dim: int | None = None
    intermediate_size: int | None = Field(default=None, validation_alias=_named("intermediate_size", "n_inner"))
    vocab_size: int | None = None
    max_position_embeddings: int | None = Field(
        default=None, validation_alias=_named("max_position_embeddings", "n_positions")
    )
    tie_word_embeddings: bool | None = None
    text_config: dict[str, JsonValue] | None = Field(default=None, description="the same of the text model of several")
    quantization_config: dict[str, JsonValue] | None = Field(
        default=None, description="how the published weights are quantized; absent where they are not"
    )
    compression_config: dict[str, JsonValue] | None = Field(
        default=None, description="the same, as compressed-tensors called it before"
    )

    @property
    def quantization(self) -> dict[str, JsonValue] | None:
        """How the published weights are quantized, those of the text model of several included; None: they are not."""
        inner = (self.text_config or {}).get("quantization_config")
        stated = self.compression_config if self.quantization_config is None else self.quantization_config
        return inner if stated is None and isinstance(inner, dict) else stated

    @property
    def of_text(self) -> PublishedConfig:
        """The facts of the model that continues text."""
        return PublishedConfig.checked(self.text_config, "config.json, text_config") if self.text_config else self

    @property
    def further(self) -> dict[str, JsonValue]:
        """What else the file states."""
        return self.model_extra or {}


class PublishedGeneration(Contract):
    """What of a maker's ``generation_config.json`` is heeded: the tokens that end an answer, beside the tokenizer's own."""

    path: ClassVar[str] = "resources/models/<model>/generation_config.json"
    remedy: ClassVar[str] = "retrieve the model again, or correct the file"
    model_config = ConfigDict(extra="allow", strict=True)

    eos_token_id: list[int] = Field(default=[], description="one token, or several")

    @field_validator("eos_token_id", mode="before")
    @classmethod
    def _several(cls, stated: JsonValue) -> JsonValue:
        return stated if isinstance(stated, list) else [] if stated is None else [stated]


class TensorHeader(Contract):
    """One tensor as the header of a safetensors file states it."""

    path: ClassVar[str] = "resources/models/<model>/*.safetensors"
    remedy: ClassVar[str] = "retrieve or copy the file again"

    dtype: str = Field(description="`BF16`, `F32`, `I8` and so on")
    shape: tuple[Annotated[int, Field(ge=0)], ...]
    data_offsets: tuple[int, int] = Field(description="where its bytes begin and end, counted from the header's end")


class TensorIndex(Contract):
    """The index of weights in several files; what is beside the map goes through unread."""

    path: ClassVar[str] = "resources/models/<model>/model.safetensors.index.json"
    remedy: ClassVar[str] = "retrieve the model again"
    model_config = ConfigDict(extra="allow")

    weight_map: dict[str, str] = Field(description="tensor -> file beside the index")

    @field_validator("weight_map")
    @classmethod
    def _beside_it(cls, stated: dict[str, str]) -> dict[str, str]:
        for file in dict.fromkeys(stated.values()):
            if not _FILE_NAME.fullmatch(file):
                raise ValueError(
                    f"it names {shorten(file)}, which is no name of a file of weights beside the index; another folder is never read"
                )
        return stated
