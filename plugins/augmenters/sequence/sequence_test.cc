#include <doctest/doctest.h>
#include <plait/sdk/augmenter.hpp>
#include <plait/sdk/testing_children.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

// Appends its number to a list of any length, [<= N], and does not touch the rest.
struct Append {
  int64_t number = 0;
  static void describe(Describe<Append>& d) {
    d.doc("for the test");
    d.field("number", &Append::number).doc("appended");
  }
  void apply(Context&, SampleCall& call) const {
    const int64_t length = call.extent("x", 0);
    const auto [in, out] = call.part("x");
    std::copy_n(in.data<int64_t>().begin(), length, out.data<int64_t>().begin());
    out.data<int64_t>()[static_cast<size_t>(length)] = number;
    call.set_length("x", length + 1);
  }
};

struct Test {
  TestHost host;
  Entry append = augmenter<Append>("test.append");
  Entry entry = linked("plait.sequence");
  Settings settings{entry};
  std::deque<TestChild> children;

  Test& with(int64_t number) {
    TestChild& made = children.emplace_back(host, append, Settings(append).set("number", number));
    settings.add("augmenter", &made.child);
    return *this;
  }
  std::vector<int64_t> apply(uint64_t sample = 1) {
    AugmenterTest test(host, entry, settings, {{"x", DType::i64, {9}, 0}, {"y", DType::f32, {2}}});
    test.sample.inputs[0].lengths = {1};
    test.sample.inputs[0].data<int64_t>()[0] = 7;
    test.sample.inputs[1].f32()[1] = 0.5;
    test.sample.rng = {3, sample};
    test.apply();
    CHECK(test.sample.outputs[1].f32()[1] == 0.5);
    const auto out = test.sample.outputs[0].data<int64_t>();
    return {out.begin(), out.begin() + test.sample.lengths_out[0]};
  }
};

TEST_CASE("one to four augmenters, each on what the one before made, its extents too") {
  CHECK(Test().with(1).apply() == std::vector<int64_t>{7, 1});
  CHECK(Test().with(1).with(2).apply() == std::vector<int64_t>{7, 1, 2});
  CHECK(Test().with(1).with(2).with(3).apply() == std::vector<int64_t>{7, 1, 2, 3});
  CHECK(Test().with(4).with(3).with(2).with(1).apply() == std::vector<int64_t>{7, 4, 3, 2, 1});
}

TEST_CASE("all or none") {
  Test test;
  test.settings.set("p", 0.25);
  test.with(1).with(2);
  int changed = 0;
  for (uint64_t sample = 0; sample < 1000; ++sample) {
    const std::vector<int64_t> made = test.apply(sample);
    CHECK((made == std::vector<int64_t>{7} || made == std::vector<int64_t>{7, 1, 2}));
    changed += made.size() == 3;
  }
  CHECK(std::abs(changed - 250) < 5 * 13.7);  // sqrt(1000 / 4 * 3 / 4)
}

TEST_CASE("without augmenters it is refused") {
  CHECK_THROWS_WITH(Test().apply(), "sequence has no augmenter");
}

}  // namespace
