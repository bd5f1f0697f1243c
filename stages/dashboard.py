"""optuna-dashboard on a run's store: on this machine only, and read only unless asked otherwise."""

import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

from stages.plan import Plan
from stages.workspace import store_url
from storage.engine import engine_options
from transfer.problem import Problem

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication

HOST = "127.0.0.1"


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """The page asks every few seconds; a line for each would bury the rest."""


def _reading_only(app: "WSGIApplication") -> "WSGIApplication":
    """The application without its ways to change anything, whatever the database behind it allows."""

    def guarded(environ: dict[str, Any], start_response: "StartResponse") -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] in {"GET", "HEAD"}:
            return app(environ, start_response)
        start_response("403 Forbidden", [("Content-Type", "application/json")])
        return [b'{"reason": "read only; begin the dashboard with --write to change anything"}']

    return guarded


def serve_dashboard(plan: Plan, port: int, writes: bool, told: Callable[[dict[str, Any]], None]) -> None:
    """Serves until Ctrl-C; `told` hears `url` and `read_only` once it listens.

    Anyone who reaches optuna-dashboard may delete studies, so it listens on 127.0.0.1; without `writes` nothing but
    reading is answered, and SQLite is opened read only.
    Raises Problem where the extra is not installed, there is no store, or the port is taken.
    """
    try:
        import optuna
        from optuna_dashboard import wsgi
    except ImportError as error:
        raise Problem("the dashboard is not installed", "install it with: pip install 'moodline[dashboard]'") from error
    url = store_url(plan)
    path = plan.root / "moodline.db"
    is_file = url.startswith("sqlite:") and plan.store is None
    if is_file and not path.is_file():
        raise Problem(f"{path}: no store yet", f"begin a run first: moodline run {plan.file.name}")
    opens_read_only = is_file and not writes
    seen = f"sqlite:///file:{path}?mode=ro&uri=true" if opens_read_only else url
    storage = optuna.storages.RDBStorage(seen, engine_kwargs=engine_options(url), skip_table_creation=opens_read_only)
    app = wsgi(storage) if writes else _reading_only(wsgi(storage))
    try:
        server = make_server(HOST, port, app, handler_class=_Quiet)
    except OSError as error:
        raise Problem(f"port {port} on {HOST}: {error.strerror}", "take another with --port, or 0 for any") from error
    told({"url": f"http://{HOST}:{server.server_port}/", "read_only": not writes})
    with server:
        # In a thread: wsgiref swallows whatever is raised while it answers, so a Ctrl-C then would be lost.
        serving = threading.Thread(target=server.serve_forever, daemon=True)
        serving.start()
        try:
            serving.join()
        finally:
            server.shutdown()
