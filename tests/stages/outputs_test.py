"""Stages that use what other stages make, and training that does: records from arrays, normalize by a stage's moments,
layers that begin with a stage's arrays."""
import json
import pathlib
import random
import re
import shutil
import struct
import subprocess
import tempfile
import unittest

from accumulators_test import read_safetensors

LIMIT_S = 100
RECORDS, EDGE, CLASSES = 300, 8, 3
SOURCE = 'idx {{ images: "{folder}/images" labels: "{folder}/labels" classes: 3 }}'
PIXELS = 'stage {{ name: "pixels" source {{ ' + SOURCE + ' }} moments {{ {fields} }} split: 64 }}\n'
FILTERS = ('stage {{ name: "filters" source {{ ' + SOURCE + ' }} preprocess {{ crop {{ size: 3 }} }}\n'
           '  preprocess {{ normalize {{ from: "pixels" }} }} kmeans {{ k: 4 iterations: 4 }} split: 64 }}\n')
NETWORK = '''
source {{ ''' + SOURCE + ''' }}
validation {{ fraction: 0.2 }}
test {{ ''' + SOURCE + ''' }}
preprocess {{ normalize {{ {normalize} }} }}
layer {{ name: "c1" input: "image" {more} convolution {{ filters: 4 kernel: 3 }} }}
layer {{ name: "flat" flatten {{}} }}
layer {{ name: "f1" dense {{ units: 3 }} }}
loss {{ input: "f1" target: "label" softmax_cross_entropy {{}} }}
metric {{ input: "f1" target: "label" accuracy {{}} }}
optimizer {{ sgd {{ rate: 0.05 }} }}
train {{ shards: 4 local_steps: 3 batch: 8 epochs: 3 }}
'''
INIT = 'frozen: true init { from: "filters" array: "centres" }'


