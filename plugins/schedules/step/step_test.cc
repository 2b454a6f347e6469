#include <doctest/doctest.h>
#include <plait/sdk/testing_plugin.hpp>

using namespace plait::sdk::testing;

namespace {

struct Schedule {
  TestHost host;
  Made<plait_schedule_ops> made;
  explicit Schedule(const Settings& settings) : made(host, linked("plait.step"), settings) {}
  double at(int64_t step, double steps_per_epoch = 10) {
    const plait_schedule_call call{sizeof call, 0, 0.8, step, 100, steps_per_epoch, 0, 0, nullptr};
    double value = 0;
    host.check(made.ops().value(made.self(), host.context(), &call, &value));
    return value;
  }
};

Settings settings() { return Settings(linked("plait.step")).set("factor", 0.5); }

TEST_CASE("falls at every second epoch") {
  Schedule schedule(settings().set("every", 2));
  CHECK(schedule.at(0) == 0.8);
  CHECK(schedule.at(19) == 0.8);
  CHECK(schedule.at(20) == 0.4);
  CHECK(schedule.at(60) == 0.1);
}

TEST_CASE("a step that ends an epoch only up to rounding has ended it") {
  Schedule schedule(settings().set("every", 3));
  CHECK(schedule.at(7, 7.0 / 3) == 0.4);  // 7 / (7 / 3) is 3 but for its last bit
}

TEST_CASE("more steps than 64 bits count are many") {
  CHECK(Schedule(settings().set("every", 1.2e-38)).at(50) == 0);
}

TEST_CASE("does not depend on the length of the run") {
  Schedule schedule(settings().set("every", 2));
  REQUIRE((schedule.made.ops().ignores_total != nullptr));
  CHECK(schedule.made.ops().ignores_total(schedule.made.self()) != 0);
}

}  // namespace
