"""Runs on 8-bit integers beside the same in f32: what they lose, and how much faster they are. By hand.

usage: int8.py RUN... [--turns N] [--threads N] [--records N]

RUN: folders that `plait run` left. Each is quantized into a folder of its own, both are evaluated on the test records, and then, in
turns, timed: `plait bench --inference` (the network alone, batch 1 and 64, one lane), and `plait predict` of the test records as a
whole. Medians of the turns.
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


def samples_per_second(run, batch):
    said = plait("bench", f"{run}/resolved.txtpb", "--inference", batch, "--seconds", 2, "--json")
    return json.loads(said)["samples_per_second"]


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
        columns = {"batch 1, samples/s": lambda one: samples_per_second(one, 1),
                   "batch 64, samples/s": lambda one: samples_per_second(one, 64),
                   "predict, s": lambda one: predict_seconds(one, folder, options.threads)}
        for title, measure in columns.items():
            times = {run: [], int8: []}
            for _ in range(options.turns):
                for one in times:
                    times[one].append(measure(one))
            full, fast = (statistics.median(times[one]) for one in (run, int8))
            ratio = full / fast if title.startswith("predict") else fast / full
            print(f"  {title}: f32 {full:,.2f}, int8 {fast:,.2f}: {ratio:.2f} times as fast")


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("runs", nargs="+", metavar="RUN")
parser.add_argument("--turns", type=int, default=3)
parser.add_argument("--threads", type=int, default=1)
parser.add_argument("--records", type=int, default=1000)
given = parser.parse_args()
for place in given.runs:
    print(place)
    compare(place, given)
