"""What a machine that has only Python and torch lacks for the GPU check, as one file to carry there.

    python benchmarks/carry.py --python 3.12 --cuda 13.0 --to carried
    python benchmarks/carry.py --python 3.12 --cuda 12.8 --to carried --without numpy,accelerate   # the machine has these

``requirements/gpu-check.txt`` lists the packages; their wheels for Linux on x86-64 are downloaded and unpacked, and of
bitsandbytes' libraries only the one for that version of CUDA is kept (``torch.version.cuda`` there says which). The
commands for the other machine are printed at the end; neither pip nor a network is needed there.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
REQUIREMENTS = "requirements/gpu-check.txt"
CARRIED = "carried.tar.gz"
# From the newest to the oldest that wheels of these packages name.
_GLIBC = ("2_28", "2_27", "2_24", "2_17", "2_12", "2_5")
_LIBRARY = re.compile(r"libbitsandbytes_cuda(\d+)(\d)\.so")
_NEEDLESS = ("__pycache__", "bin", "tests")
COMMANDS = f"""In a checkout of this repository on the other machine, with {CARRIED} in it:

  mkdir -p carried && tar xzf {CARRIED} -C carried
  export PYTHONPATH=$PWD/carried
  python3 benchmarks/gpu_check.py --out gpu_check && python3 benchmarks/gpu.py --out gpu_check/measured.json"""


def main() -> None:
    """Run as a command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", default="3.12", metavar="X.Y", help="version there (%(default)s)")
    parser.add_argument("--cuda", default="13.0", metavar="X.Y", help="that torch was built for there (%(default)s)")
    parser.add_argument("--to", type=Path, default=Path("carried"), metavar="DIR", help="folder (%(default)s)")
    parser.add_argument("--without", default="", metavar="A,B", help="packages that are there already")
    parser.add_argument("--most-mib", type=float, default=64, help="refuse a larger file (%(default)s)")
    asked = parser.parse_args()
    names = wanted(REPOSITORY, [name for name in asked.without.split(",") if name])
    with tempfile.TemporaryDirectory() as folder:
        site = Path(folder)
        install(names, asked.python, site)
        keep_one_library(site, asked.cuda)
        target = pack(site, asked.to)
    size = target.stat().st_size / 2**20
    print(
        f"{target}: {size:.1f} MiB, {len(names)} packages for Python {asked.python} and CUDA {asked.cuda}\n\n{COMMANDS}"
    )
    if size > asked.most_mib:
        sys.exit(f"more than {asked.most_mib:g} MiB; name what the machine has already (--without numpy,transformers)")


def wanted(repository: Path, without: Iterable[str] = ()) -> list[str]:
    """The packages of the list, but for those named."""
    left_out = {_canonical(name) for name in without}
    lines = (repository / REQUIREMENTS).read_text(encoding="utf-8").splitlines()
    names = [line.strip() for line in lines if line.strip() and not line.startswith(("#", "-"))]
    return [name for name in names if _canonical(name) not in left_out]


def install(names: Sequence[str], python: str, site: Path) -> None:
    """Unpack the packages' wheels for another Python, at the pinned versions."""
    platforms = [word for glibc in _GLIBC for word in ("--platform", f"manylinux_{glibc}_x86_64")]
    platforms += ["--platform", "manylinux2014_x86_64", "--platform", "manylinux1_x86_64"]
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--no-compile", "--only-binary=:all:", "--implementation", "cp", "--python-version", python]
    command += [*platforms, "--target", str(site), "--constraint", str(REPOSITORY / "requirements/constraints.txt")]
    if subprocess.run([*command, *names], check=False).returncode:
        sys.exit(f"pip found no wheel of some package for Python {python}; its message above names it")


def keep_one_library(site: Path, cuda: str) -> None:
    """Delete bitsandbytes' libraries but the one for a version of CUDA."""
    folder = site / "bitsandbytes"
    if not folder.exists():
        return
    libraries = sorted(path.name for path in folder.glob("libbitsandbytes_*"))
    kept = kept_library(libraries, cuda)
    for name in libraries:
        if name != kept:
            (folder / name).unlink()


def kept_library(names: Sequence[str], cuda: str) -> str:
    """Which of bitsandbytes' libraries a version of CUDA needs; ends the command where there is none."""
    found = {f"{match[1]}.{match[2]}": name for name in names if (match := _LIBRARY.fullmatch(name))}
    if cuda not in found:
        sys.exit(f"bitsandbytes has no library for CUDA {cuda}; it has {', '.join(found)}")
    return found[cuda]


def pack(site: Path, folder: Path) -> Path:
    """Write everything as one archive."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in sorted(site.rglob("*"), reverse=True):
        if path.is_dir() and path.name in _NEEDLESS:
            shutil.rmtree(path)
    target = folder / CARRIED
    with tarfile.open(target, "w:gz") as archive:
        for path in sorted(site.iterdir()):
            archive.add(path, path.name)
    return target


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    main()
