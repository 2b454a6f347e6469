"""LeNet-5 training throughput of `plait` beside PyTorch's, in turns, on the machine as it is.

usage: python3 tests/bench/throughput.py [--turns 5] [--torch PYTHON] [--peer FILE]
PYTHON is an interpreter that has torch; FILE prints "... N images/s ..." for lenet5. Without them only Plait is measured.
Prints every turn, then medians and ratios. Nothing fails for being slow.
"""
import argparse
import json
import os
import re
import statistics
import subprocess
import tempfile

options = argparse.ArgumentParser()
options.add_argument("--turns", type=int, default=5)
options.add_argument("--torch", default="")
options.add_argument("--peer", default="../shared/bench/torch_peer.py")
options.add_argument("--plait", default="plait")
options.add_argument("--steps", type=int, default=400)
options = options.parse_args()

FILE = "pipelines/lenet5_fashion_mnist.txtpb"
# "gradients": one update per 64 samples, two shards of 32 whose gradients are summed, or one of 64 on two lanes.
MODES = {
    "rounds, 2 threads": ["--threads", "2", "--max-steps", str(options.steps)],
    "rounds, 1 thread": ["--threads", "1", "--max-steps", str(options.steps // 2)],
    "gradients, K=2 x 32": ["--threads", "2", "--set", "train.sync=gradients", "--var", "tau=1", "--var", "shards=2",
                            "--var", "batch=32", "--max-steps", str(2 * options.steps)],
    "gradients, K=1 x 64, 2 lanes": ["--threads", "2", "--set", "train.sync=gradients", "--var", "tau=1", "--var",
                                     "shards=1", "--var", "batch=64", "--set", "train.lanes=2", "--max-steps",
                                     str(2 * options.steps)],
}


def plait(words):
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([options.plait, "run", FILE, "--run-dir", f"{folder}/run", "--progress", "none", "--del", "test",
                        "--del", "validation", *words], check=True, stdout=subprocess.DEVNULL)
        with open(f"{folder}/run/summary.json") as file:
            return json.load(file)["train_samples_per_second"]


def torch():
    done = subprocess.run([options.torch, options.peer, "lenet5"], capture_output=True, text=True, check=True)
    return float(re.search(r"([\d.]+) images/s", done.stdout).group(1))


figures = {name: [] for name in MODES}
if options.torch and os.path.exists(options.peer):
    figures["PyTorch"] = []
for turn in range(options.turns):
    for name, values in figures.items():
        values.append(torch() if name == "PyTorch" else plait(MODES[name]))
        print(f"turn {turn + 1}  {name:30} {values[-1]:10.0f} samples/s", flush=True)
medians = {name: statistics.median(values) for name, values in figures.items()}
for name, median in medians.items():
    ratio = f"  {median / medians['PyTorch']:.2f} x PyTorch" if "PyTorch" in medians else ""
    print(f"median  {name:30} {median:10.0f} samples/s{ratio}")
