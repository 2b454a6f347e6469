"""What a command could not write ends it with status 1 and the system's words, whatever the command."""
import os
import subprocess
import sys
import tempfile
import unittest

here = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(here, "..", "distributed"))
import jobs  # noqa: E402

LIMIT_S = 100


class OutputTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = cls.temporary.name
        jobs.write_digits(cls.folder)
        cls.job = f"{cls.folder}/job.txtpb"
        with open(cls.job, "w") as out:
            out.write((jobs.CONVOLUTION % {"data": cls.folder}).replace("epochs: 3", "epochs: 1"))
        cls.done = cls.run_to(subprocess.DEVNULL, "run", cls.job, "--run-dir", f"{cls.folder}/run")
        with open(f"{cls.folder}/other.txtpb", "w") as out:
            out.write("train { shards: 3 }\n")

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    @classmethod
    def run_to(cls, stdout, *words, **more):
        return subprocess.run(["plait", *words], stdout=stdout, stderr=subprocess.PIPE, text=True, timeout=LIMIT_S,
                              cwd=cls.folder, **more)

    def commands(self):
        run, job = f"{self.folder}/run", self.job
        number = len(os.listdir(self.folder))
        return {
            "--help": ["--help"], "help": ["help", "run"], "run --help": ["run", "--help"], "--man": ["help", "--man"],
            "--version": ["--version"], "fmt": ["fmt", job], "graph": ["graph", job], "check": ["check", job],
            "inspect": ["inspect"], "inspect --json": ["inspect", "--json"], "inspect TYPE": ["inspect", "convolution"],
            "diff": ["diff", run, run], "doctor": ["doctor"], "evaluate": ["evaluate", run],
            "predict": ["predict", run, "--in", "test", "--out", f"{self.folder}/out{number}.csv"],
            "try": ["try", job + " ! dense(units=4)", "--print"], "verify": ["verify", "--laws"],
            "new": ["new", "layer", "acme.swish", "--dir", f"{self.folder}/new{number}"],
            "run": ["run", job, "--run-dir", f"{self.folder}/run{number}"], "bench": ["bench", job, "--seconds", "0.01"],
            "tune": ["tune", job, "--seconds", "0.01", "--turns", "1", "--out", f"{self.folder}/tuned{number}.txtpb"],
        }

    def test_a_full_disk(self):
        self.assertEqual(self.done.returncode, 0, self.done.stderr)
        for name, words in self.commands().items():
            with self.subTest(name), open("/dev/full", "w") as full:
                done = self.run_to(full, *words)
                self.assertEqual(done.returncode, 1, done.stderr)
                self.assertIn("standard output: write failed: No space left on device", done.stderr)

    def test_paths_of_any_bytes_reach_no_terminal_as_they_are(self):
        strange = f"{self.folder}/e\x1b[31mvil\u202e"
        files = {"plait.so": b"\x7fELF", "txtpb": b"seed: 1 seed: 1\n", "safetensors": b"", "csv": b"1,2\n"}
        for end, content in files.items():
            with open(f"{strange}.{end}", "wb") as out:
                out.write(content)
        for words in [
                ["verify", f"{strange}.plait.so"], ["inspect", f"{strange}.plait.so"], ["fmt", f"{strange}.txtpb"],
                ["fmt", "--check", f"{strange}.txtpb"], ["check", f"{strange}.txtpb"], ["graph", f"{strange}.txtpb"],
                ["check", self.job, "--plugin", f"{strange}.plait.so"], ["evaluate", strange], ["diff", strange, strange],
                ["run", self.job, "--run-dir", f"{strange}.run"], ["evaluate", f"{strange}.run"],
                ["diff", f"{strange}.run", f"{strange}.run"], ["run", self.job, "--weights", f"{strange}.safetensors"],
                ["predict", f"{strange}.run", "--in", "test", "--out", f"{strange}.out.csv"],
                ["predict", f"{strange}.run", "--in", f"{strange}.csv", "--out", f"{strange}.2.csv"],
                ["new", "layer", "acme.swish", "--dir", f"{strange}.new"], [f"{strange}"], ["help", f"{strange}"]]:
            with self.subTest(words=words):
                done = self.run_to(subprocess.PIPE, *words)
                for character in "\x1b\u202e":
                    self.assertNotIn(character, done.stdout + done.stderr)

    def test_an_output_that_is_closed(self):
        for name in ("--help", "run --help", "graph", "inspect", "try"):
            with self.subTest(name):
                done = subprocess.run(["sh", "-c", 'exec "$@" >&-', "sh", "plait", *self.commands()[name]],
                                      stderr=subprocess.PIPE, text=True, timeout=LIMIT_S)
                self.assertEqual(done.returncode, 1, done.stderr)
                self.assertIn("standard output: write failed", done.stderr)

    def test_a_reader_that_has_gone(self):
        read, write = os.pipe()
        os.close(read)
        done = self.run_to(write, "inspect")
        os.close(write)
        self.assertNotEqual(done.returncode, 0)

    def test_files_that_cannot_be_written(self):
        for words in (["inspect", "--markdown", f"{self.job}/docs"], ["doctor", "--lock", f"{self.job}/lock"],
                      ["inspect", "--lock", f"{self.job}/lock"], ["new", "layer", "acme.swish", "--dir", f"{self.job}/new"]):
            with self.subTest(" ".join(words)):
                done = self.run_to(subprocess.DEVNULL, *words)
                self.assertEqual(done.returncode, 1, done.stderr)
                self.assertRegex(done.stderr, "Not a directory|File exists")


if __name__ == "__main__":
    unittest.main()
