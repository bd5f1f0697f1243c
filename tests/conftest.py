"""What tests of several folders share."""

import multiprocessing
import os
import signal
from collections.abc import Iterator
from multiprocessing.context import ForkServerContext
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import URL, create_engine, make_url
from sqlalchemy.exc import DBAPIError

from tests.helpers.forked_commands import as_fast_in_any_dtype

# another server: MOODLINE_TEST_POSTGRESQL=postgresql+psycopg://USER:PASSWORD@HOST/DATABASE
SERVER = os.environ.get("MOODLINE_TEST_POSTGRESQL", "postgresql+psycopg://root@127.0.0.1:5432/test")

if "MOODLINE_TEST_GPU" not in os.environ:
    # What is tested to the last bit is promised for a processor; tests/integration/test_gpu.py is for a GPU.
    os.environ["CUDA_VISIBLE_DEVICES"] = ""

# A shell starts what runs in its background with SIGINT ignored, and tests interrupt themselves.
signal.signal(signal.SIGINT, signal.default_int_handler)

# The tests of the hub have a server of their own; the others, and what they start, ask for nothing or say so.
os.environ.pop("HF_HUB_OFFLINE", None)


@pytest.fixture(scope="session")
def one_thread() -> Iterator[None]:
    """So that figures repeat to the last bit."""
    from benchmarks.demo_models import training_loop

    with training_loop.one_thread():
        yield


@pytest.fixture(autouse=True)
def _float32_on_a_processor(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Neither how busy the machine is nor a plan that another test opened decides a number format."""
    from transfer.device.bf16_choice import decide_by

    monkeypatch.setattr("transfer.device.device._seconds", as_fast_in_any_dtype)
    yield
    decide_by(None)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[URL]:
    """A database of this session's own on the server, dropped at the end."""
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    name = f"moodline_test_{uuid4().hex[:8]}"
    server = create_engine(SERVER, isolation_level="AUTOCOMMIT", connect_args={"connect_timeout": 3})
    try:
        with server.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
    except DBAPIError as error:
        pytest.skip(f"no PostgreSQL server to test on: {error.orig}")
    yield make_url(SERVER).set(database=name)
    with server.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    server.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a store that is not there yet: a file, or a schema of the test's own."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'new' / 'moodline.db'}"
    database: URL = request.getfixturevalue("postgresql")
    schema = f"t_{uuid4().hex[:8]}"
    server = create_engine(database)
    with server.begin() as connection:
        connection.exec_driver_sql(f"CREATE SCHEMA {schema}")
    server.dispose()
    address = database.update_query_dict({"options": f"-csearch_path={schema}"})
    return address.render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def processes() -> ForkServerContext:
    """Real processes that start quickly: forked from a server that has imported what they need."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        pytest.skip("needs processes that fork from a server")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        [
            "storage.database.open_store",
            "storage.files.file_store",
            "storage.records.trial_slots",
            "storage.locks.workspace_lock",
        ]
    )
    return context
