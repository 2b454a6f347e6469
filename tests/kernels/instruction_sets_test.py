"""A processor of AVX2 and one of plain x86-64, played by capping Plait's own kernels and oneDNN (PLAIT_MAX_CPU_ISA).

Under each cap a small network of the usual layers trains as it does without, a run tells by which set, its bits are those of
itself for any number of threads, and the layers' gradients keep the laws. A cap that the processor does not reach is none.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "distributed"))
import jobs  # noqa: E402

PLUGINS = pathlib.Path(os.environ["PLAIT_BUILD_DIR"]) / "lib/plait/plugins"
LAYERS = ["dense", "convolution", "transposed_convolution", "max_pool", "average_pool", "batch_norm", "relu", "softmax"]
# Both implementations of a layer that has two, and convolution's third.
NETWORK = jobs.HEAD + """
layer { name: "c1" input: "image" convolution { filters: 16 kernel: 3 padding: 1 } }
layer { name: "n1" batch_norm {} }
layer { name: "r1" relu {} }
layer { name: "p1" max_pool { kernel: 2 } }
layer { name: "c2" convolution { filters: 16 kernel: 3 padding: 1 implementation: winograd } }
layer { name: "t2" tanh {} }
layer { name: "p2" average_pool { kernel: 2 } }
layer { name: "f1" dense { units: 20 implementation: own } }
layer { name: "s1" sigmoid {} }
layer { name: "f2" dense { units: 20 implementation: onednn } }
layer { name: "r2" relu {} }
layer { name: "f" dense { units: 4 } }
optimizer { sgd { rate: 0.05 momentum: 0.9 } }
train { shards: 2 local_steps: 5 batch: 16 epochs: 10 }
"""
# The word, what has to be in the processor for it to be a cap, and what a run says of the own kernels and of oneDNN.
CAPS = [("AVX2", "avx512bw", "x86-64-v3 (AVX2)", "avx2"), ("SSE41", "avx2", "x86-64", "sse41")]
LIMIT_S = 300


def flags():
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.split() for line in lines if line.startswith("flags")), [])


def most(word):
    return ["env", f"PLAIT_MAX_CPU_ISA={word}"]


class InstructionSetsTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        jobs.write_digits(self.folder, records=320)
        self.caps = [cap for cap in CAPS if cap[1] in flags()]

    def run_job(self, word="", threads=1, words=()):
        summary, done = jobs.run(self.folder, NETWORK, f"job{word}", threads=threads, launcher=most(word) if word else None,
                                 words=words)
        self.assertIsNotNone(summary, done.stderr)
        return summary

    def test_a_network_trains_under_each_cap(self):
        self.assertGreaterEqual(self.run_job()["test"]["accuracy"], 0.95)
        for word, _, own, onednn in self.caps:
            with self.subTest(word):
                summary = self.run_job(word)
                self.assertGreaterEqual(summary["test"]["accuracy"], 0.95)
                isa = summary["identity"]["isa"]
                self.assertEqual(isa["instruction set"], own)
                self.assertEqual(isa["environment PLAIT_MAX_CPU_ISA"], f'"{word}"')
                self.assertEqual(isa["plait.convolution: oneDNN instruction set"], onednn)
                self.assertEqual(self.run_job(word, threads=2)["weights_sha256"], summary["weights_sha256"])

    def test_the_first_steps_are_those_of_the_whole_processor_to_rounding(self):
        """10 steps of rate 0.05 and momentum 0.9, sums of at most 600 products in f32: rounding of 600 x 6e-8 in each gradient,
        grown by 10 x 0.05 x 10, makes 2e-4 of the loss at most."""
        words = ["--max-steps", "10"]
        whole = self.run_job(words=words)["test"]["loss"]
        for word, *_ in self.caps:
            with self.subTest(word):
                self.assertAlmostEqual(self.run_job(word, words=words)["test"]["loss"], whole, delta=2e-4 * whole)

    def test_the_layers_keep_the_laws_of_gradients_under_each_cap(self):
        for word, *_ in self.caps:
            for layer in LAYERS:
                with self.subTest(word=word, layer=layer):
                    done = subprocess.run(most(word) + ["plait", "verify", PLUGINS / f"{layer}.plait.so", "--only", "gradient"],
                                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=LIMIT_S)
                    self.assertEqual(done.returncode, 0, done.stdout)
                    self.assertRegex(done.stdout, re.compile(rf"^passed .*plait\.{layer}: ", re.MULTILINE))

    def test_layers_on_8_bit_integers_keep_their_law_under_each_cap(self):
        """Where pairs of products are added in 16 bits they saturate, unless weights are small."""
        for word in [*(cap[0] for cap in self.caps), "AVX512_CORE"]:
            for layer in ["dense", "convolution"]:
                with self.subTest(word=word, layer=layer):
                    done = subprocess.run(most(word) + ["plait", "verify", PLUGINS / f"{layer}.plait.so", "--only", "int8"],
                                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=LIMIT_S)
                    self.assertEqual(done.returncode, 0, done.stdout)
                    self.assertRegex(done.stdout, re.compile(rf"^passed .*plait\.{layer}: int8: ", re.MULTILINE))

    def test_a_cap_that_the_processor_does_not_reach_is_none(self):
        plain = self.run_job(words=["--max-steps", "10"])
        capped = self.run_job("AVX512_CORE", words=["--max-steps", "10"])
        if "avx512bw" in flags():
            self.assertEqual(capped["identity"]["isa"]["instruction set"], "x86-64-v4 (AVX-512)")
        else:
            self.assertEqual(capped["weights_sha256"], plain["weights_sha256"])
            self.assertEqual(capped["identity"]["isa"], plain["identity"]["isa"])

    def test_another_word_is_refused(self):
        done = subprocess.run(most("AVX3") + ["plait", "doctor"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=LIMIT_S)
        self.assertEqual(done.returncode, 2, done.stdout)
        self.assertIn('the environment\'s PLAIT_MAX_CPU_ISA is "AVX3"; wanted SSE41, AVX2 or AVX512_CORE', done.stdout)


if __name__ == "__main__":
    unittest.main()
