"""Known networks by `plait` and by PyTorch, samples a second, in turns, on the machine as it is.

usage: python3 tests/bench/networks.py [NETWORK ...] [--turns 3] [--torch PYTHON] [--seconds 6] [--threads 2] [--no-training]
           [--inference] [--bf16] [--markdown FILE]
NETWORK: mlp lenet5 convae resnet20 alexnet; all without one. PYTHON: an interpreter that has torch (of a virtual environment:
    python3 -m venv ENV && ENV/bin/pip install torch); without it Plait is measured alone.
Both make one update per batch, in f32: Plait in two shards of half a batch whose gradients are summed each step, and in one on two
lanes (batch norm: its statistics are those of the batch); and in rounds of local steps where the network's pipeline has them. Both train
on records in memory; PyTorch on one batch again and again, channels last, SGD with Nesterov momentum. --inference: forward alone, a
batch of 1 and of 64 again and again, each on all threads. --bf16: all once more in bf16, where this `plait` has train.precision; PyTorch
by autocast. Prints every turn with the most memory that the process had, then medians and ratios, and what the machine can do; --markdown writes the table. Nothing fails for
being slow. `run.sh` does all of it, PyTorch's environment too.
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
trains, is_bf16 = sys.argv[5] == "training", sys.argv[6] == "bf16"
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

def forward():
    with torch.autocast("cpu", torch.bfloat16, enabled=is_bf16):
        return model(x)

def train():
    sgd.zero_grad(set_to_none=True)
    out = forward().float()
    (F.cross_entropy(out, y) if classes else F.mse_loss(out, y)).backward()
    sgd.step()

def infer():
    with torch.inference_mode():
        forward()

step = train if trains else infer
model.train(trains)
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
options.add_argument("--no-training", action="store_true")
options.add_argument("--inference", action="store_true")
options.add_argument("--bf16", action="store_true")
options.add_argument("--markdown", default="")
options = options.parse_args()

SGD = ["--del", "optimizer", "--set", "optimizer.sgd.rate=0.01", "--set", "optimizer.sgd.momentum=0.9", "--set",
       "optimizer.sgd.nesterov=true"]


def vars_of(**values):
    return [word for name, value in values.items() for word in ("--var", f"{name}={value}")]


def summed(batch):
    return ["--set", "train.sync=gradients", *vars_of(tau=1, shards=2, batch=batch // 2)]


def ways_of(batch):
    return {"one update, shards": summed(batch),
            "one update, lanes": ["--set", f"train.lanes={options.threads}", "--set", "train.sync=gradients", *vars_of(tau=1, shards=1, batch=batch)],
            "rounds": vars_of(tau=10, shards=2, batch=batch)}


# name: pipeline, batch, and ways to train it
NETWORKS = {
    "mlp": ("mlp_fashion_mnist", 128, ways_of(128)),
    "lenet5": ("lenet5_fashion_mnist", 64, ways_of(64)),
    "convae": ("conv_autoencoder", 64, ways_of(64)),
    "resnet20": ("resnet20_cifar10", 128, {"one update, lanes": vars_of(lanes=2, records=100000)}),
    "alexnet": ("alexnet", 32, {"one update, lanes": vars_of(lanes=2, records=100000)}),
}


def file_of(pipeline):
    return os.path.join(os.path.dirname(__file__), f"../../pipelines/{pipeline}.txtpb")


last_peak_mib = 0


def output_of(command, statuses=(0,)):
    global last_peak_mib
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as errors:
        pid = subprocess.Popen(command, stdout=out, stderr=errors).pid
        _, status, used = os.wait4(pid, 0)
        last_peak_mib = used.ru_maxrss / 1024
        out.seek(0), errors.seek(0)
        if os.waitstatus_to_exitcode(status) not in statuses:
            sys.exit(f"{' '.join(command)}\n{errors.read()}")
        return out.read()


def trained(pipeline, words):
    with tempfile.TemporaryDirectory() as folder:
        run = [options.plait, "run", file_of(pipeline), "--run-dir", f"{folder}/run", "--progress", "none", "--del", "test", "--threads",
               str(options.threads), *SGD, "--set", "train.epochs=1000", "--max-time", f"{options.seconds:g}", *words]
        output_of(run, (0, 75))
        with open(f"{folder}/run/summary.json") as file:
            return json.load(file)["train_samples_per_second"]


def benched(pipeline, words):
    return json.loads(output_of([options.plait, "bench", file_of(pipeline), "--json", "--seconds", f"{options.seconds:g}", *words]))


def inferred(pipeline, batch, words):
    lanes = ["--set", f"train.lanes={options.threads}"]
    return benched(pipeline, ["--inference", str(batch), *lanes, *words])["samples_per_second"]


def torch(name, batch, what, precision):
    run = [options.torch, "-c", TORCH, name, str(batch), str(options.threads), str(options.seconds), what, precision]
    return float(output_of(run))


def turns_of(title, ways):
    """Of each way, a function, the median of the turns; all take their turn before the first has its next."""
    figures, peaks = {way: [] for way in ways}, {way: [] for way in ways}
    for turn in range(options.turns):
        for way, measure in ways.items():
            figures[way].append(measure())
            peaks[way].append(last_peak_mib)
            print(f"turn {turn + 1}  {title:32} {way:22} {figures[way][-1]:10.0f} samples/s {last_peak_mib:8.0f} MiB", flush=True)
    medians = {way: statistics.median(values) for way, values in figures.items()}
    for way, median in medians.items():
        ratio = f"  {median / medians['PyTorch']:.2f} x PyTorch" if "PyTorch" in medians else ""
        peak = statistics.median(peaks[way])
        print(f"median  {title:32} {way:22} {median:10.0f} samples/s {peak:8.0f} MiB{ratio}", flush=True)
    return title, medians


def measured(name, precision):
    pipeline, batch, ways = NETWORKS[name]
    more = ["--set", "train.precision=bf16"] if precision == "bf16" else []
    if not options.no_training:
        peer = {"PyTorch": lambda: torch(name, batch, "training", precision)} if options.torch else {}
        yield turns_of(f"{name} {precision} training, {batch}",
                       peer | {way: lambda words=words: trained(pipeline, words + more) for way, words in ways.items()})
    for size in (1, 64) if options.inference else ():
        peer = {"PyTorch": lambda: torch(name, size, "inference", precision)} if options.torch else {}
        words = vars_of(records=64) if name in ("resnet20", "alexnet") else []
        yield turns_of(f"{name} {precision} inference, {size}", peer | {"forward": lambda: inferred(pipeline, size, words + more)})


def table_of(rows):
    ways = list(dict.fromkeys(way for _, medians in rows for way in medians))
    yield "| network, precision, batch | " + " | ".join(ways) + " |"
    yield "|---" * (len(ways) + 1) + "|"
    for title, medians in rows:
        def cell(way):
            if way not in medians:
                return ""
            ratio = f" ({medians[way] / medians['PyTorch']:.2f})" if "PyTorch" in medians and way != "PyTorch" else ""
            return f"{medians[way]:,.0f}{ratio}"
        yield f"| {title} | " + " | ".join(map(cell, ways)) + " |"


precisions = ["f32"]
schema = json.loads(output_of([options.plait, "inspect", "--schema=json"]))
if options.bf16 and "precision" in schema["$defs"]["block_train"]["properties"]:
    precisions.append("bf16")
elif options.bf16:
    print("this plait has no train.precision: bf16 is left out", flush=True)
rows = [row for precision in precisions for name in options.networks or NETWORKS for row in measured(name, precision)]
lines = list(table_of(rows))
machine = benched("mlp_fashion_mnist", ["--threads", str(options.threads)])["machine"]
lines += ["", f"samples a second, medians of {options.turns} turns, {options.threads} threads, ratios to PyTorch in brackets; this machine: "
          f"{machine['gflops']:.0f} GFLOP/s ({machine['instruction_set']}), {machine['gigabytes_per_second']:.1f} GB/s"]
print("\n" + "\n".join(lines))
if options.markdown:
    with open(options.markdown, "w") as file:
        file.write("\n".join(lines) + "\n")
