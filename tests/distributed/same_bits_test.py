"""The same file and seed give the same weights on any number of ranks and threads."""
import sys
import tempfile

import jobs

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
sys.exit(1 if failures else 0)
