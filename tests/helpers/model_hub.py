"""A hub of the tests' own on loopback that serves folders as model repositories, and remembers what it was asked."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

COMMIT = "c" * 40
# What the hub says to somebody without access: status and X-Error-Code.
REFUSALS: Mapping[str, tuple[int, str]] = {
    "me/gated": (403, "GatedRepo"),
    "me/private": (401, ""),
    "me/broken": (503, ""),
}
# Its listing is public, its files are not: so the hub does with most gated repositories.
GATED_FILES = "me/gated-files"


@dataclass
class Hub:
    """address: for HF_ENDPOINT. folders: repositories by name. asked: "METHOD path" of every request so far."""

    address: str
    folders: dict[str, Path] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)


@contextmanager
def model_hub() -> Iterator[Hub]:
    """A running hub without any repository yet."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    hub = Hub(f"http://127.0.0.1:{server.server_port}")
    server.hub = hub  # type: ignore[attr-defined]
    Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        hub: Hub = self.server.hub  # type: ignore[attr-defined]
        path = self.path.partition("?")[0]
        hub.asked.append(f"{self.command} {path}")
        name = "/".join(path.removeprefix("/api/models").strip("/").split("/")[:2])
        revision, _, file = path.partition("/resolve/")[2].partition("/")
        revision = revision or path.partition("/revision/")[2] or path.partition("/tree/")[2] or COMMIT
        if name in REFUSALS or name not in hub.folders:
            status, code = REFUSALS.get(name, (404, "RepoNotFound"))
            self._send(status, error=code)
        elif revision not in ("main", COMMIT):
            self._send(404, error="RevisionNotFound")
        elif "/resolve/" in path:
            self._send_file(name, hub.folders[name] / file)
        elif "/tree/" in path:
            self._send(200, json.dumps(_tree(hub.folders[name])).encode())
        else:
            self._send(200, json.dumps({"id": name, "sha": COMMIT, "siblings": [], "tags": []}).encode())

    def do_HEAD(self) -> None:
        self.do_GET()

    def log_message(self, format: str, *args: object) -> None:
        """Silent: the client's errors say enough."""

    def _send_file(self, name: str, path: Path) -> None:
        if name == GATED_FILES:
            self._send(401, error="GatedRepo")
        elif path.is_file():
            self._send(200, path.read_bytes())
        else:
            self._send(404, error="EntryNotFound")

    def _send(self, status: int, content: bytes = b"", error: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("ETag", f'"{hashlib.sha1(content).hexdigest()}"')
        if error:
            self.send_header("X-Error-Code", error)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)


def _tree(folder: Path) -> list[dict[str, object]]:
    return [
        {
            "type": "file",
            "path": path.relative_to(folder).as_posix(),
            "size": path.stat().st_size,
            "oid": hashlib.sha1(path.read_bytes()).hexdigest(),
        }
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    ]
