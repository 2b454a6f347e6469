#include <doctest/doctest.h>
#include <plait/sdk/testing_plugin.hpp>

using namespace plait::sdk::testing;

namespace {

struct Schedule {
  TestHost host;
  Made<plait_schedule_ops> made;
  explicit Schedule(const Settings& settings) : made(host, linked("plait.one_cycle"), settings) {}
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

Settings settings() { return Settings(linked("plait.one_cycle")); }

// PyTorch 2.15, OneCycleLR(max_lr=0.8, total_steps=10).
TEST_CASE("along half cosines: PyTorch's values") {
  Schedule schedule(settings());
  const double expected[] = {0.032,        0.416,        0.8,          0.7603877056,  0.6493965232,
                             0.4890096175, 0.3109935825, 0.1506066768, 0.03961549439, 3.2e-06};
  for (int64_t step = 0; step < 10; ++step)
    CHECK(schedule.at(step, 10) == doctest::Approx(expected[step]).epsilon(1e-8));
  CHECK(schedule.at(100, 10) == schedule.at(9, 10));
  CHECK_FALSE(schedule.ignores_total());
}

// PyTorch 2.15, OneCycleLR(max_lr=0.8, total_steps=10, pct_start=0.5, div_factor=4, final_div_factor=2,
// anneal_strategy="linear").
TEST_CASE("along lines: PyTorch's values") {
  Schedule schedule(settings().set("peak", 0.5).set("start", 0.25).set("end", 0.125).set("along", "line"));
  const double expected[] = {0.2, 0.35, 0.5, 0.65, 0.8, 0.66, 0.52, 0.38, 0.24, 0.1};
  for (int64_t step = 0; step < 10; ++step)
    CHECK(schedule.at(step, 10) == doctest::Approx(expected[step]).epsilon(1e-8));
}

TEST_CASE("one step, and peaks at either end, have values") {
  CHECK(Schedule(settings()).at(0, 1) == 0.8);
  CHECK(Schedule(settings().set("peak", 1)).at(9, 10) == 0.8);
  CHECK(Schedule(settings().set("peak", 1)).at(10, 10) == doctest::Approx(0.8 * 4e-6));
  CHECK(Schedule(settings().set("peak", 0)).at(9, 10) == doctest::Approx(0.8 * 4e-6));
}

}  // namespace
