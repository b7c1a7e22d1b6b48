"""Every retrieved or made file of a run read again and held against its recorded hash, whatever its size and time say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ..config import Catalogue, data_folder, find_file
from ..datasets import find_pool, source_folder, verify_file
from ..errors import DataError, ModelError, QuantbenchError
from ..store.checkpoints import checkpoint_folder, read_manifest
from ..store.folder import model_folder
from ..store.receipts import released_marker
from ..store.recorded_files import MANIFEST, recorded_hashes, verified_files


def verify_everything(catalogue: Catalogue, models: list[str], datasets: list[str], notes: Path) -> None:
    """Verify models, their quantized checkpoints and datasets as far as they are here, saying what was looked at.

    Raises:
        QuantbenchError: all that is wrong, each file named.
    """
    problems = []
    checks = [*_models(catalogue, models, notes), *_datasets(catalogue, datasets)]
    for said, problem in checks:
        print(said if problem is None else f"{said}: WRONG", flush=True)
        problems += [problem] if problem else []
    if problems:
        raise QuantbenchError("\n".join(problems))


def _models(catalogue: Catalogue, names: list[str], notes: Path) -> Iterator[tuple[str, str | None]]:
    root, models = catalogue.root, catalogue.run.models_folder
    for name in names:
        folder = model_folder(root, models, name, catalogue.models[name])
        if not folder.is_dir():
            yield f"{name}: not retrieved yet", None
        elif released_marker(folder).exists():
            yield f"{name}: full weights freed (keep: quantized)", None
        else:
            recorded = recorded_hashes(root, models, name, catalogue.models[name], folder)
            yield _verified(folder, name, recorded, notes)
        for precision, entry in catalogue.precisions.items():
            made = checkpoint_folder(root, models, name, precision)
            if (made / MANIFEST).exists():
                yield _verified(made, f"{name}-{precision}", read_manifest(made, entry)["files"], notes)


def _verified(folder: Path, name: str, recorded: dict[str, str] | None, notes: Path) -> tuple[str, str | None]:
    try:
        files = verified_files(folder, name, recorded, notes, force=True)
    except ModelError as error:
        return str(folder), str(error)
    how = "verified" if recorded is not None else "read; a local folder, whose hashes nobody recorded"
    return f"{folder}: {len(files)} files {how}", None


def _datasets(catalogue: Catalogue, names: list[str]) -> Iterator[tuple[str, str | None]]:
    for name in names:
        entry = catalogue.datasets[name]
        folder = source_folder(catalogue.root, entry, name, data_folder(catalogue.root, catalogue.run))
        test, (_, pool) = find_file(entry, "test", folder), find_pool(entry, folder)
        for file in (test, pool):
            if file is None:
                continue
            try:
                verify_file(folder / file.name, file)
            except DataError as error:
                yield str(folder / file.name), str(error)
            else:
                how = "verified" if file.sha256 or file.git_blob else "no checksum is stated for it"
                yield f"{folder / file.name}: {how}", None
