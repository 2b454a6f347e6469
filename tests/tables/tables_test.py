"""The sources npy and csv through the program: the same pixels from IDX files, arrays and tables train the same weights."""
import json
import os
import pathlib
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "distributed"))
import jobs  # noqa: E402

LIMIT_S = 100
HEIGHT, WIDTH, RECORDS = 6, 5, 320
JOB = """
source {{ {source} }}
test {{ {test} }}
validation {{ fraction: 0.2 }}
preprocess {{ normalize {{ part: "image" mean: 0.4 deviation: 0.3 }} }}
layer {{ name: "flat" input: "image" flatten {{}} }}
layer {{ name: "f" dense {{ units: 4 }} }}
loss {{ input: "f" target: "label" softmax_cross_entropy {{}} }}
metric {{ input: "f" target: "label" accuracy {{}} }}
optimizer {{ sgd {{ rate: 0.1 }} }}
train {{ shards: 2 local_steps: 5 batch: 8 epochs: 4 }}
"""
LINE = """
source {{ {source} }}
layer {{ name: "f" input: "x" dense {{ units: 1 }} }}
loss {{ input: "f" target: "target" mean_squared {{}} }}
optimizer {{ sgd {{ rate: 0.1 }} }}
train {{ shards: 2 local_steps: 5 batch: 8 epochs: 40 }}
"""


def npy(path, descr, shape, data):
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape!r}, }}".encode()
    header += b" " * (63 - (10 + len(header)) % 64) + b"\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + data)


class TablesTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        jobs.write_digits(self.folder, records=RECORDS, height=HEIGHT, width=WIDTH)
        pixels = (self.folder / "images").read_bytes()[16:]
        labels = (self.folder / "labels").read_bytes()[8:]
        npy(self.folder / "x.npy", "|u1", (RECORDS, HEIGHT, WIDTH), pixels)
        npy(self.folder / "y.npy", "<i8", (RECORDS,), struct.pack(f"<{RECORDS}q", *labels))
        size = HEIGHT * WIDTH
        rows = [",".join(map(str, (f'"class {label}"', *pixels[size * i:size * i + size]))) for i, label in enumerate(labels)]
        self.heading = ",".join(["kind"] + [f"p{i}" for i in range(size)])
        (self.folder / "t.csv").write_text("\r\n".join([self.heading, *rows]))

    def plait(self, *words, status=0, ranks=1):
        before = ["mpirun", "--oversubscribe", "-n", str(ranks)] if ranks > 1 else []
        done = subprocess.run([*before, "plait", *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=LIMIT_S)
        self.assertEqual(done.returncode, status, done.stdout)
        return done.stdout

    def train(self, job, run, **how):
        path = self.folder / f"{run}.txtpb"
        path.write_text(job)
        self.plait("run", path, "--run-dir", self.folder / run, "--progress", "plain", "--threads", 1, **how)
        return json.loads((self.folder / run / "summary.json").read_text())

    def sources(self):
        shape = f'part: "image" shape: [{HEIGHT}, {WIDTH}, 1]'
        classes = ", ".join(f'"class {i}"' for i in range(4))
        return {
            "idx": f'idx {{ images: "{self.folder}/images" labels: "{self.folder}/labels" classes: 4 %s }}',
            "npy": f'npy {{ inputs: "{self.folder}/x.npy" labels: "{self.folder}/y.npy" {shape} %s }}',
            "csv": f'csv {{ file: "{self.folder}/t.csv" label: "kind" classes: [{classes}] {shape} %s }}',
        }

    def test_the_same_numbers_train_the_same_weights(self):
        ranks = 2 if shutil.which("mpirun") else 1
        wanted = None
        for name, source in self.sources().items():
            found = self.train(JOB.format(source=source % "", test=source % "first: 20 limit: 100"), name, ranks=ranks)
            got = (found["weights_sha256"], found["test"], found["validation"])
            wanted = wanted or got
            self.assertEqual(got, wanted, name)
        self.assertGreater(wanted[1]["accuracy"], 0.9)
        self.plait("evaluate", self.folder / "csv", "--on", "test")
        self.plait("predict", self.folder / "csv", "--in", "test", "--out", self.folder / "p.csv")
        self.assertIn("class 3", (self.folder / "p.csv").read_text().splitlines()[0])

    def test_targets_of_a_line_are_learnt(self):
        draw = random.Random(3)
        rows = [[draw.uniform(-1, 1) for _ in range(2)] for _ in range(400)]
        y = [2 * a - b + 0.5 for a, b in rows]
        (self.folder / "line.tsv").write_text("a\tb\ty\n" + "".join(f"{a!r}\t{b!r}\t{t!r}\n" for (a, b), t in zip(rows, y)))
        npy(self.folder / "a.npy", "<f8", (400, 2), struct.pack("<800d", *(v for row in rows for v in row)))
        npy(self.folder / "b.npy", "<f8", (400, 1), struct.pack("<400d", *y))
        csv = self.train(LINE.format(source=f'csv {{ file: "{self.folder}/line.tsv" separator: tab targets: "y" }}'), "line_csv")
        arrays = self.train(
            LINE.format(source=f'npy {{ inputs: "{self.folder}/a.npy" targets: "{self.folder}/b.npy" }}'), "line_npy")
        self.assertLess(csv["loss"], 1e-6)
        self.assertEqual(csv["weights_sha256"], arrays["weights_sha256"])

    def test_what_is_wrong_is_told_before_the_first_step(self):
        source = self.sources()["csv"] % ""
        text = (self.folder / "t.csv").read_text().split("\n")
        text[6] = text[6].replace('"class', '"klass')
        (self.folder / "t.csv").write_text("\n".join(text))
        (self.folder / "job.txtpb").write_text(JOB.format(source=source, test=source))
        said = self.plait("run", self.folder / "job.txtpb", "--run-dir", self.folder / "none", status=1)
        self.assertIn("t.csv:7:1: field 1 (\"kind\") is \"klass", said)
        self.assertFalse((self.folder / "none").exists())
        source = self.sources()["npy"] % ""
        (self.folder / "x.npy").write_bytes((self.folder / "x.npy").read_bytes()[:-1])
        (self.folder / "job.txtpb").write_text(JOB.format(source=source, test=source))
        said = self.plait("check", self.folder / "job.txtpb", status=1)
        self.assertIn("x.npy: has 9727 bytes, wanted 9728 for shape [320, 6, 5] of u8", said)


if __name__ == "__main__":
    unittest.main()
