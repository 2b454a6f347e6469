"""Sinks through the program: chosen by a file's ending or by a block, and what becomes of a file that cannot be written.

`sinks_test.py PLUGIN`: a stranger's sink, for .bars and for .csv.
"""
import collections
import csv
import hashlib
import io
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

PLUGIN = pathlib.Path(sys.argv.pop(1))
JOB = """
stage {{
  name: "words"
  source {{ text_lines {{ file: "{text}" }} }}
  count_words {{}}
  output: "{output}"
  {more}
}}
"""
TEXT = "to be or not to be\nthat is, \"the\" question | here\n" + "many more words " * 50 + "\n"


class SinksTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        self.text = self.folder / "text.txt"
        self.text.write_text(TEXT)
        self.counts = sorted(collections.Counter(TEXT.split()).items())

    def plait(self, *words, status=0, plugin=False, before=(), ranks=1):
        mpi = ["mpirun", "--oversubscribe", "-n", str(ranks)] if ranks > 1 else []
        more = ["--plugin", str(PLUGIN)] if plugin else []
        done = subprocess.run([*before, *mpi, "plait", *map(str, words), *more], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, timeout=200)
        self.assertEqual(done.returncode, status, done.stdout)
        return done.stdout

    def write(self, output, more=""):
        job = self.folder / "job.txtpb"
        job.write_text(JOB.format(text=self.text, output=output, more=more))
        return job

    def run_job(self, output, more="", run="run", **how):
        said = self.plait("run", self.write(output, more), "--run-dir", self.folder / run, "--progress", "plain", **how)
        return self.folder / run / output, said

    def test_the_ending_chooses(self):
        tsv, _ = self.run_job("words.tsv")
        self.assertEqual(tsv.read_text(), "".join(f"{word}\t{count}\n" for word, count in self.counts))
        table, _ = self.run_job("words.csv", run="csv")
        rows = list(csv.reader(io.StringIO(table.read_text())))
        self.assertEqual(rows, [["key", "value"], *([word, str(count)] for word, count in self.counts)])
        self.assertIn('sink { csv { utf8: false } }', (self.folder / "csv/resolved.txtpb").read_text())

    def test_the_summary_has_the_digest_of_the_file(self):
        table, _ = self.run_job("words.csv")
        stage, = json.loads((self.folder / "run/summary.json").read_text())["stages"]
        self.assertEqual(stage["sha256"], hashlib.sha256(table.read_bytes()).hexdigest())
        self.assertEqual(stage["results"], len(self.counts))

    def test_a_strangers_sink_has_its_own_ending(self):
        bars, _ = self.run_job("words.bars", plugin=True)
        wanted = "".join("{}|{}\n".format(word.replace("|", "\\|"), count) for word, count in self.counts)
        self.assertEqual(bars.read_text(), wanted)
        again, _ = self.run_job("words.bars", plugin=True, ranks=2, run="two")
        self.assertEqual(again.read_bytes(), bars.read_bytes())
        self.assertIn("acme.bars_sink", (self.folder / "run/plugins.lock").read_text())

    def test_of_two_sinks_of_one_ending_the_file_has_to_choose(self):
        said = self.plait("check", self.write("words.csv"), plugin=True, status=1)
        self.assertIn('both acme.bars and plait.csv write a file "words.csv"', said)
        self.assertIn("name one of them, as in: sink { [acme.bars] { } }", said)
        self.assertIn("job.txtpb:6:11", said)
        bars, _ = self.run_job("words.csv", "sink { [acme.bars] {} }", plugin=True)
        self.assertTrue(bars.read_text().startswith('"the"|1\n'))
        table, _ = self.run_job("words.csv", "sink { csv {} }", run="shipped", plugin=True)
        self.assertTrue(table.read_text().startswith("key,value\n"))
        # The resolved job says which.
        self.plait("run", self.folder / "run/resolved.txtpb", "--run-dir", self.folder / "again", "--progress", "none", plugin=True)
        self.assertEqual((self.folder / "again/words.csv").read_bytes(), bars.read_bytes())

    def test_a_sink_with_fields(self):
        self.text.write_bytes("caf\xe9 au lait\n".encode("utf-8") + b"plain\n")
        self.assertIn("caf\xe9,1\n", self.run_job("words.csv", "sink { csv { utf8: true } }")[0].read_text())
        self.assertIn('unknown field "utf9" of csv', self.plait("check", self.write("words.csv", "sink { csv { utf9: true } }"), status=1))

    def test_another_sink_is_another_job(self):
        self.run_job("words.csv", plugin=True, more="sink { csv {} }")
        said = self.plait("run", self.write("words.csv", "sink { [acme.bars] {} }"), "--run-dir", self.folder / "run", "--resume",
                          "--progress", "none", plugin=True, status=1)
        self.assertIn("stage[words].sink", said)

    # ---- files that cannot be written

    def test_a_sink_that_fails_leaves_nothing(self):
        table, said = self.run_job("words.bars", "sink { [acme.bars] { fail_after: 3 } }", plugin=True, status=1)
        self.assertIn('stage "words"', said)
        self.assertIn("acme.bars: was asked to fail after 3", said)
        self.assertFalse(table.exists())
        self.assertEqual([file.name for file in table.parent.iterdir() if "words" in file.name], [])

    def test_a_disk_that_is_full(self):
        # A limit on the size of files is a failed write, like a full disk.
        self.text.write_text("".join(f"w{i}\n" for i in range(60000)))
        limit = ["bash", "-c", 'ulimit -f 100; exec "$@"', "bash"]
        table, said = self.run_job("words.csv", before=limit, status=1)
        self.assertIn("words.csv", said)
        self.assertIn("File too large", said)
        self.assertFalse(table.exists())
        self.assertEqual([file.name for file in table.parent.iterdir() if "words" in file.name], [])

    def test_what_was_there_before_stays_when_a_sink_fails(self):
        table, _ = self.run_job("words.bars", plugin=True)
        before = table.read_bytes()
        job = self.write("words.bars", "sink { [acme.bars] { fail_after: 3 } }")
        self.plait("run", job, "--run-dir", self.folder / "run", "--resume", "--accept-change", "job", "--progress", "none",
                   plugin=True, status=1)
        self.assertEqual(table.read_bytes(), before)

    def test_arrays_that_a_sink_cannot_hold_are_refused_when_the_job_is_checked(self):
        (self.folder / "t.csv").write_text("a,b\n1,2\n3,4\n")
        job = self.folder / "arrays.txtpb"
        job.write_text(f'stage {{ name: "m" source {{ csv {{ file: "{self.folder}/t.csv" inputs: "1-2" }} }} '
                       'moments { part: "x" covariance: true } output: "m.npy" }\n')
        said = self.plait("check", job, status=1)
        self.assertIn("npy: a .npy file holds one array, got", said)
        self.assertIn("arrays.txtpb:1:", said)


if __name__ == "__main__":
    unittest.main(verbosity=2)
