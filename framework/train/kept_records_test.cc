#include "train/kept_records.h"

#include <doctest/doctest.h>

#include <cstring>

#include "graph/sample_reader.h"
#include "registry/registry.h"

namespace plait::inline train {
namespace {

template <class V>
std::span<const std::byte> bytes_of(const std::vector<V>& values) {
  return std::as_bytes(std::span<const V>(values));
}

}  // namespace

TEST_CASE("records come back as they were put in, from memory and from a file") {
  const Registry none = std::move(Registry::from_plugins({})).value();
  for (const bool in_file : {false, true}) {
    KeptRecords kept({{"code", PLAIT_F32, {2}}, {"label", PLAIT_I32, {}}}, 7, in_file, {});
    CHECK(kept.row_bytes() == 12);
    CHECK(kept.append({bytes_of<float>({1, 2, 3, 4}), bytes_of<int32_t>({5, 6})}, 2).is_ok());
    CHECK(kept.append({bytes_of<float>({8, 9, 0, 0}), bytes_of<int32_t>({4, 0})}, 1)
              .is_ok());  // more than a row
    REQUIRE(kept.count() == 3);
    const auto reader = SampleReader::create(none, kept.spec(), {});
    INFO(reader.status().message());
    REQUIRE(reader.is_ok());
    CHECK((*reader)->records() == 3);
    CHECK((*reader)->classes() == 7);
    const auto scratch = (*reader)->make_scratch();
    std::vector<float> code(6);
    std::vector<int32_t> label(3);
    void* const parts[] = {code.data(), label.data()};
    for (int i = 0; i < 3; ++i) CHECK((*reader)->read({i, 0, 0}, i, parts, {}, *scratch).is_ok());
    CHECK(code == std::vector<float>{1, 2, 3, 4, 8, 9});
    CHECK(label == std::vector<int32_t>{5, 6, 4});
  }
}

}  // namespace plait::inline train
