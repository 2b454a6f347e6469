#include <doctest/doctest.h>
#include <plait/sdk/augmenter.hpp>
#include <plait/sdk/testing_children.hpp>

#include <map>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

// Writes its digit behind those that are there.
struct Digit {
  int64_t number = 0;
  static void describe(Describe<Digit>& d) {
    d.doc("for the test");
    d.field("number", &Digit::number).doc("written");
  }
  void apply(Context&, SampleCall& call) const {
    const auto [in, out] = call.part("x");
    out.data<int64_t>()[0] = 10 * in.data<int64_t>()[0] + number;
  }
};

struct Test {
  TestHost host;
  Entry digit = augmenter<Digit>("test.digit");
  Entry entry = linked("plait.random_order");
  Settings settings{entry};
  std::deque<TestChild> children;

  Test() {
    for (int64_t number = 1; number <= 4; ++number) {
      TestChild& made = children.emplace_back(host, digit, Settings(digit).set("number", number));
      settings.add("augmenter", &made.child);
    }
  }
  std::map<int64_t, int> made(int samples) {
    AugmenterTest test(host, entry, settings, {{"x", DType::i64, {1}}});
    test.sample.inputs[0].data<int64_t>()[0] = 0;
    std::map<int64_t, int> seen;
    for (int sample = 0; sample < samples; ++sample) {
      test.sample.rng = {5, static_cast<uint64_t>(sample)};
      test.apply();
      ++seen[test.sample.outputs[0].data<int64_t>()[0]];
    }
    return seen;
  }
};

TEST_CASE("all orders are as likely") {
  Test test;
  const auto seen = test.made(12000);
  CHECK(seen.size() == 24);
  for (const auto& [order, count] : seen) CHECK(std::abs(count - 500) < 5 * 21.9);  // sqrt(12000 * 23 / 576)
}

TEST_CASE("all or none") {
  Test test;
  test.settings.set("p", 0.5);
  const auto seen = test.made(4000);
  CHECK(std::abs(seen.at(0) - 2000) < 5 * 31.7);  // sqrt(4000 / 4)
}

}  // namespace
