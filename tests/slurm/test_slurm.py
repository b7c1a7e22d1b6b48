"""Cells of the demo on a real SLURM: devices, cancelled and timed-out jobs, a Snakemake that is killed."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from .conftest import GPUS, SAMPLES, Job, SlurmRun, cells_of, output, wait_for


@dataclass(frozen=True)
class Story:
    """A run of four cells in which one job was cancelled and one timed out."""

    run: SlurmRun
    cells: dict[str, str]
    holders: dict[str, str]
    cancelled: str
    timed_out: str
    status: int


def signalled(job: Job, name: str) -> None:
    """Send a signal to a job's processes."""
    output("scancel", "--signal", name, str(job.number))


def held_up(run: SlurmRun, name: str, cell: str) -> Job:
    """Stop the processes of a cell's one job once it has finished two samples."""
    wait_for(lambda: run.finished_samples(cell) >= 2, f"two samples of {cell} are done", run)
    (job,) = run.jobs(name)
    signalled(job, "STOP")
    return job


@pytest.fixture(scope="module")
def story(make_run: Callable[..., SlurmRun]) -> Story:
    run = make_run("precisions=[full, w4a16]", "datasets=[hoc, ddi2013]")
    snakemake = run.start("infer_all")
    wait_for(lambda: len(run.holders()) == GPUS, "four cells hold a device", run)
    holders, cells = run.holders(), cells_of(run)
    cancelled = next(name for name in cells if "full_hoc" in name)
    timed_out = next(name for name in cells if "w4a16_ddi2013" in name)
    wait_for(lambda: run.finished_samples(cells[cancelled]) >= 2, "two samples are done", run)
    output("scancel", str(run.jobs(cancelled)[0].number))
    # A job that hangs and whose time is up. SLURM looks for such jobs twice a minute.
    job = held_up(run, timed_out, cells[timed_out])
    output("scontrol", "update", f"JobId={job.number}", "EndTime=now+1seconds")
    return Story(run, cells, holders, cancelled, timed_out, snakemake.wait(600))


def says(log: Path, words: str) -> bool:
    """Whether a job's log holds the words; a job that starts removes the log of the one before."""
    try:
        return words in log.read_text()
    except FileNotFoundError:
        return False


def manifest(run: SlurmRun, cell: str) -> dict[str, object]:
    return json.loads((run.results / "cells" / cell / "manifest.json").read_text())


def batches(run: SlurmRun, cell: str) -> int:
    return json.loads((run.results / "cells" / cell / "measurements.json").read_text())["quality_pass"]["batches"]


def sample_ids(path: Path) -> list[str]:
    key = "sample_id"
    return [json.loads(line)[key] for line in path.read_text().splitlines()]


def assert_every_sample_once(run: SlurmRun, cell: str) -> None:
    dataset = cell.split("/")[2]
    wanted = sample_ids(run.results / "datasets" / dataset / "samples.jsonl")
    assert sample_ids(run.results / "cells" / cell / "predictions.jsonl") == wanted
    assert len(wanted) == SAMPLES


def test_the_documented_plugin_is_the_tested_one(repository: Path) -> None:
    files = ("requirements/dev.txt", "requirements/constraints.txt", "docs/clusters.md", "profiles/slurm/config.yaml")
    pins = [
        re.findall(r"snakemake-executor-plugin-slurm==([\d.]+\d)", (repository / name).read_text()) for name in files
    ]
    assert [set(found) for found in pins] == [{"2.8.0"}] * len(files)


def test_the_run_ends_well(story: Story) -> None:
    assert story.status == 0, story.run.log.read_text()[-6000:]
    assert len(story.cells) == 4
    for cell in story.cells.values():
        assert_every_sample_once(story.run, cell)


def test_four_jobs_at_once_hold_four_devices(story: Story) -> None:
    assert sorted(story.holders) == [f"STAND-IN-{index}" for index in range(GPUS)]
    assert len(set(story.holders.values())) == GPUS, story.holders
    undisturbed = [cell for name, cell in story.cells.items() if name not in (story.cancelled, story.timed_out)]
    leased = [manifest(story.run, cell)["device"]["uuids"] for cell in undisturbed]  # type: ignore[index]
    assert all(len(uuids) == 1 for uuids in leased)
    assert leased[0] != leased[1]


def test_a_cancelled_job_is_submitted_again_and_goes_on(story: Story) -> None:
    assert [job.state for job in story.run.jobs(story.cancelled)] == ["CANCELLED", "COMPLETED"]
    assert_resumed_once(story, story.cancelled)


def test_a_timed_out_job_is_submitted_again_with_more_time_and_goes_on(story: Story) -> None:
    first, second = story.run.jobs(story.timed_out)
    assert (first.state, second.state) == ("TIMEOUT", "COMPLETED")
    assert second.limit == "30:00", "twice the first attempt's 15 minutes"
    assert_resumed_once(story, story.timed_out)


def assert_resumed_once(story: Story, name: str) -> None:
    """What a job finished before it was cut off was not computed again, but for the batch it was in."""
    cell = story.cells[name]
    found = manifest(story.run, cell)
    assert found["resumed"] == 1
    assert batches(story.run, cell) <= found["batches_generated"] <= batches(story.run, cell) + 1  # type: ignore[operator]


def test_a_killed_snakemake_goes_on_with_nothing_lost_or_doubled(make_run: Callable[..., SlurmRun]) -> None:
    """Its jobs live on; the restarted one submits them again, and these wait for what the first ones finish.

    GPUs are asked for as a generic resource here, as some clusters want it.
    """
    by_gres = "hardware={device: auto, warm_start: false, gpu_memory_gib: 80, gres: gpu}"
    run = make_run("precisions=[full, w4a16]", "datasets=[hoc]", by_gres)
    first = run.start("infer_all")
    wait_for(lambda: len(cells_of(run)) == 2, "both cells are planned", run)
    cells = cells_of(run)
    survivors = [held_up(run, name, cell) for name, cell in cells.items()]
    first.send_signal(signal.SIGKILL)
    first.wait()
    second = run.start("infer_all")
    logs = [run.results / "logs/infer" / f"{cell}.log" for cell in cells.values()]
    wait_for(lambda: all(says(log, "another process works") for log in logs), "the new jobs wait", run)
    for job in survivors:
        signalled(job, "CONT")
    assert second.wait(600) == 0, run.log.read_text()[-6000:]
    wait_for(lambda: [job.state for job in run.jobs()] == ["COMPLETED"] * 4, "the old jobs end, too", run)
    for cell in cells.values():
        assert_every_sample_once(run, cell)
        found = manifest(run, cell)
        assert (found["resumed"], found["batches_generated"]) == (0, batches(run, cell))
        assert len(found["device"]["uuids"]) == 1  # type: ignore[index]
