#!/usr/bin/env bash
# Fetch the wheels of wheels.txt for Python 3.12 on x86-64 Linux into a folder, .whl if none is named.
#
#   bash benchmarks/gpu/wheels.sh [FOLDER]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=${1:-.whl}
mkdir -p "$folder"
tags=()
for tag in manylinux_2_28 manylinux_2_27 manylinux_2_17 manylinux2014 manylinux1; do
    tags+=(--platform "${tag}_x86_64")
done
"${PYTHON:-python3}" -m pip download -q --disable-pip-version-check --no-deps --only-binary=:all: \
    --python-version 3.12 --implementation cp "${tags[@]}" -d "$folder" -r "$here/wheels.txt"
du -sh "$folder"
