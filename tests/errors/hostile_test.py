"""Files that wait for ever, never end, nest without end, hold escape sequences, or name code to be run.

usage: hostile_test.py PLUGIN_THAT_LEAVES_A_MARK
The plugin's constructor writes a file where LEAVES_A_MARK says: nothing but what a person says may load it. Time limits
are there so that a hang ends the test; none is a measure of speed.
"""
import gzip
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, "..", "distributed"))
import jobs  # noqa: E402

marking = sys.argv[1]
REST = """
source { idx { images: "%(data)s/images" labels: "%(data)s/labels" classes: 4 } }
layer { name: "f" input: "image" flatten {} }
layer { name: "g" dense { units: 4 } }
loss { input: "g" target: "label" softmax_cross_entropy {} }
optimizer { sgd { rate: 0.05 } }
train { shards: 2 local_steps: 5 batch: 8 steps: 10 }
"""
failures = 0
folder = tempfile.mkdtemp(prefix="plait_hostile_")
jobs.write_digits(folder, records=200)
mark = f"{folder}/mark"


def plait(*words, text=None, limit_s=120, environment=None, status=None):
    """(status, what it said); None where it hangs."""
    try:
        done = subprocess.run(["plait", *words], input=text, capture_output=True, timeout=limit_s, cwd=folder,
                              env={**os.environ, "LEAVES_A_MARK": mark, **(environment or {})})
    except subprocess.TimeoutExpired:
        return None, ""
    return done.returncode, (done.stdout + done.stderr).decode(errors="backslashreplace")


def case(name, ended, words=(), without=(), status=1):
    global failures
    got, said = ended
    problems = [f"does not say {word!r}" for word in words if word not in said]
    problems += [f"says {word!r}" for word in without if word in said]
    if got is None:
        problems.append("hangs")
    elif got != status:
        problems.append(f"status {got}, wanted {status}")
    if len(said) > 100_000:
        problems.append(f"says {len(said)} bytes")
    if problems:
        failures += 1
        print(f"FAILED {name}: {'; '.join(problems)}\n  " + said[:3000].strip().replace("\n", "\n  "))
    else:
        print(f"ok {name}: {(said.strip().splitlines() or [''])[0][:150]}")


def check(name, good):
    global failures
    failures += not good
    print(f"{'ok' if good else 'FAILED'} {name}")


def write(name, content):
    path = f"{folder}/{name}"
    with open(path, "wb") as file:
        file.write(content.encode() if isinstance(content, str) else content)
    return path


def job(text="", rest=REST):
    return write("job.txtpb", text + rest % {"data": folder})


# What is no regular file.
os.mkfifo(f"{folder}/pipe")
listening = socket.socket(socket.AF_UNIX)
listening.bind(f"{folder}/socket")
os.symlink("/dev/zero", f"{folder}/link")
endless = {"pipe": "is a pipe", "socket": "is a socket", "/dev/zero": "is a device", "link": "is a device",
           "/proc/self/status": "gives more than", ".": "is a folder"}
for path, words in endless.items():
    case(f"include of {path}", plait("check", job(f'include: "{path}"\n')), ["job.txtpb:1:10", words])
    images = REST.replace("%(data)s/images", os.path.join(folder, path))
    case(f"data in {path}", plait("run", job(rest=images), "--progress", "none"), [os.path.join(folder, path)])
    case(f"weights in {path}", plait("run", job(), "--progress", "none", "--weights", path, "--run-dir", "w"), [words])
    case(f"a lock in {path}", plait("check", job(), "--locked", path))
    case(f"a plugin in {path}", plait("check", job(), "--plugin", path), status=1)
for path in ("/dev/zero", "socket", "link", "/proc/self/status", "."):
    case(f"a job in {path}", plait("check", path), [endless[path]])
    case(f"fmt of {path}", plait("fmt", path), [endless[path]])
case("a job in a pipe that nobody writes to", plait("check", "pipe"), ["nobody wrote to this pipe"])
for path in ("pipe", "/dev/zero", "/proc/self/status"):
    os.makedirs(f"{folder}/stranger", exist_ok=True)
    target = f"{folder}/stranger/resolved.txtpb"
    if os.path.lexists(target):
        os.remove(target)
    os.symlink(os.path.join(folder, path), target)
    for command in (["evaluate", "stranger"], ["predict", "stranger", "--in", "test", "--out", "y.csv"]):
        if path != "pipe":
            case(f"{command[0]} of a run whose job is {path}", plait(*command), [endless[path]])
shutil.rmtree(f"{folder}/stranger")

