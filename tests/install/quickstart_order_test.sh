#!/usr/bin/env bash
# What the README says, in its order and nothing else: the target `product` in a new build folder, then cmake --install.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cached() { sed -n "s/^$1:[A-Z]*=//p" "$PLAIT_BUILD_DIR/CMakeCache.txt"; }

if [[ -n $(cached PLAIT_SANITIZE) ]]; then
  echo "skipped: a build with a sanitizer is not what is installed"
  exit 77
fi
cmake -S "$PLAIT_SOURCE_DIR" -B "$work/build" -G Ninja -DCMAKE_BUILD_TYPE="$(cached CMAKE_BUILD_TYPE)" \
  -DCMAKE_PREFIX_PATH="$(cached CMAKE_PREFIX_PATH)" >"$work/said" 2>&1 || { cat "$work/said"; exit 1; }
cmake --build "$work/build" --target product -j 2 >"$work/said" 2>&1 || { tail -n 40 "$work/said"; exit 1; }
cmake --install "$work/build" --prefix "$work/plait" >"$work/said" 2>&1 || { tail -n 10 "$work/said"; exit 1; }

for file in bin/plait lib/plait/plait_mpi.so share/man/man1/plait.1 share/bash-completion/completions/plait; do
  [[ -s $work/plait/$file ]] || { echo "FAILED: $file is not installed"; exit 1; }
done
"$work/plait/bin/plait" doctor >"$work/said" || { cat "$work/said"; exit 1; }
echo "quickstart_order: all well"
