"""Signals and limits to stop: the open round is left, what is whole is saved, the status is 75, and --resume ends with
the bits of a run that nobody stopped. What cannot be written is an error, and training does not need a reader."""
import errno
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
import unittest

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, "..", "distributed"))
sys.dont_write_bytecode = True
import jobs  # noqa: E402

EPOCHS = 60
# A round that lasts for weeks.
ENDLESS = ["--set", "train.local_steps=1000000", "--set", "train.epochs=1000000"]
LIMIT_S = 60  # of a run that ends, on a machine with much to do
PRETRAINED = """
source { [test.waiting] { where: "nowhere" } }
test { [test.waiting] { where: "nowhere" } }
layer { name: "h" input: "x" dense { units: 6 } }
layer { name: "t" tanh {} }
layer { name: "f" dense { units: 2 } }
loss { input: "f" target: "label" softmax_cross_entropy {} }
optimizer { sgd { rate: 0.1 } }
train { shards: 2 local_steps: 5 batch: 4 steps: 40 }
"""


class StopsTest(unittest.TestCase):
    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.folder = self.temporary.name
        self.processes = []
        jobs.write_digits(self.folder)
        text = (jobs.CONVOLUTION % {"data": self.folder}).replace("epochs: 3", f"epochs: {EPOCHS}")
        self.write("job.txtpb", text)

    def tearDown(self):
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.communicate()
        self.temporary.cleanup()

    def write(self, name, text):
        with open(f"{self.folder}/{name}", "w") as out:
            out.write(text)

    def waiting(self, where, after=0, blocking="false"):
        return (PRETRAINED.replace('source { [test.waiting] { where: "nowhere" } }',
                                   f'source {{ [test.waiting] {{ where: "{where}" after: {after} blocking: {blocking} '
                                   f'started: "{self.folder}/started" go: "{self.folder}/go" }} }}'))

    def start(self, file, run_dir, *words, launcher=(), stdout=subprocess.PIPE, progress="none", **more):
        process = subprocess.Popen(
            [*launcher, "plait", "run", f"{self.folder}/{file}", "--run-dir", f"{self.folder}/{run_dir}", "--plugin",
             PLUGIN, "--progress", progress, "--threads", "1", *words],
            stdout=stdout, stderr=subprocess.PIPE, text=True, start_new_session=True, **more)
        self.processes.append(process)
        return process

    def finish(self, process, status):
        out, err = process.communicate(timeout=LIMIT_S)
        self.assertEqual(process.returncode, status, (out or "") + err)
        return (out or "") + err

    def summary(self, run_dir):
        with open(f"{self.folder}/{run_dir}/summary.json") as file:
            return json.load(file)

    def digest(self, run_dir):
        summary = self.summary(run_dir)
        self.assertEqual(summary["status"], "complete")
        return summary["weights_sha256"]

    def wait_for(self, path):
        """Until there is the file that the last process makes."""
        for _ in range(100 * LIMIT_S):
            if os.path.exists(f"{self.folder}/{path}"):
                return
            if self.processes[-1].poll() is not None:
                break
            time.sleep(0.01)
        self.processes[-1].kill()
        self.fail(f"{path} does not appear: " + "".join(self.processes[-1].communicate()))

    def resumed_equals_whole(self, file="job.txtpb", run_dir="stopped", whole="job.txtpb"):
        if not os.path.exists(f"{self.folder}/whole"):
            self.finish(self.start(whole, "whole"), 0)
        self.finish(self.start(file, run_dir, "--resume"), 0)
        self.assertEqual(self.digest(run_dir), self.digest("whole"))

    def test_each_signal_in_a_round_without_end(self):
        for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1"):
            with self.subTest(name):
                process = self.start("job.txtpb", name, *ENDLESS, progress="plain")
                self.wait_for(f"{name}/resolved.txtpb")
                process.send_signal(getattr(signal, name))
                said = self.finish(process, 75)
                self.assertIn("stopped before a round was finished", said)
                self.assertEqual(self.summary(name)["status"], "stopped")

    def test_a_signal_to_mpirun(self):
        process = self.start("job.txtpb", "stopped", *ENDLESS, launcher=["mpirun", "-n", "2"])
        self.wait_for("stopped/resolved.txtpb")
        process.send_signal(signal.SIGUSR1)
        self.finish(process, 75)

    def test_a_signal_to_one_rank_of_three(self):
        for rank in (0, 2):
            with self.subTest(rank=rank):
                run_dir = f"rank{rank}"
                # A shell that leaves its process number, then becomes the rank.
                self.write("rank.sh", f'echo $$ > {self.folder}/{run_dir}-pid-$OMPI_COMM_WORLD_RANK\nexec "$@"\n')
                process = self.start("job.txtpb", run_dir, *ENDLESS,
                                     launcher=["mpirun", "-n", "3", "sh", f"{self.folder}/rank.sh"])
                self.wait_for(f"{run_dir}/resolved.txtpb")
                with open(f"{self.folder}/{run_dir}-pid-{rank}") as file:
                    os.kill(int(file.read()), signal.SIGTERM)
                self.finish(process, 75)

    def test_signals_at_any_time_end_with_the_same_bits(self):
        delays = [0.02 * 2**i for i in range(7)]
        for i, delay in enumerate(delays):
            process = self.start("job.txtpb", "stopped", *(["--resume"] if self.has_checkpoint() else []))
            time.sleep(delay)
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=LIMIT_S)
            self.assertIn(process.returncode, (0, 75, -signal.SIGTERM))  # the last: before it listens
            if process.returncode == 0:
                break
        if not self.has_checkpoint():
            self.skipTest("this machine is too slow to be stopped in training")
        self.resumed_equals_whole()

    def has_checkpoint(self):
        folder = f"{self.folder}/stopped/checkpoints"
        return os.path.isdir(folder) and any(name.endswith(".ckpt") for name in os.listdir(folder))

    def test_time_that_is_up(self):
        for run_dir, words in (("stopped", []), ("endless", ENDLESS)):
            process = self.start("job.txtpb", run_dir, "--max-time", "1", *words)
            if run_dir == "endless":
                self.finish(process, 75)
            else:  # a fast machine is done before
                process.communicate(timeout=LIMIT_S)
                self.assertIn(process.returncode, (0, 75))
        if self.has_checkpoint():
            self.resumed_equals_whole()

    def test_time_that_is_up_before_anything(self):
        said = self.finish(self.start("job.txtpb", "stopped", "--max-time", "0.000001"), 75)
        self.assertIn("nothing was written", said)
        self.assertIn("; wanted a longer --max-time than 1e-06 s", said)

    def test_time_that_is_up_before_a_round(self):
        said = self.finish(self.start("job.txtpb", "endless", "--max-time", "1", *ENDLESS, progress="plain"), 75)
        self.assertIn("; wanted a longer --max-time than 1 s", said)
        process = self.start("job.txtpb", "asked", *ENDLESS, "--max-time", "3600", progress="plain")
        self.wait_for("asked/resolved.txtpb")
        process.send_signal(signal.SIGTERM)
        self.assertNotIn("a longer --max-time", self.finish(process, 75))

    def test_a_source_that_does_not_come_back(self):
        self.write("whole.txtpb", PRETRAINED)
        for where, after, blocking, ranks in (("read", 100, "false", 0), ("read", 100, "true", 0), ("open", 0, "false", 0),
                                              ("read", 100, "true", 2), ("read", 10, "false", 2), ("open", 0, "true", 2)):
            with self.subTest(where=where, after=after, blocking=blocking, ranks=ranks):
                run_dir = f"{where}{after}{blocking}{ranks}"
                for name in ("started", "go"):
                    if os.path.exists(f"{self.folder}/{name}"):
                        os.remove(f"{self.folder}/{name}")
                self.write("job2.txtpb", self.waiting(where, after, blocking))
                process = self.start("job2.txtpb", run_dir, launcher=["mpirun", "-n", str(ranks)] if ranks else [])
                self.wait_for("started")
                process.send_signal(signal.SIGUSR1)
                said = self.finish(process, 75)
                if where == "open":
                    self.assertEqual(said.count("nothing was written"), 1, said)
                    continue
                self.write("go", "")
                self.resumed_equals_whole("job2.txtpb", run_dir, "whole.txtpb")

    def test_a_second_interrupt_ends_at_once(self):
        self.write("job2.txtpb", self.waiting("read", 20).replace("steps: 40", "steps: 4000"))
        process = self.start("job2.txtpb", "stopped")
        self.wait_for("started")
        process.send_signal(signal.SIGINT)
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=LIMIT_S)
        self.assertIn(process.returncode, (-signal.SIGINT, 75))  # 75: it had saved already

    def test_one_wish_that_comes_twice(self):
        process = self.start("job.txtpb", "stopped", *ENDLESS)
        self.wait_for("stopped/resolved.txtpb")
        for name in ("SIGTERM", "SIGTERM", "SIGHUP", "SIGUSR1"):
            process.send_signal(getattr(signal, name))
        self.finish(process, 75)

    def test_a_hangup_that_is_ignored_stays_so(self):
        process = self.start("job.txtpb", "ignored", "--max-steps", "400", launcher=["nohup"])
        self.wait_for("ignored/resolved.txtpb")
        process.send_signal(signal.SIGHUP)
        self.finish(process, 0)

    def test_steps_that_are_counted_off(self):
        said = self.finish(self.start("job.txtpb", "stopped", "--max-steps", "37", progress="plain"), 0)
        self.assertIn("so the run ends after 30", said)
        self.assertEqual(self.summary("stopped")["steps"], 30)
        self.assertRegex(self.summary("stopped")["ended_early"], "^--max-steps 37 after step 30 of [0-9]+$")
        self.assertIn("ended by --max-steps 37 after step 30 of ", said)
        self.resumed_equals_whole()
        said = self.finish(self.start("job.txtpb", "none", "--max-steps", "9"), 2)
        self.assertIn("--max-steps 9: a round of \"job\" has 10 steps", said)
        self.assertFalse(os.path.exists(f"{self.folder}/none"))

    def test_steps_that_are_counted_off_in_pretraining(self):
        pretraining = "pretrain { autoencoder { layers: [\"h\"] epochs: 2 } }"
        self.write("whole.txtpb", PRETRAINED + pretraining)
        self.finish(self.start("whole.txtpb", "whole"), 0)
        before = self.summary("whole")["steps"] - 40
        for most in (5, before, before + 4, before + 14):
            process = self.start("whole.txtpb", f"cut{most}", "--max-steps", str(most), progress="plain")
            said = "".join(process.communicate(timeout=LIMIT_S))
            self.assertEqual(process.returncode, 75 if most < before + 5 else 0, said)
            summary = self.summary(f"cut{most}")
            if process.returncode == 75:
                self.assertEqual((summary["status"], summary["ended_early"]), ("stopped", ""))
                self.assertIn(f"--max-steps {most} ends the run before its network is trained", said)
            else:
                self.assertEqual((summary["status"], summary["ended_early"]),
                                 ("complete", f"--max-steps {most} after step {summary['steps'] - before} of 40"))
                self.assertEqual(summary["steps"], before + 10)
            self.resumed_equals_whole("whole.txtpb", f"cut{most}", "whole.txtpb")

    def test_a_reader_that_goes_away(self):
        read, write = os.pipe()
        os.close(read)
        for progress in ("plain", "json", "bar"):
            with self.subTest(progress):
                self.finish(self.start("job.txtpb", progress, "--max-steps", "50", stdout=write, progress=progress), 0)
                self.assertEqual(self.summary(progress)["rounds"], 5)
        os.close(write)
        closed = ["sh", "-c", 'exec "$@" >&-', "sh"]
        self.finish(self.start("job.txtpb", "closed", "--max-steps", "50", launcher=closed, progress="plain"), 0)
        self.assertEqual(self.summary("closed")["rounds"], 5)

    def test_a_reader_that_does_not_read(self):
        for progress, words, sent in (("json", [], signal.SIGTERM), ("plain", [], signal.SIGUSR1), ("bar", [], signal.SIGHUP),
                                      ("json", ["--max-time", "4"], None)):
            with self.subTest(progress=progress, sent=sent):
                read, write = self.full_pipe()
                run_dir = f"{progress}-{sent}"
                process = self.start("job.txtpb", run_dir, "--set", "train.epochs=100000", *words, stdout=write,
                                     progress=progress)
                os.close(write)
                self.wait_for(f"{run_dir}/lock")
                time.sleep(1)  # it should have come to its first line; earlier is a stop as well
                if sent is not None:
                    process.send_signal(sent)
                self.finish(process, 75)
                os.close(read)
                self.assertEqual(self.summary(run_dir)["status"], "stopped")

    def full_pipe(self):
        """Both ends; the next byte that is written waits."""
        read, write = os.pipe()
        os.set_blocking(write, False)
        try:
            while True:
                os.write(write, bytes(4096))
        except BlockingIOError:
            os.set_blocking(write, True)
        return read, write

    def test_a_limit_on_the_size_of_files(self):
        limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))  # noqa: E731
        said = self.finish(self.start("job.txtpb", "small", "--max-steps", "50", preexec_fn=limit), 1)
        self.assertIn("write failed: File too large", said)
        self.leaves_no_temporaries("small")

    def leaves_no_temporaries(self, run_dir):
        names = [name for _, _, files in os.walk(f"{self.folder}/{run_dir}") for name in files]
        self.assertFalse([name for name in names if ".tmp." in name], names)

    def preloaded(self, name, text):
        source, library = f"{self.folder}/{name}.c", f"{self.folder}/{name}.so"
        with open(source, "w") as file:
            file.write(text)
        subprocess.run(["gcc", "-shared", "-fPIC", "-o", library, source], check=True)
        return library

    def test_a_disk_without_room_and_a_quota_that_is_used_up(self):
        library = self.preloaded("no_room", NO_ROOM)
        for error in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            with self.subTest(errno.errorcode[error]):
                run_dir = errno.errorcode[error]
                launcher = ["env", f"LD_PRELOAD={library}", f"NO_ROOM={error}"]
                said = self.finish(self.start("job.txtpb", run_dir, "--max-steps", "50", launcher=launcher), 1)
                self.assertIn(f"write failed: {os.strerror(error)}", said)
                self.leaves_no_temporaries(run_dir)

    def test_a_file_system_without_locks(self):
        library = self.preloaded("no_locks", NO_LOCKS)
        launcher = ["env", f"LD_PRELOAD={library}"]
        said = self.finish(self.start("job.txtpb", "unlocked", "--max-steps", "50", progress="plain", launcher=launcher), 0)
        self.assertRegex(said, "unlocked/lock: this file system has no locks: .*; see to it that no other run writes")
        said = subprocess.run([*launcher, "plait", "sweep", "job.txtpb", "--sweep-dir", "unlocked-sweep", "--set",
                               "seed=choice(1,2)", "--set", "train.epochs=1"], cwd=self.folder, text=True, timeout=120,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.assertRegex(said.stdout, "has no locks: .*; see to it that no other sweep writes into unlocked-sweep")
        self.assertEqual(said.returncode, 0, said.stdout)


# No file can be locked.
NO_LOCKS = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
static int refuse(int file, int what, void* with, const char* name) {
  if (what == F_OFD_SETLK) {
    errno = ENOLCK;
    return -1;
  }
  return ((int (*)(int, int, void*))dlsym(RTLD_NEXT, name))(file, what, with);
}
#define REFUSED(name)                            \\
  int name(int file, int what, ...) {            \\
    va_list list;                                \\
    va_start(list, what);                        \\
    void* with = va_arg(list, void*);            \\
    va_end(list);                                \\
    return refuse(file, what, with, #name);      \\
  }
#undef fcntl
#undef fcntl64
REFUSED(fcntl)
REFUSED(fcntl64)
"""

# Regular files grow to 3000 bytes; then writing fails with the number in NO_ROOM.
NO_ROOM = """
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
ssize_t write(int file, const void* from, size_t bytes) {
  struct stat info;
  if (fstat(file, &info) == 0 && S_ISREG(info.st_mode) && info.st_size + (off_t)bytes > 3000) {
    errno = atoi(getenv("NO_ROOM"));
    return -1;
  }
  return syscall(SYS_write, file, from, bytes);
}
"""


if __name__ == "__main__":
    PLUGIN = sys.argv.pop(1)
    unittest.main()
