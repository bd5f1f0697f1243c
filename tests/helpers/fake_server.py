"""An OpenAI-compatible chat server on loopback whose answers and faults a test writes itself."""

import json
import math
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Body = dict[str, Any]


@dataclass(frozen=True)
class Fault:
    """An answer that is none: an HTTP status, the server's words, and headers."""

    status: int
    message: str
    headers: Mapping[str, str] = field(default_factory=dict)
    code: str | None = None


# Given the request's body and how many requests came before it.
Script = Callable[[Body, int], Body | Fault | bytes]


@dataclass
class FakeServer:
    """What a test sees of the server: its address and all that it was asked."""

    url: str
    asked: list[Body] = field(default_factory=list)
    keys: set[str | None] = field(default_factory=set)


def completion(text: str, listed: Sequence[tuple[str, float]] = (), tokens: int = 10) -> Body:
    """A chat completion; listed: tokens that could have begun it, with their probabilities."""
    choice: Body = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
    if listed:
        top = [{"token": token, "logprob": math.log(p), "bytes": list(token.encode())} for token, p in listed]
        choice["logprobs"] = {"content": [{**top[0], "top_logprobs": top}]}
    usage = {"prompt_tokens": tokens - 1, "completion_tokens": 1, "total_tokens": tokens}
    return {"id": "1", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice], "usage": usage}


def comment_in(body: Body) -> str:
    """The comment that a request asks about: the last one between the prompt's marks."""
    message: str = body["messages"][-1]["content"]
    return message.rsplit("<comment>\n", 1)[1].split("\n</comment>", 1)[0]


@contextmanager
def serve(script: Script) -> Iterator[FakeServer]:
    """The server runs while the context lasts."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(script))
    server.daemon_threads = True
    fake = FakeServer(f"http://127.0.0.1:{server.server_port}/v1")
    server.fake = fake  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(script: Script) -> type[BaseHTTPRequestHandler]:
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            self._send(200, {"object": "list", "data": [{"id": "small-lm", "object": "model"}]})

        def do_POST(self) -> None:
            body: Body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            fake: FakeServer = self.server.fake  # type: ignore[attr-defined]
            with lock:
                fake.asked.append(body)
                fake.keys.add(self.headers.get("Authorization"))
                before = len(fake.asked) - 1
            found = script(body, before)
            if isinstance(found, Fault):
                error = {"message": found.message, "code": found.code, "type": "invalid_request_error"}
                self._send(found.status, {"error": error}, found.headers)
            else:
                self._send(200, found)

        def _send(self, status: int, body: Body | bytes, headers: Mapping[str, str] | None = None) -> None:
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

    return Handler
