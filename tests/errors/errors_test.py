"""Wrong input: an error with place, got and wanted; status 1 or 2; nothing half-written; no hang.

usage: errors_test.py THROWING_PLUGIN
Each case changes one thing of a good job and names words that the message must hold.
"""
import gzip
import os
import re
import struct
import subprocess
import sys
import tempfile

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, "..", "distributed"))
import jobs  # noqa: E402

throwing = sys.argv[1]
GOOD = """
source { idx { images: "%(data)s/images" labels: "%(data)s/labels" classes: 4 } }
layer { name: "h" input: "image" dense { units: 8 } }
layer { name: "r" relu {} }
layer { name: "f" dense { units: 4 } }
loss { input: "f" target: "label" softmax_cross_entropy {} }
preprocess { normalize {} }
optimizer { sgd { rate: 0.05 } }
train { shards: 2 local_steps: 5 batch: 8 steps: 20 }
"""
failures = 0


def case(name, words, old="", new="", job=None, status=(1,), ranks=0, more=(), data=None, file=None,
         run_dir="FOLDER/runs/here", limit_kib=0):
    """Runs `plait run` on GOOD with `old` replaced by `new`; the message must hold all `words`; of several ranks one speaks."""
    global failures
    with tempfile.TemporaryDirectory() as folder:
        jobs.write_digits(folder, records=200)
        if data:
            data(folder)
        text = (job or GOOD).replace(old, new) if old else (job or GOOD) + new
        if old and old not in (job or GOOD):
            raise SystemExit(f"{name}: the job has no {old!r}")
        path = f"{folder}/job.txtpb"
        with open(path, "w") as out:
            out.write(text % {"data": folder})
        folder_of_run = run_dir.replace("FOLDER", folder)
        command = (["mpirun", "-n", str(ranks)] if ranks else []) + ["plait", "run", file or path, "--run-dir", run_dir,
                                                                     "--progress", "none", "--threads", "1", *more]
        if limit_kib:  # of each rank's address space
            at = command.index("plait")
            command[at:at] = ["sh", "-c", f'ulimit -v {limit_kib} && exec "$@"', "sh"]
        command = [word.replace("FOLDER", folder) for word in command]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        except subprocess.TimeoutExpired:
            failures += 1
            print(f"FAILED {name}: hangs")
            return
        said = done.stderr + done.stdout
        problems = [f"does not say {word!r}" for word in words if word not in said]
        if done.returncode not in status:
            problems.append(f"status {done.returncode}, wanted {status}")
        speakers = len(re.findall(r"^plait: rank \d+ on ", said, re.MULTILINE))
        if ranks and speakers != 1:
            problems.append(f"{speakers} ranks speak")
        if os.path.exists(f"{folder_of_run}/summary.json") or os.path.exists(f"{folder_of_run}/weights.safetensors"):
            problems.append("left results in the run's folder")
        if problems:
            failures += 1
            print(f"FAILED {name}: {'; '.join(problems)}\n  " + said.strip().replace("\n", "\n  "))
        else:
            print(f"ok {name}: {said.strip().splitlines()[0][:150]}")


def write(folder, name, content):
    with open(f"{folder}/{name}", "wb") as file:
        file.write(content)


def read(folder, name):
    with open(f"{folder}/{name}", "rb") as file:
        return file.read()


# Files.
case("an outer optimizer beside gradients", ["job.txtpb:9:", "an outer optimizer takes the change of a round's weights",
                                             "got train { sync: gradients }, wanted sync: weights"],
     "train { shards: 2 local_steps: 5", "outer_optimizer { sgd { rate: 1 } }\ntrain { sync: gradients shards: 2 local_steps: 1")
case("a tab in a path of the job", ["job.txtpb:2:24", "got a control character U+0009"], '"%(data)s/images"',
     '"%(data)s/a\\tb"')
