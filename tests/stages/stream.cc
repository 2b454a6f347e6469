// For stream_test.py: records in the order in which they come, of a number that nobody knows before.
#include <algorithm>
#include <fstream>
#include <plait/sdk.hpp>

using namespace plait::sdk;

namespace {

struct Stream {
  int64_t records = 100, block = 16;
  bool known = false;
  std::string counted;

  static void describe(Describe<Stream>& d) {
    d.doc("x f32 [4], label i32 []");
    d.field("records", &Stream::records).doc("how many there are; -1: no end").at_least(-1);
    d.field("block", &Stream::block).doc("records that are shuffled together").at_least(1);
    d.field("known", &Stream::known).doc("says how many at once");
    d.field("counted", &Stream::counted)
        .doc("file that gets a line for each count: the most, and what was found");
  }
  static void examples(Examples& e) { e.add("records: 50"); }
  void open(Context&) {}
  SourceInfo info() const {
    SourceInfo info;
    info.count = known ? records : -1;
    info.random_access = false;
    info.block = block;
    info.parts.add("x", DType::f32, {4});
    info.parts.add("label", DType::i32, {});
    info.n_classes = 2;
    return info;
  }
  int64_t count_up_to(Context& c, int64_t most) const {
    int64_t found = 0;
    if (records < 0) found = most;
    while (records >= 0 && found < most && found < records) ++found, c.stop_if_cancelled();
    if (!counted.empty()) std::ofstream(counted, std::ios::app) << most << " " << found << "\n";
    return found;
  }
  void read(Context&, int64_t index, SampleCall& call) const {
    if (records >= 0 && index >= records) throw Error("record ", index, " does not come any more");
    const auto x = call.output("x").f32();
    for (size_t i = 0; i < 4; ++i)
      x[i] = static_cast<float>((index * 7 + static_cast<int64_t>(i) * 3) % 11) / 11;
    call.output("label").data<int32_t>()[0] = static_cast<int32_t>(index * 7 % 11 > 5);
  }
};

}  // namespace

PLAIT_PLUGIN("test.stream", "1.0.0", "Apache-2.0", source<Stream>("test.stream"));
