"""What a compiler says of an author's mistake: in the words of the SDK, or of the author's own line, and soon.

Each mistake is one change in what `plait new` writes. The author is told within 20 lines of the compiler's output;
innards of templates may follow, up to 60 lines in all.
"""
import concurrent.futures
import os
import pathlib
import subprocess
import sys
import tempfile

from sdk_compilers import ROOT, compilers, precompiled

TEMPLATES = ROOT / "framework/templates"
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
    ("loss", "void check(const LossShapes& s) const", "void check(const LossShapes& s)", "check is not: void check("),
    ("augmenter", "void open(Context&, const Parts& parts)", "void open(const Parts& parts)", "open is not: void open("),
    ("pretrainer", "next_stage(", "next_stages(", "a pretrainer needs: void next_stage"),
    ("device", "void synchronize(", "void synchronise(", "the head of <plait/sdk/device.hpp>"),
    ("task", "void map(", "void maps(", "a task needs: void map(Context& c, const Records& records, Emitter& out) const"),
    ("task", "Emitter& out) const {", "Emitter& out) {", "a task needs: void map(Context& c, const Records& records"),
    ("task", "Value emits = Value::kI64", "int emits = 2", "a task needs, public: static constexpr Value emits"),
    ("combiner", "void fold(", "void folds(", "a combiner needs, all const: Folded infer(Value in)"),
    ("combiner", "Folded infer(Value in) const", "Folded infer(Value in)", "a combiner needs, all const: Folded infer("),
    ("sink", "void write_pairs(", "void writes_pairs(", "a sink needs, const: void write_arrays(Context& c"),
    ("sink", "endings[] = {\".jsonl\"}", "endings = \".jsonl\"", "a sink needs, public: static constexpr const char* endings[]"),
]
# kind, a hook of the right name and a wrong signature, what the compiler says: such a hook would be none, in silence.
HOOKS = [
    ("layer", "void validate() {}", "validate is not: void validate() const"),
    ("layer", "static void examples() {}", "examples is not: static void examples(Examples& e)"),
    ("layer", "void infer(LayerShapes& s) { s.output_like(0); }", "infer is not: void infer(LayerShapes& s) const"),
    ("layer", "void needs(const LayerRequest&, LayerNeeds&) {}", "needs is not: void needs(const LayerRequest& r"),
    ("layer", "void prepare(Context&, LayerCall&) const {}", "prepare is not: void prepare(Context& c, const LayerCall"),
    ("layer", "void pack(Context&, uint32_t, const float*, float*) const {}", "pack and unpack are not both: void pack("),
    ("layer", "void backward_from_output(Context&, In, In, Out) {}", "backward_from_output is not: void backward_from"),
    ("layer", "private: void prepare(Context&, const LayerCall&) const {} public:", "prepare is not: void prepare("),
    ("layer", "template <class V> void prepare(V&) const {}", "prepare is not: void prepare("),
    ("layer", "void prepare() const {} void prepare(int) const {}", "prepare is not: void prepare("),
    ("loss", "uint64_t workspace_bytes() const { return 4; }", "workspace_bytes is not: uint64_t workspace_bytes("),
    ("optimizer", "double observe(Context&, const OptimizerCall&) { return 0; }", "observe is not: double observe("),
    ("optimizer", "void slots(OptimizerSlots&) {}", "slots is not: void slots(OptimizerSlots& s) const"),
    ("optimizer", "void open(Context&, int) {}", "open is not: void open(Context& c)"),
    ("augmenter", "void apply_batch(Context&, SampleCall&) {}", "apply_batch is not: void apply_batch(Context& c"),
    ("augmenter", "void infer(Parts&, int) const {}", "infer is not: void infer(Parts& parts) const"),
    ("augmenter", "size_t fit_size(const Parts&) const { return 1; }", "fit_size and fit_observe are not both: size_t"),
    ("metric", "std::string suffix() { return {}; }", "suffix is not: std::string suffix() const"),
    ("schedule", "bool ignores_total() { return true; }", "ignores_total is not: bool ignores_total() const"),
    ("source", "std::array<uint8_t, 32> digest() const { return {}; }", "digest is not: std::array<uint8_t, 32> digest("),
    ("reducer", "int weight(const ShardResult&) { return 1; }", "weight is not: int weight(const ShardResult& r) const"),
    ("device", "const void* extension(int) { return nullptr; }", "extension is not: const void* extension("),
    ("task", "void open(Context&, int) {}", "open is not: void open(Context& c, const Parts& parts)"),
    ("combiner", "void open(Context&, int) {}", "open is not: void open(Context& c, Value in)"),
    ("reducer", "void reduce(Context&, std::string_view, Values&, Emitter&) const {}", "infer and reduce are not both"),
    ("sink", "void check_arrays(const SinkArrays&) const {}", "check_arrays is never called without write_arrays"),
]
# Data may have the name of a hook, and a hook may have more than the signature asks for.
RIGHT = [
    ("layer", "int prepare = 0; static constexpr int needs = 3;"),
    ("augmenter", "void apply_batch(Context&, SampleCall&, int times = 1) const { static_cast<void>(times); }"),
    ("optimizer", "auto observe(Context&, const auto& call) const { return 1.0f * float(call.count); }"),
]
DESCRIBE = "  static void describe("


def with_hook(hook):
    return f"  {hook}\n{DESCRIBE}"


def said(command, text):
    """Status and lines of the compiler."""
    done = subprocess.run([*command, "-x", "c++", "-"], input=text, text=True, env=os.environ | {"LC_ALL": "C"},
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout.splitlines()


def compiles(command, kind, hook):
    """A report, and whether that is so."""
    right = (TEMPLATES / kind / "your_name.cc").read_text()
    status, lines = said(command, right.replace(DESCRIBE, with_hook(hook)))
    return "\n".join([f"{'FAILED' if status else 'ok'}: {command[0]}, {kind}, {hook} compiles", *lines]), status == 0


def is_told(command, kind, old, new, wanted):
    """A report, and whether the author is told soon enough."""
    right = (TEMPLATES / kind / "your_name.cc").read_text()
    status, lines = said(command, right.replace(old, new))
    place = next((n for n, line in enumerate(lines, 1) if wanted in line), None)
    good = status != 0 and old in right and place is not None and place <= 20 and len(lines) <= 60
    report = f"{'ok' if good else 'FAILED'}: {command[0]}, {kind}, {new}: line {place} of {len(lines)}"
    return "\n".join([report, *([] if good else lines)]), good


def main():
    failures = 0
    mistakes = MISTAKES + [(kind, DESCRIBE, with_hook(hook), words) for kind, hook, words in HOOKS]
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(2) as pool:
        for compiler in compilers():
            command = precompiled(compiler, pathlib.Path(folder) / compiler, "#include <plait/sdk.hpp>\n")
            work = [pool.submit(compiles, command, *right) for right in RIGHT]
            work += [pool.submit(is_told, command, *mistake) for mistake in mistakes]
            for one in work:
                report, good = one.result()
                failures += not good
                print(report, flush=True)
    print(f"compile errors: {len(mistakes)} mistakes, {', '.join(compilers())}, {failures} failures")
    return 1 if failures or not compilers() else 0


if __name__ == "__main__":
    sys.exit(main())
