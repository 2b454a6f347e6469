"""A trained network put to use: its folder on another machine, weights of others, inputs as other programs write them."""
import json
import math
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
import unittest

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, "..", "distributed"))
import jobs  # noqa: E402

JOB = """
source { idx { images: "digits/images" labels: "digits/labels" classes: 4 } }
validation { fraction: 0.2 }
test { idx { images: "digits/images" labels: "digits/labels" classes: 4 limit: 100 } }
preprocess { normalize { mean: 0.4 deviation: 0.3 } }
layer { name: "c" input: "image" convolution { filters: 3 kernel: 3 stride: 2 bias: false } }
layer { name: "bn" batch_norm {} }
layer { name: "r" relu {} }
layer { name: "flat" flatten {} }
layer { name: "f" dense { units: 4 } }
loss { input: "f" target: "label" softmax_cross_entropy {} }
metric { input: "f" target: "label" accuracy {} }
optimizer { sgd { rate: 0.05 momentum: 0.9 } }
train { shards: 2 local_steps: 5 batch: 8 epochs: 1 }
"""
PIXELS = 144


def plait(*words, status=0, cwd=None, text_in=None):
    """Runs it; returns all that it says."""
    done = subprocess.run(["plait", *map(str, words)], capture_output=True, text=True, timeout=100, cwd=cwd,
                          input=text_in)
    said = done.stdout + done.stderr
    if done.returncode != status:
        raise AssertionError(f"plait {' '.join(map(str, words))}: status {done.returncode}, wanted {status}\n{said}")
    return said


def safetensors(tensors):
    """The bytes of a file of {name: (dtype, shape, data)}."""
    header, data = {}, b""
    for name, (dtype, shape, content) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def read_safetensors(path):
    with open(path, "rb") as file:
        content = file.read()
    size = struct.unpack("<Q", content[:8])[0]
    header, data = json.loads(content[8:8 + size]), content[8 + size:]
    header.pop("__metadata__", None)
    return {name: (one["dtype"], one["shape"], data[one["data_offsets"][0]:one["data_offsets"][1]])
            for name, one in header.items()}


def npy(dtype, shape, data):
    """The bytes of a .npy file."""
    header = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + data


def write(path, content):
    with open(path, "wb") as file:
        file.write(content if isinstance(content, bytes) else content.encode())
    return path


def read(path):
    with open(path, "rb") as file:
        return file.read()


