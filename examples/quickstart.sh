#!/usr/bin/env bash
# From a fresh machine to a trained LeNet-5: installs what is missing, builds, trains on two ranks.
# Words given go to `plait run`: `examples/quickstart.sh --var epochs=1`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
framework/cmake/setup.sh
source .deps/env.sh
cmake --preset release
cmake --build --preset release --target product

run_dir=runs/quickstart-$(date +%Y%m%d-%H%M%S)
mpirun -n 2 plait run pipelines/lenet5_fashion_mnist.txtpb --run-dir "$run_dir" "$@"

python3 - "$run_dir" <<'EOF'
import json, os, sys
summary = json.load(open(os.path.join(sys.argv[1], "summary.json")))
print()
print(f"test accuracy       {summary['test']['accuracy']:.4f}")
print(f"samples per second  {summary['train_samples_per_second']:,.0f}")
print(f"run folder          {sys.argv[1]}")
EOF
