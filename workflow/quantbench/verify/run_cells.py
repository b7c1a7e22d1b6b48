"""Do the cells of a run still match what they were made from? Needs no torch, no GPU and no network.

For each cell, from its manifest: the hashes of its own files, of the run's samples and worked examples, of the dataset
files these were read from, and of the model's files; and everything its answers depend on (model, precision settings,
prompt template, labels, generation and batch settings, engine version) against the configuration of today.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..config import Catalogue, load
from ..contracts.files import read_json
from ..datasets import sha256_of, source_folder
from ..errors import QuantbenchError
from ..prompts import template_path
from ..store.checkpoints import checkpoint_folder
from ..store.folder import file_hashes, model_folder
from ..store.receipts import released_marker
from ..store.recorded_files import MANIFEST
from ..study.grid import Cell, parse_folder
from ..study.spec import cell_spec

OUTPUTS = ("predictions.jsonl", "measurements.json")
# What only a tokenizer could make again; it follows from template, samples, worked examples and model files.
_DERIVED = ("prompts", "plan", "weights")


@dataclass(frozen=True)
class CellCheck:
    """One cell: ``reasons`` say why it no longer matches (none: it does), ``notes`` what could not be looked at."""

    cell: str
    reasons: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class Verifier:
    """Checks the cells of runs against one repository; each file is hashed once, by path, size and time of change."""

    def __init__(self, root: Path, settings: dict[str, Any] | None = None, source: str = "") -> None:
        """Take the repository, and settings to hold all cells against; None: those each cell was run with."""
        self._root, self._settings, self._source = root, settings, source
        self._hashes: dict[tuple[str, int, int], str] = {}
        self._catalogues: dict[str, Catalogue] = {}

    def run(self, folder: Path) -> Iterator[CellCheck]:
        """Check every cell below ``folder`` (``results/<run>``), in order of their folders."""
        names = {*OUTPUTS, "manifest.json"}
        found = {path.parent for path in (folder / "cells").glob("*/*/*/*/*") if path.name in names}
        for cell_folder in sorted(found):
            yield self.cell(folder, cell_folder)

    def cell(self, run: Path, folder: Path) -> CellCheck:
        """Check one cell's folder."""
        check = CellCheck(str(folder.relative_to(run / "cells")))
        try:
            manifest = read_json(folder / "manifest.json")
            self._outputs(folder, manifest, check)
            catalogue = self._catalogue(manifest)
            cell = parse_folder(check.cell)
            if _known(catalogue, cell, check):
                check.reasons.extend(_changes(catalogue, cell, manifest.get("identity", {})))
                self._dataset(run, catalogue, cell, manifest, check)
                self._model(catalogue, cell, manifest, check)
        except QuantbenchError as error:
            check.reasons.append(str(error))
        return check

    def _outputs(self, folder: Path, manifest: dict[str, Any], check: CellCheck) -> None:
        recorded = manifest.get("outputs", {})
        for name in OUTPUTS:
            if name not in recorded:
                check.reasons.append(f"manifest.json states no hash of {name}; an older version wrote it")
            else:
                self._compare(folder / name, recorded[name], check, "not the file the cell wrote")

    def _dataset(self, run: Path, catalogue: Catalogue, cell: Cell, manifest: dict[str, Any], check: CellCheck) -> None:
        prepared, recorded = run / "datasets" / cell.dataset, manifest.get("dataset", {})
        for name in ("samples", "shots") if cell.shots else ("samples",):
            self._compare(prepared / f"{name}.jsonl", recorded.get(f"{name}_sha256"), check, "not the one it answered")
        local = manifest["configuration"]["data"]["folder"] if "configuration" in manifest else None
        entry = catalogue.datasets[cell.dataset]
        folder = source_folder(catalogue.root, entry, cell.dataset, catalogue.root / local if local else None)
        for file in recorded.get("files", {}).values():
            if (folder / file["name"]).is_file():
                self._compare(folder / file["name"], file["sha256"], check, "not the file its samples were read from")
            else:
                check.notes.append(
                    f"{folder / file['name']}: no such file, so the source of {cell.dataset} is not checked"
                )

    def _model(self, catalogue: Catalogue, cell: Cell, manifest: dict[str, Any], check: CellCheck) -> None:
        if catalogue.models[cell.model].has_random_weights:  # made where it ran: there are no files
            return
        settings = manifest.get("configuration", {})
        models = settings.get("models_folder", catalogue.run.models_folder)
        folder = model_folder(catalogue.root, models, cell.model, catalogue.models[cell.model])
        if manifest.get("model", {}).get("quantized_checkpoint"):
            folder = checkpoint_folder(catalogue.root, models, cell.model, cell.precision)
        if not folder.is_dir():
            check.notes.append(f"{folder}: no such folder, so the files of {cell.model} are not checked")
            return
        recorded, found = manifest.get("model", {}).get("files", {}), file_hashes(folder, self._hash)
        if released_marker(folder).exists():  # freed on purpose: what is left is still compared
            recorded = {name: value for name, value in recorded.items() if not name.endswith(".safetensors")}
            check.notes.append(f"{folder}: its weights were freed (keep: quantized) and are not checked")
        found.pop(MANIFEST, None)
        for name in sorted(recorded.keys() | found.keys()):
            if recorded.get(name) != found.get(name):
                what = "is gone" if name not in found else "was added" if name not in recorded else "has changed"
                check.reasons.append(f"{folder / name}: {what} since the cell ran")

    def _compare(self, path: Path, expected: str | None, check: CellCheck, wrong: str) -> None:
        if not path.is_file():
            check.reasons.append(f"{path}: no such file")
        elif self._hash(path) != expected:
            check.reasons.append(f"{path}: {wrong} (SHA-256 {self._hash(path)[:12]}, expected {str(expected)[:12]})")

    def _hash(self, path: Path) -> str:
        state = path.stat()
        key = (str(path), state.st_size, state.st_mtime_ns)
        if key not in self._hashes:
            self._hashes[key] = sha256_of(path)
        return self._hashes[key]

    def _catalogue(self, manifest: dict[str, Any]) -> Catalogue:
        settings = manifest.get("configuration") if self._settings is None else self._settings
        if settings is None:
            raise QuantbenchError(
                "manifest.json states no configuration (an older version wrote it); give --configfile"
            )
        # Which cells a run selects, and where data lies, changes no answer: a model left out later spoils no cell.
        settings = settings | {"models": "all", "precisions": "all", "datasets": "all", "data": {"folder": None}}
        key = json.dumps(settings, sort_keys=True)
        if key not in self._catalogues:
            self._catalogues[key] = load(self._root, settings, self._source or "manifest.json")
        return self._catalogues[key]