class Use(unittest.TestCase):
    """One trained run, whose folder the tests copy."""

    @classmethod
    def setUpClass(cls):
        cls.held = tempfile.TemporaryDirectory()
        cls.home = os.path.realpath(cls.held.name)
        os.makedirs(f"{cls.home}/job/digits")
        jobs.write_digits(f"{cls.home}/job/digits", records=200)
        cls.job = write(f"{cls.home}/job/job.txtpb", JOB)
        cls.run_dir = f"{cls.home}/run"
        plait("run", cls.job, "--run-dir", cls.run_dir, "--progress", "none", "--threads", 1, cwd="/")
        images = read(f"{cls.home}/job/digits/images")[16:]
        cls.pixels = images[:5 * PIXELS]
        cls.rows = [",".join(str(byte) for byte in images[i * PIXELS:(i + 1) * PIXELS]) for i in range(5)]

    @classmethod
    def tearDownClass(cls):
        cls.held.cleanup()

    def setUp(self):
        held = tempfile.TemporaryDirectory()
        self.addCleanup(held.cleanup)
        self.work = os.path.realpath(held.name)

    def copy(self):
        return shutil.copytree(self.run_dir, f"{self.work}/copy")

    def predict(self, text, *more, run=None, status=0, name="in.csv"):
        """What is said, and the lines of the predictions."""
        write(f"{self.work}/{name}", text)
        said = plait("predict", run or self.run_dir, "--in", f"{self.work}/{name}", "--out", f"{self.work}/out.csv", *more,
                     status=status)
        lines = []
        if status == 0:
            lines = read(f"{self.work}/out.csv").decode().splitlines()
            os.remove(f"{self.work}/out.csv")
        return said, lines

    # ---- the folder of a run, elsewhere and damaged

    def test_predicts_where_the_data_are_not(self):
        _, wanted = self.predict("\n".join(self.rows))
        copy = self.copy()
        os.rename(f"{self.home}/job/digits", f"{self.home}/job/hidden")
        try:
            _, got = self.predict("\n".join(self.rows), run=copy)
            self.assertEqual(got, wanted)
            self.assertEqual(len(got), 6)
            said = plait("evaluate", copy, status=1)
            self.assertIn(f"{self.home}/job/digits/images", said)
        finally:
            os.rename(f"{self.home}/job/hidden", f"{self.home}/job/digits")

    def test_refuses_weights_of_another_run(self):
        for name, which in (("weights.safetensors", "last"), ("checkpoints/best.safetensors", "best")):
            copy = self.copy()
            content = bytearray(read(f"{copy}/{name}"))
            content[-2] ^= 1
            write(f"{copy}/{name}", bytes(content))
            for said in (plait("evaluate", copy, "--weights", which, status=1),
                         self.predict(self.rows[0], "--weights", which, run=copy, status=1)[0]):
                self.assertIn(f"{copy}/{name}: its weights have the SHA-256 ", said)
            self.assertIn("accuracy", plait("evaluate", copy, "--weights", f"{copy}/{name}"))
            shutil.rmtree(copy)

    def test_says_that_weights_without_a_summary_are_taken_unchecked(self):
        copy = self.copy()
        os.remove(f"{copy}/summary.json")
        for name, which in (("weights.safetensors", "last"), ("checkpoints/best.safetensors", "best")):
            wanted = f"plait: note: {copy}/{name}: taken unchecked: there is no {copy}/summary.json that says which weights"
            for said in (plait("evaluate", copy, "--weights", which),
                         self.predict(self.rows[0], "--weights", which, run=copy)[0]):
                self.assertIn(wanted, said)
        self.assertIn("accuracy", plait("evaluate", copy))
        self.assertNotIn("unchecked", plait("evaluate", copy, "--weights", f"{copy}/weights.safetensors"))
        self.assertNotIn("unchecked", plait("evaluate", self.run_dir))

    def test_refuses_weights_that_are_no_numbers(self):
        tensors = read_safetensors(f"{self.run_dir}/weights.safetensors")
        dtype, shape, content = tensors["f.weight"]
        for bad in (math.nan, math.inf):
            tensors["f.weight"] = (dtype, shape, content[:-4] + struct.pack("<f", bad))
            spoilt = write(f"{self.work}/spoilt.safetensors", safetensors(tensors))
            for said in (plait("evaluate", self.run_dir, "--weights", spoilt, status=1),
                         self.predict(self.rows[0], "--weights", spoilt, status=1)[0],
                         plait("run", self.job, "--weights", spoilt, "--run-dir", f"{self.work}/new", status=1)):
                self.assertIn("f.weight: value ", said)
                self.assertIn("wanted finite numbers", said)

    def test_refuses_a_damaged_record_of_the_input(self):
        copy = self.copy()
        text = read(f"{copy}/input.json").decode()
        for changed in (text.replace("12", "13", 1), text[:-20], "{}", "[" * 100000):
            write(f"{copy}/input.json", changed)
            said, _ = self.predict(self.rows[0], run=copy, status=1)
            self.assertIn(f"{copy}/input.json", said)

    # ---- paths

    def resolved(self, *words, cwd=None, text_in=None):
        run_dir = f"{self.work}/run-{len(os.listdir(self.work))}"
        plait("run", *words, "--run-dir", run_dir, "--progress", "none", "--threads", 1, "--max-steps", 5, cwd=cwd,
              text_in=text_in)
        return read(f"{run_dir}/resolved.txtpb").decode()

    def test_a_path_is_relative_to_whoever_wrote_it(self):
        shutil.copytree(f"{self.home}/job/digits", f"{self.work}/part/digits")
        shutil.copytree(f"{self.home}/job/digits", f"{self.work}/here/digits")
        part = JOB.replace("digits/", "$data/")
        write(f"{self.work}/part/part.txtpb", 'var { name: "data" value: "digits" }\n' + part)
        outer = write(f"{self.work}/outer.txtpb", 'include: "part/part.txtpb"\n')
        self.assertIn(f'images: "{self.work}/part/digits/images"', self.resolved(outer, cwd="/"))
        self.assertIn(f'images: "{self.work}/here/../part/digits/images"',
                      self.resolved("../outer.txtpb", cwd=f"{self.work}/here"))
        given = self.resolved(outer, "--var", "data=./digits", cwd=f"{self.work}/here")
        self.assertIn(f'images: "{self.work}/here/digits/images"', given)
        one_set = self.resolved(outer, "--set", "test.idx.images=digits/images", cwd=f"{self.work}/here")
        self.assertIn(f'images: "{self.work}/here/digits/images"', one_set)
        self.assertIn(f'images: "{self.work}/part/digits/images"', one_set)
        piped = self.resolved("/dev/stdin", cwd=f"{self.work}/here", text_in=JOB)
        self.assertIn(f'images: "{self.work}/here/digits/images"', piped)

    def test_an_error_says_what_was_looked_for(self):
        os.makedirs(f"{self.work}/a/b")
        job = write(f"{self.work}/a/job.txtpb", JOB)
        said = plait("run", "../job.txtpb", "--run-dir", f"{self.work}/x", cwd=f"{self.work}/a/b", status=1)
        self.assertIn(f"{self.work}/a/", said)
        self.assertIn("digits/images", said)
        said = plait("run", job, "--set", "source.idx.images=gone", "--run-dir", f"{self.work}/x", cwd=f"{self.work}/a/b",
                     status=1)
        self.assertIn(f"{self.work}/a/b/gone", said)

    def test_a_resolved_job_replays_anywhere(self):
        copy = self.copy()
        again = f"{self.work}/again"
        plait("run", f"{copy}/resolved.txtpb", "--run-dir", again, "--progress", "none", cwd="/")
        digest = [json.loads(read(f"{run}/summary.json"))["weights_sha256"] for run in (copy, again)]
        self.assertEqual(digest[0], digest[1])

    # ---- weights of others

    def state_dict(self):
        """As PyTorch would name and order them."""
        ours = read_safetensors(f"{self.run_dir}/weights.safetensors")
        names = {"bn.mean": "bn.running_mean", "bn.variance": "bn.running_var"}
        tensors = {"bn.num_batches_tracked": ("I64", [], struct.pack("<q", 20))}
        tensors.update({names.get(name, name): one for name, one in ours.items()})
        return tensors

    def begin(self, tensors, *more, status=0):
        weights = write(f"{self.work}/w.safetensors", safetensors(tensors))
        run_dir = f"{self.work}/begun"
        shutil.rmtree(run_dir, ignore_errors=True)
        words = more if "--progress" in more else (*more, "--progress", "plain")
        said = plait("run", self.job, "--weights", weights, "--run-dir", run_dir, "--max-steps", 5, *words, status=status)
        return said, json.loads(read(f"{run_dir}/summary.json"))["begun_with"] if status == 0 else None

    def test_takes_a_state_dict_of_pytorch(self):
        said, begun = self.begin(self.state_dict())
        self.assertIn("weights: 7 of 7 tensors from ", said)
        self.assertIn("bn.mean from bn.running_mean", said)
        self.assertIn("passed over, since no layer has it: bn.num_batches_tracked (I64 [])", said)
        self.assertEqual(sorted(begun["taken"]), sorted(read_safetensors(f"{self.run_dir}/weights.safetensors")))
        self.assertEqual(begun["not_taken"], [])
        weights = f"{self.work}/w.safetensors"
        wanted = plait("evaluate", self.run_dir).split("): ")[1]
        self.assertIn(wanted, plait("evaluate", self.run_dir, "--weights", weights))
        _, lines = self.predict(self.rows[0])
        self.assertEqual(self.predict(self.rows[0], "--weights", weights)[1], lines)

    def test_says_what_does_not_fit(self):
        tensors = self.state_dict()
        dtype, shape, content = tensors["f.weight"]
        tensors["f.weight"] = (dtype, shape[::-1], content)
        said, _ = self.begin(tensors, status=1)
        self.assertIn(f"f.weight: {shape[::-1]} in the file, wanted {shape}", said)
        self.assertIn("--weights-partial", said)
        said, begun = self.begin(tensors, "--weights-partial")
        self.assertIn("weights: 6 of 7 tensors", said)
        self.assertIn("not taken: f.weight: ", said)
        self.assertEqual(begun["not_taken"], [{"name": "f.weight", "why": f"{shape[::-1]} in the file, wanted {shape}"}])
        for words in (["--weights-partial", "--progress", "none"], ["--progress", "none"]):
            if len(words) == 2:
                del tensors["f.weight"]
            said, _ = self.begin(tensors, *words)
            self.assertRegex(said, r"(?s)^plait: warning: weights: 6 of 7 tensors from .*\n  not taken: f.weight: .*\n$")
        self.assertEqual(self.begin(self.state_dict(), "--progress", "none")[0], "")
        said, begun = self.begin(tensors)
        self.assertEqual(begun["not_taken"], [{"name": "f.weight", "why": "not in the file"}])
        tensors["f.weight"] = ("I32", shape, content)
        self.assertIn("f.weight: type I32, wanted F32", self.begin(tensors, status=1)[0])

    def test_passes_over_other_types_and_converts_wider_ones(self):
        tensors = self.state_dict()
        for dtype, size in (("BOOL", 1), ("I8", 1), ("U16", 2), ("F16", 2), ("BF16", 2), ("F64", 8), ("F8_E4M3", 1)):
            tensors[f"other.{dtype}"] = (dtype, [3], bytes(3 * size))
        content = tensors["f.bias"][2]
        tensors["f.bias"] = ("F64", [4], struct.pack("<4d", *struct.unpack("<4f", content)))
        said, begun = self.begin(tensors)
        self.assertIn("f.bias converted from F64", said)
        self.assertEqual(len(begun["passed_over"]), 8)

    def test_a_hostile_file_is_refused_at_once(self):
        many = b",".join(b'"n%d":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}' % i for i in range(300000))
        files = {
            "many": struct.pack("<Q", len(many) + 2) + b"{" + many + b"}",
            "long": struct.pack("<Q", 2**63) + b"{}",
            "deep": struct.pack("<Q", 10**6) + b'{"a":' + b"[" * (10**6 - 5),
            "escape": safetensors({"\x1b[31mred": ("F32", [2**40], b"")}),
        }
        for name, content in files.items():
            path = write(f"{self.work}/{name}", content)
            said = plait("run", self.job, "--weights", path, "--run-dir", f"{self.work}/x", status=1)
            self.assertIn(path, said)
            self.assertNotIn("\x1b", said)
            self.assertLess(len(said), 10000)
        os.mkfifo(f"{self.work}/fifo")
        for path in ("/dev/zero", f"{self.work}/fifo", self.work):
            for said in (plait("run", self.job, "--weights", path, "--run-dir", f"{self.work}/x", status=1),
                         plait("evaluate", self.run_dir, "--weights", path, status=1)):
                self.assertIn(path, said)

    # ---- inputs of others

    def test_reads_what_other_programs_write(self):
        _, wanted = self.predict("\n".join(self.rows))
        heading = ",".join(str(i) for i in range(PIXELS))
        for text in ("\ufeff" + "\n".join(self.rows), "\r\n".join([heading, *self.rows]) + "\r\n",
                     "\n\n".join(["\ufeff" + heading, *self.rows]), "\n".join(['"' + heading.replace(",", '","') + '"',
                                                                               *self.rows])):
            said, got = self.predict(text)
            self.assertEqual(got, wanted)
            self.assertEqual("is taken for a heading" in said, "142,143" in text or '"142","143"' in text)
        said, got = self.predict("\n".join([heading, *self.rows]), "--header", "yes")
        self.assertEqual(got, wanted)
        said, _ = self.predict("\n".join([heading, *self.rows]), "--header", "no")
        self.assertIn("6 predictions", said)
        self.predict(self.rows[0], "--header", "perhaps", status=2)

    def test_reads_standard_input_and_pipes(self):
        _, wanted = self.predict("\n".join(self.rows))
        for name in ("-", "/dev/stdin"):
            plait("predict", self.run_dir, "--in", name, "--out", f"{self.work}/piped.csv", text_in="\n".join(self.rows))
            self.assertEqual(read(f"{self.work}/piped.csv").decode().splitlines(), wanted)
        said = plait("predict", self.run_dir, "--in", "/dev/zero", "--out", f"{self.work}/x.csv", status=1)
        self.assertIn("/dev/zero", said)
        said = plait("predict", self.run_dir, "--in", "-", "--out", f"{self.work}/x.csv", text_in=self.rows[0][:-1] + "x",
                     status=1)
        self.assertIn("standard input:1:", said)
        self.assertNotIn("/proc/", said)

    def test_an_array_is_told_from_a_table_in_a_pipe(self):
        _, wanted = self.predict("\n".join(self.rows))
        array = npy("|u1", (5, 12, 12), self.pixels)
        os.mkfifo(f"{self.work}/fifo")
        writer = threading.Thread(target=write, args=(f"{self.work}/fifo", array))
        writer.start()
        plait("predict", self.run_dir, "--in", f"{self.work}/fifo", "--out", f"{self.work}/piped.csv")
        writer.join()
        self.assertEqual(read(f"{self.work}/piped.csv").decode().splitlines(), wanted)

    @unittest.skipUnless(shutil.which("mpirun"), "no mpirun")
    def test_ranks_share_the_work_and_one_writes(self):
        _, wanted = self.predict("\n".join(self.rows))
        table = write(f"{self.work}/in.csv", "\n".join(self.rows).encode())
        os.mkfifo(f"{self.work}/rows")
        for given in (table, f"{self.work}/rows"):  # mpirun gives standard input no end
            out = f"{self.work}/shared.csv"
            writer = threading.Thread(target=write, args=(given, "\n".join(self.rows).encode()))
            writer.start()
            if given == table:
                writer.join()
            done = subprocess.run(["mpirun", "--oversubscribe", "-n", "3", "plait", "predict", self.run_dir, "--in", given,
                                   "--out", out], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=100)
            writer.join()
            self.assertEqual(done.returncode, 0, done.stdout)
            self.assertEqual(done.stdout.count(b"predictions written"), 1, done.stdout)
            self.assertEqual(read(out).decode().splitlines(), wanted)
        write(table, b"1,2\n")
        done = subprocess.run(["mpirun", "--oversubscribe", "-n", "2", "plait", "predict", self.run_dir, "--in", table, "--out",
                               f"{self.work}/none.csv"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=100)
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(done.stdout.count(b"but there are 2 inputs"), 1, done.stdout)
        self.assertFalse(os.path.exists(f"{self.work}/none.csv"))

    def test_images_of_idx_by_name_and_in_a_pipe(self):
        _, wanted = self.predict("\n".join(self.rows))
        images = struct.pack(">4I", 0x803, 5, 12, 12) + bytes(self.pixels)
        for name in ("in.idx", "in.idx3-ubyte"):
            self.assertEqual(self.predict(images, name=name)[1], wanted)
        os.mkfifo(f"{self.work}/images")
        writer = threading.Thread(target=write, args=(f"{self.work}/images", images))
        writer.start()
        plait("predict", self.run_dir, "--in", f"{self.work}/images", "--out", f"{self.work}/piped.csv")
        writer.join()
        self.assertEqual(read(f"{self.work}/piped.csv").decode().splitlines(), wanted)

    def test_arrays_in_every_form_that_means_the_same(self):
        _, wanted = self.predict("\n".join(self.rows))
        floats = struct.pack(f"<{5 * PIXELS}f", *self.pixels)
        for content in (npy("|u1", (5, 12, 12, 1), self.pixels), npy("|u1", (5, 12, 12), self.pixels),
                        npy("|u1", (5, PIXELS), self.pixels), npy("<f4", (5, 12, 12, 1), floats)):
            self.assertEqual(self.predict(content, name="in.npy")[1], wanted)
        for shape in ((5, 1, 12, 12), (5, 24, 6), (10, 72)):
            said, _ = self.predict(npy("|u1", shape, self.pixels), name="in.npy", status=1)
            self.assertIn(f"{self.work}/in.npy: records are image [{', '.join(map(str, shape[1:]))}] u8, "
                          "wanted image [12, 12, 1] u8", said)
        self.predict(npy("|u1", (5, 12, 12), self.pixels), "--header", "no", name="in.npy", status=2)
        said, _ = self.predict("1", name="in.png", status=1)
        self.assertRegex(said, r"wanted a name that ends in one of \.csv, .*\.npy, ")

    def test_a_bad_record_is_told_and_no_other_taken_for_it(self):
        floats = [float(pixel) for pixel in self.pixels]
        floats[2 * PIXELS + 7] = 0.5
        said, _ = self.predict(npy("<f4", (5, 12, 12, 1), struct.pack(f"<{5 * PIXELS}f", *floats)), name="in.npy", status=1)
        self.assertIn("in.npy: record 2: element 7 is 0.5, wanted a whole number of 0 to 255", said)

    def test_any_source_says_what_is_predicted(self):
        """--source: as a pipeline file has it, paths relative to the working folder, from a folder far from its data."""
        _, wanted = self.predict("\n".join(self.rows))
        write(f"{self.work}/x.npy", npy("|u1", (5, 12, 12), self.pixels))
        write(f"{self.work}/x.txt", "\n".join(self.rows).replace(",", ";"))
        copy, out = self.copy(), f"{self.work}/by_source.csv"
        sources = {"npy": 'npy { inputs: "x.npy" part: "image" shape: [12, 12, 1] }',
                   "csv": 'csv { file: "x.txt" header: false separator: semicolon part: "image" shape: [12, 12, 1] dtype: u8 }',
                   "idx": f'idx {{ images: "{self.home}/job/digits/images" limit: 5 }}'}
        for kind, source in sources.items():
            with self.subTest(kind):
                said = plait("predict", copy, "--source", source, "--out", out, cwd=self.work)
                self.assertIn("5 predictions", said)
                self.assertEqual(read(out).decode().splitlines(), wanted)
                os.remove(out)
        for source, status, words in (('npy { inputs: "x.npy" }', 1, "image"), ('npy { input: "x.npy" }', 2, "--source:1:"),
                                      ('npy { inputs: "none.npy" part: "image" }', 1, f"{self.work}/none.npy"),
                                      ("relu {}", 2, "--source"), ("", 2, "--source"), (sources["npy"] + " csv {}", 2, "--source")):
            with self.subTest(source):
                self.assertIn(words, plait("predict", copy, "--source", source, "--out", out, cwd=self.work, status=status))
                self.assertFalse(os.path.exists(out))
        for more in (("--in", "x.npy"), ("--header", "no")):
            plait("predict", copy, "--source", sources["npy"], *more, "--out", out, cwd=self.work, status=2)
        said = plait("predict", copy, "--source", sources["npy"], "--out", "x.npy", cwd=self.work, status=2)
        self.assertIn("would be written over", said)

    def test_names_line_and_column_of_a_mistake(self):
        good = self.rows[0]
        for bad, words in ((good.rsplit(",", 1)[0], "143 fields, wanted 144"), (good + ",1", "145 fields, wanted 144"),
                           (good.rsplit(",", 1)[0] + ",x", 'field 144 is "x", wanted a finite number'),
                           (good.rsplit(",", 1)[0] + ",nan", "wanted a finite number"),
                           (good.rsplit(",", 1)[0] + ",1e99", "wanted a number that f32 can hold"),
                           (good.rsplit(",", 1)[0] + ",\x1b[31m", "wanted a finite number"),
                           (good.rsplit(",", 1)[0] + ",256", 'field 144 is "256", wanted a whole number of 0 to 255')):
            said, _ = self.predict("\n".join([good, bad]), status=1)
            self.assertIn(f"{self.work}/in.csv:2:", said)
            self.assertIn(words, said)
            self.assertNotIn("\x1b", said)
        said, _ = self.predict(good.rsplit(",", 1)[0], status=1)
        self.assertIn(f"{self.work}/in.csv: shape [12, 12, 1] has 144 elements, but there are 143 inputs", said)


if __name__ == "__main__":
    unittest.main(verbosity=1)
