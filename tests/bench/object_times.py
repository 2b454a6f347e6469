"""CPU seconds that the objects of a target take to compile, without a compiler cache: the longest first, and the sum of each folder.

usage: python3 tests/bench/object_times.py BUILD [--target product] [--every N] [--only WORDS] [--longest N]
BUILD is a configured folder, build/release. --every N compiles each N-th object alone, a sample whose sums are multiplied; --only
takes those whose name has WORDS in it. CPU seconds (user and system) are asked for and not those of a clock, so that other
work on the machine matters little. Objects are written elsewhere; what they include is built first: generated and precompiled
headers, which count as objects.
"""
import argparse
import collections
import json
import os
import pathlib
import resource
import shlex
import subprocess
import tempfile

ENVIRONMENT = {**os.environ, "CCACHE_DISABLE": "1"}


def commands(build, target):
    """The compile commands of the objects that `target` needs: {object: command}."""
    objects = set(subprocess.check_output(["ninja", "-C", build, "-t", "inputs", target], text=True).split())
    rows = json.loads(subprocess.check_output(["ninja", "-C", build, "-t", "compdb"], text=True))
    headers = [name for name in objects if name.endswith((".gch", ".pb.h"))]
    subprocess.run(["ninja", "-C", build, *headers], check=True, stdout=subprocess.DEVNULL)
    return {row["output"]: row["command"] for row in rows
            if row["output"] in objects and row["output"].endswith((".o", ".gch"))}


def cpu_seconds(build, command, scratch):
    words = shlex.split(command)
    words[words.index("-o") + 1] = os.path.join(scratch, "it.o")
    if "-MF" in words:
        words[words.index("-MF") + 1] = os.path.join(scratch, "it.d")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(words, cwd=build, env=ENVIRONMENT, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--target", default="product")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--only", default="")
    parser.add_argument("--longest", type=int, default=30)
    options = parser.parse_args()
    rows = sorted((name, command) for name, command in commands(options.build, options.target).items()
                  if options.only in name)
    seconds = {}
    with tempfile.TemporaryDirectory() as scratch:
        for name, command in rows[::options.every]:
            seconds[name] = cpu_seconds(options.build, command, scratch)
    for name in sorted(seconds, key=seconds.get, reverse=True)[:options.longest]:
        print(f"{seconds[name]:7.2f} s  {name}")
    folders = collections.defaultdict(list)
    for name, value in seconds.items():
        folders["/".join(name.split("/")[:2])].append(value)
    for folder in sorted(folders, key=lambda name: -sum(folders[name])):
        values = folders[folder]
        print(f"{sum(values) * options.every:7.1f} s  {folder}: {len(values)} objects of {sum(values) / len(values):.2f} s")
    print(f"{sum(seconds.values()) * options.every:7.1f} s  in all, {len(seconds)} of {len(rows)} objects compiled")


main()
