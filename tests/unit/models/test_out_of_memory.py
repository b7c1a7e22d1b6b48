"""Texts with which memory runs out, as torch, CUDA's libraries, the processor's allocators and transformers write them."""

from __future__ import annotations

import errno

import pytest
import torch

from quantbench.models.out_of_memory import POSSIBLE, is_out_of_memory, shortage

GIB = 1024**3
OF_MEMORY = [
    torch.OutOfMemoryError(
        "CUDA out of memory. Tried to allocate 448.00 MiB. GPU 1 has a total capacity of 39.39 GiB of which 101.56 MiB is free. "
        "Including non-PyTorch memory, this process has 39.28 GiB memory in use."
    ),
    RuntimeError("HIP out of memory. Tried to allocate 20.00 MiB. GPU 0 has a total capacity of 15.98 GiB"),
    torch.AcceleratorError(
        "CUDA error: out of memory\nSearch for `cudaErrorMemoryAllocation' in https://docs.nvidia.com/cuda/cuda-runtime-api/",
        2,
    ),
    RuntimeError(
        "CUDA error: out of memory\nCUDA kernel errors might be asynchronously reported at some other API call"
    ),
    RuntimeError("CUDA driver error: out of memory"),  # expandable segments
    RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    RuntimeError("CUDA error: CUBLAS_STATUS_NOT_INITIALIZED when calling `cublasCreate(handle)`"),
    RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
    RuntimeError("cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED"),
    RuntimeError("cusolver error: CUSOLVER_STATUS_ALLOC_FAILED, when calling `cusolverDnCreate(handle)`"),
    RuntimeError("CUDA error: CUSPARSE_STATUS_ALLOC_FAILED when calling `cusparseCreate(handle)`"),
    RuntimeError("Triton Error [CUDA]: out of memory"),
    RuntimeError(
        'NVML_SUCCESS == r INTERNAL ASSERT FAILED at "/pytorch/c10/cuda/CUDACachingAllocator.cpp":1131, please report a bug to '
        "PyTorch."
    ),
    RuntimeError(
        "[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to allocate 940244992 "
        "bytes. Error code 12 (Cannot allocate memory)"
    ),
    RuntimeError(
        "[enforce fail at alloc_cpu.cpp:83] data. DefaultCPUAllocator: not enough memory: you tried to allocate 8 bytes."
    ),
    RuntimeError(
        "unable to mmap 4976698672 bytes from file </models/model-00001.safetensors>: Cannot allocate memory (12)"
    ),
    RuntimeError("std::bad_alloc"),
    MemoryError(),
    OSError(errno.ENOMEM, "Cannot allocate memory"),
    ValueError(
        "Some modules are dispatched on the CPU or the disk. Make sure you have enough GPU RAM to fit the quantized model. If you "
        "want to dispatch the model on the CPU or the disk while keeping these modules in 32-bit, you need to set"
    ),
]
OF_OTHER_THINGS = [
    RuntimeError("mat1 and mat2 shapes cannot be multiplied (4x8 and 9x4)"),
    RuntimeError("CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling `cublasGemmEx(handle, opa, opb)`"),
    RuntimeError("CUDA error: CUBLAS_STATUS_NOT_INITIALIZED when calling `cublasGemmEx(handle, opa, opb)`"),
    torch.AcceleratorError("CUDA error: an illegal memory access was encountered", 700),
    RuntimeError("CUDA error: too many resources requested for launch"),
    RuntimeError("CUDA-capable device(s) is/are busy or unavailable"),
    RuntimeError(
        "out of resource: shared memory, Required: 180224, Hardware limit: 101376. Reducing block sizes may help."
    ),
    RuntimeError("Expected all tensors to be on the same device, but found at least two devices, cuda:0 and cuda:1!"),
    OSError(errno.ENOSPC, "No space left on device"),
]


@pytest.mark.parametrize("error", OF_MEMORY, ids=lambda error: str(error)[:40])
def test_memory_that_ran_out_is_recognized(error: Exception) -> None:
    assert is_out_of_memory(error)
    assert isinstance(error, (*POSSIBLE, ValueError))


@pytest.mark.parametrize("error", OF_OTHER_THINGS, ids=lambda error: str(error)[:40])
def test_other_errors_are_not(error: Exception) -> None:
    assert not is_out_of_memory(error)


def test_a_real_refusal_is_recognized_with_what_was_asked_for() -> None:
    with pytest.raises(POSSIBLE) as caught:
        torch.empty(1 << 62, dtype=torch.uint8)
    assert is_out_of_memory(caught.value)
    assert shortage(caught.value).asked_bytes == 1 << 62


def test_an_error_raised_from_one_of_memory_is_one() -> None:
    with pytest.raises(RuntimeError, match="conversion") as caught:
        try:
            raise OF_MEMORY[0]
        except RuntimeError as error:
            raise RuntimeError("some issues during automatic conversion") from error
    assert is_out_of_memory(caught.value)
    with pytest.raises(RuntimeError) as hidden:
        try:
            raise OF_MEMORY[0]
        except RuntimeError:
            raise RuntimeError("the second of two tries") from None
    assert not is_out_of_memory(hidden.value)


@pytest.mark.parametrize(
    ("number", "asked", "device"), [(0, 448 / 1024 * GIB, 1), (2, None, None), (13, 940244992, None), (17, None, None)]
)
def test_what_was_asked_for_and_where_is_read_off_the_text(
    number: int, asked: float | None, device: int | None
) -> None:
    found = shortage(OF_MEMORY[number])
    assert (found.asked_bytes, found.device) == (asked, device)
    assert "\n" not in found.said
    assert found.said


def test_the_hosts_memory_is_told_from_a_gpus() -> None:
    of_host = [MemoryError(), MemoryError("Unable to allocate 4.6 GiB"), RuntimeError("std::bad_alloc")]
    assert all(shortage(error).in_host for error in of_host)
    assert not shortage(torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 MiB.")).in_host


def test_cudas_number_of_the_error_suffices() -> None:
    error = torch.AcceleratorError("CUDA error: no words for it")
    assert not is_out_of_memory(error)
    error.error_code = 2  # as torch sets it: cudaErrorMemoryAllocation
    assert is_out_of_memory(error)
