"""The CUDA device on the stand-in of the runtime: laws of the device and of every kernel, jobs against the host's losses,
same bits for any ranks, and faults: memory that is not there, launches that fail, errors that arrive late.

    stand_in_test.py FOLDER    FOLDER holds the libraries

Sums run in another order than on the processor: after 10 steps of rate 0.05 and momentum 0.9 in f32 the losses agree to about
10 x 0.05 x 10 x 1e-6 = 5e-6 of their size; 1e-4 is asked for.
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "distributed"))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "training"))
import image_sizes_test  # noqa: E402
import jobs  # noqa: E402

JOB = jobs.HEAD + """
layer { name: "h" input: "image" dense { units: 32 } }
layer { name: "r" relu {} }
layer { name: "g" dense { units: 16 } }
layer { name: "t" tanh {} }
layer { name: "f" dense { units: 4 } }
optimizer { sgd { rate: 0.05 momentum: 0.9 } }
train { shards: 3 local_steps: 5 batch: 8 steps: 10 }
"""
CARD = "device { cuda {} }\n"
failures = []


def check(is_good, what, said=""):
    if is_good:
        print(f"ok      {what}", flush=True)
        return
    failures.append(what)
    print(f"FAILED  {what}\n{said}", flush=True)


def run(folder, name, card=True, ranks=0, words=(), **env):
    text = JOB + (CARD if card else "")
    before = dict(os.environ)
    os.environ.update(env)
    try:
        return jobs.run(folder, text, name, ranks=ranks, threads=2, words=words, check=False)
    finally:
        os.environ.clear()
        os.environ.update(before)


def laws(libraries):
    # The threads of a stand-in's card run one after the other: what takes a card a moment takes a slow processor more than the minute
    # that a law has.
    for library in sorted(libraries.glob("*.plait.so")):
        done = subprocess.run(["plait", "verify", str(library), "--time-limit", "600"],
                              capture_output=True, text=True, timeout=900)
        tried = re.findall(r"^passed .*$", done.stdout, re.MULTILINE)
        check(done.returncode == 0 and len(tried) > 5, f"plait verify {library.name}: {len(tried)} passed",
              done.stdout[-4000:] + done.stderr)


def trains(folder):
    host, done = run(folder, "host", card=False)
    check(host, "trains on the host", done.stdout + done.stderr)
    far, done = run(folder, "far")
    check(far, "trains on the card", done.stdout + done.stderr)
    ranks, done = run(folder, "ranks", ranks=2, FAKE_CUDA_CARDS="2")
    check(ranks, "trains on two cards of two ranks", done.stdout + done.stderr)
    called, done = run(folder, "called", FAKE_CUDA_FAIL="record:1")
    check(called, "trains where work cannot be recorded", done.stdout + done.stderr)
    if not (host and far and ranks and called):
        return
    check(abs(host["loss"] - far["loss"]) <= 1e-4 * host["loss"] and host["loss"] > 1e-3,
          f"losses agree: {host['loss']} on the host, {far['loss']} on the card")
    same = far["weights_sha256"] == ranks["weights_sha256"] == called["weights_sha256"]
    check(same, "same bits on one and two ranks, recorded or called")


def images_of_any_size(folder):
    """Rows of padding are cleared on the card too."""
    image_sizes_test.write_images(folder, filling=9)
    job = image_sizes_test.JOB.replace("epochs: 6 @TRAIN@", "steps: 10")
    host, _ = jobs.run(folder, job, "sizes")
    far, done = jobs.run(folder, job + CARD, "far_sizes", threads=2, check=False)
    ranks, _ = jobs.run(folder, job + CARD, "rank_sizes", ranks=2, check=False)
    check(far and ranks, "trains on images of any size", done.stdout + done.stderr)
    if not (far and ranks):
        return
    check(abs(host["loss"] - far["loss"]) <= 1e-4 * host["loss"], f"losses agree: {host['loss']}, {far['loss']}")
    check(far["weights_sha256"] == ranks["weights_sha256"], "same bits on one and two ranks")


def refused(folder, name, wanted, words=(), **env):
    summary, done = run(folder, name, words=words, **env)
    said = done.stdout + done.stderr
    check(done.returncode == 1 and re.search(wanted, said) and not summary, f"refused: {wanted}", said)


def refusals(folder):
    refused(folder, "none", r"plait\.cuda: no CUDA device: driver reports no CUDA-capable device", FAKE_CUDA_CARDS="0")
    refused(folder, "old", r"no CUDA device: the driver is for CUDA 12\.4, wanted one for 13\.0 or newer",
            FAKE_CUDA_DRIVER="12040")
    refused(folder, "code", r"card 0 \(fake card\) has compute capability 9\.0, for which this library holds no code",
            FAKE_CUDA_NO_CODE="1")
    refused(folder, "index", r"no CUDA device of index 3: there are 2, counted from 0", ["--set", "device.cuda.index=3"],
            FAKE_CUDA_CARDS="2")
    if not (pathlib.Path(sys.argv[1]) / "muon.cuda.plait.so").exists():
        refused(folder, "optimizer", r"plait\.muon has no implementation for device plait\.cuda, only for host",
                ["--set", "optimizer=muon{}"])


def faults(folder):
    """Each ends the run with the place and the runtime's words, and none hangs."""
    for fault, wanted in [("malloc:9", r"out of memory on card 0 .*: wanted \d+ bytes"),
                          ("host:2", r"bytes of host memory: the host has no \d+ bytes"),
                          ("launch:5", r"unspecified launch failure \(cudaErrorLaunchFailure\)"),
                          ("kernel:40", r"unspecified launch failure \(cudaErrorLaunchFailure\)"),
                          ("copy:12", r"an illegal memory access was encountered \(cudaErrorIllegalAddress\)"),
                          ("repeat:3", r"recorded work: unspecified launch failure")]:
        summary, done = run(folder, "fault", FAKE_CUDA_FAIL=fault, FAKE_CUDA_NO_POOLS="1")
        said = done.stdout + done.stderr
        check(done.returncode == 1 and re.search(wanted, said) and not (summary and summary["status"] == "complete"),
              f"{fault}: {wanted}", said[-3000:])
    summary, done = run(folder, "pool", FAKE_CUDA_FAIL="malloc:9")
    check(summary, "a pool that is full in pieces is emptied and asked once more", done.stdout + done.stderr)


def choice(folder):
    summary, done = run(folder, "auto", card=False, words=["--device", "auto"])
    check(summary and "device plait.auto: plait.cuda" in done.stderr, "--device auto takes the card", done.stderr)
    summary, done = run(folder, "fallback", card=False, words=["--device", "auto"], FAKE_CUDA_CARDS="0")
    check(summary and re.search(r"device plait\.auto: plait\.cpu \(plait\.cuda: no CUDA device", done.stderr),
          "--device auto falls back to the host, and says why", done.stderr)


def main():
    libraries = pathlib.Path(sys.argv[1]).resolve()
    os.environ["PLAIT_PLUGIN_PATH"] = str(libraries)
    with tempfile.TemporaryDirectory() as folder:
        jobs.write_digits(folder)
        for part in [trains, images_of_any_size, refusals, faults, choice]:
            part(folder)
    laws(libraries)
    print(f"{len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