# A job from standard input, or a pipe.
text = (REST % {"data": folder}).encode()
case("a job from standard input", plait("check", "-", text=text), ["dense"], status=0)
case("a mistake in it", plait("check", "-", text=text.replace(b"units: 4", b"unist: 4")), ["units", "^~~~~"])
case("nothing in it", plait("check", "-", text=b""), ["says nothing"])
with open("/dev/zero", "rb") as zero:
    done = subprocess.run(["plait", "check", "-"], stdin=zero, capture_output=True, timeout=120, cwd=folder)
    check("standard input without an end", done.returncode == 1 and b"67108864 bytes" in done.stderr)
done = subprocess.run(["bash", "-c", f"plait check <(cat {job()})"], capture_output=True, timeout=120, cwd=folder)
check("a job from a pipe of the shell", done.returncode == 0)

# gzip that expands a thousandfold.
images = struct.pack(">IIII", 0x803, 200, 12, 12) + bytes(1 << 28)
write("bomb.gz", gzip.compress(images, 1))
case("gzip that goes on after its header", plait("run", job(rest=REST.replace("s/images", "s/bomb.gz")), "--progress", "none"),
     ["goes on after the 28800 bytes"])

# Names.
for name, words in {"\\033]0;pwned\\007\\033[2J": "U+001B", "\\342\\200\\256": "U+202E", "\\302\\233": "U+009B", "\\351": "0xe9",
                    "a\\nb": "U+000A", "../../../outside": 'holds a "/"', "/tmp/x": 'holds a "/"', "..": "dot", "-rf": "dash",
                    "x" * 300: "longer than 200"}.items():
    case(f"a job called {name[:40]}", plait("run", job(f'name: "{name}"\n'), "--progress", "none"), ["job.txtpb:1:7", words],
         ["\x1b", "\u202e", "\x9b"])
for where in ('name: "f"', 'input: "image"', 'name: "g"', 'input: "g"', 'target: "label"'):
    for name in (b"\\033[31mred", b"\x1b[31mred", b"caf\xe9", b"\xe2\x80\xaered", b"two\\nlines"):
        bad = (REST % {"data": folder}).encode().replace(where.encode(), where.split('"')[0].encode() + b'"' + name + b'"', 1)
        case(f"{where} as {name}", plait("run", write("job.txtpb", bad), "--progress", "none"), ["job.txtpb:"],
             ["\x1b", "\u202e", "\\xe9", "\nlines"])
case("a comment with escape sequences", plait("check", write("job.txtpb", b"# \x1b[2J\n" + text)), ["job.txtpb:1:3", "0x1b"], ["\x1b"])
case("--var with escape sequences", plait("check", job(), "--var", "a\x1b[2J=3"), without=["\x1b"], status=1)
case("--set with escape sequences", plait("check", job(), "--set", "name=a\x1b[2J"), ["--set"], ["\x1b"])
case("an unknown file with escape sequences", plait("check", "a\x1b[2J"), without=["\x1b"])
case("an unknown option with escape sequences", plait("check", "--a\x1b[2J"), without=["\x1b"], status=2)
case("an unknown command with escape sequences", plait("a\x1b[2J"), without=["\x1b"], status=2)
os.rename(job(), f"{folder}/-a\x1b[2J.txtpb")
case("a file's name with escape sequences", plait("run", "./-a\x1b[2J.txtpb", "--progress", "plain"), without=["\x1b"], status=0)
check("its run's folder has a printable name", any(n.startswith("a_x1b[2J-") for n in os.listdir(f"{folder}/runs")))
check("no folder outside of runs/", not os.path.exists(os.path.join(folder, "..", "outside")))

