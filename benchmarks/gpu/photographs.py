"""Copy the photographs that networks may be trained on into a folder that travels to a machine with a GPU.

Those of DIR/clean that DIR/SOURCES.tsv says are CC0 or in the public domain; see benchmarks/README.md.

  python -m benchmarks.gpu.photographs --data DIR -o .photos
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.metrics.niqe_fit import free_sources
from benchmarks.options import Data, benchmark


@benchmark(__doc__)
def main(data: Data, out: Annotated[Path, typer.Option("-o", "--out", metavar="FOLDER")]) -> None:
    """Copy them."""
    out.mkdir(parents=True, exist_ok=True)
    size = 0
    sources = free_sources(data)
    for source in sources:
        copied = Path(shutil.copy(data / source.file, out))
        size += copied.stat().st_size
    print(f"{len(sources)} photographs, {size / 1e6:.1f} MB, in {out}")


if __name__ == "__main__":
    main()
