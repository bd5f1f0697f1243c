"""Errors about the store, the files or a lock that the user can do something about. Imports nothing of ours."""


class StoreError(Exception):
    """One message: what is wrong and where, and what to do. Never holds a password.

    what: the first line, beginning with the place ("sqlite:///runs/a/moodline.db: the disk is full").
    details: further lines, shown indented below it: what was found, what to do.
    """

    def __init__(self, what: str, *details: str) -> None:
        super().__init__("\n  ".join([what, *details]))


class StoreUnreachable(StoreError):
    """The store cannot be used now, but perhaps later: another process holds its lock, or its server is not reached."""
