"""`plait check` finds what `plait run` would fail with: data, classes, names; and tells what it found.

Each case changes one thing of a good job; what is refused is refused by `run` in the same words.
"""
import os
import subprocess
import sys
import tempfile

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, "..", "distributed"))
import jobs  # noqa: E402

GOOD = """
source { idx { images: "%(data)s/images" labels: "%(data)s/labels" classes: 4 } }
validation { fraction: 0.2 }
test { idx { images: "%(data)s/images" labels: "%(data)s/labels" classes: 4 limit: 50 } }
layer { name: "h" input: "image" dense { units: 8 } }
layer { name: "f" dense { units: 4 } }
loss { input: "f" softmax_cross_entropy {} }
metric { input: "f" accuracy {} }
optimizer { sgd { rate: 0.05 } }
train { shards: 2 local_steps: 5 batch: 8 steps: 20 }
"""
failures = 0


def plait(*words):
    done = subprocess.run(["plait", *words], capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout + done.stderr


def case(name, words, old="", new="", status=1, more=(), also_run=True, data=None, lacks=()):
    """`check` of GOOD with `old` replaced by `new` ends so and says all words."""
    global failures
    with tempfile.TemporaryDirectory() as folder:
        jobs.write_digits(folder, records=200)
        if data:
            data(folder)
        if old not in GOOD:
            raise SystemExit(f"{name}: the job has no {old!r}")
        path = f"{folder}/job.txtpb"
        with open(path, "w") as out:
            out.write((GOOD.replace(old, new) if old else GOOD + new) % {"data": folder})
        calls = [["check", path, *more]]
        if status and also_run:
            calls.append(["run", path, "--run-dir", f"{folder}/run", "--progress", "none"])
        for call in calls:
            got, said = plait(*call)
            problems = [f"does not say {word!r}" for word in words if word not in said]
            problems += [f"says {word!r}" for word in lacks if word in said]
            problems += [f"status {got}, wanted {status}"] if got != status else []
            problems += ["the run folder is there"] if os.path.exists(f"{folder}/run/resolved.txtpb") else []
            if problems:
                failures += 1
                print(f"FAILED {name} ({call[0]}): {', '.join(problems)}\n{said}")


# ---- what is good is told
case("a good job", ["160 to train on, 40 to validate, 50 to test", "reported: accuracy, loss; best weights by accuracy",
                    "memory: about"], status=0, lacks=["note: this machine has"])
case("more memory than this machine has", ["memory: about", "GiB of memory, and a rank takes "], 'layer { name: "h" input: "image"',
     'layer { name: "w0" input: "image" dense { units: 4194304 } }\nlayer { name: "w1" dense { units: 1048576 } }\n'
     'layer { name: "h" input: "w1"', status=0)
case("two metrics of one type", ["reported: accuracy, accuracy_top2, loss; best weights by accuracy_top2"],
     "metric { input: \"f\" accuracy {} }",
     'metric { accuracy {} } metric { accuracy { top: 2 } } evaluate { monitor: "accuracy_top2" }', status=0)
case("two heads", ["reported: accuracy:f, accuracy:g, loss, softmax_cross_entropy:f, softmax_cross_entropy:g"],
     "optimizer", 'layer { name: "g" input: "h" dense { units: 4 } } loss { input: "g" weight: 0.3 softmax_cross_entropy {} }\n'
     'metric { input: "g" accuracy {} } optimizer', status=0)

# ---- names
case("a monitor that is not there", ["job.txtpb:11:", '"acuracy"', 'did you mean "accuracy"?'],
     new='evaluate { monitor: "acuracy" }\n')
case("one name twice", ["job.txtpb:", '"m"', "the first is at"], "metric { input: \"f\" accuracy {} }",
     'metric { name: "m" accuracy {} }\nmetric { name: "m" accuracy { top: 2 } }')

# ---- classes
case("too few outputs for the loss", ["softmax_cross_entropy", "has 4 classes", '"f" [8, 3] f32', "dense"],
     "units: 4", "units: 3")
case("one output for the loss", ["has 4 classes"], "units: 4", "units: 1")
case("too few outputs for a metric", ['metric "accuracy"', "has 4 classes", '"g" [8, 3] f32'],
     "metric { input: \"f\" accuracy {} }",
     'layer { name: "g" input: "h" dense { units: 3 } } metric { input: "g" accuracy {} }')
case("a head in the middle", ["has 4 classes", '"g" [8, 2] f32'], "optimizer",
     'layer { name: "g" input: "h" dense { units: 2 } } loss { input: "g" softmax_cross_entropy {} } optimizer')
case("more outputs than classes", ["memory: about"], "units: 4", "units: 6", status=0)
case("numbers, not classes", ["memory: about"], "loss { input: \"f\" softmax_cross_entropy {} }\nmetric { input: \"f\" accuracy {} }",
     'layer { name: "one" dense { units: 1 } } loss { mean_squared {} } metric { mean_squared_error {} }', status=0)

# ---- numbers
for what, told in (("mean: inf", "mean: got inf"), ("scale: 1e300", "scale: got 1e+300"),
                   ("deviation: 1e-320", "deviation: got"), ("mean: 1e20 deviation: 1e-30", "scale and mean over deviation")):
    case(f"normalize by {what}", [told, "f32"], "optimizer", f"preprocess {{ normalize {{ {what} }} }}\noptimizer")

# ---- what training alone goes through
case("a type that training alone has", ["plait.normalize (", "is written in augment, which validation records do not go through",
                                        "image [", "f32 to train on", "u8 of validation records"],
     "optimizer", "augment { normalize {} }\noptimizer")
case("a type that all records have", ["memory: about"], "optimizer", "augment { normalize {} } preprocess { normalize {} }\noptimizer",
     status=0)

# ---- data
case("a share of nothing", ["job.txtpb:3:", "0.001 of 200 records is 0.2", "none to validate on"], "0.2", "0.001")
case("a share of everything", ["0.999 of 200 records", "none left to train on"], "0.2", "0.999")


def spoil_test_images(folder):
    for part in ("images", "labels"):
        with open(f"{folder}/{part}", "rb") as file:
            content = file.read()
        with open(f"{folder}/test_{part}", "wb") as file:
            file.write(content[:30])


BROKEN = 'images: "%(data)s/test_images" labels: "%(data)s/test_labels" classes: 4 limit: 50'
case("a damaged test set", ["test_images"], 'images: "%(data)s/images" labels: "%(data)s/labels" classes: 4 limit: 50', BROKEN,
     data=spoil_test_images)
case("--no-data leaves it out", ["reported: accuracy, loss"],
     'images: "%(data)s/images" labels: "%(data)s/labels" classes: 4 limit: 50', BROKEN, status=0, more=["--no-data"],
     data=spoil_test_images, lacks=["memory: about"])
case("test records of another shape", ["test records are", "training records"],
     'images: "%(data)s/images" labels: "%(data)s/labels" classes: 4 limit: 50',
     'images: "%(data)s/wide/images" labels: "%(data)s/wide/labels" classes: 4',
     data=lambda folder: (os.mkdir(f"{folder}/wide"), jobs.write_digits(f"{folder}/wide", records=20, width=14)))

print("all cases" if failures == 0 else f"{failures} failures")
sys.exit(1 if failures else 0)
