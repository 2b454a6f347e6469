#include "report/format.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

namespace plait::inline report {

TEST_CASE("durations and rates read as people write them") {
  CHECK(duration_text(42.4) == "0:42");
  CHECK(duration_text(3723) == "1:02:03");
  CHECK(duration_text(-1) == "0:00");
  CHECK(rate_text(0) == "0");
  CHECK(rate_text(999.4) == "999");
  CHECK(rate_text(24310) == "24,310");
  CHECK(rate_text(1234567) == "1,234,567");
  CHECK(values_text({{"accuracy", 0.5}, {"loss", 1}}) == "accuracy 0.5000, loss 1.0000");
  for (const double sign : {1.0, -1.0}) {
    const double none = std::copysign(std::numeric_limits<double>::quiet_NaN(), sign);
    CHECK(values_text({{"loss", none}}) == "loss nan");
    RoundInfo round;
    round.loss = none;
    CHECK(loss_text(round) == "loss nan");
  }
  NamedValues many;
  for (int i = 0; i < 20; ++i) many.emplace_back("c" + std::to_string(i), i);
  many.emplace_back("loss", 2);
  CHECK(
      values_text(many) ==
      "c0 0.0000, c1 1.0000, c2 2.0000, c3 3.0000, c4 4.0000, c5 5.0000, c6 6.0000, c7 7.0000, c8 8.0000, c9 "
      "9.0000, loss 2.0000, and 10 more");
}

}  // namespace plait::inline report
