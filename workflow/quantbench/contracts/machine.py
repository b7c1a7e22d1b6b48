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
    mig_profiles: list[str] | None = Field(
        default=None,
        exclude_if=unknown,
        description="of MIG slices: profile of each, such as `3g.20gb`; whole GPUs have none",
    )
    compute_capabilities: list[str] | None = Field(
        default=None, exclude_if=unknown, description="of each GPU, such as `9.0`: which instructions it knows"
    )
    driver: str | None = Field(
        default=None, description="version of NVIDIA's driver; null on CPU, and where it does not tell"
    )
    driver_cuda: str | None = Field(
        default=None, exclude_if=unknown, description="the newest CUDA that the driver supports, such as `13.0`"
    )
    torch_cuda: str | None = Field(
        default=None, exclude_if=unknown, description="the CUDA that torch was built for, such as `12.6`"
    )

    def is_alike(self, other: DeviceFacts) -> bool:
        """Whether times and joules on the two can be compared: the same processor, or GPUs of the same kind under the same CUDA.

        The kind of a GPU is its name, its compute capability and, of a part of one, its profile. CUDA is that of the driver and that
        torch was built for, whose libraries multiply.

        How many GPUs they are may differ, since needing fewer is what quantization is for. What only one of the two says, since it
        is of before that was recorded, does not tell them apart.
        """
        if (self.kind, set(self.names)) != (other.kind, set(other.names)):
            return False
        stated = zip(self._stated(), other._stated(), strict=True)
        return all(one == two for one, two in stated if one is not None and two is not None)

    def _stated(self) -> list[str | set[str] | None]:
        """What two devices must agree in where both state it."""
        several = (self.multiplies, self.mig_profiles, self.compute_capabilities)
        return [
            *(self.processor, self.driver, self.torch_cuda),
            *(None if named is None else set(named) for named in several),
        ]


class Software(Part):
    """Versions that matter, and the commit of the checkout."""

    python: str
    packages: dict[str, str | None] = Field(description="package -> version; null where it is not installed")
    git_commit: str | None = Field(
        default=None, description="`-dirty` where tracked files differ from it; null outside a checkout"
    )
