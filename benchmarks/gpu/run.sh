#!/usr/bin/env bash
# Check, time and train on a machine with a CUDA device, within some eight minutes; docs/gpu.md tells what and how.
#
#   bash benchmarks/gpu/run.sh OUT [--seconds S] [--only STEP[,STEP]] [--rehearse]
#
# OUT gets gpu.json, log.txt and what is trained. Wheels in .whl/ are installed into a folder that lasts as long as this.
# PYTHON names the interpreter; python3 is the one of the machine.
set -u
cd "$(dirname "$0")/../.." || exit 1
out=${1:?usage: bash benchmarks/gpu/run.sh OUT [--seconds S] [--only STEP[,STEP]] [--rehearse]}
shift
python=${PYTHON:-python3}
export PYTHONUNBUFFERED=1 PYTHONPATH="$PWD${PYTHONPATH:+:$PYTHONPATH}"
begun=$(date +%s)
mkdir -p "$out"
if [[ " $* " != *" --rehearse "* ]] && compgen -G ".whl/*.whl" >/dev/null; then
    site=$(mktemp -d)
    trap 'rm -rf "$site"' EXIT
    "$python" -m pip install -q --disable-pip-version-check --no-index --no-deps --no-compile --no-cache-dir \
        --target "$site" .whl/*.whl || echo "wheels could not all be installed" | tee -a "$out/log.txt"
    export PYTHONPATH="$site:$PYTHONPATH"
fi
"$python" -m benchmarks.gpu.driver "$out" --begun "$begun" "$@"
