#include "report/format.h"

#include <doctest/doctest.h>

namespace plait {

TEST_CASE("durations and rates read as people write them") {
  CHECK(duration_text(42.4) == "0:42");
  CHECK(duration_text(3723) == "1:02:03");
  CHECK(duration_text(-1) == "0:00");
  CHECK(rate_text(0) == "0");
  CHECK(rate_text(999.4) == "999");
  CHECK(rate_text(24310) == "24,310");
  CHECK(rate_text(1234567) == "1,234,567");
  CHECK(values_text({{"accuracy", 0.5}, {"loss", 1}}) == "accuracy 0.5000, loss 1.0000");
}

}  // namespace plait
