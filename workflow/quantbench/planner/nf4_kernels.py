"""How bitsandbytes 0.50 multiplies by an NF4 matrix on CUDA: by a kernel of its own, or by a 16-bit copy of the whole matrix.

Its own kernel needs no copy, and is taken for few rows. How few depends on the matrix and on the GPU: the rule restated here is
``_gemm_4bit_use_custom_cuda`` of ``bitsandbytes/backends/cuda/ops.py``, for 16-bit numbers on the compute capabilities
that :data:`.gpus.GPUS` has. The tests hold it against the installed library's.
"""

from __future__ import annotations

from dataclasses import dataclass

from .gpus import Gpu

# Up to so many rows its own kernel is taken in any case, and beyond so many never.
_ALWAYS, _NEVER_ABOVE = 4, 1536
# Of a matrix of at least _SMALL weights never beyond so many rows.
_LARGE_NEVER_ABOVE, _SMALL = 512, 4 * 1024 * 1024
# Rows of so many a block of the kernel's outputs, which one multiprocessor computes at a time.
_OUTPUTS_A_TILE = 64
# Inputs that are no multiple of a block of scales are always copied.
_BLOCK = 64
AMPERE, ADA, HOPPER = (8, 0), (8, 9), (9, 0)


@dataclass(frozen=True)
class Matrix:
    """Sides of a linear layer's weights."""

    outputs: int
    inputs: int

    @property
    def size(self) -> int:
        """Its weights."""
        return self.outputs * self.inputs


def copies(matrix: Matrix, rows: int, gpu: Gpu) -> bool:
    """Whether ``rows`` rows are multiplied by a 16-bit copy of the matrix; other capabilities are taken to copy early."""
    if rows <= _ALWAYS and matrix.inputs % _BLOCK == 0:
        return False
    if rows > _NEVER_ABOVE or matrix.inputs % _BLOCK:
        return True
    if gpu.capability not in (AMPERE, ADA, HOPPER):
        return True
    case = _Case(matrix, rows, gpu)
    if matrix.size < _SMALL:
        return rows > case.most_of_small()
    if rows > _LARGE_NEVER_ABOVE:
        return True
    return case.copies_few() if rows < 8 else rows > case.most_of_large()


@dataclass(frozen=True)
class _Case:
    """One product; the rule compares tiles of outputs with multiprocessors, and the matrix's sides with each other."""

    matrix: Matrix
    rows: int
    gpu: Gpu

    @property
    def _tiles(self) -> int:
        return -(-self.matrix.outputs // _OUTPUTS_A_TILE)

    def _waves(self, least: float) -> bool:
        """Whether the tiles occupy each multiprocessor at least so often."""
        return self._tiles >= least * self.gpu.multiprocessors

    @property
    def _tall(self) -> bool:
        """Whether a matrix has at least as many inputs as outputs."""
        return self.matrix.inputs >= self.matrix.outputs

    def most_of_small(self) -> int:
        """Most rows that a matrix of less than 4 Mi weights multiplies without a copy."""
        outputs, inputs, tiles, units = self.matrix.outputs, self.matrix.inputs, self._tiles, self.gpu.multiprocessors
        ampere, ada = self.gpu.capability == AMPERE, self.gpu.capability == ADA
        if inputs * 2 < outputs:
            if not ada:
                low = tiles * 3 < units
                return (1536 if low else 512) if ampere else (512 if low else 320)
            return 192 if not self._waves(1) and tiles * inputs > units * 320 else 320
        if tiles * 4 <= units:
            if ampere:
                return (32 if tiles * 8 <= units else 128) if self._tall else 384
            return 23 if self._tall and ada else 32
        return 16 if tiles * 2 <= units else 0

    def copies_few(self) -> bool:
        """Whether five to seven rows of a larger matrix need a copy."""
        tiles, units = self._tiles, self.gpu.multiprocessors
        if self.gpu.capability == ADA or self.rows < 6 or tiles < (36 if self.gpu.capability == HOPPER else 48):
            return False
        three_quarters, three_fifths = tiles * 4 < units * 3, tiles * 5 < units * 3
        if self.matrix.inputs > self.matrix.outputs:
            return three_quarters
        if self.matrix.inputs < self.matrix.outputs:
            return False
        return three_fifths if self.gpu.capability == AMPERE else three_quarters and not three_fifths

    def most_of_large(self) -> int:
        """Most rows, from eight on, that a larger matrix multiplies without a copy."""
        return {AMPERE: self._most_on_ampere, ADA: self._most_on_ada, HOPPER: self._most_on_hopper}[
            self.gpu.capability
        ]()

    def _most_on_ampere(self) -> int:
        outputs, inputs, tiles, units = self.matrix.outputs, self.matrix.inputs, self._tiles, self.gpu.multiprocessors
        if self._waves(3):
            return 128
        if self._waves(1):
            return 32 if self._tall else 64
        if inputs >= outputs * 3 and tiles * 4 > units:
            return 0
        if inputs == outputs and tiles >= 48 and tiles * 5 < units * 3:
            return 0
        if tiles * 2 < units:
            if inputs <= outputs:
                return 128
            if tiles * 3 >= units:
                return 0
        return 128 if tiles >= units // 2 and not self._tall else 16

    def _most_on_hopper(self) -> int:
        tiles, units = self._tiles, self.gpu.multiprocessors
        for waves, rows in ((3, 64), (2, 48), (1, 32)):
            if self._waves(waves):
                return rows
        if tiles < units // 2:
            return 0
        return 0 if self._tall and tiles * 4 < units * 3 else 16

    def _most_on_ada(self) -> int:
        outputs, inputs, tiles, units = self.matrix.outputs, self.matrix.inputs, self._tiles, self.gpu.multiprocessors
        twice = inputs > outputs * 2
        if self._waves(3):
            return 256
        if self._waves(2):
            return 128
        if tiles * 5 >= units * 4:
            if twice or tiles >= 200:
                return 128
            return (128 if units >= 60 else 32) if self._tall else 64
        if tiles >= units // 2:
            return 64 if twice else 8 if tiles >= 64 else 32
        if inputs > outputs and tiles <= 48:
            return 12 if inputs >= outputs * 3 else 10
        return 16 if twice or tiles < 48 else 8
