"""A layer and an augmenter of one id, through the program: a block says which of them is meant.

`ids_test.py PLUGIN`: the library that serves both.
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "distributed"))
import jobs  # noqa: E402

PLUGIN = pathlib.Path(sys.argv.pop(1))
JOB = """
source {{ idx {{ images: "{folder}/images" labels: "{folder}/labels" classes: 4 }} }}
{augment}
preprocess {{ normalize {{ part: "image" mean: 0.4 deviation: 0.3 }} }}
layer {{ name: "flat" input: "image" flatten {{}} }}
layer {{ name: "f" dense {{ units: 4 }} }}
{layer}
loss {{ input: "h" target: "label" softmax_cross_entropy {{}} }}
optimizer {{ sgd {{ rate: 0.1 }} }}
train {{ shards: 2 local_steps: 2 batch: 8 epochs: 1 }}
"""
AUGMENT, LAYER = "augment { [acme.halve] { twice: true } }", 'layer { name: "h" [acme.halve] { by: 4 } }'


class IdsTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        jobs.write_digits(self.folder, records=64, height=6, width=5)

    def plait(self, *words, status=0, plugin=True):
        more = ["--plugin", PLUGIN] if plugin else []
        done = subprocess.run(["plait", *map(str, words), *map(str, more)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, timeout=200)
        self.assertEqual(done.returncode, status, done.stdout)
        return done.stdout

    def write(self, augment=AUGMENT, layer=LAYER):
        job = self.folder / "job.txtpb"
        job.write_text(JOB.format(folder=self.folder, augment=augment, layer=layer))
        return job

    def train(self, job, run):
        self.plait("run", job, "--run-dir", self.folder / run, "--progress", "none")
        return json.loads((self.folder / run / "summary.json").read_text())["weights_sha256"]

    def test_a_job_uses_both(self):
        both = self.write()
        text = self.plait("check", both)
        self.assertIn("acme.halve", text)
        trained = self.train(both, "both")
        resolved = (self.folder / "both/resolved.txtpb").read_text()
        self.assertIn("augment { [acme.halve] { twice: true } }", resolved)
        self.assertIn("[acme.halve] { by: 4 }", resolved)
        self.assertEqual(self.train(self.folder / "both/resolved.txtpb", "again"), trained)
        self.assertNotEqual(self.train(self.write(augment=""), "without"), trained)
        self.assertNotEqual(self.train(self.write(layer=LAYER.replace("4", "2")), "other"), trained)
        lock = (self.folder / "both/plugins.lock").read_text()
        self.assertEqual(lock.count("acme.halves 1.0.0"), 1)

    def test_fields_are_those_of_the_kind_that_the_block_says(self):
        said = self.plait("check", self.write(augment="augment { [acme.halve] { by: 4 } }"), status=1)
        self.assertIn('unknown field "by" of acme.halve', said)
        self.assertIn("twice", said)
        said = self.plait("check", self.write(layer=LAYER.replace("by: 4", "twice: true")), status=1)
        self.assertIn('unknown field "twice" of acme.halve', said)
        self.plait("check", self.write(), "--set", "layer[h].[acme.halve].by=8")

    def test_where_neither_can_stand_both_are_told(self):
        text = self.write().read_text()
        (self.folder / "metric.txtpb").write_text(text + 'metric { input: "f" target: "label" [acme.halve] {} }\n')
        self.assertIn('"acme.halve" is a layer and an augmenter, not a metric',
                      self.plait("check", self.folder / "metric.txtpb", status=1))
        (self.folder / "top.txtpb").write_text(text + "[acme.halve] {}\n")
        self.assertIn('"acme.halve" is a layer and an augmenter and is written inside a block',
                      self.plait("check", self.folder / "top.txtpb", status=1))

    def test_graph_draws_the_layer(self):
        self.assertIn("acme.halve", self.plait("graph", self.write()))

    def test_inspect_shows_all_kinds_or_the_one_that_is_said(self):
        both = self.plait("inspect", "acme.halve")
        self.assertIn("acme.halve (layer, acme.halve)", both)
        self.assertIn("acme.halve (augmenter, acme.halve)", both)
        layer, augmenter = self.plait("inspect", "layer", "acme.halve"), self.plait("inspect", "augmenter", "acme.halve")
        self.assertIn("divisor", layer)
        self.assertNotIn("a quarter", layer)
        self.assertIn("a quarter", augmenter)
        self.assertEqual(both, layer + "\n" + augmenter)
        self.assertEqual([one["kind"] for one in json.loads(self.plait("inspect", "acme.halve", "--json"))],
                         ["layer", "augmenter"])
        self.assertEqual(json.loads(self.plait("inspect", "augmenter", "acme.halve", "--json"))["kind"], "augmenter")

    def test_inspect_says_what_there_is_not(self):
        self.assertIn('no loss "acme.halve" is loaded', self.plait("inspect", "loss", "acme.halve", status=1))
        self.assertIn('there is no kind "layr"; did you mean "layer"?', self.plait("inspect", "layr", "acme.halve", status=2))
        self.assertIn('did you mean "acme.halve"?', self.plait("inspect", "layer", "acme.halv", status=1))
        self.assertIn("it is a kind, as in: plait inspect layer TYPE", self.plait("inspect", "layer", status=1))

    def test_shipped_types_may_share_a_name_too(self):
        both = self.plait("inspect", "csv", plugin=False)
        self.assertIn("csv (source, plait.csv)", both)
        self.assertIn("csv (sink, plait.csv)", both)
        self.assertIn("endings  .csv", both)

    def test_schemas_hold_both(self):
        definitions = json.loads(self.plait("inspect", "--schema=json"))["$defs"]
        self.assertIn("by", definitions["layer.acme.halve"]["properties"])
        self.assertIn("twice", definitions["augmenter.acme.halve"]["properties"])
        proto = self.folder / "pipeline.proto"
        proto.write_text(self.plait("inspect", "--schema"))
        self.assertIn("written [acme.halve]", proto.read_text())  # a name in a .proto file extends one message
        if shutil.which("protoc"):
            subprocess.run(["protoc", f"--proto_path={self.folder}", f"--descriptor_set_out={self.folder}/set", proto.name],
                           check=True, cwd=self.folder)

    def test_pages_of_the_reference_lie_apart(self):
        self.plait("inspect", "--markdown", self.folder / "pages")
        self.assertIn("divisor", (self.folder / "pages/layer/acme.halve.md").read_text())
        self.assertIn("a quarter", (self.folder / "pages/augmenter/acme.halve.md").read_text())

    def test_verify_holds_each_against_the_laws_of_its_kind(self):
        report = self.folder / "report.json"
        said = self.plait("verify", PLUGIN, "--json", report, "--only", "can_be_tried|input_gradient|same_sample|note$", plugin=False)
        self.assertIn("layer acme.halve: can_be_tried", said)
        self.assertIn("augmenter acme.halve: can_be_tried", said)
        tests = json.loads(report.read_text())["tests"]
        self.assertEqual({test["kind"] for test in tests}, {"layer", "augmenter", "library"})
        self.assertEqual([test for test in tests if test["law"] == "input_gradient" and test["kind"] != "layer"], [])

    def test_try_asks_which_is_meant(self):
        source = f"idx(images={self.folder}/images,labels={self.folder}/labels,classes=4)"
        said = self.plait("try", f"{source} ! acme.halve ! flatten ! dense(4)", "--print", status=1)
        self.assertIn('"acme.halve" is of the kinds layer and augmenter', said)
        self.assertIn("layer:acme.halve or augment:acme.halve", said)
        said = self.plait("try", f"{source} ! augment:acme.halve(twice=true) ! flatten ! dense(4) ! layer:acme.halve(by=4)",
                          "--print")
        self.assertIn("augment { [acme.halve] { twice: true } }", said)
        self.assertIn("[acme.halve] { by: 4 }", said)


if __name__ == "__main__":
    unittest.main(verbosity=2)