case("a tab in a path of the command line", ["/a\\x09b.safetensors: "], more=("--weights", "FOLDER/a\tb.safetensors"))
case("no such file", ["nowhere.txtpb"], file="FOLDER/nowhere.txtpb")
case("empty file", ["job.txtpb"], job=" ", new="\n")
case("no such data", ["/images", "does not exist"], data=lambda f: os.remove(f"{f}/images"))
case("truncated gzip", ["/images", "gzip"],
     data=lambda f: write(f, "images", gzip.compress(read(f, "images"))[:-500]))
case("corrupt gzip", ["/images", "gzip"],
     data=lambda f: write(f, "images", (lambda z: z[:200] + bytes([z[200] ^ 255]) + z[201:])(gzip.compress(read(f, "images")))))
case("wrong magic number", ["/images", "magic"], data=lambda f: write(f, "images", b"\1\2\3\4" + read(f, "images")[4:]))
case("truncated file", ["/images"], data=lambda f: write(f, "images", read(f, "images")[:-7]))
case("trailing bytes", ["/images"], data=lambda f: write(f, "images", read(f, "images") + b"xyz"))
case("a count beyond the file", ["/images"],
     data=lambda f: write(f, "images", struct.pack(">IIII", 0x803, 2**31 - 1, 12, 12) + read(f, "images")[16:]))
case("images and labels differ", ["200", "150"],
     data=lambda f: write(f, "labels", struct.pack(">II", 0x801, 150) + read(f, "labels")[8:158]))
case("a label outside the classes", ["label", "9"],
     data=lambda f: write(f, "labels", read(f, "labels")[:20] + b"\x09" + read(f, "labels")[21:]))
case("labels beyond the loss's classes", ["softmax_cross_entropy", "4 classes", "[8, 3]"], "dense { units: 4 }", "dense { units: 3 }")
# Words of the file.
case("unknown field", ["job.txtpb:3", "unitss", "units"], "units: 8", "unitss: 8")
case("unknown type", ["job.txtpb:4", "relo", "relu"], "relu {}", "relo {}")
case("a loss where a layer belongs", ["job.txtpb:4", "softmax_cross_entropy"], "relu {}", "softmax_cross_entropy {}")
case("unknown layer name", ["job.txtpb", '"g"'], 'input: "f"', 'input: "g"')
case("a value out of range", ["job.txtpb:3", "-8"], "units: 8", "units: -8")
case("a value of another type", ["job.txtpb:3"], "units: 8", 'units: "eight"')
case("a required field", ["job.txtpb:3", "units"], "dense { units: 8 }", "dense {}")
case("two layers of one name", ["job.txtpb", '"h"'], 'name: "r"', 'name: "h"')
case("a cycle", ["cycle", "h -> r -> f -> h"], 'name: "h" input: "image"', 'name: "h" input: "f"')
case("no loss", ["loss"], 'loss { input: "f" target: "label" softmax_cross_entropy {} }', "")
case("no layer", ["layer"], job="\n".join(line for line in GOOD.splitlines() if not line.startswith("layer")), new="\n")
case("unknown variable", ["widht"], "units: 8", "units: $widht")
for field in ("shards: 2", "local_steps: 5", "batch: 8"):
    for value in ("0", "-3"):
        name = field.split(":")[0]
        case(f"{name} of {value}", ["job.txtpb:9", name, value], field, f"{name}: {value}")
case("several errors at once", ["units", "relu", "rate"], job=GOOD.replace("units: 8", "unitss: 8").replace(
    "relu {}", "relo {}").replace("rate: 0.05", "rate: -1"), new="\n")
