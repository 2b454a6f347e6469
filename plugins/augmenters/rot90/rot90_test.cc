#include <doctest/doctest.h>
#include <plait/sdk/testing_picture.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

const Entry kEntry = linked("plait.rot90", "augmenter");
Settings settings() { return Settings(kEntry); }

TEST_CASE("each turn as NumPy's rot90 has it") {
  MovedPicture once(kEntry, settings().set("quarters", 1), {2, 3, 1}),
      twice(kEntry, settings().set("quarters", 2), {2, 3, 1}),
      thrice(kEntry, settings().set("quarters", 3), {2, 3, 1}),
      never(kEntry, settings().set("quarters", 0), {2, 3, 1});
  CHECK(once.shape() == std::vector<int64_t>{3, 2, 1});
  CHECK(once.values() == std::vector<int>{2, 5, 1, 4, 0, 3});
  CHECK(twice.values() == std::vector<int>{5, 4, 3, 2, 1, 0});
  CHECK(thrice.shape() == std::vector<int64_t>{3, 2, 1});
  CHECK(thrice.values() == std::vector<int>{3, 0, 4, 1, 5, 2});
  CHECK(never.values() == std::vector<int>{0, 1, 2, 3, 4, 5});
}

TEST_CASE("pixels stay whole; all turns of a square are as likely") {
  int seen[4] = {};
  for (uint64_t sample = 0; sample < 2000; ++sample) {
    MovedPicture moved(kEntry, settings(), {2, 2, 2}, sample);
    const std::vector<int> made = moved.values();
    CHECK(made[1] == made[0] + 1);
    ++seen[made[0] / 2];  // which pixel came to the first place
  }
  for (const int count : seen) CHECK(std::abs(count - 500) < 5 * 19.4);  // sqrt(2000 * 3 / 16)
}

TEST_CASE("of a picture that fills its room in part what it has is turned") {
  MovedPicture along(kEntry, settings().set("quarters", 1), {4, 3, 1}, 0, 0, -1, {2});
  CHECK(along.shape() == std::vector<int64_t>{3, 4, 1});
  CHECK(along.test.sample.outputs[0].spec().variable_axis == 1);
  CHECK(along.test.sample.lengths_out[0] == 2);
  std::vector<int> made = along.values();
  CHECK(std::vector<int>{made[0], made[1], made[4], made[5], made[8], made[9]} ==
        std::vector<int>{2, 5, 1, 4, 0, 3});
  MovedPicture both(kEntry, settings().set("quarters", 3), {4, 3, 1}, 0, 0, 1, {3, 2});
  CHECK(both.test.sample.lengths_out[0] == 2);
  CHECK(both.test.sample.second_lengths_out[0] == 3);
  made = both.values();
  CHECK(std::vector<int>{made[0], made[1], made[2], made[4], made[5], made[6]} ==
        std::vector<int>{6, 3, 0, 7, 4, 1});
}

TEST_CASE("what would make some samples higher and others wider is refused") {
  CHECK_THROWS_WITH(MovedPicture(kEntry, settings(), {2, 3, 1}),
                    "part \"image\" is u8[2, 3, 1], wanted as many rows as columns: some samples would be "
                    "higher and others wider");
}

}  // namespace
