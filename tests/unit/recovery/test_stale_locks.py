"""A lock is removed where the process that signed it has died; in doubt it stays, and a line says what goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from quantbench.recovery import clear_stale_locks, kernel, lock_signature, sign_locks, sign_when_locked
from quantbench.recovery.kernel import Kernel
from quantbench.recovery.lock_signature import Signature

SIGN = """
import sys, time
from quantbench.recovery import sign_locks
sign_locks(sys.argv[1:])
print("signed", flush=True)
time.sleep(60)
"""
COMMAND = ["--cores", "2", "--unlock"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Snakemake's folder of locks, with one pair of lock files."""
    (tmp_path / "0.input.lock").write_text("results/demo/datasets/hoc/samples.jsonl\n")
    (tmp_path / "0.output.lock").write_text("results/demo/tables/table1.csv\n")
    return tmp_path


@pytest.fixture
def signer(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A living process that has signed both."""
    process = subprocess.Popen([sys.executable, "-c", SIGN, *locks(folder)], stdout=subprocess.PIPE, text=True)
    assert process.stdout and process.stdout.readline() == "signed\n"
    yield process
    process.kill()
    process.wait()


def locks(folder: Path) -> list[str]:
    return sorted(map(str, folder.glob("*.lock")))


def signature_of(folder: Path) -> Path:
    (path,) = folder.glob("*.signature")
    return path


def kill(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()


def cleared(folder: Path) -> str:
    return "\n".join(clear_stale_locks(folder, "results/demo", COMMAND))


def elsewhere(found: Signature, **other: str) -> Signature:
    return replace(found, kernel=replace(found.kernel, **other))


def test_the_lock_of_a_living_process_stays(folder: Path, signer: subprocess.Popen[str]) -> None:
    said = cleared(folder)
    assert f"process {signer.pid} on" in said and "wait until it has ended" in said
    assert len(locks(folder)) == 2 and signature_of(folder).exists()


def test_the_lock_of_a_killed_process_is_removed_once(folder: Path, signer: subprocess.Popen[str]) -> None:
    kill(signer)
    assert f"process {signer.pid}" in cleared(folder)
    assert list(folder.iterdir()) == []
    assert cleared(folder) == ""


def test_a_child_that_outlives_the_process_does_not_hold_its_lock(folder: Path) -> None:
    code = "import subprocess, sys, os, signal; from quantbench.recovery import sign_locks; sign_locks(sys.argv[1:]); "
    code += "subprocess.Popen(['sleep', '30'], stdout=subprocess.DEVNULL); os.kill(os.getpid(), signal.SIGKILL)"
    subprocess.run([sys.executable, "-c", code, *locks(folder)], check=False)
    cleared(folder)
    assert list(folder.iterdir()) == []


def test_a_lock_that_another_process_has_taken_since_stays(folder: Path, signer: subprocess.Popen[str]) -> None:
    kill(signer)
    lock = folder / "0.output.lock"
    content = lock.read_text()
    lock.unlink()
    lock.write_text(content)
    said = cleared(folder)
    assert locks(folder) == [str(lock)]
    assert "not known by which process" in said and "snakemake --unlock --cores 2," in said


@pytest.mark.parametrize(
    ("other", "removed"),
    [
        ({"host": "node7", "machine": "m7", "boot": "b7"}, False),
        ({"machine": "m7", "boot": "b7"}, False),
        ({"host": "node7", "boot": "b7"}, False),
        ({"boot": "b7"}, True),  # this machine, before it was restarted
        ({"host": "renamed"}, True),  # the same boot
    ],
)
def test_what_another_machine_signed_stays(
    folder: Path, signer: subprocess.Popen[str], other: dict[str, str], removed: bool
) -> None:
    kill(signer)
    path = signature_of(folder)
    path.write_bytes(elsewhere(Signature.parse(path.read_bytes()), **other).text())
    said = cleared(folder)
    assert (locks(folder) == []) is removed
    assert ("cannot be seen from here" in said and "snakemake --unlock" in said) is not removed


def test_without_the_name_of_the_boot_a_machine_still_knows_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "_BOOT_ID", Path("/nowhere"))
    monkeypatch.setattr(kernel, "_MACHINE_ID", Path("/nowhere"))
    assert Kernel.here().boot == ""
    assert Kernel.here().answers_for(Kernel.here())
    assert not Kernel.here().answers_for(replace(Kernel.here(), host="node7"))


def test_locks_of_another_run_are_not_spoken_of(folder: Path) -> None:
    assert clear_stale_locks(folder, "results/other", COMMAND) == []
    assert clear_stale_locks(folder, "results/dem", COMMAND) == []
    assert "results/demo is locked" in cleared(folder)


def test_no_folder_and_no_locks() -> None:
    assert cleared(Path("/nowhere")) == ""
    sign_locks([])


def test_a_file_system_without_locks_proves_nothing(
    folder: Path, signer: subprocess.Popen[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    kill(signer)

    def refuse(descriptor: int, operation: int) -> None:
        raise OSError(38, os.strerror(38))

    monkeypatch.setattr("fcntl.flock", refuse)
    assert "snakemake --unlock" in cleared(folder)
    assert len(locks(folder)) == 2
    assert "at work" not in cleared(folder)
    signature_of(folder).unlink()
    sign_locks(locks(folder))
    assert list(folder.glob("*.signature")) == [] and not lock_signature._held


ODD: list[Callable[[Path], object]] = [
    lambda path: path.mkdir(),
    lambda path: path.symlink_to("/dev/zero"),
    lambda path: os.mkfifo(path),
    lambda path: path.write_text("[]"),
]


@pytest.mark.parametrize("make", ODD)
def test_odd_files_among_the_locks(folder: Path, make: Callable[[Path], object]) -> None:
    make(folder / "x.signature")
    assert "snakemake --unlock" in cleared(folder)
    assert len(locks(folder)) == 2


@given(content=st.binary(max_size=200), kept=st.integers(0, 400))
@hypothesis_settings(max_examples=30, deadline=None)
def test_a_damaged_signature_removes_nothing(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, kept: int
) -> None:
    folder = tmp_path_factory.mktemp("locks")
    (folder / "0.output.lock").write_text("results/demo/x\n")
    whole = Signature(kernel=Kernel.here(), process=1, files=[lock_signature.SignedFile.of(folder / "0.output.lock")])
    torn = whole.text()[:-1][:kept]
    for damaged in (content, torn):
        (folder / "x.signature").write_bytes(damaged)
        assert "not known by which process" in cleared(folder)
        assert len(locks(folder)) == 1


class Snakemake:
    """What is used of Snakemake's workflow object: a lock that is taken after everything is planned."""

    class Persistence:
        def __init__(self, folder: Path) -> None:
            self._lockfile: dict[str, str] = {}
            self._folder = folder

        @contextmanager
        def lock(self) -> Iterator[None]:
            self._lockfile["output"] = str(self._folder / "0.output.lock")
            yield

    def __init__(self, folder: Path) -> None:
        self.persistence: Snakemake.Persistence | None = None
        self._folder = folder

    def _prepare_dag(self) -> None:
        self.persistence = self.Persistence(self._folder)


def test_the_lock_is_signed_as_soon_as_it_is_taken(folder: Path) -> None:
    """Rules that are read twice, as a module and by themselves, sign once."""
    workflow = Snakemake(folder)
    sign_when_locked(workflow)
    sign_when_locked(workflow)
    workflow._prepare_dag()
    assert not list(folder.glob("*.signature"))
    with workflow.persistence.lock():
        signed = Signature.parse(signature_of(folder).read_bytes())
        assert [file.name for file in signed.files] == ["0.output.lock"]
        assert "wait until it has ended" in cleared(folder)
    lock_signature._held.clear()


def test_a_snakemake_of_another_make_signs_nothing() -> None:
    sign_when_locked(object())
