"""What `plait new KIND ... --cuda` writes. Words on the command line choose parts:

  host  without a CUDA compiler, plugins of the host part alone are built, which train; a device is refused in words
  fake  the .cu files compiled as C++ with fake_cuda/, a CUDA runtime on the host: the laws of devices and kernels, late
        errors, and the losses of a training run against those of the host's kernels
  nvcc  everything built by the CUDA compiler. Without one: status 77, which ctest counts as skipped
"""
import json
import pathlib
import re
import shutil
import sys
import tempfile

from scaffold_test import Place, check, failures

HERE = pathlib.Path(__file__).resolve().parent
KINDS = ["layer", "loss", "optimizer"]
SKIPPED = 77


def write(place, *words):
    done = place.run("plait", "new", *words)
    check(done.returncode == 0, f"plait new {' '.join(map(str, words))}", done.stdout)


def write_all(place):
    for kind in KINDS:
        write(place, kind, f"acme.my_{kind}", "--cuda")
    write(place, "device", "acme.gpu", "--cuda")
    for folder in [f"my_{kind}" for kind in KINDS] + ["gpu"]:
        for path in filter(pathlib.Path.is_file, (place.work / folder).rglob("*")):
            check("your_" not in path.read_text() and "YourName" not in path.read_text(), f"{path}: names are replaced")


def mistakes(place):
    for words, wanted in [
            (["metric", "acme.x", "--cuda"], "the template of a metric runs on the host"),
            (["source", "acme.x", "--cuda"], "the template of a source runs on the host"),
            (["layer", "acme.x", "--device", "acme.gpu"], "--device: only with --cuda"),
            (["device", "acme.x", "--cuda", "--device", "acme.gpu"], "--device: this is the device"),
            (["layer", "acme.x", "--cuda", "--device", "GPU"], 'did you mean "my.gpu"?')]:
        done = place.run("plait", "new", *words)
        check(done.returncode == 2 and wanted in done.stdout, f"plait new {' '.join(words)}",
              f"status {done.returncode}: {done.stdout}")
    write(place, "layer", "acme.elsewhere", "--cuda", "--device", "other.card")
    text = (place.work / "elsewhere/elsewhere.cu").read_text()
    check('implementation<ElsewhereOnCuda>("acme.elsewhere", "other.card")' in text, "--device names the device", text)
    shutil.rmtree(place.work / "elsewhere")


def run_job(place, folder, name, *words):
    """The run's process, and its losses: of training and of the test records."""
    done = place.run("plait", "run", "train.txtpb", *words, "--var", f"data={place.data}", "--max-steps", 20,
                     "--progress", "none", "--run-dir", name, cwd=folder)
    if done.returncode != 0:
        return done, None
    summary = json.loads((folder / name / "summary.json").read_text())
    return done, (summary["loss"], summary["test"]["loss"])


def verify_beside(place, library, device):
    """The device is found where installed plugins are."""
    place.env["PLAIT_PLUGIN_PATH"] = str(device.parent)
    done = place.run("plait", "verify", library)
    del place.env["PLAIT_PLUGIN_PATH"]
    return done


# ---------------------------------------------------------------------------------------------------- host


def host(place):
    without = "-DCMAKE_CUDA_COMPILER=NOTFOUND"
    for kind in KINDS:
        folder = place.work / f"my_{kind}"
        done = place.run("cmake", "-S", ".", "-B", "build", "-G", "Ninja", without, cwd=folder)
        said = " ".join(done.stdout.split())
        check(done.returncode == 0 and f"built for the host alone, without my_{kind}.cu: no CUDA compiler" in said,
              f"{kind}: says that kernels are left out", done.stdout)
        for words in [["cmake", "--build", "build"], ["ctest", "--test-dir", "build", "--output-on-failure"]]:
            done = place.run(*words, cwd=folder)
            check(done.returncode == 0, f"{kind}, host alone: {' '.join(words)}", done.stdout)
        library = folder / "build" / f"my_{kind}.plait.so"
        done, losses = run_job(place, folder, "host_alone", "--plugin", library)
        check(losses, f"{kind}, host alone: plait run", done.stdout)
    done = place.run("cmake", "-S", ".", "-B", "build", "-G", "Ninja", without, cwd=place.work / "gpu")
    check(done.returncode != 0 and "no CUDA compiler is found that works" in done.stdout,
          "device: a CUDA compiler is asked for in words", done.stdout)


