#include <doctest/doctest.h>
#include <plait/sdk/testing_plugin.hpp>

using namespace plait::sdk::testing;

namespace {

struct Schedule {
  TestHost host;
  Made<plait_schedule_ops> made;
  explicit Schedule(const Settings& settings) : made(host, linked("plait.multistep"), settings) {}
  double at(int64_t step, int64_t total = 100, double steps_per_epoch = 10) {
    const plait_schedule_call call{sizeof call, 0, 0.8, step, total, steps_per_epoch, 0, 0, nullptr};
    double value = 0;
    host.check(made.ops().value(made.self(), host.context(), &call, &value));
    return value;
  }
  bool ignores_total() {
    return made.ops().ignores_total != nullptr && made.ops().ignores_total(made.self()) != 0;
  }
};

Settings settings() { return Settings(linked("plait.multistep")); }

TEST_CASE("falls at the epochs listed, in any order, fractions included") {
  Schedule schedule(settings().set("factor", 0.5).add("at", 3).add("at", 1.5));
  CHECK(schedule.at(14) == 0.8);
  CHECK(schedule.at(15) == 0.4);
  CHECK(schedule.at(29) == 0.4);
  CHECK(schedule.at(30) == 0.2);
  CHECK(schedule.at(3000) == 0.2);
  CHECK(schedule.ignores_total());
}

TEST_CASE("a step that ends an epoch only up to rounding has ended it") {
  Schedule schedule(settings().set("factor", 0.5).add("at", 3));
  CHECK(schedule.at(7, 100, 7.0 / 3) == 0.4);  // 7 / (7 / 3) is 3 but for its last bit
}

TEST_CASE("without any epoch it is refused") {
  CHECK_THROWS_WITH(Schedule{settings()}, "a multistep schedule needs `at`");
}

}  // namespace
