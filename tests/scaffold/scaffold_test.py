"""What `plait new` writes builds, passes its tests, and trains: for every kind, against a Plait installed elsewhere, with
g++ and (where there is one) clang++. The plugin of each kind takes the place of the one that the shipped job would use.
"""
import gzip
import json
import os
import pathlib
import random
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import time

KINDS = re.findall(r"^  X\((\w+), ", (pathlib.Path(os.environ["PLAIT_SOURCE_DIR"]) / "framework/abi/plait/kinds.h").read_text(),
                   re.MULTILINE)
STAGES = {"task", "combiner", "sink"}  # whose job trains nothing: a stage counts the words of the job's own file
failures = []


def check(is_so, what, detail=""):
    if not is_so:
        failures.append(what)
        print(f"FAILED: {what}\n{detail}".rstrip())


class Place:
    """A folder with an installed Plait, its environment, and a data set in the form of Fashion-MNIST."""

    def __init__(self, work):
        self.work = work
        self.prefix = work / "prefix"
        subprocess.run(["cmake", "--install", os.environ["PLAIT_BUILD_DIR"], "--prefix", work / "first"],
                       check=True, stdout=subprocess.DEVNULL)
        (work / "first").rename(self.prefix)  # an installed Plait can be moved
        self.env = {"PATH": f"{self.prefix}/bin:/usr/local/bin:/usr/bin:/bin", "HOME": str(work)}
        self.env |= {name: value for name, value in os.environ.items() if name.startswith(("OMPI_", "PRTE_", "TMPDIR"))}
        cache = os.environ.get("CCACHE_DIR", os.path.expanduser("~/.cache/ccache"))
        if shutil.which("ccache") and os.access(cache, os.W_OK):
            self.env |= {"CMAKE_CXX_COMPILER_LAUNCHER": "ccache", "CCACHE_BASEDIR": str(work), "CCACHE_NOHASHDIR": "1",
                         "CCACHE_DIR": cache}
        self.data = work / "data"
        self.data.mkdir()
        for name, count in [("train", 256), ("t10k", 64)]:
            self.write_records(name, count)

    def write_records(self, name, count):
        """Class k has bright pixels in row 2 k: a network of one layer tells them apart."""
        draw = random.Random(name)
        labels = bytes(i % 10 for i in range(count))
        images = bytearray()
        for label in labels:
            for row in range(28):
                images += bytes((200 if row == 2 * label else 0) + draw.randrange(50) for _ in range(28))
        for kind, head, body in [("images-idx3", struct.pack(">IIII", 2051, count, 28, 28), bytes(images)),
                                 ("labels-idx1", struct.pack(">II", 2049, count), labels)]:
            with gzip.open(self.data / f"{name}-{kind}-ubyte.gz", "wb", 1) as file:
                file.write(head + body)

    def run(self, *words, cwd=None):
        return subprocess.run([str(word) for word in words], cwd=cwd or self.work, env=self.env, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=600)


def builds_and_passes(place, kind, folder, compiler):
    begin = time.monotonic()
    said = ""
    for words in [["cmake", "-S", ".", "-B", f"build-{compiler}", "-G", "Ninja", f"-DCMAKE_CXX_COMPILER={compiler}",
                   "-DCMAKE_CXX_FLAGS=-Wall -Wextra"],
                  ["cmake", "--build", f"build-{compiler}"],
                  ["ctest", "--test-dir", f"build-{compiler}", "--output-on-failure"]]:
        done = place.run(*words, cwd=folder)
        check(done.returncode == 0, f"{kind}, {compiler}: {' '.join(words)}", done.stdout)
        if done.returncode != 0:
            return None
        said += done.stdout
    check("warning:" not in said, f"{kind}, {compiler}: warnings", said)
    print(f"{kind:<11} {compiler:<8} {time.monotonic() - begin:5.1f} s", flush=True)
    return folder / f"build-{compiler}" / f"my_{kind}.plait.so"


def keeps_the_laws(place, kind, library):
    done = place.run("plait", "verify", library)
    check(done.returncode == 0, f"{kind}: plait verify", "\n".join(l for l in done.stdout.splitlines() if "FAILED" in l))


def maps(place, kind, folder, library):
    run = library.parent / "run"
    for words in [["fmt", "--check", "train.txtpb"], ["check", "train.txtpb", "--plugin", library],
                  ["run", "train.txtpb", "--plugin", library, "--run-dir", run, "--progress", "none"]]:
        done = place.run("plait", *words, cwd=folder)
        check(done.returncode == 0, f"{kind}: plait {words[0]}", done.stdout)
        if done.returncode != 0:
            return
    if mpirun := shutil.which("mpirun"):
        two = library.parent / "two"
        done = place.run(mpirun, "-n", "2", "plait", *words[:-3], two, *words[-2:], cwd=folder)
        check(done.returncode == 0, f"{kind}: mpirun -n 2 plait run", done.stdout)
        for file in run.glob("counts.*"):
            check(file.read_bytes() == (two / file.name).read_bytes(), f"{kind}: {file.name} of two ranks is another")
    text = (folder / "train.txtpb").read_text().lower()
    if kind == "sink":
        lines = [json.loads(line) for line in (run / "counts.jsonl").read_text().splitlines()]
        counts = {line["key"]: str(line["count"]) for line in lines}
    else:
        counts = dict(line.split("\t") for line in (run / "counts.tsv").read_text().splitlines())
    # The task's words are letters, two and more; else what lies between white space, by the combiner counted to 10.
    found = re.findall(r"[a-z]{2,}", text) if kind == "task" else text.split()
    most = 10 if kind == "combiner" else len(found)
    wanted = {word: str(min(found.count(word), most)) for word in found}
    check(counts == wanted, f"{kind}: counts", f"{counts}\nwanted {wanted}")


