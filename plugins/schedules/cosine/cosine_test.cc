#include <doctest/doctest.h>
#include <plait/sdk/testing_plugin.hpp>

#include <cmath>

using namespace plait::sdk::testing;

namespace {

struct Schedule {
  TestHost host;
  Made<plait_schedule_ops> made;
  Schedule(double warm_up, double start, double end)
      : made(host, linked("plait.cosine"),
             Settings(linked("plait.cosine")).set("warm_up", warm_up).set("start", start).set("end", end)) {}
  double at(int64_t step, int64_t total = 101, double steps_per_epoch = 10) {
    const plait_schedule_call call{sizeof call, 0, 2, step, total, steps_per_epoch, 0, 0, nullptr};
    double value = 0;
    host.check(made.ops().value(made.self(), host.context(), &call, &value));
    return value;
  }
};

TEST_CASE("from the base to its end along half a cosine") {
  Schedule schedule(0, 0, 0.1);
  CHECK(schedule.at(0) == 2);
  CHECK(schedule.at(50) == doctest::Approx(1.1).epsilon(1e-15));
  CHECK(schedule.at(100) == doctest::Approx(0.2).epsilon(1e-15));
  CHECK(schedule.at(1000) == schedule.at(100));
  for (int64_t step = 0; step <= 100; ++step) {
    const double expected =
        2 * (0.1 + 0.9 * 0.5 * (1 + std::cos(3.14159265358979324 * static_cast<double>(step) / 100)));
    CHECK(schedule.at(step) ==
          doctest::Approx(expected).epsilon(4e-15));  // some roundings of 1e-16, near 0.2 of 2
  }
}

TEST_CASE("a warm-up of two epochs reaches the base at its last step, and the fall begins there") {
  Schedule schedule(2, 0.5, 0);
  CHECK(schedule.at(0) == doctest::Approx(2 * (0.5 + 0.5 / 20)).epsilon(1e-15));
  CHECK(schedule.at(19) == 2);
  CHECK(schedule.at(20) == 2);
  CHECK(schedule.at(60) == doctest::Approx(1).epsilon(1e-15));
  CHECK(schedule.at(100) < 1e-15);
}

TEST_CASE("does not claim to be free of the run's length") {
  Schedule schedule(0, 0, 0);
  const auto& ops = schedule.made.ops();
  CHECK((ops.ignores_total == nullptr || ops.ignores_total(schedule.made.self()) == 0));
}

TEST_CASE("one step, and a warm-up longer than the stage, have a value") {
  CHECK(Schedule(0, 0, 0).at(0, 1) == 2);
  CHECK(Schedule(0, 0, 0.1).at(0, 1, 1) == 2);  // an epoch of one step
  CHECK(Schedule(0.9, 0, 0).at(9, 10) == 2);    // one step is left after the warm-up
  CHECK(Schedule(0, 0, 0).at(0, 2) == 2);
  CHECK(Schedule(0, 0, 0).at(1, 2) == 0);
  CHECK(Schedule(50, 0, 0).at(9, 10) == 2);
  CHECK(Schedule(1e9, 0, 0).at(4, 10, 1e12) == 1);  // more steps than 64 bits count
}

}  // namespace
