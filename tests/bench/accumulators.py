"""Moments of pictures beside numpy, and k-means beside scikit-learn's Lloyd from the same start, in turns, on the machine as it
is: whole processes, and of the peers their computation alone too.

usage: python3 tests/bench/accumulators.py [--turns 5] [--images FILE] [--python PYTHON]
PYTHON: one with numpy and scikit-learn. FILE: pictures in IDX, as Fashion-MNIST has them.
Prints medians in seconds, ratios, and how far results differ. Nothing fails for being slow. Centres are compared with those of
plain loops in f64: scikit-learn's, in f32 as here for speed, take other ways where vectors are about as near to two centres.
"""
import argparse
import operator
import random
import statistics
import struct
import subprocess
import sys
import tempfile
import time

options = argparse.ArgumentParser()
options.add_argument("--turns", type=int, default=5)
options.add_argument("--images", default="/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz")
options.add_argument("--python", default=sys.executable)
options.add_argument("--plait", default="plait")
options.add_argument("--vectors", type=int, default=100_000)
options = options.parse_args()

SIDE, CENTRES, ITERATIONS = 8, 256, 10
GROUPS = 40  # fewer than centres: none is left without vectors, which each program treats in its own way

NUMPY = """
import gzip, sys, time
import numpy as np
begin = time.time()
data = gzip.open(sys.argv[1]).read() if sys.argv[1].endswith(".gz") else open(sys.argv[1], "rb").read()
pictures = np.frombuffer(data, np.uint8, offset=16).reshape(-1, 784)
np.save(sys.argv[2], np.stack([pictures.mean(0), pictures.std(0)], 1))
print(time.time() - begin)
"""
AGREE = """
import sys
import numpy as np
theirs, ours = np.load(sys.argv[1]), np.genfromtxt(sys.argv[2], delimiter=",", names=True)
print(max(np.abs(ours["mean"] - theirs[:, 0]).max(), np.abs(ours["deviation"] - theirs[:, 1]).max()))
"""
READ = """
import json, struct, sys
import numpy as np
def centres(path):
    data = open(path, "rb").read()
    size = struct.unpack("<Q", data[:8])[0]
    at = json.loads(data[8:8 + size])["centres"]
    return np.frombuffer(data[8 + size:][slice(*at["data_offsets"])], np.float32).reshape(at["shape"])
"""
LLOYD = READ + """
import time
from sklearn.cluster import KMeans
data = np.frombuffer(open(sys.argv[1], "rb").read(), np.uint8, offset=16).reshape(-1, 64).astype(np.float32)
begin = time.time()
found = KMeans(256, init=centres(sys.argv[2]), n_init=1, max_iter=10, tol=0, algorithm="lloyd").fit(data)
spent = time.time() - begin
np.save(sys.argv[3], found.cluster_centers_)
print(spent)
"""
NEAR = READ + """
data = np.frombuffer(open(sys.argv[1], "rb").read(), np.uint8, offset=16).reshape(-1, 64).astype(np.float64)
moved = centres(sys.argv[2]).astype(np.float64)
for _ in range(10):
    # Of whole numbers exact, and so are ties: to the lowest.
    near = np.concatenate([((moved ** 2).sum(1) - 2 * some @ moved.T).argmin(1) for some in np.array_split(data, 20)])
    sums, counts = np.zeros_like(moved), np.bincount(near, minlength=len(moved))
    np.add.at(sums, near, data)
    moved = np.where(counts[:, None] > 0, sums / np.maximum(counts, 1)[:, None], moved)
for path in sys.argv[3:]:
    print(np.abs((np.load(path) if path.endswith(".npy") else centres(path)) - moved).max())
"""


def timed(*words):
    begin = time.monotonic()
    done = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True)
    return time.monotonic() - begin, done.stdout


def show(name, times):
    print(f"{name:46} {statistics.median(times):7.3f} s   of {' '.join(f'{t:.3f}' for t in times)}", flush=True)


with tempfile.TemporaryDirectory() as folder:
    runs = 0

    def plait(source, task, file):
        """Seconds of the whole process, and the path of what it wrote."""
        global runs
        runs += 1
        job = f"{folder}/job{runs}.txtpb"
        with open(job, "w") as text:
            text.write(f'stage {{ name: "s" source {{ idx {{ images: "{source}" }} }} {task} output: "{file}" }}')
        spent, _ = timed(options.plait, "run", job, "--run-dir", f"{folder}/run{runs}", "--progress", "none")
        return spent, f"{folder}/run{runs}/{file}"

    ours, theirs, inside = [], [], []
    for _ in range(options.turns):
        spent, path = plait(options.images, "moments {}", "moments.csv")
        ours.append(spent)
        spent, said = timed(options.python, "-c", NUMPY, options.images, f"{folder}/m.npy")
        theirs.append(spent)
        inside.append(float(said))
    show("moments: plait, whole process", ours)
    show("moments: numpy, whole process", theirs)
    show("moments: numpy, without its start", inside)
    print(f"numpy / plait: {statistics.median(theirs) / statistics.median(ours):.2f}; differ by "
          f"{float(timed(options.python, '-c', AGREE, f'{folder}/m.npy', path)[1]):.1e}")

    draw = random.Random(3)
    groups = [bytes(draw.randrange(40, 216) for _ in range(SIDE * SIDE)) for _ in range(GROUPS)]
    below_40 = bytes(byte % 40 for byte in range(256))
    with open(f"{folder}/vectors", "wb") as file:
        file.write(struct.pack(">4I", 0x803, options.vectors, SIDE, SIDE))
        for _ in range(options.vectors):
            noise = draw.randbytes(SIDE * SIDE).translate(below_40)
            file.write(bytes(map(operator.add, draw.choice(groups), noise)))
    _, start = plait(f"{folder}/vectors", f"kmeans {{ k: {CENTRES} iterations: 0 }}", "start.safetensors")
    ours, theirs, inside = [], [], []
    for _ in range(options.turns):
        spent, path = plait(f"{folder}/vectors", f"kmeans {{ k: {CENTRES} iterations: {ITERATIONS} }}", "centres.safetensors")
        ours.append(spent)
        spent, said = timed(options.python, "-c", LLOYD, f"{folder}/vectors", start, f"{folder}/c.npy")
        theirs.append(spent)
        inside.append(float(said.split()[-1]))
    show("k-means: plait, whole process", ours)
    show("k-means: scikit-learn, whole process", theirs)
    show("k-means: scikit-learn, fit alone", inside)
    off = timed(options.python, "-c", NEAR, f"{folder}/vectors", start, path, f"{folder}/c.npy")[1].split()
    print(f"fit alone / plait: {statistics.median(inside) / statistics.median(ours):.2f}; centres differ from f64's by {float(off[0]):.1e}, "
          f"scikit-learn's by {float(off[1]):.1e}")
