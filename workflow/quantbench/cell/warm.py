"""Warm starts: on CPU, cells are forked from one process that has imported torch and transformers already.

Importing them takes four to five seconds a process, more than a tiny model needs for 200 answers, so that most of a
laptop run would be spent importing. The first cell of a run starts a server; each cell connects to it, hands over its
standard output and error, and waits for a child of its own: still one process a cell, alone in its memory.
Off by default (``hardware.warm_start``), and refused on CUDA, which does not survive a fork.

The server leaves after a while without work. A cell that is killed takes its child with it, since its connection closes.
"""

from __future__ import annotations

import hashlib
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from ..errors import QuantbenchError
from ..provenance import code_of_package

IDLE_S = 20.0
START_S = 120.0
_POLL_S = 0.02
_CALL_BYTES = 1 << 20
_PACKAGE = Path(__file__).resolve().parents[2]


def call(function: str, arguments: Mapping[str, object], threads: int) -> int:
    """Run ``module:function(**arguments)`` in a child of the warm process and return its exit status.

    Args:
        function: dotted module and function name, joined by a colon.
        arguments: keyword arguments, as JSON can hold them.
        threads: CPU threads; each number has its own server, since libraries read it when they are imported.

    Raises:
        QuantbenchError: the server did not start in time, or died.
    """
    with _connect(threads) as connection:
        # Snakemake's own reading of a configuration has dates, which JSON has not.
        text = json.dumps({"function": function, "arguments": arguments, "folder": str(Path.cwd())}, default=str)
        request = text.encode()
        socket.send_fds(connection, [len(request).to_bytes(4, "big") + request], [1, 2])
        status = connection.recv(4)
    if len(status) < 4:
        raise QuantbenchError(
            "the process that cells are forked from died; run again, or set hardware.warm_start: false"
        )
    return int.from_bytes(status, "big")


def _address(threads: int) -> Path:
    """The socket of the server for this checkout and state of the code, Python and number of threads, in a folder only this user may enter."""
    folder = Path(tempfile.gettempdir()) / f"quantbench-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid() or folder.stat().st_mode & 0o077:
        raise QuantbenchError(f"{folder}: belongs to others; remove it, or set hardware.warm_start: false")
    key = f"{_PACKAGE}/{code_of_package()}/{sys.executable}/{threads}"
    return folder / f"{hashlib.sha256(key.encode()).hexdigest()[:16]}.sock"


def _connect(threads: int) -> socket.socket:
    from filelock import FileLock

    address = _address(threads)
    # One cell at a time tries, so that the first two cells of a run do not start two servers.
    with FileLock(address.with_suffix(".lock")):
        deadline, started = time.monotonic() + START_S, False
        while time.monotonic() < deadline:
            connection = socket.socket(socket.AF_UNIX)
            try:
                connection.connect(str(address))
                return connection
            except (FileNotFoundError, ConnectionRefusedError):
                connection.close()
            if not started:
                _start(address, threads)
                started = True
            time.sleep(_POLL_S)
    raise QuantbenchError(f"no process to fork cells from after {START_S:.0f} s; set hardware.warm_start: false")


def _start(address: Path, threads: int) -> None:
    address.unlink(missing_ok=True)
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, [str(_PACKAGE), os.environ.get("PYTHONPATH")])),
    }
    command = [sys.executable, "-m", __name__, str(address), str(threads)]
    with address.with_suffix(".log").open("wb") as log:
        subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, start_new_session=True
        )


def serve(address: Path, threads: int) -> None:
    """Import what every cell needs, then fork a child for each connection until there was no work for a while."""
    from ..devices.runtime import set_environment

    set_environment(threads, "cpu", [])
    _preload()
    with socket.socket(socket.AF_UNIX) as listener, selectors.DefaultSelector() as waiting:
        listener.bind(str(address))
        listener.listen(64)
        waiting.register(listener, selectors.EVENT_READ)
        children: dict[int, socket.socket] = {}
        idle_since = time.monotonic()
        while children or time.monotonic() - idle_since < IDLE_S:
            for key, _ in waiting.select(_POLL_S if children else 1.0):
                if key.fileobj is listener:
                    connection, _address_of_peer = listener.accept()
                    pid = _fork(connection, [listener, *children.values()])
                    children[pid] = connection
                    waiting.register(connection, selectors.EVENT_READ, pid)
                else:  # a cell says nothing more: its connection only ends, when the cell is killed
                    waiting.unregister(key.fileobj)
                    with suppress(ProcessLookupError):
                        os.kill(key.data, signal.SIGKILL)
            if _reap(children, waiting):
                idle_since = time.monotonic()
        address.unlink(missing_ok=True)


def _preload() -> None:
    import bitsandbytes
    import transformers.integrations.bitsandbytes
    import transformers.quantizers.auto
    from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig
    from transformers.models.llama import modeling_llama

    from ..engine import generation
    from . import requests
    from . import running as cell

    # Naming them keeps linters from calling them unused: importing is the point.
    _ = (bitsandbytes, transformers, AutoModelForCausalLM, AutoTokenizer, GenerationConfig, modeling_llama)
    _ = (cell, generation, requests)


def _fork(connection: socket.socket, inherited: list[socket.socket]) -> int:
    """Start a child that answers one connection; returns its process id in the server."""
    header, descriptors, _, _ = socket.recv_fds(connection, _CALL_BYTES, 2)
    pid = os.fork()
    if pid:
        for descriptor in descriptors:
            os.close(descriptor)
        return pid
    status = 1
    try:
        for other in inherited:
            other.close()
        for target, descriptor in enumerate(descriptors, start=1):
            os.dup2(descriptor, target)
        status = _run(header[4:])
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _run(call: bytes) -> int:
    import importlib
    import traceback

    request = json.loads(call)
    os.chdir(request["folder"])
    module, name = request["function"].split(":")
    try:
        getattr(importlib.import_module(module), name)(**request["arguments"])
    except SystemExit as end:
        return int(end.code or 0)
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def _reap(children: dict[int, socket.socket], waiting: selectors.BaseSelector) -> bool:
    """Report the exit status of children that have ended; True if any did."""
    ended = False
    while children:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            break
        connection = children.pop(pid)
        with suppress(KeyError):
            waiting.unregister(connection)
        with suppress(OSError):
            connection.send((os.waitstatus_to_exitcode(status) & 0xFF).to_bytes(4, "big"))
        connection.close()
        ended = True
    return ended


if __name__ == "__main__":
    serve(Path(sys.argv[1]), int(sys.argv[2]))
