"""What bitsandbytes' CUDA kernels allocate, done again with tensors that have shapes only.

On shapes the library's own operators return results and allocate nothing in between, so what their CUDA versions hold meanwhile
is written down here, from bitsandbytes 0.50: each method names its source. Whether NF4 is multiplied without a 16-bit copy of
the matrix is decided by the library's own function, read from the installed file.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import cast

import torch

from ..errors import ModelError
from ..planner import Gpu

# Columns in which an activation exceeds LLM.int8's threshold: how many depends on model and text; its authors report about
# 0.1% of all features (Dettmers et al. 2022, abstract and section 4).
OUTLIER_SHARE = 0.001
_CUDA_SOURCE = "backends/cuda/ops.py"
_RULE = "_gemm_4bit_use_custom_cuda"
_SCALES_A_BLOCK = 256

UsesOwnKernel = Callable[[int, torch.dtype, int, int, int], bool]


class BitsandbytesKernels:
    """The operators by name; each makes the tensors that its CUDA version makes, in the same order, and lets go of them.

    Args:
        gpu: the kind of GPU.
    """

    def __init__(self, gpu: Gpu) -> None:
        self._own_kernel = own_kernel_rule(gpu)
        self._most_rows = _constant("_gemm_4bit_custom_max_m")

    def __call__(self, name: str) -> Callable[..., object] | None:
        """The operator of a name, such as ``gemm_4bit``; None: the library's own version allocates what CUDA's does."""
        known: dict[str, Callable[..., object]] = {
            "gemm_4bit": self.gemm_4bit,
            "int8_vectorwise_quant": self.int8_vectorwise_quant,
            "int8_mixed_scaled_mm": self.int8_mixed_scaled_mm,
            "int8_scaled_mm": self.int8_scaled_mm,
        }
        return known.get(name)

    def gemm_4bit(
        self,
        A: torch.Tensor,  # arguments have the operator's own names, since it is called by them
        B: torch.Tensor,
        shapeB: Sequence[int],
        absmax: torch.Tensor,
        blocksize: int,
        quant_type: str,
        bias: torch.Tensor | None = None,
        absmax_8bit: torch.Tensor | None = None,
        absmax_code: torch.Tensor | None = None,
        absmax_offset: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """``backends/cuda/ops.py``: the fused kernel, or ``_dequant_linear_fallback``, by the number of rows and the matrix."""
        features = A.shape[-1]
        rows, outputs = A.numel() // features, shapeB[0]
        aligned = features % blocksize == 0
        if rows <= self._most_rows and aligned and self._own_kernel(0, A.dtype, rows, outputs, features):
            A = A.contiguous()
            return A.new_empty((*A.shape[:-1], outputs))
        if absmax_8bit is not None and absmax_offset is not None:
            unpacked = torch.empty_like(absmax_8bit, dtype=torch.float32)
            absmax = unpacked + absmax_offset  # both stay until the product is there
        matrix = A.new_empty(tuple(shapeB))
        product = torch.nn.functional.linear(A, matrix, bias)
        del absmax
        return product

    def int8_vectorwise_quant(
        self, A: torch.Tensor, threshold: float = 0.0
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]:
        """``backends/cuda/ops.py``: scales, integers, and a mask of what exceeds the threshold to find columns by."""
        rows, columns = A.numel() // A.shape[-1], A.shape[-1]
        scales = A.new_empty(rows, dtype=torch.float32)
        integers = torch.empty_like(A, dtype=torch.int8)
        if threshold <= 0:
            return integers, scales, None
        exceeding = A.abs() >= threshold
        exceeding.any()
        exceeding.any(dim=0)
        return integers, scales, A.new_empty(max(1, round(OUTLIER_SHARE * columns)), dtype=torch.int64)

    def int8_mixed_scaled_mm(
        self,
        A: torch.Tensor,
        CA: torch.Tensor,
        CB: torch.Tensor,
        SCA: torch.Tensor,
        SCB: torch.Tensor,
        outlier_cols: torch.Tensor | None = None,
        bias: torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """``backends/default/ops.py``: outlier columns of input and matrix in 16 bits, the product of the rest, and their sum."""
        assert outlier_cols is not None
        columns = outlier_cols.numel()
        inputs = A.new_empty((A.shape[0], columns))
        integers = CB.new_empty((CB.shape[0], columns))
        # `int8_vectorwise_dequant` of the same file's registry (_ops.py): by the row's scale, then by 1/127, in float32.
        matrix = (integers * SCB.view(-1, 1) * (1 / 127)).to(A.dtype).t()
        product = self.int8_scaled_mm(CA, CB, SCA, SCB, bias=bias, dtype=A.dtype)
        return product.addmm(inputs, matrix), inputs

    def int8_scaled_mm(
        self,
        A: torch.Tensor,
        B: torch.Tensor,
        row_stats: torch.Tensor,
        col_stats: torch.Tensor,
        bias: torch.Tensor | None = None,
        dtype: torch.dtype | None = None,
    ) -> torch.Tensor:
        """``backends/default/ops.py`` and ``cuda/ops.py``: sums in 32 bits, the result in float16, and in the format asked for."""
        sums = A.new_empty((*A.shape[:-1], B.shape[0]), dtype=torch.int32)
        return torch.empty_like(sums, dtype=torch.float16).to(dtype or torch.float16)


def own_kernel_rule(gpu: Gpu) -> UsesOwnKernel:
    """bitsandbytes' own rule of when it multiplies NF4 without a 16-bit copy: of (device, format, rows, outputs, inputs).

    Raises:
        ModelError: the installed release has no such function.
    """
    function = next(
        (node for node in _cuda_source().body if isinstance(node, ast.FunctionDef) and node.name == _RULE), None
    )
    if function is None:
        raise ModelError(
            f"bitsandbytes' {_CUDA_SOURCE} has no {_RULE}, by which the trace tells its kernels apart; install the release that "
            "requirements/inference.txt pins"
        )
    function.decorator_list = []  # it keeps its answers of one GPU for all
    space: dict[str, object] = {
        "torch": torch,
        "_GEMM_4BIT_CUSTOM_FLOOR_M": _constant("_GEMM_4BIT_CUSTOM_FLOOR_M"),
        "_gpu_dispatch_props": lambda _device: (gpu.multiprocessors, *gpu.capability),
    }
    exec(compile(ast.Module([function], []), _CUDA_SOURCE, "exec"), space)
    return cast(UsesOwnKernel, space[_RULE])


@cache
def _cuda_source() -> ast.Module:
    """The library's CUDA operators as text: importing them needs its CUDA library."""
    found = find_spec("bitsandbytes")
    if found is None or found.origin is None:
        raise ModelError("bitsandbytes is not installed; pip install -r requirements/inference.txt")
    return ast.parse((Path(found.origin).parent / _CUDA_SOURCE).read_text(encoding="utf-8"))


def _constant(name: str) -> int:
    """A number that the library's CUDA operators give a name, the first one where the platform decides."""
    for node in ast.walk(_cuda_source()):
        if isinstance(node, ast.Assign) and any(isinstance(to, ast.Name) and to.id == name for to in node.targets):
            value = ast.literal_eval(node.value)
            assert isinstance(value, int)
            return value
    raise ModelError(
        f"bitsandbytes' {_CUDA_SOURCE} does not define {name}; install the release that requirements/inference.txt pins"
    )
