"""What `plait check` tells of a run's memory is what the run takes, within 15 %; and what the process itself needs. Of
stages of tasks it tells a bound: what they take is no more, but for a tenth that the task and its source hold, and no less than half;
where pairs are spilled, what they take is within 15 % of it.

usage: memory_test.py
Jobs of some ten million parameters, or of large activations: tens of megabytes beside the process's own.
"""
import os
import re
import struct
import subprocess
import sys
import tempfile

SIDE = 64
MLP = """
layer { name: "flat" input: "image" flatten {} }
layer { name: "h" dense { units: %d } }
layer { name: "r" relu {} }
layer { name: "f" dense { units: 4 } }
"""
CONVOLUTIONS = """
layer { name: "c1" input: "image" convolution { filters: 16 kernel: 3 padding: 1 } }
layer { name: "r1" relu {} }
layer { name: "c2" convolution { filters: 32 kernel: 3 padding: 1 } }
layer { name: "r2" relu {} }
layer { name: "p" max_pool { kernel: 4 } }
layer { name: "f" dense { units: 4 } }
"""
SOURCE = """
source { idx { images: "%(data)s/images" labels: "%(data)s/labels" classes: 4 } }
test { idx { images: "%(data)s/images" labels: "%(data)s/labels" classes: 4 } }
preprocess { normalize { mean: 0.5 deviation: 0.5 } }
loss { input: "f" softmax_cross_entropy {} }
metric { input: "f" accuracy {} }
"""
SGD = "optimizer { sgd { rate: 0.001 momentum: 0.9 } }\n"
ADAM = "optimizer { adam { rate: 0.0001 } }\n"
VALIDATION = "validation { fraction: 0.25 }\n"


def train(shards, batch=8, more=""):
    return f"train {{ shards: {shards} local_steps: 1 batch: {batch} steps: 2 checkpoint_every: 1 {more} }}\n"


JOBS = [
    ("one shard, momentum", MLP % 2000 + SGD + VALIDATION + train(1), 1),
    ("two shards on one thread", MLP % 1000 + SGD + VALIDATION + train(2), 1),
    ("two shards on two threads, adam", MLP % 1000 + ADAM + train(2), 2),
    ("eight shards on two threads", MLP % 1000 + SGD + VALIDATION + train(8, batch=2), 2),
    ("gradients, adam", MLP % 1500 + ADAM + VALIDATION + train(1, more="sync: gradients"), 1),
    ("an outer optimizer", MLP % 1000 + SGD + "outer_optimizer { sgd { rate: 0.7 momentum: 0.9 } }\n" + train(2), 1),
    ("convolutions, two threads", CONVOLUTIONS + SGD + VALIDATION + train(2, batch=32), 2),
    ("a large evaluation", CONVOLUTIONS + SGD + VALIDATION + train(1, batch=2) + "evaluate { batch: 64 }\n", 1),
    ("pretraining", MLP % 1000 + SGD + train(1) + "pretrain { autoencoder { epochs: 1 } }\n", 1),
]
STAGE = """
stage { name: "s" source { idx { images: "%(data)s/images" labels: "%(data)s/labels" } } split: 256
"""
STAGES = [
    ("moments with a covariance", STAGE + "preprocess { crop { size: 40 } } moments { covariance: true } }\n", 2),
    ("rows of every record", STAGE + "preprocess { normalize { scale: 255 } } collect {} }\n", 1),
    ("a sample of records", STAGE + "kmeans { k: 8 iterations: 2 } }\n", 2),
]
WORDS = """
stage { name: "s" source { text_lines { file: "%%(data)s/text" } } count_words {} memory: %d output: "words.tsv" }
"""
SPILLS = [(f"pairs that are spilled beyond {mib} MiB, {threads} threads", WORDS % (mib << 20), threads)
          for mib, threads in ((1, 1), (1, 2), (4, 2), (8, 1), (8, 2))]
UNITS = {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30}


def write_images(folder, records=256):
    with open(f"{folder}/images", "wb") as file:
        file.write(struct.pack(">IIII", 0x803, records, SIDE, SIDE))
        image = bytes(i * 7 % 251 for i in range(SIDE * SIDE))
        for _ in range(records):
            file.write(image)
    with open(f"{folder}/labels", "wb") as file:
        file.write(struct.pack(">II", 0x801, records) + bytes(i % 4 for i in range(records)))


def write_text(folder, words):
    """So many words, each twice, far from itself."""
    with open(f"{folder}/text", "w") as file:
        for i in range(0, 2 * words, 8):
            file.write(" ".join(f"w{j * 7919 % words:08d}" for j in range(i, i + 8)) + "\n")


def told(path, threads):
    done = subprocess.run(["plait", "check", path, "--threads", str(threads)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    value, unit = re.search(r"memory: (?:about|at most) ([\d.]+) (\w+)", done.stdout).groups()
    return float(value) * UNITS[unit], done.stdout[done.stdout.index("memory:"):]


def used(path, folder, threads):
    """Largest resident memory of the run, as the kernel counts it: of a process that is spawned no less than this one's own, so
    that nothing here may hold much."""
    pid = os.posix_spawnp("plait", ["plait", "run", path, "--threads", str(threads), "--run-dir", f"{folder}/run",
                                    "--progress", "none"], os.environ)
    _, status, usage = os.wait4(pid, 0)
    assert status == 0, f"status {status}"
    return usage.ru_maxrss * 1024.0


def tried(name, job, threads, records, least, most):
    """Whether told / used lies between two numbers."""
    with tempfile.TemporaryDirectory() as folder:
        if "%(data)s/text" in job:
            write_text(folder, records)
        else:
            write_images(folder, records)
        path = f"{folder}/job.txtpb"
        with open(path, "w") as out:
            out.write(job % {"data": folder})
        expected, table = told(path, threads)
        got = used(path, folder, threads)
    good = least <= expected / got <= most
    print(f"{'good  ' if good else 'FAILED'} {name}: told {expected / 2**20:.0f} MiB, used {got / 2**20:.0f} MiB, "
          f"{expected / got:.3f}")
    if not good:
        print(table)
    return good


results = [tried(name, SOURCE + job + ("" if "evaluate" in job else "evaluate { batch: 32 }\n"), threads, 256, 0.85, 1.15)
           for name, job, threads in JOBS]
results += [tried(name, job, threads, 4096, 0.9, 2) for name, job, threads in STAGES]
results += [tried(name, job, threads, 400000, 0.93, 1.15) for name, job, threads in SPILLS]
sys.exit(0 if all(results) else 1)
