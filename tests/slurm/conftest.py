"""A cluster of one node on this machine, and the demo's cells submitted to it as a user would."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

from ..workflow.conftest import copy_project

_HERE = Path(__file__).parent
_CONFIGURATION = Path("/etc/slurm/slurm.conf")
_MARK = "quantbench tests/slurm/start.sh"
GPUS = 4
SAMPLES = 40


@pytest.fixture(scope="session")
def cluster() -> Iterator[None]:
    """SLURM with four stand-in GPUs, running; started here unless ``.ci/run`` has."""
    if not all(shutil.which(command, path=f"{os.environ['PATH']}:/usr/sbin") for command in ("slurmctld", "munged")):
        pytest.skip("SLURM is not installed (Debian, Ubuntu: apt-get install slurm-wlm munge)")
    if os.geteuid() != 0:
        pytest.skip("starting SLURM's daemons needs root")
    if _CONFIGURATION.exists() and _MARK not in _CONFIGURATION.read_text():
        pytest.skip(f"{_CONFIGURATION} belongs to a cluster of this machine's")
    running = _CONFIGURATION.exists() and output("sinfo", "-h", "-o", "%T").startswith(("idle", "mix", "alloc"))
    if not running:
        subprocess.run([_HERE / "start.sh", str(GPUS)], check=True)
    yield
    if not running:
        subprocess.run([_HERE / "stop.sh"], check=True)


@dataclass(frozen=True)
class Job:
    """One SLURM job as squeue shows it; ``cell`` is the wildcards' part of the plugin's comment."""

    number: int
    state: str
    cell: str
    limit: str


@dataclass(frozen=True)
class SlurmRun:
    """A checkout whose cells go through ``snakemake --profile profiles/slurm``."""

    folder: Path
    settings: tuple[str, ...]
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def results(self) -> Path:
        """The demo's results tree."""
        return self.folder / "results/demo"

    @property
    def log(self) -> Path:
        """What Snakemake printed."""
        return self.folder / "snakemake.log"

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start Snakemake; ``arguments`` come before its configuration."""
        command = [sys.executable, "-m", "snakemake", *arguments, "--profile", "profiles/slurm"]
        command += ["--default-resources", "slurm_account=root", "slurm_partition=main", "mem_mb=1000", "runtime=10"]
        # No accounting database here, and no waiting for one on a real cluster.
        command += ["--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", "1"]
        command += ["--latency-wait", "5", "--configfile", "config/demo.yaml", "--config", *self.settings]
        environment = {**os.environ, "QUANTBENCH_STAND_IN_GPUS": str(GPUS), "TMPDIR": str(self.folder / "tmp")}
        with self.log.open("ab") as log:
            self.started.append(subprocess.Popen(command, cwd=self.folder, env=environment, stdout=log, stderr=log))
        return self.started[-1]

    def end(self) -> None:
        """End what is left of it after a test that failed: Snakemake, then jobs, stopped ones too."""
        for process in self.started:
            if process.poll() is None:
                process.kill()
        left = [str(job.number) for job in self.jobs() if job.state in ("PENDING", "RUNNING", "STOPPED")]
        for options in [["--signal", "KILL"], []] if left else []:
            subprocess.run(["scancel", *options, *left], check=False)

    def jobs(self, cell: str = "") -> list[Job]:
        """The inference jobs of this checkout so far, oldest first, of all states; of one cell where it is named."""
        lines = output("squeue", "-h", "-t", "all", "-o", f"%A|%T|%k|%l|%Z|{self.folder}").splitlines()
        rows = [line.split("|") for line in lines]
        jobs = [
            Job(int(number), state, comment.removeprefix("rule_infer_wildcards_"), limit)
            for number, state, comment, limit, where, own in rows
            if comment.startswith("rule_infer") and where == own
        ]
        return sorted((job for job in jobs if cell in job.cell), key=lambda job: job.number)

    def finished_samples(self, cell: str) -> int:
        """Samples a cell has finished and not yet delivered; ``cell`` is its folder."""
        files = (self.results / "progress" / cell).glob("*.predictions.jsonl")
        return sum(path.read_bytes().count(b"\n") for path in files)

    def holders(self) -> dict[str, str]:
        """Device -> the process and cell that hold it now."""
        found = (self.folder / "tmp" / f"quantbench-{os.getuid()}" / "leases").glob("*.holder")
        return {path.stem: path.read_text() for path in found}


def output(*command: str) -> str:
    """What a command prints."""
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def wait_for(condition: Callable[[], object], what: str, run: SlurmRun, seconds: float = 300) -> None:
    """Return once a condition holds; fail with Snakemake's output where it does not in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            jobs = "\n".join(map(str, run.jobs()))
            pytest.fail(f"{what}: not within {seconds:.0f} s\n{jobs}\n{run.log.read_text()[-6000:]}")
        time.sleep(0.1)


@pytest.fixture(scope="module")
def make_run(
    repository: Path, tmp_path_factory: pytest.TempPathFactory, cluster: None
) -> Iterator[Callable[..., SlurmRun]]:
    """Lay out a checkout with its own temporary folder; settings as ``key=value``. In the end nothing of it runs."""
    runs: list[SlurmRun] = []
    model = yaml.safe_load((repository / "config/demo.yaml").read_text())["models"][0]

    def make(*settings: str) -> SlurmRun:
        folder = copy_project(repository, tmp_path_factory.mktemp("slurm")).folder
        (folder / "tmp").mkdir()
        # Batches of one sample: many moments at which a job can be cut off. Stand-in GPUs compute on CPU.
        usual = ("studies=[grid]", f"limit={SAMPLES}", "measurement={latency_samples: 2, warmup: 1}")
        usual += ("hardware={device: auto, warm_start: false, gpu_memory_gib: 80}", f"models=[{model}]")
        # Quantized cells would wait for the answers of full precision, and fewer jobs run at once.
        inference = "inference={max_batch_size: 1, max_new_tokens: 32, likelihoods: false}"
        runs.append(SlurmRun(folder, (*usual, inference, *settings)))
        return runs[-1]

    yield make
    for run in runs:
        run.end()


def cells_of(run: SlurmRun) -> dict[str, str]:
    """SLURM's name of each cell -> its folder; from what Snakemake printed."""
    folders = re.findall(r"output: \S+?/cells/(\S+)/predictions\.jsonl", run.log.read_text())
    return {re.sub(r"/(\w+)-(\d+)shot$", r"_\1_\2", folder).replace("/", "_"): folder for folder in folders}
