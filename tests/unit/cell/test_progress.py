"""Progress survives a killed job: whole lines stay, a torn one goes, other configurations' progress is never read."""

import errno
import json
import multiprocessing
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantbench.cell.progress import Progress
from quantbench.contracts.kept_progress import History, KeptMeasurements, PassWindow
from quantbench.contracts.records import Prediction
from quantbench.errors import DataError, QuantbenchError

HELD = {"allocated_bytes": None, "reserved_bytes": None, "process_bytes": None, "resident_bytes": 5}
MEASURED = KeptMeasurements.checked(
    {
        "load_s": 1.0,
        "weight_bytes": 2,
        "memory": {"after_load": HELD, "inference": {f"peak_{name}": value for name, value in HELD.items()}},
        "latency": {"warmup": 0, "samples": []},
    },
    "test",
)


def prediction(sample_id: str) -> Prediction:
    return Prediction(sample_id, ["answer\nß"], 5, [3], ["stop"])


@pytest.mark.parametrize("torn", ['{"sample_id": "2", "outp', '{"sample_id": "2"}\n', "\x00\x00\x00", "[]\n"])
def test_a_torn_end_is_cut_off(tmp_path: Path, torn: str) -> None:
    progress = Progress(tmp_path, "a" * 64)
    progress.append([prediction("0"), prediction("1")])
    path = next(tmp_path.glob("*.predictions.jsonl"))
    whole = path.read_bytes()
    path.write_bytes(whole + torn.encode())
    assert progress.finished() == {"0": prediction("0"), "1": prediction("1")}
    assert path.read_bytes() == whole
    progress.append([prediction("2")])
    assert list(progress.finished()) == ["0", "1", "2"]


def test_another_configuration_starts_anew_and_deletes_nothing(tmp_path: Path) -> None:
    old, new = Progress(tmp_path, "a" * 64), Progress(tmp_path, "b" * 64)
    old.append([prediction("0")])
    old.keep_measurements(MEASURED)
    assert (new.finished(), new.measurements()) == ({}, None)
    new.append([prediction("1")])
    new.clear()
    assert (list(old.finished()), old.measurements(), new.finished()) == (["0"], MEASURED, {})


def test_starts_and_batches_are_counted(tmp_path: Path) -> None:
    for _ in range(3):
        with Progress(tmp_path, "a" * 64).alone():
            Progress(tmp_path, "a" * 64).begin_batch()
    assert Progress(tmp_path, "a" * 64).history() == History(resumed=2, batches_generated=3, halved_batches=[])


def test_what_batches_took_outlives_a_start_that_was_killed_while_it_noted_one(tmp_path: Path) -> None:
    one = PassWindow(seconds=1.5, samples=3, new_tokens=40, energy_j=12.25, source="nvml", device=["NVIDIA A100"])
    two = PassWindow(seconds=0.5, samples=1, new_tokens=9, reason="refused")
    with Progress(tmp_path, "a" * 64).alone():
        Progress(tmp_path, "a" * 64).note_window(one)
    with next(tmp_path.glob("*.history")).open("a") as history:
        history.write('window {"seconds": 2.5, "sam')
    with Progress(tmp_path, "a" * 64).alone():
        Progress(tmp_path, "a" * 64).note_window(two)
    found = Progress(tmp_path, "a" * 64).history()
    assert (found.windows, found.resumed) == ([one, two], 1)


def _hold(folder: Path, seconds: float, ready) -> None:
    with Progress(folder, "a" * 64).alone():
        ready.set()
        time.sleep(seconds)


def test_a_second_process_waits_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    other = context.Process(target=_hold, args=(tmp_path, 1.0, ready))
    other.start()
    assert ready.wait(30)
    begin = time.monotonic()
    with Progress(tmp_path, "a" * 64).alone():
        waited = time.monotonic() - begin
    other.join()
    assert waited > 0.5
    assert "another process works on this cell" in capsys.readouterr().err


