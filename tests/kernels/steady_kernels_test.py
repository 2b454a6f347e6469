"""Kernels of oneDNN are created before the first step and never again.

The library itself tells of every creation (ONEDNN_VERBOSE=2); a convolution in groups runs on it.
"""
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "distributed"))
import jobs  # noqa: E402

JOB = jobs.HEAD + """
layer { name: "c" input: "image" convolution { filters: 4 kernel: 3 } }
layer { name: "g" convolution { filters: 8 kernel: 3 groups: 2 } }
layer { name: "r" relu {} }
layer { name: "f" dense { units: 4 } }
optimizer { sgd { rate: 0.05 } }
train { shards: 2 local_steps: 5 batch: 8 steps: 40 }
"""
with tempfile.TemporaryDirectory() as folder:
    jobs.write_digits(folder)
    os.environ["ONEDNN_VERBOSE"] = "2"
    _, done = jobs.run(folder, JOB, "groups", threads=2)
lines = done.stdout.splitlines()
first_round = next(i for i, line in enumerate(lines) if line.startswith("round 1/"))
last_round = max(i for i, line in enumerate(lines) if line.startswith("round "))
created = [line for line in lines if line.startswith("onednn_verbose") and "create" in line]
executed = [line for line in lines[first_round:last_round] if line.startswith("onednn_verbose") and "exec" in line]
late = [line for line in lines[first_round:last_round] if line.startswith("onednn_verbose") and "create" in line]
print(f"{len(created)} kernels created, {len(executed)} run between the first round and the last, {len(late)} created there")
if late:
    print("\n".join(late[:5]))
sys.exit(0 if created and executed and not late else 1)
