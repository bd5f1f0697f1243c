"""Authors as keyed hashes: the only form in which they are kept."""

import hashlib
from collections.abc import Sequence


def hash_authors(authors: Sequence[str | None], key: bytes) -> list[str | None]:
    """Keyed BLAKE2b in hex, 8 bytes: one author is one hash, which without the key reveals nothing.

    None and "" stay None: nobody is known.
    """
    names = {author for author in authors if author}
    hashes = {name: hashlib.blake2b(name.encode(), digest_size=8, key=key).hexdigest() for name in names}
    return [hashes.get(author or "") for author in authors]
