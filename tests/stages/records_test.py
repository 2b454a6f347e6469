"""Networks whose records a stage makes: trained, chosen, tested, pretrained, measured and used as with records of a source, bit
for bit; stopped and gone on with; found wrong before anything runs."""
import json
import shutil
import unittest

from outputs_test import SOURCE, OutputsBase

MPI = shutil.which("mpirun") is not None
KEPT = 'stage {{ name: "kept" source {{ ' + SOURCE + ' }} collect {{}} split: 64 }}\n'
LEARNS = 'train {{ shards: 4 local_steps: 3 batch: 8 epochs: 3 }}'
PRETRAIN = 'pretrain {{ autoencoder {{ last: true corruption: 0.2 }} }}'
NETWORK = '''
preprocess {{ normalize {{ {normalize} }} }}
layer {{ name: "c1" input: "image" convolution {{ filters: 4 kernel: 3 }} }}
layer {{ name: "flat" flatten {{}} }}
layer {{ name: "f1" dense {{ units: 3 }} }}
loss {{ input: "f1" target: "label" softmax_cross_entropy {{}} }}
metric {{ input: "f1" target: "label" accuracy {{}} }}
optimizer {{ sgd {{ rate: 0.05 }} }}
'''
USES = ('stage {{ name: "p" {records} predict {{}} output: "p.npy" }}\n'
        'stage {{ name: "f" {records} features {{ layer: "c1" layer: "flat" }} }}\n'
        'stage {{ name: "e" {records} evaluate {{}} }}\n')


def uses(records):
    return USES.replace("{records}", records)


OF_SOURCE = ('source {{ ' + SOURCE + ' }} validation {{ fraction: 0.2 }} test {{ ' + SOURCE + ' }}\n' + LEARNS + "\n" +
             uses('source {{ ' + SOURCE + ' }}') + NETWORK)
OF_STAGE = (KEPT + 'stage {{ from: "kept" validation {{ fraction: 0.2 }} ' + LEARNS + ' }}\n'
            'stage {{ name: "test" from: "kept" evaluate {{}} }}\n' + uses('from: "kept"') + NETWORK)


