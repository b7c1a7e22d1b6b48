"""What this device does with each model at each precision: memory against the plan, latency, throughput, energy.

    python benchmarks/gpu.py                          # the first GPU; without one, a tiny version on CPU
    python benchmarks/gpu.py --set half               # half a billion weights at every precision, on CPU
    python benchmarks/gpu.py --keep                   # write resources/measured/<device>.json and its figure
    python benchmarks/gpu.py --draw resources/measured/<device>.json

Models are stand-ins with random weights (docs/random_weights.md): nothing is downloaded. It stops within ``--minutes``
(8); what there was no time for, and what the planner says cannot fit, is named. resources/measured/README.md describes
the JSON. Beside the engines run a bare ``generate`` loop and, where it is installed, lm-evaluation-harness.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.measured.run import REPOSITORY, first_device, run_set
from benchmarks.measured.summary import text

from quantbench.contracts.files import read_json, write_json


def main() -> None:
    """Run as a command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", choices=["gpu", "tiny", "half"], help="gpu where there is one, else tiny")
    parser.add_argument("--minutes", type=float, default=8.0, help="stop by then (%(default)s)")
    parser.add_argument("--threads", type=int, default=1, help="of the processor (%(default)s)")
    parser.add_argument("--out", type=Path, help="write the result here")
    parser.add_argument("--keep", action="store_true", help="write it to resources/measured/, and its figure")
    parser.add_argument("--draw", type=Path, metavar="JSON", help="draw the figure of a kept result, beside it")
    arguments = parser.parse_args()
    if arguments.draw:
        draw(read_json(arguments.draw), arguments.draw)
        return
    # The small sets are for CPU, also where there is a GPU.
    uuids = [] if arguments.set in ("tiny", "half") else first_device()
    if arguments.set == "gpu" and not uuids:
        sys.exit("--set gpu needs a GPU, and none is visible (driver missing, or CUDA_VISIBLE_DEVICES empty)")
    result = run_set(arguments.set or ("gpu" if uuids else "tiny"), uuids, arguments.minutes, arguments.threads)
    print(text(result))
    kept = REPOSITORY / f"resources/measured/{slug(result)}.json" if arguments.keep else None
    for path in filter(None, (arguments.out, kept)):
        write_json(path, result)
        print(f"wrote {path}")
    if kept:
        draw(result, kept)


def slug(result: dict[str, Any]) -> str:
    """A device's name as a file name; a set of its own is told apart from the usual one."""
    name = re.sub(r"[^a-z0-9]+", "-", " ".join(result["device"]["names"]).lower()).strip("-")
    return name if result["set"] == "gpu" else f"{name}-{result['set']}"


def draw(result: dict[str, Any], path: Path) -> None:
    """Draw a result beside its JSON, as PNG."""
    from benchmarks.measured.figure import figure

    from quantbench.figures.saving import lay_out, save_as

    drawn = figure(result)
    lay_out(drawn)
    print(f"wrote {save_as(drawn, path.with_suffix('.png'), 'png')}")


if __name__ == "__main__":
    main()