# ---------------------------------------------------------------------------------------------------- fake


def compile_fake(place, out, *words):
    """A .cu file is C++ when there are no <<<...>>> in it, and the runtime is that of fake_cuda/."""
    done = place.run("g++", "-std=c++20", "-O1", "-Wall", "-Wextra", "-Werror", "-fPIC", "-fvisibility=hidden",
                     "-DPLAIT_CUDA", "-I", HERE / "fake_cuda", "-I", place.prefix / "include", "-x", "c++", *words,
                     "-x", "none", "-o", out, "-lpthread")
    check(done.returncode == 0, f"{out.name}: compiles", done.stdout)
    return done.returncode == 0


def fake_library(place, folder, *sources):
    out = place.work / folder / f"{folder}_fake.plait.so"
    compile_fake(place, out, "-shared", "-Wl,-z,defs",
                 f"-Wl,--version-script={place.prefix}/lib/cmake/plait/plugin.map", *(place.work / folder / s for s in sources))
    return out


def runs(place, program, cards):
    place.env["FAKE_CUDA_CARDS"] = str(cards)
    done = place.run(program)
    del place.env["FAKE_CUDA_CARDS"]
    check(done.returncode == 0, f"{program.name} with {cards} cards", done.stdout)
    return done.stdout


def fake_device(place):
    sources = [place.work / "gpu" / name for name in ("gpu.cu", "kernels.cu")]
    own, late = place.work / "own_test", place.work / "late_errors"
    if compile_fake(place, own, *sources, place.work / "gpu/gpu_test.cc"):
        runs(place, own, 1)
        check("skipped: no CUDA device: no CUDA-capable device is detected" in runs(place, own, 0), "skips without a card")
    if compile_fake(place, late, *sources, HERE / "fake_cuda/late_errors.cc"):
        runs(place, late, 2)


def agrees(place, what, folder, host_words, card_words):
    """Sums run in another order than on the processor: after 10 steps of rate 0.05 and momentum 0.9 in f32 the losses agree
    to about 10 x 0.05 x 10 x 1e-6 = 5e-6 of their size. 1e-4 is asked for."""
    done, near = run_job(place, folder, "near", *host_words)
    check(near, f"{what}: runs on the host", done.stdout)
    done, far = run_job(place, folder, "far", *card_words)
    check(far, f"{what}: runs on the card", done.stdout)
    if near and far:
        print(f"{what:<10} losses {near} on the host, {far} on the card", flush=True)
        check(all(abs(a - b) <= 1e-4 * abs(a) and a > 1e-3 for a, b in zip(near, far)), f"{what}: the losses agree",
              f"{near} and {far}")


def fake(place):
    device = fake_library(place, "gpu", "gpu.cu", "kernels.cu")
    fake_device(place)
    done = place.run("plait", "verify", device)
    check(done.returncode == 0, "device: plait verify", done.stdout)
    for law in ["memory", "order", "bounds", "too_much", "streams"]:
        check(re.search(rf"^passed +must +acme.gpu: {law}$", done.stdout, re.MULTILINE), f"device: keeps {law}", done.stdout)
    agrees(place, "device", place.work / "gpu", ["--plugin", device, "--set", "device=cpu{}"], ["--plugin", device])
    for kind in KINDS:
        folder = place.work / f"my_{kind}"
        library = fake_library(place, folder.name, f"my_{kind}.cc", f"my_{kind}.cu")
        done = verify_beside(place, library, device)
        check(done.returncode == 0 and f"acme.my_{kind}@acme.gpu: " in done.stdout, f"{kind}: plait verify", done.stdout)
        on_card = ["--plugin", library, "--plugin", device, "--set", "device=[acme.gpu]{}"]
        agrees(place, kind, folder, ["--plugin", library], on_card)
    place.env["FAKE_CUDA_CARDS"] = "0"
    done = place.run("plait", "verify", device)
    check(done.returncode == 0 and "no CUDA device: no CUDA-capable device is detected" in done.stdout,
          "device without a card: plait verify skips in words", done.stdout)
    done, _ = run_job(place, place.work / "gpu", "none", "--plugin", device)
    check(done.returncode == 1 and "acme.gpu: no CUDA device" in done.stdout, "device without a card: plait run", done.stdout)
    del place.env["FAKE_CUDA_CARDS"]


