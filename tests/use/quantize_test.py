"""A trained network on 8-bit integers: `plait quantize`, and its folder in use."""
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, "..", "distributed"))
import jobs  # noqa: E402

JOB = """
source { idx { images: "digits/images" labels: "digits/labels" classes: 4 } }
validation { fraction: 0.2 }
test { idx { images: "digits/images" labels: "digits/labels" classes: 4 limit: 200 } }
preprocess { normalize { mean: 0.4 deviation: 0.3 } }
layer { name: "c1" input: "image" convolution { filters: 16 kernel: 3 padding: 1 } }
layer { name: "r1" relu {} }
layer { name: "p1" max_pool { kernel: 2 } }
layer { name: "c2" convolution { filters: 16 kernel: 3 padding: 1 } }
layer { name: "r2" tanh {} }
layer { name: "h" dense { units: 128 } }
layer { name: "r3" relu {} }
layer { name: "f" dense { units: 4 } }
loss { input: "f" target: "label" softmax_cross_entropy {} }
metric { input: "f" target: "label" accuracy {} }
optimizer { sgd { rate: 0.05 momentum: 0.9 } }
train { shards: 2 local_steps: 5 batch: 16 epochs: 4 }
evaluate { batch: 64 }
"""


def plait(*words, status=0, ranks=0, env=None, cwd=None):
    """Runs it; returns all that it says."""
    launcher = ["mpirun", "-n", str(ranks)] if ranks else []
    done = subprocess.run([*launcher, "plait", *map(str, words)], capture_output=True, text=True, timeout=100, cwd=cwd,
                          env={**os.environ, **(env or {})})
    said = done.stdout + done.stderr
    if done.returncode != status:
        raise AssertionError(f"plait {' '.join(map(str, words))}: status {done.returncode}, wanted {status}\n{said}")
    return said


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


