"""Runs with stages that are resumed: what they were begun as counts also before the first round, equal data may lie
elsewhere, and what is changed is refused by name, or accepted and kept."""
import json
import shutil
import signal
import subprocess
import unittest

from outputs_test import FILTERS, NETWORK, OutputsBase, PIXELS

INIT = 'init { from: "filters" array: "centres" }'
# The stage "filters" fails after its first pass, as if the run had been killed there.
CUT = ("--set", "stage[filters].passes=1")


class ResumedBase(OutputsBase):
    def job(self, *texts, more=INIT):
        """The data are a variable."""
        file = self.folder / "job.txtpb"
        text = "".join(text.format(folder="${data}", fields="per: channel", normalize='from: "pixels"', more=more) for text in texts)
        file.write_text(f'var {{ name: "data" value: "{self.folder}" }}\n' + text)
        return file

    def summary(self, run="run"):
        return json.loads((self.folder / run / "summary.json").read_text())

    def resume(self, job, *more, **how):
        return self.run_job(job, "--resume", *more, fresh=False, **how)

    def moved(self):
        """The same bytes elsewhere."""
        there = self.folder / "moved"
        there.mkdir()
        for name in ("images", "labels"):
            shutil.copy(self.folder / name, there / name)
        return f"data={there}"

    def change_data(self):
        data = bytearray((self.folder / "images").read_bytes())
        data[16:16 + 4000] = bytes(4000)
        (self.folder / "images").write_bytes(data)


class CutInStagesTest(ResumedBase):
    """Before the first round."""

    def test_the_weights_that_it_was_begun_with_are_not_forgotten(self):
        job = self.job(PIXELS, FILTERS, NETWORK)
        self.run_job(job, "--set", "seed=9", run="before")
        weights = "--weights", self.folder / "before/weights.safetensors"
        self.run_job(job, *weights, run="whole")
        self.run_job(job, run="without")
        whole = self.digest("whole")
        self.assertNotEqual(whole, self.digest("without"))
        self.run_job(job, *weights, *CUT, status=1)
        self.resume(job, *CUT, status=1)
        for ranks in (2, 1) if shutil.which("mpirun") else (1,):
            self.resume(job, *CUT, ranks=ranks, status=1)
        self.resume(job)
        self.assertEqual(self.digest(), whole)
        self.assertEqual(self.summary()["begun_with"], self.summary("whole")["begun_with"])

    def test_all_that_was_taken_of_a_weights_file_is_told(self):
        job = self.job(PIXELS, NETWORK, more="")
        self.run_job(job, run="before")
        said = self.run_job(job, "--weights", self.folder / "before/weights.safetensors")
        self.assertIn("weights: 4 of 4 tensors from ", said)
        self.assertEqual(self.summary()["begun_with"]["taken"], ["c1.weight", "c1.bias", "f1.weight", "f1.bias"])

    def test_a_few_batches_stay_a_few(self):
        job = self.job(PIXELS, FILTERS, NETWORK)
        few = "--overfit-batches", 2
        self.run_job(job, *few, run="whole")
        self.run_job(job, *few, *CUT, status=1)
        self.assertIn("job: --overfit-batches was 2, is 0", self.resume(job, status=1))
        self.resume(job, *few)
        self.assertEqual(self.digest(), self.digest("whole"))

    def test_a_changed_job_is_refused_or_kept_as_changed(self):
        job = self.job(PIXELS, FILTERS, NETWORK)
        self.run_job(job, *CUT, status=1)
        before = (self.folder_run / "resolved.txtpb").read_text()
        changed = "--set", "seed=9", "--set", "optimizer.sgd.rate=0.01"
        said = self.resume(job, *changed, status=1)
        self.assertIn("job: seed was 1, is 9", said)
        self.assertIn("job: optimizer.sgd.rate was 0.05, is 0.01", said)
        self.assertEqual((self.folder_run / "resolved.txtpb").read_text(), before)
        # Accepted, and left in the stages once more: the run is what it has become.
        self.resume(job, *changed, *CUT, "--accept-change", "job", status=1)
        self.assertIn("job: seed was 9, is 1", self.resume(job, status=1))
        self.resume(job, *changed)
        self.assertEqual({change["text"].split(":")[0] for change in self.summary()["changes"]},
                         {"other bits from its stages on (job"})
        self.run_job(job, *changed, run="whole")
        self.assertEqual(self.digest(), self.digest("whole"))

    def test_it_may_become_longer_whatever_its_schedules_say(self):
        job = self.job(PIXELS, FILTERS, NETWORK, 'schedule {{ field: "rate" cosine {{}} }}')
        self.run_job(job, *CUT, status=1)
        longer = "--set", "train.epochs=4"
        self.resume(job, *longer)
        self.run_job(job, *longer, run="whole")
        self.assertEqual(self.digest(), self.digest("whole"))

    def test_it_may_be_begun_anew(self):
        job = self.job(PIXELS, FILTERS, NETWORK)
        self.run_job(job, *CUT, status=1)
        self.run_job(job, "--set", "seed=9", fresh=False)
        self.assertIn("holds a run already", self.run_job(job, fresh=False, status=1))

    def test_a_stop_there_is_gone_on_from_too(self):
        job = self.job(PIXELS, FILTERS, NETWORK)
        self.run_job(job, *CUT, status=1)
        self.resume(job, "--set", "train.batch=4", status=1)
        self.assertEqual([path.name for path in self.folder_run.glob("checkpoints/*")], ["stage000-beginning.ckpt"])
        self.folder_run.joinpath("checkpoints/stage000-beginning.ckpt").write_bytes(b"PLAITCK4")
        self.assertIn("no checkpoint to go on from", self.resume(job, status=1))


