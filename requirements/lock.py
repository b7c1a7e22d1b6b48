"""Write requirements/hashed/: every package of every list with the SHA-256 of each of its published files.

python requirements/lock.py [UV]

Versions are those of constraints.txt; what it does not name yet is taken at its newest and has to be added there, which a test
says. Lists hold for each system and Python from 3.11 on, since they name all files of a release.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
# Each holds what the one before it does not.
LAYERS = ("analysis", "inference", "torchao", "dev")
APART = ("build", "supply")
# Installed without what they ask for; the list says why.
WITHOUT_DEPENDENCIES = ("real-model",)
# The index's torch asks for these on Linux. The build for processors alone does without them, under the same version.
CUDA = re.compile(r"nvidia-(?!ml-py)|cuda-|triton==")
# That build is not on the index: its file for CPython 3.11 on Linux x86-64, by release of torch.
CPU_BUILDS = {"torch==2.13.0": "6746dbcbeb526eb61330b76b41ff1b4eb848951103a892eeb080dfa2b264667b"}
HEADER = "# Made by requirements/lock.py (make hashes) from {source}; installed with --require-hashes --no-deps.\n"


def main() -> None:
    """Ask the index for each list, and write what each adds."""
    uv = sys.argv[1] if len(sys.argv) > 1 else "uv"
    known: set[str] = set()
    cuda: dict[str, str] = {}
    for place, name in enumerate(LAYERS):
        entries = compiled(uv, name)
        cuda |= {pin: entry for pin, entry in entries.items() if CUDA.match(pin)}
        own = {pin: entry for pin, entry in entries.items() if pin not in known | cuda.keys()}
        write(name, own, f"-r {LAYERS[place - 1]}.txt\n" if place else "")
        known |= own.keys()
    write("cuda", cuda, "")
    torch = next(pin for pin in known if pin.startswith("torch=="))
    write("torch-cpu", {torch: f"{torch} \\\n    --hash=sha256:{CPU_BUILDS[torch]}\n"}, "")
    for name in (*APART, *WITHOUT_DEPENDENCIES):
        write(name, compiled(uv, name), "")


def compiled(uv: str, name: str) -> dict[str, str]:
    """Each package that a list comes to: name==version -> its lines, hashes included."""
    options = ["--no-deps"] if name in WITHOUT_DEPENDENCIES else []
    command = [uv, "pip", "compile", "--universal", "--python-version", "3.11", "--generate-hashes", *options]
    command += ["--quiet", "--no-header", "--no-annotate", f"{HERE.name}/{name}.txt"]
    text = subprocess.run(command, cwd=HERE.parent, check=True, stdout=subprocess.PIPE, text=True).stdout
    entries = re.findall(r"^\S.*(?:\n\s+--hash=.*)+\n", text, re.MULTILINE)
    return {entry.split()[0]: entry for entry in entries}


def write(name: str, entries: dict[str, str], includes: str) -> None:
    """One hashed list."""
    sources = {"cuda": "what torch asks for on Linux", "torch-cpu": "its own table"}
    source = sources.get(name, f"requirements/{name}.txt")
    text = HEADER.format(source=source) + includes + "".join(entries[pin] for pin in sorted(entries))
    (HERE / f"hashed/{name}.txt").write_text(text)


if __name__ == "__main__":
    main()
