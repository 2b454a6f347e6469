"""Fits of augmenters, through the program: the same bits for any ranks and threads, errors, stops, and what is kept."""
import json
import os
import pathlib
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "distributed"))
import jobs  # noqa: E402

LIMIT_S = 100
RECORDS = 2000
JOB = """
source {{ idx {{ images: "{data}/images" labels: "{data}/labels" classes: 4 }} }}
validation {{ fraction: 0.2 }}
preprocess {{ [test.spread] {{ {first} }} }}
preprocess {{ normalize {{ scale: 1 deviation: 2 }} }}
preprocess {{ [test.spread] {{}} }}
layer {{ name: "flat" input: "image" flatten {{}} }}
layer {{ name: "f" dense {{ units: 4 }} }}
loss {{ input: "f" target: "label" softmax_cross_entropy {{}} }}
metric {{ input: "f" target: "label" accuracy {{}} }}
optimizer {{ sgd {{ rate: 0.05 }} }}
train {{ shards: 2 local_steps: 5 batch: 8 steps: 20 }}
"""


class FitsTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        jobs.write_digits(self.folder, records=RECORDS, height=6, width=5)

    def write_job(self, first=""):
        job = self.folder / "job.txtpb"
        job.write_text(JOB.format(data=self.folder, first=first))
        return job

    def command(self, *words, ranks=1):
        before = ["mpirun", "--oversubscribe", "-n", str(ranks)] if ranks > 1 else []
        return [*before, "plait", *map(str, words), "--plugin", PLUGIN]

    def plait(self, *words, ranks=1, status=0):
        done = subprocess.run(self.command(*words, ranks=ranks), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=LIMIT_S)
        if status is not None:
            self.assertEqual(done.returncode, status, done.stdout)
        else:
            self.assertNotEqual(done.returncode, 0, done.stdout)
        return done.stdout

    def run_job(self, *more, run="run", first="", **how):
        return self.plait("run", self.write_job(first), "--run-dir", self.folder / run, "--progress", "plain", *more, **how)

    def summary(self, run="run"):
        return json.loads((self.folder / run / "summary.json").read_text())

    def fits(self, run="run"):
        text = json.loads((self.folder / run / "input.json").read_text())
        return [struct.unpack(f">{len(one['fit']) // 16}d", bytes.fromhex(one["fit"])) for one in text["preprocess"]]

    def sum_of(self, record):
        pixels = (self.folder / "images").read_bytes()[16:]
        return sum(pixels[30 * record:30 * record + 30])

    def test_the_same_bits_for_any_ranks_and_threads(self):
        ranks = (1, 2, 3, 4) if shutil.which("mpirun") else (1,)
        wanted = None
        for count in ranks:
            for threads in (1, 2):
                run = f"run{count}_{threads}"
                said = self.run_job("--threads", threads, run=run, ranks=count)
                self.assertIn("fit of test.spread (", said)
                found = self.summary(run)
                self.assertEqual([fit["records"] for fit in found["fits"]], [1600, 1600])
                self.assertEqual([sum(fit["tasks_by_rank"]) for fit in found["fits"]], [7, 7])
                self.assertEqual(len(found["fits"][0]["tasks_by_rank"]), count)
                got = (self.fits(run), found["weights_sha256"])
                wanted = wanted or got
                self.assertEqual(got, wanted, run)
        first, between, second = wanted[0]
        self.assertEqual(first[0], 1600)
        self.assertEqual(between, ())
        pixels = (self.folder / "images").read_bytes()[16:]
        self.assertTrue(0 < first[1] < sum(pixels[0::30]))
        # It has seen what the two before it made: deviations of 1/2.
        for total, squares in zip(second[1:31], second[31:]):
            self.assertAlmostEqual(total / 1600, 0, delta=1e-4)
            self.assertAlmostEqual(squares / 1600, 0.25, delta=1e-4)

    def test_a_failing_observe_ends_all_ranks_with_one_message(self):
        pixels = [self.sum_of(record) for record in range(RECORDS)]
        refused = next(i for i in range(RECORDS - 1, 0, -1) if pixels.count(pixels[i]) == 1)
        for ranks in (1, 2, 3, 4) if shutil.which("mpirun") else (1,):
            # A record that is held out is none to learn from: it does not matter then.
            first = f"refuse: {pixels[refused]}"
            said = self.run_job(run=f"run{ranks}", first=first, ranks=ranks, status=None)
            self.assertEqual(said.count(f"record {refused}: asked to refuse it"), 1, said)
            self.assertIn("test.spread (", said)
            self.assertFalse((self.folder / f"run{ranks}" / "resolved.txtpb").exists())

    def test_a_plugin_that_ends_the_program_is_no_success(self):
        said = self.run_job(first="leaves: true", status=1)
        self.assertIn("has ended the program by exit() before the command was done", said)
        self.assertFalse((self.folder / "run" / "summary.json").exists())

    def test_signals_and_limits_stop_a_fit(self):
        launchers = (1, 2) if shutil.which("mpirun") else (1,)
        for ranks in launchers:
            started = self.folder / f"started{ranks}"
            job = self.write_job(f'wait_ms: 200 started: "{started}"')
            process = subprocess.Popen(self.command("run", job, "--run-dir", self.folder / "stopped", "--progress", "none",
                                                    ranks=ranks), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            for _ in range(100 * LIMIT_S):
                if started.exists():
                    break
                time.sleep(0.01)
            self.assertTrue(started.exists())
            process.send_signal(signal.SIGTERM if ranks == 1 else signal.SIGUSR1)  # mpirun passes the second on
            said = process.communicate(timeout=LIMIT_S)[0]
            self.assertEqual(process.returncode, 75, said)
            self.assertIn("nothing was written", said)
            self.assertFalse((self.folder / "stopped" / "resolved.txtpb").exists())
        said = self.run_job("--max-time", "1", run="late", first="wait_ms: 200", status=75)
        self.assertIn("stopped while an operator was fitted to the data", said)

    def test_what_is_kept_is_not_made_again(self):
        self.run_job("--max-steps", 10)
        self.run_job("--resume")
        self.assertEqual([fit["kept"] for fit in self.summary()["fits"]], [True, True])
        self.run_job(run="whole")
        self.assertEqual(self.summary()["weights_sha256"], self.summary("whole")["weights_sha256"])
        self.assertEqual([fit["kept"] for fit in self.summary("whole")["fits"]], [False, False])
        wanted = self.plait("evaluate", self.folder / "run", "--on", "validation")
        self.assertEqual(self.plait("evaluate", self.folder / "run", "--on", "validation", "--threads", 2), wanted)

    def test_a_trace_shows_the_pass(self):
        trace = self.folder / "trace.json"
        self.run_job("--trace", trace)
        names = [event.get("name") for event in json.loads(trace.read_text())["traceEvents"]]
        self.assertTrue(any(name and name.startswith("fit of test.spread") for name in names), set(names))

    def test_lines_for_programs_tell_of_it(self):
        said = self.plait("run", self.write_job(), "--run-dir", self.folder / "run", "--progress", "json")
        told = [json.loads(line) for line in said.splitlines() if '"fitted"' in line]
        self.assertEqual([(one["records"], one["kept"]) for one in told if one["event"] == "fitted"], [(1600, False)] * 2)

    def test_check_makes_the_pass_too(self):
        said = self.plait("check", self.write_job(f"refuse: {self.sum_of(0)}"), status=None)
        self.assertIn("asked to refuse it", said)


if __name__ == "__main__":
    PLUGIN = sys.argv.pop(1)
    unittest.main()
