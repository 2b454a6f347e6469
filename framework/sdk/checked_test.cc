#include <doctest/doctest.h>

#include <limits>
#include <plait/sdk/checked.hpp>

using namespace plait::sdk;

namespace {
constexpr int64_t kMost = std::numeric_limits<int64_t>::max(), kLeast = std::numeric_limits<int64_t>::min();
}

TEST_CASE("checked arithmetic is arithmetic, as long as 64 bits hold it") {
  const int64_t covered = Checked(3) * (5 - 1) + 1;
  CHECK(covered == 13);
  const uint64_t bytes = Checked(size_t{7}) * 3u * sizeof(float);
  CHECK(bytes == 84);
  CHECK((Checked(kMost) - 1 + 1).value() == kMost);
  CHECK((Checked(kLeast) * 1).value() == kLeast);
  CHECK(ceil_div(kMost, kMost - 1).value() == 2);
  CHECK(ceil_div(0, 7).value() == 0);
  CHECK(round_up(17, 16).value() == 32);
  const int64_t shape[] = {2, 3, 4};
  CHECK(elements(shape).value() == 24);
  CHECK(elements({}).value() == 1);
}

TEST_CASE("a number beyond 64 bits is told with its operands") {
  const auto says = [](auto&& work, const char* words) {
    CHECK_THROWS_WITH_AS(work(), doctest::Contains(words), Error);
  };
  says([] { return Checked(kMost) * 2; }, "9223372036854775807 * 2 is no number of 64 bits");
  says([] { return 2 * Checked(kMost); }, "2 * 9223372036854775807");
  says([] { return Checked(kMost) + 1; }, "9223372036854775807 + 1");
  says([] { return Checked(kLeast) - 1; }, "-9223372036854775808 - 1");
  says([] { return Checked(kLeast) * -1; }, "* -1");
  says([] { return Checked(std::numeric_limits<uint64_t>::max()); }, "18446744073709551615");
  says([] { return round_up(kMost, 16); }, "* 16");
  says([] { return static_cast<size_t>(Checked(-1)); }, "-1 is no size");
  says([] { return static_cast<int32_t>(Checked(kMost)); }, "is out of range");
  const int64_t shape[] = {int64_t{1} << 40, int64_t{1} << 40};
  says([&] { return elements(shape); }, "1099511627776 * 1099511627776");
}
