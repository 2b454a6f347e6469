#!/usr/bin/env bash
# An installed Plait, moved to another place, runs from there; and a stranger with a compiler and CMake alone builds a plugin
# against it: no protobuf, MPI, oneTBB or oneDNN is within reach.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bare() { env -i PATH=/usr/bin:/bin HOME="$work" "$@"; }

cmake --install "$PLAIT_BUILD_DIR" --prefix "$work/first" >/dev/null
mv "$work/first" "$work/moved"
bare "$work/moved/bin/plait" --version

# Beside the program: what it says of itself, for people, shells and editors.
for file in share/man/man1/plait.1 share/bash-completion/completions/plait share/doc/plait/reference/README.md \
            share/plait/pipelines share/plait/templates include/plait/abi.h include/plait/sdk.hpp; do
  [[ -s $work/moved/$file ]] || { echo "FAILED: $file is not installed"; exit 1; }
done
if grep -rlE "$work/first|$PLAIT_SOURCE_DIR" "$work/moved/share" "$work/moved/lib/cmake" "$work/moved/include"; then
  echo "FAILED: these files name the place that they were built in or installed to"
  exit 1
fi

# Every library that the moved program and plugins load is found, and none of them in the tree they were built from.
for file in "$work"/moved/bin/plait "$work"/moved/lib/plait/plugins/*.plait.so; do
  found=$(bare ldd "$file")
  if grep -E "not found|$PLAIT_SOURCE_DIR" <<<"$found"; then
    echo "FAILED: $file does not stand alone"
    exit 1
  fi
done

mkdir "$work/stranger"
cat >"$work/stranger/CMakeLists.txt" <<'EOF'
cmake_minimum_required(VERSION 3.25)
project(stranger LANGUAGES CXX)
find_package(plait 1 REQUIRED)
plait_add_plugin(stranger KIND layers)
EOF
cat >"$work/stranger/stranger.cc" <<'EOF'
#include <plait/abi.h>
#include <plait/sdk.hpp>
int not_exported() { return 1; }
extern "C" __attribute__((visibility("default"))) const plait_plugin* plait_plugin_v1(const plait_host*) {
  return nullptr;
}
EOF
bare cmake -S "$work/stranger" -B "$work/stranger/build" -G Ninja -DCMAKE_PREFIX_PATH="$work/moved" >/dev/null
bare cmake --build "$work/stranger/build"
exported=$(nm -D --defined-only "$work/stranger/build/stranger.plait.so" | cut -d ' ' -f 3)
[[ $exported == plait_plugin_v1 ]] || { echo "FAILED: exports \"$exported\", wanted plait_plugin_v1"; exit 1; }

# A package of another major version is not taken for this one.
sed -i 's/find_package(plait 1 /find_package(plait 2 /' "$work/stranger/CMakeLists.txt"
if bare cmake -S "$work/stranger" -B "$work/other" -G Ninja -DCMAKE_PREFIX_PATH="$work/moved" >/dev/null 2>&1; then
  echo "FAILED: plait 2 was asked for and this one given"
  exit 1
fi
echo "install: all well"
