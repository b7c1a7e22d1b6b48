"""When NF4 is multiplied without a copy of the matrix: against the installed library's own rule."""

from __future__ import annotations

import ast
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from quantbench.planner.gpus import GPUS
from quantbench.planner.nf4_kernels import Matrix, copies

ROWS = [*range(1, 36), 47, 48, 49, 63, 64, 65, 95, 96, 97, 127, 128, 129, 191, 192, 193, 255, 256, 257]
ROWS += [319, 320, 321, 383, 384, 385, 511, 512, 513, 997, 1536, 1537, 4000]
SIDES = [64, 128, 256, 512, 1024, 1152, 2048, 2560, 3072, 3584, 4096, 4608, 5120, 6912, 8192, 10240, 11008]
SIDES += [13824, 14336, 15360, 18944, 22016, 27648, 28672, 29568, 35840, 152064]


def library_rule(multiprocessors: int, capability: tuple[int, int]) -> Any:
    """The installed bitsandbytes' function, read from its source: importing it needs its CUDA library."""
    torch = pytest.importorskip("torch")
    found = find_spec("bitsandbytes")
    assert found is not None and found.origin is not None
    module = ast.parse((Path(found.origin).parent / "backends/cuda/ops.py").read_text())
    name = "_gemm_4bit_use_custom_cuda"
    (function,) = (node for node in module.body if isinstance(node, ast.FunctionDef) and node.name == name)
    function.decorator_list = []
    space: dict[str, Any] = {
        "torch": torch,
        "_GEMM_4BIT_CUSTOM_FLOOR_M": 4,
        "_gpu_dispatch_props": lambda _: (multiprocessors, *capability),
    }
    exec(compile(ast.Module([function], []), "ops.py", "exec"), space)
    return lambda rows, matrix: space[name](0, torch.float16, rows, matrix.outputs, matrix.inputs)


@pytest.mark.parametrize("name", ["rtx4090", "a100-40gb", "l40s", "h100-80gb"])
def test_the_rule_is_the_librarys(name: str) -> None:
    gpu = GPUS[name]
    own_kernel = library_rule(gpu.multiprocessors, gpu.capability)
    for matrix in (Matrix(outputs, inputs) for outputs in SIDES for inputs in SIDES):
        for rows in ROWS:
            expected = rows > 1536 or not own_kernel(rows, matrix)
            assert copies(matrix, rows, gpu) == expected, (matrix, rows)


def test_the_rows_beyond_which_it_always_copies_are_the_librarys() -> None:
    found = find_spec("bitsandbytes")
    if found is None or found.origin is None:
        pytest.skip("no bitsandbytes")
    text = (Path(found.origin).parent / "backends/cuda/ops.py").read_text()
    assert "_gemm_4bit_custom_max_m = 1536" in text
    assert "_GEMM_4BIT_CUSTOM_FLOOR_M = 4" in text


def test_rows_of_no_whole_block_are_copied() -> None:
    assert copies(Matrix(128, 100), 1, GPUS["a100-40gb"])