# Repeats.
REPEAT = GOOD.replace('layer { name: "r" relu {} }', 'repeat { count: 2 as: "i" layer { name: "r${i}" relu {} } }')
case("a value in one iteration", ["job.txtpb:4", "got -1", "(i = 2)"], "relu {}", "dense { units: ${3 - 2 * i} }", job=REPEAT)
case("a mistake in each iteration", ["job.txtpb:4", "relo", "(i = 1 and 1 more)"], "relu {}", "relo {}", job=REPEAT)
case("a shape in one iteration", ["job.txtpb:4:27, i = 2", "kernel"], "relu {}",
     "convolution { filters: 2 kernel: ${8 * i - 5} }", job=REPEAT.replace('layer { name: "h" input: "image" dense { units: 8 } }', ""))
case("a repeat without a count", ["job.txtpb:4:1", "count"], "count: 2 ", "", job=REPEAT)
case("a repeat a billion times", ["job.txtpb:4:17", "1000000000", "100000"], "count: 2", "count: 1000000000", job=REPEAT)
case("repeats that multiply", ["job.txtpb:4", "more than 1000000 fields"], 'layer { name: "r${i}" relu {} }',
     "repeat { count: 100000 repeat { count: 100000 layer { relu {} } } }", job=REPEAT)
case("a repeat's variable elsewhere", ["job.txtpb", '"i" of a repeat is not known here'], new="seed: $i\n", job=REPEAT)
case("two layers of one name by a repeat", ['"r"', "(i = 2)", "i = 1"], "r${i}", "r", job=REPEAT)
case("a misspelt repeat", ["job.txtpb:4:1", 'did you mean "repeat"'], "repeat {", "repaet {", job=REPEAT)
case("a text that doubles and doubles", ["job.txtpb", "more than 64 MiB of text"], new="name: $v40\nvar { name: \"v0\" value: \"x\" }\n" +
     "".join(f'var {{ name: "v{i}" value: "$v{i - 1}$v{i - 1}" }}\n' for i in range(1, 41)))
# Shapes.
case("shapes that do not fit", ['"c"', '"h"'], 'name: "r" relu {}', 'name: "c" convolution { filters: 2 kernel: 3 }')
case("a kernel larger than its input", ["15x15", "12x12"], 'layer { name: "h"',
     'layer { name: "c" input: "image" convolution { filters: 2 kernel: 15 } }\nlayer { name: "h"')
# Numbers that meet: sums and products beyond 64 bits, and sizes beyond any memory.
for field in ("padding", "dilation", "stride", "kernel", "filters", "groups"):
    case(f"{field} near 2^63", ["job.txtpb:4:", f"error: convolution: {field}: got 9223372036854775807", "<= 1"], 'name: "r" relu {}',
         f'name: "c" input: "image" convolution {{ {field}: 9223372036854775807 }}')
case("more elements than any memory holds", ['"c"', "[8, 2097164, 2097164, 16777216]", "any memory"], 'layer { name: "h"',
     'layer { name: "c" input: "image" convolution { filters: 16777216 kernel: 1 padding: 1048576 } }\nlayer { name: "h"')
# Kernel libraries count extents in 32 bits: one of 2^32 was 0 to them.
case("more inputs than an extent may be", ['dense "big"', 'declares "weight" [3, 4294967296]', "wanted at most 2147483647"], 'layer { name: "h"',
     'layer { name: "p" input: "image" adaptive_average_pool { size: 65536 } }\nlayer { name: "big" dense { units: 3 } }\nlayer { name: "h"')
case("an empty path", ["job.txtpb:", "cifar", "file: got an empty path"], job='source { cifar { file: "" } }\n' + GOOD[GOOD.index("layer"):])
case("more bytes than any memory holds", ["TiB", "any memory"], 'layer { name: "h" input: "image"', "".join(
    f'layer {{ name: "w{i}" input: "{i and f"w{i - 1}" or "image"}" dense {{ units: 16777216 bias: false }} }}\n'
    for i in range(3)) + 'layer { name: "h" input: "w2"')
case("more memory than this machine has", ["memory"], 'layer { name: "h" input: "image"',
     'layer { name: "w0" input: "image" dense { units: 4194304 } }\nlayer { name: "w1" dense { units: 16777216 } }\n'
     'layer { name: "h" input: "w1"')
