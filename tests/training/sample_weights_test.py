"""Weights of samples, losses of several predictions, and mixed labels, in jobs whose outcome is known."""
import json
import os
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../distributed"))
import jobs  # noqa: E402

# Two heaps of points; `target` holds the weight of a record.
POINTS = """
source { csv { file: "%(data)s/train.csv" inputs: ["a", "b"] label: "class" class_count: 2 targets: ["w"] } }
test { csv { file: "%(data)s/test.csv" inputs: ["a", "b"] label: "class" class_count: 2 targets: ["w"] } }
layer { name: "f" input: "x" dense { units: 2 } }
metric { input: "f" target: "label" accuracy {} }
optimizer { sgd { rate: 0.1 } }
train { shards: 4 local_steps: 2 batch: 8 epochs: 8 }
"""
CLASSES = 'loss { input: "f" target: "label" %s softmax_cross_entropy {} }\n'
NUMBERS = """
layer { name: "g" input: "x" dense { units: 1 } }
loss { input: "g" target: "target" %s mean_squared {} }
"""
# Twelve numbers are a triplet of four.
TRIPLETS = """
source { csv { file: "%(data)s/triplets.csv" } }
test { csv { file: "%(data)s/triplets.csv" } }
layer { name: "cut" input: "x" split { channels: 4 } }
layer { name: "cut2" input: "cut:1" split { channels: 4 } }
layer { name: "anchor" input: "cut" dense { units: 3 } }
layer { name: "positive" input: "cut2" shares: "anchor" dense { units: 3 } }
layer { name: "negative" input: "cut2:1" shares: "anchor" dense { units: 3 } }
loss { input: "anchor" input: "positive" input: "negative" triplet { margin: 10 } }
optimizer { sgd { rate: 0.02 } }
train { shards: 3 local_steps: 4 batch: 8 epochs: 20 }
"""


def point(i, right=True):
    """A point of a heap, and its class or the other one."""
    heap = i % 2
    x, y = 4 * heap - 2 + (i * 37 % 11) / 11, (i * 53 % 13) / 13
    return f"{x},{y},{heap if right else 1 - heap}"


