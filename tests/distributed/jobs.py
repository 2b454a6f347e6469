"""Small jobs and data for the tests that start `plait` under mpirun."""
import json
import os
import struct
import subprocess


def write_digits(folder, records=640, height=12, width=12, classes=4, seed=5):
    """IDX files of noisy stripes whose direction and place say the class."""
    state = seed
    images, labels = bytearray(), bytearray()
    for record in range(records):
        label = record % classes
        labels.append(label)
        for row in range(height):
            for column in range(width):
                state = (state * 1664525 + 1013904223) % 2**32
                along = row if label % 2 else column
                bright = 160 if along // 3 % 2 == label // 2 else 20
                images.append(bright + (state >> 24) % 64)
    with open(f"{folder}/images", "wb") as file:
        file.write(struct.pack(">IIII", 0x803, records, height, width) + images)
    with open(f"{folder}/labels", "wb") as file:
        file.write(struct.pack(">II", 0x801, records) + labels)


HEAD = """
source { idx { images: "%(data)s/images" labels: "%(data)s/labels" classes: 4 } }
validation { fraction: 0.2 }
test { idx { images: "%(data)s/images" labels: "%(data)s/labels" classes: 4 limit: 100 } }
preprocess { normalize { mean: 0.4 deviation: 0.3 } }
loss { input: "f" target: "label" softmax_cross_entropy {} }
metric { input: "f" target: "label" accuracy {} }
evaluate { batch: 32 }
"""
CONVOLUTION = HEAD + """
augment { affine { rotate: 10 translate: 1 } }
layer { name: "c" input: "image" convolution { filters: 4 kernel: 3 padding: 1 } }
layer { name: "r" relu {} }
layer { name: "p" max_pool { kernel: 2 } }
layer { name: "h" dense { units: 16 } }
layer { name: "t" tanh {} }
layer { name: "f" dense { units: 4 } }
optimizer { sgd { rate: 0.05 momentum: 0.9 weight_decay: 0.001 } }
schedule { field: "rate" cosine {} }
outer_optimizer { sgd { rate: 0.9 momentum: 0.5 nesterov: true } }
train { shards: 4 local_steps: 10 batch: 8 epochs: 3 }
"""
NORMALISED = HEAD + """
layer { name: "flat" input: "image" flatten {} }
layer { name: "h" dense { units: 24 } }
layer { name: "b" batch_norm {} }
layer { name: "r" relu {} }
layer { name: "d" dropout { rate: 0.2 } }
layer { name: "f" dense { units: 4 } }
optimizer { adam { rate: 0.01 } }
train { shards: 5 local_steps: 10 batch: 8 epochs: 3 }
"""
GRADIENTS = CONVOLUTION.replace("local_steps: 10", "local_steps: 1 sync: gradients").replace(
    "outer_optimizer { sgd { rate: 0.9 momentum: 0.5 nesterov: true } }", "")


def run(folder, job, name, ranks=0, threads=1, words=(), launcher=None, check=True):
    """Trains; returns (summary or None, finished process). ranks 0: without mpirun."""
    file = f"{folder}/{name}.txtpb"
    with open(file, "w") as out:
        out.write(job % {"data": folder})
    run_dir = f"{folder}/{name}-{ranks}-{threads}-{len(os.listdir(folder))}"
    command = list(launcher or (["mpirun", "-n", str(ranks)] if ranks else []))
    command += ["plait", "run", file, "--run-dir", run_dir, "--threads", str(threads), "--progress", "plain", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100)
    if check and done.returncode != 0:
        raise SystemExit(f"{' '.join(command)}: status {done.returncode}\n{done.stdout}{done.stderr}")
    try:
        with open(f"{run_dir}/summary.json") as file:
            return {**json.load(file), "folder": run_dir}, done
    except OSError:
        return None, done
