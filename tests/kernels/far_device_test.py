"""A perceptron trains on a device that works asynchronously and whose memory the host cannot touch; its pictures are flipped and
normalized there, its right answers counted, and its shards' weights averaged.

Its kernels are plain loops, so sums run in another order than on the processor: after 10 steps of rate 0.05 in f32 the
losses agree to about 10 x 0.05 x 10 (momentum) x 1e-6 = 5e-6 of their size; 1e-4 is asked for. Ranks and threads give the same bits.
"""
import os
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "distributed"))
import jobs  # noqa: E402

JOB = jobs.HEAD + """
augment { flip { vertical: 0.25 } }
layer { name: "flat" input: "image" flatten {} }
layer { name: "h" dense { units: 32 } }
layer { name: "r" relu {} }
layer { name: "f" dense { units: 4 } }
optimizer { sgd { rate: 0.05 momentum: 0.9 } }
train { shards: 3 local_steps: 5 batch: 8 steps: 10 }
"""
with tempfile.TemporaryDirectory() as folder:
    jobs.write_digits(folder)
    host, _ = jobs.run(folder, JOB, "host")
    far, _ = jobs.run(folder, JOB + "device { test_device {} }", "far")
    far_ranks, _ = jobs.run(folder, JOB + "device { test_device {} }", "far_ranks", ranks=2, threads=2)
print("host", host["loss"], host["test"])
print("far ", far["loss"], far["test"])
close = abs(host["loss"] - far["loss"]) <= 1e-4 * host["loss"] and host["loss"] > 1e-3
same = far["weights_sha256"] == far_ranks["weights_sha256"]
print("the losses agree" if close else "FAILED: the losses differ", "-", "same bits" if same else "FAILED: other bits on two ranks")
sys.exit(0 if close and same else 1)
