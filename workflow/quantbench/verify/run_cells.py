"""Do the cells of a run still match what they were made from? Needs no torch, no GPU and no network.

For each cell, from its manifest: the hashes of its own files, of the run's samples and worked examples, of the dataset
files these were read from, and of the model's files; and everything its answers depend on (model, precision settings,
prompt template, labels, generation and batch settings, engine version) against the configuration of today; and the hashes of
its prompts against those of the full-precision cell that it is compared with. Its scores are made again from its answers.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import JsonValue

from ..bundle.state import opened_index, unscored
from ..config import Catalogue, ModelEntry, RunConfig, data_folder, load, recorded_settings
from ..config.settings import parse
from ..contracts.cell_name import Cell, parse_folder
from ..contracts.checksums import Expected, changes, difference, file_hashes, sha256_of
from ..contracts.likelihoods import Likelihoods
from ..contracts.manifest import Manifest, PublishedModel
from ..contracts.prompt_hashes import PromptHashes, refuse_other_prompts
from ..contracts.records import repeat_files
from ..datasets import source_folder
from ..errors import DataError, QuantbenchError
from ..reading.json_text import as_read
from ..store.places import MANIFEST, checkpoint_folder, model_folder, released_marker
from ..study.spec import CellSpec, cell_spec
from .cell_scores import score_problems
from .run_files import Check

OUTPUTS = ("predictions.jsonl", "measurements.json")
# What only a tokenizer could make again; it follows from template, samples, worked examples and model files.
_DERIVED = ("prompts", "plan", "weights")
_SAID = {"gone": "is gone", "added": "was added", "changed": "has changed"}


class Verifier:
    """Checks the cells of runs against one repository; each file is hashed once, by path, size and time of change."""

    def __init__(self, root: Path, settings: Mapping[str, object] | None = None, source: str = "") -> None:
        """Take the repository, and settings to hold all cells against; None: those each cell was run with."""
        self._root, self._settings, self._source = root, settings, source
        self._hashes: dict[tuple[str, int, int], str] = {}
        self._catalogues: dict[str, Catalogue] = {}
        self._left_out: dict[Path, _LeftOut] = {}

    def run(self, folder: Path) -> Iterator[Check]:
        """Check every cell below ``folder`` (``results/<run>``), in order of their folders; named by their folders."""
        names = {*OUTPUTS, MANIFEST}
        found = {path.parent for path in (folder / "cells").glob("*/*/*/*/*") if path.name in names}
        for cell_folder in sorted(found):
            yield self.cell(folder, cell_folder)

    def cell(self, run: Path, folder: Path) -> Check:
        """Check one cell's folder."""
        check = Check(str(folder.relative_to(run / "cells")))
        try:
            manifest = Manifest.read(folder / MANIFEST)
            if run not in self._left_out:
                self._left_out[run] = _LeftOut.of(run)
            left_out = self._left_out[run]
            self._outputs(folder, manifest, left_out, check)
            settings = manifest.configuration
            ran = parse(RunConfig, recorded_settings(settings), MANIFEST) if settings is not None else None
            catalogue, cell = self._catalogue(ran), parse_folder(check.subject)
            known = {
                (cell.model, "models"): catalogue.models.keys(),
                (cell.precision, "precisions"): catalogue.precisions.keys(),
                (cell.dataset, "datasets"): catalogue.datasets.keys(),
            }
            unknown = [
                f"config/{kind} no longer has {name!r}" for (name, kind), names in known.items() if name not in names
            ]
            check.problems.extend(unknown)
            if not unknown:
                root, model, dataset = catalogue.root, catalogue.models[cell.model], catalogue.datasets[cell.dataset]
                check.problems.extend(_changes(cell_spec(catalogue, cell), manifest.identity))
                sources = source_folder(root, dataset, cell.dataset, data_folder(root, ran) if ran else None)
                self._dataset(run / "datasets" / cell.dataset, sources, manifest, left_out, check)
                self._prompts(run, cell, catalogue.vocabulary.reference, check)
                check.problems.extend(score_problems(catalogue, run, cell))
                self._full_answers(run, cell_spec(catalogue, cell).compared_with, manifest, check)
                self._model(root, (ran or catalogue.run).models_folder, model, manifest, check)
        except QuantbenchError as error:
            check.problems.append(str(error))
        return check

    def _outputs(self, folder: Path, manifest: Manifest, left_out: _LeftOut, check: Check) -> None:
        answers = {"predictions.jsonl", *manifest.outputs} - {*OUTPUTS[1:], Likelihoods.file}
        for name in dict.fromkeys((*OUTPUTS, *manifest.outputs)):
            if name not in manifest.outputs:
                check.problems.append(f"{MANIFEST} states no hash of {name}; an older version wrote it")
            elif name == Likelihoods.file and not (folder / name).exists():
                check.notes.append(
                    f"{folder / name}: no such file (bundles leave it out), so likelihoods are not checked"
                )
            elif name in answers and manifest.cell.dataset in left_out.outputs and not (folder / name).exists():
                check.notes.append(f"answers of {manifest.cell.dataset}: left out of the bundle, and so not checked")
            else:
                self._compare(folder / name, manifest.outputs[name], check, "not the file the cell wrote")
        for path in (*repeat_files(folder), *folder.glob(Likelihoods.file)):
            if path.name not in manifest.outputs:
                check.problems.append(f"{path}: not written by the cell, and read with it; delete it and run again")

    def _dataset(self, prepared: Path, source: Path, manifest: Manifest, left_out: _LeftOut, check: Check) -> None:
        name, recorded = manifest.cell.dataset, manifest.dataset
        samples = prepared / "samples.jsonl"
        if name in left_out.texts and difference(samples, Expected(sha256=recorded.samples_sha256), self._hash):
            check.notes.append(f"samples of {name}: their texts are left out of the bundle, and so not checked")
        else:
            self._compare(samples, recorded.samples_sha256, check, "not the one it answered")
        if manifest.cell.shots and name not in left_out.texts:
            self._compare(prepared / "shots.jsonl", recorded.shots_sha256, check, "not the one it answered")
        for file in recorded.files.values():
            if (source / file.name).is_file():
                self._compare(source / file.name, file.sha256, check, "not the file its samples were read from")
            else:
                check.notes.append(f"{source / file.name}: no such file, so the source of {name} is not checked")

    def _model(self, root: Path, models_folder: str, entry: ModelEntry, manifest: Manifest, check: Check) -> None:
        if entry.has_random_weights:  # made where it ran: there are no files
            return
        cell, model = manifest.cell, manifest.model
        folder = model_folder(root, models_folder, cell.model, entry)
        if isinstance(model, PublishedModel) and model.quantized_checkpoint:
            folder = checkpoint_folder(root, models_folder, cell.model, cell.precision)
        if not folder.is_dir():
            check.notes.append(f"{folder}: no such folder, so the files of {cell.model} are not checked")
            return
        recorded, found = model.files, file_hashes(folder, self._hash)
        if released_marker(folder).exists():  # freed on purpose: what is left is still compared
            recorded = {name: value for name, value in recorded.items() if not name.endswith(".safetensors")}
            check.notes.append(f"{folder}: its weights were freed (keep: quantized) and are not checked")
        found.pop(MANIFEST, None)
        check.problems.extend(
            f"{folder / change.name}: {_SAID[change.kind]} since the cell ran" for change in changes(recorded, found)
        )

    def _prompts(self, run: Path, cell: Cell, reference: str, check: Check) -> None:
        """Whether it answered what full precision answered, with which it is compared."""
        full = replace(cell, precision=reference)
        if (run / "cells" / full.folder / MANIFEST).exists():
            try:
                refuse_other_prompts([(PromptHashes.read(run, cell), PromptHashes.read(run, full))])
            except DataError as error:
                check.problems.append(str(error))

    def _full_answers(self, run: Path, full: Cell | None, manifest: Manifest, check: Check) -> None:
        """Whether its likelihoods are compared with the answers of full precision that stand there now."""
        read = manifest.full_predictions_sha256
        if full is None or read is None:
            return
        path = run / "cells" / full.folder / "predictions.jsonl"
        if path.is_file() and (said := difference(path, Expected(sha256=read), self._hash)):
            check.problems.append(
                f"{path}: not the answers that its model read for {Likelihoods.file} ({said}); run it again"
            )

    def _compare(self, path: Path, sha256: str | None, check: Check, wrong: str) -> None:
        if not path.is_file():
            check.problems.append(f"{path}: no such file")
        elif sha256 is None:
            check.problems.append(f"{path}: {MANIFEST} states no hash of it; an older version wrote it")
        elif said := difference(path, Expected(sha256=sha256), self._hash):
            check.problems.append(f"{path}: {wrong} ({said})")

    def _hash(self, path: Path) -> str:
        state = path.stat()
        key = (str(path), state.st_size, state.st_mtime_ns)
        if key not in self._hashes:
            self._hashes[key] = sha256_of(path)
        return self._hashes[key]

    def _catalogue(self, ran: RunConfig | None) -> Catalogue:
        if self._settings is not None:
            settings = dict(self._settings)
        elif ran is not None:
            settings = ran.model_dump(mode="json")
        else:
            raise QuantbenchError(f"{MANIFEST} states no configuration (an older version wrote it); give --configfile")
        # Which cells a run selects, and where data lies, changes no answer: a model left out later spoils no cell.
        settings |= {"models": "all", "precisions": "all", "datasets": "all", "data": {"folder": None}}
        key = json.dumps(settings, sort_keys=True)
        if key not in self._catalogues:
            self._catalogues[key] = load(self._root, settings, self._source or MANIFEST)
        return self._catalogues[key]


