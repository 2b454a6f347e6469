"""The same file and seed give the same weights on any number of ranks and threads."""
import os
import sys
import tempfile

import jobs

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden"))
import golden_data  # noqa: E402

failures = 0


def expect(what, got, wanted):
    global failures
    if got != wanted:
        failures += 1
        print(f"FAILED {what}: got {got}, wanted {wanted}")


for name, job in [("convolution", jobs.CONVOLUTION), ("normalised", jobs.NORMALISED), ("gradients", jobs.GRADIENTS)]:
    with tempfile.TemporaryDirectory() as folder:
        jobs.write_digits(folder)
        reference, _ = jobs.run(folder, job, name)
        print(f"{name}: {reference['weights_sha256'][:16]} test {reference['test']}")
        for ranks, threads in [(0, 2), (1, 1), (2, 1), (2, 2), (3, 1), (4, 1)]:
            got, _ = jobs.run(folder, job, name, ranks, threads)
            place = f"{name} on {ranks} ranks x {threads} threads"
            expect(f"{place}: weights", got["weights_sha256"], reference["weights_sha256"])
            expect(f"{place}: test", got["test"], reference["test"])
            expect(f"{place}: ranks", got["ranks"], max(1, ranks))
            tasks = got["tasks_by_rank"]
            expect(f"{place}: tasks", sum(tasks), got["shards"] * got["rounds"])
            expect(f"{place}: idle ranks", sum(count == 0 for count in tasks), 0)
        other, _ = jobs.run(folder, job, name, words=["--set", "seed=2"])
        expect(f"{name}: another seed gives other weights", other["weights_sha256"] != reference["weights_sha256"], True)
        spare, done = jobs.run(folder, job, name, ranks=3, words=["--set", "train.shards=2"])
        two, _ = jobs.run(folder, job, name, words=["--set", "train.shards=2"])
        expect(f"{name}: with a spare rank", spare["weights_sha256"], two["weights_sha256"])
        expect(f"{name}: the spare rank is mentioned", "spare" in done.stdout + done.stderr, True)
# One update per 32 samples, however they are cut: K shards of 32 / K. Gradients then differ by the rounding of sums of 32
# terms, 32 x 2^-24 = 2e-6 of their size; 45 steps of rate 0.05, amplified up to tenfold by momentum 0.9, make it 5e-5.
with tempfile.TemporaryDirectory() as folder:
    jobs.write_digits(folder)
    weights = {}
    for shards in (1, 2, 4):
        got, _ = jobs.run(folder, jobs.GRADIENTS, "equal", words=["--set", f"train.shards={shards}", "--set",
                                                                  f"train.batch={32 // shards}"])
        weights[shards] = golden_data.read_safetensors(f"{got['folder']}/weights.safetensors")
    for shards in (2, 4):
        worst = max(abs(a - b) for name in weights[1] for a, b in zip(weights[1][name], weights[shards][name]))
        print(f"K = {shards}, batch {32 // shards}: differs from K = 1, batch 32 by up to {worst:.3g}")
        expect(f"K = {shards}: difference within 5e-5", worst <= 5e-5, True)
sys.exit(1 if failures else 0)
