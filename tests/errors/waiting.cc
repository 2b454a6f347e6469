// A source that waits for a file: for the tests of runs that are to stop meanwhile.
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <plait/sdk.hpp>

using namespace plait::sdk;

namespace {

struct Waiting {
  std::string where = "read", started, go;
  int64_t after = 0, records = 64;
  bool blocking = false;
  mutable std::atomic<int64_t> reads{0};

  static void describe(Describe<Waiting>& d) {
    d.doc("x f32 [4], label i32 []; waits until there is a file");
    d.field("where", &Waiting::where).doc("place").choices({"open", "read", "nowhere"});
    d.field("after", &Waiting::after).doc("reads that go well").at_least(0);
    d.field("records", &Waiting::records).doc("how many").at_least(1);
    d.field("started", &Waiting::started).doc("file that is made when it begins to wait");
    d.field("go", &Waiting::go).doc("file that is waited for");
    d.field("blocking", &Waiting::blocking).doc("declared to wait");
  }
  void wait() const {
    if (FILE* file = std::fopen(started.c_str(), "w")) std::fclose(file);
    while (::access(go.c_str(), F_OK) != 0) ::usleep(2000);
  }
  void open(Context&) {
    if (where == "open") wait();
  }
  SourceInfo info() const {
    SourceInfo info;
    info.count = records;
    info.parts.add("x", DType::f32, {4});
    info.parts.add("label", DType::i32, {});
    info.n_classes = 2;
    info.blocking = blocking;
    return info;
  }
  void read(Context&, int64_t index, SampleCall& call) const {
    if (where == "read" && ++reads > after) wait();
    const auto x = call.output("x").f32();
    for (size_t i = 0; i < 4; ++i)
      x[i] = static_cast<float>((index * 7 + static_cast<int64_t>(i) * 3) % 11) / 11;
    call.output("label").data<int32_t>()[0] = static_cast<int32_t>(index % 2);
  }
};

}  // namespace

PLAIT_PLUGIN("test.waiting", "1.0.0", "Apache-2.0", source<Waiting>("test.waiting"));