class StoppedInStagesTest(ResumedBase):
    WORDS = 'stage {{ name: "words" source {{ text_lines {{ file: "{folder}/text" }} }} count_words {{}} }}\n'

    def stop_in_words(self, job, *more):
        """0: it was quicker."""
        words = ["plait", "run", job, "--run-dir", self.folder_run, "--threads", "1", "--progress", "plain", *more]
        process = subprocess.Popen([str(word) for word in words], stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.kill)
        for line in process.stdout:
            if line.startswith("stage words"):
                break
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=100)
        self.assertIn(process.returncode, (0, 75))
        return process.returncode

    def test_the_weights_of_a_run_are_still_its_own(self):
        (self.folder / "text").write_text("".join(f"word{i} word{i % 1000}\n" for i in range(1_000_000)))
        job = self.job(self.WORDS, PIXELS, NETWORK, more="")
        self.run_job(job)
        before = self.summary()
        (self.folder_run / "words.tsv").unlink()
        if self.stop_in_words(job, "--resume") == 0:
            self.skipTest("this machine is too quick to be stopped in a stage")
        self.assertFalse((self.folder_run / "words.tsv").exists())
        after = self.summary()
        self.assertEqual(after["status"], "stopped")
        for name in ("weights_sha256", "best_weights_sha256", "loss", "validation", "steps"):
            self.assertEqual(after[name], before[name], name)
        self.plait("evaluate", self.folder_run)
        self.resume(job)
        self.assertEqual(self.digest(), before["weights_sha256"])


