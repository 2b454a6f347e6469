"""Signals to stop: the first saves and leaves with status 75; --resume then ends with the same bits."""
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, "..", "distributed"))
import jobs  # noqa: E402

EPOCHS = 60


class StopsTest(unittest.TestCase):
    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.folder = self.temporary.name
        jobs.write_digits(self.folder)
        self.text = (jobs.CONVOLUTION % {"data": self.folder}).replace("epochs: 3", f"epochs: {EPOCHS}")
        with open(f"{self.folder}/job.txtpb", "w") as out:
            out.write(self.text)

    def tearDown(self):
        self.temporary.cleanup()

    def start(self, file, run_dir, *words, launcher=()):
        return subprocess.Popen([*launcher, "plait", "run", f"{self.folder}/{file}", "--run-dir", f"{self.folder}/{run_dir}",
                                 "--progress", "none", "--threads", "1", *words], stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True)

    def finish(self, process, status):
        said, _ = process.communicate(timeout=30)
        self.assertEqual(process.returncode, status, said)

    def digest(self, run_dir):
        with open(f"{self.folder}/{run_dir}/summary.json") as file:
            summary = json.load(file)
        self.assertEqual(summary["status"], "complete")
        return summary["weights_sha256"]

    def wait_for(self, path):
        for _ in range(1000):
            if os.path.exists(f"{self.folder}/{path}"):
                return
            time.sleep(0.01)
        self.fail(f"{path} does not appear")

    def resumed_equals_whole(self, file="job.txtpb", run_dir="stopped"):
        self.finish(self.start("job.txtpb", "whole"), 0)
        self.finish(self.start(file, run_dir, "--resume"), 0)
        self.assertEqual(self.digest(run_dir), self.digest("whole"))

    def test_a_signal_in_training(self):
        process = self.start("job.txtpb", "stopped", "--set", "train.epochs=1000000")
        self.wait_for("stopped/metrics.jsonl")
        process.send_signal(signal.SIGINT)
        self.finish(process, 75)

    def test_a_signal_to_mpirun(self):
        process = self.start("job.txtpb", "stopped", "--set", "train.epochs=1000000", launcher=["mpirun", "-n", "2"])
        self.wait_for("stopped/metrics.jsonl")
        process.send_signal(signal.SIGUSR1)
        self.finish(process, 75)

    def test_time_that_is_up(self):
        self.finish(self.start("job.txtpb", "stopped", "--max-time", "0.000001"), 75)
        self.resumed_equals_whole()


if __name__ == "__main__":
    unittest.main()
