#include <doctest/doctest.h>
#include <plait/sdk/testing_picture.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

const Entry kEntry = linked("plait.transpose", "augmenter");
Settings settings() { return Settings(kEntry); }

TEST_CASE("rows become columns") {
  MovedPicture moved(kEntry, settings().set("p", 1), {2, 3, 1});
  CHECK(moved.shape() == std::vector<int64_t>{3, 2, 1});
  CHECK(moved.values() == std::vector<int>{0, 3, 1, 4, 2, 5});
}

TEST_CASE("of a square half of the samples") {
  int changed = 0;
  for (uint64_t sample = 0; sample < 1000; ++sample) {
    MovedPicture moved(kEntry, settings(), {2, 2, 2}, sample);
    const std::vector<int> made = moved.values();
    const bool is_changed = made == std::vector<int>{0, 1, 4, 5, 2, 3, 6, 7};
    CHECK((is_changed || made == std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7}));
    changed += is_changed;
  }
  CHECK(std::abs(changed - 500) < 5 * 15.9);  // sqrt(1000 / 4)
}

TEST_CASE("a picture that is no square is refused where some samples stay") {
  CHECK_THROWS_WITH(MovedPicture(kEntry, settings(), {2, 3, 1}),
                    doctest::Contains("wanted as many rows as columns"));
  CHECK_THROWS_WITH(MovedPicture(kEntry, settings(), {2, 2, 1}, 0, 0, -1, {1}),
                    doctest::Contains("wanted as many rows as columns"));
}

}  // namespace
