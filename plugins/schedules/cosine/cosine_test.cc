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

// PyTorch 2.15, CosineAnnealingWarmRestarts(T_0=2, T_mult=2, eta_min=0.2), base 2, at epochs 0, 0.5, ... 7.
TEST_CASE("restarts, each fall twice as long as the one before") {
  TestHost host;
  const Made<plait_schedule_ops> made(
      host, linked("plait.cosine"),
      Settings(linked("plait.cosine")).set("end", 0.1).set("restart_every", 2).set("restart_growth", 2));
  const double expected[] = {
      2,   1.736396103,  1.1,          0.4636038969, 2, 1.931491579, 1.736396103, 1.444415089,
      1.1, 0.7555849109, 0.4636038969, 0.2685084207, 2, 1.982706752, 1.931491579};
  for (int64_t step = 0; step < 15; ++step) {
    const plait_schedule_call call{sizeof call, 0, 2, step, 3, 2, 0, 0, nullptr};
    double value = 0;
    host.check(made.ops().value(made.self(), host.context(), &call, &value));
    CHECK(value == doctest::Approx(expected[step]).epsilon(1e-8));
  }
  CHECK(made.ops().ignores_total(made.self()) != 0);
}

TEST_CASE("restarts of one length, at steps that end an epoch only up to rounding, after a warm-up") {
  TestHost host;
  const Made<plait_schedule_ops> made(
      host, linked("plait.cosine"),
      Settings(linked("plait.cosine")).set("warm_up", 3).set("restart_every", 3));
  const auto at = [&](int64_t step) {
    const plait_schedule_call call{sizeof call, 0, 2, step, 100, 7.0 / 3, 0, 0, nullptr};
    double value = 0;
    host.check(made.ops().value(made.self(), host.context(), &call, &value));
    return value;
  };
  CHECK(at(6) == 2);  // the warm-up's last
  CHECK(at(7) == 2);
  CHECK(at(13) < 0.2);
  CHECK(at(14) == 2);  // 7 / (7 / 3) is 3 but for its last bit
  CHECK(at(21) == 2);
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