class SampleWeights(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = temporary.name

    def write(self, name, lines):
        with open(f"{self.folder}/{name}", "w") as out:
            out.write("\n".join(lines) + "\n")

    def points(self, weight, wrong=lambda i: False, test=range(40)):
        heading = "a,b,class,w"
        self.write("train.csv", [heading] + [f"{point(i, not wrong(i))},{weight(i)}" for i in range(160)])
        self.write("test.csv", [heading] + [f"{point(i, not wrong(i))},{weight(i)}" for i in test])

    def run_job(self, text, name, **more):
        return jobs.run(self.folder, text, name, **more)

    def check(self, text, *words):
        path = f"{self.folder}/checked.txtpb"
        with open(path, "w") as out:
            out.write(text % {"data": self.folder})
        return subprocess.run(["plait", "check", path, *words], capture_output=True, text=True)

    def test_weights_of_1_are_as_none(self):
        self.points(lambda i: 1)
        weighted = 'weights: "target"'
        for loss in (CLASSES, NUMBERS):
            none, _ = self.run_job(POINTS + loss % "", "none")
            ones, _ = self.run_job(POINTS + loss % weighted, "ones")
            self.assertEqual(ones["weights_sha256"], none["weights_sha256"])
            self.assertAlmostEqual(ones["test"]["loss"], none["test"]["loss"], places=12)

    def test_wrong_labels_of_no_weight_teach_nothing(self):
        wrong = lambda i: i % 4 < 2  # noqa: E731
        self.points(lambda i: 0 if wrong(i) else 2.5, wrong)
        digests = set()
        for ranks, threads in ((0, 1), (2, 1), (3, 2)):
            summary, _ = self.run_job(POINTS + CLASSES % 'weights: "target"', "wrong", ranks=ranks, threads=threads)
            self.assertEqual(summary["test"]["accuracy"], 0.5)  # of all records, half of which say the other class
            self.assertLess(summary["test"]["loss"], 0.1)       # of those that have a weight
            digests.add(summary["weights_sha256"])
        self.assertEqual(len(digests), 1)
        summary, _ = self.run_job(POINTS + CLASSES % "", "deceived")
        self.assertGreater(summary["test"]["loss"], 0.5)

    def test_an_evaluation_leaves_records_of_no_weight_out(self):
        wrong = lambda i: i % 4 < 2  # noqa: E731
        job = POINTS + CLASSES % 'weights: "target"' + "evaluate { batch: 7 }\n"
        self.points(lambda i: 0 if wrong(i) else 1 + i % 3, wrong)
        whole, _ = self.run_job(job, "whole")
        self.points(lambda i: 0 if wrong(i) else 1 + i % 3, wrong, test=[i for i in range(40) if not wrong(i)])
        left, _ = self.run_job(job, "left")
        self.assertEqual(left["weights_sha256"], whole["weights_sha256"])
        self.assertAlmostEqual(left["test"]["loss"], whole["test"]["loss"], places=10)

    def test_weights_that_are_none(self):
        self.points(lambda i: -1 if i == 77 else 1)
        _, done = self.run_job(POINTS + CLASSES % 'weights: "target"', "bad", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("record 77 (place ", done.stderr)
        self.assertIn("part \"target\", element 0, is -1; loss \"softmax_cross_entropy\"", done.stderr)
        self.assertIn("wants a weight, finite and not negative", done.stderr)
        self.points(lambda i: 0)
        _, done = self.run_job(POINTS + CLASSES % 'weights: "target"', "zeros", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("weights of the records that are evaluated sum to", done.stderr)

    def test_what_is_refused(self):
        self.points(lambda i: 1)
        for change, told in (
                ((CLASSES % 'weights: "labels"'), "has its weights in \"labels\", which is no part of the samples"),
                ((CLASSES % 'weights: "f"'), "has its weights in \"f\", which is no part of the samples"),
                ((CLASSES % 'weights: "x"'), "its weights are part \"x\" [8, 2] f32, wanted one number for each sample"),
                ((CLASSES % 'target: "target"'), "loss \"softmax_cross_entropy\" wants 1 target, got 2"),
                ('loss { input: "f" input: "f" triplet {} }\n',
                 "loss \"triplet\" wants 3 predictions (anchor, positive, negative), got 2"),
                ('loss { input: "f" input: "f" input: "f" target: "label" triplet {} }\n',
                 "loss \"triplet\" wants 0 targets, got 1")):
            done = self.check(POINTS + change)
            self.assertEqual(done.returncode, 1, change)
            self.assertIn(told, done.stderr)

    def test_triplets(self):
        self.write("triplets.csv", [",".join(f"t{i}" for i in range(12))] + [self.triplet(i) for i in range(90)])
        digests, losses = set(), set()
        for ranks in (0, 2, 3):
            summary, _ = self.run_job(TRIPLETS, "triplets", ranks=ranks)
            digests.add(summary["weights_sha256"])
            losses.add(summary["test"]["loss"])
        self.assertEqual((len(digests), len(losses)), (1, 1))
        before, _ = self.run_job(TRIPLETS.replace("epochs: 20", "steps: 1 "), "once")
        self.assertLess(losses.pop(), 0.5 * before["test"]["loss"])

    @staticmethod
    def triplet(i):
        """An anchor and its positive have the same first number, the negative the other; the rest says nothing."""
        kind, noise = i % 2 * 2 - 1, lambda k: (i * 31 + k * 17) % 23 / 23 - 0.5
        rows = [[first, noise(1 + 4 * part), noise(2 + 4 * part), noise(3 + 4 * part)]
                for part, first in enumerate((kind, kind, -kind))]
        return ",".join(str(x) for row in rows for x in row)


class Mixup(unittest.TestCase):
    JOB = """
source { idx { images: "%(data)s/images" labels: "%(data)s/labels" classes: 4 } }
validation { fraction: 0.2 }
test { idx { images: "%(data)s/images" labels: "%(data)s/labels" classes: 4 limit: 100 } }
augment { mixup { classes: 4 alpha: 0.4 } }
preprocess { normalize { mean: 0.4 deviation: 0.3 } }
layer { name: "h" input: "image" dense { units: 24 } }
layer { name: "r" relu {} }
layer { name: "f" dense { units: 4 } }
loss { input: "f" target: "label" softmax_cross_entropy {} }
metric { input: "f" target: "label" accuracy {} }
metric { input: "f" target: "label" class_accuracy {} }
optimizer { sgd { rate: 0.05 momentum: 0.9 } }
train { shards: 4 local_steps: 5 batch: 8 epochs: 4 }
"""

    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = temporary.name
        jobs.write_digits(self.folder)

    def check(self, text):
        path = f"{self.folder}/checked.txtpb"
        with open(path, "w") as out:
            out.write(text % {"data": self.folder})
        return subprocess.run(["plait", "check", path], capture_output=True, text=True)

    def test_trains_on_mixtures_and_is_measured_on_labels(self):
        digests = set()
        for ranks, threads in ((0, 1), (2, 2), (3, 1)):
            summary, _ = jobs.run(self.folder, self.JOB, "mixed", ranks, threads)
            self.assertGreater(summary["test"]["accuracy"], 0.95)
            self.assertIn("class_accuracy.0", summary["test"])
            digests.add(summary["weights_sha256"])
        self.assertEqual(len(digests), 1)
        plain, _ = jobs.run(self.folder, self.JOB.replace("augment { mixup { classes: 4 alpha: 0.4 } }", ""), "plain")
        self.assertNotIn(plain["weights_sha256"], digests)
        with open(f"{summary['folder']}/metrics.jsonl") as file:
            rounds = [json.loads(line) for line in file]
        # A mixture cannot be told apart for certain: what is trained on stays above what is measured.
        last = [line["loss"] for line in rounds if "loss" in line and "round" in line][-5:]
        self.assertGreater(sum(last) / len(last), summary["test"]["loss"])

    def test_check_takes_both_and_says_what_does_not_fit(self):
        done = self.check(self.JOB)
        self.assertEqual(done.returncode, 0, done.stderr)
        done = self.check(self.JOB.replace("classes: 4 alpha", "classes: 3 alpha"))
        self.assertEqual(done.returncode, 1)
        self.assertIn("target is f32[8, 3], wanted one class number per position: [8]", done.stderr)
        # Where all records go through it, the metrics have no label left.
        done = self.check(self.JOB.replace("augment {", "preprocess {"))
        self.assertEqual(done.returncode, 1)

    def test_shapes_that_augment_changes(self):
        """A network that takes pictures of any size trains on parts of them, and is measured on the whole; the weights
        of another have to fit both."""
        crop = self.JOB.replace("mixup { classes: 4 alpha: 0.4 }", "crop { size: 8 }")
        done = self.check(crop)
        self.assertEqual(done.returncode, 1)
        self.assertIn("h.weight is [24, 64] for training records (image [8, 8, 1] f32", done.stderr)
        self.assertIn("what is written in augment is for the first alone", done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
