"""A hub of the tests' own on loopback: three data sets, and answers to what the client asks."""

import hashlib
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pyarrow as pa
import pyarrow.parquet as pq

COMMIT = "a" * 40
DATA = "data/train-00000-of-00001.parquet"


def mood_parquet() -> bytes:
    """Three texts labelled 1, 0 and -1 (not labelled), of the classes anger and joy."""
    features = {
        "text": {"dtype": "string", "_type": "Value"},
        "label": {"names": ["anger", "joy"], "_type": "ClassLabel"},
    }
    table = pa.table({"text": ["good", "bad", "hm"], "label": pa.array([1, 0, -1], pa.int64())})
    file = io.BytesIO()
    pq.write_table(table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})}), file)
    return file.getvalue()


# script.py: what makes me/script a data set that only its own code could read
FILES = {"README.md": b"---\nlicense: mit\n---\n", "script.py": b"raise SystemExit", DATA: mood_parquet()}


@contextmanager
def dataset_hub() -> Iterator[str]:
    """The address (HF_ENDPOINT) of a hub with me/mood, me/gated, to which nobody has access, and me/script."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Hub)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


class _Hub(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        if "/me/gated" in path:
            self._send(403, error="GatedRepo")
        elif "/me/mood" not in path and "/me/script" not in path:
            self._send(404, error="RepoNotFound")
        elif "/resolve/" in path:
            self._send_file(*path.partition("/resolve/")[2].split("/", 1))
        elif "/tree/" in path:
            self._send_tree(path.partition("/tree/")[2].partition("/")[2], "recursive=true" in query)
        else:
            self._send(200, json.dumps({"id": "me/mood", "sha": COMMIT, "siblings": [], "tags": []}).encode())

    def do_HEAD(self) -> None:
        self.do_GET()

    def log_message(self, format: str, *args: object) -> None:
        """Silent: the client's errors say enough."""

    def _send_file(self, revision: str, name: str) -> None:
        if revision not in ("main", COMMIT):
            self._send(404, error="RevisionNotFound")
        elif name not in FILES:
            self._send(404, error="EntryNotFound")
        else:
            self._send(200, FILES[name])

    def _send_tree(self, folder: str, recursive: bool) -> None:
        entries = [
            {"type": "file", "path": name, "size": len(content), "oid": hashlib.sha1(content).hexdigest()}
            for name, content in FILES.items()
            if name.startswith(folder)
        ]
        if not folder and not recursive:
            entries = [entries[0], {"type": "directory", "path": "data", "size": 0, "oid": "0" * 40}]
        self._send(200, json.dumps(entries).encode())

    def _send(self, status: int, content: bytes = b"", error: str | None = None) -> None:
        self.send_response(status)
        headers = {"Content-Length": str(len(content)), "X-Repo-Commit": COMMIT}
        headers["ETag"] = f'"{hashlib.sha1(content).hexdigest()}"'
        if error:
            headers["X-Error-Code"] = error
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)
