#include <doctest/doctest.h>
#include <plait/sdk/testing_plugin.hpp>

using namespace plait::sdk::testing;

namespace {

struct Schedule {
  TestHost host;
  Made<plait_schedule_ops> made;
  explicit Schedule(const Settings& settings) : made(host, linked("plait.polynomial"), settings) {}
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

Settings settings() { return Settings(linked("plait.polynomial")); }

TEST_CASE("a line to the last step") {
  Schedule schedule(settings().set("end", 0.5));
  CHECK(schedule.at(0, 101) == 0.8);
  CHECK(schedule.at(50, 101) == doctest::Approx(0.6).epsilon(1e-15));
  CHECK(schedule.at(100, 101) == 0.4);
  CHECK(schedule.at(1000, 101) == 0.4);
  CHECK(schedule.at(0, 1) == 0.8);
  CHECK_FALSE(schedule.ignores_total());
}

// PyTorch 2.15, PolynomialLR(total_iters=4, power=1.5), base 0.8, epochs 0 to 5.
TEST_CASE("a power over some epochs: PyTorch's values") {
  Schedule schedule(settings().set("power", 1.5).set("epochs", 4));
  const double expected[] = {0.8, 0.5196152423, 0.2828427125, 0.1, 0, 0};
  for (int64_t epoch = 0; epoch < 6; ++epoch)
    CHECK(schedule.at(10 * epoch) == doctest::Approx(expected[epoch]).epsilon(1e-9));
  CHECK(schedule.ignores_total());
}

}  // namespace
