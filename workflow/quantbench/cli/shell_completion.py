"""Print the script that completes commands and options at the tab key.

bash   quantbench completion bash > ~/.local/share/bash-completion/completions/quantbench
zsh    quantbench completion zsh > "${fpath[1]}/_quantbench"
fish   quantbench completion fish > ~/.config/fish/completions/quantbench.fish
"""

from __future__ import annotations

import argparse

import shtab

from .main import whole_parser

PARENTS: tuple[argparse.ArgumentParser, ...] = ()
SHELLS = ("bash", "zsh", "fish")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("shell", choices=SHELLS, help="the shell")


def run(arguments: argparse.Namespace) -> None:
    """Print the script."""
    print(shtab.complete(whole_parser(), arguments.shell), end="")
