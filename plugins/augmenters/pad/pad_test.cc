#include <doctest/doctest.h>
#include <plait/sdk/testing_picture.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

const Entry kEntry = linked("plait.pad", "augmenter");
Settings settings() { return Settings(kEntry); }

TEST_CASE("a border of one value, of each side its own") {
  MovedPicture moved(kEntry,
                     settings().set("size", 1).add("size", 0).add("size", 2).add("size", 1).set("fill", 9),
                     {2, 2, 1});
  CHECK(moved.shape() == std::vector<int64_t>{3, 5, 1});
  CHECK(moved.values() == std::vector<int>{9, 9, 9, 9, 9, 9, 9, 0, 1, 9, 9, 9, 2, 3, 9});
}

TEST_CASE("as NumPy's pad has it: edge and reflect") {
  MovedPicture edge(kEntry, settings().set("size", 1).set("border", "edge"), {2, 2, 2});
  CHECK(edge.values() == std::vector<int>{0, 1, 0, 1, 2, 3, 2, 3, 0, 1, 0, 1, 2, 3, 2, 3,
                                          4, 5, 4, 5, 6, 7, 6, 7, 4, 5, 4, 5, 6, 7, 6, 7});
  MovedPicture reflect(kEntry, settings().set("size", 2).set("border", "reflect"), {3, 3, 1});
  CHECK(reflect.values() == std::vector<int>{8, 7, 6, 7, 8, 7, 6, 5, 4, 3, 4, 5, 4, 3, 2, 1, 0,
                                             1, 2, 1, 0, 5, 4, 3, 4, 5, 4, 3, 8, 7, 6, 7, 8, 7,
                                             6, 5, 4, 3, 4, 5, 4, 3, 2, 1, 0, 1, 2, 1, 0});
}

TEST_CASE("around what a sample has of its room") {
  MovedPicture moved(kEntry, settings().set("size", 1).set("fill", 9), {3, 3, 1}, 0, 0, 1, {1, 2});
  CHECK(moved.shape() == std::vector<int64_t>{5, 5, 1});
  CHECK(moved.test.sample.lengths_out[0] == 3);
  CHECK(moved.test.sample.second_lengths_out[0] == 4);
  const std::vector<int> made = moved.values();
  CHECK(std::vector<int>(made.begin() + 5, made.begin() + 9) == std::vector<int>{9, 0, 1, 9});
}

TEST_CASE("what does not fit is refused") {
  CHECK_THROWS_WITH(MovedPicture(kEntry, settings().set("size", 3).set("border", "reflect"), {3, 4, 1}),
                    "part \"image\" is of 3 by 4, wanted at least 4 by 4 for a border of its own pixels");
  CHECK_THROWS_WITH(MovedPicture(kEntry, settings().set("size", 1).add("size", 1), {3, 4, 1}),
                    "size has 2 values, wanted 1 or 4");
  CHECK_THROWS_WITH(MovedPicture(kEntry, settings().set("fill", 0.5), {3, 4, 1}),
                    "fill is 0.5, wanted a whole number of 0 to 255 for part \"image\" of u8");
}

}  // namespace
