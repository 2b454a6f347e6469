"""Counting the words of a text: `plait` on two ranks, on two threads, and with a tenth of the memory that its keys take, beside
DuckDB and PySpark on two threads, in turns, on the machine as it is.

usage: python3 tests/bench/word_count.py [--megabytes 500] [--words 2000000] [--turns 3] [--text FILE] [--python PYTHON]
PYTHON: one with the packages duckdb and pyspark, in a virtual environment:
    python3 -m venv ENV && ENV/bin/pip install duckdb pyspark        (PySpark runs on Java: apt-get install default-jre-headless)
Peers that PYTHON does not have are left out. FILE: the text; it is made where it is not there, which takes minutes, and kept.
Prints every turn, then medians in seconds of whole processes, from their start to the sorted table, and ratios. Nothing fails for
being slow; all tables must be the same.
"""
import argparse
import glob
import hashlib
import itertools
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time

options = argparse.ArgumentParser()
options.add_argument("--megabytes", type=int, default=500)
options.add_argument("--turns", type=int, default=3)
options.add_argument("--words", type=int, default=2_000_000)
options.add_argument("--text", default="")
options.add_argument("--python", default=sys.executable)
options.add_argument("--plait", default="plait")
options.add_argument("--job", default=os.path.join(os.path.dirname(__file__), "../../pipelines/vocabulary.txtpb"))
options = options.parse_args()

# Each prints the seconds of the query alone: without Python's imports and, of Spark, without the start of its session.
DUCKDB = """
import sys, time
import duckdb
begin = time.time()
c = duckdb.connect()
c.execute("set threads=2")
c.execute(f'''copy (select w, count(*) from (select unnest(string_split(line, ' ')) w from read_csv('{sys.argv[1]}',
  columns={{'line': 'VARCHAR'}}, delim='\\x01', header=false, quote='', escape='')) group by w order by w)
  to '{sys.argv[2]}/words.tsv' (delimiter '\\t', header false)''')
print(time.time() - begin)
"""
PYSPARK = """
import sys, time
from pyspark.sql import SparkSession
from pyspark.sql.functions import explode, split
s = (SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").config("spark.driver.memory", "4g")
     .config("spark.local.dir", sys.argv[2]).config("spark.log.level", "ERROR").getOrCreate())
begin = time.time()
words = s.read.text(sys.argv[1]).select(explode(split("value", " ")).alias("w"))
words.groupBy("w").count().orderBy("w").write.csv(sys.argv[2] + "/words", sep="\\t")
print(time.time() - begin)
"""
PEERS = {"DuckDB": ("duckdb", DUCKDB), "PySpark local[2]": ("pyspark", PYSPARK)}


def make_text(path):
    """Different words of 2 to 11 letters, drawn one by one: the n-th is 1/n as frequent as the first (Zipf's law)."""
    draw = random.Random(1)
    words = {}
    while len(words) < options.words:
        words["".join(draw.choices("abcdefghijklmnopqrstuvwxyz", k=draw.randrange(2, 12)))] = None
    words = list(words)
    shares = list(itertools.accumulate(1 / n for n in range(1, len(words) + 1)))
    size = 0
    with open(path + ".part", "w") as text:
        while size < options.megabytes * 1_000_000:
            drawn = draw.choices(words, cum_weights=shares, k=240_000)
            piece = "\n".join(" ".join(drawn[k:k + 12]) for k in range(0, len(drawn), 12)) + "\n"
            text.write(piece)
            size += len(piece)
    os.rename(path + ".part", path)


def has(package):
    return subprocess.run([options.python, "-c", f"import {package}"], stderr=subprocess.DEVNULL).returncode == 0


with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR", "/var/tmp")) as folder:
    text = os.path.abspath(options.text or f"{folder}/text.txt")
    if not os.path.exists(text):
        make_text(text)
    megabytes = os.path.getsize(text) / 1e6
    runs = 0

    def plait(before, memory):
        """Seconds of the whole process, the table, and what the run tells of its stage."""
        global runs
        runs += 1
        run = f"{folder}/run{runs}"
        more = ["--set", f"stage[words].memory={memory}"] if memory else []
        words = [*before, options.plait, "run", options.job, "--var", f"text={text}", "--run-dir", run, "--progress", "none",
                 "--del", "stage[usage]", *more]
        begin = time.perf_counter()
        subprocess.run(words, check=True)
        took = time.perf_counter() - begin
        with open(f"{run}/words.tsv", "rb") as table:
            content = table.read()
        with open(f"{run}/summary.json") as file:
            return took, content, json.load(file)["stages"][0]

    def peer(program):
        """Seconds of the whole process, the table, and the seconds of its query."""
        with tempfile.TemporaryDirectory(dir=folder) as out:
            begin = time.perf_counter()
            said = subprocess.run([options.python, "-c", program, text, out], check=True, stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL, text=True).stdout
            took = time.perf_counter() - begin
            content = b""
            for part in sorted(glob.glob(f"{out}/words.tsv") + glob.glob(f"{out}/words/part-*")):
                with open(part, "rb") as table:
                    content += table.read()
            return took, content, float(said.split()[-1])

    _, content, _ = plait([], 0)
    first = hashlib.sha256(content).hexdigest()
    rows = content.count(b"\n")
    key_bytes = sum(line.index(b"\t") for line in content.splitlines())
    small = max(1 << 20, key_bytes // 10)
    print(f"{megabytes:.0f} MB, {rows} different words of {key_bytes} bytes; memory of the small run: {small} bytes a rank", flush=True)
    mpirun = ["mpirun", "--oversubscribe", "-n", "2"]
    base, tenth = "two ranks", "two ranks, a tenth of the memory"
    variants = {base: (mpirun, 0), "one rank, two threads": ([], 0), tenth: (mpirun, small)}
    peers = {name: program for name, (package, program) in PEERS.items() if has(package)}
    times = {name: [] for name in [*variants, *peers]}
    queries = {name: [] for name in peers}
    for turn in range(options.turns):
        for name, (before, memory) in variants.items():
            took, content, told = plait(before, memory)
            assert hashlib.sha256(content).hexdigest() == first, f"{name} gives another table"
            times[name].append(took)
            print(f"turn {turn + 1}, {name}: {took:.2f} s, shuffled {told['bytes_shuffled']}, spilled {told['bytes_spilled']}, "
                  f"held {told['bytes_held']}" + (f", {told['bytes_held'] / memory:.2f} of the bound" if memory else ""), flush=True)
        for name, program in peers.items():
            took, content, query = peer(program)
            assert hashlib.sha256(content).hexdigest() == first, f"{name} gives another table"
            times[name].append(took)
            queries[name].append(query)
            print(f"turn {turn + 1}, {name}: {took:.2f} s, its query {query:.2f} s", flush=True)
    middle = {name: statistics.median(taken) for name, taken in times.items()}
    for name, median in middle.items():
        query = f"; its query alone {statistics.median(queries[name]):.2f} s, " \
                f"{statistics.median(queries[name]) / middle[base]:.2f}" if name in queries else ""
        print(f"{name}: {median:.2f} s, {megabytes / median:.0f} MB/s, {median / middle[base]:.2f} of two ranks{query}")
