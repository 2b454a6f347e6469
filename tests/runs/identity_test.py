"""One writer a run folder; ranks and resumed runs that would compute other bits are refused by name."""
import fcntl
import gzip
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "distributed"))
import jobs  # noqa: E402

SMALL = jobs.HEAD + """
layer { name: "c" input: "image" convolution { filters: 2 kernel: 3 } }
layer { name: "f" dense { units: 4 } }
optimizer { adam { rate: 0.01 } }
train { shards: 2 local_steps: 5 batch: 16 epochs: 2 }
"""
LIMIT_S = 100


def flags():
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.split() for line in lines if line.startswith(("flags", "Features"))), [])


class IdentityTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        self.data = self.make_data("data")
        self.file = self.folder / "job.txtpb"
        self.file.write_text(f'var {{ name: "data" value: "{self.data}" }}\n' + SMALL % {"data": "${data}"})

    def make_data(self, name, seed=5):
        folder = self.folder / name
        folder.mkdir()
        jobs.write_digits(folder, records=320, seed=seed)
        return folder

    def words(self, *more, run="run", program="plait"):
        return [program, "run", str(self.file), "--run-dir", str(self.folder / run), "--threads", "1", "--progress", "plain",
                *map(str, more)]

    def plait(self, *more, run="run", program="plait", status=0, environment=None):
        done = subprocess.run(self.words(*more, run=run, program=program), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, timeout=LIMIT_S, env={**os.environ, **(environment or {})})
        self.assertEqual(done.returncode, status, done.stdout)
        return done.stdout

    def summary(self, run="run"):
        return json.loads((self.folder / run / "summary.json").read_text())

    def half(self, *more, run="run"):
        """A run that has more to do."""
        self.plait("--max-steps", 10, *more, run=run)

    # ------------------------------------------------------------------------------------------------ one writer

    def start_long(self):
        """A run without end in sight, as soon as it has a checkpoint."""
        words = self.words("--set", "train.epochs=100000", "--set", "train.checkpoint_every=1")
        return self.begin(words)

    def begin(self, words, run="run", **how):
        """A process of these words, as soon as it has written a checkpoint."""
        known = self.checkpoints(run)
        process = subprocess.Popen(words, **{"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL} | how)
        self.addCleanup(process.kill)
        until = time.monotonic() + LIMIT_S
        while not self.checkpoints(run) - known:
            self.assertIsNone(process.poll())
            self.assertLess(time.monotonic(), until)
            time.sleep(0.05)
        return process

    def checkpoints(self, run):
        return {path.name for path in self.folder.glob(f"{run}/checkpoints/*.ckpt")}

    def test_the_second_writer_is_told_of_the_first_and_a_killed_one_leaves_no_lock(self):
        first = self.start_long()
        before = (self.folder / "run/resolved.txtpb").read_text()
        for words in [[], ["--resume", "--set", "train.epochs=100000"]]:
            said = self.plait(*words, status=1)
            self.assertIn("another run writes into this folder", said)
            self.assertIn(f"pid {first.pid} on ", said)
            self.assertRegex(said, r"since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC")
        self.assertEqual((self.folder / "run/resolved.txtpb").read_text(), before)
        first.kill()
        first.wait()
        second = self.begin(self.words("--resume", "--set", "train.epochs=100000"))
        second.send_signal(signal.SIGTERM)
        second.wait(timeout=LIMIT_S)
        self.assertEqual(second.returncode, 75)
        self.assertEqual(self.summary()["status"], "stopped")

    def test_data_that_change_while_they_are_read_end_the_run(self):
        images = self.data / "images"
        content = images.read_bytes()
        first = self.begin(self.words("--set", "train.epochs=400", "--set", "train.checkpoint_every=1", run="touched"), "touched")
        os.utime(images)  # the bytes are the same
        first.wait(timeout=LIMIT_S)
        self.assertEqual(first.returncode, 0)
        second = self.begin(self.words("--set", "train.epochs=400", "--set", "train.checkpoint_every=1", run="changed"), "changed",
                            stderr=subprocess.PIPE, text=True)
        with open(images, "r+b") as file:  # of the same size
            file.seek(16)
            file.write(content[-1000:])
        _, said = second.communicate(timeout=LIMIT_S)
        self.assertEqual(second.returncode, 1, said)
        self.assertIn(f"{images} changed while the run read it: it was {len(content)} bytes, sha256 ", said)
        self.assertFalse((self.folder / "changed/weights.safetensors").exists())
        images.write_bytes(content)
        self.plait("--resume", "--set", "train.epochs=400", run="changed")  # nothing of the other data was kept
        self.assertEqual(self.summary("changed")["weights_sha256"], self.summary("touched")["weights_sha256"])

    def test_runs_that_name_their_own_folders_do_not_meet(self):
        words = [word for word in self.words() if word not in ("--run-dir", str(self.folder / "run"))]
        both = [subprocess.Popen(words, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
                for _ in range(3)]
        for process in both:
            said, _ = process.communicate(timeout=LIMIT_S)
            self.assertEqual(process.returncode, 0, said)
        self.assertEqual(len(list(self.folder.glob("runs/*/summary.json"))), 3)

    def test_reading_needs_no_lock(self):
        self.plait()
        with open(self.folder / "run/lock", "r+") as file:
            fcntl.lockf(file, fcntl.LOCK_EX)
            for words in [["evaluate", self.folder / "run"], ["diff", self.folder / "run", self.folder / "run"]]:
                subprocess.run(["plait", *map(str, words)], check=True, stdout=subprocess.DEVNULL, timeout=LIMIT_S)

    # ------------------------------------------------------------------------------------------------ ranks

    def ranks(self, environment="", words="", status=0):
        """Two ranks, the second under another environment or with other words."""
        one = " ".join(self.words())
        command = f"mpirun -n 1 {one} : -n 1 {'env ' + environment if environment else ''} {one} {words}"
        done = subprocess.run(["bash", "-c", command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=LIMIT_S)
        self.assertEqual(done.returncode, status, done.stdout)
        return done.stdout

    def test_a_rank_of_another_instruction_set_is_named(self):
        if "avx" not in flags():
            self.skipTest("this processor has no AVX to leave out")
        said = self.ranks("ONEDNN_MAX_CPU_ISA=SSE41", status=1)
        self.assertIn("rank 1 on ", said)
        self.assertIn('isa: environment ONEDNN_MAX_CPU_ISA: rank 0 has none, rank 1 has "SSE41"', said)
        self.assertRegex(said, "isa: plait.convolution: oneDNN instruction set: rank 0 has .*, rank 1 has sse41")
        self.assertFalse((self.folder / "run").exists())

    def test_a_rank_with_other_bytes_is_named_and_one_with_the_same_elsewhere_is_not(self):
        other = self.make_data("other", seed=6)
        said = self.ranks(words=f"--var data={other}", status=1)
        self.assertRegex(said, r"data: source.idx.images: rank 0 has \d+ bytes, sha256 \w{64}, rank 1 has")
        self.assertIn("test.idx.images", said)
        self.assertIn(str(other), said)
        self.assertNotIn("labels", said)
        self.ranks(words=f"--var data={shutil.copytree(self.data, self.folder / 'copy')}")

    def test_a_rank_with_another_job_is_told_the_field(self):
        said = self.ranks(words="--set train.batch=8", status=1)
        self.assertIn("job: train.batch: rank 0 has 16, rank 1 has 8", said)

    def test_a_rank_with_another_command_line_is_told_the_option(self):
        self.plait("--max-steps", 10, run="first")
        weights = self.folder / "first/weights.safetensors"
        for words, told in [("--max-steps 10", "--max-steps: rank 0 has 0, rank 1 has 10"),
                            (f"--weights {weights}", "--weights: rank 0 has not given, rank 1 has given"),
                            ("--max-time 1", "--max-time: rank 0 has"),
                            (f"--trace {self.folder}/trace.json", "--trace: rank 0 has not given, rank 1 has given"),
                            ("--set name=other", "the name of the job: rank 0 has job, rank 1 has other")]:
            with self.subTest(words):
                said = self.ranks(words=words, status=1)
                self.assertIn("command line: " + told, said)

    # ------------------------------------------------------------------------------------------------ resuming

    def test_runs_that_begin_with_other_weights_are_told_apart(self):
        for seed in "12":
            self.plait("--set", f"seed={seed}", "--max-steps", 10, run=f"from{seed}")
            self.plait("--weights", self.folder / f"from{seed}/weights.safetensors", "--max-steps", 10, run=f"to{seed}")
        diff = subprocess.run(["plait", "diff", self.folder / "to1", self.folder / "to2"], stdout=subprocess.PIPE, text=True)
        self.assertIn("weights: begun with: ", diff.stdout)

    def test_the_summary_says_what_the_bits_depend_on(self):
        self.plait()
        summary = self.summary()
        self.assertEqual(summary["faults"], [])
        self.assertEqual(summary["changes"], [])
        identity = summary["identity"]
        self.assertIn("sha256", identity["program"]["plait"])
        self.assertIn("plait.convolution: oneDNN", identity["isa"])
        self.assertIn("instruction set", identity["isa"])
        self.assertIn("plait.dense", identity["plugins"])
        self.assertNotIn("plait.tanh", identity["plugins"])
        images = (self.data / "images").stat().st_size
        self.assertTrue(identity["data"]["source.idx.images"].startswith(f"{images} bytes, sha256 "))
        said = subprocess.run(["plait", "diff", self.folder / "run", self.folder / "run"], stdout=subprocess.PIPE, text=True,
                              check=True).stdout
        self.assertIn("Program, plugins, instruction set and data are the same", said)

    def test_changed_data_are_refused_unless_accepted_which_is_kept(self):
        self.half()
        jobs.write_digits(self.data, records=320, seed=6)
        said = self.plait("--resume", status=1)
        self.assertRegex(said, r"data: source.idx.images was \d+ bytes, sha256 \w+, is \d+ bytes, sha256 \w+ \(/")
        self.assertIn("--accept-change data ", said)
        self.plait("--resume", "--accept-change", "isa,job", status=1)
        self.assertIn('--accept-change: got ""', self.plait("--resume", "--accept-change", "", status=2))
        said = self.plait("--resume", "--accept-change", "data", "--max-steps", 15)
        self.assertIn("other bits from round 2 on (data: source.idx.images was", said)
        self.plait("--resume")
        self.assertTrue(all(change["part"] == "data" and change["round"] == 2 for change in self.summary()["changes"]))
        self.plait(run="new")
        diff = subprocess.run(["plait", "diff", self.folder / "run", self.folder / "new"], stdout=subprocess.PIPE, text=True)
        self.assertIn("run: other bits from round 2 on (data: ", diff.stdout)

    def test_a_change_accepted_when_the_run_is_complete_stays_in_it(self):
        self.plait()
        changed = "--set", "optimizer.adam.rate=0.02"
        self.plait("--resume", *changed, "--accept-change", "job")
        (change,) = self.summary()["changes"]
        self.assertEqual((change["round"], change["what"]), (self.summary()["rounds"], "optimizer.adam.rate was 0.01, is 0.02"))
        self.plait("--resume", *changed)
        self.assertEqual(self.summary()["changes"], [change])
        self.assertIn("optimizer.adam.rate was 0.02, is 0.01", self.plait("--resume", status=1))

    def test_data_that_lie_under_another_name_than_is_written_count_too(self):
        def pack(seed):
            shutil.rmtree(self.folder / "packed", ignore_errors=True)
            for file in self.make_data("packed", seed=seed).iterdir():
                file.with_name(file.name + ".gz").write_bytes(gzip.compress(file.read_bytes(), mtime=0))
                file.unlink()

        pack(5)
        packed = ["--var", f"data={self.folder / 'packed'}"]
        self.half(*packed)
        self.assertRegex(self.summary()["identity"]["data"]["source.idx.images"], r"\d+ bytes, sha256 \w{64}")
        pack(6)
        said = self.plait("--resume", *packed, status=1)
        self.assertRegex(said, r"data: source.idx.images was \d+ bytes, sha256 \w+, is \d+ bytes, sha256 \w+ \(/")

    def test_data_that_moved_are_the_same(self):
        self.plait(run="whole")
        self.half()
        shutil.move(self.data, self.folder / "moved")
        self.plait("--resume", "--var", f"data={self.folder / 'moved'}")
        self.assertEqual(self.summary()["weights_sha256"], self.summary("whole")["weights_sha256"])

    def test_a_changed_job_is_told_field_by_field(self):
        self.half()
        said = self.plait("--resume", "--set", "train.batch=32", "--set", "optimizer.adam.rate=0.02", status=1)
        self.assertIn("job: train.batch was 16, is 32", said)
        self.assertIn("job: optimizer.adam.rate was 0.01, is 0.02", said)
        self.plait("--resume", "--set", "train.keep_checkpoints=9", "--set", "name=\"other\"")

    def test_changed_plugins_and_programs_are_told_apart(self):
        self.half()
        prefix = self.folder / "prefix"
        (prefix / "bin").mkdir(parents=True)
        plait = pathlib.Path(shutil.which("plait")).resolve()
        (prefix / "lib").symlink_to(plait.parent.parent / "lib")
        program = prefix / "bin/plait"
        program.write_bytes(plait.read_bytes() + b"\0")
        program.chmod(0o755)
        said = self.plait("--resume", program=program, status=1)
        self.assertRegex(said, r"program: plait was plait .* sha256 \w+, is plait .* sha256 \w+")
        self.assertIn("--accept-change program ", said)
        library = self.folder / "dense.plait.so"
        installed = next(plait.parent.parent.glob("lib/plait/plugins/dense.plait.so"))
        library.write_bytes(installed.read_bytes() + b"\0")
        said = self.plait("--resume", "--plugin", library, program=program, status=1)
        self.assertIn("plugins: plait.dense was 1.0.0, sha256 ", said)
        self.assertIn("--accept-change plugins,program ", said)
        self.plait("--resume", "--plugin", library, "--accept-change", "plugins,program", program=program)
        self.assertEqual({change["part"] for change in self.summary()["changes"]}, {"plugins", "program"})

    def test_another_instruction_set_is_refused(self):
        if "avx" not in flags():
            self.skipTest("this processor has no AVX to leave out")
        self.half()
        capped = {"ONEDNN_MAX_CPU_ISA": "SSE41"}
        self.assertIn("--accept-change isa ", self.plait("--resume", status=1, environment=capped))
        self.plait("--resume", "--accept-change", "isa", environment=capped)
        self.plait(run="talks", environment={"ONEDNN_VERBOSE": "0", "ONEDNN_MAX_CPU_ISA": "ALL"})

    def test_an_older_checkpoint_is_refused_in_words(self):
        self.half()
        for path in self.folder.glob("run/checkpoints/*.ckpt"):
            path.write_bytes(b"PLAITCK1" + path.read_bytes()[8:])
        self.assertIn("a checkpoint of format 1, which an older Plait wrote", self.plait("--resume", status=1))

    def test_words_of_accept_change(self):
        self.assertIn("wanted of program, isa", self.plait("--resume", "--accept-change", "everything", status=2))
        self.assertIn("wanted it with --resume", self.plait("--accept-change", "data", status=2))

    # ------------------------------------------------------------------------------------------------ longer

    def test_a_longer_run_is_the_one_that_was_so_long_from_its_beginning(self):
        for schedule in ["", "schedule={ field: \"rate\" step { every: 1 factor: 0.5 } }"]:
            words = ["--set", schedule] if schedule else []
            name = "step" if schedule else "constant"
            self.plait("--set", "train.epochs=4", *words, run=f"{name}-whole")
            self.plait("--set", "train.epochs=1.5", *words, run=name)
            self.plait("--resume", "--set", "train.epochs=4", *words, run=name)
            got, wanted = self.summary(name), self.summary(f"{name}-whole")
            for key in ["weights_sha256", "best_validation", "best_epoch", "test", "best_test", "steps"]:
                self.assertEqual(got[key], wanted[key], key)
            self.assertEqual((self.folder / f"{name}/checkpoints/best.safetensors").read_bytes(),
                             (self.folder / f"{name}-whole/checkpoints/best.safetensors").read_bytes())

    def test_a_schedule_that_knows_the_end_is_named(self):
        words = ["--set", "schedule={ field: \"rate\" cosine {} }"]
        self.plait(*words)
        said = self.plait("--resume", "--set", "train.epochs=3", *words, status=1)
        self.assertIn("train.epochs was 2, is 3", said)
        self.assertIn("the schedule of rate, plait.cosine (", said)


if __name__ == "__main__":
    unittest.main()
