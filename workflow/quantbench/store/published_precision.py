"""Whether a model's files hold the weights that its entry promises: whole, and quantized by their maker or not.

A folder that comes quantized would load at every precision, with the same weights each time and nothing to show for it.
So an ordinary model is refused where its files say that they are quantized, and a model of ``precision: as_published``
where they do not.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from pydantic import JsonValue

from ..config import AS_PUBLISHED, ModelEntry
from ..contracts.files import read_json
from ..contracts.model_folder import PublishedConfig
from ..errors import ModelError, shorten

_ADAPTER = ("adapter_config.json", "adapter_model.safetensors", "adapter_model.bin")
# Where quantizers of earlier days, and others than transformers, write what config.json leaves out.
_BESIDE = ("quantize_config.json", "quant_config.json", "hf_quant_config.json")
# Method -> the module transformers loads such weights with, and the package that brings it.
_PACKAGES: dict[str, tuple[tuple[str, str], ...]] = {
    "aqlm": (("aqlm", "aqlm"),),
    "auto-round": (("auto_round", "auto-round"),),
    "awq": (("gptqmodel", "gptqmodel"),),
    "bitsandbytes": (("bitsandbytes", "bitsandbytes"),),
    "compressed-tensors": (("compressed_tensors", "compressed-tensors"),),
    "eetq": (("kernels", "kernels"),),
    "fbgemm_fp8": (("fbgemm_gpu", "fbgemm-gpu"),),
    "fp_quant": (("fp_quant", "fp_quant"),),
    "gptq": (("optimum", "optimum"), ("gptqmodel", "gptqmodel")),
    "hqq": (("hqq", "hqq"),),
    "mxfp4": (("kernels", "kernels"),),
    "quanto": (("optimum.quanto", "optimum-quanto"),),
    "quark": (("quark", "amd-quark"),),
    "spqr": (("spqr_quant", "spqr_quant"),),
    "torchao": (("torchao", "torchao"),),
    "vptq": (("vptq", "vptq"),),
}


def refuse_adapter(folder: Path, name: str) -> None:
    """Refuse a folder with an adapter: on its own it is no model, and beside whole weights it may be applied or not.

    Raises:
        ModelError: names the file, the model it was trained on, and what to do.
    """
    path = next((folder / file for file in _ADAPTER if (folder / file).exists()), None)
    if path is None:
        return
    facts = read_json(path) if path.suffix == ".json" else {}
    base = f" of {facts['base_model_name_or_path']!r}" if "base_model_name_or_path" in facts else ""
    raise ModelError(
        f"{path}: model {name!r} is an adapter{base}, which is not loaded as a model; merge it into its base model (PEFT: "
        "merge_and_unload, then save_pretrained) and name that folder, or delete the adapter's files where the weights beside "
        "them are merged already"
    )


def check_published_precision(folder: Path, name: str, entry: ModelEntry, here: bool = True) -> None:
    """Refuse files that are quantized where the entry says nothing of it, and the other way round.

    Args:
        folder: the model's.
        name: what it is called.
        entry: says whether it was published quantized.
        here: whether it is to be loaded in this environment, whose packages are looked at then.

    Raises:
        ModelError: names file, field and value, or the package that such weights need and that is not installed.
        DataError: unreadable ``config.json``.
    """
    path = folder / "config.json"
    config = PublishedConfig.read(path)
    if entry.precision == AS_PUBLISHED:
        if config.quantization is None:
            raise ModelError(
                f"config/models/{name}.yaml: precision is {AS_PUBLISHED}, and {path} has no quantization_config, by which "
                "transformers knows quantized weights; take 'precision' out, or name the quantized model"
            )
        if here:
            _check_packages(path, config.quantization)
        return
    found = _said_quantized(folder, config)
    if found is not None:
        raise ModelError(
            f"{found}: the weights of model {name!r} are quantized already, so that full, w8a16 and w4a16 would be one and "
            f"the same; name the model they were made from, or give config/models/{name}.yaml 'precision: {AS_PUBLISHED}'"
        )


def published_method(folder: Path) -> str:
    """The method by which a model's published weights are quantized; ``none``: they are not.

    Raises:
        DataError: unreadable ``config.json``.
    """
    stated = PublishedConfig.read(folder / "config.json").quantization
    return "none" if stated is None else str(method_of(stated))


def method_of(quantization: Mapping[str, JsonValue]) -> str | None:
    """The quantization method of a ``quantization_config``, None where it names none; bitsandbytes' own did not always name itself."""
    stated = quantization.get("quant_method")
    if stated is None:
        return "bitsandbytes" if "load_in_4bit" in quantization else None
    return str(stated)


def _said_quantized(folder: Path, config: PublishedConfig) -> str | None:
    """File, field and value that say that weights are quantized; None: nothing does."""
    if config.quantization is not None:
        field = "compression_config" if config.quantization is config.compression_config else "quantization_config"
        return f"{folder / 'config.json'}: {field} has quant_method {method_of(config.quantization)!r}"
    for file in _BESIDE:
        if (folder / file).exists():
            return f"{folder / file}: {shorten(read_json(folder / file))}"
    return None


def _check_packages(path: Path, quantization: Mapping[str, JsonValue]) -> None:
    method = str(method_of(quantization))
    missing = [package for module, package in _PACKAGES.get(method, ()) if not _installed(module)]
    if missing:
        raise ModelError(
            f"{path}: quantization_config has quant_method {method!r}, which is loaded with {' and '.join(missing)}, not "
            f"installed here; pip install {' '.join(missing)} where cells run"
        )


def _installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # its parent is not there
        return False
