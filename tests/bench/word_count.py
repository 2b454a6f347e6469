"""Counting the words of a text: `plait` on two ranks and on two threads, in turns, and with a tenth of the memory, on the
machine as it is. A peer is a program given the text and a folder to write into.

usage: python3 tests/bench/word_count.py [--megabytes 500] [--turns 3] [--peer 'NAME=COMMAND'] ...
Prints every turn, then medians in seconds of the whole process and ratios. Nothing fails for being slow; the tables of all
of Plait's runs must be the same bytes.
"""
import argparse
import bisect
import hashlib
import itertools
import json
import os
import random
import statistics
import subprocess
import tempfile
import time

options = argparse.ArgumentParser()
options.add_argument("--megabytes", type=int, default=500)
options.add_argument("--turns", type=int, default=3)
options.add_argument("--words", type=int, default=500_000)
options.add_argument("--peer", action="append", default=[])
options.add_argument("--plait", default="plait")
options = options.parse_args()

JOB = """
stage { name: "words" source { text_lines { file: "%s" max_bytes: 4096 } } count_words {} %s output: "words.tsv" }
"""


def make_text(path):
    """Words of 2 to 11 letters; the n-th is 1/n as frequent as the first (Zipf's law)."""
    draw = random.Random(1)
    words = ["".join(draw.choices("abcdefghijklmnopqrstuvwxyz", k=draw.randrange(2, 12))) for _ in range(options.words)]
    shares = list(itertools.accumulate(1 / n for n in range(1, len(words) + 1)))
    size = 0
    with open(path, "w") as text:
        while size < options.megabytes * 1_000_000:
            drawn = [words[bisect.bisect_left(shares, draw.random() * shares[-1])] for _ in range(200_000)]
            piece = "\n".join(" ".join(drawn[k:k + 12]) for k in range(0, len(drawn), 12)) + "\n"
            # A drawn piece stands several times: drawing takes longer than counting.
            for _ in range(min(20, 1 + options.megabytes // 20)):
                text.write(piece)
                size += len(piece)
    return words


with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR", "/var/tmp")) as folder:
    text = f"{folder}/text.txt"
    make_text(text)
    megabytes = os.path.getsize(text) / 1e6
    mpirun = ["mpirun", "--oversubscribe", "-n", "2"]
    keys_bytes = 0

    def plait(name, before, more):
        with open(f"{folder}/{name}.txtpb", "w") as job:
            job.write(JOB % (text, more))
        run = f"{folder}/run_{name}"
        subprocess.run(["rm", "-rf", run], check=True)
        begin = time.perf_counter()
        subprocess.run([*before, options.plait, "run", f"{folder}/{name}.txtpb", "--run-dir", run, "--progress", "none"], check=True)
        took = time.perf_counter() - begin
        with open(f"{run}/words.tsv", "rb") as table:
            content = table.read()
        with open(f"{run}/summary.json") as file:
            return took, hashlib.sha256(content).hexdigest(), len(content), json.load(file)["stages"][0]

    took, first, table_bytes, _ = plait("begin", [], "")
    small = max(1 << 20, table_bytes // 10)
    print(f"{megabytes:.0f} MB, a table of {table_bytes} bytes; memory of the small run: {small} bytes a rank")
    variants = {
        "two ranks": (mpirun, ""),
        "one rank, two threads": ([], ""),
        "two ranks, a tenth of the memory": (mpirun, f"memory: {small}"),
    }
    times = {name: [] for name in [*variants, *(peer.split("=", 1)[0] for peer in options.peer)]}
    for turn in range(options.turns):
        for name, (before, more) in variants.items():
            took, digest, _, told = plait(name.replace(" ", "_").replace(",", ""), before, more)
            assert digest == first, f"{name} gives another table"
            times[name].append(took)
            print(f"turn {turn + 1}, {name}: {took:.2f} s, shuffled {told['bytes_shuffled']}, spilled {told['bytes_spilled']}")
        for peer in options.peer:
            name, command = peer.split("=", 1)
            begin = time.perf_counter()
            subprocess.run([*command.split(), text, folder], check=True, stdout=subprocess.DEVNULL)
            times[name].append(time.perf_counter() - begin)
            print(f"turn {turn + 1}, {name}: {times[name][-1]:.2f} s")
    base = statistics.median(times["two ranks"])
    for name, taken in times.items():
        median = statistics.median(taken)
        print(f"{name}: {median:.2f} s, {megabytes / median:.0f} MB/s, {median / base:.2f} of two ranks")
