"""The command line, ``quantbench <command>``. Each command is a module of its own, imported only when it is called."""

from __future__ import annotations

import argparse
import importlib
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast

from .. import __version__
from ..errors import ConfigError, FoundWanting, QuantbenchError, nearest
from ..reading.os_errors import reason

DONE, WANTING, BAD_INPUT, DEFECT = 0, 1, 2, 3


@dataclass(frozen=True)
class Command:
    """One command: what it does in a line, and the module beside this one that does it."""

    summary: str
    module: str


COMMANDS = {
    "plan": Command(
        "say what fits where, how long it takes and what it can decide, before anything is downloaded", "plan"
    ),
    "recommend": Command("recommend a model and precision for one task on one GPU", "recommend"),
    "add-model": Command("write a model's entry, with the facts read from its config.json", "add_model"),
    "lock": Command("write down the commit and files that each hub model stands for", "pin_models"),
    "cells": Command("list the cells of a run: finished, in progress, waiting", "list_cells"),
    "outputs": Command("list what a run left to open: figures, tables, cells", "outputs"),
    "reproduce": Command("hold a run against the paper: its Table 1, figures and claims", "reproduce"),
    "judge": Command("judge two runs made elsewhere: lm-evaluation-harness, inspect_ai, JSON lines", "judge"),
    "verify": Command("say which cells and files no longer match what they were made from", "verify"),
    "score": Command("score a predictions file again, without GPU and without torch", "score"),
    "bundle": Command("pack a finished run into one file, to be drawn again elsewhere", "bundle"),
    "privacy": Command("search a run or a bundle for texts that may not be passed on", "privacy"),
    "open": Command("check and unpack a bundle, so that its figures can be drawn again", "open"),
    "export": Command("copy a quantized checkpoint to a folder ready to deploy", "export"),
    "clean": Command("list what models, checkpoints or datasets take on disk, and free it", "clean"),
    "where": Command("print the folder of the catalogue in use", "where"),
    "completion": Command("print the completion script of a shell", "shell_completion"),
}
# What only the extras of the package bring, by the name it is imported under (pyproject.toml).
EXTRAS = {
    "analysis": ("matplotlib", "pooch", "requests", "snakemake", "tqdm", "zstandard"),
    "inference": (
        *("accelerate", "bitsandbytes", "datasets", "huggingface_hub", "psutil", "pynvml", "safetensors"),
        *("torch", "transformers"),
    ),
}
_HELP = f"""
quantbench help <command> says more; quantbench --version names the version.

Configurations: --configfile FILE, which may be repeated, and --config KEY=VALUE are laid over the catalogue's
config/config.yaml, as Snakemake does it. RUN is the folder of a run, such as results/demo.
Models, precisions, datasets and studies are those that are shipped (quantbench where), and before them those under
config/ of the working directory, or of the folder that --root names. QUANTBENCH_CATALOGUE names another shipped folder.

Exit status: {DONE} done, {WANTING} found wanting (something differs, does not fit, cannot be recommended), {BAD_INPUT} bad input or usage, {DEFECT} a defect of the program, whose traceback is in the file that is named."""


class _Module(Protocol):
    """What the module of a command has: its docstring is the command's help."""

    PARENTS: Sequence[argparse.ArgumentParser]

    def add_arguments(self, parser: argparse.ArgumentParser) -> None: ...

    def run(self, arguments: argparse.Namespace) -> None: ...


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        the exit status: 0 done; 1 found wanting; 2 bad input or wrong usage, 3 a defect, said on standard error; as shells have it,
        130 where the user interrupted, and 141 where what reads the output went away.
    """
    if sys.stdout is None:  # closed by who called; nobody reads it then
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115
    words = list(sys.argv[1:] if arguments is None else arguments)
    name = " ".join(["quantbench", *(word for word in words[:1] if word in COMMANDS)])
    try:
        _run(words)
        sys.stdout.flush()
    except FoundWanting as error:
        return _said(name, str(error), WANTING)
    except QuantbenchError as error:
        return _said(name, str(error), BAD_INPUT)
    except SystemExit as error:  # argparse has said what is wrong, or printed the help
        return int(error.code or DONE)
    except KeyboardInterrupt:
        return _said(name, "interrupted", 128 + signal.SIGINT)
    except BrokenPipeError:
        _write_or_discard()
        return 128 + signal.SIGPIPE
    except ModuleNotFoundError as error:
        package = str(error.name).split(".")[0]
        if package == __package__.split(".")[0]:
            return _broken(name, error)
        return _said(name, _brought_by(package), BAD_INPUT)
    except OSError as error:
        _write_or_discard()
        where = f"{error.filename}: " if error.filename else ""
        return _said(name, f"{where}{reason(error)}", BAD_INPUT)
    except Exception as error:
        return _broken(name, error)
    return DONE


def _run(words: Sequence[str]) -> None:
    if words == ["--version"]:
        print(f"quantbench {__version__}")
        return
    if words[:1] == ["help"] and len(words) > 1:
        words = [words[1], "--help"]
    if not words or words[0] in ("-h", "--help", "help"):
        print(overview())
        return
    name = words[0]
    if name not in COMMANDS:
        raise ConfigError(f"unknown command {name!r}{nearest(name, COMMANDS)}")
    from .options import bounded

    module = _module(name)
    module.run(command_parser(name, module).parse_args(bounded(words[1:])))


def command_parser(name: str, module: _Module) -> argparse.ArgumentParser:
    """The parser of one command."""
    parser = argparse.ArgumentParser(
        prog=f"quantbench {name}",
        description=module.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=module.PARENTS,
    )
    module.add_arguments(parser)
    return parser


def whole_parser() -> argparse.ArgumentParser:
    """All commands as the subparsers of one parser, for what describes the whole command line."""
    parser = argparse.ArgumentParser(prog="quantbench")
    parser.add_argument("--version", action="store_true", help="print the version")
    commands = parser.add_subparsers()
    for name, command in COMMANDS.items():
        module = _module(name)
        module.add_arguments(commands.add_parser(name, help=command.summary, parents=module.PARENTS))
    commands.add_parser("help", help="say more about a command").add_argument(
        "command", nargs="?", choices=list(COMMANDS)
    )
    return parser


def _module(name: str) -> _Module:
    return cast(_Module, importlib.import_module(f".{COMMANDS[name].module}", __package__))


def overview() -> str:
    """What ``quantbench help`` prints."""
    lines = [f"  {name:<12}{command.summary}" for name, command in COMMANDS.items()]
    return "\n".join(["usage: quantbench <command> [options]", "", *lines, _HELP])


def _brought_by(package: str) -> str:
    """What is said of a package that is not installed."""
    extra = next((extra for extra, names in EXTRAS.items() if package in names), None)
    if extra is None:
        return f"needs {package}, which is not installed"
    return f"needs {package}, which the extra '{extra}' brings: pip install 'quantbench[{extra}]'"


def _broken(name: str, error: Exception) -> int:
    """Keep the traceback of what nobody foresaw, and say in a line where."""
    from ..defects import defect_line, keep_traceback

    _write_or_discard()
    return _said(name, defect_line(error, keep_traceback(name, error)), DEFECT)


def _said(name: str, said: str, status: int) -> int:
    # What is said holds names and values of other people's files, which a terminal must not act on.
    print(f"{name}: {''.join(map(_shown, said))}", file=sys.stderr)
    return status


def _shown(letter: str) -> str:
    return letter if letter.isprintable() or letter in "\n\t" else repr(letter)[1:-1]


def _write_or_discard() -> None:
    """Write what is still buffered, or drop it: Python would try again at its end, and complain."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
