"""Metrics that name a value a class and keep rows, in jobs: names, the same bits on any ranks, and figures by hand."""
import csv
import json
import os
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../distributed"))
import jobs  # noqa: E402

JOB = """
source { csv { file: "%(data)s/t.csv" label: "kind" classes: "ash" classes: "oak/elm" classes: "yew" } }
validation { fraction: 0.2 }
test { csv { file: "%(data)s/t.csv" label: "kind" classes: "ash" classes: "oak/elm" classes: "yew" limit: 70 } }
layer { name: "f" dense { units: 3 } }
loss { softmax_cross_entropy {} }
metric { class_accuracy {} }
metric { auc {} }
metric { name: "given" auc { scores: "given" } }
optimizer { sgd { rate: 0.1 } }
evaluate { batch: 16 monitor: "class_accuracy.oak_elm" }
train { shards: 3 local_steps: 2 batch: 4 epochs: 2 }
"""
CLASSES = ["ash", "oak_elm", "yew"]
NAMES = [f"{metric}{ending}" for metric in ("class_accuracy", "auc", "given")
         for ending in [""] + [f".{name}" for name in CLASSES]] + ["loss"]


def by_pairs(scores, labels, positive):
    pairs = right = 0
    for score, label in zip(scores, labels):
        for other, its_label in zip(scores, labels):
            if label == positive and its_label != positive:
                pairs += 1
                right += 1 if score > other else 0.5 if score == other else 0
    return right / pairs


class ClassMetrics(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.holder = tempfile.TemporaryDirectory()
        cls.folder = cls.holder.name
        state, cls.labels = 9, []
        with open(f"{cls.folder}/t.csv", "w") as file:
            file.write("a,b,kind\n")
            for record in range(150):
                state = (state * 1664525 + 1013904223) % 2**32
                kind = record * 7 % 3 if record % 5 else 0  # the first class is the largest
                cls.labels.append(kind)
                noise = (state >> 20) / 4096
                file.write(f"{kind - 1 + 2 * noise:.3f},{kind * kind / 3 - noise:.3f},"
                           f"{['ash', 'oak/elm', 'yew'][kind]}\n")

    @classmethod
    def tearDownClass(cls):
        cls.holder.cleanup()

    def test_names_and_figures_are_the_same_everywhere(self):
        first, _ = jobs.run(self.folder, JOB, "j")
        self.assertEqual(list(first["test"]), NAMES)
        for ranks, threads in [(0, 2), (2, 1), (3, 2)]:
            got, _ = jobs.run(self.folder, JOB, "j", ranks, threads)
            self.assertEqual(got["test"], first["test"])
        with open(f"{first['folder']}/metrics.jsonl") as file:
            evaluations = [line for line in map(json.loads, file) if "values" in line]
        self.assertTrue(evaluations)
        for line in evaluations:
            self.assertEqual(list(line["values"]), NAMES)
        checked = subprocess.run(["plait", "check", f"{self.folder}/j.txtpb"], capture_output=True, text=True)
        self.assertEqual(checked.returncode, 0, checked.stderr)
        self.assertIn(f"reported: {', '.join(NAMES)}; best weights by class_accuracy.oak_elm\n", checked.stdout)
        self.assertIn("rows of metrics: at most 1024 MiB an evaluation", checked.stdout)
        self.figures(first)

    def figures(self, summary):
        """Against what predict says of the same records."""
        out = f"{self.folder}/p.csv"
        subprocess.run(["plait", "predict", summary["folder"], "--in", "test", "--out", out], check=True,
                       capture_output=True)
        with open(out) as file:
            rows = list(csv.reader(file))
        scores = [[float(x) for x in row[-3:]] for row in rows[1:]]
        labels = self.labels[:70]
        self.assertEqual(len(scores), 70)
        test = summary["test"]
        for number, name in enumerate(CLASSES):
            mine = [score for score, label in zip(scores, labels) if label == number]
            found = sum(score.index(max(score)) == number for score in mine) / len(mine)
            self.assertAlmostEqual(test[f"class_accuracy.{name}"], found, delta=1e-9)
            area = by_pairs([score[number] for score in scores], labels, number)
            self.assertAlmostEqual(test[f"given.{name}"], area, delta=1e-9)
        for metric in ("class_accuracy", "auc", "given"):
            mean = sum(test[f"{metric}.{name}"] for name in CLASSES) / 3
            self.assertAlmostEqual(test[metric], mean, delta=1e-9)

    def test_a_monitor_of_no_class_is_refused_at_its_place(self):
        path = f"{self.folder}/m.txtpb"
        with open(path, "w") as file:
            file.write(JOB.replace("oak_elm", "oak_alm") % {"data": self.folder})
        line = 1 + JOB.split("monitor")[0].count("\n")
        done = subprocess.run(["plait", "check", path], capture_output=True, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"m.txtpb:{line}:", done.stderr)
        self.assertIn('nothing is reported as "class_accuracy.oak_alm"', done.stderr)
        self.assertIn('did you mean "class_accuracy.oak_elm"?', done.stderr)


if __name__ == "__main__":
    unittest.main()
