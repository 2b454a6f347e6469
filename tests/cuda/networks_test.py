"""Networks of every layer, loss and optimizer that has kernels, trained on the host and on the stand-in of the CUDA runtime.

    networks_test.py FOLDER    FOLDER holds the libraries

Sums run in another order than on the processor: after 10 steps of rate 0.05 and momentum 0.9 in f32 the losses agree to about
10 x 0.05 x 10 x 1e-6 = 5e-6 of their size; 1e-4 is asked for. Dropout drops the same elements.
"""
import os
import pathlib
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "distributed"))
import jobs  # noqa: E402

TRAIN = "train { shards: 2 local_steps: 5 batch: 8 steps: 10 }\n"
SLOW = "optimizer { sgd { rate: 0.002 momentum: 0.5 nesterov: true } }\n"
SGD = "optimizer { sgd { rate: 0.05 momentum: 0.9 weight_decay: 0.001 } }\n"
CONVOLUTIONS = jobs.HEAD + """
layer { name: "c1" input: "image" convolution { filters: 6 kernel: 3 padding: 1 } }
layer { name: "r1" relu { slope: 0.1 } }
layer { name: "p1" max_pool { kernel: 3 stride: 2 padding: 1 } }
layer { name: "c2" convolution { filters: 8 kernel: 3 stride: 2 padding: 2 dilation: 2 groups: 2 bias: false } }
layer { name: "b2" batch_norm {} }
layer { name: "t2" tanh {} }
layer { name: "p2" average_pool { kernel: 2 padding: 1 count_include_pad: false } }
layer { name: "flat" flatten {} }
layer { name: "d" dropout { rate: 0.2 } }
layer { name: "h" dense { units: 12 } }
layer { name: "s" sigmoid {} }
layer { name: "f" dense { units: 4 } }
"""
BRANCHES = jobs.HEAD + """
layer { name: "c" input: "image" convolution { filters: 6 kernel: 3 } }
layer { name: "halves" split { channels: 2 } }
layer { name: "left" input: "halves:0" convolution { filters: 4 kernel: 3 padding: 1 } }
layer { name: "right" input: "halves:1" batch_norm {} }
layer { name: "both" input: "left" input: "right" add {} }
layer { name: "all" input: "both" input: "c" concat {} }
layer { name: "r" relu {} }
layer { name: "f" dense { units: 4 } }
"""
PLAIN = jobs.HEAD + """
layer { name: "h" input: "image" dense { units: 24 } }
layer { name: "r" relu {} }
layer { name: "g" dense { units: 40 } }
layer { name: "t" tanh {} }
layer { name: "f" dense { units: 4 } }
"""
SQUARES = PLAIN.replace("softmax_cross_entropy {}", "mean_squared {}").replace('metric { input: "f" target: "label" accuracy {} }', "").replace(
    'name: "f" dense { units: 4 }', 'name: "f" dense { units: 1 }')
JOBS = {
    "convolutions": CONVOLUTIONS + SGD,
    "branches": BRANCHES + SLOW,
    "frozen": BRANCHES.replace('name: "right" input', 'name: "right" frozen: true input') + SLOW,
    "squares": SQUARES + SGD.replace("0.05", "0.005"),
    "adam": CONVOLUTIONS + "optimizer { adam { rate: 0.005 weight_decay: 0.01 } }\n",
    "adamw": PLAIN + "optimizer { adamw { rate: 0.005 weight_decay: 0.1 } }\n",
    "dampening": PLAIN + "optimizer { sgd { rate: 0.05 momentum: 0.9 dampening: 0.5 } }\n",
    "lars": PLAIN + "optimizer { lars { rate: 1 trust: 0.02 weight_decay: 0.001 } }\n",
    "sam": CONVOLUTIONS.replace("dropout { rate: 0.2 }", "dropout { rate: 0.1 }") + "optimizer { sam { rate: 0.02 } }\n",
    "muon": PLAIN + "optimizer { muon { rate: 0.02 } }\n",
}
failures = []


def check(is_good, what, said=""):
    print(f"{'ok     ' if is_good else 'FAILED '} {what}{'' if is_good else chr(10) + said}", flush=True)
    if not is_good:
        failures.append(what)


def agrees(folder, name):
    found = []
    for place, words in [("host", ()), ("card", ("--device", "cuda"))]:
        summary, done = jobs.run(folder, JOBS[name] + TRAIN, f"{name}_{place}", threads=2, words=words, check=False)
        check(summary and summary["status"] == "complete", f"{name}: trains on the {place}", done.stdout + done.stderr)
        found.append(summary)
    host, card = found
    if not host or not card:
        return
    near = all(abs(a - b) <= 1e-4 * abs(a) and a > 1e-3 for a, b in [(host["loss"], card["loss"]), (host["test"]["loss"], card["test"]["loss"])])
    check(near, f"{name}: losses {host['loss']}, {host['test']['loss']} on the host, {card['loss']}, {card['test']['loss']} on the card")
    check(host["weights_sha256"] != card["weights_sha256"], f"{name}: the card's own kernels ran")


def main():
    os.environ["PLAIT_PLUGIN_PATH"] = str(pathlib.Path(sys.argv[1]).resolve())
    with tempfile.TemporaryDirectory() as folder:
        jobs.write_digits(folder)
        for name in sys.argv[2:] or JOBS:
            agrees(folder, name)
    print(f"{len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
