"""Optimizers, schedules, losses, penalties and metrics in jobs: they train, on any ranks to the same bits, and say what is wrong."""
import csv
import os
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../distributed"))
import jobs  # noqa: E402

# Two heaps of points; `same` is the class as a number.
POINTS = """
source { csv { file: "%(data)s/points.csv" inputs: ["a", "b"] label: "class" class_count: 2 targets: ["same"] } }
test { csv { file: "%(data)s/points.csv" inputs: ["a", "b"] label: "class" class_count: 2 targets: ["same"] } }
layer { name: "f" input: "x" dense { units: 2 } }
"""
TRAIN = "train { shards: 3 local_steps: 2 batch: 8 epochs: 6 }\n"
CLASSES = 'loss { input: "f" target: "label" softmax_cross_entropy {} }\nmetric { input: "f" target: "label" accuracy {} }\n'
SGD = "optimizer { sgd { rate: 0.1 momentum: 0.5 } }\n"

OPTIMIZERS = [
    "adam { rate: 0.05 weight_decay: 0.01 }", "adamw { rate: 0.05 }", "amsgrad { rate: 0.05 }", "adamax { rate: 0.1 }",
    "nadam { rate: 0.05 }", "radam { rate: 0.1 }", "adagrad { rate: 0.3 initial: 0.1 }", "adadelta { rate: 5 epsilon: 0.001 }",
    "rmsprop { rate: 0.05 alpha: 0.9 }", "rmsprop { rate: 0.02 alpha: 0.9 momentum: 0.5 centered: true }",
    "lamb { rate: 0.1 }", "lion { rate: 0.02 weight_decay: 0.1 }", "sgd { rate: 0.2 momentum: 0.9 dampening: 0.5 }",
]
SCHEDULES = [
    "constant { factor: 0.5 epochs: 2 }", "multistep { factor: 0.5 at: 2 at: 4 }", "exponential { factor: 0.9 }",
    "polynomial { power: 2 }", "one_cycle {}", "cosine { restart_every: 2 restart_growth: 2 }",
    "warm_up { epochs: 2 then { polynomial {} } }", "warm_up { epochs: 1 then { reduce_on_plateau { patience: 1 } } }", "warm_up {}",
]
LOSSES = [
    'loss { input: "f" target: "label" softmax_cross_entropy { label_smoothing: 0.1 class_weights: [1, 2] ignore: 7 } }',
    'loss { input: "f" target: "label" hinge { squared: true } }',
    'layer { name: "g" input: "f" dense { units: 1 } } loss { input: "g" target: "target" binary_cross_entropy { positive_weight: 2 } }',
    'layer { name: "g" input: "f" dense { units: 1 } } loss { input: "g" target: "target" focal { alpha: 0.5 } }',
    'layer { name: "g" input: "f" dense { units: 1 } } loss { input: "g" target: "target" huber {} }',
    'layer { name: "g" input: "f" dense { units: 1 } } loss { input: "g" target: "target" l1 {} }',
    CLASSES + 'loss { input: "f" l1 {} weight: 0.01 } loss { input: "f" l2 {} weight: 0.01 }',
    CLASSES + 'layer { name: "s" input: "f" sigmoid {} } loss { input: "s" activation_sparsity { mean: 0.25 } weight: 0.1 }',
    'layer { name: "g" input: "x" shares: "f" dense { units: 2 } } layer { name: "h" input: "g" dense { units: 2 } }'
    ' loss { input: "f" input: "h" target: "target" contrastive { margin: 2 } }',
]
METRICS = """
metric { input: "f" target: "label" precision {} }
metric { input: "f" target: "label" recall {} }
metric { input: "f" target: "label" confusion_matrix {} }
metric { input: "f" target: "label" auc { curve: precision_recall } }
layer { name: "g" input: "f" dense { units: 1 } }
loss { input: "g" target: "target" mean_squared {} }
metric { input: "g" target: "target" mean_absolute_error {} }
metric { input: "g" target: "target" r2 {} }
"""


