"""Reducers that take whole vectors, in jobs: the same bits on any ranks and after a stop, and a shard of garbage."""
import os
import struct
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../distributed"))
import jobs  # noqa: E402

REDUCERS = ["krum {}", "krum { failures: 0 best: 3 }", "geometric_median { iterations: 4 }", "server_adam {}"]
# One shard in five meets a record too large for f32 to be learnt from, in every epoch; others are two heaps of points.
SPOILT = """
source { npy { inputs: "%(data)s/x.npy" labels: "%(data)s/y.npy" part: "x" classes: 2 } }
test { npy { inputs: "%(data)s/x.npy" labels: "%(data)s/y.npy" part: "x" first: 1 } }
layer { name: "f" input: "x" dense { units: 2 } }
loss { input: "f" target: "label" softmax_cross_entropy {} }
metric { input: "f" target: "label" accuracy {} }
optimizer { sgd { rate: 0.5 } }
train { shards: 5 local_steps: 2 batch: 4 epochs: 6 }
"""


def write_npy(path, kind, shape, values):
    size = f"({', '.join(map(str, shape))},)"
    header = f"{{'descr': '<{kind}4', 'fortran_order': False, 'shape': {size}, }}"
    header += " " * (-(10 + len(header) + 1) % 64) + "\n"
    with open(path, "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode())
        file.write(struct.pack(f"<{len(values)}{'f' if kind == 'f' else 'i'}", *values))


class WholeReducers(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def test_the_same_bits_on_any_ranks_and_after_a_stop(self):
        jobs.write_digits(self.folder)
        seen = set()
        for number, reducer in enumerate(REDUCERS):
            job = jobs.NORMALISED + f"reducer {{ {reducer} }}\n"
            whole, _ = jobs.run(self.folder, job, f"r{number}")
            seen.add(whole["weights_sha256"])
            for ranks, threads in [(2, 2), (3, 1)]:
                got, _ = jobs.run(self.folder, job, f"r{number}", ranks, threads)
                self.assertEqual(got["weights_sha256"], whole["weights_sha256"], reducer)
            cut, _ = jobs.run(self.folder, job, f"r{number}", words=["--max-steps", "15"])
            self.assertNotEqual(cut["weights_sha256"], whole["weights_sha256"])
            subprocess.run(["mpirun", "-n", "2", "plait", "run", f"{self.folder}/r{number}.txtpb", "--run-dir",
                            cut["folder"], "--resume", "--progress", "none"], check=True, capture_output=True)
            with open(f"{cut['folder']}/summary.json") as file:
                self.assertIn(whole["weights_sha256"], file.read(), reducer)
        self.assertEqual(len(seen), len(REDUCERS))

    def test_a_shard_of_garbage_does_not_end_the_job(self):
        records = 100
        points = [(4 * (i % 2) - 2 + (i * 37 % 11) / 11, (i * 53 % 13) / 13) for i in range(records)]
        points[0] = (3e38, 3e38)
        write_npy(f"{self.folder}/x.npy", "f", (records, 2), [x for point in points for x in point])
        write_npy(f"{self.folder}/y.npy", "i", (records,), [i % 2 for i in range(records)])
        _, failed = jobs.run(self.folder, SPOILT, "mean", check=False)
        self.assertEqual(failed.returncode, 1)
        self.assertIn("shard ", failed.stderr)
        for reducer in ["krum {}", "geometric_median {}"]:
            digests = set()
            for ranks in (0, 2):
                summary, done = jobs.run(self.folder, SPOILT + f"reducer {{ {reducer} }}\n", "robust", ranks)
                self.assertEqual(summary["test"]["accuracy"], 1, reducer)
                self.assertIn("the reducer leaves it out", done.stdout + done.stderr)
                digests.add(summary["weights_sha256"])
            self.assertEqual(len(digests), 1, reducer)

    def test_check_refuses_too_few_shards_for_the_failures(self):
        jobs.write_digits(self.folder)
        path = f"{self.folder}/few.txtpb"
        with open(path, "w") as file:
            file.write((jobs.NORMALISED + "reducer { krum { failures: 2 } }\n") % {"data": self.folder})
        line = (jobs.NORMALISED + "x\n").count("\n")
        done = subprocess.run(["plait", "check", path], capture_output=True, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"few.txtpb:{line}:11: ", done.stderr)
        self.assertIn("got 5 shards, wanted 7 or more for failures: 2 (2 failures + 3)", done.stderr)
        self.assertEqual(subprocess.run(["plait", "check", path, "--set", "reducer.krum.failures=1"],
                                        capture_output=True).returncode, 0)


if __name__ == "__main__":
    unittest.main()
