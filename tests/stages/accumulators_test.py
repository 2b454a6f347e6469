"""Stages whose tasks fill accumulators, through the program: against Python's own arithmetic, on ranks and threads, in
every kind of file."""
import array
import collections
import fractions
import json
import math
import os
import pathlib
import random
import shutil
import struct
import subprocess
import tempfile
import unittest

LIMIT_S = 100
RECORDS, HEIGHT, WIDTH, CLASSES = 700, 5, 4, 3
JOB = """
stage {{
  name: "numbers"
  source {{ idx {{ images: "{images}" labels: "{labels}" classes: 3 }} }}
  {task}
  {more}
}}
"""
TYPES = {"<f8": "d", "<f4": "f", "<i8": "q", "F64": "d", "F32": "f", "I64": "q", "I32": "i"}


def values(kind, data):
    found = array.array(TYPES[kind])
    found.frombytes(data)
    return list(found)


def read_safetensors(data):
    (size,) = struct.unpack("<Q", data[:8])
    head, body = json.loads(data[8:8 + size]), data[8 + size:]
    head.pop("__metadata__", None)
    return {name: (spec["shape"], values(spec["dtype"], body[slice(*spec["data_offsets"])])) for name, spec in head.items()}


def read_npy(data):
    (size,) = struct.unpack("<H", data[8:10])
    head = eval(data[10:10 + size])  # as the format has it: a Python literal
    return list(head["shape"]), values(head["descr"], data[10 + size:])


class AccumulatorsTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        draw = random.Random(11)
        self.images = [[draw.randrange(256) for _ in range(HEIGHT * WIDTH)] for _ in range(RECORDS)]
        self.labels = [draw.randrange(CLASSES) for _ in range(RECORDS)]
        (self.folder / "images").write_bytes(struct.pack(">4I", 0x803, RECORDS, HEIGHT, WIDTH) +
                                             b"".join(bytes(image) for image in self.images))
        (self.folder / "labels").write_bytes(struct.pack(">2I", 0x801, RECORDS) + bytes(self.labels))

    def plait(self, *words, ranks=1, status=0):
        before = ["mpirun", "--oversubscribe", "-n", str(ranks)] if ranks > 1 else []
        done = subprocess.run([*before, "plait", *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=LIMIT_S)
        self.assertEqual(done.returncode, status, done.stdout)
        return done.stdout

    def write_job(self, task, more="split: 50"):
        job = self.folder / "job.txtpb"
        job.write_text(JOB.format(images=self.folder / "images", labels=self.folder / "labels", task=task, more=more))
        return job

    def run_job(self, task, more="split: 50", file="numbers.safetensors", run="run", **how):
        shutil.rmtree(self.folder / run, ignore_errors=True)
        threads = how.pop("threads", 1)
        self.plait("run", self.write_job(task, more), "--run-dir", self.folder / run, "--progress", "plain", "--threads", threads,
                   **how)
        return (self.folder / run / file).read_bytes()

    def columns(self):
        return list(zip(*self.images))

    # ---- the same bytes, and the right ones

    def test_the_same_bytes_for_any_ranks_and_threads(self):
        mpi = shutil.which("mpirun") is not None
        tasks = ["moments { covariance: true }", "class_counts { classes: 3 }", "histogram { low: 0 high: 256 bins: 8 }",
                 "kmeans { k: 4 iterations: 5 }", "pca { components: 5 whiten: zca epsilon: 1 }"]
        for task in tasks:
            first = self.run_job(task)
            for ranks in (1, 2, 3, 4) if mpi else (1,):
                for threads in (1, 2):
                    with self.subTest(task=task, ranks=ranks, threads=threads):
                        self.assertEqual(self.run_job(task, ranks=ranks, threads=threads), first)

    def test_rows_beyond_the_memory_are_the_same_file(self):
        many = 60000
        draw = random.Random(3)
        data = draw.randbytes(many * HEIGHT * WIDTH)
        (self.folder / "images").write_bytes(struct.pack(">4I", 0x803, many, HEIGHT, WIDTH) + data)
        (self.folder / "labels").write_bytes(struct.pack(">2I", 0x801, many) + bytes(byte % 3 for byte in draw.randbytes(many)))
        centres = ('}\nstage { name: "near" source { idx { images: "%s" } } nearest { from: "centres" k: 2 } split: 500 MEMORY }\n'
                   'stage { name: "centres" source { idx { images: "%s" } } kmeans { k: 3 iterations: 2 } ' %
                   ((self.folder / "images",) * 2))
        run = self.folder / "run"
        small = "memory: 1048576"  # of 1.4 MB and 1.9 MB of rows

        def files(memory, ranks=1, threads=1):
            shutil.rmtree(run, ignore_errors=True)
            job = self.write_job("collect {}", memory + " split: 700 " + centres.replace("MEMORY", memory))
            self.plait("run", job, "--run-dir", run, "--threads", threads, ranks=ranks)
            stages = {stage["name"]: stage for stage in json.loads((run / "summary.json").read_text())["stages"]}
            for name in ("numbers", "near"):
                self.assertEqual(stages[name]["bytes_spilled"] > 0, bool(memory), name)
            return (run / "numbers.safetensors").read_bytes(), (run / "near.safetensors").read_bytes()

        whole = files("")
        found = read_safetensors(whole[1])
        self.assertEqual((found["index"][0], found["distance"][0]), ([many, 2], [many, 2]))
        self.assertIn(data, whole[0])
        for ranks in (1, 2, 3, 4) if shutil.which("mpirun") is not None else (1,):
            for threads in (1, 2):
                with self.subTest(ranks=ranks, threads=threads):
                    self.assertEqual(files(small, ranks=ranks, threads=threads), whole)
        job = self.write_job("collect {}", small + " split: 60000")
        shutil.rmtree(run)
        self.assertIn("that one split makes take more than the stage's memory, 1048576 bytes; a smaller split has fewer",
                      self.plait("run", job, "--run-dir", run, status=1))
        job = self.write_job("collect {}", small)
        os.environ["TMPDIR"] = str(self.folder / "no")
        self.addCleanup(os.environ.pop, "TMPDIR")
        shutil.rmtree(run, ignore_errors=True)
        self.assertIn(str(self.folder / "no"), self.plait("run", job, "--run-dir", run, status=1))
        self.assertFalse((run / "numbers.safetensors").exists())

    def test_moments_are_those_of_exact_arithmetic(self):
        found = read_safetensors(self.run_job("moments { covariance: true }"))
        columns = self.columns()
        mean = [fractions.Fraction(sum(column), RECORDS) for column in columns]
        for i, column in enumerate(columns):
            variance = sum((v - mean[i]) ** 2 for v in column) / RECORDS
            # A few roundings of double: far below 1e-13.
            self.assertAlmostEqual(found["mean"][1][i] / float(mean[i]), 1, delta=1e-14)
            self.assertAlmostEqual(found["deviation"][1][i] / math.sqrt(variance), 1, delta=1e-13)
            self.assertEqual(found["minimum"][1][i], min(column))
            self.assertEqual(found["maximum"][1][i], max(column))
            for j, other in enumerate(columns):
                covariance = sum((a - mean[i]) * (b - mean[j]) for a, b in zip(column, other)) / RECORDS
                self.assertAlmostEqual(found["covariance"][1][i * len(columns) + j], float(covariance), delta=1e-9)
        self.assertEqual(found["covariance"][0], [len(columns)] * 2)

    def test_counts_of_classes_and_of_values(self):
        shape, counts = read_npy(self.run_job("class_counts { classes: 3 }", 'output: "counts.npy"', "counts.npy"))
        wanted = collections.Counter(self.labels)
        self.assertEqual((shape, counts), ([3], [wanted[label] for label in range(3)]))
        text = self.run_job("histogram { low: 0 high: 256 bins: 8 }", 'output: "bins.csv"', "bins.csv").decode()
        rows = [line.split(",") for line in text.splitlines()]
        place = rows[0].index("count")
        bins = collections.Counter(v // 32 for image in self.images for v in image)
        # What lies below and above has a line too: nothing, of bytes.
        self.assertEqual([int(row[place]) for row in rows[1:]], [0, *(bins[i] for i in range(8)), 0])

    def test_kmeans_ends_where_nothing_moves(self):
        found = read_safetensors(self.run_job("kmeans { k: 4 iterations: 100 }"))
        shape, flat = found["centres"]
        self.assertEqual(shape, [4, HEIGHT * WIDTH])
        centres = [flat[i * HEIGHT * WIDTH:(i + 1) * HEIGHT * WIDTH] for i in range(4)]
        members = collections.defaultdict(list)
        for image in self.images:
            members[min(range(4), key=lambda k: sum((a - b) ** 2 for a, b in zip(image, centres[k])))].append(image)
        self.assertEqual(found["count"][1], [len(members[k]) for k in range(4)])
        for k, centre in enumerate(centres):
            for a, column in zip(centre, zip(*members[k])):
                self.assertAlmostEqual(a, sum(column) / len(column), delta=1e-3)

    def test_a_summary_has_passes_and_tasks(self):
        self.run_job("moments {}", ranks=2 if shutil.which("mpirun") else 1)
        (stage,) = json.loads((self.folder / "run" / "summary.json").read_text())["stages"]
        self.assertEqual(stage["records"], RECORDS)
        self.assertEqual(sum(stage["tasks_by_rank"]), 14)
        self.assertGreaterEqual(stage["passes"], 1)
        self.assertEqual(stage["pairs"], 0)

    # ---- what is told meanwhile

    def test_passes_are_told_while_they_run(self):
        """Of kmeans each pass but the last, in every form of progress."""
        job = self.write_job("kmeans { k: 4 iterations: 5 }")

        def told(progress):
            done = subprocess.run(["plait", "run", job, "--run-dir", self.folder / progress, "--progress", progress, "--threads",
                                   "1"], stdout=subprocess.PIPE, timeout=LIMIT_S)
            self.assertEqual(done.returncode, 0, done.stdout)
            return done.stdout.decode()  # as it is: a bar returns to the beginning of its line

        events = [json.loads(line) for line in told("json").splitlines()]
        passes = [event for event in events if event["event"] == "task_pass"]
        (stage,) = json.loads((self.folder / "json" / "summary.json").read_text())["stages"]
        self.assertGreater(stage["passes"], 2)
        self.assertEqual([event["pass"] for event in passes], list(range(1, stage["passes"])))
        for event in passes:
            self.assertEqual((event["name"], event["records"]), ("numbers", RECORDS))
            self.assertGreaterEqual(event["seconds"], 0)
        # Each is drawn over the one before, and the line of the stage over the last.
        drawn = [text.split("\x1b[K")[0] for text in told("bar").split("\r")]
        wanted = [f"stage numbers: pass {number}, {RECORDS} records in " for number in range(1, stage["passes"])]
        self.assertEqual([text[:len(wanted[0])] for text in drawn if ": pass " in text], wanted)
        lines = told("plain").splitlines()
        self.assertEqual([line[:len(wanted[0])] for line in lines if ": pass " in line], wanted)

    def test_resumed_arrays_are_kept_until_something_they_are_made_from_changes(self):
        self.run_job("moments {}")
        job = self.folder / "job.txtpb"
        text = self.plait("run", job, "--run-dir", self.folder / "run", "--progress", "plain", "--resume")
        self.assertIn("numbers.safetensors is kept", text)

    # ---- wrong input

    def refuses(self, wanted, task, more="split: 50", command="check"):
        text = self.plait(command, self.write_job(task, more), status=1)
        self.assertIn(wanted, text)

    def test_what_cannot_be_is_said_at_its_place(self):
        self.refuses("fills accumulators, and emits no pairs that a reducer could take", "moments {}", "reducer { sum {} }")
        self.refuses("fills accumulators, and emits no pairs that a combiner could take", "moments {}",
                     "combiner { partial_sum {} }")
        self.refuses("npy: a .npy file holds one array, got", "moments {}", 'output: "moments.npy"')
        self.refuses("csv: a table cannot hold", "kmeans { k: 2 }", 'output: "centres.csv"')
        self.refuses("weights.safetensors", "moments {}", 'output: "weights.safetensors"')
        self.refuses("../moments.csv", "moments {}", 'output: "../moments.csv"')
        self.refuses("something", "moments { part: \"something\" }")

    def test_a_pass_too_many_is_refused_by_name(self):
        text = self.plait("check", self.write_job("kmeans { k: 60000 }"), status=1)
        self.assertIn("records, wanted at least k, 60000", text)
        text = self.plait("run", self.write_job("kmeans { k: 2 iterations: 50 }", "passes: 3"), "--run-dir", self.folder / "r",
                          status=1)
        self.assertIn("asks for another pass after 3, and passes is 3", text)
        self.assertFalse((self.folder / "r" / "numbers.safetensors").exists())

    def test_a_label_out_of_range_is_named(self):
        text = self.plait("run", self.write_job("class_counts { classes: 2 }"), "--run-dir", self.folder / "r", status=1)
        self.assertIn("record", text)
        self.assertEqual(text.count("plait: "), 1)


if __name__ == "__main__":
    unittest.main()
