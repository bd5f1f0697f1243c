"""optuna-dashboard on a run's store: on this machine only, and read only unless asked otherwise."""

import threading
from collections.abc import Callable, Iterable
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from stages.plan.schema import Plan
from stages.results.stage_result import Record
from stages.runtime.run_context import find_run, store_url
from storage.database.url import engine_options, read_address, sqlite_path
from transfer.errors import UserError

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication

    from optuna.storages import RDBStorage

HOST = "127.0.0.1"
READS = {"GET", "HEAD"}


class DashboardAddress(Record):
    url: str
    read_only: bool


class _Server(ThreadingMixIn, WSGIServer):
    """A thread for each request: to load 2,000 trials takes seconds, and other requests would wait for it."""

    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """The page asks every few seconds; a line for each would bury the rest."""


def serve_dashboard(plan: Plan, port: int, writes: bool, on_listening: Callable[[DashboardAddress], None]) -> None:
    """Serves until Ctrl-C; on_listening: called once it listens.

    Anyone who reaches optuna-dashboard may delete studies and their artifacts, so it listens on 127.0.0.1 and answers
    no page of another site; without `writes` only reading is allowed, and SQLite is opened read only.
    Raises UserError where the extra is not installed, there is no store, or the port is taken.
    """
    try:
        from optuna_dashboard import wsgi
    except ImportError as error:
        raise UserError(
            "the dashboard is not installed", "install it with: pip install 'moodline[dashboard]'"
        ) from error
    from studies.optuna_artifacts import ArtifactFiles

    run = find_run(plan)
    if run is None:
        raise UserError(f"{plan.name}: no store yet", f"begin a run first: moodline run {plan.file.name}")
    app = wsgi(_storage(plan, writes), artifact_store=ArtifactFiles(run.files))
    try:
        server = make_server(HOST, port, _guarded(app, writes), server_class=_Server, handler_class=_Quiet)
    except OSError as error:
        raise UserError(f"port {port} on {HOST}: {error.strerror}", "take another with --port, or 0 for any") from error
    on_listening(DashboardAddress(url=f"http://{HOST}:{server.server_port}/", read_only=not writes))
    with server:
        # in a thread: wsgiref swallows what is raised while it answers, and a Ctrl-C would be lost
        serving = threading.Thread(target=server.serve_forever, daemon=True)
        serving.start()
        try:
            serving.join()
        finally:
            server.shutdown()


def _storage(plan: Plan, writes: bool) -> "RDBStorage":
    """Optuna's part of the store; missing tables are created, so that it may be opened before the first study."""
    import optuna

    from studies.optuna_storage import open_optuna

    url = store_url(plan)
    open_optuna(url).engine.dispose()
    path = sqlite_path(read_address(url))
    if writes or path is None:
        return optuna.storages.RDBStorage(url, engine_kwargs=engine_options(url))
    read_only = f"sqlite:///file:{quote(str(path))}?mode=ro&uri=true"
    return optuna.storages.RDBStorage(read_only, engine_kwargs=engine_options(url), skip_table_creation=True)


def show_address(address: DashboardAddress) -> None:
    """Prints the address at once: a program that started the dashboard may wait for it."""
    print(address.url, flush=True)


def _guarded(app: "WSGIApplication", writes: bool) -> "WSGIApplication":
    """The application for this machine's user alone; without `writes` it refuses every request that changes something.

    A page of another site may let its own name resolve to 127.0.0.1, and so reach the dashboard through the user's
    browser (DNS rebinding); it cannot change the Host header that the browser sends.
    """

    def guarded(environ: dict[str, Any], start_response: "StartResponse") -> Iterable[bytes]:
        if urlsplit(f"//{environ.get('HTTP_HOST', HOST)}").hostname not in {HOST, "localhost"}:
            return refuse(start_response, "this dashboard answers as 127.0.0.1 and localhost only")
        if not writes and environ["REQUEST_METHOD"] not in READS:
            return refuse(start_response, "read only; begin the dashboard with --write to change anything")
        return app(environ, start_response)

    def refuse(start_response: "StartResponse", reason: str) -> Iterable[bytes]:
        start_response("403 Forbidden", [("Content-Type", "application/json")])
        return [f'{{"reason": "{reason}"}}'.encode()]

    return guarded