class EqualDataTest(ResumedBase):
    def test_a_training_run_with_stages_goes_on_where_the_data_moved(self):
        job = self.job(PIXELS, FILTERS, NETWORK)
        self.run_job(job, run="whole")
        self.run_job(job, "--max-steps", 3)
        self.resume(job, "--var", self.moved())
        self.assertEqual(self.digest(), self.digest("whole"))
        self.assertEqual([stage["kept"] for stage in self.summary()["stages"]], [True, True])

    def test_stages_alone_are_kept_where_the_data_moved(self):
        job = self.job(PIXELS, FILTERS)
        self.run_job(job)
        self.resume(job, "--var", self.moved())
        self.assertEqual([stage["kept"] for stage in self.summary()["stages"]], [True, True])

    @unittest.skipIf(shutil.which("mpirun") is None, "there is no mpirun")
    def test_ranks_may_find_equal_data_at_two_paths(self):
        job = self.job(PIXELS, FILTERS, NETWORK)
        self.run_job(job, run="whole")
        one = ["plait", "run", job, "--run-dir", self.folder_run, "--threads", "1"]
        words = ["mpirun", "--oversubscribe", "-n", "1", *one, ":", "-n", "1", *one, "--var", self.moved()]
        done = subprocess.run([str(word) for word in words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=100)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertEqual(self.digest(), self.digest("whole"))


class StagesAloneTest(ResumedBase):
    def test_what_changes_the_results_is_refused_by_name(self):
        job = self.job(PIXELS, FILTERS)
        self.run_job(job)
        before = {path.name: path.read_bytes() for path in self.folder_run.glob("*.safetensors")}
        for change, told in (("seed=9", "job: seed was 1, is 9"),
                             ("stage[pixels].split=10", "job: stage[pixels].split was 64, is 10"),
                             ("stage[filters].kmeans.k=5", "job: stage[filters].kmeans.k was 4, is 5")):
            self.assertIn(told, self.resume(job, "--set", change, status=1))
        self.assertIn("job: stage[filters]", self.resume(job, "--del", "stage[filters]", status=1))
        self.assertEqual({path.name: path.read_bytes() for path in self.folder_run.glob("*.safetensors")}, before)
        self.change_data()
        self.assertRegex(self.resume(job, status=1), r"data: stage\[pixels\].source.idx.images was \d+ bytes, sha256 ")

    def test_what_changes_no_result_is_let_through(self):
        job = self.job(PIXELS, FILTERS)
        self.run_job(job)
        self.resume(job, "--set", "name=other", "--set", "stage[pixels].memory=1048576", "--set", "stage[filters].passes=9",
                    "--set", "train.batch=4", "--overfit-batches", 2)
        self.assertEqual([stage["kept"] for stage in self.summary()["stages"]], [True, True])
        self.assertEqual(self.summary()["changes"], [])

    def test_what_was_accepted_is_kept_in_the_run(self):
        job = self.job(PIXELS, FILTERS)
        self.run_job(job)
        changed = "--set", "stage[filters].kmeans.k=5"
        self.resume(job, *changed, "--accept-change", "job")
        self.assertEqual([stage["kept"] for stage in self.summary()["stages"]], [True, False])
        (change,) = self.summary()["changes"]
        self.assertEqual((change["part"], change["what"]), ("job", "stage[filters].kmeans.k was 4, is 5"))
        self.resume(job, *changed)
        self.assertEqual(self.summary()["changes"], [change])
        self.assertIn("kmeans.k was 5, is 4", self.resume(job, status=1))

    def test_one_that_was_killed_is_the_one_that_was_begun(self):
        job = self.job(PIXELS, FILTERS)
        self.run_job(job, *CUT, status=1)
        self.assertIn("seed was 1, is 9", self.resume(job, "--set", "seed=9", status=1))
        self.resume(job)
        self.assertEqual([stage["kept"] for stage in self.summary()["stages"]], [True, False])

    def test_a_sweep(self):
        job = self.job(FILTERS, PIXELS)
        sweep = "sweep", job, "--set", "stage[filters].kmeans.k=choice(2,3)", "--sweep-dir", self.folder / "sweep"
        said = self.plait(*sweep)
        table = [line.split() for line in said.splitlines()[said.splitlines().index("") + 1:]]
        self.assertEqual(table[0], ["RUN", "stage[filters].kmeans.k", "TIME", "STATUS"])
        self.assertEqual([(line[0], line[1], line[-1]) for line in table[1:3]], [("001", "2", "complete"), ("002", "3", "complete")])
        rows = (self.folder / "sweep/table.csv").read_text().splitlines()
        self.assertEqual(rows[0].split(",")[:3], ["run", "stage[filters].kmeans.k", "status"])
        self.assertIn("seconds", rows[0].split(","))
        self.assertIn("from before", self.plait(*sweep, "--resume"))
        said = self.plait("sweep", self.job(PIXELS, FILTERS.replace("size: 3", "size: 30")), "--set", "seed=choice(1,2)",
                          "--sweep-dir", self.folder / "wrong", status=1)
        self.assertIn("crop", said)
        self.assertFalse((self.folder / "wrong").exists())


if __name__ == "__main__":
    unittest.main()
