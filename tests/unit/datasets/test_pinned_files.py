"""Downloads against a real server on loopback."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

import pytest

from quantbench.config import DataFile, DatasetEntry
from quantbench.contracts.checksums import git_blob_of, sha256_of
from quantbench.datasets import find_pool, prepare
from quantbench.datasets import pinned_files as download
from quantbench.datasets.pinned_files import mirror_urls, retrieve
from quantbench.errors import DataError


class Upstream:
    """A server of files by path, which may fail first: cut the connection, or answer with a status."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.failures: dict[str, list[int | str]] = {}
        self.asked: Counter[str] = Counter()
        self.ranges: list[int] = []
        upstream = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path = unquote(self.path)
                upstream.asked[path] += 1
                content = upstream.files.get(path)
                failure = upstream.failures.get(path, []).pop(0) if upstream.failures.get(path) else None
                if content is None or isinstance(failure, int):
                    self.send_error(failure if isinstance(failure, int) else 404)
                    return
                start = int((self.headers.get("Range") or "bytes=0-")[6:-1])
                upstream.ranges.append(start)
                self.send_response(206 if start else 200)
                self.send_header("Content-Length", str(len(content) - start))
                self.end_headers()
                self.wfile.write(content[start : len(content) // 2] if failure == "cut" else content[start:])

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def upstream(monkeypatch: pytest.MonkeyPatch) -> Iterator[Upstream]:
    monkeypatch.setattr(download, "PAUSE_S", 0.0)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    upstream = Upstream()
    thread = threading.Thread(target=upstream.server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield upstream
    upstream.server.shutdown()
    upstream.server.server_close()
    thread.join()


def pinned(path: Path, proof: str) -> DataFile:
    digest = {"git_blob": git_blob_of(path)} | ({"sha256": sha256_of(path)} if proof == "sha256" else {})
    return DataFile(name=path.name, rows=None, **digest)


@pytest.fixture
def hoc(upstream: Upstream, entries: dict[str, DatasetEntry], small_data: Path) -> DatasetEntry:
    """HoC with the small files upstream: the test file pinned by SHA-256, the train file by git blob id."""
    test, train = small_data / "hoc/test.tsv", small_data / "hoc/train.tsv"
    for path in (test, train):
        upstream.files[f"/b/[MLC]Hoc/datasets/full_set/{path.name}"] = path.read_bytes()
    files = {"test": [pinned(test, "sha256")], "train": [pinned(train, "git_blob")]}
    return entries["hoc"].model_copy(update={"files": files})


def get(entry: DatasetEntry, upstream: Upstream, folder: Path, name: str = "hoc") -> list[Path]:
    return retrieve(entry, name, folder, base_url=f"{upstream.url}/b", pool_url=f"{upstream.url}/p", progress=False)


TEST = "/b/[MLC]Hoc/datasets/full_set/test.tsv"


def test_good_files_arrive_readable_and_nothing_else_is_left(hoc, upstream, small_data, tmp_path):
    folder = tmp_path / "new/hoc"
    assert get(hoc, upstream, folder) == [folder / "test.tsv", folder / "train.tsv"]
    for name in ("test.tsv", "train.tsv"):
        assert (folder / name).read_bytes() == (small_data / "hoc" / name).read_bytes()
        assert (folder / name).stat().st_mode & 0o777 == 0o644
    assert sorted(path.name for path in folder.iterdir()) == ["test.tsv", "train.tsv"]
    assert prepare(hoc, "hoc", folder, None, 1, tmp_path / "out").samples == 6


def test_examples_from_the_test_split_leave_the_others_pool_in_the_download(hoc, upstream, tmp_path):
    """The download is shared with runs that take worked examples from elsewhere."""
    slipped = hoc.model_copy(update={"few_shot_splits": ["test", *hoc.few_shot_splits]})
    usual, found = (get(entry, upstream, tmp_path / name) for entry, name in ((hoc, "a"), (slipped, "b")))
    assert [path.name for path in found] == [path.name for path in usual] == ["test.tsv", "train.tsv"]
    assert find_pool(slipped, tmp_path / "b")[0] == "test"


def test_what_is_there_and_verified_is_not_asked_for_again(hoc, upstream, tmp_path):
    get(hoc, upstream, tmp_path)
    get(hoc, upstream, tmp_path)
    assert upstream.asked[TEST] == 1


def test_a_tampered_file_is_named_and_not_replaced(hoc, upstream, tmp_path):
    (tmp_path / "test.tsv").write_text("something else\n")
    with pytest.raises(DataError, match=r"test\.tsv: not the pinned file.*delete it"):
        get(hoc, upstream, tmp_path)
    assert (tmp_path / "test.tsv").read_text() == "something else\n"


@pytest.mark.parametrize(("file", "proof"), [("test.tsv", "SHA-256"), ("train.tsv", "git blob id")])
def test_wrong_content_is_refused_and_nothing_is_kept(hoc, upstream, tmp_path, file, proof):
    url = f"/b/[MLC]Hoc/datasets/full_set/{file}"
    upstream.files[url] = upstream.files[url].replace(b"the", b"eth", 1)
    with pytest.raises(DataError, match=f"not the pinned file: expected {proof} [0-9a-f]+, found .*nothing was kept"):
        get(hoc, upstream, tmp_path)
    assert file not in [path.name for path in tmp_path.iterdir()]
    assert not list(tmp_path.glob(".download*"))


def test_a_missing_file_says_what_to_check_and_is_asked_for_once(hoc, upstream, tmp_path):
    del upstream.files[TEST]
    with pytest.raises(DataError) as caught:
        get(hoc, upstream, tmp_path)
    for part in ["%5BMLC%5DHoc/datasets/full_set/test.tsv", "404", "upstream_folder", "data.folder"]:
        assert part in str(caught.value)
    assert upstream.asked[TEST] == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("failure", ["cut", 503, 429])
def test_a_cut_connection_and_a_busy_server_are_tried_again(hoc, upstream, small_data, tmp_path, failure):
    upstream.failures[TEST] = [failure]
    get(hoc, upstream, tmp_path)
    assert upstream.asked[TEST] == 2
    assert (tmp_path / "test.tsv").read_bytes() == (small_data / "hoc/test.tsv").read_bytes()


def test_after_a_cut_only_the_rest_is_fetched(hoc, upstream, small_data, tmp_path, monkeypatch):
    monkeypatch.setattr(download, "CHUNK_BYTES", 100)
    upstream.failures[TEST] = ["cut"]
    get(hoc, upstream, tmp_path)
    half = len(upstream.files[TEST]) // 2
    assert any(0 < half - start < 100 for start in upstream.ranges)
    assert (tmp_path / "test.tsv").read_bytes() == (small_data / "hoc/test.tsv").read_bytes()


def test_a_mirror_folder_gives_the_same_files(hoc, upstream, small_data, tmp_path):
    for path, content in upstream.files.items():
        place = tmp_path / "mirror/benchmarks" / path.removeprefix("/b/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    base, pool = mirror_urls(str(tmp_path / "mirror/"))
    urls = {"base_url": base, "pool_url": pool}
    retrieve(hoc, "hoc", tmp_path / "hoc", **urls, progress=False)
    assert (tmp_path / "hoc/test.tsv").read_bytes() == (small_data / "hoc/test.tsv").read_bytes()
    assert not upstream.asked
    (tmp_path / "mirror/benchmarks/[MLC]Hoc/datasets/full_set/test.tsv").write_text("changed\n")
    with pytest.raises(DataError, match="not the pinned file"):
        retrieve(hoc, "hoc", tmp_path / "again", **urls, progress=False)
    with pytest.raises(DataError, match=r"test\.tsv: no such file in the mirror; data\.mirror is a folder"):
        retrieve(hoc, "hoc", tmp_path / "none", base_url=str(tmp_path), progress=False)


def test_an_address_may_be_a_mirror_too(hoc, upstream, tmp_path):
    upstream.files = {path.replace("/b/", "/m/benchmarks/", 1): content for path, content in upstream.files.items()}
    retrieve(hoc, "hoc", tmp_path, base_url=mirror_urls(f"{upstream.url}/m/")[0], progress=False)
    assert (tmp_path / "test.tsv").exists()


def test_every_published_file_is_pinned_by_the_id_upstreams_tree_names(published, real_data):
    lines = (real_data / "upstream_blobs.tsv").read_text().splitlines()[1:]
    blobs = dict(reversed(line.split("\t")) for line in lines)
    for name, entry in published.items():
        for split, files in entry.files.items():
            for file in files:
                path = f"benchmarks/{entry.upstream_folder}/datasets/full_set/{split}.tsv"
                if file.name == f"{split}.tsv":
                    assert file.git_blob == blobs[path], (name, split)
                else:
                    assert file.git_blob is None, (name, file.name)


def test_a_server_that_stays_busy_is_given_up(hoc, upstream, tmp_path):
    upstream.failures[TEST] = [500] * 9
    with pytest.raises(DataError, match="answered 500"):
        get(hoc, upstream, tmp_path)
    assert upstream.asked[TEST] == download.ATTEMPTS
    assert not list(tmp_path.iterdir())


def test_no_connection_is_a_data_error(hoc, upstream, tmp_path):
    upstream.server.server_close()
    with pytest.raises(DataError, match=r"no connection after 3 attempts .*data\.folder"):
        get(hoc, upstream, tmp_path)


def test_the_pubmedqa_pool_is_upstreams_less_the_test_records(upstream, entries, small_data, tmp_path):
    test, pool = small_data / "pubmedqa/test.tsv", small_data / "pubmedqa/ori_pqal.non_test.json"
    whole = json.loads(pool.read_text()) | {"94000001": {"QUESTION": "of the test split"}}
    upstream.files["/b/[QA]PubMedQA/datasets/full_set/test.tsv"] = test.read_bytes()
    upstream.files["/p/ori_pqal.json"] = json.dumps(whole, indent=4).encode()
    derived = DataFile(name=pool.name, rows=7, sha256=sha256_of(pool))
    entry = entries["pubmedqa"].model_copy(update={"files": {"test": [pinned(test, "sha256")], "train": [derived]}})
    folder = tmp_path / "pubmedqa"
    assert get(entry, upstream, folder, "pubmedqa") == [folder / "test.tsv", folder / pool.name]
    assert (folder / pool.name).read_bytes() == pool.read_bytes()
    assert find_pool(entry, folder) == ("train", derived)

    (folder / pool.name).unlink()
    whole["94100001"]["QUESTION"] = "changed upstream?"
    upstream.files["/p/ori_pqal.json"] = json.dumps(whole).encode()
    with pytest.raises(DataError, match="less the 6 test records: not the pinned file"):
        get(entry, upstream, folder, "pubmedqa")
    assert [path.name for path in folder.iterdir()] == ["test.tsv"]


def test_an_entry_without_upstream_says_where_files_go(entries, upstream, tmp_path):
    with pytest.raises(DataError, match=f"'hoc' names no upstream file.*{tmp_path}"):
        get(entries["hoc"], upstream, tmp_path)


def test_every_published_dataset_names_an_upstream_test_file_and_a_pool(published):
    for name, entry in published.items():
        assert entry.upstream_folder, name
        assert entry.files["test"][0].git_blob, name
        pool = [file for split in entry.few_shot_splits for file in entry.files.get(split, [])]
        assert any(file.git_blob or file.name == "ori_pqal.non_test.json" for file in pool), name
