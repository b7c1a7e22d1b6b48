"""1,000 leases by 8 processes over 4 devices, some of them killed at random moments: none held twice, none lost.

Each process watches the devices by a second kind of lock, which knows nothing of leases: a record lock (``fcntl.lockf``) on
a file a device, taken while the lease is held. Where it is refused, two processes held the device at once.
Its file is opened first, since a dying process closes its files in that order: the witness must be gone before the lease.
"""

from __future__ import annotations

import fcntl
import multiprocessing
import os
import random
import time
from collections import Counter
from pathlib import Path

from quantbench.devices import lease

DEVICES = ["GPU-a", "GPU-b", "GPU-c", "GPU-d"]
PROCESSES, LEASES, SEED = 8, int(os.environ.get("QUANTBENCH_LEASES", "1000")), 2509


def _note(log: int, text: str) -> None:
    os.write(log, f"{text}\n".encode())  # one write of a file opened to append is not torn


def _work(folder: Path, seed: int) -> None:
    """Lease one to four devices again and again until the wanted number of leases is on record."""
    witnesses = {uuid: os.open(folder / f"{uuid}.witness", os.O_RDWR | os.O_CREAT) for uuid in DEVICES}
    log = os.open(folder / "log", os.O_WRONLY | os.O_APPEND)
    chance = random.Random(seed)
    while _count(folder)["leased"] < LEASES:
        count = chance.choice([1, 1, 1, 2, 2, 3, 4])
        with lease(count, DEVICES, folder / "leases", poll_s=0.004) as held:
            for uuid in held:
                try:
                    fcntl.lockf(witnesses[uuid], fcntl.LOCK_EX | fcntl.LOCK_NB)
                except OSError:
                    _note(log, f"twice {uuid}")
            _note(log, "leased")
            time.sleep(chance.random() * 0.004)
            for uuid in held:
                fcntl.lockf(witnesses[uuid], fcntl.LOCK_UN)
        _note(log, "released")


def _count(folder: Path) -> Counter[str]:
    return Counter(line.split()[0] for line in (folder / "log").read_text().splitlines())


def test_no_device_is_held_twice_and_none_is_lost(tmp_path: Path) -> None:
    (tmp_path / "log").touch()
    context = multiprocessing.get_context("fork")
    chance, killed, seeds = random.Random(SEED), 0, iter(range(10**6))

    def start() -> multiprocessing.process.BaseProcess:
        process = context.Process(target=_work, args=(tmp_path, next(seeds)), daemon=True)
        process.start()
        return process

    processes = [start() for _ in range(PROCESSES)]
    while _count(tmp_path)["leased"] < LEASES:
        time.sleep(chance.random() * 0.05)
        victim = chance.randrange(PROCESSES)
        processes[victim].kill()
        processes[victim].join()
        killed += 1
        processes[victim] = start()
    for process in processes:
        process.join(60)
    counts = _count(tmp_path)
    print(
        f"{counts['leased']} leases, {counts['released']} given back, {killed} processes killed, {counts['twice']} twice"
    )
    assert counts["twice"] == 0
    assert counts["leased"] >= LEASES
    assert killed >= LEASES // 50
    with lease(len(DEVICES), DEVICES, tmp_path / "leases", poll_s=0.01) as held:
        assert held == DEVICES, "none is lost"


def test_the_witness_sees_a_device_held_twice(tmp_path: Path) -> None:
    """The test above could not fail if its witness were blind."""
    first = os.open(tmp_path / "witness", os.O_RDWR | os.O_CREAT)
    fcntl.lockf(first, fcntl.LOCK_EX | fcntl.LOCK_NB)
    reading, writing = os.pipe()
    if os.fork() == 0:
        other = os.open(tmp_path / "witness", os.O_RDWR)
        try:
            fcntl.lockf(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.write(writing, b"refused")
        os._exit(0)
    os.wait()
    os.close(writing)
    assert os.read(reading, 10) == b"refused"
