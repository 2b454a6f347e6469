"""Stages that run tasks, through the program: against Python's own counting, on ranks and threads, spilled and not."""
import collections
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "distributed"))
import jobs  # noqa: E402

LIMIT_S = 100
JOB = """
stage {{
  name: "words"
  source {{ text_lines {{ file: "{text}" max_bytes: 4096 }} }}
  {task}
  {more}
}}
"""


def words_of(text):
    """As count_words has it: white space of ASCII parts words, nothing else."""
    return text.translate({code: " " for code in b"\t\r\n\v\f"}).split(" ")


class StagesTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        draw = random.Random(7)
        lines = []
        for _ in range(6000):
            lines.append(" ".join(f"w{int(draw.paretovariate(0.8)) % 20000}" for _ in range(draw.randrange(12))))
        lines += ["naïve Ünicode words", "\ttab\tand  two spaces ", "", "The the THE"]
        self.text = self.folder / "text.txt"
        self.text.write_text("\n".join(lines) + "\n")
        self.counts = collections.Counter(word for word in words_of(self.text.read_text()) if word)

    def write_job(self, task="count_words {}", more="", text=None):
        job = self.folder / "job.txtpb"
        job.write_text(JOB.format(text=text or self.text, task=task, more=more))
        return job

    def plait(self, *words, ranks=1, status=0, environment=None):
        before = ["mpirun", "--oversubscribe", "-n", str(ranks)] if ranks > 1 else []
        done = subprocess.run([*before, "plait", *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=LIMIT_S, env={**os.environ, **(environment or {})})
        self.assertEqual(done.returncode, status, done.stdout)
        return done.stdout

    def run_job(self, job, *more, run="run", **how):
        return self.plait("run", job, "--run-dir", self.folder / run, "--progress", "plain", *more, **how)

    def table(self, run="run", name="words.tsv"):
        return (self.folder / run / name).read_bytes()

    def summary(self, run="run"):
        return json.loads((self.folder / run / "summary.json").read_text())

    def wanted(self, counts):
        rows = sorted((word.encode(), count) for word, count in counts.items())
        return b"".join(word + b"\t" + str(count).encode() + b"\n" for word, count in rows)

    # --------------------------------------------------------------------------------------------- the same bytes

    def test_counts_are_right_and_the_same_for_any_ranks_threads_and_memory(self):
        job = self.write_job()
        wanted = self.wanted(self.counts)
        mpi = shutil.which("mpirun") is not None
        for ranks in (1, 2, 3, 4) if mpi else (1,):
            for threads in (1, 2):
                for memory in (1 << 30, 1 << 20):
                    run = f"run{ranks}_{threads}_{memory}"
                    self.run_job(job, "--threads", threads, "--set", f"stage[words].memory={memory}",
                                 "--set", "stage[words].split=500", run=run, ranks=ranks)
                    self.assertEqual(self.table(run), wanted, run)
                    told = self.summary(run)["stages"][0]
                    self.assertEqual(told["pairs"], sum(self.counts.values()))
                    self.assertEqual(told["results"], len(self.counts))
                    self.assertEqual(told["records"], 6004)
                    self.assertEqual(sum(told["tasks_by_rank"]), 13)
                    self.assertEqual(told["bytes_shuffled"] > 0, ranks > 1)
        if not mpi:
            self.skipTest("one rank alone was tried: there is no mpirun")

    def test_without_a_combiner_what_exceeds_the_memory_is_spilled(self):
        job = self.write_job(more="reducer { concatenate {} } memory: 1048576", task="[plait.count_words] {}")
        said = self.plait("check", job, status=1)
        self.assertIn("bytes", said)  # concatenate joins bytes, and these are numbers
        job = self.write_job(more="reducer { distinct_count {} } memory: 1048576")
        self.run_job(job)
        self.assertEqual(self.table(), self.wanted({word: 1 for word in self.counts}))
        self.assertGreater(self.summary()["stages"][0]["bytes_spilled"], 0)

    def test_the_table_of_a_csv_and_the_fields_of_the_task(self):
        job = self.write_job(task="count_words { lower_case: true }", more='output: "w.csv"')
        self.run_job(job)
        rows = self.table(name="w.csv").decode().splitlines()
        self.assertEqual(rows[0], "key,value")
        self.assertIn("the,3", rows)

    def test_before_training(self):
        jobs.write_digits(self.folder, records=64, seed=5)
        network = jobs.HEAD % {"data": str(self.folder)} + """
layer { name: "f" dense { units: 4 } }
optimizer { sgd { rate: 0.01 } }
train { shards: 2 local_steps: 2 batch: 8 epochs: 1 }
"""
        job = self.folder / "both.txtpb"
        job.write_text(self.write_job().read_text() + network)
        self.assertIn("stage words: text [<=4096] u8 -> count_words -> i64", self.plait("check", job))
        self.run_job(job)
        self.assertEqual(self.table(), self.wanted(self.counts))
        self.assertGreater(self.summary()["rounds"], 0)
        alone = self.folder / "alone.txtpb"
        alone.write_text(network)
        self.run_job(alone, run="alone")
        self.assertEqual(self.summary()["weights_sha256"], self.summary("alone")["weights_sha256"])
        self.assertIn("words.tsv is kept", self.run_job(job, "--resume"))

    def test_a_reducer_of_keys_does_not_train(self):
        jobs.write_digits(self.folder, records=64, seed=5)
        job = self.folder / "wrong.txtpb"
        job.write_text(jobs.HEAD % {"data": str(self.folder)} + """
layer { name: "f" dense { units: 4 } }
optimizer { sgd { rate: 0.01 } }
reducer { top_k {} }
""")
        self.assertIn("the reducer top_k is for values by key", self.plait("check", job, status=1))
        job.write_text(job.read_text().replace("top_k", "top_n"))
        for words in ([], ["--set", "reducer.top_m.k=1"]):
            said = self.plait("check", job, *words, status=1)
            self.assertIn("possible here: geometric_median, krum, mean, median, ", said)
            self.assertNotIn("top_k", said)

    def test_a_graph_shows_the_stages(self):
        drawn = self.plait("graph", self.write_job())
        for word in ("text_lines", "count_words", "partial_sum", "sum", "words.tsv"):
            self.assertIn(word, drawn)

    # -------------------------------------------------------------------------------------------------- kept

    def test_resumed_a_table_is_kept_until_something_it_is_made_from_changes(self):
        job = self.write_job()
        self.run_job(job)
        before = (self.folder / "run/words.tsv").stat().st_mtime_ns
        self.assertIn("holds a run already", self.run_job(job, status=1))
        self.assertIn("words.tsv is kept", self.run_job(job, "--resume"))
        self.assertEqual((self.folder / "run/words.tsv").stat().st_mtime_ns, before)
        self.assertTrue(self.summary()["stages"][0]["kept"])
        with self.text.open("a") as text:
            text.write("another line\n")
        self.assertIn("data: stage[words].source.text_lines.file was ", self.run_job(job, "--resume", status=1))
        self.assertNotIn("is kept", self.run_job(job, "--resume", "--accept-change", "data"))
        self.counts.update(["another", "line"])
        self.assertEqual(self.table(), self.wanted(self.counts))
        (self.folder / "run/words.tsv").write_text("somebody's\t1\n")
        self.assertNotIn("is kept", self.run_job(job, "--resume"))
        self.assertEqual(self.table(), self.wanted(self.counts))
        changed = "--set", "stage[words].count_words.lower_case=true"
        self.assertIn("stage[words].count_words", self.run_job(job, "--resume", *changed, status=1))
        self.run_job(job, "--resume", *changed, "--accept-change", "job")
        self.assertIn(b"the\t3\n", self.table())

    def test_a_stopped_stage_leaves_nothing_and_goes_on(self):
        big = self.folder / "big.txt"
        with big.open("w") as text:
            for i in range(1_500_000):
                text.write(f"word{i} word{i % 1000} another{i % 77}\n")
        job = self.write_job(text=big)
        words = ["plait", "run", str(job), "--run-dir", str(self.folder / "run"), "--threads", "1"]
        process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.kill)
        for line in process.stdout:
            if line.startswith("stage words"):
                break
        time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        process.stdout.read()
        status = process.wait(LIMIT_S)
        process.stdout.close()
        said = self.plait("run", job, "--run-dir", self.folder / "never", "--max-time", "0.000001", status=75)
        self.assertIn("nothing was written; begin it again, without --resume", said)
        self.assertFalse((self.folder / "never").exists())
        self.assertIn(status, (75, 0))  # 0: it was quicker
        if status == 75:
            self.assertFalse((self.folder / "run/words.tsv").exists())
        self.run_job(job, "--resume")
        self.assertEqual(len(self.table().splitlines()), 1_500_000 + 1000 + 77 - 1000)

    # ------------------------------------------------------------------------------------------------ wrong input

    def refuses(self, text, *more, command="check", **job):
        said = self.plait(command, self.write_job(**job), *more, status=1)
        self.assertIn(text, said)
        return said

    def test_what_cannot_be_is_said_at_its_place(self):
        self.refuses("plugin of kind task", task="")
        self.refuses("is for the shards of training", more="reducer { mean {} }")
        # Reducers that could be here, and no others.
        of_keys = "concatenate, distinct_count, first, maximum, minimum, sum, top_k"
        for block in ("reducer { }", "reducer { zzz {} }", "reducer { relu {} }"):
            self.refuses(f"possible here: {of_keys}\n", more=block)
        self.assertNotIn("median", self.refuses('unknown reducer "medain"', more="reducer { medain {} }"))
        for output in ["../words.tsv", "a/words.tsv", ".words.tsv", "curve.csv"]:
            self.refuses(f'the output "{output}" is no name of a file for the run\'s folder', more=f'output: "{output}"')
        self.refuses("makes pairs of a key and a value, and the sink npy writes none", more='output: "words.npy"')
        self.refuses('no sink that is loaded writes a file "words.xlsx"', more='output: "words.xlsx"')
        self.refuses("endings that there are: .csv, .npy, .png, .safetensors, .tsv", more='output: "words"')
        self.refuses('the sink csv writes .csv, and the output is "words.tsv"', more='output: "words.tsv" sink { csv {} }')
        self.refuses('"count_words" is a task, not a sink', more="sink { count_words {} }")
        self.refuses("job.txtpb:", more='preprocess { count_words {} }')
        said = self.plait("check", self.write_job(text=self.folder / "missing.txt"), status=1)
        self.assertIn("missing.txt", said)
        empty = self.folder / "empty.txt"
        empty.write_text("")
        self.assertIn("no lines", self.plait("check", self.write_job(text=empty), status=1))
        job = self.folder / "two.txtpb"
        job.write_text(self.write_job().read_text() * 2)
        said = self.plait("check", job, status=1)
        self.assertIn('two stages are named "words"', said)
        self.assertNotIn("two stages write", said)
        job.write_text('stage { name: "a" count_words {} }')
        self.assertIn("has no source of records", self.plait("check", job, status=1))

    def test_names_of_stages_that_cannot_be(self):
        job = self.folder / "named.txtpb"
        text = self.write_job().read_text()
        for name, told in [(" ", "is blank"), ("-x", "begins with a dash"), ("x" * 201, "is longer than 200 bytes")]:
            job.write_text(text.replace('name: "words"', f'name: "{name}"'))
            self.assertIn(f'the stage\'s name "{name}" {told}', self.plait("check", job, status=1))
        self.refuses("has 201 bytes, wanted a name of at most 200", more=f'output: "{"x" * 197}.tsv"')
        longest = self.write_job(more=f'output: "{"x" * 196}.tsv"')
        self.run_job(longest)

    def test_blocks_of_training_in_a_job_that_trains_nothing(self):
        job = self.folder / "blocks.txtpb"
        text = self.write_job().read_text()
        for block in ["validation { fraction: 0.1 }", "preprocess { normalize {} }", "augment { normalize {} }",
                      "metric { accuracy {} }", "schedule { cosine {} }"]:
            job.write_text(text + block + "\n")
            name = block.split()[0]
            self.assertIn(f'"{name}" is of training, and the job has no layer to train', self.plait("check", job, status=1))
            self.assertIn("is of training", self.plait("run", job, "--run-dir", self.folder / "blocks", status=1))

    def test_a_record_that_is_bad_is_left_out_and_told(self):
        with self.text.open("ab") as text:
            text.write(b"caf\xe9 au lait\nlast line\n")
        self.counts.update(["last", "line"])
        said = self.run_job(self.write_job())
        self.assertEqual(self.table(), self.wanted(self.counts))
        self.assertEqual(self.summary()["stages"][0]["skipped_records"], 1)
        self.assertIn("bad records are left out; the first:", said)

    def test_records_that_are_all_bad_are_no_empty_table(self):
        self.text.write_bytes(b"caf\xe9\nth\xe9\n")
        said = self.run_job(self.write_job(), status=1)
        self.assertIn('stage "words": all 2 records are bad; the first:', said)
        self.assertFalse((self.folder / "run/words.tsv").exists())

    def test_a_folder_for_spilled_pairs_that_is_not_there(self):
        job = self.write_job(more="reducer { distinct_count {} } memory: 1048576")
        said = self.run_job(job, status=1, environment={"TMPDIR": str(self.folder / "no")})
        self.assertIn(str(self.folder / "no"), said)
        self.assertFalse((self.folder / "run/words.tsv").exists())

    def test_commands_that_want_a_network_say_so(self):
        job = self.write_job()
        self.run_job(job)
        for words in [["evaluate", self.folder / "run"],
                      ["predict", self.folder / "run", "--in", self.text, "--out", self.folder / "out.csv"]]:
            self.assertIn("has no layer, and so no network", self.plait(*words, status=1))
        self.plait("check", job)
        self.plait("check", job, "--no-data")
        self.assertIn("trains nothing", self.plait("run", job, "--run-dir", self.folder / "w", "--weights", "x.safetensors",
                                                   status=2))
        job.write_text(job.read_text() + 'metric { input: "image" accuracy {} }\n')
        self.assertIn('"metric" is of training, and the job has no layer to train', self.plait("check", job, status=1))


if __name__ == "__main__":
    unittest.main(verbosity=2)
