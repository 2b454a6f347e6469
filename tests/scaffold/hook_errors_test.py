"""A hook that would never be called, or whose work would be lost, does not compile.

The first error says what is wanted. Each case is one small struct of a kind. The headers are compiled once for each
compiler; to read them again takes ten times as long as a case, so cases share a source, each in a namespace and a file name
of its own, which tell whose an error is. A case that does not do as announced there is tried again alone, which decides.
"""
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import tempfile

from sdk_compilers import compilers, precompiled

HEADERS = "#include <plait/sdk.hpp>\n#include <vector>\nusing namespace plait::sdk;\n"
CALL = "Context&, const LayerCall&"
KERNEL = ("Kernel(const T&, Context&, const LayerRequest&, LayerNeeds&) {} "
          f"void forward({CALL}) const {{}} void backward({CALL}) const {{}}")
LOSS_KERNEL = "Kernel(const T&, Context&, LossRequest&) {} void compute(Context&, const LossCall&) const {}"
STEP = "void step(Context&, const OptimizerCall&) const {}"
VALUES = 'static constexpr MetricValue values[] = {{"a", MetricValue::kLower, "d"}};'
STATE = "size_t state_size(Spec, Spec) const { return 1; }"
UPDATE = "void update(Context&, Tensor, Tensor, std::span<double>) const {}"
FINISH = "void finish(std::span<const double>, std::span<double>) const {}"
NAMES = 'void name_values(MetricValues& v) const { v.value("a", MetricValue::kLower, "d"); }'
ROW_SIZE = "size_t row_size(Spec, Spec) const { return 1; }"
ROWS = "void update_rows(Context&, Tensor, Tensor, RowsOut&) const {}"
FINISH_ROWS = "void finish_rows(std::span<const double>, RowsIn, std::span<double>) const {}"
COMBINE_WHOLE = "void combine_whole(Context&, const WholeReduction&) const {}"
STATES = 'void states(ReducerStates& s) const { s.state("m"); }'
EMITS = "static constexpr Value emits = Value::kI64;"
MAP = "void map(Context&, const Records&, Emitter&) const {}"
ARRAYS = "void infer(const Parts&, Accumulators& a) const { a.sum(\"x\"); }"
FILL = "void map(Context&, const Records&, Accumulated&) const {}"
FOLDED = "Folded infer(Value) const { return {Value::kI64, 8}; }"
BEGIN = "void begin(std::string_view, std::span<std::byte>) const {}"
FOLD = "void fold(std::span<std::byte>, std::span<const std::byte>) const {}"
KIND_OUT = "Value infer(Value in) const { return in; }"
REDUCE = "void reduce(Context&, std::string_view, Values&, Emitter&) const {}"
ENDINGS = 'static constexpr const char* endings[] = {".x"};'
WRITE_ARRAYS = "void write_arrays(Context&, const SinkArrays&, ByteWriter&) const {}"
WRITE_PAIRS = "void write_pairs(Context&, Pairs&, ByteWriter&) const {}"
# What a right struct of each kind has. "calls" is a layer, "keys" and "whole" a reducer, "arrays" a task, "rows" a metric.
PARTS = {
    "layer": "void forward(Context&, In, Out) const {} void backward(Context&, In, In, Out) const {}",
    "calls": f"void infer(LayerShapes&) const {{}} void forward({CALL}) const {{}} void backward({CALL}) const {{}}",
    "loss": "void compute(Context&, const LossCall&) const {}",
    "augmenter": "void apply(Context&, SampleCall&) const {}",
    "optimizer": STEP,
    "metric": " ".join([VALUES, STATE, UPDATE, FINISH]),
    "reducer": "int weight(const ShardResult&) const { return 1; }",
    "schedule": "double value(const ScheduleCall&) const { return 1; }",
    "source": "void open(Context&) {} SourceInfo info() const { return {}; } "
              "void read(Context&, int64_t, SampleCall&) const {}",
    "pretrainer": "void next_stage(const Network&, int, StageBuilder&) const {}",
    "task": f"{EMITS} {MAP}",
    "arrays": f"{ARRAYS} {FILL}",
    "combiner": f"{FOLDED} {BEGIN} {FOLD}",
    "keys": f"{KIND_OUT} {REDUCE}",
    "sink": f"{ENDINGS} {WRITE_ARRAYS} {WRITE_PAIRS}",
    "rows": f"{NAMES} {ROW_SIZE} {ROWS} {FINISH_ROWS}",
    "whole": COMBINE_WHOLE,
}
LOST = "takes a copy, or a const, of what it has to change"
OTHER = "returns something else than is read"
# kind, what stands in a right struct beside its parts, what the first error says
BESIDE = [
    ("calls", "", None),
    ("layer", "bool validate() const { return true; }", f"validate {OTHER}; wanted: void validate() const"),
    ("layer", "void validate() {}", "validate is not: void validate() const"),
    ("layer", "private: template <class V> void validate() const {}", "validate is not: void validate() const"),
    ("layer", "void examples(Examples&) const {}", "examples is not: static void examples(Examples& e)"),
    ("layer", "static void examples(Examples) {}", "examples is not: static void examples(Examples& e)"),
    ("layer", "static void examples(const Examples&) {}", "examples is not: static void examples(Examples& e)"),
    ("layer", "static bool examples(Examples&) { return true; }", "examples is not: static void examples("),
    ("layer", "static void corrupts(Corruption& c) { c.by(\"masking\", \"rate\"); }", None),
    ("layer", "void corrupts(Corruption&) const {}", "corrupts is not: static void corrupts(Corruption& c)"),
    ("layer", "static void corrupts(Corruption) {}", "corrupts is not: static void corrupts(Corruption& c)"),
    ("layer", "private: static void corrupts(Corruption&) {}", "corrupts is not: static void corrupts("),
    ("layer", "bool in_place = true;", "in_place is not: static constexpr bool in_place = true"),
    ("layer", "bool two_axes = true;", "two_axes is not: static constexpr bool two_axes = true"),
    ("augmenter", "static constexpr bool two_axes() { return true; }", "two_axes is not: static constexpr bool"),
    ("layer", "static inline bool in_place = true;", "in_place is not: static constexpr bool in_place"),
    ("layer", "static constexpr bool in_place() { return true; }", "in_place is not: static constexpr bool"),
    ("layer", "private: static constexpr bool in_place = true;", "in_place is not: static constexpr bool"),
    ("layer", "uint32_t min_inputs = 2;", "min_inputs is not: static constexpr uint32_t min_inputs"),
    ("layer", "private: static constexpr uint32_t min_inputs = 2;", "min_inputs is not: static constexpr"),
    ("layer", "static constexpr double max_inputs = 2;", "max_inputs is not: static constexpr uint32_t"),
    ("layer", "static constexpr uint32_t min_inputs = 3, max_inputs = 2;", "min_inputs is more than max_inputs"),
    ("layer", "enum { min_inputs = 1, max_inputs = 3 };", None),
    ("layer", "void open(Context&) {}", "open is never called: layers, losses and metrics have none"),
    ("layer", "void infer(LayerShapes) const {}", f"infer {LOST}, which is lost; wanted: void infer(LayerShapes& s)"),
    ("layer", "void infer(const LayerShapes&) const {}", f"infer {LOST}"),
    ("layer", "void infer(const auto&) const {}", f"infer {LOST}"),
    ("layer", "void infer(LayerShapes s) const {} void infer(int) const {}", f"infer {LOST}"),
    ("layer", "bool infer(LayerShapes&) const { return true; }", f"infer {OTHER}"),
    ("layer", "void infer(LayerShapes&) const {} void infer(const LayerShapes&) const {}", None),
    ("layer", "void infer(auto& s) const { s.output_like(0); }", None),
    ("layer", "void infer(auto&& s) const { s.output_like(0); }", None),
    ("layer", "int prepare(Context&, const LayerCall&) const { return 0; }", f"prepare {OTHER}"),
    ("layer", "void backward_from_output(Context&, In, In, Out) const {}", "backward is never called beside"),
    ("layer", f"void forward({CALL}) const {{}} void backward({CALL}) const {{}}", "are there twice"),
    ("layer", "private: struct Kernel {};", "Kernel is private or a template"),
    ("layer", f"struct Kernel {{ {KERNEL} }};", "a layer with a Kernel has forward and backward in the Kernel"),
    ("loss", "bool check(const LossShapes&) const { return false; }", f"check {OTHER}; wanted: void check("),
    ("loss", "void open(Context&) {}", "open is never called"),
    ("loss", "static constexpr uint64_t workspace_bytes = 8;", "workspace_bytes is not: uint64_t workspace_bytes("),
    ("loss", "double workspace_bytes(const LossShapes&) const { return 8; }", f"workspace_bytes {OTHER}"),
    ("loss", f"struct Kernel {{ {LOSS_KERNEL} }};", "a loss with a Kernel has compute in the Kernel"),
    ("augmenter", "void infer(Parts) const {}", f"infer {LOST}, which is lost; wanted: void infer(Parts& parts) const"),
    ("augmenter", "void infer(const Parts&) const {}", f"infer {LOST}"),
    ("augmenter", "void infer(Context&, Parts) const {}", f"infer {LOST}"),
    ("augmenter", "void infer(Parts&) const {} void infer(Context&, Parts&) const {}", "infer is there twice"),
    ("augmenter", "void apply_batch(Context&, SampleCall) const {}", f"apply_batch {LOST}"),
    ("augmenter", "int apply_batch(Context&, SampleCall&) const { return 0; }", f"apply_batch {OTHER}"),
    ("augmenter", "private: void apply_batch(Context&, SampleCall&) const {}", "apply_batch is not: void apply_batch("),
    ("augmenter", "bool open(Context&, const Parts&) { return true; }", f"open {OTHER}"),
    ("augmenter", "double fit_size(const Parts&) const { return 1; } void fit_observe(Context&, SampleCall&, "
                  "std::span<double>) const {}", f"fit_size {OTHER}"),
    ("augmenter", "size_t fit_size(const Parts&) const { return 1; } void fit_observe(Context&, SampleCall&, "
                  "std::span<const double>) const {}", f"fit_observe {LOST}"),
    ("optimizer", "void slots(OptimizerSlots) const {}", f"slots {LOST}, which is lost; wanted: void slots("),
    ("optimizer", "void slots(const OptimizerSlots&) const {}", f"slots {LOST}"),
    ("optimizer", "int observe(Context&, const OptimizerCall&) const { return 0; }", f"observe {OTHER}"),
    ("optimizer", "void move(Context&, const OptimizerCall&) const {}", None),
    ("optimizer", "void move(Context&, const OptimizerCall&) {}", "move is not: void move(Context& c, const "),
    ("optimizer", "void move(const OptimizerCall&) const {}", "move is not: void move(Context& c, const OptimizerCall"),
    ("optimizer", "private: void move(Context&, const OptimizerCall&) const {}", "move is not: void move("),
    ("optimizer", "bool move(Context&, const OptimizerCall&) const { return 1; }", f"move {OTHER}; wanted: void move("),
    ("optimizer", "static constexpr bool plain = true;", None),
    ("optimizer", "bool plain = true;", "plain is not: static constexpr bool plain = true"),
    ("optimizer", "private: static constexpr bool plain = true;", "plain is not: static constexpr bool plain = true"),
    ("optimizer", "static constexpr bool plain() { return true; }", "plain is not: static constexpr bool plain = true"),
    ("optimizer", "static constexpr bool plain = true, elementwise = true;", "elementwise and plain are both true"),
    ("optimizer", "static constexpr bool plain = true, elementwise = false;", None),
    ("optimizer", "const bool elementwise = true;", "elementwise is not: static constexpr bool elementwise = true"),
    ("optimizer", "private: static constexpr bool elementwise = true;", "elementwise is not: static constexpr"),
    ("optimizer", "static constexpr bool elementwise() { return false; }", "elementwise is not: static constexpr"),
    ("metric", "static constexpr const char* suffix = \"_a\";", "suffix is not: std::string suffix() const"),
    ("metric", "void open(Context&) {}", "open is never called"),
    ("metric", NAMES, "values are never read beside name_values"),
    ("metric", ROW_SIZE, "row_size, update_rows and finish_rows are not all there: rows need the three"),
    ("metric", f"{ROW_SIZE} {ROWS}", "row_size, update_rows and finish_rows are not all there"),
    ("metric", f"{ROW_SIZE} {ROWS} {FINISH_ROWS}", "finish is never called beside finish_rows"),
    ("rows", "std::string suffix() const { return {}; }", "suffix is never called beside name_values"),
    ("rows", STATE, "state_size and update are not both: rows need neither, or both"),
    ("rows", f"{STATE} {UPDATE}", None),
    ("rows", "int values = 3;", None),
    ("schedule", "static constexpr bool ignores_total = true;", "ignores_total is not: bool ignores_total() const"),
    ("schedule", "bool ignores_total = true;", "ignores_total is not: bool ignores_total() const"),
    ("schedule", "int ignores_total() const { return 1; }", f"ignores_total {OTHER}"),
    ("schedule", "double value(Context&, const ScheduleCall&) const { return 2; }", "value is there twice"),
    ("schedule", "bool stop(const ScheduleCall&) const { return true; }", None),
    ("schedule", "bool stop(Context&, const ScheduleCall&) const { return true; }", None),
    ("schedule", "bool stop(const ScheduleCall&) { return true; }", "stop is not: bool stop(const ScheduleCall& call)"),
    ("schedule", "bool stop() const { return true; }", "stop is not: bool stop(const ScheduleCall& call) const"),
    ("schedule", "private: bool stop(const ScheduleCall&) const { return 1; }", "stop is not: bool stop("),
    ("schedule", "int stop(const ScheduleCall&) const { return 1; }", f"stop {OTHER}; wanted: bool stop("),
    ("schedule", "bool stop(const ScheduleCall&) const { return 1; } "
                 "bool stop(Context&, const ScheduleCall&) const { return 1; }", "stop is there twice"),
    ("schedule", "const char* monitor() const { return \"\"; }", None),
    ("schedule", "const char* monitor() { return \"\"; }", "monitor is not: const char* monitor() const"),
    ("schedule", "std::string monitor() const { return \"\"; }", f"monitor {OTHER}; wanted: const char* monitor()"),
    ("schedule", "static constexpr const char* monitor = \"loss\";", "monitor is not: const char* monitor("),
    ("schedule", "std::string monitor;", "monitor is not: const char* monitor() const"),
    ("source", "static constexpr std::array<uint8_t, 32> digest{};", "digest is not: std::array<uint8_t, 32> digest("),
    ("reducer", "bool open(Context&) { return true; }", f"open {OTHER}"),
    ("reducer", KIND_OUT, "infer and reduce are not both: Value infer(Value in) const"),
    ("reducer", REDUCE, "infer and reduce are not both: Value infer(Value in) const"),
    ("reducer", f"{KIND_OUT} {REDUCE}", None),
    ("keys", "int weight(const ShardResult&) { return 1; }", "weight is not: int weight(const ShardResult& r) const"),
    ("keys", "bool open(Context&) { return true; }", f"open {OTHER}"),
    ("reducer", STATES, "states are never given without combine_whole"),
    ("reducer", COMBINE_WHOLE, "of weight, combine and combine_whole more than one is there"),
    ("whole", "void combine(Context&, std::span<const float* const>, Out) const {}", "more than one is there"),
    ("whole", STATES, None),
    ("whole", f"{KIND_OUT} {REDUCE}", None),
    ("whole", STATES.replace("ReducerStates&", "ReducerStates"), f"states {LOST}, which is lost; wanted: void states("),
    ("whole", "void states(const ReducerStates&) const {}", f"states {LOST}"),
    ("whole", "void states(OptimizerSlots&) const {}", "states is not: void states(ReducerStates& s) const"),
    ("whole", "void states(ReducerStates&) {}", "states is not: void states(ReducerStates& s) const"),
    ("task", "void infer(const Parts&) {}", "infer is not: void infer(const Parts& parts) const"),
    ("task", "void infer(Parts&) const {}", "infer is not: void infer(const Parts& parts) const"),
    ("task", "bool infer(const Parts&) const { return true; }", f"infer {OTHER}; wanted: void infer(const Parts&"),
    ("task", "void infer(Parts) const {}", None),
    ("task", "void open(Context&, Value) {}", "open is not: void open(Context& c, const Parts& parts)"),
    ("task", "void open(Context&) {} void open(Context&, const Parts&) {}", "open is there twice"),
    ("task", "private: void infer(const Parts&) const {}", "infer is not: void infer(const Parts& parts) const"),
    ("task", "const char* reducer = \"plait.sum\";", "reducer is not: static constexpr const char* reducer"),
    ("task", "private: static constexpr const char* combiner = \"a.b\";", "combiner is not: static constexpr const char*"),
    ("task", "static constexpr const char* reducer = \"plait.sum\";", None),
    ("arrays", "bool finish(Context&, Pass&) const { return false; }", None),
    ("arrays", "void finish(Context&, Pass&) const {}", f"finish {OTHER}; wanted: bool finish(Context& c, Pass&"),
    ("arrays", "int finish(Context&, Pass&) const { return 1; }", f"finish {OTHER}"),
    ("arrays", "bool finish(Context&, Pass&) { return false; }", "finish is not: bool finish(Context& c, Pass& pass)"),
    ("arrays", "bool finish(Context&, Pass) const { return false; }", f"finish {LOST}"),
    ("arrays", "bool finish(Context&, const Pass&) const { return false; }", f"finish {LOST}"),
    ("arrays", "bool finish(Pass&) const { return false; }", "finish is not: bool finish(Context& c, Pass& pass)"),
    ("arrays", "private: bool finish(Context&, Pass&) const { return false; }", "finish is not: bool finish("),
    ("arrays", MAP, "map is there twice: with Emitter& and with Accumulated&"),
    ("arrays", f"{EMITS} {MAP}", "map is there twice: with Emitter& and with Accumulated&"),
    ("arrays", EMITS, "emits is of pairs, and never read"),
    ("arrays", "static constexpr const char* reducer = \"plait.sum\";", "combiner and reducer are of pairs, and never called"),
    ("arrays", "void infer(const Parts&) const {}", "infer is there twice"),
    ("arrays", "void open(Context&, Value) {}", "open is not: void open(Context& c, const Parts& parts)"),
    ("task", "bool finish(Context&, Pass&) const { return false; }", "finish is never called: the task emits pairs"),
    ("task", ARRAYS, "infer is not: void infer(const Parts& parts) const"),
    ("combiner", "bool commutative = true;", "commutative is not: static constexpr bool commutative"),
    ("combiner", "private: static constexpr bool commutative = true;", "commutative is not: static constexpr bool"),
    ("combiner", "static constexpr bool commutative = true;", None),
    ("combiner", "void open(Context&, const Parts&) {}", "open is not: void open(Context& c, Value in)"),
    ("combiner", "int open(Context&, Value) { return 1; }", f"open {OTHER}"),
    ("sink", "void check_arrays(const SinkArrays&) const {} void check_pairs(Value) const {}", None),
    ("sink", "static constexpr bool table = true;", None),
    ("sink", "bool table = true;", "table is not: static constexpr bool table"),
    ("sink", "private: static constexpr bool table = true;", "table is not: static constexpr bool table"),
    ("sink", "void check_arrays(const SinkArrays&) {}", "check_arrays is not: void check_arrays(const SinkArrays& arrays) const"),
    ("sink", "bool check_pairs(Value) const { return true; }", f"check_pairs {OTHER}"),
    ("sink", "private: void check_pairs(Value) const {}", "check_pairs is not: void check_pairs(Value value) const"),
    ("sink", "void open(Context&, Value) {}", "open is not: void open(Context& c)"),
]
# kind, all that stands in the struct, what the first error says
WHOLE = [
    ("layer", "void forward(Context&, In, In) const {} void backward(Context&, In, In, Out) const {}",
     f"forward {LOST}"),
    ("layer", "void forward(Context&, In, Out) const {} void backward(Context&, In, In, In) const {}",
     f"backward {LOST}"),
    ("layer", "bool forward(Context&, In, Out) const { return true; } void backward(Context&, In, In, Out) const {}",
     f"forward {OTHER}"),
    ("layer", "void forward(Context&, auto, auto) const {} void backward(Context&, auto, auto, auto) const {}", None),
    ("augmenter", "void apply(Context&, SampleCall) const {}", f"apply {LOST}"),
    ("augmenter", "void apply(Context&, const SampleCall&) const {}", f"apply {LOST}"),
    ("augmenter", "void apply(Context&, auto) const {}", f"apply {LOST}"),
    ("augmenter", "void apply(Context&, SampleCall&) {} void apply_batch(Context&, SampleCall&) const {}",
     "apply is not: void apply(Context& c, SampleCall& call) const"),
    ("metric", " ".join([VALUES.replace("constexpr", "inline const").replace("MetricValue values[]",
                         "std::vector<MetricValue> values"), STATE, UPDATE, FINISH]), "static constexpr MetricValue"),
    ("metric", " ".join(["private:", VALUES, "public:", STATE, UPDATE, FINISH]), "static constexpr MetricValue values"),
    ("metric", " ".join([VALUES.replace("static constexpr ", "").replace("[]", "[1]"), STATE, UPDATE, FINISH]),
     "static constexpr MetricValue values"),
    ("metric", " ".join([VALUES, STATE.replace("size_t", "double"), UPDATE, FINISH]), f"state_size {OTHER}"),
    ("metric", " ".join([VALUES, STATE, UPDATE.replace("double", "const double"), FINISH]), f"update {LOST}"),
    ("metric", " ".join([VALUES.replace("constexpr", "inline const"), STATE, UPDATE, FINISH]), None),
    ("metric", " ".join([NAMES, STATE, UPDATE, FINISH]), None),
    ("metric", " ".join([VALUES, ROW_SIZE, ROWS, FINISH_ROWS]), None),
    ("metric", " ".join([NAMES.replace(") const", ")"), STATE, UPDATE, FINISH]),
     "name_values is not: void name_values(MetricValues& v) const"),
    ("metric", " ".join([NAMES.replace("MetricValues&", "MetricValues"), STATE, UPDATE, FINISH]),
     f"name_values {LOST}"),
    ("metric", " ".join(["void name_values(const MetricValues&) const {}", STATE, UPDATE, FINISH]),
     f"name_values {LOST}"),
    ("metric", " ".join([VALUES, STATE, UPDATE, FINISH.replace(" const {}", " {}")]), "finish is not: void finish("),
    ("metric", " ".join([VALUES, STATE, UPDATE]), "a metric needs, all const: size_t state_size("),
    ("metric", " ".join([VALUES, ROW_SIZE.replace("size_t", "double"), ROWS, FINISH_ROWS]), f"row_size {OTHER}"),
    ("metric", " ".join([VALUES, ROW_SIZE, ROWS.replace("RowsOut&", "RowsOut"), FINISH_ROWS]), f"update_rows {LOST}"),
    ("metric", " ".join([VALUES, ROW_SIZE, ROWS.replace(" const {}", " {}"), FINISH_ROWS]),
     "update_rows is not: void update_rows("),
    ("metric", " ".join([VALUES, ROW_SIZE, ROWS, FINISH_ROWS.replace("RowsIn, std::span<double>",
                         "RowsIn, std::span<const double>")]), f"finish_rows {LOST}"),
    ("metric", " ".join([VALUES, ROW_SIZE, ROWS, FINISH_ROWS.replace("RowsIn, ", "")]),
     "finish_rows is not: void finish_rows("),
    ("reducer", "double weight(const ShardResult&) const { return 0.5; }", f"weight {OTHER}; wanted: int weight("),
    ("reducer", "void combine(Context&, std::span<const float* const>, In) const {}", f"combine {LOST}"),
    ("reducer", "int64_t weight(const ShardResult&) const { return 1; }", None),
    ("reducer", COMBINE_WHOLE.replace(" const {}", " {}"), "a reducer needs one of: int weight"),
    ("reducer", COMBINE_WHOLE.replace("void", "bool").replace("{}", "{ return true; }"), f"combine_whole {OTHER}"),
    ("reducer", COMBINE_WHOLE.replace("Context&, ", ""), "a reducer needs one of: int weight"),
    ("schedule", "int value(const ScheduleCall&) const { return 1; }", f"value {OTHER}"),
    ("schedule", "float value(const ScheduleCall&) const { return 1; }", None),
    ("schedule", "bool stop(const ScheduleCall&) const { return true; }", None),
    ("schedule", "double value(const ScheduleCall&) { return 1; } bool stop(const ScheduleCall&) const { return 1; }",
     "a schedule needs: double value(const ScheduleCall& call) const, or bool stop("),
    ("schedule", "const char* monitor() const { return \"\"; }", "a schedule needs: double value("),
    ("source", PARTS["source"].replace("SampleCall&", "SampleCall"), f"read {LOST}"),
    ("pretrainer", "int next_stage(const Network&, int, StageBuilder&) const { return 0; }", f"next_stage {OTHER}"),
    ("pretrainer", "void next_stage(Network, int64_t, StageBuilder) const {}", None),
    ("optimizer", "bool step(Context&, const OptimizerCall&) const { return true; }", f"step {OTHER}"),
    ("task", MAP, "a task needs, public: static constexpr Value emits = Value::kI64"),
    ("task", f"Value emits = Value::kI64; {MAP}", "a task needs, public: static constexpr Value emits"),
    ("task", f"static constexpr int emits = 2; {MAP}", "a task needs, public: static constexpr Value emits"),
    ("task", f"private: {EMITS} public: {MAP}", "a task needs, public: static constexpr Value emits"),
    ("task", f"{EMITS} {MAP.replace(' const {}', ' {}')}", "a task needs: void map(Context& c, const Records& records"),
    ("task", f"{EMITS} {MAP.replace('Emitter&', 'Emitter')}", f"map {LOST}"),
    ("task", f"{EMITS} {MAP.replace('Emitter&', 'const Emitter&')}", f"map {LOST}"),
    ("task", f"{EMITS} bool map(Context&, const Records&, Emitter&) const {{ return true; }}", f"map {OTHER}"),
    ("task", f"{EMITS} void map(Context&, auto, auto&) const {{}}", None),
    ("task", f"{ARRAYS} {FILL.replace(' const {}', ' {}')}", "a task of arrays needs: void map("),
    ("task", f"{ARRAYS} {FILL.replace('Accumulated&', 'Accumulated')}", f"map {LOST}"),
    ("task", f"{ARRAYS} {FILL.replace('Accumulated&', 'const Accumulated&')}", f"map {LOST}"),
    ("task", f"{ARRAYS} bool map(Context&, const Records&, Accumulated&) const {{ return true; }}", f"map {OTHER}"),
    ("task", FILL, "a task of arrays needs: void infer(const Parts& parts, Accumulators& a) const"),
    ("task", f"void infer(const Parts&) const {{}} {FILL}", "a task of arrays needs: void infer(const Parts& parts, "),
    ("task", f"void infer(const Parts&, Accumulators&) {{}} {FILL}", "a task of arrays needs: void infer("),
    ("task", f"void infer(const Parts&, Accumulators) const {{}} {FILL}", f"infer {LOST}"),
    ("task", f"bool infer(const Parts&, Accumulators&) const {{ return true; }} {FILL}", f"infer {OTHER}"),
    ("combiner", f"{BEGIN} {FOLD}", "a combiner needs, all const: Folded infer(Value in)"),
    ("combiner", f"Value infer(Value in) const {{ return in; }} {BEGIN} {FOLD}", "a combiner needs, all const: Folded"),
    ("combiner", f"{FOLDED} {BEGIN.replace(' const {}', ' {}')} {FOLD}", "a combiner needs, all const: Folded"),
    ("combiner", f"{FOLDED} {BEGIN} void fold(std::span<std::byte>, std::span<std::byte>) const {{}}",
     "a combiner needs, all const: Folded"),
    ("combiner", f"{FOLDED} {BEGIN} void fold(std::span<const std::byte>, std::span<const std::byte>) const {{}}",
     f"fold {LOST}"),
    ("combiner", f"{FOLDED} void begin(std::string_view, std::span<const std::byte>) const {{}} {FOLD}",
     f"begin {LOST}"),
    ("combiner", f"{FOLDED} {BEGIN} bool fold(std::span<std::byte>, std::span<const std::byte>) const {{ return 1; }}",
     f"fold {OTHER}"),
    ("reducer", f"{KIND_OUT} {REDUCE.replace('Values&', 'Values')}", f"reduce {LOST}"),
    ("reducer", f"{KIND_OUT} {REDUCE.replace('Emitter&', 'Emitter')}", f"reduce {LOST}"),
    ("reducer", f"{KIND_OUT} {REDUCE.replace(' const {}', ' {}')}", "a reducer needs one of: int weight"),
    ("reducer", f"int infer(Value) const {{ return 1; }} {REDUCE}", "a reducer needs one of: int weight"),
    ("reducer", f"{KIND_OUT} int reduce(Context&, std::string_view, Values&, Emitter&) const {{ return 1; }}",
     f"reduce {OTHER}"),
]
# what a Kernel has beside its parts, what stands in the struct around it
NESTED = [
    ("layer", "", "", None),
    ("layer", "private: void validate() const {}", "", None),
    ("layer", "void needs(const LayerRequest&, LayerNeeds&) const {}", "", "needs in a Kernel is never called"),
    ("layer", "void infer(LayerShapes&) const {}", "", "infer in a Kernel is never called"),
    ("layer", "void validate() const {}", "", "validate in a Kernel is never called"),
    ("layer", "static void examples(Examples&) {}", "", "examples in a Kernel is never called"),
    ("layer", "void open(Context&) {}", "", "open is never called"),
    ("layer", "static constexpr uint32_t min_inputs = 2;", "", "min_inputs and max_inputs in a Kernel are never read"),
    ("layer", "", "void needs(const LayerRequest&, LayerNeeds&) const {}",
     "says its needs in the Kernel's constructor"),
    ("layer", "private: void prepare(Context&, const LayerCall&) const {}", "", "prepare is not: void prepare("),
    ("loss", "", "void check(const LossShapes&) const {}", None),
    ("loss", "void check(const LossShapes&) const {}", "", "check in a Kernel is never called"),
    ("loss", "uint64_t workspace_bytes(const LossShapes&) const { return 8; }", "", "workspace_bytes is not called of"),
    ("loss", "", "uint64_t workspace_bytes(const LossShapes&) const { return 8; }", "workspace_bytes is not called of"),
]
FINAL = "a plugin's struct is not final"
TOGETHER = 20  # cases in a source
MOST_LINES = 60  # about one mistake
CASE = re.compile(r"\bcase(\d+):\d")


