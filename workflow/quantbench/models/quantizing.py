"""Quantizing once: a model's weights at a bitsandbytes precision, written as a checkpoint that loads as it is."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from ..config import ModelEntry, PrecisionEntry
from ..contracts.checksums import file_hashes
from ..contracts.model_folder import CheckpointManifest, CheckpointPrecision, MadeWith
from ..errors import ModelError
from ..measure.neighbours import Neighbours
from ..planner import Placement, Setting, Workload
from ..store.folder_checks import check_folder
from ..store.places import MANIFEST
from ..store.published_precision import check_published_precision
from ..store.sharing import alone, share
from .loading import LoadedModel, load_model
from .number_formats import NumberFormats, number_formats
from .out_of_memory import POSSIBLE, asked_and_free, is_out_of_memory, let_go, release
from .placing import kind_of, leased_gpus, placed
from .tokenizing import NAMED_TEMPLATES, load_tokenizer

SHARD = "5GB"
_WEIGHTS = (".safetensors", ".bin", ".index.json")


@dataclass(frozen=True)
class Source:
    """A full-precision model: its name, entry, folder, commit (None for a local folder) and the SHA-256 of its files."""

    name: str
    entry: ModelEntry
    folder: Path
    revision: str | None
    files: dict[str, str]


def quantize_model(
    source: Source,
    precision: PrecisionEntry,
    out: Path,
    device: str,
    made_with: MadeWith,
    neighbours: Neighbours | None = None,
) -> None:
    """Quantize a model and write the checkpoint with its manifest to ``out``; the folder appears whole or not at all.

    Args:
        source: the model at full precision, its files verified.
        precision: a bitsandbytes precision.
        out: the checkpoint's folder; an older one there is replaced.
        device: where to quantize, ``cuda`` or ``cpu``: the one cells load it on, whose number format it keeps.
        made_with: device, package versions and commit, for the manifest.
        neighbours: who computed on the GPUs to quantize on before this process touched them; None on CPU.

    Raises:
        ModelError: incomplete source, one the library refuses, or GPUs whose free memory does not hold the model.
    """
    placement = _placement(source, precision, neighbours) if neighbours and device == "cuda" else None
    check_folder(source.folder, source.name, source.entry)
    check_published_precision(source.folder, source.name, source.entry)
    out.parent.mkdir(parents=True, exist_ok=True)
    with alone(out.parent, out.name):
        begin = time.perf_counter()
        # Nothing is computed here: the files hold the model's own format, whatever this processor multiplies.
        stored = number_formats(source.entry, precision, device).stored
        formats, tokenizer = NumberFormats(stored, stored), load_tokenizer(source.folder)
        loaded = load_model(
            source.folder, source.entry, precision, tokenizer, device, formats=formats, placement=placement
        )
        part = out.with_name(f".{out.name}.part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir()
        _save_within_memory(loaded, source, precision, part)
        manifest = CheckpointManifest(
            model=source.name,
            hub_id=source.entry.hub_id,
            revision=source.revision,
            source_files=source.files,
            licence=source.entry.licence,
            precision=CheckpointPrecision.of(precision),
            dtype=stored,
            made_on=device,
            made_with=made_with,
            seconds=time.perf_counter() - begin,
            bytes=sum(path.stat().st_size for path in part.rglob("*") if path.is_file()),
            files=file_hashes(part),
        )
        manifest.write(part / MANIFEST)
        share(part)
        shutil.rmtree(out, ignore_errors=True)
        part.rename(out)
        share(out.parent)


def _placement(source: Source, precision: PrecisionEntry, neighbours: Neighbours) -> Placement:
    """Where the model goes on the GPUs; nothing is computed with it, so its weights are all that counts."""
    gpus = leased_gpus(neighbours)
    load = Workload(prompt_tokens=1, new_tokens=1, devices=len(gpus))
    alone = Setting(source.entry, precision, load, gpu=kind_of(gpus))
    return placed(f"quantizing {source.name} to {precision.title}", gpus, alone, alone)


def _save_within_memory(loaded: LoadedModel, source: Source, precision: PrecisionEntry, target: Path) -> None:
    """As :func:`_save`; weights are collected in the host's memory, file by file.

    Raises:
        ModelError: memory ran out.
    """
    try:
        _save(loaded, source.folder, target)
        return
    except POSSIBLE as error:
        if not is_out_of_memory(error):
            raise
        lacking = let_go(error)
    release()
    raise ModelError(
        f"{source.name}: out of memory while writing what was quantized at precision {precision.title!r}{asked_and_free(lacking)}"
    )


def _save(loaded: LoadedModel, source: Path, target: Path) -> None:
    """Write weights and configuration, and everything else as the source has it.

    Nothing has run through the model yet: on some CPUs bitsandbytes repacks 4-bit weights at the first forward, in a
    layout that only such CPUs read.
    """
    from transformers import GenerationConfig

    # Published generation settings are often contradictory, which saving refuses; the file itself is copied below.
    loaded.model.generation_config = GenerationConfig()
    loaded.model.save_pretrained(target, max_shard_size=SHARD)
    (target / "generation_config.json").unlink(missing_ok=True)
    named = source / NAMED_TEMPLATES
    if named.is_dir():
        shutil.copytree(named, target / NAMED_TEMPLATES)
    for path in source.iterdir():
        other = path.name == "config.json" or path.name == MANIFEST or path.name.startswith(".")
        if path.is_file() and not other and not path.name.endswith(_WEIGHTS):
            shutil.copyfile(path, target / path.name)
