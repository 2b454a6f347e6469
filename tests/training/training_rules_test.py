"""What a job says of its training beside rounds, with the product's plugins: the same weights for any ranks and
threads and after a stop, what layers begin with, and what is refused."""
import json
import math
import os
import struct
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../distributed"))
from jobs import write_digits  # noqa: E402
from training_test import tensors_of  # noqa: E402

HEAD = """
source { idx { images: "%(data)s/images" labels: "%(data)s/labels" classes: 4 } }
validation { fraction: 0.2 }
preprocess { normalize { mean: 0.4 deviation: 0.3 } }
"""
# Batch norm: statistics of batches. Prelu: a parameter that is no matrix.
NETWORK = """
layer { name: "c" input: "image" convolution { filters: 4 kernel: 3 stride: 2 } init { he_normal { fan: out } } }
layer { name: "n" batch_norm {} init { uniform { low: 0.5 high: 1.5 } } init { parameter: "mean" constant { value: 0.25 } } }
layer { name: "p" prelu {} init { constant { value: 0.125 } } }
layer { name: "d" dense { units: 16 } init { orthogonal { gain: 2 } } init { parameter: "bias" truncated_normal { deviation: 0.1 } } }
layer { name: "f" dense { units: 4 } init { glorot_uniform {} } }
loss { input: "f" target: "label" softmax_cross_entropy {} }
metric { input: "f" target: "label" accuracy {} }
"""
ADAM = "optimizer { adamw { rate: 0.003 } }\n"
RULES = """
parameters { match: "*.weight" l2: 1e-3 }
parameters { match: "p.*" l2: 0 l1: 1e-3 rate_multiplier: 0.5 decay: true }
"""
TRAIN = "train { shards: 4 %s batch: 4 epochs: 2 accumulate: 2 clip { global_norm: 0.5 } average_weights { decay: 0.9 } restore_best: true recalibrate: 3 }"


