"""Seconds to configure and build what `plait new` writes, without a compiler cache. Aim: 10 s for a layer.

usage: python3 tests/bench/compile_time.py [PREFIX] [KIND...]
PREFIX is where Plait is installed (by default the one that `plait` is in); KIND is layer unless said. Prints; nothing fails
for being slow.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

prefix = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(shutil.which("plait")).parent.parent
environment = {**os.environ, "CCACHE_DISABLE": "1"}


def timed(*words):
    begin = time.monotonic()
    subprocess.run(list(map(str, words)), check=True, env=environment, stdout=subprocess.DEVNULL)
    return time.monotonic() - begin


for kind in sys.argv[2:] or ["layer"]:
    with tempfile.TemporaryDirectory() as work:
        folder = pathlib.Path(work) / "it"
        timed(prefix / "bin/plait", "new", kind, "acme.swish", "--dir", folder)
        configure = timed("cmake", "-S", folder, "-B", f"{work}/build", f"-DCMAKE_PREFIX_PATH={prefix}",
                          "-DCMAKE_CXX_COMPILER_LAUNCHER=", "-DCMAKE_BUILD_TYPE=Release")
        build = timed("cmake", "--build", f"{work}/build", "-j")
        again = timed("cmake", "--build", f"{work}/build", "-j", "--clean-first")
        print(f"{kind:12} configure {configure:5.1f} s, build {build:5.1f} s (again {again:.1f} s)  aim: 10 s")
