"""What is in the folder of an export."""

import tarfile

SMALL = 20480  # bytes of two tar records: a handful of the smallest pictures


def members(folder):
    """Return every file of every shard: (shard, member) and its bytes, in order."""
    found = {}
    for place in sorted(folder.rglob("*.tar")):
        with tarfile.open(place) as tar:
            for member in tar:
                found[place.relative_to(folder).as_posix(), member.name] = tar.extractfile(member).read()
    return found


def contents(folder):
    """Return the content of every file that is not hidden, by path."""
    places = sorted(p for p in folder.rglob("*") if p.is_file() and not p.name.startswith("."))
    return {place.relative_to(folder).as_posix(): place.read_bytes() for place in places}


def temporaries(folder):
    """Return what a run left half written."""
    return list(folder.rglob("*.tmp"))
