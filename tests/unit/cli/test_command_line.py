"""What holds for every command: names of options, exit statuses, and no traceback whatever happens."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import tomllib
from collections import defaultdict
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from quantbench import __version__
from quantbench.cli import where
from quantbench.cli.main import COMMANDS, EXTRAS, main, whole_parser

# A package of an extra that is not installed, for a fresh interpreter.
WITHOUT = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == sys.argv[1]:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Refuse())
from quantbench.cli.main import main
sys.exit(main(sys.argv[2:]))
"""


def called(*words: str, code: str | None = None, **more: object) -> subprocess.CompletedProcess[str]:
    start = ["-c", code] if code else ["-m", "quantbench"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run([sys.executable, *start, *words], capture_output=True, text=True, env=environment, **more)


def options() -> dict[str, list[argparse.Action]]:
    """Every option string -> its declaration in each command that has it."""
    found = defaultdict(list)
    (commands,) = (action for action in whole_parser()._actions if isinstance(action, argparse._SubParsersAction))
    for parser in commands.choices.values():
        for action in parser._actions:
            for word in action.option_strings:
                found[word].append(action)
    return found


def test_an_option_means_the_same_in_every_command() -> None:
    found = options()
    shared = {name for name, actions in found.items() if len(actions) > 1} - {"-h", "--help"}
    assert {"--root", "--configfile", "--config", "--format", "--model", "--to"} <= shared
    for name in shared:
        assert len({(action.metavar, action.type) for action in found[name]}) == 1, name
    assert not {"--file", "--output", "--catalogue", "--folder", "--results"} & found.keys()


def test_without_a_command_and_with_help_the_commands_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    said = []
    for words in ([], ["help"], ["--help"], ["-h"]):
        assert main(words) == 0
        said.append(capsys.readouterr().out)
    assert len(set(said)) == 1
    assert all(f"\n  {name} " in said[0] for name in COMMANDS)
    assert "--configfile" in said[0] and "QUANTBENCH_CATALOGUE" in said[0]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["help", name]) == 0
    helped = capsys.readouterr().out
    assert main([name, "--help"]) == 0
    assert capsys.readouterr().out == helped
    assert helped.startswith(f"usage: quantbench {name}")


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"quantbench {__version__}\n"


def test_wrong_usage_is_status_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pla"]) == 2
    assert "unknown command 'pla'; did you mean 'plan'?" in capsys.readouterr().err
    assert main(["help", "pla"]) == 2
    assert "did you mean 'plan'?" in capsys.readouterr().err
    assert main(["plan", "--nonsense"]) == 2
    assert "unrecognized arguments: --nonsense" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("library", "extra", "words"),
    [
        ("zstandard", "analysis", ["open", "resources/demo/demo.tar.zst"]),
        ("huggingface_hub", "inference", ["lock", "--model", "phi-4"]),
    ],
)
def test_a_missing_extra_is_named(library: str, extra: str, words: list[str], repository: Path) -> None:
    done = called(library, *words, code=WITHOUT, cwd=repository)
    assert done.returncode == 2
    assert f"needs {library}, which the extra '{extra}' brings: pip install 'quantbench[{extra}]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_broken_installation_is_said(repository: Path) -> None:
    done = called("shtab", "completion", "bash", code=WITHOUT, cwd=repository)
    assert (done.returncode, done.stderr) == (2, "quantbench completion: needs shtab, which is not installed\n")


def test_the_extras_are_those_of_the_project(repository: Path) -> None:
    project = tomllib.loads((repository / "pyproject.toml").read_text())["project"]
    named = {
        extra: {line.split("=")[0].split(">")[0].split("[")[0].lower() for line in lines}
        for extra, lines in project["optional-dependencies"].items()
    }
    distributions = packages_distributions()
    for extra, names in EXTRAS.items():
        for name in names:
            assert named[extra] & {one.lower() for one in distributions[name]}, (extra, name)


