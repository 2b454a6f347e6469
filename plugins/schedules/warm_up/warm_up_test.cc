#include <doctest/doctest.h>
#include <plait/sdk.hpp>
#include <plait/sdk/testing_plugin.hpp>

#include <cmath>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

// Tells what it is asked: base + step + 1000 total + 1000000 validations.
struct Tells {
  std::string value_name = "loss";
  static void describe(Describe<Tells>& d) { d.doc("what it is asked"); }
  const char* monitor() const { return value_name.c_str(); }
  double value(const ScheduleCall& call) const {
    return call.base + static_cast<double>(call.step) + 1e3 * static_cast<double>(call.total_steps) +
           1e6 * static_cast<double>(call.evaluations.size());
  }
  bool ignores_total() const { return false; }
};

struct Inner {
  TestHost host;
  Entry entry = schedule<Tells>("acme.tells");
  plait_child child{};
  Inner() {
    const auto& ops = *static_cast<const plait_schedule_ops*>(entry.implementation.ops);
    child.struct_size = sizeof child;
    child.id = "acme.tells";
    child.ops = &ops;
    host.check(ops.create(host.context(), Settings(entry).c(), &child.self));
  }
  ~Inner() { static_cast<const plait_schedule_ops*>(child.ops)->destroy(child.self); }
};

struct Outer {
  TestHost host;
  Made<plait_schedule_ops> made;
  explicit Outer(const Settings& settings) : made(host, linked("plait.warm_up"), settings) {}
  // With validations after steps 10, 20, ...
  double at(int64_t step, uint32_t validations = 0, double steps_per_epoch = 10) {
    std::vector<plait_evaluation> evaluations;
    for (uint32_t i = 1; i <= validations; ++i)
      evaluations.push_back({sizeof(plait_evaluation), 0, "loss", int64_t{10} * i, 0.5});
    std::vector<const plait_evaluation*> pointers;
    for (const plait_evaluation& one : evaluations) pointers.push_back(&one);
    const plait_schedule_call call{sizeof call,     0,           0.5, step,           100,
                                   steps_per_epoch, validations, 0,   pointers.data()};
    double value = 0;
    host.check(made.ops().value(made.self(), host.context(), &call, &value));
    return value;
  }
};

Settings settings() { return Settings(linked("plait.warm_up")); }

TEST_CASE("by hand: a line over two epochs, then the base") {
  Outer alone(settings().set("epochs", 2).set("start", 0.5));
  CHECK(alone.at(0) == 0.5 * (0.5 + 0.5 / 20));
  CHECK(alone.at(9) == 0.375);
  CHECK(alone.at(19) == 0.5);
  CHECK(alone.at(20) == 0.5);
  CHECK(alone.at(1000) == 0.5);
  CHECK(alone.made.ops().ignores_total(alone.made.self()) != 0);
  CHECK((alone.made.ops().monitor(alone.made.self()) == nullptr));
}

TEST_CASE("what comes after it knows nothing of what was before") {
  Inner inner;
  Outer outer(settings().set("epochs", 2).set("then", static_cast<const plait_child*>(&inner.child)));
  CHECK(outer.at(9) == 0.25);
  CHECK(outer.at(20) == 0.5 + 0 + 80e3);
  CHECK(outer.at(50) == 0.5 + 30 + 80e3);
  CHECK(outer.at(50, 4) == 0.5 + 30 + 80e3 + 2e6);  // those after steps 30 and 40
  CHECK(outer.made.ops().ignores_total(outer.made.self()) == 0);
  CHECK(std::string(outer.made.ops().monitor(outer.made.self())) == "loss");
}

struct Ends {
  static void describe(Describe<Ends>& d) { d.doc("never"); }
  bool stop(const ScheduleCall&) const { return false; }
};

TEST_CASE("what may end training is refused after it, where it would not be asked") {
  const Entry ends = schedule<Ends>("acme.ends");
  plait_child child{};
  child.struct_size = sizeof child;
  child.id = "acme.ends";
  child.ops = ends.implementation.ops;
  CHECK_THROWS_WITH(
      Outer(settings().set("then", static_cast<const plait_child*>(&child))),
      "then: acme.ends may end training, wanted a schedule that does not: it has a block of its own");
}

TEST_CASE("a warm-up of nothing, or longer than the training") {
  Inner inner;
  Outer none(settings().set("epochs", 0).set("then", static_cast<const plait_child*>(&inner.child)));
  CHECK(none.at(0) == 0.5 + 100e3);
  Outer long_one(settings().set("epochs", 1e9));
  CHECK(long_one.at(4, 0, 1e12) == doctest::Approx(0.5 * 5 / 0x1p62));
  CHECK(Outer(settings().set("epochs", 20)).at(99) == 0.25);
}

}  // namespace
