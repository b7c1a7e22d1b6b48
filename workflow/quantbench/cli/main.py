"""The command line, ``quantbench <command>``. Each command is a module of its own, imported only when it is called."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

from ..errors import QuantbenchError, nearest

# command -> what it does; its module beside this one has add_arguments(parser) and run(arguments).
COMMANDS = {
    "export": "copy a quantized checkpoint to a folder ready to deploy, with licence note and smoke test",
    "plan": "say what fits where: peak GPU memory of models at each precision, term by term",
    "open": "check and unpack a bundle, so that its figures can be drawn again",
    "outputs": "list what a run left to open: figures, tables, cells",
    "recommend": "recommend a model and precision for one task on one GPU, from a run or the published Table 1",
    "score": "score a predictions file again, without GPU and without torch",
    "verify": "say which cells of a run no longer match what they were made from",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status: 0 done, 1 bad input (said on standard error), 2 wrong usage."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if not words or words[0] in ("-h", "--help"):
        print(_overview())
        return 0 if words else 2
    name = words[0]
    if name not in COMMANDS:
        print(f"quantbench: unknown command {name!r}{nearest(name, COMMANDS)}", file=sys.stderr)
        return 2
    module = importlib.import_module(f".{name}", __package__)
    parser = argparse.ArgumentParser(
        prog=f"quantbench {name}", description=module.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    module.add_arguments(parser)
    try:
        module.run(parser.parse_args(words[1:]))
    except QuantbenchError as error:
        print(f"quantbench {name}: {error}", file=sys.stderr)
        return 1
    return 0


def _overview() -> str:
    lines = [f"  {name:<12}{text}" for name, text in COMMANDS.items()]
    return "\n".join(["usage: quantbench <command> [options]", "", *lines, "", "quantbench <command> --help says more"])


if __name__ == "__main__":
    sys.exit(main())
