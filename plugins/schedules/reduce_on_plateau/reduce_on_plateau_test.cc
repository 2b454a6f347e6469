#include <doctest/doctest.h>
#include <plait/sdk/testing_plugin.hpp>

#include <cmath>

using namespace plait::sdk::testing;

namespace {

struct Schedule {
  TestHost host;
  Made<plait_schedule_ops> made;
  explicit Schedule(const Settings& settings) : made(host, linked("plait.reduce_on_plateau"), settings) {}
  // After validations with these values.
  double after(const std::vector<double>& values, bool higher_is_better = false, double base = 0.8) {
    std::vector<plait_evaluation> evaluations;
    for (const double value : values)
      evaluations.push_back({sizeof(plait_evaluation), higher_is_better ? 1u : 0u, "loss",
                             static_cast<int64_t>(evaluations.size()), value});
    std::vector<const plait_evaluation*> pointers;
    for (const plait_evaluation& one : evaluations) pointers.push_back(&one);
    plait_schedule_call call{};
    call.struct_size = sizeof call;
    call.base = base, call.step = 50, call.total_steps = 100, call.steps_per_epoch = 10;
    call.n_evaluations = static_cast<uint32_t>(pointers.size());
    call.evaluations = pointers.data();
    double result = 0;
    host.check(made.ops().value(made.self(), host.context(), &call, &result));
    return result;
  }
};

Settings settings() { return Settings(linked("plait.reduce_on_plateau")).set("factor", 0.5); }

TEST_CASE("falls after `patience` validations in a row that are not better than the best") {
  Schedule schedule(settings().set("patience", 2));
  CHECK(schedule.after({}) == 0.8);
  CHECK(schedule.after({1}) == 0.8);
  CHECK(schedule.after({1, 1}) == 0.8);     // as good is no improvement
  CHECK(schedule.after({1, 2, 1}) == 0.4);  // better than the one before, not than the best
  CHECK(schedule.after({1, 2, 0.9, 1}) == 0.8);
  CHECK(schedule.after({1, 2, 2, 2, 2}) == 0.2);
  CHECK(schedule.after({1, 2, 2, 0.5, 2, 2}) == 0.2);
}

TEST_CASE("higher values may be the better ones") {
  Schedule schedule(settings().set("patience", 1));
  CHECK(schedule.after({1, 2, 3}, true) == 0.8);
  CHECK(schedule.after({1, 2, 3}, false) == 0.2);
  CHECK(schedule.after({3, 2, 1}, true) == 0.2);
}

TEST_CASE("an improvement below `min_change` is none, and one of just as much is one") {
  Schedule schedule(settings().set("patience", 1).set("min_change", 0.25));
  CHECK(schedule.after({1, 0.875}) == 0.4);
  CHECK(schedule.after({1, 0.75}) == 0.8);
  CHECK(schedule.after({1, 0.875, 0.75}) == 0.4);  // by 0.25 better than the best, which is 1
}

TEST_CASE("validations of the cool-down do not count, but may be the best") {
  Schedule schedule(settings().set("patience", 1).set("cool_down", 2));
  CHECK(schedule.after({1, 2, 2, 2}) == 0.4);
  CHECK(schedule.after({1, 2, 2, 2, 2}) == 0.2);
  CHECK(schedule.after({1, 2, 0.1, 2, 0.5}) == 0.2);
}

TEST_CASE("does not fall below the least value, and does not rise to it") {
  Schedule schedule(settings().set("patience", 1).set("least", 0.3));
  CHECK(schedule.after({1, 2}) == 0.4);
  CHECK(schedule.after({1, 2, 2}) == 0.3);
  CHECK(schedule.after({1, 2, 2}, false, 0.1) == 0.1);
}

TEST_CASE("a value that is no number is no improvement, and hinders none") {
  Schedule schedule(settings().set("patience", 2));
  CHECK(schedule.after({NAN, NAN}) == 0.4);
  CHECK(schedule.after({NAN, 1, 2, NAN}) == 0.4);
  CHECK(schedule.after({NAN, 1, NAN, 0.5}) == 0.8);
}

TEST_CASE("monitors what the file says, by default what picks the best weights") {
  CHECK(std::string(Schedule(settings()).made.ops().monitor(Schedule(settings()).made.self())) == "");
  Schedule schedule(settings().set("monitor", "loss"));
  CHECK(std::string(schedule.made.ops().monitor(schedule.made.self())) == "loss");
  CHECK((schedule.made.ops().stop == nullptr));
  CHECK(schedule.made.ops().ignores_total(schedule.made.self()) != 0);
}

}  // namespace
