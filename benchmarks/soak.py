"""Random kills: does a small run end with the bytes of an unbroken one, by the same command alone, whatever is killed?

    python benchmarks/soak.py --kills 100 --minutes 30 --seed 2509

The run is of the demo's (one dataset, two precisions) in a folder of its own. At random moments a living process of
its tree is killed with SIGKILL: Snakemake, a job, a shell, the process that cells are forked from or a
cell forked from it. The same command is given again, until it ends; then the next run begins from nothing. Every fourth run
has no warm starts, but two devices that stand in for GPUs, and cells lease them.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import os
import random
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(REPOSITORY)]

from benchmarks.marked_processes import MARK, Tree, held_devices, kind_of  # noqa: E402

DEVICES = 2
# In the time of an unbroken run, on average.
KILLS_A_RUN = 4
# What does not depend on time: of the others only that they are there is compared.
SAME = ("predictions.jsonl", "likelihoods.npz", "scored.jsonl", "scores.json")
HUNG_S = 600.0
_LOOK_S = 0.2
# A run that is quick and has every kind of job; of the figures, which are many and alike, one.
TARGETS = [f"results/demo/{name}" for name in ("tables/table1.csv", "recommendations.md", "figures/figure7.svg")]
RUN = ["studies=[grid]", "models=[tiny-xs]", "precisions=[full, w4a16]", "datasets=[hoc]", "limit=24"]
RUN += ["inference={max_batch_size: 2, max_new_tokens: 24}", "measurement={latency_samples: 2, warmup: 1}"]
WARM = "hardware={device: cpu, threads: 1, warm_start: true}"
LEASED = "hardware={device: auto, threads: 1, warm_start: false, gpu_memory_gib: 80}"


@dataclass
class Counts:
    """What happened."""

    starts: int = 0
    runs: int = 0
    kills: Counter[str] = field(default_factory=Counter)
    resumed: int = 0
    other_commands: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)
    different: list[str] = field(default_factory=list)
    leftovers: list[str] = field(default_factory=list)
    double_leases: int = 0
    looks: int = 0
    tracebacks: list[str] = field(default_factory=list)

    @property
    def killed(self) -> int:
        """Kills of all kinds."""
        return sum(self.kills.values())

    @property
    def is_sound(self) -> bool:
        """Whether nothing was found that ought not to be."""
        found = (self.other_commands, self.stuck, self.different, self.leftovers, self.double_leases, self.tracebacks)
        return not any(found)


@dataclass(frozen=True)
class Soak:
    """One series: where it runs, its seed, how long an unbroken start takes, and what was found so far."""

    folder: Path
    tree: Tree
    moment: random.Random
    counts: Counts

    def command(self, leased: bool, *more: str) -> list[str]:
        """The command of the run."""
        given = [*RUN, LEASED if leased else WARM]
        words = ["--snakefile", str(REPOSITORY / "workflow/Snakefile"), "--cores", "2"]
        words += ["--workflow-profile", str(REPOSITORY / "profiles/default"), "--directory", str(self.folder)]
        words += ["--configfile", str(REPOSITORY / "config/demo.yaml")]
        words += ["--resources", f"gpu={DEVICES}"] if leased else []
        return [*words, *more, "--config", *given, "--", *TARGETS]

    def start(self, words: list[str]) -> subprocess.Popen[bytes]:
        """Start Snakemake; what it says goes to a file of each start."""
        self.counts.starts += 1
        temporary = self.folder.parent / "tmp"
        temporary.mkdir(exist_ok=True)
        environment = {**os.environ, MARK: self.tree.mark, "TMPDIR": str(temporary), "OMP_NUM_THREADS": "1"}
        environment["QUANTBENCH_STAND_IN_GPUS"] = str(DEVICES)
        with self.said().open("wb") as log:
            command = [sys.executable, "-m", "snakemake", *words]
            return subprocess.Popen(
                command, stdout=log, stderr=subprocess.STDOUT, env=environment, cwd=self.folder, start_new_session=True
            )

    def said(self) -> Path:
        """What the last start said."""
        return self.folder.parent / f"start{self.counts.starts}.log"

    def broken_run(self, leased: bool, duration: float, kills: int) -> None:
        """One run from nothing to its end, with ``kills`` kills in the whole series at most."""
        killed = False
        for _ in range(kills + 50):
            before = self.counts.killed
            process = self.start(self.command(leased))
            self._watch(process, duration if self.counts.killed < kills else None, leased)
            said = self.said().read_text(errors="replace")
            refused = "LockException" in said
            self.counts.tracebacks += [self.said().name] if "Traceback (most recent call last)" in said else []
            if killed and not refused:
                self.counts.resumed += 1
            killed = self.counts.killed > before
            if refused:
                self._as_told(said)
            elif process.returncode == 0:
                self.counts.runs += 1
                return
            elif not killed:
                # A job may fail only since something of it was killed.
                self.counts.stuck.append(f"{self.said().name}: exit status {process.returncode} without a kill")
        self.counts.stuck.append("a run never ended")

    def _watch(self, process: subprocess.Popen[bytes], duration: float | None, leased: bool) -> None:
        """Let a start go to its end, killing processes of the tree at random moments, four in ``duration`` seconds (None: none)."""
        begin = time.monotonic()
        rate = KILLS_A_RUN / duration if duration else 0.0
        moment = self.moment.expovariate(rate) if rate else math.inf
        while process.poll() is None:
            passed = time.monotonic() - begin
            if leased:
                self.counts.looks += 1
                self.counts.double_leases += sum(number > 1 for number in held_devices(self.tree).values())
            if passed >= moment:
                self._kill(process.pid)
                moment = passed + self.moment.expovariate(rate)
            if passed > HUNG_S:
                self.counts.stuck.append(f"{self.said().name}: still running after {HUNG_S:.0f} s")
                self.tree.end()
            time.sleep(_LOOK_S)

    def _kill(self, main: int) -> None:
        living = sorted(self.tree.living(), key=lambda process: process.pid)
        # Snakemake every third time: of many processes it would rarely be the one.
        victim = self.moment.choice(living) if living else None
        if self.moment.random() < 1 / 3:
            victim = next((one for one in living if one.pid == main), victim)
        with suppress(psutil.Error):
            if victim is not None:
                kind = kind_of(victim, main)
                victim.send_signal(signal.SIGKILL)
                self.counts.kills[kind] += 1

    def _as_told(self, said: str) -> None:
        """Give the one command that a refused start has named."""
        told = re.search(r"go on by: (snakemake --unlock .*?), then the same command again", said)
        if told is None:
            self.counts.stuck.append(f"{self.said().name}: locked, and no command was named")
            shutil.rmtree(self.folder / ".snakemake/locks", ignore_errors=True)
            return
        self.counts.other_commands.append(self.said().name)
        self.start(shlex.split(told[1])[1:]).wait()

    def files(self) -> dict[str, str]:
        """Every file of the results, those that do not depend on time with their hash."""
        root = self.folder / "results"
        return {
            str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() if path.name in SAME else ""
            for path in sorted(root.rglob("*"))
            if path.is_file()
        }

    def compare(self, whole: dict[str, str]) -> None:
        """Hold the results against those of the unbroken run, and look for what nobody needs any more."""
        found = self.files()
        wrong = [name for name, digest in whole.items() if found.get(name) != digest]
        self.counts.different += [f"run {self.counts.runs}: {name}" for name in wrong]
        left = [name for name in found if name not in whole]
        for place in ("locks", "incomplete"):
            left += [str(path) for path in (self.folder / ".snakemake" / place).rglob("*") if path.is_file()]
        self.counts.leftovers += [f"run {self.counts.runs}: {name}" for name in left]


def soak(folder: Path, kills: int, minutes: float, seed: int, say: bool = True) -> Counts:
    """Kill ``kills`` times, or as often as ``minutes`` allow, and count what happened.

    Args:
        folder: empty; the runs and their logs stay there.
        kills: at most.
        minutes: after which no further run begins.
        seed: of the moments and of which process is killed. When a process is where depends on the machine all the same.
        say: a line a run.
    """
    folder.mkdir(parents=True, exist_ok=True)
    deadline, unbroken = time.monotonic() + 60 * minutes, list[tuple[dict[str, str], float]]()
    tree, counts = Tree(uuid.uuid4().hex), Counts()
    series = Soak(folder / "run", tree, random.Random(seed), counts)
    try:
        while counts.killed < kills and time.monotonic() < deadline:
            tree.end(but="warm server")
            shutil.rmtree(series.folder, ignore_errors=True)
            series.folder.mkdir()
            leased = counts.runs % 4 == 1
            if len(unbroken) < 2:  # one of either kind first, whose duration the moments are drawn from
                begin = time.monotonic()
                series.broken_run(leased, 0.0, 0)
                unbroken.append((series.files(), time.monotonic() - begin))
            else:
                whole, duration = unbroken[leased]
                series.broken_run(leased, duration, kills)
                series.compare(whole)
            if say:
                print(f"run {counts.runs}: {counts.killed} kills, {counts.starts} starts", file=sys.stderr, flush=True)
    except KeyboardInterrupt:
        print("interrupted; counted so far:", file=sys.stderr, flush=True)
    finally:
        tree.end()
    return counts


def main() -> int:
    """The command line; exit status 1 where something was found that ought not to be."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=2509)
    parser.add_argument(
        "--folder", type=Path, help="where the runs go; left out: among the temporary files, and removed"
    )
    parser.add_argument("--json", action="store_true", help="print the counts as JSON")
    given = parser.parse_args()
    folder = given.folder or Path(tempfile.mkdtemp(prefix="soak-"))
    counts = soak(folder, given.kills, given.minutes, given.seed)
    if given.folder is None and counts.is_sound:
        shutil.rmtree(folder, ignore_errors=True)
    print(json.dumps(vars(counts)) if given.json else table(counts))
    return 0 if counts.is_sound else 1


def table(counts: Counts) -> str:
    """The counts for people."""
    kinds = ", ".join(f"{number} {kind}" for kind, number in counts.kills.most_common())
    rows = [
        ("kills", f"{counts.killed} ({kinds})"),
        ("runs that ended, unbroken ones included", counts.runs),
        ("starts, of which after a kill by the same command", f"{counts.starts}, {counts.resumed}"),
        ("after another command that a line named", len(counts.other_commands)),
        ("stuck", counts.stuck or 0),
        ("files that differ from those of the unbroken run", counts.different or 0),
        ("leases held twice, in so many looks", f"{counts.double_leases}, {counts.looks}"),
        ("files left behind", counts.leftovers or 0),
        ("starts that said a traceback", counts.tracebacks or 0),
    ]
    return "\n".join(["| what | |", "| --- | --- |", *(f"| {name} | {value} |" for name, value in rows)])


if __name__ == "__main__":
    sys.exit(main())
