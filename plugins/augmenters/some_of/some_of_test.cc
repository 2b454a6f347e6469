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
  Entry entry = linked("plait.some_of");
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

TEST_CASE("all pairs are as likely, in the order in which they stand") {
  Test test;
  test.settings.set("low", 2).set("high", 2);
  const auto seen = test.made(6000);
  CHECK(seen.size() == 6);
  for (const int64_t pair : {12, 13, 14, 23, 24, 34})
    CHECK(std::abs(seen.at(pair) - 1000) < 5 * 28.9);  // sqrt(6000 * 5 / 36)
}

TEST_CASE("in the order drawn") {
  Test test;
  test.settings.set("low", 2).set("high", 2).set("in_order", false);
  const auto seen = test.made(6000);
  CHECK(seen.size() == 12);
  for (const auto& [pair, count] : seen) CHECK(std::abs(count - 500) < 5 * 21.4);  // sqrt(6000 * 11 / 144)
}

TEST_CASE("from none to all; how many is drawn first") {
  Test test;
  test.settings.set("low", 0).set("high", 4);
  const auto seen = test.made(5000);
  CHECK(std::abs(seen.at(0) - 1000) < 5 * 28.3);  // sqrt(5000 * 4 / 25)
  CHECK(std::abs(seen.at(1234) - 1000) < 5 * 28.3);
  CHECK(seen.size() == 16);
}

TEST_CASE("more than there are is refused") {
  Test test;
  test.settings.set("high", 5);
  CHECK_THROWS_WITH(test.made(1), "high is 5, and some_of has 4 augmenters to choose from");
  test.settings.set("high", 2).set("low", 3);
  CHECK_THROWS_WITH(test.made(1), "low is 3, above high 2");
}

}  // namespace