def test_a_full_disk_is_named_and_keeps_earlier_batches(tmp_path: Path) -> None:
    """A real limit of the system: the process may not write files beyond a size."""
    script = (
        "import resource, signal, sys; from pathlib import Path\n"
        "from quantbench.cell.progress import Progress; from quantbench.contracts.records import Prediction\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "progress = Progress(Path(sys.argv[1]), 'a' * 64)\n"
        "for number in range(100): progress.append([Prediction(str(number), ['x' * 50], 5, [3], ['stop'])])\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[3] / "workflow")}
    command = [sys.executable, "-c", script, str(tmp_path)]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert "DataError" in result.stderr
    assert "predictions.jsonl: not written (larger than" in result.stderr
    assert "earlier batches are kept" in result.stderr
    kept = Progress(tmp_path, "a" * 64).finished()
    assert 5 <= len(kept) < 10
    assert list(kept) == [str(number) for number in range(len(kept))]


@given(st.lists(st.binary(max_size=40), max_size=4), st.integers(0, 3))
@settings(max_examples=40, deadline=None)
def test_a_garbled_history_never_stops_a_cell(
    tmp_path_factory: pytest.TempPathFactory, garbled: list[bytes], place: int
) -> None:
    """A full disk, a torn sector: lines that no version wrote are passed over, the others still count."""
    progress = Progress(tmp_path_factory.mktemp("progress"), "a" * 64)
    with progress.alone():
        progress.begin_batch()
        progress.note_halved(["1", "2"])
    path = progress._history
    lines = path.read_bytes().splitlines()
    odd = [b"~" + line.replace(b"\n", b"") for line in garbled]
    path.write_bytes(
        b"\n".join([*lines[:place], *odd, *lines[place:]]) + b'\nhalved ["1", "2\nwindow {"seconds": 1\nhal'
    )
    with progress.alone():
        progress.begin_batch()
    assert progress.history() == History(resumed=1, batches_generated=2, halved_batches=[["1", "2"]])


@pytest.mark.parametrize("seconds", ["NaN", "-1", "1e308", "Infinity"])
def test_times_that_nothing_takes_are_passed_over(tmp_path: Path, seconds: str) -> None:
    progress = Progress(tmp_path, "a" * 64)
    with progress.alone():
        progress._note(f'window {{"seconds": {seconds}, "samples": 1, "new_tokens": 1}}')
        progress.note_window(PassWindow(seconds=1.5, samples=1, new_tokens=1))
    assert [window.seconds for window in progress.history().windows] == [1.5]


def test_a_history_that_is_gone_is_an_empty_one(tmp_path: Path) -> None:
    progress = Progress(tmp_path, "a" * 64)
    assert progress.history() == History(resumed=0, batches_generated=0, halved_batches=[])
    with progress.alone():
        progress._history.unlink()
        progress.begin_batch()
        assert progress.history().resumed == 0


@pytest.mark.parametrize(
    "line",
    [
        {"sample_id": ["1"], "outputs": 5, "prompt_tokens": "x", "new_tokens": None, "finish_reason": 1},
        {"sample_id": "1", "outputs": "a", "prompt_tokens": 1, "new_tokens": [1], "finish_reason": ["stop"]},
        {"sample_id": "1", "outputs": ["a"], "prompt_tokens": 1, "new_tokens": [1], "finish_reason": ["stop"], "x": 1},
    ],
)
def test_a_line_of_other_types_is_a_torn_one(tmp_path: Path, line: dict[str, object]) -> None:
    progress = Progress(tmp_path, "a" * 64)
    progress.append([prediction("0")])
    with progress._predictions.open("a") as file:
        file.write(json.dumps(line) + "\n")
    assert list(progress.finished()) == ["0"]
    progress.append([prediction("1")])
    assert list(progress.finished()) == ["0", "1"]


def test_answers_to_other_samples_are_passed_over(tmp_path: Path) -> None:
    Progress(tmp_path, "a" * 64).append([prediction("0"), prediction("zz")])
    assert list(Progress(tmp_path, "a" * 64, {"0", "1"}).finished()) == ["0"]


def test_measurements_that_cannot_be_read_are_made_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    progress = Progress(tmp_path, "a" * 64)
    progress.keep_measurements(MEASURED)
    progress._measurements.write_text('{"lat')
    assert progress.measurements() is None
    assert "measurements.json" in (said := capsys.readouterr().err) and "measured again" in said


def test_a_line_that_finds_no_room_leaves_nothing_half(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that goes on after a full disk must not write behind half a line."""
    progress = Progress(tmp_path, "a" * 64)
    progress.append([prediction("0")])
    whole = progress._predictions.read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(DataError, match=r"no space left on the disk.*make room.*earlier batches are kept"):
            progress.append([prediction("1")])
    assert progress._predictions.read_bytes() == whole


@pytest.mark.parametrize("odd", ["file", "folder", "link"])
def test_a_cell_that_cannot_be_locked_is_one_sentence(tmp_path: Path, odd: str) -> None:
    folder = tmp_path / "progress"
    if odd == "file":
        folder.touch()
    else:
        folder.mkdir()
        lock = folder / f"{'a' * 16}.lock"
        lock.mkdir() if odd == "folder" else lock.symlink_to("elsewhere")
    with pytest.raises(QuantbenchError, match=str(folder)), Progress(folder, "a" * 64).alone():
        pytest.fail("it is locked")
