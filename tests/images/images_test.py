"""Pictures in folders, through the program: ResNet-20 on a few of them, and what becomes of files that are no pictures."""
import json
import os
import pathlib
import re
import shutil
import struct
import subprocess
import tempfile
import unittest
import zlib

from pictures import jpeg, png

SOURCE = pathlib.Path(os.environ["PLAIT_SOURCE_DIR"])
JOB = """
source {{ image_folder {{ folder: "{folder}" {fields} }} }}
layer {{ name: "flat" input: "image" flatten {{}} }}
layer {{ name: "out" dense {{ units: 2 }} }}
loss {{ softmax_cross_entropy {{}} }}
optimizer {{ sgd {{ rate: 0.001 }} }}
train {{ shards: 1 batch: 2 epochs: 2 }}
"""
DAMAGED = {
    "cut.jpg": jpeg(32, 32, 90)[:-6],
    "cut.png": png(32, 32, [1, 2, 3])[:-30],
    "text.jpg": b"this is a text\n",
    "nothing.png": b"",
    "no_sum.png": png(8, 8, [7]).replace(b"IEND", b"IENE"),
    "bomb.png": png(1, 1, [0])[:16] + png(20000, 20000, [0])[16:33],
}
GOOD = {
    "deep.png": png(8, 8, [50, 60, 70], bits=16),
    "interlaced.png": png(8, 8, [50, 60, 70], interlaced=True),
    "grey.jpg": jpeg(8, 8, 200),
}


class ImagesTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)

    def write(self, pictures):
        for name, content in pictures.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

    def plait(self, *words, status=0, ranks=1):
        mpi = ["mpirun", "--oversubscribe", "-n", str(ranks)] if ranks > 1 else []
        done = subprocess.run([*mpi, "plait", *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=200)
        self.assertEqual(done.returncode, status, done.stdout)
        return done.stdout

    def run_job(self, folder, fields="", status=0, command="run"):
        job = self.folder / "job.txtpb"
        job.write_text(JOB.format(folder=self.folder / folder, fields=fields))
        more = ["--run-dir", self.folder / "run", "--progress", "plain"] if command == "run" else []
        return self.plait(command, job, *more, status=status)

    def summary(self, run="run"):
        return json.loads((self.folder / run / "summary.json").read_text())

    def test_resnet_of_pictures_has_the_same_bits_on_two_ranks(self):
        for kind in "train", "test":
            for label in range(10):
                shade = 20 + 20 * label
                self.write({f"{kind}/class{label}/{n}.jpg": jpeg(32, 32, shade + n) for n in range(2)})
                self.write({f"{kind}/class{label}/{n}.png": png(32, 32, [shade, 255 - shade, n]) for n in range(2)})
        hashes = set()
        for ranks in 1, 2:
            self.plait("run", SOURCE / "pipelines/resnet20_cifar10.txtpb", "--var", "source=images", "--var", f"data={self.folder}",
                       "--var", "shards=2", "--var", "batch=4", "--var", "lanes=1", "--run-dir", self.folder / f"run{ranks}",
                       "--progress", "none", ranks=ranks)
            summary = self.summary(f"run{ranks}")
            self.assertEqual(summary["skipped_records"], 0)
            self.assertIn("accuracy", summary["test"])
            hashes.add(summary["weights_sha256"])
        self.assertEqual(len(hashes), 1)
        classes = json.loads((self.folder / "run1/input.json").read_text())
        self.assertIn("class9", json.dumps(classes))

    def test_damaged_pictures_are_counted(self):
        self.write({f"data/a/{name}": content for name, content in {**DAMAGED, **GOOD}.items()})
        self.write({f"data/b/{name}": content for name, content in GOOD.items()})
        said = self.run_job("data", "size: 8")
        for name in GOOD:
            self.assertNotIn(name, said)
        self.assertEqual(self.summary()["skipped_records"], 2 * len(DAMAGED))  # epochs

    def test_each_damaged_picture_is_told(self):
        for name, content in DAMAGED.items():
            with self.subTest(name):
                self.write({f"{name}/a/{other}": picture for other, picture in GOOD.items()})
                self.write({f"{name}/b/{name}": content, f"{name}/b/good.png": GOOD["deep.png"]})
                said = self.run_job(name, "size: 8")
                self.assertRegex(said, rf"b/{name}: (has|begins|damaged) ")
                self.assertEqual(self.summary()["skipped_records"], 2)
                shutil.rmtree(self.folder / "run")

    def test_nothing_but_damage_is_an_error(self):
        self.write({f"data/a/{name}": content for name, content in DAMAGED.items()})
        said = self.run_job("data", "size: 8", status=1)
        self.assertIn("that were drawn in its place are bad", said)

    def test_another_size_ends_the_job(self):
        self.write({"data/a/1.png": png(8, 8, [9]), "data/b/2.png": png(9, 8, [9])})
        self.assertIn("b/2.png: has 9 x 8 pixels, wanted 8 x 8", self.run_job("data", status=1))
        shutil.rmtree(self.folder / "run", ignore_errors=True)
        self.run_job("data", "size: 8 fit: stretch")

    def read_png(self, name):
        """Height, width and rows of a PNG of eight bits without interlacing."""
        data, at, packed = (self.folder / name).read_bytes(), 8, b""
        while at < len(data):
            size, kind = struct.unpack(">I4s", data[at:at + 8])
            content = data[at + 8:at + 8 + size]
            if kind == b"IHDR":
                width, height, _, colour = struct.unpack(">IIBB", content[:10])
            packed += content if kind == b"IDAT" else b""
            at += 12 + size
        bytes_each, flat, rows = 3 if colour == 2 else 1, zlib.decompress(packed), []
        size = width * bytes_each
        for y in range(height):
            row, kind = bytearray(flat[y * (size + 1) + 1:(y + 1) * (size + 1)]), flat[y * (size + 1)]
            for x in range(size):
                left = row[x - bytes_each] if x >= bytes_each else 0
                up = rows[-1][x] if rows else 0
                corner = rows[-1][x - bytes_each] if rows and x >= bytes_each else 0
                paeth = min((left, up, corner), key=lambda near: abs(left + up - corner - near))
                row[x] = (row[x] + [0, left, up, (left + up) // 2, paeth][kind]) % 256
            rows.append(bytes(row))
        return height, width, rows

    def test_augmented_samples_are_drawn_and_one_is_drawn_again(self):
        self.write({f"data/{name}/{n}.png": png(8, 8, [20 * n, 30, 255 - n]) for name in ("cat", "dog") for n in range(5)})
        job = self.folder / "job.txtpb"
        text = JOB.format(folder=self.folder / "data", fields="")
        job.write_text(text.replace("layer", "augment { cutout { } } augment { brightness { } }\nlayer", 1))
        said = self.plait("augment", job, "--samples", 4, "--epoch", 1, "--scale", 1, "--out", self.folder / "grid.png")
        self.assertRegex(said, r"  0  plait.image_folder .*: image \[8, 8, 3\] u8, label \[\] i32\n  1  plait.cutout ")
        self.assertEqual(len(found := re.findall(r"record (\d+), epoch 1, place (\d+): label (\d) \((cat|dog)\)", said)), 4)
        height, width, rows = self.read_png("grid.png")
        self.assertEqual((height, width), (4 * 9 - 1, 3 * 9 - 1))
        for n, (record, place, label, name) in enumerate(found):
            self.assertEqual(place, str(n))
            self.assertEqual(rows[9 * n][:3], bytes([20 * (int(record) % 5), 30, 255 - int(record) % 5]))
            self.assertEqual(name, ["cat", "dog"][int(label)])
            said = self.plait("augment", job, "--replay", f"{record},1", "--scale", 1, "--out", self.folder / "one.png")
            self.assertIn(f"record {record}, epoch 1, place {n}", said)
            self.assertEqual(self.read_png("one.png")[2], rows[9 * n:9 * n + 8])
        self.plait("augment", job, "--samples", 4, "--epoch", 2, "--scale", 1, "--out", self.folder / "other.png")
        self.assertNotEqual(self.read_png("other.png")[2], rows)

    def test_what_cannot_be_drawn_is_told_and_nothing_written(self):
        self.write({f"data/{name}/1.png": png(8, 8, [9]) for name in "ab"})
        job, out = self.folder / "job.txtpb", self.folder / "x.png"
        job.write_text(JOB.format(folder=self.folder / "data", fields=""))
        for words, status, wanted in (
                (["--replay", "2,0", "--out", out], 1, "got record 2, wanted 0 to 1"),
                (["--replay", "x", "--out", out], 2, '--replay: got "x", wanted RECORD,EPOCH'),
                (["--replay", "0,0", "--epoch", 3], 2, "--replay says record and epoch"),
                (["--part", "label", "--out", out], 1, 'part "label" is no picture behind every step'),
                (["--scale", 2], 2, "--out is missing"),
                (["--out", self.folder / "x.gif"], 1, "wanted a name that ends in one of .csv"),
                (["--out", self.folder / "x.csv"], 1, "a table cannot hold an array of more than two axes"),
                (["--out", job], 2, "would be written over the pipeline file"),
                (["--out", self.folder / "data/a/1.png", "--samples", 0], 2, "wanted a whole number from 1"),
                (["--samples", 2, "--out", self.folder / "none/x.png"], 1, "none/x.png")):
            with self.subTest(words):
                self.assertIn(wanted, self.plait("augment", job, *words, status=status))
                self.assertFalse(out.exists())

    def test_classes_of_the_test_are_those_of_training(self):
        for kind, names in {"train": "ab", "fewer": "a", "other": "ac", "more": "abc"}.items():
            self.write({f"{kind}/{name}/1.png": png(8, 8, [9]) for name in names})
        job = JOB.format(folder=self.folder / "train", fields="")
        for kind, said in {"fewer": "", "other": 'label 1 of the test records is class "c", of the training records "b"',
                           "more": 'label 2 of the test records is class "c", of the training records none'}.items():
            (self.folder / "job.txtpb").write_text(job + f'test {{ image_folder {{ folder: "{self.folder / kind}" }} }}')
            self.assertIn(said, self.plait("check", self.folder / "job.txtpb", status=1 if said else 0))

    def test_what_is_no_set_of_pictures_is_told_by_check(self):
        self.write({"data/a/1.png": png(8, 8, [9]), "data/b/notes.txt": b"none"})
        self.assertIn("b has no picture", self.run_job("data", status=1, command="check"))
        self.assertIn("has no folder, wanted one for each class", self.run_job("data/a/../b", status=1, command="check"))
        self.assertIn("none cannot be opened", self.run_job("none", status=1, command="check"))


unittest.main()
