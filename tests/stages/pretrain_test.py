"""Pretraining that runs a task, and frozen layers whose outputs are computed once: the same bits on any ranks and threads, in
memory, in a file and at each step; what does not fit is refused before anything runs."""
import json
import shutil
import unittest

from outputs_test import NETWORK, SOURCE, OutputsBase

MPI = shutil.which("mpirun") is not None
WORLDS = [(1, 1), (1, 2)] + ([(2, 1), (3, 2)] if MPI else [])
NORMAL = "scale: 1 mean: 127 deviation: 70"
GREEDY = 'pretrain {{ autoencoder {{ layers: ["c1", "f1"] epochs: 2 {fields} }} }}\n'
PATCHES = ('pretrain {{ task_weights {{ layer: "c1" array: "centres" prepare {{ crop {{ size: 3 }} }}\n'
           '  task {{ kmeans {{ k: 4 iterations: 4 }} }} {fields} }} }}\n')
DEEP = ('pretrain {{ task_weights {{ layer: "f1" input: "flat" array: "centres"\n'
        '  task {{ kmeans {{ part: "flat" k: 3 iterations: 4 }} }} {fields} }} }}\n')


class PretrainTest(OutputsBase):
    def trained(self, *texts, ranks=1, threads=1, words=(), **how):
        self.run_job(self.write(*texts, normalize=NORMAL, **how), *words, ranks=ranks, threads=threads)
        return self.digest()

    def summary(self):
        return json.loads((self.folder_run / "summary.json").read_text())

    # ---- frozen layers

    def test_what_frozen_layers_make_is_computed_once_and_changes_no_bit(self):
        for fields in ("", "corruption: 0.3"):
            at_each_step = self.trained(GREEDY, NETWORK, fields=fields, words=["--set", "train.encoder_memory=0"])
            self.assertEqual(self.summary()["encoders"], [])
            for ranks, threads in WORLDS:
                for memory, in_file in ((1 << 30, False), (5000, True), (1, True)):
                    with self.subTest(fields=fields, ranks=ranks, threads=threads, memory=memory):
                        found = self.trained(GREEDY, NETWORK, fields=fields, ranks=ranks, threads=threads,
                                             words=["--set", f"train.encoder_memory={memory}"])
                        self.assertEqual(found, at_each_step)
                        encoder, = self.summary()["encoders"]  # the first stage has no layer before its own
                        self.assertEqual((encoder["layers"], encoder["records"], encoder["in_file"]), (["flat"], 300, in_file))
                        self.assertEqual(encoder["bytes"], 300 * 6 * 6 * 4 * 4)

    def test_it_is_told(self):
        said = self.run_job(self.write(GREEDY, NETWORK, normalize=NORMAL, fields=""))
        self.assertIn("what flat makes of 300 records is computed once", said)
        self.assertIn("172800 bytes in memory", said)

    def test_records_that_change_from_epoch_to_epoch_are_put_through_again(self):
        augment = 'augment {{ flip {{ horizontal: 0.5 vertical: 0 }} }}\n'
        always = self.trained(GREEDY, augment, NETWORK, fields="", words=["--set", "train.encoder_memory=0"])
        self.assertEqual(self.trained(GREEDY, augment, NETWORK, fields=""), always)
        self.assertEqual(self.summary()["encoders"], [])

    def test_a_run_that_is_stopped_ends_with_the_same_bits(self):
        whole = self.trained(GREEDY, NETWORK, fields="")
        for most in (3, 13, 23, 33, 43):  # two stages of 15 steps, then the job's
            self.run_job(self.write(GREEDY, NETWORK, normalize=NORMAL, fields=""), "--max-steps", most,
                         status=75 if most < 30 else 0)
            self.run_job(self.folder / "job.txtpb", "--resume", fresh=False)
            self.assertEqual(self.digest(), whole, most)

    # ---- tasks

    def test_filters_that_a_task_finds_are_those_of_a_stage(self):
        frozen = NETWORK.replace("{more}", "frozen: true")
        for ranks, threads in WORLDS:
            with self.subTest(ranks=ranks, threads=threads):
                self.trained(PATCHES, frozen, ranks=ranks, threads=threads, fields="")
                weights = self.arrays("weights.safetensors")["c1.weight"]
                self.assertEqual(weights[1], self.arrays("pretrain0.safetensors")["centres"][1])
                if (ranks, threads) == WORLDS[0]:
                    first, sha = weights, self.digest()
                self.assertEqual((weights, self.digest()), (first, sha))
        stage, = self.summary()["stages"]
        self.assertEqual((stage["task"], stage["records"]), ("plait.kmeans", 300))

    def test_a_task_over_what_layers_make(self):
        found = {self.trained(PATCHES, DEEP, GREEDY, NETWORK, ranks=ranks, threads=threads, fields="") for ranks, threads in WORLDS}
        self.assertEqual(len(found), 1)
        self.assertEqual([stage["task"] for stage in self.summary()["stages"]], ["plait.kmeans", "plait.kmeans"])
        self.assertEqual(self.arrays("pretrain1.safetensors")["centres"][0], [3, 6 * 6 * 4])
        resolved = self.folder_run / "resolved.txtpb"
        shutil.copy(resolved, self.folder / "again.txtpb")
        self.run_job(self.folder / "again.txtpb")
        self.assertEqual({self.digest()}, found)

    def test_a_kept_task_is_not_run_again(self):
        whole = self.trained(PATCHES, NETWORK, fields="")
        self.run_job(self.folder / "job.txtpb", "--max-steps", 6)
        said = self.run_job(self.folder / "job.txtpb", "--resume", fresh=False)
        self.assertEqual(self.digest(), whole)
        self.assertNotIn("passes into pretrain0", said)

    def test_what_does_not_fit_is_refused_before_anything_runs(self):
        def refused(words, text, fields=""):
            self.refused(*words, job=self.write(text, NETWORK, normalize=NORMAL, fields=fields))

        refused(["centres", "does not fit c1.weight [4, 1, 3, 3]"], PATCHES.replace("k: 4", "k: 5"))
        refused(['makes no array "none", only: centres'], PATCHES.replace("centres", "none"))
        refused(['layer "c1" has no "none"'], PATCHES, 'parameter: "none"')
        refused(["wanted one task that fills accumulators"], PATCHES.replace("kmeans {{ k: 4 iterations: 4 }}", "count_words {{}}")
                .replace('prepare {{ crop {{ size: 3 }} }}', ""))
        refused(["the stage has 300 records, wanted at least k, 400"], PATCHES.replace("k: 4", "k: 400"))


if __name__ == "__main__":
    unittest.main()
