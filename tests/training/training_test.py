"""Small jobs of the product's plugins whose outcome is known without an implementation to compare with."""
import json
import os
import struct
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../distributed"))
from jobs import write_digits  # noqa: E402

HEAD = """
source { idx { images: "%(data)s/images" labels: "%(data)s/labels" classes: 4 } }
preprocess { normalize { mean: 0.4 deviation: 0.3 } }
"""
LOSS = """
loss { input: "f" target: "label" softmax_cross_entropy {} }
"""


def tensors_of(path):
    with open(path, "rb") as file:
        (size,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(size))
        body = file.read()
    found = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        begin, end = entry["data_offsets"]
        found[name] = struct.unpack(f"<{(end - begin) // 4}f", body[begin:end])
    return found


class Training(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.data = cls.folder.name
        write_digits(cls.data)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def plait(self, command, text, *words):
        path = f"{self.data}/{self.id()}.txtpb"
        with open(path, "w") as file:
            file.write((HEAD + text + LOSS) % {"data": self.data})
        return subprocess.run(["plait", command, path, *words], capture_output=True, text=True)

    def run_job(self, text, *words):
        run = f"{self.data}/{self.id()}.{len(os.listdir(self.data))}"
        done = self.plait("run", text, "--progress", "none", "--run-dir", run, *words)
        self.assertEqual(done.returncode, 0, done.stderr)
        return tensors_of(f"{run}/weights.safetensors")

    def test_frozen_layers_with_nothing_trained_before_them(self):
        for layer, buffers in (("batch_norm {}", ["l.mean", "l.variance"]), ("dropout {}", [])):
            found = self.run_job(f"""
                layer {{ name: "c" input: "image" frozen: true convolution {{ filters: 3 kernel: 3 }} }}
                layer {{ name: "l" frozen: true {layer} }}
                layer {{ name: "f" dense {{ units: 4 }} }}
                optimizer {{ sgd {{ rate: 0.05 }} }} train {{ shards: 3 local_steps: 3 batch: 8 steps: 6 }}""")
            first = {"l.mean": 0.0, "l.variance": 1.0}
            for name in buffers:
                self.assertEqual(set(found[name]), {first[name]}, name)

    def test_greedy_pretraining_of_a_network_with_normalization_and_dropout(self):
        for corruption in (0, 0.3):
            self.run_job(f"""
                layer {{ name: "c" input: "image" convolution {{ filters: 3 kernel: 3 padding: 1 }} }}
                layer {{ name: "b" batch_norm {{}} }}
                layer {{ name: "r" relu {{}} }}
                layer {{ name: "p" max_pool {{ kernel: 2 }} }}
                layer {{ name: "d" dropout {{ rate: 0.4 }} }}
                layer {{ name: "h" dense {{ units: 12 }} }}
                layer {{ name: "t" tanh {{}} }}
                layer {{ name: "f" dense {{ units: 4 }} }}
                pretrain {{ autoencoder {{ epochs: 0.3 corruption: {corruption} }} }}
                optimizer {{ sgd {{ rate: 0.05 }} }} train {{ shards: 2 local_steps: 3 batch: 8 steps: 6 }}""")

    def test_check_refuses_one_value_a_channel(self):
        network = """
            layer { name: "h" input: "image" dense { units: 6 } }
            layer { name: "b" batch_norm {} }
            layer { name: "f" dense { units: 4 } }
            optimizer { sgd {} } train { shards: 2 local_steps: 2 batch: %d steps: 4 }"""
        refused = self.plait("check", network % 1)
        self.assertEqual(refused.returncode, 1)
        self.assertIn('batch_norm "b"', refused.stderr)
        self.assertIn("one value a channel has no variance", refused.stderr)
        self.assertEqual(self.plait("check", network % 2).returncode, 0)

    def test_check_refuses_more_samples_than_a_weight_can_be(self):
        network = """
            layer { name: "f" input: "image" dense { units: 4 } }
            optimizer { sgd {} } reducer { weighted_mean { unit: %d } }
            train { shards: 2 local_steps: 1048576 batch: 3000 steps: 1048576 }"""
        refused = self.plait("check", network % 1)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("set unit to 2 or more", refused.stderr)
        self.assertEqual(self.plait("check", network % 2).returncode, 0)

    def test_weights_that_are_all_alike_may_be_large(self):
        checked = self.plait("check", """
            layer { name: "f" input: "image" dense { units: 4 } }
            optimizer { sgd {} } reducer { weighted_mean {} }
            train { shards: 2 local_steps: 1000 batch: 100 steps: 1000 }""")
        self.assertEqual(checked.returncode, 0, checked.stderr)

    def test_weights_of_samples_that_are_all_alike_do_not_matter(self):
        network = """
            layer { name: "f" input: "image" dense { units: 4 } }
            optimizer { sgd { rate: 0.05 } } reducer { %s {} }
            train { shards: 40 local_steps: 2 batch: 2 steps: 4 }"""
        self.assertEqual(self.run_job(network % "weighted_mean"), self.run_job(network % "mean"))

    def test_running_statistics_of_shards_that_see_other_data(self):
        # The variance of a pixel over all records, by shards of 5 records each in one round.
        network = """
            layer { name: "b" input: "image" batch_norm { momentum: 1 } }
            layer { name: "f" dense { units: 4 } }
            optimizer { sgd { rate: 0 } } train { shards: %d local_steps: 1 batch: %d steps: 1 }"""
        parts, whole = self.run_job(network % (128, 5)), self.run_job(network % (1, 640))
        self.assertAlmostEqual(parts["b.mean"][0], whole["b.mean"][0], delta=1e-6)
        # Unbiased within each shard: of 144 pixels times 5 records, not of all.
        self.assertAlmostEqual(parts["b.variance"][0], whole["b.variance"][0], delta=2e-3 * whole["b.variance"][0])


if __name__ == "__main__":
    unittest.main()