def _known(catalogue: Catalogue, cell: Cell, check: CellCheck) -> bool:
    for key in ("model", "precision", "dataset"):
        name, known = getattr(cell, key), getattr(catalogue, f"{key}s")
        if name not in known:
            check.reasons.append(f"config/{key}s no longer has {name!r}")
    return not any("no longer has" in reason for reason in check.reasons)


def _changes(catalogue: Catalogue, cell: Cell, recorded: dict[str, Any]) -> Iterator[str]:
    """What differs between the identity a cell ran under and the one it would run under now."""
    now = json.loads(json.dumps(cell_spec(catalogue, cell).identity))
    before = {key: value for key, value in recorded.items() if key not in _DERIVED}
    for key, old, new in _differences(before, now):
        if key == "prompt.template":
            path = template_path(catalogue.root, cell.dataset, cell.prompting)
            yield f"{path}: the prompt template has changed"
        elif key == "prompt.labels":
            yield f"config/datasets/{cell.dataset}/dataset.yaml: labels, their definitions or entity_type have changed"
        else:
            files = {"precision": f"precisions/{cell.precision}.yaml", "model": f"models/{cell.model}.yaml"}
            where = files.get(key.split(".")[0])
            yield f"{key} was {old!r}, is {new!r}" + (f" (config/{where})" if where else "")


def _differences(before: Any, now: Any, key: str = "") -> Iterator[tuple[str, Any, Any]]:
    """(dotted key, old value, new value) of every leaf that differs; None where a side lacks it."""
    if isinstance(before, dict) and isinstance(now, dict):
        for name in sorted(before.keys() | now.keys()):
            yield from _differences(before.get(name), now.get(name), f"{key}.{name}" if key else name)
    elif before != now:
        yield key, before, now
