"""Each broken plugin is caught by the law, and in the words, that its first lines name.

`caught_test.py SOURCES PLUGINS [NAME...]`: status 0 when all are.
"""
import concurrent.futures
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

NOTHING = "nothing"  # a right plugin: every law holds; its words are in what is printed


def expectations(source):
    """{"Caught by": ..., "Words": ..., "Arguments": ...} of the comment that a source begins with."""
    found = {}
    for line in source.read_text().splitlines():
        if not line.startswith("//"):
            return found
        if match := re.match(r"// ([A-Z][a-z]+(?: by)?): (.*)", line):
            found[match[1]] = match[2]
    return found


def verify(plugin, law, arguments):
    """Status, results by JSON, what was printed, and what is left where temporary files go."""
    with tempfile.TemporaryDirectory() as folder:
        report, temporary = pathlib.Path(folder) / "report.json", pathlib.Path(folder) / "temporary"
        temporary.mkdir()
        only = [] if law == NOTHING else ["--only", f": {law}$"]
        ran = subprocess.run(["plait", "verify", str(plugin), "--json", str(report), "--strict", *only, *arguments],
                             capture_output=True, text=True, timeout=1200, env=os.environ | {"TMPDIR": str(temporary)})
        results = json.loads(report.read_text())["tests"] if report.exists() else []
        return ran.returncode, results, ran.stdout + ran.stderr, sorted(file.name for file in temporary.iterdir())


def what_is_wrong(source, plugins):
    """"" when the fault is caught as announced."""
    wanted = expectations(source)
    law, words = wanted["Caught by"], wanted["Words"]
    status, results, text, left = verify(plugins / f"{source.stem}.plait.so", law, wanted.get("Arguments", "").split())
    if left:
        return f"files are left behind: {left}"
    if law == NOTHING:
        good = status == 0 and re.search(words, text, re.DOTALL)
        return "" if good else f'status {status}, wanted 0 and "{words}":\n{text}'
    failed = [r for r in results if r["verdict"] == "failed" and r["law"] == law]
    if not failed:
        return f"{law} does not fail:\n{text}"
    if not any(re.search(words, r["message"], re.DOTALL) for r in failed):
        return f'{law} fails without the words "{words}":\n{text}'
    if status != 1:
        return f"status {status}, wanted 1"
    return ""


def outlives(plugin):
    """"" when no process that tries a plugin goes on after verify was interrupted."""
    def children(process):
        found = pathlib.Path(f"/proc/{process}/task/{process}/children")
        return found.read_text().split() if found.exists() else []

    def until(happens):
        for _ in range(600):
            if happens():
                return True
            time.sleep(0.1)
        return False

    with tempfile.TemporaryDirectory() as folder:
        verify = subprocess.Popen(["plait", "verify", str(plugin), "--only", ": memory$"], stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL, env=os.environ | {"TMPDIR": folder})
        at_work = []
        while not at_work and verify.poll() is None:
            before = children(verify.pid)
            time.sleep(1)  # the one that loads the library ends sooner
            at_work = [child for child in before if child in children(verify.pid)]
        verify.send_signal(signal.SIGINT)
        verify.wait()
        ended = until(lambda: not any(pathlib.Path(f"/proc/{child}").exists() for child in at_work))
    return "" if at_work and ended else f"children {at_work} of an interrupted verify go on"


def main(folder, plugins, names):
    sources = sorted(s for s in folder.iterdir() if s.suffix in {".c", ".cc"} and (not names or s.stem in names))
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda source: what_is_wrong(source, plugins), sources))
    wrong = [(source.stem, answer) for source, answer in zip(sources, answers) if answer]
    if answer := outlives(plugins / "hangs.plait.so"):
        wrong.append(("interrupted", answer))
    for name, answer in wrong:
        print(f"{name}: {answer}")
    print(f"{len(sources) - sum(name != 'interrupted' for name, _ in wrong)} of {len(sources)} broken plugins are caught as announced")
    return bool(wrong) or len(sources) < 26 and not names


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3:]))
