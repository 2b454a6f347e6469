#include "registry/parts.h"

#include <doctest/doctest.h>

#include "registry/shape_text.h"

namespace plait::inline registry {

TEST_CASE("a part of two variable axes goes to C and back") {
  const PartSpec part{"image", PLAIT_U8, {9, 7, 3}, 0, 1};
  const auto back = part_of(part.raw());
  REQUIRE_MESSAGE(back.is_ok(), back.status().message());
  CHECK(*back == part);
  CHECK(part_text(part) == "image [<=9, <=7, 3] u8");
  CHECK(shape_text(with_batch(part, 2)) == "[2, <=9, <=7, 3] u8");
  CHECK(shape_text(std::vector<int64_t>{-1, 3}) == "[?, 3]");  // records that are counted when they are read
  CHECK(part_of(PartSpec{"text", PLAIT_U8, {9}, 0}.raw())->second_axis == -1);
  CHECK(part_of(PartSpec{"label", PLAIT_I32, {}}.raw())->second_axis == -1);
}

TEST_CASE("a second variable axis comes after a first one") {
  for (const auto& [first, second] : {std::pair{-1, 1}, {1, 1}, {2, 1}, {0, 3}, {0, 9}}) {
    const auto part = part_of(PartSpec{"image", PLAIT_U8, {9, 7, 3}, first, second}.raw());
    CHECK(part.status().code() == Code::kInvalid);
    CHECK(part.status().message().find("part \"image\": second variable axis ") == 0);
  }
}

TEST_CASE("who does not take two axes is told which tensor has them") {
  plait_type type{};
  const PartSpec image{"image", PLAIT_U8, {9, 7, 3}, 0, 1};
  CHECK(check_second_axis(type, image, "part").message() ==
        "part [<=9, <=7, 3] u8 varies along axes 0 and 1, wanted at most one that varies");
  CHECK(check_second_axis(type, {"text", PLAIT_U8, {9}, 0}, "part").is_ok());
  type.flags = PLAIT_TYPE_TWO_AXES;
  CHECK(check_second_axis(type, image, "part").is_ok());
}

}  // namespace plait::inline registry
