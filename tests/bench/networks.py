"""Training of known networks by `plait` and by PyTorch, samples a second, in turns, on the machine as it is.

usage: python3 tests/bench/networks.py [NETWORK ...] [--turns 3] [--torch PYTHON] [--seconds 6] [--threads 2]
NETWORK: mlp lenet5 convae resnet20 alexnet; all without one. PYTHON: an interpreter that has torch (of a virtual environment:
    python3 -m venv ENV && ENV/bin/pip install torch); without it Plait is measured alone.
Both make one update per batch, in f32: Plait in two shards of half a batch whose gradients are summed each step, or (batch norm: its
statistics are those of the batch) in one on two lanes; and in rounds of local steps where the network's pipeline has them. Both train
on records in memory; PyTorch on one batch again and again, channels last, SGD with Nesterov momentum. Prints every turn, then medians
and ratios. Nothing fails for being slow.
"""
import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile

TORCH = """
import sys, time, torch, torch.nn as nn, torch.nn.functional as F
name, batch, threads, seconds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
torch.set_num_threads(threads)
torch.manual_seed(0)

class Residual(nn.Module):
    def __init__(self, before, after, stride):
        super().__init__()
        unit = lambda i, o, k, s, p: nn.Sequential(nn.Conv2d(i, o, k, s, p, bias=False), nn.BatchNorm2d(o))
        self.first, self.second = unit(before, after, 3, stride, 1), unit(after, after, 3, 1, 1)
        self.short = nn.Identity() if before == after else unit(before, after, 1, stride, 0)

    def forward(self, x):
        return F.relu(self.second(F.relu(self.first(x))) + self.short(x))

def conv(i, o, k, s=1, p=0):
    return [nn.Conv2d(i, o, k, s, p), nn.ReLU()]

def full(i, o):
    return [nn.Linear(i, o), nn.ReLU()]

def network():
    if name == "mlp":
        return [nn.Flatten(), *full(784, 512), *full(512, 256), nn.Linear(256, 10)], (1, 28, 28), 10
    if name == "lenet5":
        return [*conv(1, 6, 5, 1, 2), nn.MaxPool2d(2), *conv(6, 16, 5), nn.MaxPool2d(2), nn.Flatten(), *full(400, 120),
                *full(120, 84), nn.Linear(84, 10)], (1, 28, 28), 10
    if name == "convae":
        return [*conv(1, 16, 3, 1, 1), nn.MaxPool2d(2), *conv(16, 8, 3, 1, 1), nn.MaxPool2d(2), nn.ConvTranspose2d(8, 16, 2, 2),
                nn.ReLU(), nn.ConvTranspose2d(16, 1, 2, 2), nn.Sigmoid()], (1, 28, 28), 0
    if name == "resnet20":
        widths = [16] * 4 + [32] * 3 + [64] * 3
        blocks = [Residual(a, b, 1 if a == b else 2) for a, b in zip(widths, widths[1:])]
        return [nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU(), *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(),
                nn.Linear(64, 10)], (3, 32, 32), 10
    return [*conv(3, 64, 11, 4, 2), nn.MaxPool2d(3, 2), *conv(64, 192, 5, 1, 2), nn.MaxPool2d(3, 2), *conv(192, 384, 3, 1, 1),
            *conv(384, 256, 3, 1, 1), *conv(256, 256, 3, 1, 1), nn.MaxPool2d(3, 2), nn.Flatten(), nn.Dropout(), *full(9216, 4096),
            nn.Dropout(), *full(4096, 4096), nn.Linear(4096, 1000)], (3, 224, 224), 1000

layers, shape, classes = network()
model = nn.Sequential(*layers).to(memory_format=torch.channels_last)
x = torch.rand(batch, *shape).to(memory_format=torch.channels_last)
y = torch.randint(0, classes, (batch,)) if classes else x
sgd = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, nesterov=True)

def step():
    sgd.zero_grad(set_to_none=True)
    out = model(x)
    (F.cross_entropy(out, y) if classes else F.mse_loss(out, y)).backward()
    sgd.step()

for _ in range(3):
    step()
begin, steps = time.perf_counter(), 0
while time.perf_counter() - begin < seconds:
    step()
    steps += 1
print(batch * steps / (time.perf_counter() - begin))
"""

options = argparse.ArgumentParser()
options.add_argument("networks", nargs="*")
options.add_argument("--turns", type=int, default=3)
options.add_argument("--torch", default="")
options.add_argument("--plait", default="plait")
options.add_argument("--seconds", type=float, default=6)
options.add_argument("--threads", type=int, default=2)
options = options.parse_args()

SGD = ["--del", "optimizer", "--set", "optimizer.sgd.rate=0.01", "--set", "optimizer.sgd.momentum=0.9", "--set",
       "optimizer.sgd.nesterov=true"]


def vars_of(**values):
    return [word for name, value in values.items() for word in ("--var", f"{name}={value}")]


def summed(batch):
    return ["--set", "train.sync=gradients", *vars_of(tau=1, shards=2, batch=batch // 2)]


# name: pipeline, batch, and ways to train it
NETWORKS = {
    "mlp": ("mlp_fashion_mnist", 128, {"one update per batch": summed(128), "rounds": vars_of(tau=10, shards=2, batch=128)}),
    "lenet5": ("lenet5_fashion_mnist", 64, {"one update per batch": summed(64), "rounds": vars_of(tau=10, shards=2, batch=64)}),
    "convae": ("conv_autoencoder", 64, {"one update per batch": summed(64), "rounds": vars_of(tau=10, shards=2, batch=64)}),
    "resnet20": ("resnet20_cifar10", 128, {"one update per batch": vars_of(lanes=2, records=100000)}),
    "alexnet": ("alexnet", 32, {"one update per batch": vars_of(lanes=2, records=100000)}),
}


def plait(pipeline, words):
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(os.path.dirname(__file__), f"../../pipelines/{pipeline}.txtpb")
        run = [options.plait, "run", file, "--run-dir", f"{folder}/run", "--progress", "none", "--del", "test", "--threads",
               str(options.threads), *SGD, "--set", "train.epochs=1000", "--max-time", f"{options.seconds:g}", *words]
        done = subprocess.run(run, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        if done.returncode not in (0, 75):
            sys.exit(f"{' '.join(run)}\n{done.stderr}")
        with open(f"{folder}/run/summary.json") as file:
            summary = json.load(file)
        return summary["train_samples_per_second"]


def torch(name, batch):
    run = [options.torch, "-c", TORCH, name, str(batch), str(options.threads), str(options.seconds)]
    return float(subprocess.run(run, capture_output=True, text=True, check=True).stdout)


for name in options.networks or NETWORKS:
    pipeline, batch, ways = NETWORKS[name]
    figures = {way: [] for way in ways} | ({"PyTorch": []} if options.torch else {})
    for turn in range(options.turns):
        for way, values in figures.items():
            values.append(torch(name, batch) if way == "PyTorch" else plait(pipeline, ways[way]))
            print(f"turn {turn + 1}  {name:9} {way:22} {values[-1]:10.0f} samples/s", flush=True)
    medians = {way: statistics.median(values) for way, values in figures.items()}
    for way, median in medians.items():
        ratio = f"  {median / medians['PyTorch']:.2f} x PyTorch" if "PyTorch" in medians else ""
        print(f"median  {name:9} {way:22} {median:10.0f} samples/s{ratio}", flush=True)
