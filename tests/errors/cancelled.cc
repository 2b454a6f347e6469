// For cancelled_test.py: a plugin of each kind that goes on until the run is to stop, and says that it has
// heard of it.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <plait/sdk.hpp>
#include <string>
#include <thread>

using namespace plait::sdk;

namespace {

// Makes the file `started`, then asks and asks.
void go_on(Context& c, const std::string& started, const char* what) {
  if (FILE* file = std::fopen(started.c_str(), "w")) std::fclose(file);
  while (!c.cancelled()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  if (FILE* file = std::fopen((started + ".heard").c_str(), "w")) std::fclose(file);
  c.log(LogLevel::kWarning, what, " has heard of it");
  c.stop_if_cancelled();
}

struct Source {
  std::string started, where = "nowhere";
  int64_t fails = -1;

  static void describe(Describe<Source>& d) {
    d.doc("x f32 [4], label i32 []");
    d.field("started", &Source::started).doc("file");
    d.field("where", &Source::where).doc("place").choices({"open", "count", "read", "nowhere"});
    d.field("fails", &Source::fails).doc("rank that fails once another goes on; -1: none");
  }
  void open(Context& c) {
    if (where == "open") go_on(c, started, "open");
  }
  int64_t count_up_to(Context& c, int64_t most) const {
    if (where == "count") go_on(c, started, "count");
    return std::min<int64_t>(most, 64);
  }
  SourceInfo info() const {
    SourceInfo info;
    info.count = -1;
    info.parts.add("x", DType::f32, {4});
    info.parts.add("label", DType::i32, {});
    info.n_classes = 2;
    return info;
  }
  void read(Context& c, int64_t index, SampleCall& call) const {
    const char* const rank = std::getenv("OMPI_COMM_WORLD_RANK");
    if (rank != nullptr && std::to_string(fails) == rank) fail_behind(c);
    if (where == "read" && index > 40) go_on(c, started, "read");
    const auto x = call.output("x").f32();
    for (size_t i = 0; i < 4; ++i)
      x[i] = static_cast<float>((index * 7 + static_cast<int64_t>(i) * 3) % 11) / 11;
    call.output("label").data<int32_t>()[0] = static_cast<int32_t>(index % 2);
  }

 private:
  void fail_behind(Context& c) const {
    while (!std::ifstream(started))
      std::this_thread::sleep_for(std::chrono::milliseconds(1)), c.stop_if_cancelled();
    throw Error("asked to fail");
  }
};

struct Augmenter {
  std::string started, where = "apply";

  static void describe(Describe<Augmenter>& d) {
    d.doc("x as it is");
    d.field("started", &Augmenter::started).doc("file");
    d.field("where", &Augmenter::where).doc("place").choices({"open", "apply", "batch", "fit"});
  }
  void open(Context& c) {
    if (where == "open") go_on(c, started, "open");
  }
  void apply(Context& c, SampleCall&) const {
    if (where == "apply") go_on(c, started, "apply");
  }
  void apply_batch(Context& c, SampleCall&) const {
    if (where == "batch") go_on(c, started, "apply_batch");
  }
  size_t fit_size(const Parts&) const { return where == "fit" ? 1 : 0; }
  void fit_observe(Context& c, SampleCall&, std::span<double>) const {
    if (where == "fit") go_on(c, started, "fit_observe");
  }
};

struct Metric {
  static constexpr MetricValue values[] = {{"never", MetricValue::kHigher, "nothing"}};
  std::string started;

  static void describe(Describe<Metric>& d) {
    d.doc("nothing");
    d.field("started", &Metric::started).doc("file");
  }
  size_t state_size(Spec, Spec) const { return 1; }
  void update(Context& c, Tensor, Tensor, std::span<double>) const { go_on(c, started, "update"); }
  void finish(std::span<const double>, std::span<double> results) const { results[0] = 0; }
};

struct Pretrainer {
  std::string started;

  static void describe(Describe<Pretrainer>& d) {
    d.doc("no stage");
    d.field("started", &Pretrainer::started).doc("file");
  }
  void next_stage(Context& c, const Network&, int, StageBuilder&) const { go_on(c, started, "next_stage"); }
};

struct Task {
  std::string started, where = "map";

  static void describe(Describe<Task>& d) {
    d.doc("how many records there are");
    d.field("started", &Task::started).doc("file");
    d.field("where", &Task::where).doc("place").choices({"open", "map", "finish"});
  }
  void open(Context& c) {
    if (where == "open") go_on(c, started, "open");
  }
  void infer(const Parts&, Accumulators& a) const {
    a.count("records");
    a.output("all", DType::i64);
  }
  void map(Context& c, const Records& records, Accumulated& out) const {
    if (where == "map") go_on(c, started, "map");
    out.data<int64_t>("records")[0] += static_cast<int64_t>(records.size());
  }
  bool finish(Context& c, Pass&) const {
    if (where == "finish") go_on(c, started, "finish");
    return false;
  }
};

}  // namespace

PLAIT_PLUGIN("test.cancelled", "1.0.0", "Apache-2.0", source<Source>("test.goes_on_reading"),
             augmenter<Augmenter>("test.goes_on_changing"), metric<Metric>("test.goes_on_measuring"),
             pretrainer<Pretrainer>("test.goes_on_building"), task<Task>("test.goes_on_mapping"));
