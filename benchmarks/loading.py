"""Loading a quantized checkpoint against quantizing on every load: time and bytes read from disk, as ratios.

    python benchmarks/loading.py                          # the largest demo model
    python benchmarks/loading.py --parameters 1e9         # a random-weight Llama of about so many parameters (bfloat16)

Each load is a process of its own, torch and transformers imported before the clock starts. Files are pushed out of the
page cache first, so that every load reads its bytes from disk; bytes are those the kernel says the process read. Rounds
alternate between the two ways, and ratios are of medians. The ratio of CPU seconds is the one that other work on the
machine tilts least.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow"))

from quantbench.config import Architecture, ModelEntry, PrecisionEntry, read_entries

ROOT = Path(__file__).resolve().parents[1]

_LOAD = """
import json, sys, time
from pathlib import Path
from quantbench.devices.runtime import set_environment
set_environment(1, "cpu", [])
from quantbench.config import ModelEntry, PrecisionEntry
from quantbench.models.loading import load_model
import bitsandbytes, transformers.integrations.bitsandbytes, transformers.quantizers.auto
from transformers.models.llama import modeling_llama
folder, entry, precision, quantized = json.loads(sys.argv[1])
entry, precision = ModelEntry.model_validate(entry), PrecisionEntry.model_validate(precision)
def read():
    lines = Path("/proc/self/io").read_text().split()
    return int(lines[lines.index("read_bytes:") + 1])
before, begin, worked = read(), time.perf_counter(), time.process_time()
model = load_model(Path(folder), entry, precision, None, "cpu", quantized).model
sum(int(p.view(-1)[:: 2048].to(p.dtype).ne(0).sum()) for p in model.parameters())  # mapped weights count once they are touched
print(json.dumps([time.perf_counter() - begin, read() - before, time.process_time() - worked]))
"""


def main() -> None:
    """Run as a command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--parameters", type=float, help="size of the random-weight model (default: the demo's largest)"
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--work", type=Path, help="where to put models (default: a temporary folder)")
    arguments = parser.parse_args()
    precisions = read_entries(ROOT / "config/precisions", PrecisionEntry)
    with tempfile.TemporaryDirectory(dir=arguments.work) as work:
        name, entry, source = _random(arguments.parameters, Path(work)) if arguments.parameters else _largest_demo()
        print(f"{name}: {_bytes(source) / 1024**2:.1f} MiB of weights in {entry.full_dtype}")
        print(
            "precision  on the fly s  checkpoint s  time ratio  CPU ratio  on the fly MiB  checkpoint MiB  bytes ratio"
        )
        for precision in ("w8a16", "w4a16"):
            out = Path(work) / precision
            _quantize(name, entry, source, precision, out)
            _compare(
                precision, entry, precisions[precision], {"on the fly": source, "checkpoint": out}, arguments.rounds
            )


def _compare(name: str, entry: ModelEntry, precision: PrecisionEntry, folders: dict[str, Path], rounds: int) -> None:
    results: dict[str, list[list[float]]] = {way: [] for way in folders}
    for _ in range(rounds):
        for way, folder in folders.items():
            _forget(folder)
            results[way].append(_load(folder, entry, precision, way == "checkpoint"))
    seconds, read, worked = (
        [statistics.median(run[item] for run in results[way]) for way in folders] for item in (0, 1, 2)
    )
    print(
        f"{name:9}  {seconds[0]:12.2f}  {seconds[1]:12.2f}  {seconds[1] / seconds[0]:10.2f}  "
        f"{worked[1] / worked[0]:9.2f}  "
        f"{read[0] / 1024**2:14.1f}  {read[1] / 1024**2:14.1f}  {read[1] / read[0]:11.2f}",
        flush=True,
    )


def _load(folder: Path, entry: ModelEntry, precision: PrecisionEntry, quantized: bool) -> list[float]:
    """Seconds, bytes read, and seconds of CPU of one load."""
    told = json.dumps([str(folder), entry.model_dump(), precision.model_dump(), quantized])
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "workflow"), "OMP_NUM_THREADS": "1"}
    result = subprocess.run(
        [sys.executable, "-c", _LOAD, told], env=environment, capture_output=True, text=True, check=False
    )
    if result.returncode:
        raise SystemExit(result.stderr)
    values: list[float] = json.loads(result.stdout.strip().split("\n")[-1])
    return values


def _quantize(name: str, entry: ModelEntry, source: Path, precision: str, out: Path) -> None:
    """Make the checkpoint in a process of its own, whose memory is then free."""
    code = (
        "import json, sys; from pathlib import Path; from quantbench.devices.runtime import set_environment\n"
        "set_environment(1, 'cpu', [])\n"
        "from quantbench.config import ModelEntry, PrecisionEntry, read_entries\n"
        "from quantbench.models.quantizing import Source, quantize_model\n"
        "root, name, entry, source, precision, out = json.loads(sys.argv[1])\n"
        "precision = read_entries(Path(root) / 'config/precisions', PrecisionEntry)[precision]\n"
        "model = Source(name, ModelEntry.model_validate(entry), Path(source), None, {})\n"
        "quantize_model(model, precision, Path(out), 'cpu', {})"
    )
    told = json.dumps([str(ROOT), name, entry.model_dump(), str(source), precision, str(out)])
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "workflow"), "OMP_NUM_THREADS": "1"}
    subprocess.run([sys.executable, "-c", code, told], env=environment, check=True, capture_output=True)


def _forget(folder: Path) -> None:
    """Push a folder's files out of the page cache."""
    for path in folder.iterdir():
        if path.is_file():
            with path.open("rb") as handle:
                os.fsync(handle.fileno())
                os.posix_fadvise(handle.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.glob("*.safetensors"))


def _largest_demo() -> tuple[str, ModelEntry, Path]:
    entries = read_entries(ROOT / "config/models", ModelEntry)
    demo = {name: entry for name, entry in entries.items() if entry.demonstration}
    name = max(demo, key=lambda model: _bytes(ROOT / str(demo[model].folder)))
    return name, demo[name], ROOT / str(demo[name].folder)


def _random(parameters: float, work: Path) -> tuple[str, ModelEntry, Path]:
    """Write a Llama with random weights; its tokenizer is a demo model's, which loading never meets."""
    import shutil

    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    width, inner, vocabulary = 2048, 8192, 32000
    layers = max(1, round((parameters - vocabulary * width) / (2.5 * width * width + 3 * width * inner)))
    facts: dict[str, Any] = {"hidden_size": width, "intermediate_size": inner, "vocab_size": vocabulary}
    config = LlamaConfig(
        **facts,
        num_hidden_layers=layers,
        num_attention_heads=32,
        num_key_value_heads=8,
        max_position_embeddings=4096,
        tie_word_embeddings=True,
    )
    torch.manual_seed(0)
    torch.set_default_dtype(torch.bfloat16)
    model = LlamaForCausalLM(config)
    count = sum(parameter.numel() for parameter in model.parameters())
    folder = work / "random"
    model.save_pretrained(folder, max_shard_size="5GB")
    del model
    _, demo, tokenizer = _largest_demo()
    for path in tokenizer.glob("tokenizer*"):
        shutil.copyfile(path, folder / path.name)
    architecture = Architecture(
        layers=layers,
        attention_heads=32,
        key_value_heads=8,
        context_length=4096,
        tied_head=True,
        **facts,
    )
    entry = demo.model_copy(update={"folder": str(folder), "architecture": architecture, "full_dtype": "bfloat16"})
    return f"random weights, {count / 1e9:.2f} billion parameters", entry, folder


if __name__ == "__main__":
    main()
