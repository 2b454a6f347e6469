"""Stages that train, pretrain and use the trained network, written out: a job's long form is the same job; records of their
own; what is measured and written is what the commands say; what makes no sense is refused with its place."""
import json
import shutil
import struct
import unittest

from outputs_test import CLASSES, EDGE, FILTERS, NETWORK, PIXELS, RECORDS, SOURCE, OutputsBase

MPI = shutil.which("mpirun") is not None
WORLDS = [(1, 1), (1, 2)] + ([(2, 1), (3, 2)] if MPI else [])
NORMAL = "scale: 1 mean: 127 deviation: 70"
PRETRAIN = 'pretrain {{ autoencoder {{ last: true corruption: 0.2 }} }}\n'
FEW = 'idx {{ images: "{folder}/few-images" labels: "{folder}/few-labels" classes: 3 }}'
WIDE = 'idx {{ images: "{folder}/wide-images" labels: "{folder}/few-labels" classes: 3 }}'


class VerbsTest(OutputsBase):
    def setUp(self):
        super().setUp()
        images, labels = (self.folder / "images").read_bytes()[16:], (self.folder / "labels").read_bytes()[8:]
        few = 40
        (self.folder / "few-images").write_bytes(struct.pack(">4I", 0x803, few, EDGE, EDGE) + images[:few * EDGE * EDGE])
        (self.folder / "few-labels").write_bytes(struct.pack(">2I", 0x801, few) + labels[:few])
        (self.folder / "wide-images").write_bytes(struct.pack(">4I", 0x803, few, 9, 9) + images[:few * 81])

    def job(self, *texts, normalize=NORMAL, name="job.txtpb", more=""):
        job = self.folder / name
        job.write_text("".join(text.format(folder=self.folder, fields="per: channel", normalize=normalize, more=more)
                               for text in texts))
        return job

    def summary(self, run="run"):
        return json.loads((self.folder / run / "summary.json").read_text())

    def trained(self, job, run="run", *more, **how):
        self.run_job(job, *more, run=run, **how)
        return self.summary(run)["weights_sha256"]

    def refuses(self, words, *texts, **how):
        text = self.plait("check", self.job(*texts, **how), status=1)
        self.assertIn(words, text)
        return text

    # ---- the long form

    def test_the_long_form_is_the_same_job(self):
        scores = 'stage {{ name: "scores" network {{}} collect {{}} split: 50 }}\n'
        augment = 'augment {{ flip {{ horizontal: 0.5 vertical: 0 }} }}\n'
        for texts in ((NETWORK,), (PIXELS, FILTERS, scores, augment, PRETRAIN, NETWORK)):
            normalize = 'from: "pixels"' if len(texts) > 1 else NORMAL
            job = self.job(*texts, normalize=normalize)
            printed = self.plait("run", job, "--print")
            for verb in ("train {", "evaluate {"):
                self.assertIn(verb, "".join(line for line in printed.splitlines() if line.startswith("stage {")))
            for block in ("source {", "train {", "test {", "augment {", "preprocess {", "pretrain {"):
                self.assertNotIn("\n" + block, printed)
            (self.folder / "long.txtpb").write_text(printed)
            short = self.trained(job, "short")
            self.assertEqual(self.trained(self.folder / "long.txtpb", "long"), short)
            self.assertEqual((self.folder / "short/resolved.txtpb").read_text(), (self.folder / "long/resolved.txtpb").read_text())
            self.assertEqual(self.summary("short")["test"], self.summary("long")["test"])
            self.assertEqual(self.plait("run", self.folder / "long.txtpb", "--print"), printed)

    def test_a_stage_that_trains_has_its_own_fields(self):
        long = ('stage {{ name: "learn" source {{ ' + SOURCE + ' }} validation {{ source {{ ' + FEW + ' }} }}\n'
                '  augment {{ flip {{ horizontal: 0.5 vertical: 0 }} }} preprocess {{ normalize {{ {normalize} }} }} reducer {{ mean {{}} }}\n'
                '  train {{ shards: 4 local_steps: 3 batch: 8 epochs: 2 }} }}\n'
                'stage {{ name: "test" source {{ ' + FEW + ' }} evaluate {{}} }}\n')
        short = ('source {{ ' + SOURCE + ' }} validation {{ ' + FEW + ' }} augment {{ flip {{ horizontal: 0.5 vertical: 0 }} }}\n'
                 'preprocess {{ normalize {{ {normalize} }} }} reducer {{ mean {{}} }} test {{ ' + FEW + ' }}\n'
                 'train {{ shards: 4 local_steps: 3 batch: 8 epochs: 2 }}\n')
        network = NETWORK[NETWORK.index("layer"):NETWORK.index("train")]
        long_sha = self.trained(self.job(long, network), "long")
        self.assertEqual(long_sha, self.trained(self.job(short, network), "short"))
        changed = self.trained(self.job(long, network), "changed", "--set", "stage[learn].train.epochs=1")
        self.assertNotEqual(changed, long_sha)

    # ---- what is done with the trained network

    def test_evaluate_measures_what_the_test_does(self):
        again = 'stage {{ name: "again" source {{ ' + SOURCE + ' }} evaluate {{}} }}\n'
        few = 'stage {{ name: "few" source {{ ' + FEW + ' }} evaluate {{ weights: best }} output: "few.safetensors" }}\n'
        held = 'stage {{ name: "held" evaluate {{ on: validation }} }}\n'
        found = set()
        for ranks, threads in WORLDS:
            said = self.run_job(self.job(again, few, held, NETWORK), ranks=ranks, threads=threads)
            summary = self.summary()
            stages = {stage["name"]: stage for stage in summary["stages"]}
            self.assertEqual(stages["again"]["values"], summary["test"])
            self.assertEqual(stages["held"]["values"], summary["validation"])
            self.assertEqual((stages["few"]["records"], stages["few"]["task"]), (40, "evaluate"))
            lines = (self.folder_run / "again.csv").read_text().splitlines()
            self.assertEqual(lines[0].split(","), list(summary["test"]))
            self.assertEqual([float(number) for number in lines[1].split(",")], list(summary["test"].values()))
            self.assertEqual(self.arrays("few.safetensors")["loss"][1], [stages["few"]["values"]["loss"]])
            found.add((lines[1], (self.folder_run / "few.safetensors").read_bytes()))
            self.assertIn("stage few: evaluate of 40 records into few.safetensors", said)
        self.assertEqual(len(found), 1)
        events = [json.loads(line) for line in (self.folder_run / "metrics.jsonl").read_text().splitlines()]
        self.assertEqual({event["on"] for event in events if "on" in event} >= {"again", "few", "held", "test"}, True)
        kept = self.run_job(self.job(again, few, held, NETWORK), "--resume", fresh=False)
        self.assertIn("again.csv is kept", kept)
        self.assertEqual({stage["name"]: stage.get("values") for stage in self.summary()["stages"]},
                         {name: stage.get("values") for name, stage in stages.items()})

    def test_predict_and_features_write_what_layers_say(self):
        scores = 'stage {{ name: "scores" predict {{}} }}\n'
        few = 'stage {{ name: "few" source {{ ' + FEW + ' }} predict {{}} }}\n'
        codes = 'stage {{ name: "codes" source {{ ' + FEW + ' }} features {{ layer: "c1" layer: "f1" }} }}\n'
        spread = 'stage {{ name: "spread" from: "codes" array: "c1" moments {{ part: "c1" }} }}\n'
        same = 'stage {{ name: "same" network {{ layer: "f1" }} collect {{}} }}\n'
        job = self.job(scores, few, codes, spread, same, NETWORK)
        found = set()
        for ranks, threads in WORLDS:
            self.run_job(job, ranks=ranks, threads=threads)
            found.add(tuple((self.folder_run / f"{name}.safetensors").read_bytes()
                            for name in ("scores", "few", "codes", "spread")))
        self.assertEqual(len(found), 1)
        self.assertEqual(self.arrays("scores.safetensors")["f1"], self.arrays("same.safetensors")["f1"])
        shape, few = self.arrays("few.safetensors")["f1"]
        self.assertEqual(shape, [40, CLASSES])
        self.assertEqual(few, self.arrays("scores.safetensors")["f1"][1][:40 * CLASSES])
        self.assertEqual(self.arrays("codes.safetensors")["f1"][1], few)
        self.assertEqual(self.arrays("codes.safetensors")["c1"][0], [40, 6, 6, 4])

    def test_a_row_is_of_its_own_record(self):
        """Training puts another record in place of a bad one; a row that is written for one would be the other's."""
        images = [float(pixel) for pixel in (self.folder / "few-images").read_bytes()[16:]]
        images[2 * EDGE * EDGE + 7] = 0.5
        head = f"{{'descr': '<f4', 'fortran_order': False, 'shape': (40, {EDGE}, {EDGE}, 1), }}".ljust(117) + "\n"
        (self.folder / "bad.npy").write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode() +
                                              struct.pack(f"<{len(images)}f", *images))
        bad = 'source {{ npy {{ inputs: "{folder}/bad.npy" part: "image" dtype: u8 }} }}'
        for verb in ("predict {{}}", 'features {{ layer: "c1" }}'):
            for ranks, threads in WORLDS[:3]:
                stage = 'stage {{ name: "few" ' + bad + " " + verb + " }}\n"
                said = self.run_job(self.job(stage, NETWORK), ranks=ranks, threads=threads, status=1)
                self.assertIn("bad.npy: record 2: element 7 is 0.5, wanted a whole number of 0 to 255", said)
                self.assertFalse((self.folder_run / "few.safetensors").exists())

    def test_preprocess_of_a_stage_takes_the_place_of_training_s(self):
        other = ('stage {{ name: "other" source {{ ' + SOURCE + ' }} preprocess {{ normalize {{ scale: 1 mean: 0 deviation: 70 }} }}\n'
                 '  evaluate {{}} }}\n')
        same = ('stage {{ name: "same" source {{ ' + SOURCE + ' }} preprocess {{ normalize {{ {normalize} }} }} evaluate {{}} }}\n')
        self.run_job(self.job(other, same, NETWORK))
        stages = {stage["name"]: stage for stage in self.summary()["stages"]}
        self.assertEqual(stages["same"]["values"], self.summary()["test"])
        self.assertNotEqual(stages["other"]["values"], self.summary()["test"])

    # ---- pretraining on records of its own

    def test_pretraining_may_see_other_records(self):
        own = 'stage {{ name: "greedy" source {{ ' + SOURCE + ' }} pretrain {{ autoencoder {{ last: true epochs: 2 }} }} }}\n'
        plain = 'pretrain {{ autoencoder {{ last: true epochs: 2 }} }}\n'
        few = NETWORK.replace("source {{ " + SOURCE, "source {{ " + FEW)
        found = {self.trained(self.job(own, few), ranks=ranks, threads=threads) for ranks, threads in WORLDS}
        self.assertEqual(len(found), 1)
        self.assertNotIn(self.trained(self.job(plain, few)), found)
        # Of the same records it is the pretraining of the short form.
        same = own.replace("{folder}/images", "{folder}/few-images").replace("{folder}/labels", "{folder}/few-labels")
        self.assertEqual(self.trained(self.job(same, few)), self.trained(self.job(plain, few)))
        resolved = self.folder_run / "resolved.txtpb"
        self.trained(self.job(own, few), "first")
        self.assertEqual({self.trained(self.folder / "first" / "resolved.txtpb", "again")}, found)
        # Other data are another run.
        data = bytearray((self.folder / "images").read_bytes())
        data[100] ^= 1
        (self.folder / "images").write_bytes(data)
        self.assertIn("pretrain[0].source", self.plait("run", self.folder / "job.txtpb", "--run-dir", self.folder / "first",
                                                       "--resume", status=1))

    def test_a_task_may_change_its_records_at_random(self):
        plain = 'stage {{ name: "a" source {{ ' + SOURCE + ' }} moments {{}} split: 64 }}\n'
        flipped = ('stage {{ name: "b" source {{ ' + SOURCE + ' }} augment {{ flip {{ horizontal: 0.5 vertical: 0 }} }}\n'
                   '  kmeans {{ k: 3 iterations: 5 }} split: 64 }}\n')
        found = set()
        for ranks, threads in WORLDS:
            self.run_job(self.job(plain, flipped), ranks=ranks, threads=threads)
            found.add((self.folder_run / "b.safetensors").read_bytes())
        self.assertEqual(len(found), 1)
        self.run_job(self.job(plain, flipped.replace("0.5", "0")))
        self.assertNotIn((self.folder_run / "b.safetensors").read_bytes(), found)

    # ---- what makes no sense

    def test_what_makes_no_sense_is_refused_with_its_place(self):
        train = 'stage {{ name: "t" source {{ ' + SOURCE + ' }} train {{ shards: 4 }} }}\n'
        rest = NETWORK[NETWORK.index("layer"):NETWORK.index("train")]
        self.refuses("a second stage trains", train, train.replace('"t"', '"u"'), rest)
        self.refuses('"source" is written here and in stage "t"', train, NETWORK)
        self.refuses("the stage does two things: evaluate and predict", 'stage {{ name: "x" evaluate {{}} predict {{}} }}\n', NETWORK)
        self.refuses("the stage does two things: predict and moments",
                     'stage {{ name: "x" source {{ ' + SOURCE + ' }} predict {{}} moments {{}} }}\n', NETWORK)
        self.refuses('"split" has no use in a stage that says "predict"', 'stage {{ name: "x" predict {{}} split: 9 }}\n', NETWORK)
        self.refuses('"validation" has no use in a stage that runs a task',
                     'stage {{ name: "x" source {{ ' + SOURCE + ' }} validation {{ fraction: 0.1 }} moments {{}} }}\n', NETWORK)
        self.refuses("or what else it does", 'stage {{ name: "x" source {{ ' + SOURCE + ' }} }}\n', NETWORK)
        self.refuses('the network has no layer "none"', 'stage {{ name: "x" features {{ layer: "none" }} }}\n', NETWORK)
        self.refuses("none of the job's records are asked for",
                     'stage {{ name: "x" source {{ ' + FEW + ' }} predict {{ on: test }} }}\n', NETWORK)
        self.refuses("is the job's test", 'stage {{ name: "test" source {{ ' + FEW + ' }} evaluate {{}} output: "t.csv" }}\n', NETWORK)
        self.refuses("npy: a .npy file holds one array, got 2", 'stage {{ name: "x" features {{ layer: "c1" layer: "f1" }} output: "x.npy" }}\n', NETWORK)
        text = self.refuses('stage "x" gives the network image [9, 9, 1] f32, wanted image [8, 8, 1] f32',
                            'stage {{ name: "x" source {{ ' + WIDE + ' }} predict {{}} }}\n', NETWORK)
        self.assertEqual(text.count("job.txtpb:"), 2)  # both places
        self.refuses("two stages are named", 'stage {{ name: "x" predict {{}} }} stage {{ name: "x" evaluate {{}} }}\n', NETWORK)


if __name__ == "__main__":
    unittest.main()