def struct(kind, body, final=""):
    made = {"calls": "layer", "keys": "reducer", "whole": "reducer", "arrays": "task", "rows": "metric"}.get(kind, kind)
    return (f'struct T{final} {{ {body} public: static void describe(Describe<T>& d) {{ d.doc("x"); }} }};\n'
            f'auto made = {made}<T>("h.x");\n')


def all_cases():
    """Pairs of a source and what the first error says: None, where it compiles."""
    cases = [(struct(kind, f"{PARTS[kind]} {beside}"), words) for kind, beside, words in BESIDE]
    cases += [(struct(kind, body), words) for kind, body, words in WHOLE]
    for kind, inside, around, words in NESTED:
        parts, infer = (KERNEL, "void infer(LayerShapes&) const {}") if kind == "layer" else (LOSS_KERNEL, "")
        cases.append((struct(kind, f"{infer} {around} struct Kernel {{ {parts} {inside} }};"), words))
    cases += [(struct(kind, parts), None) for kind, parts in PARTS.items()]
    cases += [(struct(kind, parts, " final"), FINAL) for kind, parts in PARTS.items()]
    kernel = f"void infer(LayerShapes&) const {{}} struct Kernel final {{ {KERNEL} }};"
    return cases + [(struct("layer", kernel), "a Kernel is a struct that is not final")]


