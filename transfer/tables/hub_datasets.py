"""Rows of a data set on the Hugging Face hub, through its own client and cache.

No code of a repository is run: the client has no loading scripts any more.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from transfer.errors import UserError
from transfer.tables.sources import Source
from transfer.tables.table_columns import positions


def hub_batches(source: Source, columns: Sequence[str], where: str, rows: int) -> Iterator[pa.RecordBatch]:
    """Batches of at most `rows` rows of `columns`; numbers of a ClassLabel column become the names of the classes.

    The data set is downloaded once into the client's cache and mapped from there, so memory holds a batch. HF_ENDPOINT,
    HF_TOKEN, HF_HOME and HF_HUB_OFFLINE count as always. Raises UserError for a missing, private or gated repository, a
    missing revision, subset, split or column, one that needs a script, and no network.
    """
    from datasets import ClassLabel, load_dataset

    with _explained(source, where):
        # hf://: never a local folder of that name, nor the name of a file format
        table = load_dataset(f"hf://datasets/{source.hub}", source.subset, split=source.split, revision=source.revision)
        _check_revision(source, [file["filename"] for file in table.cache_files], where)
    there = list(table.column_names)
    names = [there[i] for i in positions(columns, there, source, where, str(source.hub))]
    labels = {name: table.features[name].names for name in names if isinstance(table.features[name], ClassLabel)}
    if table.num_rows == 0:
        raise UserError(f"{where}.hub: {source.hub} has no rows in split {source.split!r}")
    for piece in table.select_columns(list(dict.fromkeys(names))).with_format("arrow").iter(rows):
        arrays = {name: piece[name].combine_chunks() for name in names}
        for name, classes in labels.items():  # -1 means "not labelled"
            numbers = arrays[name].to_pylist()
            arrays[name] = pa.array([None if i is None or i < 0 else classes[i] for i in numbers], pa.string())
        yield pa.record_batch([arrays[name] for name in names], names=list(columns))


def _check_revision(source: Source, files: Sequence[str], where: str) -> None:
    """Refuses another version than the plan's: without a network the client takes any that it has, in silence."""
    from huggingface_hub import try_to_load_from_cache

    if source.hub is None or source.revision is None or not files:
        return
    # Every load asks for the README, so that the cache knows which commit a revision is, or that there is no README.
    readme = try_to_load_from_cache(source.hub, "README.md", repo_type="dataset", revision=source.revision)
    commit = Path(readme).parent.name if isinstance(readme, str) else None
    if readme is None or (commit is not None and commit != Path(files[0]).parent.name):
        raise UserError(
            f"{where}.revision: {source.hub} is on this machine, but not its revision {source.revision!r}",
            "connect once and run `moodline check`, then it is cached; HF_HUB_OFFLINE=1 forbids connecting",
        )


@contextmanager
def _explained(source: Source, where: str) -> Iterator[None]:
    from datasets.exceptions import DatasetNotFoundError, DatasetsError

    try:
        yield
    except DatasetNotFoundError as error:
        raise _not_found(source, where, str(error)) from error
    except (ConnectionError, TimeoutError) as error:
        raise _unreachable(source, where) from error
    except RuntimeError as error:
        if "scripts are no longer supported" not in str(error):
            raise
        raise UserError(
            f"{where}.hub: {source.hub} is read by a script of its own, which is never run here",
            "the hub's own copy of it often works: set `revision: refs/convert/parquet`",
        ) from error
    except (DatasetsError, ValueError, OSError) as error:  # no such subset or split, broken files
        # the client's message and that of its cause, a line each
        messages = [" ".join(str(e).strip().splitlines())[:300] for e in (error, error.__cause__) if e is not None]
        raise UserError(f"{where}.hub: {source.hub} cannot be read", *filter(None, messages)) from error
    except Exception as error:
        # The HTTP client's own errors share no base with ConnectionError, and its package changes its name.
        if not type(error).__module__.startswith("httpx"):
            raise
        raise _unreachable(source, where) from error


def _unreachable(source: Source, where: str) -> UserError:
    return UserError(
        f"{where}.hub: {source.hub} is not on this machine and the hub cannot be reached",
        "connect once and run `moodline check`, then it is cached; HF_HUB_OFFLINE=1 forbids connecting",
        "or give the downloaded file as `path`",
    )


def _not_found(source: Source, where: str, message: str) -> UserError:
    if "gated" in message:
        return UserError(
            f"{where}.hub: {source.hub} is gated: its owners must grant you access",
            "ask for access on its page, then set HF_TOKEN to a token of that account (or run: hf auth login)",
        )
    if "Revision" in message:
        return UserError(f"{where}.revision: {source.hub} has no revision {source.revision!r}")
    return UserError(
        f"{where}.hub: no data set {source.hub!r} on the hub that you may read",
        "look at the name, OWNER/NAME; for a private one set HF_TOKEN in the environment",
    )