class RecordsTest(OutputsBase):
    def job(self, *texts, normalize="", name="job.txtpb"):
        job = self.folder / name
        job.write_text("".join(text.format(folder=self.folder, normalize=normalize) for text in texts))
        return job

    def summary(self, run="run"):
        return json.loads((self.folder / run / "summary.json").read_text())

    def results(self, run="run"):
        made = self.summary(run)
        return ([made[name] for name in ("weights_sha256", "best_weights_sha256", "test", "best_test", "validation", "rounds")],
                [(self.folder / run / file).read_bytes() for file in ("p.npy", "f.safetensors", "e.csv")])

    def of_source(self, *more):
        self.run_job(self.job(*more, OF_SOURCE), run="source")
        return self.results("source")

    def test_records_of_a_stage_are_those_of_its_source(self):
        wanted = self.of_source()
        job = self.job(OF_STAGE)
        for ranks, threads in [(1, 1), (1, 2)] + ([(2, 1), (3, 2)] if MPI else []):
            with self.subTest(ranks=ranks, threads=threads):
                self.run_job(job, ranks=ranks, threads=threads)
                self.assertEqual(self.results(), wanted)

    def test_the_long_form_and_the_kept_form_are_the_same_job(self):
        self.run_job(self.job(OF_STAGE))
        printed = self.plait("run", self.job(OF_STAGE), "--print")
        self.assertIn('stage { name: "train" from: "kept" validation { fraction: 0.2 }', printed)
        for text, run in ((printed, "long"), ((self.folder_run / "resolved.txtpb").read_text(), "again")):
            (self.folder / "long.txtpb").write_text(text)
            self.run_job(self.folder / "long.txtpb", run=run)
            self.assertEqual(self.results(run), self.results())
        self.assertIn('label="stage kept"', self.plait("graph", self.job(OF_STAGE)))

    def test_a_stopped_run_goes_on_to_the_same_bits(self):
        wanted = self.of_source()
        job = self.job(OF_STAGE)
        for most in (3, 9, 24):
            with self.subTest(most=most):
                self.run_job(job, "--max-steps", most)
                said = self.run_job(job, "--resume", fresh=False)
                self.assertIn("stage kept: kept.safetensors is kept", said)
                self.assertEqual(self.results(), wanted)
        # A longer one, by the records that are counted when the stage has run.
        longer = self.job(OF_STAGE.replace("epochs: 3", "epochs: 5"))
        self.run_job(longer, "--resume", fresh=False)
        made = self.results()
        self.run_job(longer)
        self.assertEqual(self.results(), made)

    def test_it_begins_with_the_weights_of_a_file(self):
        self.run_job(self.job(OF_SOURCE), run="first")
        weights = ("--weights", self.folder / "first" / "weights.safetensors")
        self.run_job(self.job(OF_SOURCE), *weights, run="source")
        self.run_job(self.job(OF_STAGE), *weights)
        self.assertEqual(self.results(), self.results("source"))

    def test_the_commands_find_the_records_in_the_run(self):
        self.run_job(self.job(OF_STAGE))
        said = self.plait("evaluate", self.folder_run)
        self.assertIn("300 records", said)
        self.plait("predict", self.folder_run, "--in", "test", "--out", self.folder / "mine.npy")
        self.assertEqual((self.folder / "mine.npy").read_bytes(), (self.folder_run / "p.npy").read_bytes())
        # What others send is predicted without the records of training.
        shutil.copy(self.folder / "images", self.folder / "images.idx3-ubyte")
        (self.folder_run / "kept.safetensors").unlink()
        self.plait("predict", self.folder_run, "--in", self.folder / "images.idx3-ubyte", "--out", self.folder / "theirs.npy")
        self.assertEqual((self.folder / "theirs.npy").read_bytes(), (self.folder_run / "p.npy").read_bytes())
        self.assertIn("kept.safetensors is not there", self.plait("evaluate", self.folder_run, status=1))

    def test_pretraining_has_them_too(self):
        self.run_job(self.job(PRETRAIN, OF_SOURCE), run="source")
        self.run_job(self.job('stage {{ name: "pre" ' + PRETRAIN + ' }}\n', OF_STAGE))
        self.assertEqual(self.results(), self.results("source"))
        # Of the stage alone, where training has a source: the same records without their labels.
        own = 'stage {{ name: "pre" from: "kept" array: "image" ' + PRETRAIN + ' }}\n'
        self.run_job(self.job(KEPT, own, OF_SOURCE))
        self.assertEqual(self.results(), self.results("source"))

    def test_a_task_of_a_pretrainer_reads_them(self):
        found = ('pretrain {{ task_weights {{ layer: "c1" array: "centres" prepare {{ crop {{ size: 3 }} }}\n'
                 '  task {{ kmeans {{ k: 4 iterations: 4 }} }} }} }}')
        self.run_job(self.job(found + "\n", OF_SOURCE), run="source")
        self.run_job(self.job('stage {{ ' + found + ' }}\n', OF_STAGE))
        self.assertEqual(self.results(), self.results("source"))

    def test_validation_of_a_stage(self):
        of = lambda records: self.job(KEPT, 'stage {{ source {{ ' + SOURCE + ' }} validation {{ ' + records + ' }} ' + LEARNS +
                                      ' }}\n', NETWORK)
        self.run_job(of('source {{ ' + SOURCE + ' }}'), run="source")
        self.run_job(of('from: "kept" array: "image" array: "label"'))
        self.assertEqual(self.summary()["validation"], self.summary("source")["validation"])

    def test_rows_of_the_network_are_given_to_it_again(self):
        again = ('stage {{ name: "rows" network {{ layer: "f1" on: test }} collect {{}} }}\n'
                 'stage {{ name: "again" from: "rows" array: "f1" collect {{}} output: "again.npy" }}\n')
        self.run_job(self.job(OF_STAGE, again))
        self.assertEqual((self.folder_run / "again.npy").read_bytes(), (self.folder_run / "p.npy").read_bytes())

    def test_what_is_wrong_is_found_before_anything_runs(self):
        trains = 'stage {{ from: "kept" ' + LEARNS + ' }}\n'

        def refused(words, *texts):
            self.assertIn(words, self.plait("check", self.job(*texts, NETWORK), status=1))
            shutil.rmtree(self.folder_run, ignore_errors=True)
            said = self.plait("run", self.job(*texts, NETWORK), "--run-dir", self.folder_run, status=1)
            self.assertIn(words, said)
            self.assertFalse(self.folder_run.exists())

        refused('no stage is named "kep"', KEPT, trains.replace("kept", "kep"))
        refused('stage "kept": there is no array "imag", only: image', KEPT, trains.replace('"kept"', '"kept" array: "imag"'))
        refused("parts of the samples: image", KEPT,
                trains.replace('"kept"', '"kept" array: "image"'))
        refused("a stage has a source, or reads another stage", KEPT,
                trains.replace("from", 'source {{ ' + SOURCE + ' }} from'))
        refused('"source" is written here and in stage "train"', KEPT, 'source {{ ' + SOURCE + ' }}', trains)
        refused('in a circle: a -> b -> a', KEPT, trains, 'stage {{ name: "a" from: "b" collect {{}} }}\n'
                'stage {{ name: "b" from: "a" predict {{}} }}\n')
        refused('stage "late" waits for the trained network, and training uses it', KEPT,
                'stage {{ from: "late" ' + LEARNS + ' }}\n', 'test {{ ' + SOURCE + ' }}\n',
                'stage {{ name: "late" network {{}} collect {{}} }}\n')
        small = KEPT.replace('"kept"', '"small"').replace("collect", "preprocess {{ crop {{ size: 5 }} }} collect")
        refused('stage "p" gives the network image [5, 5, 1] f32, wanted image [8, 8, 1] f32', KEPT, small, trains,
                'stage {{ name: "p" from: "small" predict {{}} }}\n')
        refused('stage "words" makes pairs of a key and a value, wanted arrays',
                'stage {{ name: "words" source {{ text_lines {{ file: "{folder}/labels" }} }} count_words {{}} }}\n',
                trains.replace("kept", "words"))
        refused("validation has a source of its own or a fraction", KEPT,
                trains.replace("train", 'validation {{ from: "kept" fraction: 0.1 }} train'))
        refused("so that none of the job's records are asked for", KEPT, trains,
                'stage {{ name: "p" from: "kept" predict {{ on: train }} }}\n')

    def test_what_only_the_records_show_ends_the_run_with_words(self):
        of = lambda share: self.job(KEPT, 'stage {{ from: "kept" validation {{ fraction: ' + share + ' }} ' + LEARNS + ' }}\n', NETWORK)
        self.assertIn("what a stage makes to train on", self.plait("check", of("0.00001")))
        self.assertIn("a validation share of 1e-05 of 300 records", self.run_job(of("0.00001"), status=1))
        large = self.job(OF_STAGE, 'stage {{ name: "wide" from: "kept" features {{ layer: "c1" layer: "flat" }} memory: 1048576 }}\n')
        self.run_job(large)  # 345,600 bytes
        many = self.job(OF_STAGE.replace("filters: 4", "filters: 16"),
                        'stage {{ name: "wide" from: "kept" features {{ layer: "c1" layer: "flat" }} memory: 1048576 }}\n')
        self.assertIn("the outputs for 300 records take 1382400 bytes, and the stage's memory allows 1048576",
                      self.run_job(many, status=1))


if __name__ == "__main__":
    unittest.main()
