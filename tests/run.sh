#!/usr/bin/env bash
# Sets up, builds, and runs every test. Words given go to ctest: `tests/run.sh -R registry`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
framework/cmake/setup.sh
source .deps/env.sh
cmake --preset release
cmake --build --preset release --target product
tests/install/quickstart_order_test.sh build/release
cmake --build --preset release
ctest --preset release -j 2 "$@" || { status=$?; python3 tests/say_failures.py build/release; exit $status; }
