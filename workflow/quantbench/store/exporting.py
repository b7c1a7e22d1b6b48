"""A quantized checkpoint as a folder to deploy: its files, manifest, licence note and a smoke test that stands alone."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from ..config import ModelEntry, PrecisionEntry
from ..contracts.checksums import file_hashes
from ..contracts.files import write_text
from ..contracts.markdown_text import code, inline
from ..contracts.model_folder import CheckpointManifest
from ..errors import ModelError
from ..recovery.partial_files import temporary_folder
from .folder_checks import verified_files
from .places import MANIFEST, read_manifest

SMOKE_TEST = Path(__file__).with_name("smoke_test.py")


def export(source: Path, entry: ModelEntry, precision: PrecisionEntry, target: Path) -> CheckpointManifest:
    """Copy the checkpoint in ``source`` to ``target``, run its smoke test there, and return its manifest.

    Args:
        source: the checkpoint's folder.
        entry: the model.
        precision: the one it was quantized at.
        target: must not exist, or be empty; it appears whole or not at all.

    Raises:
        ModelError: no checkpoint, changed files, a target in use, or a smoke test that fails.
    """
    manifest = read_manifest(source, precision)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ModelError(f"{target}: is there already; give a new folder, or remove it")
    with tempfile.TemporaryDirectory() as notes:
        verified_files(source, manifest.model, manifest.files, Path(notes))
    target.parent.mkdir(parents=True, exist_ok=True)
    with temporary_folder(target.parent, f".{target.name}.") as beside:
        part = beside / "export"
        shutil.copytree(source, part)
        shutil.copyfile(SMOKE_TEST, part / SMOKE_TEST.name)
        write_text(part / "README.md", readme(manifest, entry, precision, part))
        _smoke_test(part)
        files = {name: digest for name, digest in file_hashes(part).items() if name != MANIFEST}
        manifest = manifest.model_copy(update={"files": files})
        manifest.write(part / MANIFEST)
        if target.exists():
            target.rmdir()
        part.rename(target)
    return manifest


def readme(manifest: CheckpointManifest, entry: ModelEntry, precision: PrecisionEntry, folder: Path) -> str:
    """The page that goes with an export: what it is, its licence, how to load it."""
    terms = sorted(path.name for path in folder.iterdir() if path.name.upper().startswith(("LICEN", "NOTICE", "USE_")))
    listed = (
        f"Its text as the maker published it: {', '.join(map(inline, terms))}."
        if terms
        else "The maker's repository has its text."
    )
    origin = (
        f"{code(manifest.hub_id)} at commit {code(str(manifest.revision))}" if manifest.hub_id else "a local folder"
    )
    settings = "\n".join(f"- {code(key)}: {code(str(value))}" for key, value in manifest.precision.settings.items())
    return f"""\
# {inline(entry.title)}, {inline(precision.title)}

Quantized weights of {origin}, made by quantbench with bitsandbytes. {inline(precision.note)}

{settings}
- other weights: `{manifest.dtype}`
- {manifest.bytes} bytes

`manifest.json` states the hash of each file here and of each file they were made from, package versions and device.

## Licence

**{inline(manifest.licence)}.** These weights are derived from the maker's and stand under the maker's terms. {listed}
Whoever deploys or passes on this folder is bound by them; some ask for a notice or restrict uses, medical ones among them.

## Use

```python
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

folder = "..."  # this one
tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
model = AutoModelForCausalLM.from_pretrained(
    folder, local_files_only=True, dtype=torch.{manifest.dtype}, device_map="auto"
)
```

`python smoke_test.py` checks that every file is the recorded one, that the model loads offline, and that it generates.
"""


def _smoke_test(folder: Path) -> None:
    environment = {key: value for key, value in os.environ.items() if key != "HF_TOKEN"}
    command = [sys.executable, str(folder / SMOKE_TEST.name), "--record"]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if result.returncode:
        last = (result.stderr.strip() or result.stdout.strip()).split("\n")[-1]
        raise ModelError(f"the exported checkpoint fails its smoke test, so nothing was exported: {last}")
