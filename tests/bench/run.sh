#!/bin/bash
# Plait beside PyTorch on known networks: training, and inference at batch 1 and 64, in f32 and, where Plait has it, bf16.
#
# usage: tests/bench/run.sh [FOLDER] [WORDS of networks.py...]
# FOLDER (default: build/bench) gets PyTorch's environment, made once, and table.md. `plait` is the one on the PATH, else that of
# build/release. All five networks take about half an hour; on the command line a few of them, or --turns 1 --seconds 2, are quicker.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
folder=$root/build/bench
if [[ $# -gt 0 && $1 == */* ]]; then
  folder=$1
  shift
fi
mkdir -p "$folder"
if ! "$folder/torch/bin/python" -c 'import numpy, torch' 2>/dev/null; then
  python3 -m venv "$folder/torch"
  "$folder/torch/bin/pip" install --quiet torch numpy
fi
command -v plait >/dev/null || PATH=$root/build/release/bin:$PATH
python3 "$root/tests/bench/networks.py" --torch "$folder/torch/bin/python" --inference --bf16 --markdown "$folder/table.md" "$@"