@dataclass(frozen=True)
class _LeftOut:
    """The datasets of an opened bundle without the texts of their samples, and those without the raw answers."""

    texts: frozenset[str] = frozenset()
    outputs: frozenset[str] = frozenset()

    @classmethod
    def of(cls, run: Path) -> _LeftOut:
        """Of a run of this machine, none."""
        index = opened_index(run)
        return (
            cls(frozenset(unscored(run) & {*index.without_texts}), frozenset(index.without_outputs)) if index else cls()
        )


def _changes(today: CellSpec, recorded: Mapping[str, JsonValue]) -> Iterator[str]:
    """What differs between the identity a cell ran under and the one it would run under now."""
    cell, now = today.cell, as_read(today.identity)
    before = {key: value for key, value in recorded.items() if key not in _DERIVED}
    for key, old, new in _differences(before, now):
        if key == "prompt.template":
            yield f"{today.template}: the prompt template has changed"
        elif key == "prompt.labels":
            yield f"config/datasets/{cell.dataset}/dataset.yaml: labels, their definitions or entity_type have changed"
        else:
            files = {"precision": f"precisions/{cell.precision}.yaml", "model": f"models/{cell.model}.yaml"}
            where = files.get(key.split(".")[0])
            yield f"{key} was {old!r}, is {new!r}" + (f" (config/{where})" if where else "")


def _differences(before: JsonValue, now: JsonValue, key: str = "") -> Iterator[tuple[str, JsonValue, JsonValue]]:
    """(dotted key, old value, new value) of every leaf that differs; None where a side lacks it."""
    if isinstance(before, dict) and isinstance(now, dict):
        for name in sorted(before.keys() | now.keys()):
            yield from _differences(before.get(name), now.get(name), f"{key}.{name}" if key else name)
    elif before != now:
        yield key, before, now