case("more samples than 64 bits count", ["(steps 9007199254740992 + 2 x local_steps 5) x shards 65536 x batch 1048576 = 6.19e+26 samples",
                                          "more than 64 bits count"], "shards: 2 local_steps: 5 batch: 8 steps: 20",
     "shards: 65536 local_steps: 5 batch: 1048576 steps: 9007199254740992")
case("more repeated samples than 64 bits count", ["--overfit-batches", "64 bits"], "shards: 2 local_steps: 5 batch: 8",
     "shards: 65536 local_steps: 5 batch: 1048576", more=["--overfit-batches", "2147483647"])
# Plugins.
case("a plugin that is no plugin", ["job.txtpb", "is no plugin"], more=["--plugin", "FOLDER/job.txtpb"])
case("a plugin that is not there", ["gone.plait.so"], more=["--plugin", "FOLDER/gone.plait.so"])
for where, words in [("create", ["the spring is broken"]), ("forward", ["no water in the well", '"t"', "forward"]),
                     ("backward", ['"t"', "backward"]), ("nan", ["nan", "shard", "step"])]:
    for ranks in (0, 2):
        case(f"throws in {where} on {ranks} ranks", words[:1] if where != "nan" else ["shard"], 'name: "r" relu {}',
             'name: "t" [test.throwing] { where: "%s" after: 7 }' % where, ranks=ranks, more=["--plugin", throwing])
# The command line.
case("a number out of range", ['plait: run: --overfit-batches: got "99999999999", wanted a whole number from 0 to 2147483647'],
     status=(2,), more=["--overfit-batches", "99999999999"])
case("a number that is infinite", ['plait: run: --max-time: got "1e400", wanted a number from 0 to 1e+09'], status=(2,),
     more=["--max-time", "1e400"])
case("unknown command line option", ["--thraeds"], status=(2,), more=["--thraeds", "2"])
case("--var that the file does not have", ["dtaa"], status=(1, 2), more=["--var", "dtaa=x"])
case("--set of an unknown field", ["shrads", "shards"], status=(1, 2), more=["--set", "train.shrads=4"])
case("--set out of range", ["-1"], status=(1, 2), more=["--set", "optimizer.sgd.rate=-1"])
case("weights that are not there", ["gone.safetensors"], more=["--weights", "FOLDER/gone.safetensors"])
case("weights that are no weights", ["job.txtpb"], more=["--weights", "FOLDER/job.txtpb"])
case("weights for a resumed run", ["--resume", "--weights"], status=(2,), more=["--resume", "--weights", "FOLDER/w"])
case("nothing to resume", ["no checkpoint to go on from"], more=["--resume"])
case("a run folder that cannot be made", ["job.txtpb", "cannot be written"], run_dir="FOLDER/job.txtpb/run", status=(1, 2))
# One message however many ranks.
case("one message of two ranks", ["unitss"], "units: 8", "unitss: 8", ranks=2)
LIMIT_KIB = 2000000
if subprocess.run(["sh", "-c", f"ulimit -v {LIMIT_KIB} && plait --version"], capture_output=True).returncode == 0:
    for ranks in (0, 2):
        case(f"memory that the system does not give, {ranks} ranks", ["the system has no more memory to give"],
             'layer { name: "h" input: "image" dense { units: 8 } }',
             'layer { name: "h" input: "image" dense { units: 16777216 } }', ranks=ranks, limit_kib=LIMIT_KIB)
else:
    print(f"skipped: a program that wants more than {LIMIT_KIB} KiB of addresses, as those of sanitizers do")
case("one message of three ranks, data", ["does not exist"], data=lambda f: os.remove(f"{f}/images"), ranks=3)
print(f"{failures} failed")
sys.exit(1 if failures else 0)
