"""The compilers that are here, with the SDK's headers compiled once for each: most of the time of a small source is theirs."""
import os
import pathlib
import shutil
import subprocess

ROOT = pathlib.Path(os.environ["PLAIT_SOURCE_DIR"])


def compilers():
    return [compiler for compiler in ["g++", "clang++"] if shutil.which(compiler)]


def precompiled(compiler, folder, text):
    """The words that begin a command of this compiler, which looks at a source behind the headers of `text`."""
    folder.mkdir()
    header = folder / "all.hpp"
    header.write_text(text)
    command = [compiler, "-std=c++20", "-I", ROOT / "framework/abi", "-I", ROOT / "framework/sdk"]
    ending = ".pch" if "clang" in compiler else ".gch"
    subprocess.run([*command, "-x", "c++-header", header, "-o", f"{header}{ending}"], check=True)
    return [*command, "-fsyntax-only", "-include", header]
