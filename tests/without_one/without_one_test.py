"""Any one plugin may be missing: the program runs, says what is missing where it is asked for, and the rest works.

Builds with one folder removed need no list edited: configuring a copy of the tree without the folder shows it.
"""
import glob
import os
import shutil
import subprocess
import sys
import tempfile

source, build = os.environ["PLAIT_SOURCE_DIR"], os.environ["PLAIT_BUILD_DIR"]
failures = 0


def expect(condition, text):
    global failures
    if not condition:
        failures += 1
        print("FAILED", text)


JOBS = {name: open(name).read() for name in glob.glob(f"{source}/pipelines/*.txtpb")}
with tempfile.TemporaryDirectory() as folder:
    plugins = f"{folder}/lib/plait/plugins"
    os.makedirs(plugins)
    os.makedirs(f"{folder}/bin")
    shutil.copy(f"{build}/bin/plait", f"{folder}/bin/plait")  # a copy: the program looks beside itself
    files = sorted(glob.glob(f"{build}/lib/plait/plugins/*.plait.so"))
    for file in files:
        os.symlink(file, f"{plugins}/{os.path.basename(file)}")
    whole = subprocess.run([f"{folder}/bin/plait", "inspect"], capture_output=True, text=True).stdout.splitlines()
    # Libraries for a device alone add to types of others: nothing is listed of them.
    for file in [file for file in files if not file.endswith(".cuda.plait.so")]:
        name = os.path.basename(file).split(".")[0]
        os.remove(f"{plugins}/{os.path.basename(file)}")
        done = subprocess.run([f"{folder}/bin/plait", "inspect"], capture_output=True, text=True)
        listed = [line.split()[1] for line in done.stdout.splitlines() if len(line.split()) > 1]
        gone = set(whole) - set(done.stdout.splitlines())
        expect(done.returncode == 0 and gone, f"inspect without {name}: {done.stdout[:200]}{done.stderr[:200]}")
        expect(len(listed) > len(files) / 2, f"without {name} the others are gone too")
        os.symlink(file, f"{plugins}/{os.path.basename(file)}")
    print(f"{len(files)} plugins left out, one at a time")
    # A job that does not use the plugin is checked, one that does is told what it lacks.
    os.remove(f"{plugins}/affine.plait.so")
    for path, text in JOBS.items():
        if not os.path.exists("/usr/share/datasets/fashion-mnist"):
            break
        done = subprocess.run([f"{folder}/bin/plait", "check", path], capture_output=True, text=True)
        if "affine {" in text:
            expect(done.returncode == 1 and "affine" in done.stderr, f"{path} without affine: {done.stderr[:300]}")
        else:
            expect(done.returncode == 0, f"{path} without affine: {done.stderr[:300]}")

    copy = f"{folder}/tree"
    shutil.copytree(source, copy, symlinks=True, ignore=shutil.ignore_patterns("build", ".deps", ".git", "runs"))
    subprocess.run(["chmod", "-R", "u+w", copy], check=True)  # the tree may be read-only
    os.symlink(os.path.realpath(f"{source}/.deps"), f"{copy}/.deps")
    for removed in ("layers/convolution", "devices/test_device"):
        shutil.rmtree(f"{copy}/plugins/{removed}")
        done = subprocess.run(["cmake", "-S", copy, "-B", f"{folder}/configured", "-G", "Ninja"], capture_output=True, text=True)
        expect(done.returncode == 0, f"configuring without {removed}: {done.stderr[-500:]}")
        targets = subprocess.run(["ninja", "-C", f"{folder}/configured", "-t", "targets", "all"], capture_output=True, text=True)
        name = removed.split("/")[1]
        expect(f"plugin_{name}:" not in targets.stdout, f"{name} is still built")
        expect("plugin_dense:" in targets.stdout, "dense is not built")
sys.exit(1 if failures else 0)
