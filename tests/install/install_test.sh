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
            share/plait/pipelines share/plait/templates include/plait/abi.h include/plait/sdk.hpp \
            include/plait/pipeline.proto; do
  [[ -s $work/moved/$file ]] || { echo "FAILED: $file is not installed"; exit 1; }
done
if grep -rlE "$work/first|$PLAIT_SOURCE_DIR" "$work/moved/share" "$work/moved/lib/cmake" "$work/moved/include"; then
  echo "FAILED: these files name the place that they were built in or installed to"
  exit 1
fi

if [[ -e $work/moved/lib/plait/plugins/test_device.plait.so ]]; then
  echo "FAILED: test_device, which only tests load, is installed"
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

# Nothing but the SDK's headers and those of the language was read.
foreign=$(bare g++ -std=c++20 -M -I "$work/moved/include" "$work/stranger/stranger.cc" |
  grep -oE '[^ ]*/(google|tbb|oneapi|boost|fmt|nlohmann|mpi|dnnl)[^ ]*' || true)
[[ -z $foreign ]] || { echo "FAILED: the SDK includes $foreign"; exit 1; }

# The same tree again, with another CMakeLists.txt: fails with the words given, or succeeds without any.
cmakelists() { printf 'cmake_minimum_required(VERSION 3.25)\nproject(stranger LANGUAGES CXX)\n%s\n' "$1" >"$work/stranger/CMakeLists.txt"; }
configure() { bare cmake -S "$work/stranger" -B "$work/stranger/build" -DCMAKE_PREFIX_PATH="$work/moved" 2>&1 | tr -s ' \n' ' '; }
answers() {
  cmakelists "$1"
  local said status=0
  said=$(configure) || status=$?
  [[ $said == *"$2"* && ($status -eq 0 && -z $2 || $status -ne 0 && -n $2) ]] && return
  echo "FAILED: $1: wanted \"$2\", got status $status: $said"
  exit 1
}
touch "$work/stranger/kernel.cu"
answers 'find_package(plait 1.0 REQUIRED)' ''
answers 'find_package(plait 2 REQUIRED)' 'compatible with requested version "2"'
answers 'find_package(plait 1.1 REQUIRED)' 'compatible with requested version "1.1"'
answers 'find_package(plait 1 REQUIRED COMPONENTS cudnn)' 'there is no component "cudnn": the only one is cuda'
package='find_package(plait 1 REQUIRED)'
call="$package"$'\nplait_add_plugin'
answers "$call(stranger SOURCES)" 'plait_add_plugin(stranger): SOURCES: no value follows it'
answers "$call(stranger SOURCES stranger.cc KIND layr)" 'there is no KIND "layr"; wanted one of layer, loss, metric'
answers "$call(stranger SOURCES stranger.cc KIND losses)" ''
answers "$call(stranger SOURCE stranger.cc)" 'does not understand "SOURCE;stranger.cc"'
answers "$call(\"a b\" SOURCES stranger.cc)" 'the name becomes that of a file'
answers "$call(stranger SOURCES stranger.cc)"$'\n'"plait_add_plugin(stranger SOURCES stranger.cc)" 'a plugin of this name already'
answers "$call(stranger SOURCES stranger.cc kernel.cu)" 'kernel.cu is CUDA: wanted find_package(plait 1 REQUIRED COMPONENTS cuda)'
mkdir "$work/stranger/empty" && touch "$work/stranger/empty/CMakeLists.txt"
echo 'plait_add_plugin(nothing)' >"$work/stranger/empty/CMakeLists.txt"
answers "$package"$'\nadd_subdirectory(empty)' 'no SOURCES are given, and'

# A symbol that nobody defines is refused when the plugin is linked, not when it is loaded.
cmakelists "$call(stranger SOURCES stranger.cc TESTS)"
sed -i 's/int not_exported() { return 1; }/int nowhere(); int not_exported() { return nowhere(); }/' "$work/stranger/stranger.cc"
configure >/dev/null
if said=$(bare cmake --build "$work/stranger/build" 2>&1) || [[ $said != *"undefined reference to"* ]]; then
  echo "FAILED: an undefined symbol was not refused at link: $said"
  exit 1
fi

# A plugin of the templates: names of its tests, and where cmake --install puts it.
bare "$work/moved/bin/plait" new metric acme.hits --dir "$work/deep/er/hits" >/dev/null
data=(env XDG_DATA_HOME="$work/data")
bare "${data[@]}" cmake -S "$work/deep/er/hits" -B "$work/hits" -G Ninja -DCMAKE_PREFIX_PATH="$work/moved" >/dev/null
bare cmake --build "$work/hits" >/dev/null
said=$(bare ctest --test-dir "$work/hits" -N)
[[ $said == *plugin_hits_verify*plugin_hits_test* ]] || { echo "FAILED: the tests are $said"; exit 1; }
bare "${data[@]}" cmake --install "$work/hits" >/dev/null
said=$(bare "${data[@]}" "$work/moved/bin/plait" inspect acme.hits)
[[ $said == *"$work/data/plait/plugins/1/hits.plait.so"* ]] || { echo "FAILED: not found where it was installed: $said"; exit 1; }
echo "install: all well"
