"""What is measured: the models at each precision on a GPU, a tiny version for CPU, and half a billion weights on CPU."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from quantbench.config import Architecture, ModelEntry, PrecisionEntry
from quantbench.planner import Setting, Workload
from quantbench.planner.fitting import fits

PAPERS = ("full", "w8a16", "w4a16")
ARMS = ("full", "w8a16", "w8a16-t0", "int8wo", "w4a16", "w4a16-bf16")


@dataclass(frozen=True)
class Job:
    """One model at one precision."""

    model: str
    precision: str


@dataclass(frozen=True)
class QualityPass:
    """A batch of prompts that share their first tokens, as those of a study do."""

    samples: int
    prompt_tokens: int
    shared_tokens: int


@dataclass(frozen=True)
class MeasuredSet:
    """Jobs in order of priority, and what each one generates.

    ``engines`` is the job for which engines and peers are compared; a process measures ``jobs_a_process`` jobs, one where
    a job's resident memory must not hold what an earlier one left.
    """

    models: Mapping[str, ModelEntry]
    jobs: tuple[Job, ...]
    prompt_tokens: tuple[int, ...]
    new_tokens: int
    quality: QualityPass
    engines: Job | None = None
    samples: int = 2
    warmup: int = 1
    jobs_a_process: int = field(default=1000)

    def settings(self) -> dict[str, object]:
        """What every job of the set has in common, ready for JSON."""
        quality = {"samples": self.quality.samples, "prompt_tokens": self.quality.prompt_tokens}
        return {
            "prompt_tokens": list(self.prompt_tokens),
            "new_tokens": self.new_tokens,
            "samples": self.samples,
            "warmup": self.warmup,
            "quality_pass": quality | {"shared_tokens": self.quality.shared_tokens},
        }


def measured_set(name: str, catalogue: Mapping[str, ModelEntry]) -> MeasuredSet:
    """The set of a name: ``gpu``, ``tiny`` or ``half``."""
    return {"gpu": _gpu, "tiny": _tiny, "half": _half}[name](catalogue)


def too_large(
    jobs: MeasuredSet, job: Job, precisions: Mapping[str, PrecisionEntry], device_gib: float | None
) -> str | None:
    """Why a job cannot run on a device of ``device_gib`` GiB, by the planner; None where it can (or memory is unknown)."""
    workload = Workload(max(jobs.prompt_tokens), jobs.new_tokens)
    if device_gib is None or fits(Setting(jobs.models[job.model], precisions[job.precision], workload), device_gib):
        return None
    return f"planned not to fit on {device_gib:.1f} GiB"


def _gpu(catalogue: Mapping[str, ModelEntry]) -> MeasuredSet:
    """Four sizes, a fused architecture and the 70B class; what tells most comes first, in case time runs out."""
    jobs = [Job("qwen2.5-7b", precision) for precision in PAPERS]
    jobs += [Job("qwen2.5-72b", "w4a16"), Job("qwen2.5-14b", "full"), Job("phi-4", "full")]
    jobs += [Job(model, precision) for precision in ("w4a16", "w8a16") for model in ("qwen2.5-14b", "phi-4")]
    jobs += [Job("qwen2.5-32b", precision) for precision in ("w4a16", "full")]
    jobs += [Job("qwen2.5-3b", precision) for precision in PAPERS]
    jobs += [Job("qwen2.5-32b", "w8a16"), Job("qwen2.5-72b", "w8a16")]
    return MeasuredSet(
        catalogue,
        tuple(jobs),
        prompt_tokens=(200, 1000, 3500),
        new_tokens=50,
        quality=QualityPass(samples=16, prompt_tokens=1000, shared_tokens=500),
        engines=Job("qwen2.5-7b", "full"),
    )


def _tiny(_: Mapping[str, ModelEntry]) -> MeasuredSet:
    """Two architectures of a million weights: the same steps in seconds, on any machine."""
    models = {name: _stand_in(f"Tiny {name}", family, **_TINY) for name, family in (("qwen", "qwen2"), ("phi", "phi3"))}
    jobs = [Job("qwen", "full"), Job("qwen", "w4a16"), Job("phi", "w8a16")]
    quality = QualityPass(samples=4, prompt_tokens=60, shared_tokens=30)
    return MeasuredSet(models, tuple(jobs), (20, 60), new_tokens=5, quality=quality, engines=jobs[0])


def _half(_: Mapping[str, ModelEntry]) -> MeasuredSet:
    """Qwen2.5-0.5B's shape at every precision, each in a process of its own."""
    models = {"qwen2.5-0.5b": _stand_in("Qwen2.5-0.5B", "qwen2", **_HALF)}
    jobs = tuple(Job("qwen2.5-0.5b", precision) for precision in ARMS)
    quality = QualityPass(samples=2, prompt_tokens=64, shared_tokens=32)
    return MeasuredSet(models, jobs, (64,), new_tokens=4, quality=quality, jobs_a_process=1)


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


def _stand_in(title: str, family: str, **facts: object) -> ModelEntry:
    architecture = Architecture.model_validate({"context_length": 4096, **facts})
    shared = {"domain": "general", "chat_template": "tokenizer", "full_dtype": "bfloat16", "licence": "none"}
    return ModelEntry.model_validate(
        {"title": title, "family": family, "weights": "random", "architecture": architecture, **shared}
    )