class OutputsBase(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        draw = random.Random(5)
        images = b"".join(bytes(draw.randrange(256) for _ in range(EDGE * EDGE)) for _ in range(RECORDS))
        (self.folder / "images").write_bytes(struct.pack(">4I", 0x803, RECORDS, EDGE, EDGE) + images)
        (self.folder / "labels").write_bytes(struct.pack(">2I", 0x801, RECORDS) +
                                             bytes(draw.randrange(CLASSES) for _ in range(RECORDS)))
        self.folder_run = self.folder / "run"

    def plait(self, *words, ranks=1, status=0):
        before = ["mpirun", "--oversubscribe", "-n", str(ranks)] if ranks > 1 else []
        done = subprocess.run([*before, "plait", *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=LIMIT_S)
        self.assertEqual(done.returncode, status, done.stdout)
        return done.stdout

    def write(self, *texts, fields="per: channel", normalize='from: "pixels"', more=""):
        job = self.folder / "job.txtpb"
        job.write_text("".join(text.format(folder=self.folder, fields=fields, normalize=normalize, more=more) for text in texts))
        return job

    def run_job(self, job, *more, run="run", fresh=True, threads=1, **how):
        if fresh:
            shutil.rmtree(self.folder / run, ignore_errors=True)
        return self.plait("run", job, "--run-dir", self.folder / run, "--progress", "plain", "--threads", threads, *more, **how)

    def arrays(self, file, run="run"):
        return read_safetensors((self.folder / run / file).read_bytes())

    def digest(self, run="run"):
        return json.loads((self.folder / run / "summary.json").read_text())["weights_sha256"]

    def refused(self, *words, job, command=("check",)):
        said = self.plait(*command, job, status=1)
        for word in words:
            self.assertIn(word, said)
        return said


class OutputsTest(OutputsBase):
    # ---- used

    def test_normalize_by_a_stage_is_normalize_by_its_numbers(self):
        self.run_job(self.write(PIXELS, NETWORK))
        by_stage = self.digest()
        found = self.arrays("pixels.safetensors")
        mean, deviation = found["mean"][1][0], found["deviation"][1][0]
        self.run_job(self.write(NETWORK, normalize=f"scale: 1 mean: {mean!r} deviation: {deviation!r}"))
        self.assertEqual(self.digest(), by_stage)
        # Written after what uses it, and per element.
        self.run_job(self.write(NETWORK, PIXELS))
        self.assertEqual(self.digest(), by_stage)
        self.run_job(self.write(PIXELS, NETWORK, fields=""))
        self.assertNotEqual(self.digest(), by_stage)

    def test_the_same_bits_on_any_ranks_and_threads(self):
        mpi = shutil.which("mpirun") is not None
        job = self.write(NETWORK, FILTERS, PIXELS, more=INIT)
        self.run_job(job)
        first = self.digest(), (self.folder_run / "filters.safetensors").read_bytes()
        for ranks in (1, 2, 3, 4) if mpi else (1,):
            for threads in (1, 2):
                with self.subTest(ranks=ranks, threads=threads):
                    self.run_job(job, ranks=ranks, threads=threads)
                    self.assertEqual((self.digest(), (self.folder_run / "filters.safetensors").read_bytes()), first)

    def test_a_frozen_layer_keeps_what_it_began_with(self):
        self.run_job(self.write(PIXELS, FILTERS, NETWORK, more=INIT))
        weights = self.arrays("weights.safetensors")["c1.weight"]
        self.assertEqual(weights[0], [4, 1, 3, 3])
        self.assertEqual(weights[1], self.arrays("filters.safetensors")["centres"][1])

    def test_rows_of_a_stage_are_records_of_another(self):
        spread = 'stage {{ name: "spread" from: "filters" array: "centres" moments {{ part: "centres" }} output: "spread.csv" }}\n'
        said = self.run_job(self.write(spread, FILTERS, PIXELS))
        self.assertLess(said.index("stage pixels"), said.index("stage filters"))
        self.assertLess(said.index("stage filters"), said.index("stage spread"))
        shape, centres = self.arrays("filters.safetensors")["centres"]
        self.assertEqual(shape, [4, 9])
        lines = (self.folder_run / "spread.csv").read_text().splitlines()
        means = [float(line.split(",")[0]) for line in lines[1:]]
        for i, mean in enumerate(means):
            self.assertAlmostEqual(mean, sum(centres[i::9]) / 4, delta=1e-12)

    def test_nearest_finds_the_clusters_that_kmeans_counted(self):
        clusters = 'stage {{ name: "clusters" source {{ ' + SOURCE + ' }} kmeans {{ k: 5 iterations: 3 }} split: 64 }}\n'
        near = 'stage {{ name: "near" source {{ ' + SOURCE + ' }} nearest {{ from: "clusters" {fields} }} split: 32 }}\n'
        mpi = shutil.which("mpirun") is not None
        first = None
        for ranks in (1, 2, 3, 4) if mpi else (1,):
            for threads in (1, 2):
                with self.subTest(ranks=ranks, threads=threads):
                    self.run_job(self.write(near, clusters, fields="k: 2"), ranks=ranks, threads=threads)
                    made = (self.folder_run / "near.safetensors").read_bytes()
                    first = first or made
                    self.assertEqual(made, first)
        (shape, index), (_, distance) = (self.arrays("near.safetensors")[name] for name in ("index", "distance"))
        self.assertEqual(shape, [RECORDS, 2])
        found = self.arrays("clusters.safetensors")
        self.assertEqual([index[::2].count(row) for row in range(5)], found["count"][1])
        self.assertAlmostEqual(sum(d * d for d in distance[::2]) / found["inertia"][1][0], 1, delta=1e-6)
        self.assertTrue(all(a <= b for a, b in zip(distance[::2], distance[1::2])))
        self.refused("job.txtpb:", 'centres of stage "clusters" has 5 rows, wanted at least k, 6',
                     job=self.write(near, clusters, fields="k: 6"))
        self.refused('count of stage "clusters" is [5], wanted rows of the 64 elements of part "image"',
                     job=self.write(near, clusters, fields='array: "count"'))

    def test_a_run_evaluates_and_predicts_where_its_data_are_not(self):
        job = self.write(PIXELS, FILTERS, NETWORK, more=INIT)
        self.run_job(job)
        tested = json.loads((self.folder_run / "summary.json").read_text())["test"]["accuracy"]
        said = self.plait("evaluate", self.folder_run)
        self.assertIn(f"{tested:.4f}", said)
        moved = self.folder / "moved"
        shutil.copytree(self.folder_run, moved)
        (self.folder / "some.csv").write_text((",".join(["7"] * EDGE * EDGE) + "\n") * 2)
        self.plait("predict", self.folder_run, "--in", self.folder / "some.csv", "--out", self.folder / "here.csv")
        for gone in ("images", "labels"):
            (self.folder / gone).unlink()
        self.plait("predict", moved, "--in", self.folder / "some.csv", "--out", self.folder / "there.csv")
        self.assertEqual((self.folder / "here.csv").read_text(), (self.folder / "there.csv").read_text())
        kept = moved / "pixels.safetensors"
        kept.write_bytes(kept.read_bytes()[:-1] + b"\1")
        said = self.plait("predict", moved, "--in", self.folder / "some.csv", "--out", self.folder / "x.csv", status=1)
        self.assertIn('pixels.safetensors is not what stage "pixels" wrote', said)
        kept.unlink()
        said = self.plait("predict", moved, "--in", self.folder / "some.csv", "--out", self.folder / "x.csv", status=1)
        self.assertIn('pixels.safetensors is not there: it holds the arrays of stage "pixels"', said)

    def test_resumed_a_stage_is_made_again_where_what_it_uses_is_another(self):
        stages = PIXELS, FILTERS
        self.run_job(self.write(*stages))
        before = (self.folder_run / "filters.safetensors").read_bytes()
        said = self.run_job(self.write(*stages), "--resume", fresh=False)
        self.assertEqual(said.count("kept"), 2, said)
        said = self.run_job(self.write(*stages, fields=""), "--resume", fresh=False, status=1)
        self.assertIn("mean of stage \"pixels\" is [64]", said)
        # The pixels' own fields are the same, their data are not: another deviation, so other filters.
        data = bytearray((self.folder / "images").read_bytes())
        data[16:16 + 4000] = bytes(4000)
        (self.folder / "images").write_bytes(data)
        said = self.run_job(self.write(*stages), "--resume", "--accept-change", "data", fresh=False)
        self.assertEqual(said.count("kept"), 0, said)
        self.assertNotEqual((self.folder_run / "filters.safetensors").read_bytes(), before)

    def test_training_goes_on_after_a_stop_with_the_bits_of_one_that_was_not(self):
        job = self.write(PIXELS, FILTERS, NETWORK, more='init { from: "filters" array: "centres" }')
        self.run_job(job)
        whole = self.digest()
        self.run_job(job, "--max-steps", 3)
        self.run_job(job, "--resume", fresh=False)
        self.assertEqual(self.digest(), whole)

    # ---- checked and shown

    def test_check_and_graph_know_what_stages_will_make(self):
        job = self.write(NETWORK, FILTERS, PIXELS, more=INIT)
        said = self.plait("check", job)
        self.assertIn("stage filters: image [3, 3, 1] f32, label [] i32 -> kmeans -> centres [4, 9] f32", said)
        self.assertIn("c1", self.plait("check", "--no-data", job))
        drawn = self.plait("graph", job).partition("digraph")[2]
        self.assertIn("filters.safetensors", drawn)
        clusters = dict(re.findall(r"cluster_(\d+) {\s+label=\"(\w+)\"", drawn))
        edges = re.findall(r"s(\d+)_\d+ -> s(\d+)_0 \[style=dashed\]", drawn)
        self.assertEqual({(clusters[a], clusters[b]) for a, b in edges},
                         {("pixels", "filters"), ("pixels", "train"), ("filters", "train"), ("train", "test")})
        self.assertFalse(self.folder_run.exists())
        self.run_job(job)
        first = self.digest()
        again = self.folder / "again.txtpb"
        shutil.copy(self.folder_run / "resolved.txtpb", again)
        self.run_job(again)
        self.assertEqual(self.digest(), first)

    # ---- refused

    def test_what_no_stage_makes_is_told_with_its_place(self):
        self.refused("job.txtpb:", 'no stage is named "pixel"', 'did you mean "pixels"?',
                     job=self.write(PIXELS, NETWORK, normalize='from: "pixel"'))
        self.refused("job.txtpb:", 'no stage is named "pixels"', "the file has no stage", job=self.write(NETWORK))
        self.refused('stage "filters" makes no array "mean", only: centres, count, inertia', ', with stage "filters" (', "job.txtpb:2:1)",
                     job=self.write(PIXELS, FILTERS, NETWORK, normalize='from: "filters"'))
        self.refused("job.txtpb:", 'mean of stage "pixels" is [64], wanted [1]', ', with stage "pixels" (', "job.txtpb:1:1)",
                     job=self.write(PIXELS, FILTERS, fields=""))
        words = 'stage {{ name: "words" source {{ text_lines {{ file: "{folder}/labels" }} }} count_words {{}} }}\n'
        self.refused(', with stage "words" (', "job.txtpb:1:1)", 'stage "words" makes no array "mean", only: key, key_end, value',
                     job=self.write(words, NETWORK, normalize='from: "words"'))

    def test_circles_and_outputs_that_keep_nothing(self):
        circle = ('stage {{ name: "a" from: "b" moments {{ part: "mean" }} }}\n'
                  'stage {{ name: "b" from: "c" moments {{ part: "mean" }} }}\n'
                  'stage {{ name: "c" from: "a" moments {{ part: "mean" }} }}\n')
        self.refused("job.txtpb:", "in a circle: a -> b -> c -> a", job=self.write(circle))
        self.refused("in a circle: a -> a", job=self.write('stage {{ name: "a" from: "a" moments {{ part: "mean" }} }}\n'))
        self.refused('the arrays of stage "pixels" are used, and its output "pixels.csv" cannot keep them',
                     job=self.write(PIXELS.replace("split: 64", 'output: "pixels.csv"'), NETWORK))
        self.refused("a stage has a source, or reads another stage, or the network: one of them",
                     job=self.write(PIXELS, FILTERS.replace("kmeans", 'from: "pixels" kmeans')))
        self.refused('arrays are of the stage that "from" names',
                     job=self.write(PIXELS.replace("split", 'array: "x" split')))

    def test_arrays_that_are_no_records(self):
        of = lambda more: self.write(PIXELS, FILTERS, 'stage {{ name: "s" from: "filters" ' + more + ' }}\n')
        self.refused('stage "filters": there is no array "center"', "centres [4, 9] f32",
                     job=of('array: "center" moments {{ part: "center" }}'))
        self.refused('stage "filters": array inertia [] f64 is a single number', job=of('moments {{ part: "centres" }}'))

    def test_layers_and_arrays_that_do_not_fit(self):
        of = lambda init: self.write(PIXELS, FILTERS, NETWORK, more="init { " + init + " }")
        self.refused("job.txtpb:", 'array count [4] i64 of stage "filters" (', 'job.txtpb:2:1) does not fit c1.weight [4, 1, 3, 3]',
                     job=of('from: "filters" array: "count"'))
        self.refused('stage "filters" (', 'job.txtpb:2:1) makes no array "weight"', job=of('from: "filters"'))
        self.refused('layer "c1" has no "wieght", only: weight, bias', job=of('from: "filters" array: "centres" parameter: "wieght"'))
        self.refused('"weight" of a layer begins with two things',
                     job=of('from: "filters" array: "centres" } init { from: "filters" array: "centres"'))
        self.refused('init says 0 things that a parameter begins with, wanted one', job=of('array: "centres"'))


if __name__ == "__main__":
    unittest.main()
