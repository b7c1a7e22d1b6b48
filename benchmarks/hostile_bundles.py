"""What `quantbench open` takes of memory and time for bundles that were made to take much of both.

    python benchmarks/hostile_bundles.py [--only NAME] [--work FOLDER]

Writes each archive of tests/hostile_bundles.py, opens it in a process of its own that may have 4 GiB of address space, and prints
the file's size, the process's peak of resident memory, its seconds, and how it was answered. Ends with status 1 where one was taken,
ended in a traceback, or left something behind.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(REPOSITORY), str(REPOSITORY / "workflow")]

from tests.hostile_bundles import HOSTILE, sound  # noqa: E402
from tests.opened_apart import Answer, open_apart  # noqa: E402


def main() -> int:
    """Open every archive, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", metavar="NAME", help="archives whose names hold this")
    parser.add_argument(
        "--work", type=Path, metavar="FOLDER", help="where archives are written (default: a temporary one)"
    )
    arguments = parser.parse_args()
    answers: dict[str, Answer] = {}
    print("| archive | KiB | peak MiB | s | answer |\n| --- | ---: | ---: | ---: | --- |")
    with tempfile.TemporaryDirectory(dir=arguments.work) as folder:
        work = Path(folder)
        (work / "sound.tar.zst").write_bytes(sound(REPOSITORY).packed())
        taken = open_apart(work / "sound.tar.zst", work / "sound")
        print(f"| (a sound one) | | {taken.peak_mib:.0f} | {taken.seconds:.1f} | status {taken.status} |", flush=True)
        for number, (name, write) in enumerate(HOSTILE.items()):
            if arguments.only and arguments.only not in name:
                continue
            path = work / "hostile.tar.zst"
            path.write_bytes(write(sound(REPOSITORY)))
            found = answers[name] = open_apart(path, work / f"into_{number}/results")
            said = (
                found.said.replace(str(path), "FILE")
                .replace("quantbench open: ", "")[:120]
                .replace("|", " ")
                .replace("\n", " ")
            )
            figures = f"{path.stat().st_size / 1024:.0f} | {found.peak_mib:.0f} | {found.seconds:.1f}"
            print(
                f"| {name} | {figures} | {said if found.is_refusal else f'**status {found.status}** {said}'} |",
                flush=True,
            )
    refused = sum(one.is_refusal for one in answers.values())
    print(
        f"\n{refused} of {len(answers)} refused with nothing left; largest peak {max((one.peak_mib for one in answers.values()), default=0):.0f} MiB"
    )
    return 0 if refused == len(answers) and taken.status == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