def test_a_reader_that_goes_away_ends_it_quietly(repository: Path) -> None:
    command = f"{sys.executable} -m quantbench plan --against paper --format csv | head -1; exit ${{PIPESTATUS[0]}}"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, env=environment)
    assert done.stdout.startswith("dataset,model")
    assert done.stderr == ""
    assert done.returncode in (0, 128 + signal.SIGPIPE)  # 0: all was in the pipe before head left
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "quantbench", "help"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
    assert done.returncode == 2
    assert done.stderr == "quantbench: no space left on the disk\n"


def test_a_closed_output_is_no_error(repository: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = f"{sys.executable} -m quantbench help >&-"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, env=environment)
    assert (done.returncode, done.stderr) == (0, "")


def test_an_interrupt_ends_it_in_one_line() -> None:
    waiting = (
        "import sys, time; from quantbench.cli import main, where; "
        "where.run = lambda arguments: (print('waiting', flush=True), time.sleep(60)); sys.exit(main.main(['where']))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", waiting],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler) and None,
    )
    assert process.stdout is not None and process.stdout.readline() == "waiting\n"
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGINT
    assert said == "quantbench where: interrupted\n"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("limit: 1\n")
    path.chmod(0)
    assert main(["plan", "--configfile", str(path)]) == 2
    assert f"{path}: Permission denied" in capsys.readouterr().err


def test_a_folder_in_place_of_a_file_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "--configfile", str(tmp_path)]) == 2
    assert capsys.readouterr().err == f"quantbench plan: {tmp_path}: a folder, and a file is expected; give a file\n"


@pytest.mark.parametrize(
    "words",
    [
        ["open", "a\0b"],
        ["open", ""],
        ["open", "x" * 300],
        ["open", "x/" * 3000],
        ["open", "a\nb"],
        ["open", "\ud83d"],
        ["verify", "\0"],
        ["plan", "--configfile", ""],
        ["plan", "--root", "\0"],
        ["recommend", "--gpu-memory", "24", "--run", ""],
        ["recommend", "--gpu-memory", "9" * 5000],
        ["plan", "--batch", "9" * 5000],
        ["plan", "--batch", "1e3"],
        ["plan", "--batch", "٣x"],
        ["plan", "--devices", "100000"],
        ["score", "--dataset", "hoc", "--gold", "g", "--predictions", "p", "--out", "o", "--seed", str(2**32)],
        ["judge", "a", "b", "--resamples", "1000000000000"],
        ["judge", "a", "b", "--scale", "nan"],
        ["judge", "a", "b", "--margin", "nan"],
        ["recommend", "--gpu-memory", "24", "--margin", "nan"],
        ["recommend", "--gpu-memory", "nan"],
        ["\ud83d"],
        ["plan", "--config", "limit=[" * 200],
        ["plan", "--config", "\0=1"],
    ],
)
def test_what_no_argument_can_be_is_wrong_usage(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    said = capsys.readouterr().err.splitlines()
    assert said[-1].startswith("quantbench")
    assert "defect" not in said[-1] and len(said[-1]) < 6000


def test_what_nobody_foresaw_is_one_line_and_a_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(arguments: argparse.Namespace) -> None:
        raise KeyError("lost")

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(where, "run", broken)
    assert main(["where"]) == 3
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "KeyError" in said and "Traceback" not in said
    [log] = tmp_path.glob("*/quantbench-where-*.log")
    assert str(log) in said and "KeyError: 'lost'" in log.read_text() and log.stat().st_mode & 0o077 == 0


def test_a_message_holds_nothing_that_a_terminal_acts_on(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "\x1b[2Jno"]) == 2
    assert "\x1b" not in capsys.readouterr().err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_knows_every_command_and_option(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert all(name in script for name in COMMANDS)
    assert "gpu-memory" in script and "configfile" in script


def test_bash_completes_with_the_script(tmp_path: Path) -> None:
    script = tmp_path / "quantbench.bash"
    script.write_text(called("completion", "bash").stdout)
    test = f"""source {script}; COMP_WORDS=(quantbench plan --ag); COMP_CWORD=2
    _shtab_quantbench quantbench --ag plan; echo "${{COMPREPLY[@]}}" """
    done = subprocess.run(["bash", "-c", test], capture_output=True, text=True)
    assert done.stdout.split() == ["--against"], done.stderr
