"""Names of samples that every tar reader, file system and shell takes, no two alike."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Sequence

# A name with the longest ending of a member must stay below the 100 characters of a plain tar header.
LONGEST = 60


def make_keys(names: Sequence[tuple[str, str]]) -> list[str]:
    """Return one key a sample: ASCII letters, digits, '-' and '_' only, and none twice, upper and lower case alike.

    A dot would end the key for readers of WebDataset, so there is none; folders are joined by '__'. A name that had
    to be changed, is too long, or looks like another gets a digest at its end; so its key does not depend on order.

    Parameters
    ----------
    names
        For each sample its name, and what tells apart two of one name.
    """
    plain = [_plain(name) for name, _ in names]
    times = Counter(key.lower() for key in plain)
    return [
        key if times[key.lower()] == 1 and _says_all(name) else f"{key}-{_digest(name, other)}"
        for key, (name, other) in zip(plain, names, strict=True)
    ]


def spread(name: str) -> str:
    """Return a sorting key that puts samples in an order that looks random and is the same everywhere."""
    return _digest("order", name, length=64)


def _plain(name: str) -> str:
    return re.sub("[^A-Za-z0-9_-]+", "_", name.replace("/", "__"))[:LONGEST]


def _says_all(name: str) -> bool:
    """Tell whether a name needs no digest; one that ends like a digest needs it, or it could meet a key that has."""
    short = len(name.replace("/", "__")) <= LONGEST
    return short and bool(re.fullmatch("[A-Za-z0-9_/-]+", name)) and not re.search("-[0-9a-f]{16}$", name)


def _digest(*parts: str, length: int = 16) -> str:
    # Names of files need not be text, and arrive with surrogates then.
    return hashlib.sha256("\0".join(parts).encode(errors="surrogatepass")).hexdigest()[:length]
