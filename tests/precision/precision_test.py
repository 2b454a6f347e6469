"""train { precision: bf16 }: the same bits on any number of ranks and threads and after a stop; weights stay f32; what is in f32 is
told; without the instructions it is refused by name. Skipped where the processor lacks them, after the refusals."""
import json
import os
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "distributed"))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden"))
import golden_data  # noqa: E402
import jobs  # noqa: E402

failures = 0


def expect(what, got, wanted):
    global failures
    if got != wanted:
        failures += 1
        print(f"FAILED {what}: got {got}, wanted {wanted}")


# A convolution and products that take bf16, everything that follows them in it, and a branch that is added.
LAYERS = """
layer { name: "c0" input: "image" convolution { filters: 16 kernel: 3 padding: 1 } }
layer { name: "r0" relu {} }
layer { name: "c1" convolution { filters: 16 kernel: 3 padding: 1 bias: false } }
layer { name: "n1" batch_norm {} }
layer { name: "sum" input: ["n1", "r0"] add {} }
layer { name: "r1" relu {} }
layer { name: "p" max_pool { kernel: 2 } }
layer { name: "u" transposed_convolution { filters: 16 kernel: 2 stride: 2 } }
layer { name: "tu" tanh {} }
layer { name: "a" average_pool { kernel: 3 } }
layer { name: "flat" flatten {} }
layer { name: "h" dense { units: 192 } }
layer { name: "g" gelu {} }
layer { name: "d" dropout { rate: 0.2 } }
layer { name: "h2" dense { units: 192 } }
layer { name: "rh" relu {} }
layer { name: "f" dense { units: 4 } }
optimizer { sgd { rate: 0.05 momentum: 0.9 weight_decay: 0.001 } }
"""
ROUNDS = jobs.HEAD + LAYERS + "train { precision: bf16 shards: 4 local_steps: 5 batch: 8 epochs: 4 }\n"
LANES = jobs.HEAD + LAYERS + "train { precision: bf16 shards: 2 local_steps: 5 batch: 16 epochs: 4 lanes: 2 }\n"


def check(folder, job, environment=(), words=()):
    with open(f"{folder}/check.txtpb", "w") as file:
        file.write(job % {"data": folder})
    return subprocess.run(["plait", "check", f"{folder}/check.txtpb", *words], capture_output=True, text=True, timeout=60,
                          env={**os.environ, **dict(environment)})


with tempfile.TemporaryDirectory() as folder:
    jobs.write_digits(folder)
    for words in ([], ["--no-data"]):
        lesser = check(folder, ROUNDS, {"ONEDNN_MAX_CPU_ISA": "AVX2"}, words)
        expect(f"check {words} with AVX2 alone: status", lesser.returncode, 1)
        told = "precision: bf16 wants " in lesser.stderr and "avx512_bf16 or amx_bf16" in lesser.stderr
        expect(f"check {words} with AVX2 alone names the instructions ({lesser.stderr})", told, True)
    expect("f32 is not refused", check(folder, ROUNDS.replace("bf16", "f32"), {"ONEDNN_MAX_CPU_ISA": "AVX2"}).returncode, 0)
    wrong = check(folder, ROUNDS.replace("bf16", "bf17"))
    expect("a precision that is none: status", wrong.returncode, 1)
    expect(f"a precision that is none: place and choices ({wrong.stderr})", "bf17" in wrong.stderr and "f32" in wrong.stderr, True)

    here = check(folder, ROUNDS)
    if "got one of" in here.stderr:
        print("this processor has neither avx512_bf16 nor amx_bf16")
        sys.exit(1 if failures else 77)
    expect(f"check: status ({here.stderr})", here.returncode, 0)
    expect(f"check tells what stays in f32 ({here.stdout})",
           "precision bf16, except layers that stay in f32: c0, r0, g, d, f\n" in here.stdout, True)
    expect("check shows types", "[8, 12, 12, 16] bf16" in here.stdout and "[8, 12, 12, 16] f32" in here.stdout, True)

    for name, job in [("rounds", ROUNDS), ("lanes", LANES), ("gradients", ROUNDS.replace("local_steps: 5", "sync: gradients"))]:
        reference, _ = jobs.run(folder, job, name)
        print(f"{name}: {reference['weights_sha256'][:16]} test {reference['test']}")
        for ranks, threads in [(0, 2), (2, 1), (3, 1)]:
            got, _ = jobs.run(folder, job, name, ranks, threads)
            expect(f"{name} on {ranks} ranks x {threads} threads", got["weights_sha256"], reference["weights_sha256"])
            expect(f"{name} on {ranks} ranks x {threads} threads: test", got["test"], reference["test"])
        # Stripes are easy: a network whose gradients were wrong would guess one of four.
        expect(f"{name}: learns", reference["test"]["accuracy"] > 0.6, True)
        full, _ = jobs.run(folder, job.replace("bf16", "f32"), name + "_f32")
        expect(f"{name}: f32 has other weights", full["weights_sha256"] != reference["weights_sha256"], True)

        file = f"{folder}/{name}.txtpb"
        stopped = f"{folder}/{name}-stopped"
        run = ["plait", "run", file, "--run-dir", stopped, "--progress", "none"]
        first = subprocess.run([*run, "--max-steps", "10"], capture_output=True, text=True, timeout=100)
        expect(f"{name}: the beginning ({first.stderr})", first.returncode, 0)
        with open(f"{stopped}/summary.json") as summary:
            expect(f"{name}: is no more than that", json.load(summary)["rounds"] < reference["rounds"], True)
        done = subprocess.run([*run, "--resume"], capture_output=True, text=True, timeout=100)
        expect(f"{name}: resumed ({done.stderr})", done.returncode, 0)
        weights = [golden_data.read_safetensors(f"{at}/weights.safetensors") for at in (reference["folder"], stopped)]
        expect(f"{name}: resumed to the same weights", weights[0] == weights[1], True)
        # Numbers that bf16 cannot hold: the weights that are kept are f32's.
        kept = [value for values in weights[0].values() for value in values]
        expect(f"{name}: weights are f32", any(struct.unpack("<I", struct.pack("<f", value))[0] & 0xFFFF for value in kept), True)
        changed = subprocess.run([*run, "--resume", "--set", "train.epochs=5", "--set", "train.precision=f32"], capture_output=True,
                                 text=True, timeout=100)
        expect(f"{name}: another precision on the way is told ({changed.stderr})", "precision" in changed.stderr, True)
sys.exit(1 if failures else 0)
