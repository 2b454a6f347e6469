#include <doctest/doctest.h>
#include <plait/sdk/testing_plugin.hpp>

using namespace plait::sdk::testing;

namespace {

struct Schedule {
  TestHost host;
  Made<plait_schedule_ops> made;
  explicit Schedule(const Settings& settings) : made(host, linked("plait.exponential"), settings) {}
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

Settings settings() { return Settings(linked("plait.exponential")); }

TEST_CASE("smooth: half an epoch is the root of the factor") {
  Schedule schedule(settings().set("factor", 0.25));
  CHECK(schedule.at(0) == 0.8);
  CHECK(schedule.at(5) == doctest::Approx(0.4).epsilon(1e-15));
  CHECK(schedule.at(20) == doctest::Approx(0.05).epsilon(1e-15));
  CHECK(schedule.ignores_total());
}

// PyTorch 2.15, ExponentialLR(gamma=0.9), base 0.8, epochs 0 to 4.
TEST_CASE("stairs: PyTorch's values") {
  Schedule schedule(settings().set("factor", 0.9).set("staircase", true));
  const double expected[] = {0.8, 0.72, 0.648, 0.5832, 0.52488};
  for (int64_t epoch = 0; epoch < 5; ++epoch) {
    CHECK(schedule.at(10 * epoch) == doctest::Approx(expected[epoch]).epsilon(1e-14));
    CHECK(schedule.at(10 * epoch + 9) == doctest::Approx(expected[epoch]).epsilon(1e-14));
  }
}

TEST_CASE("over several epochs, and beyond all steps") {
  Schedule schedule(settings().set("factor", 0.5).set("every", 2).set("staircase", true));
  CHECK(schedule.at(19) == 0.8);
  CHECK(schedule.at(20) == 0.4);
  CHECK(Schedule(settings().set("factor", 0.5).set("every", 1.2e-38)).at(50) == 0);
  CHECK(Schedule(settings().set("factor", 0.5).set("every", 1.2e-38).set("staircase", true)).at(50) == 0);
}

}  // namespace
