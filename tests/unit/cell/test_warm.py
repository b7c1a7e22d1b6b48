"""Warm starts: a forked child answers like a process of its own, fails like one, and dies with its cell."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[3] / "workflow"
CALL = "import sys; from quantbench.cell.warm import call; sys.exit(call(sys.argv[1], {'path': sys.argv[2]}, 1))"
TARGET = """
import sys, time, pathlib
def write(path): print("said"); pathlib.Path(path).write_text(str("torch" in sys.modules))
def fail(path): raise SystemExit(3)
def crash(path): raise KeyError("lost")
def keep(path, config): pathlib.Path(path).write_text(repr(config))
def sleep(path): import os; pathlib.Path(path).write_text(str(os.getpid())); time.sleep(60)
def nap(path):
    import os; pathlib.Path(path).write_text(str(os.getpid()))
    while not pathlib.Path(path + ".go").exists(): time.sleep(0.02)
    raise SystemExit(5)
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A server of this test's own, reached through its own temporary folder."""
    folder = tmp_path_factory.mktemp("w")
    (folder / "target.py").write_text(TARGET)
    return {**os.environ, "PYTHONPATH": f"{PACKAGE}:{folder}", "TMPDIR": str(folder)}


def call(environment: dict[str, str], function: str, path: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", CALL, f"target:{function}", str(path)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


def test_children_are_warm_and_report_what_happened(environment: dict[str, str], tmp_path: Path) -> None:
    done = call(environment, "write", tmp_path / "x")
    assert (done.returncode, done.stdout) == (0, "said\n"), done.stderr
    assert (tmp_path / "x").read_text() == "True"
    assert call(environment, "fail", tmp_path / "x").returncode == 3
    crashed = call(environment, "crash", tmp_path / "x")
    assert crashed.returncode == 1
    assert "KeyError: 'lost'" in crashed.stderr
    assert call(environment, "write", tmp_path / "y").returncode == 0  # the server survives its children


def test_a_date_that_snakemake_read_reaches_the_child_as_text(environment: dict[str, str], tmp_path: Path) -> None:
    code = (
        "import sys, datetime; from quantbench.cell.warm import call; "
        "sys.exit(call('target:keep', {'path': sys.argv[1], 'config': {'prompt_date': datetime.date(2024, 7, 26)}}, 1))"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "x")], env=environment, timeout=120, check=True)
    assert (tmp_path / "x").read_text() == "{'prompt_date': '2024-07-26'}"


def test_a_killed_cell_takes_its_child_with_it(environment: dict[str, str], tmp_path: Path) -> None:
    command = [sys.executable, "-c", CALL, "target:sleep", str(tmp_path / "pid")]
    cell = subprocess.Popen(command, env=environment)
    deadline = time.monotonic() + 120
    while not ((tmp_path / "pid").exists() and (tmp_path / "pid").read_text()) and time.monotonic() < deadline:
        time.sleep(0.05)
    child = int((tmp_path / "pid").read_text())
    assert os.getpgid(child)
    cell.send_signal(signal.SIGKILL)
    cell.wait()
    while Path(f"/proc/{child}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(f"/proc/{child}").exists()


def sleeping(environment: dict[str, str], path: Path, function: str = "sleep") -> tuple[subprocess.Popen[str], int]:
    """A cell whose child is at work, and the child's process id."""
    command = [sys.executable, "-c", CALL, f"target:{function}", str(path)]
    cell = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    while not (path.exists() and path.read_text()):
        assert cell.poll() is None, cell.communicate()
        time.sleep(0.02)
    return cell, int(path.read_text())


def server_of(child: int) -> int:
    return int(Path(f"/proc/{child}/stat").read_text().split()[3])


def test_a_killed_child_is_told(environment: dict[str, str], tmp_path: Path) -> None:
    cell, child = sleeping(environment, tmp_path / "pid")
    os.kill(child, signal.SIGKILL)
    said = cell.communicate(timeout=60)[1]
    assert cell.returncode == 1
    assert "was killed (SIGKILL)" in said and "run again: what it has finished is kept" in said


def test_a_killed_server_takes_no_cell_with_it_and_another_one_is_started(
    environment: dict[str, str], tmp_path: Path
) -> None:
    cell, child = sleeping(environment, tmp_path / "pid", "nap")
    os.kill(server_of(child), signal.SIGKILL)
    (tmp_path / "pid.go").touch()
    assert cell.wait(60) == 5
    assert call(environment, "fail", tmp_path / "x").returncode == 3


def test_a_killed_server_and_its_children_are_told_and_a_killed_cell_leaves_none(
    environment: dict[str, str], tmp_path: Path
) -> None:
    cell, child = sleeping(environment, tmp_path / "one")
    os.kill(server_of(child), signal.SIGKILL)
    os.kill(child, signal.SIGKILL)
    assert "was killed, and this cell with it; run again" in cell.communicate(timeout=60)[1]
    cell, child = sleeping(environment, tmp_path / "two")
    os.kill(server_of(child), signal.SIGKILL)
    cell.kill()
    cell.communicate()
    deadline = time.monotonic() + 60
    while Path(f"/proc/{child}").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not Path(f"/proc/{child}").exists()


def test_a_server_that_cannot_start_is_told_at_once(environment: dict[str, str], tmp_path: Path) -> None:
    deep = tmp_path / ("x" * 120)
    deep.mkdir()
    said = call({**environment, "TMPDIR": str(deep)}, "write", tmp_path / "x").stderr
    assert "set TMPDIR to a shorter folder, or set hardware.warm_start: false" in said
    (tmp_path / "bitsandbytes.py").write_text("raise ImportError('broken')")
    broken = {**environment, "TMPDIR": str(environment["TMPDIR"]) + "/b"}
    Path(broken["TMPDIR"]).mkdir()
    broken["PYTHONPATH"] = f"{tmp_path}:{environment['PYTHONPATH']}"
    said = call(broken, "write", tmp_path / "x").stderr
    assert "did not start, as " in said and ".log says; set hardware.warm_start: false" in said