def trains(place, kind, folder, library):
    words = ["train.txtpb", "--plugin", library]
    if kind != "source":
        words += ["--var", f"data={place.data}"]
    done = place.run("plait", "fmt", "--check", "train.txtpb", cwd=folder)
    check(done.returncode == 0, f"{kind}: the layout of train.txtpb", done.stdout)
    done = place.run("plait", "check", *words, cwd=folder)
    check(done.returncode == 0, f"{kind}: plait check", done.stdout)
    done = place.run("plait", "run", *words, "--var", f"epochs={40 if kind == 'source' else 4}", "--run-dir", library.parent / "run", "--progress", "none", cwd=folder)
    check(done.returncode == 0, f"{kind}: plait run", done.stdout)
    if done.returncode != 0:
        return
    resolved = (library.parent / "run" / "resolved.txtpb").read_text()
    check(f"acme.my_{kind}" in resolved, f"{kind}: the plugin stands in the job that was run", resolved)
    summary = json.loads((library.parent / "run" / "summary.json").read_text())
    check(summary["status"] == "complete", f"{kind}: the run's summary", str(summary))
    # One of ten classes (of two, for the source) is right by chance.
    accuracy, chance = summary["test"].get("accuracy", 0), 0.5 if kind == "source" else 0.1
    check(accuracy > 1.5 * chance, f"{kind}: learns", str(summary["test"]))
    print(f"{kind:<11} accuracy {accuracy:.3f}", flush=True)


def passes_its_own_ci(place, folder, compiler):
    """The workflow's last step, as a runner has it after the step that installs Plait into ~/plait."""
    workflow = (folder / ".github/workflows/ci.yml").read_text()
    home = place.work / "runner"
    home.mkdir()
    (home / "plait").symlink_to(place.prefix)
    shutil.copytree(folder, home / "checkout", ignore=shutil.ignore_patterns("build*"))
    step = workflow.split("- name: Build and test\n        run: |\n")[1].replace("${{ matrix.compiler }}", compiler)
    done = place.run("env", f"HOME={home}", "bash", "-euo", "pipefail", "-c", step, cwd=home / "checkout")
    check(done.returncode == 0, f"the step of ci.yml by {compiler}", done.stdout)


def one_kind(place, kind):
    folder = place.work / kind
    done = place.run("plait", "new", kind, f"acme.my_{kind}", "--dir", folder)
    check(done.returncode == 0, f"{kind}: plait new", done.stdout)
    if done.returncode != 0:
        return
    for path in folder.rglob("*"):
        if path.is_file():
            check("your_" not in path.read_text() and "YourName" not in path.read_text(), f"{path}: names are replaced")
    for compiler in ["g++", "clang++"]:
        if shutil.which(compiler):
            library = builds_and_passes(place, kind, folder, compiler)
            if library:
                keeps_the_laws(place, kind, library)
                (maps if kind in STAGES else trains)(place, kind, folder, library)
    if kind == "layer":
        passes_its_own_ci(place, folder, "g++")


def mistakes(place):
    """Each is answered in words, with status 2 (1 for the folder), and leaves nothing behind."""
    before = sorted(place.work.iterdir())
    (place.work / "taken").mkdir()
    for words, wanted, status in [
            (["layr", "acme.x"], 'did you mean "layer"?', 2),
            (["layer", "swish"], 'did you mean "my.swish"?', 2),
            (["layer", "Acme.Swish-2"], 'did you mean "acme.swish_2"?', 2),
            (["layer", "plait.swish"], "take another vendor, as in acme.swish", 2),
            (["layer", "acme.double.swish"], "wanted vendor.name", 2),
            (["layer", "acme.while"], "take another word", 2),
            (["layer", "namespace.swish"], "take another word", 2),
            (["layer", "loss.swish"], "take another word", 2),
            (["layer", "acme.co_await"], "take another word", 2),
            (["layer"], "wanted a kind and an id", 2),
            (["layer", "acme.x", "--dir", "taken"], "is there already", 1),
            (["layer", "acme.x", "--dir", "/proc/nowhere/x"], "new: ", 1)]:
        done = place.run("plait", "new", *words)
        check(done.returncode == status and wanted in done.stdout, f"plait new {' '.join(words)}",
              f"status {done.returncode}: {done.stdout}")
    (place.work / "taken").rmdir()
    check(sorted(place.work.iterdir()) == before, "mistakes leave nothing behind")


def main():
    kinds = sys.argv[1:] or KINDS
    with tempfile.TemporaryDirectory() as folder:
        place = Place(pathlib.Path(folder).resolve())
        mistakes(place)
        for kind in kinds:
            one_kind(place, kind)
    print(f"scaffold: {len(kinds)} kinds, {len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