def compile_source(command, source):
    """Status and lines of the compiler."""
    done = subprocess.run([*command, "-x", "c++", "-"], input=source, text=True, env=os.environ | {"LC_ALL": "C"},
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout.splitlines()


def is_as_announced(fails, lines, words):
    """Of one case: whether it fails, and the lines about it."""
    first = next((line for line in lines if "error:" in line), "")
    return not fails if words is None else fails and words in first and len(lines) <= MOST_LINES


def what_is_wrong(command, source, words):
    """"" where the compiler does as announced."""
    status, lines = compile_source(command, source)
    good = is_as_announced(status != 0, lines, words)
    return "" if good else "\n".join([f"{source}wanted: {words or 'compiles'}", *lines, ""])


def told_of_each(lines, count, is_clang):
    """What a compiler says of each of `count` cases, from its first error on. g++ says whose an instantiation is before the
    error, clang++ after it, and neither says it twice in a row."""
    said, owner = [[] for _ in range(count)], 0
    errors = [n for n, line in enumerate(lines) if "error:" in line]
    for begin, end in zip(errors, errors[1:] + [len(lines)]):
        places = [CASE.search(line) for line in (lines[begin:end] if is_clang else reversed(lines[:begin + 1]))]
        owner = next((int(place[1]) for place in places if place), owner)
        said[owner] += lines[begin:end]
    return said


def wrong_of(command, cases):
    """What is wrong with several cases, tried together: a list of texts."""
    together = "".join(f'namespace c{n} {{\n#line 1 "case{n}"\n{source}}}\n' for n, (source, _) in enumerate(cases))
    is_clang = "clang" in command[0]
    status, lines = compile_source(command + ["-ferror-limit=0"] * is_clang, together)
    if all(words is None for _, words in cases):
        good = [status == 0] * len(cases)
    else:
        said = told_of_each(lines, len(cases), is_clang)
        good = [is_as_announced(told != [], told, words) for told, (_, words) in zip(said, cases)]
    return ["" if fine else what_is_wrong(command, *case) for fine, case in zip(good, cases)]


def batches(cases):
    """Those that compile, and those that do not, apart: where all shall compile the status says it."""
    for wanted in (True, False):
        kind = [case for case in cases if (case[1] is None) == wanted]
        yield from (kind[at:at + TOGETHER] for at in range(0, len(kind), TOGETHER))


def main():
    failures, cases = 0, all_cases()
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(2) as pool:
        for compiler in compilers():
            command = precompiled(compiler, pathlib.Path(folder) / compiler, HEADERS)
            for wrong in pool.map(lambda batch: wrong_of(command, batch), batches(cases)):
                failures += len(list(filter(None, wrong)))
                for text in filter(None, wrong):
                    print(f"FAILED: {compiler}: {text}", flush=True)
    print(f"hook errors: {len(cases)} cases, {', '.join(compilers())}, {failures} failures")
    return 1 if failures or not compilers() else 0


if __name__ == "__main__":
    sys.exit(main())
