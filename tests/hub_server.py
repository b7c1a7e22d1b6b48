"""A model hub of our own on loopback: the part of the protocol that huggingface_hub uses, over real HTTP.

It serves folders as repositories, can require a token, cut connections, change content, and counts the bytes it sends.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections import Counter
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

LARGE_BYTES = 1 << 16


@dataclass
class Repository:
    """One published model or dataset: its commits (newest last) and who may read it."""

    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    gated: bool = False

    def publish(self, files: dict[str, bytes], branch: str = "main") -> str:
        """Add a commit with these files and move the branch to it."""
        commit = hashlib.sha1(
            repr(sorted((k, hashlib.sha1(v).digest()) for k, v in files.items())).encode()
        ).hexdigest()
        self.commits[commit] = files
        self.branches[branch] = commit
        return commit

    def resolve(self, revision: str) -> str | None:
        """The commit a revision stands for."""
        return self.branches.get(revision, revision if revision in self.commits else None)


class HubServer:
    """The hub. ``tokens``: token -> may it read gated repositories. ``cuts``: path -> bytes after which to hang up.

    ``storage`` is the address of another such server, to which requests for large files are sent on.
    """

    def __init__(self) -> None:
        self.repositories: dict[str, Repository] = {}
        self.moved: dict[str, str] = {}
        self.tokens: dict[str, bool] = {}
        self.cuts: dict[str, list[int]] = {}
        self.statuses: dict[str, list[int]] = {}
        self.storage: str | None = None
        self.sent: Counter[str] = Counter()
        self.authorized: list[str] = []
        self.served: dict[str, bytes] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def add_folder(self, hub_id: str, folder: Path, **changes: Any) -> str:
        """Publish a folder's files as a repository; returns the commit."""
        repository = self.repositories.setdefault(hub_id, Repository(**changes))
        files = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        return repository.publish(files)

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def git_blob(content: bytes) -> str:
    """The id git gives a content."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def _facts(path: str, content: bytes) -> dict[str, Any]:
    facts: dict[str, Any] = {"type": "file", "path": path, "size": len(content), "oid": git_blob(content)}
    if len(content) >= LARGE_BYTES:
        facts["lfs"] = {"oid": hashlib.sha256(content).hexdigest(), "size": len(content), "pointerSize": 130}
    return facts


def _below(repository: Repository, commit: str, folder: str, recursive: bool) -> list[str]:
    """The paths in a folder of a repository, in it alone or in all of its own folders too."""
    prefix = f"{folder}/" if folder else ""
    inside = [path for path in repository.commits[commit] if path.startswith(prefix)]
    return inside if recursive else sorted({prefix + path.removeprefix(prefix).split("/")[0] for path in inside})


def _handler(hub: HubServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self._answer(body=False)

        def do_GET(self) -> None:
            self._answer(body=True)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            paths = json.loads(body)["paths"] if body.startswith("{") else parse_qs(body)["paths"]
            self._answer(body=True, asked=[paths] if isinstance(paths, str) else paths)

        def _answer(self, body: bool, asked: list[str] | None = None) -> None:
            path = unquote(urlsplit(self.path).path)
            api = re.fullmatch(
                r"/api/(?:models|datasets)/([^/]+/[^/]+)(?:/(revision|tree|paths-info)/([^/]+))?/?(.*)", path
            )
            file = re.fullmatch(r"/(?:datasets/)?([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path)
            match = api or file
            hub_id = match[1] if match else ""
            if hub_id in hub.moved:
                return self._refuse(307, "", {"Location": self.path.replace(hub_id, hub.moved[hub_id])})
            repository = hub.repositories.get(hub_id)
            token = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
            if token:
                hub.authorized.append(path)
            if token and token not in hub.tokens:
                return self._refuse(401, "", {"X-Error-Message": "Invalid credentials in Authorization header"})
            if repository is None or match is None:
                # The hub does not tell strangers whether a repository exists.
                return self._refuse(404 if token else 401, "RepoNotFound")
            revision = (api[3] if api else file[2] if file else None) or "main"
            commit = repository.resolve(revision)
            if commit is None:
                return self._refuse(404, "RevisionNotFound")
            if api is not None:
                if api[2] == "revision" or api[2] is None:
                    return self._describe(hub_id, repository, commit)
                recursive = parse_qs(urlsplit(self.path).query).get("recursive", ["false"])[0].lower() in ("true", "1")
                return self._list(repository.commits[commit], asked or _below(repository, commit, api[4], recursive))
            assert file is not None
            if repository.gated and not hub.tokens.get(token):
                return self._refuse(403 if token else 401, "GatedRepo")
            content = repository.commits[commit].get(file[3])
            if content is None:
                return self._refuse(404, "EntryNotFound", {"X-Repo-Commit": commit})
            if body and hub.statuses.get(file[3]):
                return self._refuse(hub.statuses[file[3]].pop(0), "")
            if hub.storage and len(content) >= LARGE_BYTES:  # as the public hub: large files lie on another host
                return self._refuse(302, "", {"Location": f"{hub.storage}{path}"})
            self._send_file(file[3], commit, content, body)

        def _describe(self, hub_id: str, repository: Repository, commit: str) -> None:
            siblings = [{"rfilename": path} for path in repository.commits[commit]]
            info = {"id": hub_id, "modelId": hub_id, "sha": commit, "siblings": siblings, "tags": [], "private": False}
            more = {"downloads": 0, "gated": "manual" if repository.gated else False}
            self._send(json.dumps(info | more).encode(), {"Content-Type": "application/json"})

        def _list(self, files: dict[str, bytes], paths: list[str]) -> None:
            folders = {str(parent) for file in files for parent in PurePosixPath(file).parents}
            entries = [
                _facts(path, files[path])
                if path in files
                else {"type": "directory", "path": path, "oid": "0" * 40, "size": 0}
                for path in paths
                if path in files or path in folders
            ]
            self._send(json.dumps(entries).encode(), {"Content-Type": "application/json"})

        def _send_file(self, name: str, commit: str, content: bytes, body: bool) -> None:
            facts = _facts(name, content)
            proof = facts["lfs"]["oid"] if "lfs" in facts else facts["oid"]
            headers = {"X-Repo-Commit": commit, "ETag": f'"{proof}"', "Accept-Ranges": "bytes"}
            content = hub.served.get(name, content) if body else content
            if not body:
                return self._send(content, headers, body=False)
            wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or "")
            start = int(wanted[1]) if wanted else 0
            end = min(int(wanted[2]) + 1, len(content)) if wanted and wanted[2] else len(content)
            partial = (start, end) != (0, len(content))
            if partial:
                headers["Content-Range"] = f"bytes {start}-{end - 1}/{len(content)}"
            cut = hub.cuts[name].pop(0) if hub.cuts.get(name) else None
            self._send(content[start:end], headers, status=206 if partial else 200, cut=cut, name=name)

        def _send(
            self,
            content: bytes,
            headers: dict[str, str],
            status: int = 200,
            body: bool = True,
            cut: int | None = None,
            name: str = "",
        ) -> None:
            self.send_response(status)
            for key, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(key, value)
            self.end_headers()
            if body:
                part = content if cut is None else content[:cut]
                hub.sent[name] += len(part)
                self.wfile.write(part)
            if cut is not None:
                self.wfile.flush()
                self.close_connection = True
                self.connection.shutdown(2)

        def _refuse(self, status: int, code: str, headers: dict[str, str] | None = None) -> None:
            own = {"X-Error-Code": code} if code else {}
            self._send(b"{}", {**own, **(headers or {})}, status=status, body=self.command != "HEAD")

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler
