"""Warm starts: on CPU, cells are forked from one process that has imported torch and transformers already.

Importing them takes four to five seconds a process, more than a tiny model needs for 200 answers, so that most of a
laptop run would be spent importing. The first cell of a run starts a server; each cell connects to it, hands over its
standard output and error, and waits for a child of its own: still one process a cell, alone in its memory.
Off by default (``hardware.warm_start``), and refused on CUDA, which does not survive a fork.

The server leaves after a while without work. A cell that is killed takes its child with it, since its connection closes. A server
that is killed takes none: its children go on and report themselves, and the next cell starts another one.
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
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from ..errors import QuantbenchError
from ..provenance import code_of_package
from ..reading.os_errors import in_words
from ..recovery import held, user_folder

IDLE_S = 20.0
START_S = 120.0
_POLL_S = 0.02
_CALL_BYTES = 1 << 20
_STATUS_BYTES = 4
_GO_ON = "run again: what it has finished is kept"
_COLD = "set hardware.warm_start: false"
_PACKAGE = Path(__file__).resolve().parents[2]


def call(function: str, arguments: Mapping[str, object], threads: int) -> int:
    """Run ``module:function(**arguments)`` in a child of the warm process and return its exit status.

    Args:
        function: dotted module and function name, joined by a colon.
        arguments: keyword arguments, as JSON can hold them.
        threads: CPU threads; each number has its own server, since libraries read it when they are imported.

    Raises:
        QuantbenchError: the server did not start, or it or the child was killed.
    """
    with _connect(threads) as connection:
        # Snakemake's own reading of a configuration has dates, which JSON has not.
        text = json.dumps({"function": function, "arguments": arguments, "folder": str(Path.cwd())}, default=str)
        request = text.encode()
        try:
            socket.send_fds(connection, [len(request).to_bytes(4, "big") + request], [1, 2])
            status = connection.recv(_STATUS_BYTES)
        except ConnectionError:
            status = b""
    if len(status) < _STATUS_BYTES:
        raise QuantbenchError(f"the process that cells are forked from was killed, and this cell with it; {_GO_ON}")
    ended = int.from_bytes(status, "big", signed=True)
    if ended < 0:
        raise QuantbenchError(
            f"the process that ran this cell was killed ({signal.Signals(-ended).name}), often by a system that is short of memory; "
            f"{_GO_ON}"
        )
    return ended


def _address(threads: int) -> Path:
    """The socket of the server for this checkout and state of the code, Python and number of threads, in this user's own folder."""
    key = f"{_PACKAGE}/{code_of_package()}/{sys.executable}/{threads}"
    return user_folder() / f"{hashlib.sha256(key.encode()).hexdigest()[:16]}.sock"


def _connect(threads: int) -> socket.socket:
    address, server = _address(threads), None
    # One cell at a time tries, so that the first two cells of a run do not start two servers.
    with held(address.with_suffix(".lock"), f"set TMPDIR to a folder on a local disk, or {_COLD}"):
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            connection = socket.socket(socket.AF_UNIX)
            try:
                connection.connect(str(address))
                return connection
            except (FileNotFoundError, ConnectionRefusedError):
                connection.close()
            except OSError as error:  # a path longer than sockets have, a folder of its name
                connection.close()
                raise QuantbenchError(
                    f"{address}: no socket ({error}); set TMPDIR to a shorter folder, or {_COLD}"
                ) from None
            if server is None:
                server = _start(address, threads)
            elif (ended := server.poll()) is not None:
                if ended >= 0:
                    break
                server = _start(address, threads)  # it was killed
            time.sleep(_POLL_S)
    log = address.with_suffix(".log")
    raise QuantbenchError(f"the process that cells are forked from did not start, as {log} says; {_COLD}")


def _start(address: Path, threads: int) -> subprocess.Popen[bytes]:
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, [str(_PACKAGE), os.environ.get("PYTHONPATH")])),
    }
    command = [sys.executable, "-m", __name__, str(address), str(threads)]
    log = address.with_suffix(".log")
    with in_words(log, QuantbenchError):
        address.unlink(missing_ok=True)
        with log.open("wb") as said:
            return subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, env=environment, start_new_session=True
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
        threading.Thread(target=_end_with_cell, args=[connection], daemon=True).start()
        for target, descriptor in enumerate(descriptors, start=1):
            os.dup2(descriptor, target)
        status = _run(header[4:])
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        # The server says it too, but may have been killed.
        _report(connection, status)
        os._exit(status)


def _end_with_cell(connection: socket.socket) -> None:
    """End this child once its cell is killed; the server does the same as long as it lives."""
    with suppress(OSError):
        connection.recv(1)
    os.kill(os.getpid(), signal.SIGKILL)


def _report(connection: socket.socket, status: int) -> None:
    with suppress(OSError):
        connection.send(status.to_bytes(_STATUS_BYTES, "big", signed=True))


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
        _report(connection, os.waitstatus_to_exitcode(status))
        connection.close()
        ended = True
    return ended


if __name__ == "__main__":
    serve(Path(sys.argv[1]), int(sys.argv[2]))
