"""What each step of a job runs: told by `check --kernels`, kept with the run, timed by `bench`, chosen by `tune`."""
import glob
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(os.environ["PLAIT_SOURCE_DIR"])
sys.path.insert(0, str(ROOT / "tests/distributed"))
import jobs  # noqa: E402

FASHION = "/usr/share/datasets/fashion-mnist"


def has_bf16():
    with open("/proc/cpuinfo") as file:
        return re.search(r"\b(avx512_bf16|amx_bf16)\b", file.read()) is not None


class ChoicesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.work = pathlib.Path(tempfile.mkdtemp())
        jobs.write_digits(cls.work)
        (cls.work / "job.txtpb").write_text(jobs.CONVOLUTION % {"data": cls.work})

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.work)

    def plait(self, *words, status=0):
        done = subprocess.run(["plait", *map(str, words)], cwd=self.work, capture_output=True, text=True, timeout=200)
        self.assertEqual(done.returncode, status, f"plait {' '.join(map(str, words))}\n{done.stdout}{done.stderr}")
        return done.stdout if status == 0 else done.stderr

    def run_job(self, job, name, *words):
        self.plait("run", job, "--run-dir", name, "--progress", "none", *words)
        summary = json.loads((self.work / name / "summary.json").read_text())
        return summary["weights_sha256"], (self.work / name / "resolved.txtpb").read_text()

    @staticmethod
    def rows(table):
        """[(layer, phase, kernel)] of a table of check."""
        return [tuple(line.split(None, 2)) for line in table.splitlines()[1:]]

    # ---- check --kernels

    def test_kernels_are_told_of_every_layer_and_phase(self):
        rows = self.rows(self.plait("check", "job.txtpb", "--kernels"))
        phases = {(layer, phase) for layer, phase, _ in rows}
        self.assertLessEqual({("c", "forward"), ("c", "backward"), ("p", "backward"), ("f", "evaluation")}, phases)
        self.assertIn(("c", "forward", "own:convolution"), rows)
        rows = self.rows(self.plait("check", "job.txtpb", "--kernels", "--set", "layer[h].dense.implementation=onednn"))
        kernels = [kernel for layer, phase, kernel in rows if (layer, phase) == ("h", "backward")]
        self.assertEqual(len(kernels), 2, rows)  # to the weights, to the input
        for kernel in kernels:
            self.assertRegex(kernel, r"^onednn:\S+ matmul, src f32 ab 144x8|^onednn:\S+ matmul, src f32 ab 8x16|^onednn:\S+ matmul, src f32 ba")

    def test_functions_that_a_kernel_absorbs_are_told(self):
        text = (self.work / "job.txtpb").read_text()
        by_onednn = ("--set", "layer[c].convolution.implementation=onednn")
        convolution = r"^onednn:\S+ convolution, src f32 acdb 8x1x12x12, wei f32 \S+ 4x1x3x3, dst f32 acdb 8x4x12x12"

        def kernels(function):
            (self.work / "absorbed.txtpb").write_text(text.replace("relu {}", f"{function} {{}}"))
            rows = self.rows(self.plait("check", "absorbed.txtpb", "--kernels", *by_onednn))
            return [kernel for layer, phase, kernel in rows if (layer, phase) == ("c", "forward")]

        self.assertRegex(kernels("tanh")[-1], convolution + ", then eltwise_tanh$")
        # A relu of oneDNN's would make 0 of a NaN: it is a loop of its own.
        self.assertRegex(kernels("relu")[-2], convolution + "$")
        self.assertEqual(kernels("relu")[-1], "own:relu")

    def test_kernels_of_3_by_3_convolve_by_tiles(self):
        def kernels(second, words=()):
            text = (self.work / "job.txtpb").read_text().replace(
                'layer { name: "r"', f'layer {{ name: "s" convolution {{ {second} }} }}\nlayer {{ name: "r"')
            (self.work / "tiles.txtpb").write_text(text)
            return {kernel for layer, phase, kernel in self.rows(self.plait("check", "tiles.txtpb", "--kernels", *words))
                    if layer == "s" and phase in ("forward", "backward") and kernel != "own:relu"}
        wide = ("--set", "layer[c].convolution.filters=32")
        self.assertEqual(kernels("filters: 16 kernel: 3", wide), {"own:winograd"})
        self.assertEqual(kernels("filters: 16 kernel: 3 padding: 2", wide), {"own:winograd"})
        if has_bf16():
            in_bf16 = (*wide, "--set", "train.precision=bf16")
            self.assertEqual(kernels("filters: 16 kernel: 3", in_bf16), {"own:winograd"})
            self.assertIn("[8, 10, 10, 16] bf16", self.plait("check", "tiles.txtpb", *in_bf16))
            # 32 x 2048 weights of 3 x 3 are more than half a million.
            for kernel in kernels("filters: 2048 kernel: 3", in_bf16):
                self.assertTrue(kernel.startswith("onednn:"), kernel)
            self.assertEqual(kernels("filters: 2048 kernel: 3", wide), {"own:winograd"})
        # Not where it cannot, or a tile would be empty for the most part: outputs of 3 x 3.
        for other in ("filters: 17 kernel: 3", "filters: 16 kernel: 3 stride: 2", "filters: 16 kernel: 3 padding: 3",
                      "filters: 16 kernel: [3, 1]", "filters: 16 kernel: 3 groups: 2"):
            for kernel in kernels(other, wide):
                self.assertTrue(kernel.startswith("onednn:"), (other, kernel))
        for kernel in kernels("filters: 16 kernel: 3", (*wide, "--set", "layer[c].convolution.kernel=10")):
            self.assertTrue(kernel.startswith("onednn:"), kernel)
        refused = self.plait("check", "tiles.txtpb", "--set", "layer[s].convolution.implementation=winograd", status=1)
        self.assertIn("implementation: winograd convolves by kernels of 3x3", refused)
        self.assertIn("4 channels, 16 filters", refused)

    def test_shipped_jobs_run_no_reference_kernel(self):
        if not os.path.exists(FASHION):
            self.skipTest("there is no Fashion-MNIST")
        for job in sorted(glob.glob(str(ROOT / "pipelines/*.txtpb"))):
            with self.subTest(job=os.path.basename(job)):
                table = self.plait("check", job, "--kernels")
                self.assertNotRegex(table, r"(?i)\bref\b|onednn:[a-z:]*ref")
                if os.path.basename(job) in ("alexnet.txtpb", "resnet20_cifar10.txtpb", "mlp_fashion_mnist.txtpb"):
                    self.assertIn("onednn:", table)

    def test_a_job_without_a_network_has_no_kernels(self):
        (self.work / "stages.txtpb").write_text(f'stage {{ name: "m" source {{ idx {{ images: "{self.work}/images" labels: '
                                                f'"{self.work}/labels" }} }} moments {{}} }}\n')
        self.assertEqual(self.plait("check", "stages.txtpb", "--kernels"), "the job trains no network\n")
        self.assertIn("trains no network", self.plait("bench", "stages.txtpb", status=1))
        self.assertIn("--no-data", self.plait("check", "job.txtpb", "--kernels", "--no-data", status=2))

    # ---- what a run keeps

    def test_a_run_keeps_what_was_chosen(self):
        first, resolved = self.run_job("job.txtpb", "first")
        # All but those that a layer before absorbs: they have no kernel, and their function is that one's.
        open_ones = [re.match(r'layer { name: "(\w+)"', line)[1] for line in resolved.splitlines() if "implementation: auto" in line]
        self.assertEqual(open_ones, ["r", "t"])
        self.assertGreaterEqual(resolved.count("implementation: own"), 3)
        again, text = self.run_job("first/resolved.txtpb", "again")
        self.assertEqual((again, text), (first, resolved))
        # The file still leaves it open, and chooses as before.
        self.run_job("job.txtpb", "half", "--max-steps", "10")
        self.plait("run", "job.txtpb", "--run-dir", "half", "--resume", "--progress", "none")
        self.assertEqual(json.loads((self.work / "half/summary.json").read_text())["weights_sha256"], first)
        said = self.plait("run", "job.txtpb", "--run-dir", "half", "--resume", "--progress", "none", "--set",
                          "layer[c].convolution.implementation=onednn", status=1)
        self.assertIn("implementation was own, is onednn", said)

    def test_layers_large_enough_take_the_library(self):
        _, resolved = self.run_job("job.txtpb", "wide", "--set", "layer[h].dense.units=800", "--max-steps", "10")
        self.assertIn('"h"', resolved)
        line = next(line for line in resolved.splitlines() if line.startswith('layer { name: "h"'))
        self.assertIn("implementation: onednn", line)

    # ---- tune

    def test_what_tune_writes_is_what_the_job_then_runs(self):
        said = self.plait("tune", "job.txtpb", "--out", "tuned.txtpb", "--seconds", "0.05", "--turns", "1")
        for layer in ("c", "h", "f"):
            self.assertRegex(said, rf"(?m)^{layer}: (own|onednn) \(onednn [\d.]+ us, own [\d.]+ us\)$")
        changes = re.findall(r'(?m)^set: "(layer\[(\w+)\]\.\w+\.implementation=(\w+))"$', (self.work / "tuned.txtpb").read_text())
        self.assertLessEqual({"c", "h", "f"}, {layer for _, layer, _ in changes})
        # What a layer before absorbs would be taken from that one by another implementation.
        self.assertTrue({"r", "t"}.isdisjoint(layer for _, layer, _ in changes), changes)
        (self.work / "with.txtpb").write_text('include: "tuned.txtpb"\ninclude: "job.txtpb"\n')
        weights, resolved = self.run_job("with.txtpb", "tuned")
        for _, layer, implementation in changes:
            line = next(line for line in resolved.splitlines() if line.startswith(f'layer {{ name: "{layer}"'))
            self.assertIn(f"implementation: {implementation}", line)
        words = [word for change, _, _ in changes for word in ("--set", change)]
        self.assertEqual(self.run_job("job.txtpb", "by_hand", *words)[0], weights)
        # What is tuned anew begins from the file that was tuned before.
        self.plait("tune", "with.txtpb", "--out", "newer.txtpb", "--seconds", "0.05", "--turns", "1")

    def test_an_implementation_that_cannot_compute_a_layer_is_no_choice(self):
        text = (self.work / "job.txtpb").read_text().replace("layer { name: \"p\"", 'layer { name: "g" convolution { filters: 4 groups: 2 } }'
                                                             '\nlayer { name: "p"')
        (self.work / "groups.txtpb").write_text(text)
        said = self.plait("tune", "groups.txtpb", "--out", "groups_tuned.txtpb", "--seconds", "0.05", "--turns", "1")
        self.assertNotIn("g: ", said)
        self.assertIn("c: ", said)

    def test_tune_refuses_what_it_cannot_do(self):
        self.assertIn("--out", self.plait("tune", "job.txtpb", "--out", "job.txtpb", status=2))
        self.assertIn("got \"\", wanted a file", self.plait("tune", "job.txtpb", "--out", "", status=2))
        self.assertIn('--turns: got "0", wanted a whole number from 1 to 1000', self.plait("tune", "job.txtpb", "--turns", "0", status=2))
        self.assertIn('--seconds: got "nan", wanted a number', self.plait("tune", "job.txtpb", "--seconds", "nan", status=2))
        text = "\n".join(line for line in (self.work / "job.txtpb").read_text().splitlines() if not line.startswith("layer"))
        (self.work / "none.txtpb").write_text(text + '\nlayer { name: "flat" input: "image" flatten {} }\nlayer { name: "f" layer_norm {} }\n')
        said = self.plait("tune", "none.txtpb", "--out", "none_tuned.txtpb", "--seconds", "0.05", status=1)
        self.assertIn("no layer has a choice", said)
        self.assertFalse((self.work / "none_tuned.txtpb").exists())

    # ---- bench

    def test_bench_tells_where_the_time_goes(self):
        found = json.loads(self.plait("bench", "job.txtpb", "--seconds", "0.2", "--threads", "1", "--json", "--set",
                                      "layer[h].dense.implementation=onednn"))
        steps = {(step["layer"], step["phase"]): step for step in found["steps"]}
        for layer in "cpfh":
            for phase in ("forward", "backward"):
                self.assertGreater(steps[layer, phase]["microseconds"], 0)
        self.assertTrue(any(phase == "update" for _, phase in steps))
        # 2 x 8 samples x 144 inputs x 16 units
        step = steps["h", "forward"]
        self.assertAlmostEqual(step["gflops"] * step["microseconds"] * 1e3, 2 * 8 * 6 * 6 * 4 * 16, delta=1)
        self.assertTrue(step["kernels"][0].startswith("onednn:"))
        self.assertIsNone(steps["p", "forward"]["gflops"])
        self.assertAlmostEqual(step["peak_share"], step["gflops"] / found["machine"]["gflops"], places=6)
        for share in ("outside_share", "onednn_share"):
            self.assertTrue(0 < found[share] < 1, (share, found[share]))
        self.assertEqual(found["samples"] % (4 * 8 * 10), 0)  # whole rounds
        self.assertGreater(found["samples_per_second"], 0)
        self.assertGreater(found["peak_bytes"], 1 << 20)
        table = self.plait("bench", "job.txtpb", "--seconds", "0.1")
        self.assertRegex(table, r"(?m)^layer +phase +us +time +GFLOP/s +of peak +GB/s +runs$")
        self.assertRegex(table, r"(?m)^oneDNN: +[\d.]+ % of the time")

    def test_bench_of_forward_alone(self):
        found = json.loads(self.plait("bench", "job.txtpb", "--seconds", "0.1", "--json", "--inference", "3"))
        self.assertFalse(found["trains"])
        self.assertEqual(found["samples"] % 3, 0)
        self.assertEqual({step["phase"] for step in found["steps"]}, {"forward", "loss"})
        step = next(step for step in found["steps"] if step["layer"] == "h")
        self.assertAlmostEqual(step["gflops"] * step["microseconds"] * 1e3, 2 * 3 * 6 * 6 * 4 * 16, delta=1)
        self.assertIn("forward alone, batches of 1 sample, 1 lane", self.plait("bench", "job.txtpb", "--seconds", "0.1",
                                                                               "--inference", "1"))
        self.assertIn('--inference: got "0", wanted a whole number from 1', self.plait("bench", "job.txtpb", "--inference", "0", status=2))

    def test_bench_leaves_nothing_and_refuses_what_it_cannot_do(self):
        before = set(os.listdir(self.work)), set(glob.glob(f"{tempfile.gettempdir()}/plait_??????"))
        self.plait("bench", "job.txtpb", "--seconds", "0.05")
        self.assertEqual(before[0], set(os.listdir(self.work)))
        self.assertLessEqual(set(glob.glob(f"{tempfile.gettempdir()}/plait_??????")), before[1])
        self.assertIn('--seconds: got "0", wanted a number above 0', self.plait("bench", "job.txtpb", "--seconds", "0", status=2))
        self.assertIn('--threads: got "-1", wanted a whole number from 0', self.plait("bench", "job.txtpb", "--threads=-1", status=2))
        self.assertIn("wanted a pipeline file", self.plait("bench", status=2))
        self.assertIn("cannot be read", self.plait("bench", "nowhere.txtpb", status=1))


if __name__ == "__main__":
    unittest.main()
