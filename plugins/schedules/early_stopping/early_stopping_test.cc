#include <doctest/doctest.h>
#include <plait/sdk/testing_plugin.hpp>

#include <cmath>

using namespace plait::sdk::testing;

namespace {

struct Schedule {
  TestHost host;
  Made<plait_schedule_ops> made;
  explicit Schedule(const Settings& settings) : made(host, linked("plait.early_stopping"), settings) {}
  bool stops_after(const std::vector<double>& values, bool higher_is_better = false) {
    std::vector<plait_evaluation> evaluations;
    for (const double value : values)
      evaluations.push_back({sizeof(plait_evaluation), higher_is_better ? 1u : 0u, "loss",
                             static_cast<int64_t>(evaluations.size()), value});
    std::vector<const plait_evaluation*> pointers;
    for (const plait_evaluation& one : evaluations) pointers.push_back(&one);
    plait_schedule_call call{};
    call.struct_size = sizeof call;
    call.base = 0.75, call.step = 50, call.total_steps = 100, call.steps_per_epoch = 10;
    call.n_evaluations = static_cast<uint32_t>(pointers.size());
    call.evaluations = pointers.data();
    int32_t stop = 7;
    host.check(made.ops().stop(made.self(), host.context(), &call, &stop));
    double value = 0;
    host.check(made.ops().value(made.self(), host.context(), &call, &value));
    CHECK(value == 0.75);
    REQUIRE((stop == 0 || stop == 1));
    return stop == 1;
  }
};

Settings settings() { return Settings(linked("plait.early_stopping")); }

TEST_CASE("stops after `patience` validations in a row that are not better than the best") {
  Schedule schedule(settings().set("patience", 2));
  CHECK_FALSE(schedule.stops_after({}));
  CHECK_FALSE(schedule.stops_after({1, 1}));
  CHECK(schedule.stops_after({1, 2, 1}));
  CHECK_FALSE(schedule.stops_after({1, 2, 0.9, 1}));
  CHECK(schedule.stops_after({1, 2, 0.9, 1, 1}));
  CHECK(schedule.stops_after({1, 2, 2, 0.5}));  // also where it was not asked in time
}

TEST_CASE("higher values may be the better ones") {
  Schedule schedule(settings().set("patience", 1));
  CHECK_FALSE(schedule.stops_after({1, 2, 3}, true));
  CHECK(schedule.stops_after({1, 2}, false));
}

TEST_CASE("an improvement below `min_change` is none, nor is what is no number") {
  Schedule schedule(settings().set("patience", 1).set("min_change", 0.25));
  CHECK(schedule.stops_after({1, 0.875}));
  CHECK_FALSE(schedule.stops_after({1, 0.75}));
  CHECK(schedule.stops_after({1, NAN}));
}

TEST_CASE("monitors what the file says, by default what picks the best weights") {
  Schedule schedule(settings()), named(settings().set("monitor", "loss"));
  CHECK(std::string(schedule.made.ops().monitor(schedule.made.self())) == "");
  CHECK(std::string(named.made.ops().monitor(named.made.self())) == "loss");
}

}  // namespace