def write_npy(path, shape, values):
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {tuple(shape)!r}, }}"
    header += " " * ((54 - len(header)) % 64) + "\n"
    with open(path, "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode())
        file.write(struct.pack(f"<{len(values)}f", *values))


class TrainingRules(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.data = cls.folder.name
        write_digits(cls.data)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def plait(self, command, text, *words, launcher=()):
        path = f"{self.data}/{self.id()}.txtpb"
        with open(path, "w") as file:
            file.write(text.replace("%(data)s", self.data))
        return subprocess.run([*launcher, "plait", command, path, *words], capture_output=True, text=True)

    def run_job(self, text, *words, launcher=(), status=0, run=None):
        run = run or f"{self.data}/{self.id()}.{len(os.listdir(self.data))}"
        done = self.plait("run", text, "--progress", "none", "--run-dir", run, *words, launcher=launcher)
        self.assertEqual(done.returncode, status, done.stderr)
        with open(f"{run}/summary.json") as file:
            return run, json.load(file)

    def test_ranks_threads_and_a_stop_change_nothing(self):
        for rounds in ("local_steps: 3", "sync: gradients"):
            text = HEAD + NETWORK + ADAM + RULES + TRAIN % rounds
            run, whole = self.run_job(text)
            self.assertEqual(whole["clip"], "global_norm: 0.5")
            self.assertEqual([whole["accumulate"], whole["average_decay"], whole["restored_best"]], [2, 0.9, True])
            self.assertEqual(whole["weights_sha256"], whole["best_weights_sha256"])
            self.assertIn("updates: of 2 batches each; clip { global_norm: 0.5 }; average_weights { decay: 0.9 }; "
                          "restore_best; recalibrate: 3 batches\n", self.plait("check", text).stdout)
            self.assertEqual(self.run_job(text, "--threads", "2")[1]["weights_sha256"], whole["weights_sha256"])
            ranks = self.run_job(text, launcher=["mpirun", "-n", "2", "--oversubscribe"])[1]
            self.assertEqual(ranks["weights_sha256"], whole["weights_sha256"])
            half, _ = self.run_job(text, "--max-steps", "12")
            resumed = self.run_job(text, "--resume", run=half)[1]
            self.assertEqual(resumed["weights_sha256"], whole["weights_sha256"])
            with open(f"{run}/resolved.txtpb") as file:
                self.assertEqual(self.run_job(file.read())[1]["weights_sha256"], whole["weights_sha256"])

    # A rate of 0 leaves what layers begin with.
    def begun(self, text):
        rest = "optimizer { sgd { rate: 0 } } train { shards: 1 local_steps: 1 batch: 4 steps: 1 }"
        return tensors_of(self.run_job(HEAD + text + rest)[0] + "/weights.safetensors")

    def test_layers_begin_as_the_job_says(self):
        found = self.begun(NETWORK)
        self.assertEqual(set(found["p.weight"]), {0.125})
        self.assertTrue(all(0.5 <= w < 1.5 for w in found["n.weight"]))
        self.assertTrue(all(abs(b) <= 0.2 for b in found["d.bias"]))
        bound = math.sqrt(6 / (16 + 4))
        self.assertTrue(all(abs(w) <= bound for w in found["f.weight"]))
        self.assertEqual(len(set(found["f.weight"])), 64)
        rows = [found["d.weight"][i * 100:(i + 1) * 100] for i in range(16)]
        for i, a in enumerate(rows):
            for k, b in enumerate(rows):
                product = sum(x * y for x, y in zip(a, b))
                # Rounded to f32 once: see plan/initial_values_test.cc.
                self.assertAlmostEqual(product, 4 if i == k else 0, delta=4 * 2.5 * 2**-24)

    def test_layers_begin_with_files(self):
        values = [0.25 * i for i in range(36)]
        write_npy(f"{self.data}/c.npy", (4, 1, 3, 3), values)
        write_npy(f"{self.data}/b.npy", (4,), values[:4])
        layer = """
            layer { name: "c" input: "image" convolution { filters: 4 kernel: 3 stride: 2 }
                    init { file: "%(data)s/c.npy" } init { parameter: "bias" file: "%(data)s/b.npy" } }
            layer { name: "f" dense { units: 4 } }
            loss { input: "f" target: "label" softmax_cross_entropy {} }"""
        found = self.begun(layer)
        self.assertEqual(list(found["c.weight"]), values)
        self.assertEqual(list(found["c.bias"]), values[:4])
        last = f"{self.data}/{len(os.listdir(self.data))}"
        rest = "optimizer { sgd { rate: 0 } } train { shards: 1 local_steps: 1 batch: 4 steps: 1 }"
        self.run_job(HEAD + layer + rest, run=last)
        again = self.begun(f"""
            layer {{ name: "c2" input: "image" convolution {{ filters: 4 kernel: 3 stride: 2 }}
                    init {{ file: "{last}/weights.safetensors" array: "c.weight" }} }}
            layer {{ name: "f" dense {{ units: 4 }} init {{ file: "{last}/weights.safetensors" }} }}
            loss {{ input: "f" target: "label" softmax_cross_entropy {{}} }}""")
        self.assertEqual(list(again["c2.weight"]), values)
        self.assertEqual(again["f.weight"], found["f.weight"])

    def test_what_is_refused(self):
        write_npy(f"{self.data}/wrong.npy", (4, 9), [0.0] * 36)
        os.mkfifo(f"{self.data}/pipe.npy")
        os.mkfifo(f"{self.data}/pipe.safetensors")
        layers = 'layer { name: "f" input: "image" dense { units: 4 } %s }\n'
        rest = 'loss { input: "f" target: "label" softmax_cross_entropy {} } optimizer { %s {} } train { shards: 1 %s }'
        for layer, rules, optimizer, train, words in (
                ('init { file: "%(data)s/wrong.npy" }', "", "sgd", "", ["error: init: ", "wrong.npy", "wanted"]),
                ('init { file: "%(data)s/none.safetensors" }', "", "sgd", "", ["error: init: ", "none.safetensors"]),
                ('init { file: "%(data)s/pipe.npy" }', "", "sgd", "", ["pipe.npy: is a pipe, wanted a regular file"]),
                ('init { file: "%(data)s/pipe.safetensors" }', "", "sgd", "", ["is a pipe, wanted a regular file"]),
                ('init { file: "/dev/zero" }', "", "sgd", "", ["/dev/zero: ", "wanted"]),
                ('init { file: "%(data)s/w.bin" }', "", "sgd", "", ["wanted a name that ends in one of .safetensors, "]),
                ("", "", "sgd", "recalibrate: 2", ["error: train.recalibrate measures running statistics"]),
                ('init { parameter: "scale" constant { value: 1 } }', "", "sgd", "", ['no "scale", only: weight, bias']),
                ('init { parameter: "bias" orthogonal { } }', "", "sgd", "", ["[4]", "wanted 2 or more axes"]),
                ("", 'parameters { match: "g.*" l1: 1 }', "sgd", "", ['"g.*" matches no parameter', "f.weight, f.bias"]),
                ("", 'parameters { match: "f.bias" frozen: true }', "sgd", "",
                 ["got f.bias frozen and f.weight not", 'wanted all of them, as by "f.*"']),
                ("", "", "sam", "accumulate: 2", ["got train { accumulate: 2 }, wanted 1"]),
                ("", "", "sgd", "clip { }", ["wanted one of value, norm, global_norm"])):
            done = self.plait("check", HEAD + layers % layer + rules + rest % (optimizer, train))
            self.assertEqual(done.returncode, 1, done.stdout)
            for word in words:
                self.assertIn(word, done.stderr)
        write_npy(f"{self.data}/below.npy", (3,), [1.0, 0.0, -0.5])
        write_npy(f"{self.data}/infinite.npy", (3,), [1.0, math.inf, 1.0])
        normed = ('layer { name: "c" input: "image" convolution { filters: 3 kernel: 1 } } '
                  'layer { name: "n" batch_norm {} init { parameter: "variance" %s } }\n'
                  'layer { name: "f" dense { units: 4 } }\n')
        wanted = "wanted finite numbers of at least 0, for a variance"
        for init, words in (('file: "%(data)s/below.npy"', "below.npy: n.variance: value 2 of 3 is below 0, " + wanted),
                            ("constant { value: -1 }", "init: constant for n.variance: value 0 of 3 is below 0, " + wanted),
                            ("uniform { low: -1 high: 0 }", "init: uniform for n.variance: value 0 of 3 is below 0, " + wanted),
                            ('file: "%(data)s/infinite.npy"', "infinite.npy: record 1: element 0 is inf, wanted a finite number")):
            done = self.plait("check", HEAD + normed % init % {"data": self.data} + rest % ("sgd", ""))
            self.assertEqual(done.returncode, 1, done.stdout)
            self.assertIn(".txtpb:5:", done.stderr)
            self.assertIn(words, done.stderr)
        text = HEAD.replace("validation { fraction: 0.2 }", "") + layers % "" + rest % ("sgd", "restore_best: true")
        done = self.plait("check", text)
        self.assertEqual(done.returncode, 1)
        self.assertIn("got a job without any, wanted validation { ... }", done.stderr)


if __name__ == "__main__":
    unittest.main()
