#include <doctest/doctest.h>
#include <plait/sdk/augmenter.hpp>
#include <plait/sdk/testing_children.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

// Writes its number, and a random one.
struct Mark {
  int64_t number = 0;
  static void describe(Describe<Mark>& d) {
    d.doc("for the test");
    d.field("number", &Mark::number).doc("written");
  }
  void apply(Context&, SampleCall& call) const {
    const auto out = call.output("x").data<int64_t>();
    out[0] = number;
    out[1] = call.random().next();
  }
};

// Makes other parts than Mark.
struct Grow {
  static void describe(Describe<Grow>& d) { d.doc("for the test"); }
  void infer(Parts& parts) const { parts.part("x").shape[0] = 3; }
  void apply(Context&, SampleCall& call) const { call.output("x"); }
};

// Knows of two axes that vary.
struct Still {
  static constexpr bool two_axes = true;
  static void describe(Describe<Still>& d) { d.doc("for the test"); }
  void apply(Context&, SampleCall&) const {}
};

struct Test {
  TestHost host;
  Entry mark = augmenter<Mark>("test.mark"), grow = augmenter<Grow>("test.grow");
  TestChild first{host, mark, Settings(mark).set("number", 1)},
      second{host, mark, Settings(mark).set("number", 2)}, third{host, grow, Settings(grow)};
  Entry entry = linked("plait.one_of");
  Settings settings{entry};
  std::optional<AugmenterTest> augmenter_test;

  Test& both() {
    settings.add("augmenter", &first.child).add("augmenter", &second.child);
    return *this;
  }
  Test& make() {
    augmenter_test.emplace(host, entry, settings, std::vector<PartSpec>{{"x", DType::i64, {2}}});
    return *this;
  }
  std::vector<int64_t> apply(uint64_t sample) {
    AugmenterTest& test = *augmenter_test;
    test.sample.inputs[0].data<int64_t>()[0] = 0;
    test.sample.rng = {5, sample};
    test.apply();
    return {test.sample.outputs[0].data<int64_t>().begin(), test.sample.outputs[0].data<int64_t>().end()};
  }
  int share(int64_t number) {
    int count = 0;
    for (uint64_t sample = 0; sample < 4000; ++sample) count += apply(sample)[0] == number;
    return count;
  }
};

// Five deviations of the count, sqrt(4000 p (1 - p)), for p = 1/2 and 1/4.
constexpr double kHalf = 5 * 31.7, kQuarter = 5 * 27.4;

TEST_CASE("without weights all come alike") {
  Test test;
  test.both().make();
  CHECK(std::abs(test.share(1) - 2000) < kHalf);
  CHECK(std::abs(test.share(2) - 2000) < kHalf);
}

TEST_CASE("weights, and a chance of none at all") {
  Test test;
  test.settings.set("weight", 1.0).add("weight", 3.0);
  test.both().make();
  CHECK(std::abs(test.share(1) - 1000) < kQuarter);
  Test seldom;
  seldom.settings.set("weight", 0.0).add("weight", 3.0).set("p", 0.25);
  seldom.both().make();
  CHECK(seldom.share(1) == 0);
  CHECK(std::abs(seldom.share(2) - 1000) < kQuarter);
  CHECK(std::abs(seldom.share(0) - 3000) < kQuarter);
}

TEST_CASE("a sample's choice and its child's numbers are its own") {
  Test test;
  test.both().make();
  const auto expected = test.apply(17);
  test.apply(3), test.apply(4);
  CHECK(test.apply(17) == expected);
  CHECK(test.apply(18)[1] != expected[1]);
}

TEST_CASE("what cannot be chosen from is refused") {
  CHECK_THROWS_WITH(Test().make(), "one_of has no augmenter to choose from");
  Test weights;
  weights.settings.set("weight", 1.0);
  CHECK_THROWS_WITH(weights.both().make(), "one_of has 1 weights for 2 augmenters");
  Test zeros;
  zeros.settings.set("weight", 0.0).add("weight", 0.0);
  CHECK_THROWS_WITH(zeros.both().make(), "the weights of one_of are all 0");
  Test different;
  different.settings.add("augmenter", &different.first.child).add("augmenter", &different.third.child);
  CHECK_THROWS_WITH(different.make(),
                    "test.mark and test.grow make different parts: one of them cannot stand for the other");
  Test changing;
  changing.settings.add("augmenter", &changing.third.child).set("p", 0.5);
  CHECK_THROWS_WITH(changing.make(), "test.grow changes the kind of a part: p must be 1, got 0.5");
}

TEST_CASE("images of any size are for those augmenters that know of two axes") {
  TestHost host;
  const Entry mark = augmenter<Mark>("test.mark"), still = augmenter<Still>("test.still");
  const Entry entry = linked("plait.one_of");
  TestChild knows(host, still, Settings(still)), does_not(host, mark, Settings(mark).set("number", 1));
  PartSpec image{"x", DType::i64, {3, 4, 1}};
  image.variable_axis = 0, image.second_axis = 1;
  AugmenterTest(host, entry, Settings(entry).add("augmenter", &knows.child).set("p", 0.5), {image});
  CHECK_THROWS_WITH(
      AugmenterTest(host, entry,
                    Settings(entry).add("augmenter", &knows.child).add("augmenter", &does_not.child),
                    {image}),
      "test.mark knows of one axis that varies, and part \"x\" varies along 0 and 1");
}

}  // namespace
