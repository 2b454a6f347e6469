#include <doctest/doctest.h>
#include <plait/sdk/testing_plugin.hpp>

using namespace plait::sdk::testing;

namespace {

struct Schedule {
  TestHost host;
  Made<plait_schedule_ops> made;
  explicit Schedule(const Settings& settings) : made(host, linked("plait.constant"), settings) {}
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

Settings settings() { return Settings(linked("plait.constant")); }

TEST_CASE("by itself it changes nothing") {
  Schedule schedule(settings());
  for (const int64_t step : {0, 1, 99, 1000}) CHECK(schedule.at(step) == 0.8);
  CHECK(schedule.ignores_total());
}

TEST_CASE("a share for some epochs, or for all") {
  Schedule some(settings().set("factor", 0.25).set("epochs", 1.5)), all(settings().set("factor", 0.25));
  CHECK(some.at(0) == 0.2);
  CHECK(some.at(14) == 0.2);
  CHECK(some.at(15) == 0.8);
  CHECK(all.at(1000) == 0.2);
  Schedule three(settings().set("factor", 0.25).set("epochs", 3));
  CHECK(three.at(7, 100, 7.0 / 3) == 0.8);  // 7 / (7 / 3) is 3 but for its last bit
}

}  // namespace
