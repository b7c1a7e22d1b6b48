"""What a job ran on: its devices and its software. Parts of the manifests of cells and of quantized checkpoints."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from .contract import Part, unknown


class DeviceFacts(Part):
    """The devices a job used; of CUDA devices one name and one UUID each."""

    kind: Literal["cpu", "cuda"]
    names: list[str] = Field(description="of the processor or of each GPU, as the system reports them")
    uuids: list[str] = Field(default=[], description="of the leased GPUs; on CPU those of stand-ins, mostly none")
    processor: str | None = Field(
        default=None,
        exclude_if=unknown,
        description="on CPU: its microarchitecture, and its instructions for 16-bit products",
    )
    multiplies: list[str] | None = Field(
        default=None,
        exclude_if=unknown,
        description="on CPU: number formats that torch multiplies in hardware; others are computed in float32",
    )
    driver: str | None = Field(default=None, description="version of NVIDIA's driver; null on CPU")

    def is_alike(self, other: DeviceFacts) -> bool:
        """Whether times and joules on the two can be compared: the same processor, or GPUs of the same kind under the same driver.

        How many GPUs they are may differ, since needing fewer is what quantization is for. What only one of the two says, since it
        is of before that was recorded, does not tell them apart.
        """
        if (self.kind, set(self.names)) != (other.kind, set(other.names)):
            return False
        stated = ((self.processor, other.processor), (self.multiplies, other.multiplies), (self.driver, other.driver))
        return all(one == two for one, two in stated if one is not None and two is not None)


class Software(Part):
    """Versions that matter, and the commit of the checkout."""

    python: str
    packages: dict[str, str | None] = Field(description="package -> version; null where it is not installed")
    git_commit: str | None = Field(
        default=None, description="`-dirty` where tracked files differ from it; null outside a checkout"
    )
