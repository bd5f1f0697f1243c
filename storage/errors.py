"""What the user can mend about the store, the files or the lock, in the user's own words. Knows nobody."""


class StoreError(Exception):
    """One message: what is wrong and where, and what to do. Never holds a password.

    what: the first line, beginning with the place ("sqlite:///runs/a/moodline.db: the disk is full").
    details: further lines, shown indented below it: what was found, what to do.
    """

    def __init__(self, what: str, *details: str) -> None:
        super().__init__("\n  ".join([what, *details]))


class StoreUnreachable(StoreError):
    """The store cannot be used now, and may be in a while: another process holds its lock, or the server is away."""
