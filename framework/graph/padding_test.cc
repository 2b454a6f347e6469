#include "graph/padding.h"

#include <doctest/doctest.h>

#include <vector>

#include "graph/part_ranges.h"

namespace plait::inline graph {
namespace {

// Of each element of [7 axes at most], whether it lies within the extents: coordinate by coordinate.
std::vector<bool> within(const PartSpec& part, const int32_t extents[2]) {
  std::vector<bool> all;
  std::vector<int64_t> at(part.shape.size(), 0);
  for (;;) {
    bool valid = true;
    for (int k = 0; k < 2; ++k)
      if (part.varying(k) >= 0) valid = valid && at[static_cast<size_t>(part.varying(k))] < extents[k];
    all.push_back(valid);
    size_t axis = at.size();
    while (axis > 0 && ++at[axis - 1] == part.shape[axis - 1]) at[--axis] = 0;
    if (axis == 0) return all;
  }
}

}  // namespace

TEST_CASE("what lies within extents and what lies past them are all of a sample") {
  const std::vector<PartSpec> parts = {{"", PLAIT_F32, {5}, 0},
                                       {"", PLAIT_F32, {5, 3}, 1},
                                       {"", PLAIT_F32, {2, 5, 3}, 1},
                                       {"", PLAIT_F32, {5, 4, 3}, 0, 1},
                                       {"", PLAIT_F32, {2, 5, 3, 4, 2}, 1, 3},
                                       {"", PLAIT_F32, {5, 2, 4}, 0, 2},
                                       {"", PLAIT_F32, {4, 3}}};
  for (const PartSpec& part : parts) {
    for (int32_t first = 0; first <= 5; ++first) {
      for (int32_t second = 0; second <= 4; ++second) {
        const int32_t used[2] = {first, second};
        const int32_t* const extents[2] = {used, used + 1};
        const std::vector<bool> wanted = within(part, used);
        std::vector<int> got(wanted.size(), -1);
        const SampleGrid grid(part, extents);
        REQUIRE(grid.elements() == wanted.size());
        const auto note = [&](int what) {
          return [&got, what](uint64_t at, uint64_t count) {
            for (uint64_t i = at; i < at + count; ++i) {
              CHECK(got[i] == -1);  // once
              got[i] = what;
            }
          };
        };
        grid.each_valid(note(1));
        grid.each_past(note(0));
        for (size_t i = 0; i < wanted.size(); ++i) CHECK(got[i] == (wanted[i] ? 1 : 0));
      }
    }
  }
}

TEST_CASE("a sample of a batch has its own extents") {
  const PartSpec batch = with_batch({"image", PLAIT_F32, {3, 2, 1}, 0, 1}, 2);
  const std::vector<int32_t> first = {3, 1}, second = {1, 2};
  plait_tensor tensor = tensor_of(batch);
  CHECK(tensor.variable_axis == 1);
  CHECK(tensor.second_axis == 2);
  tensor.lengths = first.data(), tensor.second_lengths = second.data();
  std::vector<uint64_t> valid[2];
  for (uint64_t n = 0; n < 2; ++n)
    SampleGrid::of(tensor, n).each_valid([&](uint64_t at, uint64_t count) {
      for (uint64_t i = at; i < at + count; ++i) valid[n].push_back(i);
    });
  CHECK(valid[0] == std::vector<uint64_t>{0, 2, 4});
  CHECK(valid[1] == std::vector<uint64_t>{0, 1});
  tensor.lengths = tensor.second_lengths = nullptr;
  SampleGrid::of(tensor, 0).each_past([](uint64_t, uint64_t) { FAIL("all are full"); });
}

TEST_CASE("a sample of which a layer would leave nothing is refused by name") {
  // image -> windows of 3, twice: at least 5 along the second axis.
  Network network;
  LayerSpec window;
  window.name = "c2";
  TensorInfo image, c1, c2;
  image.spec = with_batch({"image", PLAIT_F32, {9, 9, 1}, 0, 1}, 1);
  image.part = 0;
  c1.node = 0, c2.node = 1;
  c1.extents[0] = {0, 0, 1, 0, 1, 9};
  c1.extents[1] = {0, 1, 1, -2, 1, 7};
  c2.extents[0] = {1, 0, 1, 0, 1, 9};
  c2.extents[1] = {1, 1, 1, -2, 1, 5};
  network.tensors = {image, c1, c2};
  network.nodes.resize(2);
  for (NodeInfo& node : network.nodes) node.layer = &window;
  static const plait_type type = [] {
    plait_type made{};
    made.struct_size = sizeof made, made.kind = "layer", made.id = "plait.window";
    return made;
  }();
  TypeEntry entry;
  entry.type = &type;
  window.plugin.entry = &entry;
  const auto ranges = part_ranges(network);
  REQUIRE(ranges.size() == 1);
  CHECK(ranges[0].extent_of == 1);
  CHECK(ranges[0].low == 5);
  const int32_t heights[] = {0}, widths[] = {4}, wide[] = {5};
  plait_tensor tensor = tensor_of(image.spec);
  tensor.lengths = heights, tensor.second_lengths = widths;
  const plait_tensor* const batch[] = {&tensor};
  const auto name = [](size_t) { return std::string("record 7"); };
  const Status refused = check_part_ranges(ranges, batch, name);
  CHECK(refused.code() == Code::kInvalid);
  CHECK(refused.message().find("record 7 (place 0 of the batch): part \"image\" has 4 along axis 1; window "
                               "\"c2\"") == 0);
  CHECK(refused.message().find("wants at least 5") != std::string::npos);
  tensor.second_lengths = wide;
  CHECK(check_part_ranges(ranges, batch, name).is_ok());
}

}  // namespace plait::inline graph
