"""Runs on 8-bit integers beside the same in f32 and bf16: what they lose, and how much faster they are. By hand.

usage: int8.py RUN... [--turns N] [--threads N] [--records N]

RUN: folders that `plait run` left. Each is quantized into a folder of its own, both are evaluated on the test records, and then, in
turns, timed: `plait bench --inference` (the network alone, batch 1 and 64, the run's lanes; in bf16 too, where the processor has it), and
`plait predict` of the test records as a whole. Medians of the turns.
"""
import argparse
import json
import re
import statistics
import subprocess
import tempfile
import time


def plait(*words):
    done = subprocess.run(["plait", *map(str, words)], capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"plait {' '.join(map(str, words))}: status {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def measured(run):
    return re.search(r": (.*)$", plait("evaluate", run), re.MULTILINE).group(1)


def samples_per_second(run, batch, *words):
    said = plait("bench", f"{run}/resolved.txtpb", "--inference", batch, "--seconds", 2, "--json", *words)
    return json.loads(said)["samples_per_second"]


BF16 = ["--set", "train.precision=bf16"]


def has_bf16(run):
    return subprocess.run(["plait", "check", f"{run}/resolved.txtpb", *BF16], capture_output=True).returncode == 0


def predict_seconds(run, folder, threads):
    begin = time.monotonic()
    plait("predict", run, "--in", "test", "--out", f"{folder}/scores.npy", "--threads", threads)
    return time.monotonic() - begin


def compare(run, options):
    with tempfile.TemporaryDirectory() as folder:
        int8 = f"{folder}/int8"
        print(plait("quantize", run, "--out", int8, "--records", options.records), end="")
        for name, one in (("f32", run), ("int8", int8)):
            print(f"  {name}: {measured(one)}")
        ways = {"f32": (run,), "int8": (int8,)}
        if has_bf16(run):
            ways["bf16"] = (run, *BF16)
        for batch in (1, 64):
            speeds = medians(ways, options.turns, lambda one, *words: samples_per_second(one, batch, *words))
            told = ", ".join(f"{name} {speed:,.0f}" for name, speed in speeds.items())
            ratios = ", ".join(f"{speeds['int8'] / speeds[name]:.2f} times {name}" for name in ways if name != "int8")
            print(f"  batch {batch}, samples/s: {told}: int8 {ratios}")
        seconds = medians({"f32": (run,), "int8": (int8,)}, options.turns, lambda one: predict_seconds(one, folder, options.threads))
        print(f"  predict, s: f32 {seconds['f32']:.2f}, int8 {seconds['int8']:.2f}: {seconds['f32'] / seconds['int8']:.2f} times as fast")


def medians(ways, turns, measure):
    measured_by = {name: [] for name in ways}
    for _ in range(turns):
        for name, words in ways.items():
            measured_by[name].append(measure(*words))
    return {name: statistics.median(values) for name, values in measured_by.items()}


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("runs", nargs="+", metavar="RUN")
parser.add_argument("--turns", type=int, default=3)
parser.add_argument("--threads", type=int, default=1)
parser.add_argument("--records", type=int, default=1000)
given = parser.parse_args()
for place in given.runs:
    print(place)
    compare(place, given)
