#!/usr/bin/env bash
# A few steps of a small network on this machine's card under compute-sanitizer; skipped (77) with the reason where there is
# no card or no such program.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
plugins=$PLAIT_BUILD_DIR/lib/plait/plugins
skip() { echo "skipped: $1"; exit 77; }
[ -e "$plugins/cuda.plait.so" ] || skip "this build has no CUDA device"
said=$(plait verify "$plugins/cuda.plait.so" --only 'plait.cuda: memory')
! reason=$(grep -o 'no CUDA device.*' <<<"$said") || skip "$reason"
sanitizer=$(command -v compute-sanitizer) || skip "compute-sanitizer is not on the PATH"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
PYTHONPATH=$here/../distributed python3 - "$work" <<'PY'
import sys
import jobs
jobs.write_digits(sys.argv[1])
with open(f"{sys.argv[1]}/job.txtpb", "w") as file:
    file.write(jobs.CONVOLUTION.replace("epochs: 3", "steps: 20") % {"data": sys.argv[1]})
PY
"$sanitizer" --tool memcheck --error-exitcode 9 plait run "$work/job.txtpb" --device cuda --run-dir "$work/run" --progress none
