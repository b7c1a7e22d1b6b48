"""The process that checks: ``python -m benchmarks.gpu_checks.worker SETUP RECORDS CHECK...`` (:mod:`benchmarks.watched`)."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.watched import Record, take_steps

from quantbench.devices.runtime import set_environment

from .found import Found, Setup


def main(setup_file: str, records: str, *names: str) -> None:
    """Run the named checks one after another."""
    setup = Setup.model_validate_json(Path(setup_file).read_text(encoding="utf-8"))
    set_environment(setup.threads, setup.device, setup.uuids)
    from .registry import registry  # after the environment, since it decides what torch sees

    known = registry(setup)
    take_steps(Path(records), names, lambda name: _records(known[name].run(setup)))


def _records(found: Found) -> tuple[str, list[Record]]:
    parts = {"cell": found.cells, "peak": found.peaks, "evidence": found.evidence}
    records = [
        {"kind": kind, "found": part.model_dump(mode="json")} for kind, of_kind in parts.items() for part in of_kind
    ]
    if found.cuda is not None:
        records.append({"kind": "cuda", "found": found.cuda.model_dump(mode="json")})
    return found.words, records


if __name__ == "__main__":
    main(*sys.argv[1:])
