"""Stages whose records are what the trained network makes of the job's own: the same bytes on any ranks and threads,
against predict and a computation by hand, kept on --resume, and what is refused."""
import json
import math
import shutil
import subprocess
import unittest

from outputs_test import CLASSES, NETWORK, PIXELS, RECORDS, OutputsBase

SCORES = 'stage {{ name: "scores" network {{ {records} }} collect {{}} split: 50 }}\n'
TABLE = 'stage {{ name: "table" network {{}} confusion {{ figures: true }} split: 64 }}\n'
NORMAL = 'from: "pixels"'


def predicted(scores):
    return [max(range(CLASSES), key=lambda c: (scores[n + c], -c)) for n in range(0, len(scores), CLASSES)]


class NetworkStagesTest(OutputsBase):
    def job(self, *stages, records="", normalize="scale: 1 mean: 127 deviation: 70", more=""):
        texts = [text.format(folder=self.folder, fields="per: channel", normalize=normalize, more=more, records=records)
                 for text in (*stages, NETWORK)]
        job = self.folder / "job.txtpb"
        job.write_text("".join(texts))
        return job

    def labels(self):
        return list((self.folder / "labels").read_bytes()[8:])

    def test_confusion_of_the_test_records_is_what_the_job_reports(self):
        self.run_job(self.job(SCORES, TABLE))
        shape, scores = self.arrays("scores.safetensors")["f1"]
        self.assertEqual(shape, [RECORDS, CLASSES])
        self.assertEqual(self.arrays("scores.safetensors")["label"], ([RECORDS], self.labels()))
        count = [[0] * CLASSES for _ in range(CLASSES)]
        for truth, said in zip(self.labels(), predicted(scores)):
            count[truth][said] += 1
        table = self.arrays("table.safetensors")
        self.assertEqual(table["count"], ([CLASSES, CLASSES], [one for row in count for one in row]))
        tested = json.loads((self.folder_run / "summary.json").read_text())["test"]["accuracy"]
        self.assertAlmostEqual(table["accuracy"][1][0], tested, delta=1e-12)
        right = sum(count[c][c] for c in range(CLASSES))
        self.assertAlmostEqual(tested, right / RECORDS, delta=1e-12)

    def test_the_scores_are_those_of_predict(self):
        self.run_job(self.job(SCORES))
        self.plait("predict", self.folder_run, "--in", "test", "--out", self.folder / "p.csv")
        lines = (self.folder / "p.csv").read_text().splitlines()[1:]
        self.assertEqual(len(lines), RECORDS)
        scores = self.arrays("scores.safetensors")["f1"][1]
        for n, line in enumerate(lines):
            for c, text in enumerate(line.split(",")[2:]):
                self.assertAlmostEqual(float(text), scores[n * CLASSES + c], delta=1e-6 * (1 + abs(scores[n * CLASSES + c])))

    def test_the_same_bytes_on_any_ranks_and_threads(self):
        mpi = shutil.which("mpirun") is not None
        inner = 'layer: "c1" layer: "f1" on: "train" weights: "best"'
        job = self.job(SCORES, TABLE, records=inner.replace('"train"', "train").replace('"best"', "best"))
        found = set()
        for ranks in (1, 2, 3, 4) if mpi else (1,):
            for threads in (1, 2):
                self.run_job(job, ranks=ranks, threads=threads)
                found.add(tuple((self.folder_run / f"{name}.safetensors").read_bytes() for name in ("scores", "table")))
        self.assertEqual(len(found), 1)
        shape, _ = self.arrays("scores.safetensors")["c1"]
        self.assertEqual(shape, [RECORDS - RECORDS // 5, 6, 6, 4])  # of training, without the fifth that is held out

    def test_a_stage_behind_such_a_stage_runs_after_training_too(self):
        spread = ('stage {{ name: "spread" from: "scores" array: "f1" moments {{ part: "f1" }} output: "spread.csv" }}\n')
        said = self.run_job(self.job(spread, SCORES, PIXELS, normalize=NORMAL))
        self.assertLess(said.index("stage pixels"), said.index("stage scores"))
        self.assertLess(said.index("stage scores"), said.index("stage spread"))
        scores = self.arrays("scores.safetensors")["f1"][1]
        lines = (self.folder_run / "spread.csv").read_text().splitlines()[1:]
        for c, line in enumerate(lines):
            mean = math.fsum(scores[c::CLASSES]) / RECORDS
            self.assertAlmostEqual(float(line.split(",")[0]), mean, delta=1e-9 * (1 + abs(mean)))
        # What runs after training is nothing that evaluation needs.
        (self.folder_run / "scores.safetensors").unlink()
        self.plait("evaluate", self.folder_run)

    def test_kept_where_the_weights_are_the_same(self):
        job = self.job(SCORES)
        self.run_job(job)
        first = (self.folder_run / "scores.safetensors").read_bytes()
        said = self.run_job(job, "--resume", fresh=False)
        self.assertRegex(said, "stage scores: .* is kept")
        said = self.run_job(job, "--resume", "--set", "train.epochs=4", fresh=False)
        self.assertNotEqual((self.folder_run / "scores.safetensors").read_bytes(), first)

    def test_kept_whatever_changes_in_stages_that_it_does_not_use(self):
        job = self.job(SCORES, TABLE, PIXELS, normalize=NORMAL)
        self.run_job(job)
        said = self.run_job(job, "--resume", "--set", "stage[pixels].split=10", "--accept-change", "job", fresh=False)
        for name in ("scores", "table"):
            self.assertRegex(said, f"stage {name}: .* is kept")
        self.assertNotRegex(said, "stage pixels: .* is kept")

    def test_what_the_summary_says_of_them(self):
        ranks = 2 if shutil.which("mpirun") else 1
        measured = 'stage {{ name: "measured" evaluate {{ on: test }} output: "measured.csv" }}\n'
        written = 'stage {{ name: "written" predict {{ on: test }} output: "written.npy" }}\n'
        self.run_job(self.job(measured, written, PIXELS, normalize=NORMAL), ranks=ranks)
        told = {stage["name"]: stage for stage in json.loads((self.folder_run / "summary.json").read_text())["stages"]}
        self.assertEqual({name: stage["results"] for name, stage in told.items()},
                         {"measured": len(told["measured"]["values"]), "written": RECORDS, "pixels": 1})
        self.assertEqual(told["written"]["bytes_shuffled"], ranks * RECORDS * CLASSES * 4 if ranks > 1 else 0)
        self.assertEqual(told["measured"]["bytes_shuffled"] > 0, ranks > 1)
        self.assertFalse([name for name, stage in told.items() if "bytes_held" in stage])

    def test_check_shows_it_and_refuses_what_cannot_be(self):
        self.assertIn("stage table: f1 [3] f32, label [] i32 -> confusion -> count [3, 3] i64, precision",
                      " ".join(self.plait("check", self.job(TABLE)).split()))
        stage = 'stage {{ name: "s" network {{ {records} }} collect {{}} {more} }}\n'
        for records, wanted in (('layer: "f9"', 'the network has no layer "f9"'),
                                ('layer: "f1" layer: "f1"', 'layer "f1" is named twice'),
                                ("on: nowhere", "nowhere")):
            self.refused(wanted, "job.txtpb:1:", job=self.job(stage, records=records))
        job = self.job(stage)
        text = job.read_text()
        job.write_text(text.replace("network {  }", 'network {} source { idx { images: "a" labels: "b" } }'))
        self.refused("a stage has a source, or reads another stage, or the network", job=job)
        job.write_text(text.replace("test {", "validation {").replace("validation { fraction: 0.2 }", ""))
        self.refused("the job has no test records for the network to be given", job=job)
        job.write_text(text[:text.index("\n") + 1])
        self.refused("the job has no network", job=job)
        circle = self.job('stage {{ name: "filters" network {{ layer: "f1" }} kmeans {{ k: 4 part: "f1" }} }}\n',
                          more='init { from: "filters" array: "centres" }')
        self.refused('stage "filters" waits for the trained network, and training uses it', job=circle)
        late = ('stage {{ name: "late" network {{ layer: "f1" }} moments {{ part: "f1" }} }}\n'
                'stage {{ name: "given" predict {{}} preprocess {{ normalize {{ from: "late" }} }} }}\n')
        self.refused('stage "late" waits for the trained network, and stage "given" prepares by it what the network reads',
                     job=self.job(late))


if __name__ == "__main__":
    unittest.main()
