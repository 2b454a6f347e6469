"""What a compiler says of an author's mistake: in the words of the SDK, or of the author's own line, and soon.

Each mistake is one change in what `plait new` writes. The author is told within 20 lines of the compiler's output;
innards of templates may follow, up to 60 lines in all.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(os.environ["PLAIT_SOURCE_DIR"])
# kind, what is written, what is written instead, what the compiler says (g++ and clang++, by a part of it)
MISTAKES = [
    ("layer", "&YourName::beta", "&YourName::bta", "'bta'"),
    ("layer", "static void describe(", "static void describes(", "needs: static void describe(Describe<T>& d)"),
    ("layer", "In x, Out y) const {", "In x, Out y) {", "needs forward and backward, both const"),
    ("layer", "void backward(", "void backwards(", "backward_from_output(Context&, In y, In dy, Out dx)"),
    ("layer", "void forward(Context& c, In x, Out y)", "void forward(Context& c, const LayerCall& x, Out y)",
     "needs forward and backward, both const"),
    ("layer", "float beta = 1;", "struct Curve {}; Curve beta;", "a field is a bool, number, std::string, enum"),
    ("layer", "float beta = 1;", "explicit YourName(int) {} float beta = 1;", "is made without arguments, then filled"),
    ("layer", "[&](size_t i) { y[i]", "[&](size_t i, int lane, int of) { y[i]", "parallel_for wants body(i) or body(begin, end)"),
    ("optimizer", "const OptimizerCall& call) const", "OptimizerCall& call) const",
     "an optimizer needs: void step(Context& c, const OptimizerCall& call) const"),
    ("loss", "void compute(", "void computes(", "a loss needs: void compute(Context& c, const LossCall& call) const"),
    ("augmenter", "void apply(", "void applies(", "an augmenter needs: void apply(Context& c, SampleCall& call) const"),
    ("metric", "void update(", "void updates(", "a metric needs, all const: size_t state_size"),
    ("reducer", "void combine(", "void combines(", "a reducer needs one of: int weight"),
    ("source", "void read(", "void reads(", "a source needs: void open(Context&)"),
    ("schedule", "double value(", "double values(", "a schedule needs: double value(const ScheduleCall& call) const"),
    ("pretrainer", "next_stage(", "next_stages(", "a pretrainer needs: void next_stage"),
    ("device", "void synchronize(", "void synchronise(", "the head of <plait/sdk/device.hpp>"),
]


def said(compiler, text, folder):
    source = folder / "mistake.cc"
    source.write_text(text)
    includes = ["-I", ROOT / "framework/abi", "-I", ROOT / "framework/sdk"]
    done = subprocess.run([compiler, "-std=c++20", "-fsyntax-only", *includes, source], text=True,
                          env=os.environ | {"LC_ALL": "C"}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout.splitlines()


def main():
    compilers = [compiler for compiler in ["g++", "clang++"] if shutil.which(compiler)]
    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        for compiler in compilers:
            for kind, old, new, wanted in MISTAKES:
                right = (ROOT / "framework/templates" / kind / "your_name.cc").read_text()
                status, lines = said(compiler, right.replace(old, new), pathlib.Path(folder))
                place = next((n for n, line in enumerate(lines, 1) if wanted in line), None)
                good = status != 0 and old in right and place is not None and place <= 20 and len(lines) <= 60
                failures += not good
                print(f"{'ok' if good else 'FAILED'}: {compiler}, {kind}, {new}: line {place} of {len(lines)}", flush=True)
                if not good:
                    print("\n".join(lines))
    print(f"compile errors: {len(MISTAKES)} mistakes, {', '.join(compilers)}, {failures} failures")
    return 1 if failures or not compilers else 0


if __name__ == "__main__":
    sys.exit(main())
