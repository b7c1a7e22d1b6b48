"""What is measured, as configurations of the workflow: config/gpu.yaml, a tiny version of it, and half a billion weights on CPU."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml
from benchmarks.watched import REPOSITORY

from quantbench.config import Catalogue, layered, load
from quantbench.config.settings import merged
from quantbench.contracts.cell_name import Cell
from quantbench.planner import GIB, Setting, Workload
from quantbench.planner.fitting import fits
from quantbench.study.grid import run_cells
from quantbench.study.spec import cell_spec

Config = dict[str, object]
CELL_LIMIT_S = 240.0


@dataclass(frozen=True)
class MeasuredSet:
    """A configuration, the models it adds to the catalogue, and how its cells run.

    Attributes:
        config: the whole configuration.
        models: entries of stand-ins that no catalogue has, by name.
        engines: model and precision for which engines and peers are compared; None: for none.
        alone: every cell in a process of its own, so that its resident memory holds nothing of another's.
    """

    config: Config
    models: Mapping[str, Config]
    engines: tuple[str, str] | None
    alone: bool = False

    def write(self, folder: Path) -> None:
        """Write the added entries where a worker that runs in ``folder`` finds them."""
        for name, entry in self.models.items():
            path = folder / "config/models" / f"{name}.yaml"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(yaml.safe_dump(entry), encoding="utf-8")

    def catalogue(self, folder: Path) -> Catalogue:
        """The checked configuration."""
        return load(folder, self.config, "the measured set")


def measured_set(name: str, device: str, threads: int) -> MeasuredSet:
    """The set of a name: ``gpu``, ``tiny`` or ``half``."""
    demo = {"data": {"folder": str(REPOSITORY / "resources/demo/datasets")}}
    here = {"hardware": {"device": device, "threads": threads, "warm_start": False}}
    config = merged(merged(layered(REPOSITORY, [REPOSITORY / "config/gpu.yaml"]), demo), here)
    if name == "gpu":
        return MeasuredSet(config, {}, ("qwen2.5-7b", "full"))
    if name == "tiny":
        small: Config = {"models": ["tiny-qwen", "tiny-phi"], "limit": 4, "inference": {"max_new_tokens": 5}}
        small |= {"random_weights": {"prompt_tokens": 60}, "measurement": {"latency_samples": 2}}
        models = {f"tiny-{kind}": _stand_in(f"Tiny {kind}", family, **_TINY) for kind, family in _FAMILIES.items()}
        return MeasuredSet(merged(config, small), models, ("tiny-qwen", "full"))
    half: Config = {"models": ["half-billion"], "precisions": list(ARMS), "limit": 2}
    half |= {"inference": {"max_new_tokens": 4}, "random_weights": {"prompt_tokens": 64}}
    models = {"half-billion": _stand_in("Qwen2.5-0.5B", "qwen2", **_HALF)}
    return MeasuredSet(merged(config, half), models, None, alone=True)


def cells(catalogue: Catalogue) -> list[Cell]:
    """The set's cells, models in the order of the configuration: what tells most comes first, in case time runs out."""
    order = list(catalogue.run.models)
    return sorted(run_cells(catalogue), key=lambda cell: order.index(cell.model))


def setting(catalogue: Catalogue, cell: Cell, batch: int = 1) -> Setting:
    """What the planner plans for one prompt of a cell, or for ``batch`` of them at once."""
    spec = cell_spec(catalogue, cell)
    assert spec.prompt_tokens is not None  # every set fixes the length of its prompts
    return Setting(spec.model, spec.precision, Workload(spec.prompt_tokens, spec.max_new_tokens, batch))


def too_large(catalogue: Catalogue, cell: Cell, memory_bytes: int | None) -> str | None:
    """Why a cell cannot run on a device, by the planner; None where it can (or the device's memory is unknown)."""
    if memory_bytes is None or fits(setting(catalogue, cell), memory_bytes / GIB):
        return None
    return f"planned not to fit on {memory_bytes / GIB:.1f} GiB"


ARMS = ("full", "w8a16", "w8a16-t0", "int8wo", "w4a16", "w4a16-bf16")
_FAMILIES = {"qwen": "qwen2", "phi": "phi3"}
_TINY = {
    "layers": 3,
    "hidden_size": 128,
    "attention_heads": 4,
    "key_value_heads": 2,
    "intermediate_size": 384,
    "vocab_size": 1000,
    "tied_head": False,
}
# config.json of Qwen/Qwen2.5-0.5B-Instruct.
_HALF = {
    "layers": 24,
    "hidden_size": 896,
    "attention_heads": 14,
    "key_value_heads": 2,
    "intermediate_size": 4864,
    "vocab_size": 151936,
    "tied_head": True,
}


def _stand_in(title: str, family: str, **facts: object) -> Config:
    shared = {"domain": "general", "chat_template": "tokenizer", "full_dtype": "bfloat16", "licence": "none"}
    architecture = {"context_length": 4096, **facts}
    return {"title": title, "family": family, "weights": "random", "architecture": architecture, **shared}