class Quantize(unittest.TestCase):
    """One trained run and its run of integers, whose folders the tests copy."""

    @classmethod
    def setUpClass(cls):
        cls.held = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.held.cleanup)
        cls.home = os.path.realpath(cls.held.name)
        os.makedirs(f"{cls.home}/job/digits")
        jobs.write_digits(f"{cls.home}/job/digits", records=600)
        with open(f"{cls.home}/job/job.txtpb", "w", encoding="utf-8") as file:
            file.write(JOB)
        cls.run_dir = f"{cls.home}/run"
        plait("run", f"{cls.home}/job/job.txtpb", "--run-dir", cls.run_dir, "--progress", "none", "--threads", 1)
        cls.said = plait("quantize", cls.run_dir, "--records", 100, "--threads", 1)
        cls.int8 = cls.run_dir + "-int8"

    def setUp(self):
        held = tempfile.TemporaryDirectory()
        self.addCleanup(held.cleanup)
        self.work = os.path.realpath(held.name)

    def quantize(self, *more, records=100, **how):
        return plait("quantize", self.run_dir, "--out", f"{self.work}/out", "--records", records, *more, **how)

    def predict(self, run, *more, **how):
        out = f"{self.work}/scores.csv"
        plait("predict", run, "--in", "test", "--out", out, *more, **how)
        return read(out)

    @staticmethod
    def accuracy(said):
        return float(said.split("accuracy ")[1].split(",")[0])

    def test_layers_are_told_and_kept_in_the_job(self):
        self.assertRegex(self.said, r"c2 \(convolution\): input 0 is between 0 and \d")
        self.assertRegex(self.said, r"h \(dense\): input 0 is between -0\.\d+ and 0\.\d+")
        self.assertRegex(self.said, r"\d of 8 layers compute on 8-bit integers, by 100 train records")
        resolved = read(f"{self.int8}/resolved.txtpb")
        self.assertRegex(resolved, r'name: "c2".* int8 \{ input: 0 low: 0 high: [0-9.]+ \}')
        summary = json.loads(read(f"{self.int8}/summary.json"))
        self.assertEqual(summary["weights_sha256"], json.loads(read(f"{self.run_dir}/summary.json"))["weights_sha256"])
        self.assertEqual(summary["test"], {})
        self.assertEqual(summary["quantized"]["records"], 100)

    def test_check_shows_what_is_quantized(self):
        self.assertIn("convolution (int8)", plait("check", f"{self.int8}/resolved.txtpb"))
        kernels = plait("check", f"{self.int8}/resolved.txtpb", "--kernels")
        self.assertRegex(kernels, r"c2 +evaluation +own:f32 to u8")
        self.assertRegex(kernels, r"c2 +evaluation +onednn:\S+ convolution, src u8 .*wei s8")

    def test_accuracy_stays(self):
        full, int8 = (self.accuracy(plait("evaluate", run)) for run in (self.run_dir, self.int8))
        self.assertGreater(full, 0.9)
        self.assertGreaterEqual(int8, full - 0.005)

    def test_predictions_are_the_same_bits_for_any_batch_lanes_and_threads(self):
        wanted = self.predict(self.int8)
        self.assertNotEqual(wanted, self.predict(self.run_dir))
        # c1, in f32, has own loops, whose bits do not follow from the lanes.
        for more in (["--threads", 2], ["--set", "train.lanes=2"]):
            with self.subTest(more):
                self.assertEqual(self.predict(self.int8, *more), wanted)

    def test_any_ranks_and_threads_find_the_same_ranges(self):
        wanted = read(f"{self.int8}/resolved.txtpb")
        for ranks, threads in ((0, 2), (2, 1), (3, 2)):
            with self.subTest(ranks=ranks, threads=threads):
                shutil.rmtree(f"{self.work}/out", ignore_errors=True)
                self.quantize("--threads", threads, ranks=ranks)
                self.assertEqual(read(f"{self.work}/out/resolved.txtpb"), wanted)

    def test_a_layer_goes_back_to_f32(self):
        text = read(f"{self.int8}/resolved.txtpb")
        self.assertIn("int8", text)
        back = self.predict(self.int8, *(word for name in ("c1", "c2", "h", "f") if f'"{name}"' in text and
                                         self.has_range(text, name) for word in ("--del", f"layer[{name}].int8")))
        self.assertEqual(back, self.predict(self.run_dir))

    def test_a_run_refuses_to_train_in_8_bits_and_a_check_says_so(self):
        job = f"{self.int8}/resolved.txtpb"
        self.assertIn("got an int8 block", plait("run", job, status=1))
        self.assertIn("note: plait run refuses this job: layer ", plait("check", job))
        self.assertNotIn("refuses this job", plait("check", f"{self.run_dir}/resolved.txtpb"))

    @staticmethod
    def has_range(text, name):
        return any(f'layer {{ name: "{name}"' in line and " int8 {" in line for line in text.splitlines())

    def test_what_cannot_be_quantized_is_refused(self):
        said = plait("quantize", self.int8, "--out", f"{self.work}/out", status=1)
        self.assertIn('is quantized already: layer "c', said)
        broken = shutil.copytree(self.run_dir, f"{self.work}/unfinished")
        os.remove(f"{broken}/summary.json")
        self.assertIn("is not finished: there is no", plait("quantize", broken, status=1))
        stopped = shutil.copytree(self.run_dir, f"{self.work}/stopped")
        text = read(f"{stopped}/summary.json").replace('"status": "complete"', '"status": "stopped"')
        with open(f"{stopped}/summary.json", "w", encoding="utf-8") as file:
            file.write(text)
        self.assertIn('is not finished: its status is "stopped"', plait("quantize", stopped, status=1))
        self.assertIn("holds a run already; choose another --out", plait("quantize", self.run_dir, "--out", self.run_dir, status=1))
        for word, wanted in (("--records=0", '--records: got "0", wanted a whole number from 1 to 2147483648'),
                             ("--on=all", '--on: got "all", wanted train, validation or test'),
                             ("--threads=-1", '--threads: got "-1", wanted a whole number from 0 to 65536')):
            with self.subTest(word):
                self.assertIn(wanted, plait("quantize", self.run_dir, word, status=2))
        self.assertFalse(os.path.exists(f"{self.work}/out"))

    def test_more_records_than_there_are(self):
        self.assertIn("--records: got 1000, and there are 120 validation records: all are measured",
                      self.quantize("--on", "validation", records=1000))

    def test_no_layer_of_integers(self):
        small = JOB[:JOB.index("layer {")] + 'layer { name: "f" input: "image" dense { units: 4 implementation: own } }\n' + \
            JOB[JOB.index("loss {"):].replace("epochs: 4", "epochs: 1")
        with open(f"{self.home}/job/small.txtpb", "w", encoding="utf-8") as file:
            file.write(small)
        plait("run", f"{self.home}/job/small.txtpb", "--run-dir", f"{self.work}/small", "--progress", "none")
        said = plait("quantize", f"{self.work}/small", status=1)
        self.assertIn("no layer of the job computes on 8-bit integers on device", said)
        self.assertFalse(os.path.exists(f"{self.work}/small-int8"))

    def test_numbers_that_are_not_finite(self):
        with open(f"{self.run_dir}/weights.safetensors", "rb") as file:
            content = bytearray(file.read())
        size = struct.unpack("<Q", content[:8])[0]
        begin = 8 + size + json.loads(content[8:8 + size])["c1.weight"]["data_offsets"][0]
        content[begin:begin + 36] = struct.pack("<9f", *[3e38] * 9)
        with open(f"{self.work}/large.safetensors", "wb") as file:
            file.write(content)
        said = self.quantize("--weights", f"{self.work}/large.safetensors", status=1)
        self.assertIn('the output of layer "c1" has NaN or infinity, in records 0 to 63', said)
        self.assertFalse(os.path.exists(f"{self.work}/out"))

    def test_a_quantized_job_is_not_trained(self):
        said = plait("run", f"{self.int8}/resolved.txtpb", "--run-dir", f"{self.work}/again", status=1)
        self.assertIn("got an int8 block, which computes on 8-bit integers what is trained", said)

    def test_ranges_that_do_not_fit_are_refused(self):
        text = read(f"{self.int8}/resolved.txtpb")
        for old, new, wanted in ((" int8 { input: 0", " int8 { input: 7", "int8: got input 7, and the layer has 1"),
                                 (" int8 { input: 0 low: 0 ", " int8 { input: 0 low: 0.5 ", "low: got 0.5"),
                                 (" int8 { input: 0", " int8 { input: 0 low: 0 high: 1 } int8 { input: 0",
                                  "input 0 of a layer has two ranges")):
            with self.subTest(wanted):
                copy = shutil.copytree(self.int8, f"{self.work}/{abs(hash(new))}")
                with open(f"{copy}/resolved.txtpb", "w", encoding="utf-8") as file:
                    file.write(text.replace(old, new, 1))
                self.assertIn(wanted, plait("evaluate", copy, status=1))
        said = plait("evaluate", self.int8, "--set", "layer[p1].int8.low=0", "--set", "layer[p1].int8.high=1", status=1)
        self.assertIn("a max_pool of this shape does not compute from input 0 on 8-bit integers", said)


if __name__ == "__main__":
    unittest.main()