# Depth and quantity: an error in words, 20 at most.
chain = 'var { name: "v0" value: 1 }\n' + "".join(f'var {{ name: "v{i}" value: ${{v{i - 1} + 1}} }}\n' for i in range(1, 12_001))
case("12,000 variables in a chain", plait("check", job(chain + "seed: $v12000\n")), ["need each other"])
strings = 'var { name: "v0" value: "x" }\n' + "".join(f'var {{ name: "v{i}" value: "$v{i - 1}" }}\n' for i in range(1, 12_001))
case("12,000 texts in a chain", plait("check", job(strings + 'name: "$v12000"\n')), ["need each other"])
short = 'var { name: "v0" value: 1 }\n' + "".join(f'var {{ name: "v{i}" value: ${{v{i - 1} + 1}} }}\n' for i in range(1, 100))
case("a hundred variables in a chain", plait("check", job(short + "seed: $v99\n")), status=0)
case("deep blocks", plait("check", job("a {" * 1_000_000)), ["nest deeper than 64"])
case("deep parentheses", plait("check", job("seed: ${" + "(" * 60_000 + "}\n")), ["nests too deep"])
case("deep parentheses on the command line", plait("check", job(), "--set", "seed=${" + "(" * 60_000 + "}"), ["nests too deep"])
case("deep blocks on the command line", plait("check", job(), "--set", "train=" + "{a" * 40_000), ["--set"])
case("a long path on the command line", plait("check", job(), "--set", "a." * 60_000 + "b=1"), ["--set"])
case("a million includes", plait("check", job('include: "no.txtpb"\n' * 1_000_000)), ["... and", "more errors"])
write("one.txtpb", "metric { accuracy {} }\n")
case("a million includes of a file", plait("check", job('include: "one.txtpb"\n' * 1_000_000)), ["more than 1000 files"])
case("a million bad fields", plait("check", job("bad: 1\n" * 1_000_000)), ["... and 180 more errors"])
case("a million bad fields in one block", plait("check", job("train { " + "bad: 1 " * 1_000_000 + "}")), ["... and 180 more errors"])
case("a million bad values", plait("check", job("optimizer { sgd { " + "rate: x " * 300_000 + "} }", "")), ["error"])
case("a million unknown variables", plait("check", job("seed: $a\n" * 1_000_000)), ["... and 180 more errors"])
case("ten million words", plait("check", job("a:1\n" * 3_400_000)), ["more than 4000000 words"])
case("a repeat of 200 MB", plait("check", job('repeat { count: 100000 layer { name: "' + "x" * 2000 + '" relu {} } }')), ["64 MiB"])
case("repeats within includes", plait("check", write("deep.txtpb", "repeat { count: 1 " * 60 + 'include: "deep2.txtpb"' + "}" * 60)), ["cannot be read"])
write("deep2.txtpb", "repeat { count: 1 " * 60 + "layer { relu {} }" + "}" * 60)
case("repeats within includes of repeats", plait("check", f"{folder}/deep.txtpb"), ["nest deeper than 64"])

# Code: only what the person says is loaded.
shutil.copy(marking, f"{folder}/evil.plait.so")
for field in ('plugin: "evil.plait.so"', f'plugin: "{folder}/evil.plait.so"', f'plugin_path: "{folder}"', 'plugin: "$p"'):
    case_job = job(('var { name: "p" value: "evil.plait.so" }\n' if "$" in field else "") + field + "\n")
    if "path" in field:
        include = f'include: "job.txtpb"\n'
        write("outer.txtpb", include)
    commands = {"check": ["check", case_job], "run": ["run", case_job, "--progress", "none"], "graph": ["graph", case_job],
                "try": ["try", f"{case_job} ! dense(units=4)", "--progress", "none"],
                "sweep": ["sweep", case_job, "--set", "train.batch=choice(4,8)"]}
    if "path" in field:
        commands["an include"] = ["check", f"{folder}/outer.txtpb"]
    os.makedirs(f"{folder}/theirs", exist_ok=True)
    shutil.copy(case_job, f"{folder}/theirs/resolved.txtpb")
    shutil.copy(marking, f"{folder}/theirs/evil.plait.so")  # a path in a file is relative to its folder
    commands["evaluate"] = ["evaluate", "theirs"]
    commands["predict"] = ["predict", "theirs", "--in", "test", "--out", "y.csv"]
    for command, words in commands.items():
        case(f"{command} of a file with {field[:12]}", plait(*words), ["a file alone loads no code", "--trust"])
        check(f"{command} runs nothing of it", not os.path.exists(mark))
        plait(*words, "--trust")
        check(f"{command} --trust loads it", os.path.exists(mark))
        if os.path.exists(mark):
            os.remove(mark)
trusted = job('plugin: "evil.plait.so"\n')
for name, more, environment in (("--trust", ["--trust"], {}), ("--plugin", ["--plugin", "evil.plait.so"], {}),
                                ("a copy by --plugin", ["--plugin", marking], {}),
                                ("its folder", ["--plugin", folder], {}),
                                ("its folder in the environment", [], {"PLAIT_PLUGIN_PATH": folder})):
    case(f"check with {name}", plait("check", trusted, *more, environment=environment), status=0)
    check(f"check with {name} loads it", os.path.exists(mark))
    if os.path.exists(mark):
        os.remove(mark)

listening.close()
shutil.rmtree(folder)
print(f"{failures} failed")
sys.exit(failures > 0)
