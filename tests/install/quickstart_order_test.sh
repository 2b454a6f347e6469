#!/usr/bin/env bash
# What the README says, in its order and nothing else: the quickstart's own target `product`, then cmake --install.
# tests/run.sh calls this between that target and the rest of its build, so that nothing is compiled twice for it: what
# the installation needs and `product` does not build is missing then. ctest comes too late to see that, and has no entry.
# Usage: quickstart_order_test.sh BUILD_FOLDER
set -euo pipefail
build=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if [[ -n $(find "$build/test" -type f -print -quit 2>/dev/null) ]]; then
  echo "quickstart_order: $build has more than the target \`product\` already: only the installation itself is tried"
fi
cmake --install "$build" --prefix "$work/plait" >"$work/said" 2>&1 || { tail -n 10 "$work/said"; exit 1; }

for file in bin/plait lib/plait/plait_mpi.so share/man/man1/plait.1 share/bash-completion/completions/plait; do
  [[ -s $work/plait/$file ]] || { echo "FAILED: $file is not installed"; exit 1; }
done
"$work/plait/bin/plait" doctor >"$work/said" || { cat "$work/said"; exit 1; }
echo "quickstart_order: all well"