# ---------------------------------------------------------------------------------------------------- nvcc


def built_by_nvcc(place, kind, folder):
    said = ""
    for words in [["cmake", "-S", ".", "-B", "build-nvcc", "-G", "Ninja"], ["cmake", "--build", "build-nvcc"],
                  ["ctest", "--test-dir", "build-nvcc", "--output-on-failure"]]:
        done = place.run(*words, cwd=folder)
        check(done.returncode == 0, f"{kind}, nvcc: {' '.join(words)}", done.stdout)
        if done.returncode != 0:
            return None
        said += done.stdout
    check("warning" not in said.lower(), f"{kind}, nvcc: warnings", said)
    library = folder / "build-nvcc" / f"{folder.name}.plait.so"
    exported = place.run("nm", "-D", "--defined-only", library).stdout.split()[2::3]
    check(exported == ["plait_plugin_v1"], f"{kind}: exports one symbol", str(exported))
    needed = place.run("readelf", "-d", library).stdout
    check("libcudart" not in needed, f"{kind}: has the CUDA runtime in it", needed)
    return library


def nvcc(place):
    compiler = shutil.which("nvcc") or shutil.which("nvcc", path="/usr/local/cuda/bin:/opt/cuda/bin")
    if not compiler:
        print("nvcc: skipped, since there is no CUDA compiler")
        return False
    place.env["PATH"] += f":{pathlib.Path(compiler).parent}"
    device = built_by_nvcc(place, "device", place.work / "gpu")
    if not device:
        return True
    has_card = "no CUDA device" not in place.run("plait", "verify", device, "--only", "acme.gpu: memory").stdout
    job = [place.work / "gpu/train.txtpb", "--var", f"data={place.data}"]
    for words in [["inspect", "acme.gpu"], ["check", *job, "--no-data"]]:
        done = place.run("plait", *words, "--plugin", device)
        check(done.returncode == 0, f"device: plait {words[0]}", done.stdout)
    done = place.run("plait", "check", *job, "--plugin", device)
    check(done.returncode == 0 if has_card else done.returncode == 1 and "acme.gpu: no CUDA device" in done.stdout,
          "device: plait check opens it as run does", done.stdout)
    done, losses = run_job(place, place.work / "gpu", "run", "--plugin", device)
    check(bool(losses) == has_card and (has_card or "acme.gpu: no CUDA device" in done.stdout), "device: plait run", done.stdout)
    for kind in KINDS:
        folder = place.work / f"my_{kind}"
        library = built_by_nvcc(place, kind, folder)
        if not library:
            continue
        done = verify_beside(place, library, device)
        check(done.returncode == 0, f"{kind}: plait verify", done.stdout)
        on_card = [line for line in done.stdout.splitlines() if f"acme.my_{kind}@acme.gpu: " in line]
        check(on_card and (has_card or all(line.startswith("skipped") for line in on_card)),
              f"{kind}: kernels are tried where there is a card", done.stdout)
        done, losses = run_job(place, folder, "host", "--plugin", library)
        check(losses, f"{kind}: trains on the host", done.stdout)
    return True


def main():
    parts = sys.argv[1:] or ["host", "fake", "nvcc"]
    tried = True
    with tempfile.TemporaryDirectory() as folder:
        place = Place(pathlib.Path(folder).resolve())
        mistakes(place)
        write_all(place)
        for part in parts:
            tried = {"host": host, "fake": fake, "nvcc": nvcc}[part](place) is not False
    print(f"scaffold, CUDA: {' '.join(parts)}: {len(failures)} failures")
    return 1 if failures else 0 if tried else SKIPPED


if __name__ == "__main__":
    sys.exit(main())