class Catalogue(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = temporary.name
        with open(f"{self.folder}/points.csv", "w", newline="") as file:
            out = csv.writer(file)
            out.writerow(["a", "b", "class", "same"])
            for i in range(150):
                heap = i % 2
                out.writerow([4 * heap - 2 + (i * 37 % 11) / 11, (i * 53 % 13) / 13, heap, heap])

    def run_on_ranks(self, job, name):
        """The summary, which is the same on two ranks of two threads."""
        alone, _ = jobs.run(self.folder, job, name)
        several, _ = jobs.run(self.folder, job, name, 2, 2)
        self.assertEqual(alone["weights_sha256"], several["weights_sha256"], job)
        self.assertEqual(alone["test"], several["test"], job)
        return alone

    def test_optimizers(self):
        seen = set()
        for number, optimizer in enumerate(OPTIMIZERS):
            summary = self.run_on_ranks(POINTS + CLASSES + f"optimizer {{ {optimizer} }}\n" + TRAIN, f"o{number}")
            self.assertGreaterEqual(summary["test"]["accuracy"], 0.95, optimizer)
            seen.add(summary["weights_sha256"])
        self.assertEqual(len(seen), len(OPTIMIZERS))

    def test_schedules(self):
        seen = set()
        for number, schedule in enumerate(SCHEDULES):
            job = POINTS + CLASSES + SGD + f'schedule {{ field: "rate" {schedule} }}\n' + TRAIN
            summary = self.run_on_ranks(job + "validation { fraction: 0.2 }\n", f"s{number}")
            self.assertGreaterEqual(summary["test"]["accuracy"], 0.95, schedule)
            seen.add(summary["weights_sha256"])
        self.assertEqual(len(seen), len(SCHEDULES))

    def test_losses(self):
        for number, loss in enumerate(LOSSES):
            job = POINTS + loss + SGD + TRAIN
            untrained, _ = jobs.run(self.folder, job, f"l{number}", words=["--set", "optimizer.sgd.rate=0"])
            last = self.run_on_ranks(job, f"l{number}")
            self.assertLess(last["test"]["loss"], untrained["test"]["loss"], loss)

    def test_metrics(self):
        test = self.run_on_ranks(POINTS + CLASSES + METRICS + SGD + TRAIN, "metrics")["test"]
        for name in ["precision", "precision.0", "recall", "recall.1", "confusion_matrix", "confusion_matrix.0_as_0",
                     "auc.precision_recall"]:
            self.assertEqual(test[name], 1, name)
        self.assertEqual(test["confusion_matrix.1_as_0"], 0)
        self.assertGreater(test["r2"], 0.5)
        self.assertLess(test["mean_absolute_error"], 0.5)

    def refused(self, job):
        path = f"{self.folder}/refused.txtpb"
        with open(path, "w") as out:
            out.write(job % {"data": self.folder})
        done = subprocess.run(["plait", "check", path], capture_output=True, text=True)
        self.assertEqual(done.returncode, 1, done.stdout)
        return done.stderr

    def test_what_is_wrong_is_told(self):
        job = POINTS + CLASSES + SGD + TRAIN
        said = self.refused(job + 'schedule { field: "rate" plateau {} }\n')
        self.assertIn('did you mean "reduce_on_plateau"?', said)
        self.assertIn('multistep wants "at"', self.refused(job + 'schedule { field: "rate" multistep { at: [] } }\n'))
        said = self.refused(POINTS + 'loss { input: "f" target: "label" softmax_cross_entropy { class_weights: 1 } }\n' + SGD + TRAIN)
        self.assertIn("class_weights has 1 numbers, wanted one for each class", said)
        said = self.refused(POINTS + CLASSES + "optimizer { sgd { dampening: 0.5 } }\n" + TRAIN)
        self.assertIn("dampening needs a momentum above 0, got 0", said)
        said = self.refused(job + 'schedule { field: "rate" warm_up { then { early_stopping {} } } }\n')
        self.assertIn("early_stopping may end training", said)
        self.assertIn("huber: delta: got 0", self.refused(POINTS + 'loss { input: "f" target: "target" huber { delta: 0 } }\n' + SGD + TRAIN))


if __name__ == "__main__":
    unittest.main()
