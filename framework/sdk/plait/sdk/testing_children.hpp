// Augmenters inside of the one that is tried. See testing.hpp.
#pragma once
#include <deque>
#include <map>
#include <utility>

#include "augmenter.hpp"
#include "testing_plugin.hpp"

namespace plait::sdk::testing {

// A made child, as the host would give it: Settings(entry).add("augmenter", &one.child).
struct TestChild {
  Entry entry;
  Settings settings;
  plait_child child{};

  TestChild(TestHost& host, const Entry& e, Settings s) : entry(e), settings(std::move(s)) {
    const auto& ops = *static_cast<const plait_augmenter_ops*>(entry.implementation.ops);
    child.struct_size = sizeof child;
    child.kind = "augmenter";
    child.id = entry.type.id;
    child.ops = &ops;
    child.rules = entry.type.rules;
    child.config = settings.c();
    child.flags = entry.type.flags;
    host.check(ops.create(host.context(), child.config, 0, nullptr, &child.self));
  }
  ~TestChild() { static_cast<const plait_augmenter_ops*>(child.ops)->destroy(child.self); }
  TestChild(const TestChild&) = delete;
  TestChild& operator=(const TestChild&) = delete;
};

// Writes its digit behind those that are there.
struct TestDigit {
  int64_t number = 0;
  static void describe(Describe<TestDigit>& d) {
    d.doc("for the test");
    d.field("number", &TestDigit::number).doc("written");
  }
  void apply(Context&, SampleCall& call) const {
    const auto [in, out] = call.part("x");
    out.data<int64_t>()[0] = 10 * in.data<int64_t>()[0] + number;
  }
};

// An augmenter that holds four, which write 1 to 4: what it makes tells which were at work, and in which
// order.
struct DigitsTest {
  TestHost host;
  Entry digit = augmenter<TestDigit>("test.digit");
  Entry entry;
  Settings settings;
  std::deque<TestChild> children;

  explicit DigitsTest(const Entry& holder) : entry(holder), settings(holder) {
    for (int64_t number = 1; number <= 4; ++number) {
      TestChild& made = children.emplace_back(host, digit, Settings(digit).set("number", number));
      settings.add("augmenter", &made.child);
    }
  }
  // How often each number came out.
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

}  // namespace plait::sdk::testing
