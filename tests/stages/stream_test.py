"""Sources of unknown length: an epoch ends where the stream does, whoever reads it. `stream_test.py LIBRARY`"""
import os
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../distributed"))
import jobs  # noqa: E402

TRAINED = """
source { [test.stream] { @SOURCE@ } }
layer { name: "f" input: "x" dense { units: 2 } }
loss { input: "f" target: "label" softmax_cross_entropy {} }
optimizer { sgd { rate: 0.3 } }
schedule { field: "rate" cosine {} }
train { shards: 3 local_steps: 2 batch: 4 @LENGTH@ }
"""
COUNTED = 'stage { name: "s" source { [test.stream] { %s } } split: 16 histogram { part: "x" bins: 4 low: 0 high: 1 } }'


class Streams(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = temporary.name

    def train(self, source, length, name, ranks=0, check=True):
        job = TRAINED.replace("@SOURCE@", source).replace("@LENGTH@", length)
        return jobs.run(self.folder, job, name, ranks, words=["--plugin", PLUGIN], check=check)

    def test_an_epoch_ends_where_the_stream_does(self):
        known, _ = self.train("records: 101 known: true", "epochs: 3", "known")
        self.assertEqual(known["steps"], 25)  # 3 * 101 records, 12 a step
        for ranks in (0, 1, 2, 3):
            found, _ = self.train("records: 101", "epochs: 3", "found", ranks)
            self.assertEqual((found["steps"], found["weights_sha256"]), (25, known["weights_sha256"]))

    def test_a_fraction_of_a_stream_is_kept_apart(self):
        job = "epochs: 2 } validation { fraction: 0.2"
        known, _ = self.train("records: 101 known: true", job, "known")
        found, _ = self.train("records: 101", job, "found", 2)
        self.assertEqual(found["weights_sha256"], known["weights_sha256"])

    def test_a_stream_without_end(self):
        digests = set()
        for ranks in (0, 2, 3):
            summary, _ = self.train("records: -1", "steps: 20", "endless", ranks)
            self.assertEqual(summary["steps"], 20)
            digests.add(summary["weights_sha256"])
        # No more is looked at than training takes.
        more, _ = self.train("records: 240", "steps: 20", "enough")
        digests.add(more["weights_sha256"])
        self.assertEqual(len(digests), 1)
        with open(f"{self.folder}/counts", "w"):
            pass
        self.train(f'records: 5000 counted: "{self.folder}/counts"', "steps: 20", "counted")
        with open(f"{self.folder}/counts") as file:
            self.assertEqual(set(file.read().splitlines()), {"240 240"})
        for length in ("epochs: 2", "steps: 20 } validation { fraction: 0.5"):
            _, done = self.train("records: -1", length, "refused", check=False)
            self.assertEqual(done.returncode, 1)
            self.assertIn("goes on without end: wanted a source that ends, or, to train on, train { steps: ... }",
                          done.stderr)

    def test_a_stage_over_a_stream(self):
        outputs = set()
        for ranks in (0, 2, 3):
            summary, _ = jobs.run(self.folder, COUNTED % "records: 101" + "\n", "stage", ranks, words=["--plugin", PLUGIN])
            with open(f"{summary['folder']}/s.safetensors", "rb") as file:
                outputs.add(file.read())
        self.assertEqual(len(outputs), 1)

    def test_an_empty_stream(self):
        _, done = self.train("records: 0", "epochs: 1", "empty", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("has no records", done.stderr)


if __name__ == "__main__":
    PLUGIN = sys.argv.pop(1)
    unittest.main(verbosity=2)
