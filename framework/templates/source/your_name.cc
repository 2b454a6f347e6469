// A source: points of two spirals that wind around each other, made from their number alone.
// Source: Lang, Witbrock 1988, "Learning to tell two spirals apart".
#include <plait/sdk.hpp>

#include <cmath>

using namespace plait::sdk;

namespace your_vendor {

struct YourName {
  int64_t count = 2000, seed = 1;
  double noise = 0.02;

  static void describe(Describe<YourName>& d) {
    d.doc("points of two spirals");
    d.details("Parts: point f32 [2], label i32 [].");
    d.field("count", &YourName::count).doc("records").range(1, 1e9);
    d.field("seed", &YourName::seed).doc("other numbers give other points").range(0, 1e9);
    d.field("noise", &YourName::noise).doc("deviation of a point from its spiral").range(0, 1);
  }

  void open(Context&) {}  // files are opened and checked here

  SourceInfo info() const {
    SourceInfo info;
    info.count = count;
    info.parts.add("point", DType::f32, {2});
    info.parts.add("label", DType::i32, {});
    info.classes = {"one", "other"};
    return info;
  }

  void read(Context&, int64_t index, SampleCall& call) const {
    Random random(static_cast<uint64_t>(seed), static_cast<uint64_t>(index));
    const auto label = static_cast<int32_t>(index % 2);
    const double radius = random.uniform(0.1, 1), angle = 3.14159265 * (2 * radius + label);
    const Out point = call.output("point").f32();
    point[0] = static_cast<float>(radius * std::cos(angle) + random.normal(0, noise));
    point[1] = static_cast<float>(radius * std::sin(angle) + random.normal(0, noise));
    call.output("label").data<int32_t>()[0] = label;
  }
};

}  // namespace your_vendor

PLAIT_PLUGIN("your_vendor.your_name", "1.0.0", "Apache-2.0",
             source<your_vendor::YourName>("your_vendor.your_name"));
