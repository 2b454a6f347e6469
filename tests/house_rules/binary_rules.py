"""Reads what was built: who links what, and what a plugin exports. `binary_rules.py BUILD`: status 0 when all is well."""
import pathlib
import re
import subprocess
import sys

OF_PLUGINS = re.compile(r"lib(dnnl|mkldnn|imf|intlc|svml|z|png|jpeg|cudnn|cublas)\b")
OF_MPI = re.compile(r"lib(mpi|pmix|open-pal)\b")
OF_HOST = re.compile(r"lib(mpi|protobuf|boost|fmt)")
BORDER = "plait_plugin_v1"


def needed(file):
    out = subprocess.run(["readelf", "-d", file], check=True, capture_output=True, text=True).stdout
    return re.findall(r"NEEDED.*\[(.*)\]", out)


def exported(file):
    out = subprocess.run(["nm", "-D", "--defined-only", file], check=True, capture_output=True, text=True).stdout
    return [line.split()[-1] for line in out.splitlines()]


def wrong_in_program(program):
    for library in needed(program):
        if OF_PLUGINS.match(library) or OF_MPI.match(library):
            yield f"{program}: the program links {library}"


def wrong_in_plugin(plugin):
    if (symbols := exported(plugin)) != [BORDER]:
        yield f"{plugin}: exports {symbols}, wanted {BORDER} alone"
    for library in needed(plugin):
        if OF_HOST.match(library):
            yield f"{plugin}: a plugin links {library}"


def main(build):
    program = build / "bin" / "plait"
    plugins = sorted((build / "lib" / "plait" / "plugins").glob("*.plait.so"))
    wrong = list(wrong_in_program(program)) if program.exists() else [f"{program}: not built"]
    wrong += [line for plugin in plugins for line in wrong_in_plugin(plugin)]
    print("\n".join(wrong) or f"the program and {len(plugins)} plugins link and export what they should")
    return bool(wrong)


sys.exit(main(pathlib.Path(sys.argv[1])))
