"""What plugins ask with context->cancelled is answered in runs: one of each kind that goes on until it is cancelled hears
of a stop, whoever asks for it, and the run ends in seconds with status 75. `cancelled_test.py LIBRARY`"""
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest

LIMIT_S = 60  # of a run that ends, on a machine with much to do
SOURCE = 'source { [test.goes_on_reading] { %s } }\n'
TRAINED = """
layer { name: "h" input: "x" dense { units: 6 } }
layer { name: "t" tanh {} }
layer { name: "f" dense { units: 2 } }
loss { input: "f" target: "label" softmax_cross_entropy {} }
optimizer { sgd { rate: 0.1 } }
train { shards: 2 local_steps: 5 batch: 4 steps: 40 }
"""
JOBS = {
    "a source that opens": SOURCE % "%s where: open" + TRAINED,
    "a source that counts": SOURCE % "%s where: count" + TRAINED.replace("steps: 40", "epochs: 5"),
    "a source that reads": SOURCE % "%s where: read" + TRAINED,
    "an augmenter that opens": SOURCE % "" + "augment { [test.goes_on_changing] { %s where: open } }\n" + TRAINED,
    "an augmenter": SOURCE % "" + "augment { [test.goes_on_changing] { %s } }\n" + TRAINED,
    "an augmenter of batches": SOURCE % "" + "augment { [test.goes_on_changing] { %s where: batch } }\n" + TRAINED,
    "an augmenter that learns": SOURCE % "" + "preprocess { [test.goes_on_changing] { %s where: fit } }\n" + TRAINED,
    "a metric": SOURCE % "" + "validation { fraction: 0.2 }\n" + TRAINED +
                'metric { input: "f" target: "label" [test.goes_on_measuring] { %s } }\n',
    "a pretrainer": SOURCE % "" + TRAINED + "pretrain { [test.goes_on_building] { %s } }\n",
    "a task that opens": "stage { name: \"s\" " + SOURCE % "" + "[test.goes_on_mapping] { %s where: open } }\n",
    "a task": "stage { name: \"s\" " + SOURCE % "" + "[test.goes_on_mapping] { %s } }\n",
    "a task that finishes": "stage { name: \"s\" " + SOURCE % "" + "[test.goes_on_mapping] { %s where: finish } }\n",
}


class Cancelled(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = temporary.name

    def start(self, name, job, *words, launcher=()):
        path = f"{self.folder}/{name.replace(' ', '_')}"
        with open(f"{path}.txtpb", "w") as out:
            out.write(job % f'started: "{path}.started"')
        command = [*launcher, "plait", "run", f"{path}.txtpb", "--run-dir", f"{path}.run", "--plugin", PLUGIN, "--progress",
                   "none", "--threads", "1", *words]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                   start_new_session=True)
        self.addCleanup(lambda: (process.poll() is None and process.kill(), process.communicate()))
        return process, path

    def wait_until_it_goes_on(self, process, path):
        for _ in range(100 * LIMIT_S):
            if os.path.exists(f"{path}.started"):
                return
            if process.poll() is not None:
                break
            time.sleep(0.01)
        process.kill()
        self.fail(f"{path}.started does not appear: " + process.communicate()[0])

    def ends(self, process, path, status):
        said, _ = process.communicate(timeout=LIMIT_S)
        self.assertEqual(process.returncode, status, said)
        self.assertTrue(os.path.exists(f"{path}.started.heard"), said)
        return said

    def test_a_signal(self):
        for name, job in JOBS.items():
            with self.subTest(name):
                process, path = self.start(name, job)
                self.wait_until_it_goes_on(process, path)
                process.send_signal(signal.SIGTERM)
                self.assertIn("has heard of it", self.ends(process, path, 75))

    def test_a_signal_to_two_ranks(self):
        for name in ("a source that reads", "an augmenter that learns", "a metric", "a pretrainer", "a task"):
            with self.subTest(name):
                process, path = self.start(name, JOBS[name], launcher=["mpirun", "-n", "2"])
                self.wait_until_it_goes_on(process, path)
                process.send_signal(signal.SIGUSR1)
                self.ends(process, path, 75)

    def test_a_rank_that_fails(self):
        """The other, which goes on and on, does not keep the run."""
        job = JOBS["a source that reads"].replace("where: read", "where: read fails: 1")
        process, path = self.start("a rank fails", job, launcher=["mpirun", "-n", "2"])
        said, _ = process.communicate(timeout=LIMIT_S)
        self.assertEqual(process.returncode, 1, said)
        self.assertIn("asked to fail", said)
        self.assertTrue(os.path.exists(f"{path}.started"), said)

    def test_time_that_is_up(self):
        for name in ("a source that reads", "a metric", "a pretrainer", "a task"):
            with self.subTest(name):
                process, path = self.start(name, JOBS[name], "--max-time", "2")
                self.ends(process, path, 75)


if __name__ == "__main__":
    PLUGIN = sys.argv.pop(1)
    unittest.main(verbosity=2)
