"""`plait fmt`, `diff`, `sweep`, `try` and `doctor` on a small job: what they print, write and return."""
import csv
import os
import pathlib
import random
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unittest
import unittest.mock

JOB = """# A small job.
var { name: "epochs" value: 2 }

seed: 1
source { idx { images: "images" labels: "labels" classes: 3 } }
test { idx { images: "images" labels: "labels" classes: 3 } }

layer { name: "f1" input: "image" dense { units: 3 } }

loss { softmax_cross_entropy {} }
metric { accuracy {} }
optimizer { sgd { rate: 0.001 } }
train { shards: 2 local_steps: 2 batch: 4 epochs: $epochs }
preprocess { normalize { mean: 0 deviation: 1 } }
"""
DATA = """source { idx { images: "images" labels: "labels" classes: 3 } }
test { idx { images: "images" labels: "labels" classes: 3 } }
preprocess { normalize { mean: 0 deviation: 1 } }
layer { name: "gone" dense { units: 9 } }
loss { input: "gone" softmax_cross_entropy {} }
metric { input: "gone" accuracy {} }
optimizer { sgd { rate: 0.001 } }
train { shards: 2 local_steps: 2 batch: 4 epochs: 1 }
"""


class ToolsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.work = pathlib.Path(tempfile.mkdtemp())
        draw = random.Random(1)
        labels = bytes(i % 3 for i in range(48))
        images = b"".join(bytes(draw.randrange(20) + (200 if i // 4 == label else 0) for i in range(16)) for label in labels)
        (cls.work / "images").write_bytes(struct.pack(">IIII", 2051, 48, 4, 4) + images)
        (cls.work / "labels").write_bytes(struct.pack(">II", 2049, 48) + labels)
        (cls.work / "job.txtpb").write_text(JOB)
        (cls.work / "data.txtpb").write_text(DATA)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.work)

    def plait(self, *words, status=0, stdin=""):
        done = subprocess.run(["plait", *map(str, words)], cwd=self.work, text=True, input=stdin, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=120)
        self.assertEqual(done.returncode, status, f"plait {' '.join(map(str, words))}\n{done.stdout}")
        return done.stdout

    # ------------------------------------------------------------------------------------------------ fmt

    def test_fmt_prints_checks_and_writes(self):
        messy = self.work / "messy.txtpb"
        messy.write_text("a:1;# one\nb{c:2}\n")
        clean = "a: 1  # one\nb { c: 2 }\n"
        self.assertEqual(self.plait("fmt", messy), clean)
        self.assertEqual(self.plait("fmt", "-", stdin=messy.read_text()), clean)
        self.assertIn("messy.txtpb: plait fmt would change it", self.plait("fmt", "--check", messy, status=1))
        self.assertIn("messy.txtpb", self.plait("fmt", "--check", "job.txtpb", messy, status=1))
        self.assertEqual(self.plait("fmt", "--write", messy), "")
        self.assertEqual(messy.read_text(), clean)
        self.assertEqual(self.plait("fmt", "--check", messy, "job.txtpb"), "")

    def test_fmt_refuses_what_does_not_parse(self):
        broken = self.work / "broken.txtpb"
        broken.write_text("a {\n")
        self.assertIn("broken.txtpb:1:3: error: this { is never closed", self.plait("fmt", "--write", broken, status=1))
        self.assertEqual(broken.read_text(), "a {\n")

    # ------------------------------------------------------------------------------------------------ diff

    def run_job(self, name, *words):
        if not (self.work / name / "summary.json").exists():
            self.plait("run", "job.txtpb", "--run-dir", name, "--progress", "none", *words)
        return name

    def test_diff_of_equal_runs(self):
        said = self.plait("diff", self.run_job("run-a"), self.run_job("run-b"))
        self.assertIn("The jobs are the same.", said)
        self.assertIn("The weights are equal: ", said)

    def test_diff_of_other_settings(self):
        said = self.plait("diff", self.run_job("run-a"),
                          self.run_job("run-c", "--set", "optimizer.sgd.rate=0.002", "--set", "train.batch=2"))
        self.assertIn("  optimizer.sgd.rate: 0.001 vs 0.002\n", said)
        self.assertIn("  train.batch: 4 vs 2\n", said)
        self.assertEqual(said.count(" vs "), 2, said)
        self.assertRegex(said, r"steps +12 +24  \*\n")
        self.assertIn("The weights differ: 2 of 2 and 2 tensors have the same name and shape; the largest change", said)

    def test_diff_of_other_plugins(self):
        said = self.plait("diff", self.run_job("run-a"), self.run_job("run-d", "--set", "optimizer=adam{}", "--set",
                                                                     "layer[f1].name=g1"))
        self.assertIn("optimizer.sgd: {", said)
        self.assertIn("optimizer.adam: (not there) vs {", said)
        self.assertIn("layer[f1]: {", said)
        self.assertIn("layer[g1]: (not there) vs {", said)

    def test_diff_wants_runs(self):
        self.assertIn("is not the folder of a run", self.plait("diff", "run-x", "run-y", status=1))
        self.assertIn("wanted the folders of two runs", self.plait("diff", "run-x", status=2))

    def test_diff_of_a_damaged_run(self):
        self.run_job("run-a")
        copy = self.work / "damaged"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(self.work / "run-a", copy)
        summary = copy / "summary.json"
        good = summary.read_text()
        for damaged in ["[]", "7", "", good[:len(good) // 2], "[" * 200_000, good.replace('"identity": {', '"identity": 7, "x": {'),
                        '{"stages": {}}']:
            with self.subTest(summary=damaged[:20]):
                summary.write_text(damaged)
                for runs in [["run-a", "damaged"], ["damaged", "run-a"]]:
                    said = self.plait("diff", *runs, status=1)
                    self.assertIn("damaged/summary.json: ", said)
        summary.unlink()
        for make in [lambda: summary.symlink_to("/dev/zero"), lambda: os.mkfifo(summary), lambda: summary.mkdir()]:
            make()
            self.assertIn("damaged/summary.json: ", self.plait("diff", "run-a", "damaged", status=1))
            summary.rmdir() if summary.is_dir() else summary.unlink()
        self.assertIn("The weights are equal", self.plait("diff", "run-a", "damaged"))  # one that was killed has none
        weights = copy / "weights.safetensors"
        weights.write_bytes(weights.read_bytes()[:-1])
        self.assertIn("damaged/weights.safetensors: ", self.plait("diff", "run-a", "damaged", status=1))
        weights.unlink()
        self.assertIn("the weights are not there: damaged/weights.safetensors", self.plait("diff", "run-a", "damaged"))

    def test_diff_of_runs_of_stages_alone(self):
        (self.work / "words.txtpb").write_text(
            'stage { name: "words" source { text_lines { file: "text" } } count_words {} reducer { sum {} } }\n')
        for name, text in [("words-a", "to be or\n"), ("words-b", "to be so\n")]:
            (self.work / "text").write_text(text)
            self.plait("run", "words.txtpb", "--run-dir", name, "--progress", "none")
        said = self.plait("diff", "words-a", "words-b")
        self.assertRegex(said, r"stage words: sha256 +[0-9a-f]{16}\.\.\. +[0-9a-f]{16}\.\.\.  \*\n")
        self.assertNotIn("stage words: records", said)
        self.assertIn("Neither trains anything: there are no weights.", said)
        self.assertRegex(self.plait("diff", "words-a", "words-a"), r"stage words: sha256 +[0-9a-f]{16}\.\.\. +[0-9a-f]{16}\.\.\.\n")
        self.assertIn("words-a trains nothing, and has no weights", self.plait("diff", self.run_job("run-a"), "words-a"))

    # ------------------------------------------------------------------------------------------------ sweep

    def table(self, folder):
        with open(self.work / folder / "table.csv", newline="") as file:
            return list(csv.DictReader(file))

    def test_sweep_of_a_grid(self):
        said = self.plait("sweep", "job.txtpb", "--sweep-dir", "sweep-grid", "--var", "epochs=choice(1,4)", "--set",
                          "optimizer.sgd.rate=log(0.0001,0.01,2)", "--jobs", 2)
        rows = self.table("sweep-grid")
        self.assertEqual([row["run"] for row in sorted(rows, key=lambda row: row["run"])], ["001", "002", "003", "004"])
        self.assertEqual({(row["epochs"], row["optimizer.sgd.rate"]) for row in rows},
                         {("1", "0.0001"), ("4", "0.0001"), ("1", "0.01"), ("4", "0.01")})
        accuracies = [float(row["test accuracy"]) for row in rows]
        self.assertEqual(accuracies, sorted(accuracies, reverse=True))
        self.assertIn("test accuracy", said)
        for row in rows:
            self.assertEqual(row["status"], "complete")
            self.assertIn(f"rate: {row['optimizer.sgd.rate']}", (self.work / row["folder"] / "resolved.txtpb").read_text())
        self.assertIn("holds a sweep already", self.plait("sweep", "job.txtpb", "--sweep-dir", "sweep-grid", status=1))

    def test_sweep_of_whole_plugins_with_failures(self):
        crash = self.work / "crash.sh"
        crash.write_text('#!/bin/sh\ncase "$*" in *"rate:0.25"*) kill -SEGV $$ ;; esac\nexec "$@"\n')
        crash.chmod(0o755)
        said = self.plait("sweep", "job.txtpb", "--sweep-dir", "sweep-plugins", "--launcher", crash, "--set",
                          "optimizer=choice(sgd{rate:0.001},sgd{rate:0.25},adam{})")
        rows = self.table("sweep-plugins")
        status = {row["optimizer"]: row["status"] for row in rows}
        self.assertEqual(status["sgd{rate:0.001}"], "complete")
        self.assertEqual(status["adam{}"], "complete")
        self.assertIn("signal 11", status["sgd{rate:0.25}"])
        self.assertEqual([bool(row["test accuracy"]) for row in rows], [True, True, False])
        self.assertRegex(said, r"\[2/3\] 002  optimizer=sgd\{rate:0.25\}  failed: signal 11")
        self.assertIn("002 failed (signal 11", said)
        self.assertIn("its log: sweep-plugins/002/log.txt", said)

    def test_sweep_at_random(self):
        words = ["--random", 3, "--seed", 7, "--set", "optimizer.sgd.rate=log(0.0001,0.01)", "--var", "epochs=1"]
        self.plait("sweep", "job.txtpb", "--sweep-dir", "sweep-r1", *words)
        self.plait("sweep", "job.txtpb", "--sweep-dir", "sweep-r2", *words)
        rates = [{row["optimizer.sgd.rate"] for row in self.table(folder)} for folder in ["sweep-r1", "sweep-r2"]]
        self.assertEqual(len(rates[0]), 3)
        self.assertEqual(rates[0], rates[1])

    def test_sweep_finds_mistakes_before_it_runs(self):
        said = self.plait("sweep", "job.txtpb", "--sweep-dir", "sweep-x", "--set", "optimizer.sgd.rat=choice(1,2)", status=1)
        self.assertIn("--set:1:15: error", said)
        for words, status, wanted in [
                (["--set", "a=log(0,1,2)"], 2, "log begins above 0"),
                (["--set", "a=chioce(1,2)"], 2, "did you mean choice(...)?"),
                (["--set", "seed=1", "--set", "seed=choice(1,2)"], 2, "--set seed is given twice"),
                (["--set", "seed=choice(1,2)", "--jobs", "0"], 2, '--jobs: got "0", wanted a whole number from 1 to 65536'),
                (["--set", "optimizer=choice(sgd{rate:0.1},sgd{rate:-1})"], 1, "--set:1:20: error: sgd: rate: got -1"),
                (["--set", "layer[f1]=choice(dense{units:3},convolution{filters:3 kernel:9})"], 1,
                 "with layer[f1]=convolution{filters:3 kernel:9}: "),
                (["--set", "optimizer.sgd.rate=log(0.1,1)"], 2, "an interval has no grid"),
                (["--resume"], 1, "nothing to go on with"),
                (["--set", "seed=choice(1,2)", "--lock", "l", "--locked", "l"], 2, "wanted one of them")]:
            with self.subTest(words=words):
                self.assertIn(wanted, self.plait("sweep", "job.txtpb", "--sweep-dir", "sweep-x", *words, status=status))
        self.assertFalse((self.work / "sweep-x").exists())

    @unittest.skipIf(shutil.which("mpirun") is None, "there is no mpirun")
    def test_commands_of_one_process_are_refused_under_mpirun(self):
        for words, more in [(["sweep", "job.txtpb", "--sweep-dir", "sweep-ranks", "--set", "seed=choice(1,2)"],
                             ' (its runs: --launcher "mpirun -n 2")'),
                            (["fmt", "job.txtpb"], ""), (["check", "job.txtpb"], ""), (["bench", "job.txtpb"], "")]:
            with self.subTest(words=words):
                done = subprocess.run(["mpirun", "--oversubscribe", "-n", "2", "plait", *words], cwd=self.work, text=True,
                                      capture_output=True, timeout=60)
                self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
                wanted = f"plait: {words[0]}: got 2 ranks, which would each do all of it; wanted it without mpirun{more}"
                self.assertEqual([line for line in done.stderr.splitlines() if line.startswith("plait: ")], [wanted])
                self.assertEqual(done.stdout.strip(), "")
        self.assertFalse((self.work / "sweep-ranks").exists())
        done = subprocess.run(["mpirun", "-n", "1", "plait", "check", "job.txtpb"], cwd=self.work, capture_output=True, timeout=60)
        self.assertEqual(done.returncode, 0)

    def test_sweep_stops_and_goes_on(self):
        words = ["sweep", "job.txtpb", "--sweep-dir", "sweep-stopped", "--set", "seed=choice(1,2,3)", "--var",
                 "epochs=20000", "--set", "train.checkpoint_every=200"]
        with subprocess.Popen(["plait", *words], cwd=self.work, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT) as sweep:
            metrics = self.work / "sweep-stopped/001/metrics.jsonl"
            for _ in range(1000):
                if metrics.exists() or sweep.poll() is not None:
                    break
                time.sleep(0.01)
            self.assertRegex(self.plait(*words, "--resume", status=1), r"another sweep works in .*: pid \d+ on \S+, since ")
            sweep.send_signal(signal.SIGINT)
            said, _ = sweep.communicate(timeout=60)
        self.assertEqual(sweep.returncode, 75, said)
        self.assertIn("stopping: 1 running", said)
        self.assertIn("0 of 3 runs complete; to go on, the same command with --resume", said)
        self.assertEqual([row["status"] for row in self.table("sweep-stopped")], ["stopped"])
        self.assertIn("holds another sweep: set: got", self.plait(*words[:-4], "--resume", status=1))
        self.assertIn("--resume to go on", self.plait(*words, status=1))

    def test_sweep_goes_on_with_what_is_left(self):
        words = ["sweep", "job.txtpb", "--sweep-dir", "sweep-left", "--set", "seed=choice(1,2,3)"]
        once = self.work / "once.sh"
        once.write_text('#!/bin/sh\ncase "$*" in *seed=2*) [ -e mended ] || exit 9 ;; esac\nexec "$@"\n')
        once.chmod(0o755)
        self.plait(*words, "--launcher", "./once.sh")
        before = {row["run"]: row for row in self.table("sweep-left")}
        self.assertEqual(before["002"]["status"], "status 9")
        (self.work / "mended").touch()
        said = self.plait(*words, "--launcher", "./once.sh", "--resume")
        self.assertEqual(said.count("from before"), 2)
        after = {row["run"]: row for row in self.table("sweep-left")}
        self.assertEqual({row["status"] for row in after.values()}, {"complete"})
        for run in ["001", "003"]:
            self.assertEqual(after[run]["seconds"], before[run]["seconds"])

    def test_sweep_does_not_go_on_with_another_job(self):
        words = ["sweep", "changing.txtpb", "--sweep-dir", "sweep-changed", "--set", "seed=choice(1,2)"]
        (self.work / "changing.txtpb").write_text(JOB)
        self.plait(*words)
        (self.work / "changing.txtpb").write_text(JOB.replace("batch: 4", "batch: 8"))
        said = self.plait(*words, "--resume", status=1)
        self.assertIn('holds another sweep: job: train.batch: got "8", the folder has "4"', said)
        (self.work / "changing.txtpb").write_text(JOB + "# another comment\n")
        self.assertEqual(self.plait(*words, "--resume").count("from before"), 2)

    # ------------------------------------------------------------------------------------------------ repeat

    def test_a_repeat_is_checked_laid_out_run_and_replayed(self):
        text = JOB.replace('layer { name: "f1"', """var { name: "depth" value: 2 }
# Each wider than the one before.
repeat {
  count: $depth
  as: "i"  # 1, 2
  layer { name: "h${i}" dense { units: ${4 * i} } }
  layer { relu {} }
}
layer { name: "f1\"""").replace('input: "image" ', "")
        (self.work / "deep.txtpb").write_text(text)
        self.assertEqual(self.plait("fmt", "--check", "deep.txtpb"), "")
        shown = self.plait("check", "deep.txtpb", "--var", "depth=3", "--del", "layer[h1]", "--set",
                           "layer[h3].dense.units=5")
        self.assertRegex(shown, r"h2 +dense +\[4, 8\] f32 .*\n(.*\n)?h3 +dense +\[4, 5\] f32")
        self.assertNotIn("h1", shown)
        for name, file in [("run-deep", "deep.txtpb"), ("run-deep-again", "run-deep/resolved.txtpb")]:
            self.plait("run", file, "--run-dir", name, "--progress", "none")
        self.assertNotIn("repeat", (self.work / "run-deep/resolved.txtpb").read_text())
        self.assertIn("The weights are equal", self.plait("diff", "run-deep", "run-deep-again"))
        self.assertIn("deep.txtpb:11:10: error: repeat: count: got 1000000000, wanted an integer >= 0 and <= 100000",
                      self.plait("check", "deep.txtpb", "--var", "depth=1000000000", status=1))

    # ------------------------------------------------------------------------------------------------ words

    def test_words_that_nobody_wants(self):
        for words in [["--version", "x"], ["version", "x"], ["help", "run", "x"], ["help", "--man", "x"],
                      ["diff", "a", "b", "c"]]:
            self.assertRegex(self.plait(*words, status=2), "more words|too many words")

    # ------------------------------------------------------------------------------------------------ overwriting

    def test_what_a_command_reads_is_not_written_over(self):
        run = self.run_job("run-a")
        (self.work / "linked.txtpb").unlink(missing_ok=True)
        (self.work / "linked.txtpb").symlink_to("job.txtpb")
        (self.work / "in.csv").write_text(",".join("1" for _ in range(16)) + "\n")
        self.plait("doctor", "--lock", "good.lock")
        read = ["job.txtpb", "in.csv", "images", "good.lock", *(f"run-a/{file.name}" for file in (self.work / run).iterdir()
                                                                if file.is_file())]
        before = {name: (self.work / name).read_bytes() for name in read}
        new = ["run", "job.txtpb", "--progress", "none", "--run-dir", "over"]
        weights = "run-a/weights.safetensors"
        for words in [[*new, "--trace", "job.txtpb"], [*new, "--trace", "./linked.txtpb"], [*new, "--trace", "images"],
                      [*new, "--trace", "over/summary.json"], [*new, "--weights", weights, "--trace", weights],
                      [*new, "--locked", "good.lock", "--trace", "good.lock"], [*new, "--lock", "x.lock", "--trace", "x.lock"],
                      [*new, "--lock", "job.txtpb"], [*new, "--weights", weights, "--lock", weights],
                      ["check", "job.txtpb", "--lock", "linked.txtpb"], ["graph", "job.txtpb", "--lock", "job.txtpb"],
                      ["sweep", "job.txtpb", "--set", "seed=1", "--sweep-dir", "over", "--lock", "job.txtpb"],
                      ["try", "job.txtpb ! dense(3)", "--print", "--lock", "job.txtpb"],
                      ["evaluate", run, "--lock", "run-a/resolved.txtpb"],
                      ["predict", run, "--in", "in.csv", "--out", "in.csv"],
                      ["predict", run, "--in", "in.csv", "--out", "run-a/../in.csv"],
                      ["predict", run, "--in", "in.csv", "--out", "run-a/curve.csv"]]:
            with self.subTest(words=words):
                self.assertIn(": would be written over ", self.plait(*words, status=2))
                self.assertEqual({name: (self.work / name).read_bytes() for name in read}, before)
                self.assertFalse((self.work / "over").exists())
        self.plait("predict", run, "--in", "in.csv", "--out", "run-a/predicted.csv")
        self.plait("predict", run, "--in", "in.csv", "--out", "run-a/predicted.csv")
        (self.work / "run-a/predicted.csv").unlink()

    def test_what_a_pipeline_includes_is_not_written_over(self):
        text = (self.work / "job.txtpb").read_text()
        layer = next(line for line in text.splitlines() if line.startswith("layer"))
        (self.work / "part").mkdir()
        (self.work / "part/deeper.txtpb").write_text(layer + "\n")
        (self.work / "part/network.txtpb").write_text('include: "deeper.txtpb"\n')
        (self.work / "whole.txtpb").write_text(text.replace(layer, 'include: "$network"') +
                                               'var { name: "network" value: "part/network.txtpb" }\n')
        (self.work / "other.txtpb").write_text(layer + "\n")
        read = ["whole.txtpb", "other.txtpb", "part/network.txtpb", "part/deeper.txtpb"]
        before = {name: (self.work / name).read_bytes() for name in read}
        new = ["run", "whole.txtpb", "--progress", "none", "--run-dir", "over"]
        other = ["--var", "network=other.txtpb"]
        for words in [[*new, "--trace", "part/network.txtpb"], [*new, "--trace", "part/../part/deeper.txtpb"],
                      [*new, "--lock", "part/deeper.txtpb"], [*new, *other, "--trace", "other.txtpb"],
                      ["check", "whole.txtpb", "--lock", "part/network.txtpb"],
                      ["graph", "whole.txtpb", "--lock", "part/deeper.txtpb"]]:
            with self.subTest(words=words):
                self.assertIn(": would be written over a file that the pipeline includes; wanted a file that is nothing else",
                              self.plait(*words, status=2))
                self.assertEqual({name: (self.work / name).read_bytes() for name in read}, before)
                self.assertFalse((self.work / "over").exists())

    # ---------------------------------------------------------------------------------------- a pipe as the job

    def run_of_pipe(self, *words, status=0):
        """What `plait run PIPE` says, and how often somebody opened the pipe."""
        pipe = self.work / "pipe"
        pipe.unlink(missing_ok=True)
        os.mkfifo(pipe)
        process = subprocess.Popen(["plait", "run", "pipe", "--progress", "none", *map(str, words)], cwd=self.work, text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        # Opening waits for a reader; a second reader would wait for more until it gives up.
        with open(pipe, "w") as into:
            into.write((self.work / "job.txtpb").read_text())
        said = process.communicate(timeout=60)[0]
        self.assertEqual(process.returncode, status, said)
        return said

    def test_a_pipe_is_read_once_whatever_else_asks_for_the_job(self):
        self.run_job("as-file")
        wanted = (self.work / "as-file/weights.safetensors").read_bytes()
        said = self.run_of_pipe("--device", "auto", "--run-dir", "pipe-auto")
        self.assertIn("device plait.auto: plait.", said)
        if "device plait.auto: plait.cpu" in said:
            self.assertEqual((self.work / "pipe-auto/weights.safetensors").read_bytes(), wanted)
        self.run_of_pipe("--lock", "pipe.lock", "--run-dir", "pipe-lock")
        self.assertEqual((self.work / "pipe-lock/weights.safetensors").read_bytes(), wanted)
        self.assertIn("relu", (self.work / "pipe.lock").read_text())
        self.run_of_pipe("--locked", "pipe.lock", "--device", "auto", "--run-dir", "pipe-locked")
        self.assertIn("would be written over the pipeline file", self.run_of_pipe("--lock", "pipe", status=2))

    # ------------------------------------------------------------------------------------------------ the lock

    def test_every_command_that_loads_plugins_takes_a_lock(self):
        self.run_job("run-a")
        self.plait("check", "job.txtpb", "--lock", "all.lock")
        lines = (self.work / "all.lock").read_text().splitlines(True)
        self.assertGreater(len(lines), 20)
        (self.work / "less.lock").write_text("".join(lines[:-1]))
        missing = lines[-1].split()[3]
        commands = [["check", "job.txtpb"], ["graph", "job.txtpb"], ["inspect", "relu"], ["evaluate", "run-a"],
                    ["predict", "run-a", "--in", "test", "--out", "out.csv"],
                    ["run", "job.txtpb", "--progress", "none", "--run-dir", "run-{}"],
                    ["try", "data.txtpb ! dense(3)", "--progress", "none", "--run-dir", "try-{}"],
                    ["sweep", "job.txtpb", "--set", "seed=1", "--sweep-dir", "sweep-{}"]]
        for words in commands:
            with self.subTest(command=words[0]):
                self.plait(*[word.format("all") for word in words], "--locked", "all.lock")
                said = self.plait(*[word.format("less") for word in words], "--locked", "less.lock", status=1)
                self.assertIn(f'{missing}" (sha256 ', said)
                self.assertIn("is not in less.lock", said)
        self.assertFalse((self.work / "run-less").exists())

    # ------------------------------------------------------------------------------------------------ try

    def test_try_prints_the_file_it_stands_for(self):
        said = self.plait("try", "data.txtpb ! dense(8) ! relu ! dense(units=3) ! adam(rate=0.01) ! train(epochs=3)", "--print")
        self.assertNotIn("gone", said)
        self.assertNotIn("sgd", said)
        for line in ["layer { dense { units: 8 } }", "layer { relu {} }", "layer { dense { units: 3 } }",
                     "loss { softmax_cross_entropy {} }", "optimizer { adam { rate: 0.01 } }",
                     "train { shards: 2 local_steps: 2 batch: 4 epochs: 3 }"]:
            self.assertIn(line + "\n", said)
        (self.work / "printed.txtpb").write_text(said)
        self.assertEqual(self.plait("fmt", "--check", "printed.txtpb"), "")
        self.plait("check", "printed.txtpb")

    def test_try_keeps_the_order_of_a_file(self):
        said = self.plait("try", "data.txtpb ! dense(8) ! relu ! dense(3)", "--print").splitlines()
        self.assertEqual(said[0], "# plait try 'data.txtpb ! dense(8) ! relu ! dense(3)'")
        blocks = [line.split()[0] for line in said[1:] if line]
        self.assertEqual(blocks, ["source", "test", "preprocess", "layer", "layer", "layer", "loss", "metric", "optimizer",
                                  "train"])

    def test_try_trains(self):
        self.plait("try", "data.txtpb ! dense(3)", "--run-dir", "tried", "--progress", "none")
        self.assertTrue((self.work / "tried" / "weights.safetensors").exists())
        self.plait("try", "idx(images=images, labels=labels, classes=3) ! preprocess:normalize(mean=0, deviation=1) ! "
                   "dense(3) ! softmax_cross_entropy ! sgd(rate=0.001) ! train(shards=2, batch=4, epochs=1)",
                   "--run-dir", "tried-plugins", "--progress", "none")
        self.assertTrue((self.work / "tried-plugins" / "summary.json").exists())

    def test_try_knows_installed_pipelines(self):
        said = self.plait("try", "fashion_mnist ! convolution(filters=32, kernel=3) ! relu ! dense(10)", "--print")
        self.assertIn("layer { convolution { filters: 32 kernel: 3 } }", said)

    def test_try_says_what_is_wrong(self):
        for line, status, wanted in [
                ("data.txtpb ! dens(3)", 1, 'line:1:14: error: "dens" is neither'),
                ("data.txtpb ! dens(3)", 1, 'did you mean "dense"?'),
                ("fashion_mnst ! dense(3)", 1, 'did you mean "fashion_mnist"?'),
                ("data.txtpb ! dense(unit=3)", 1, 'did you mean "units"?'),
                ("data.txtpb ! dense(unit=3)", 1, "(lines are those of the file that --print shows)"),
                ("data.txtpb ! loss:dense(3)", 1, "line:1:19: error: dense is of the kind layer, which does not go into"),
                ("data.txtpb ! dense(3", 2, "line:1:19: error: this ( is never closed"),
                ("data.txtpb ! dense(3, 4)", 1, "write FIELD=4"),
                ("data.txtpb ! dense(units=3 initial=x)", 2, "fields are parted by commas"),
                ("data.txtpb ! dense(3) ! seed=5", 2, "--set seed=5")]:
            with self.subTest(line=line):
                self.assertIn(wanted, self.plait("try", line, status=status))
        self.assertIn("wanted a line", self.plait("try", status=2))

    def test_try_takes_types_of_strangers(self):
        said = self.plait("try", "data.txtpb ! [plait.dense](units=3) ! plait.relu", "--print")
        self.assertIn("layer { dense { units: 3 } }\nlayer { relu {} }\n", said)

    # ------------------------------------------------------------------------------------------------ doctor

    def test_doctor_of_a_sound_plait(self):
        said = self.plait("doctor")
        for words in ["oneTBB", "instructions", "mpirun", "fault tolerance", "plait_mpi.so", "dense", "All is well."]:
            self.assertIn(words, said)

    def test_doctor_names_what_a_killed_mpirun_left_behind(self):
        for name in ["ompi.999999999", f"ompi.{os.getpid()}", "ompi.5.old"]:
            (self.work / name).mkdir()
        with unittest.mock.patch.dict(os.environ, {"TMPDIR": str(self.work)}):
            said = self.plait("doctor")
        self.assertRegex(said, r"left behind +\S+/ompi.999999999 by an mpirun that was killed")

    def test_doctor_names_what_does_not_load(self):
        folder = self.work / "bad"
        folder.mkdir()
        (folder / "junk.plait.so").write_text("not a library")
        said = self.plait("doctor", "--plugin", folder, status=1)
        self.assertRegex(said, r"WRONG: .*junk\.plait\.so")
        self.assertIn("One thing is wrong.", said)
        self.assertIn("dense", said)

    def test_doctor_names_a_folder_that_anyone_may_write_to(self):
        folder = self.work / "open"
        folder.mkdir()
        folder.chmod(0o777)
        self.assertIn("anyone may write to it", self.plait("doctor", "--plugin", folder, status=1))

    def test_doctor_survives_plugins_that_crash_and_exit(self):
        folder = self.work / "crashing"
        folder.mkdir()
        for name, body in [("crash", "abort();"), ("leave", "_exit(3);")]:
            source = folder / f"{name}.c"
            source.write_text("#include <stdlib.h>\n#include <unistd.h>\n"
                              f"__attribute__((constructor)) static void begin(void) {{ {body} }}\n")
            subprocess.run(["cc", "-shared", "-fPIC", "-o", folder / f"{name}.plait.so", source], check=True)
        said = self.plait("doctor", "--plugin", folder, status=1)
        self.assertRegex(said, r"crash\.plait\.so\" crashes when it is loaded: SIGABRT")
        self.assertRegex(said, r"leave\.plait\.so\" ends the program with status 3")
        self.assertIn("2 things are wrong.", said)
        self.assertIn("dense", said)


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=1))
