// Augmenters of sounds in tests. See testing_plugin.hpp.
#pragma once
#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "testing_plugin.hpp"

namespace plait::sdk::testing {

// (3 n^2 mod 17 - 8) / 8.
inline float sound_at(size_t n) { return static_cast<float>(static_cast<int>(3 * n * n % 17) - 8) / 8; }

// A part "sound" of sound_at, f32 [length, columns...], through the linked augmenter of that id.
struct SoundTest {
  using Set = std::function<void(Settings&)>;
  explicit SoundTest(
      std::string id_, Set set_ = [](Settings&) {})
      : id(std::move(id_)), set(std::move(set_)) {}

  std::string id;
  Set set;
  std::vector<int64_t> columns;
  uint64_t sample = 1;
  bool training = true;

  // What becomes of `length` places of it; `bound`: of a length that varies, 0 where it does not. Behind the
  // length lies what is no number.
  std::vector<float> made(int64_t length, int64_t bound = 0) {
    TestHost host;
    const Entry entry = linked(id);
    Settings settings(entry);
    set(settings);
    PartSpec part{"sound", DType::f32, {bound > 0 ? bound : length}, bound > 0 ? 0 : -1};
    part.shape.insert(part.shape.end(), columns.begin(), columns.end());
    AugmenterTest test(host, entry, std::move(settings), {part});
    const auto x = test.sample.inputs[0].f32();
    const size_t row =
        std::max<size_t>(1, x.size()) / static_cast<size_t>(std::max<int64_t>(1, part.shape[0]));
    std::ranges::fill(x, std::numeric_limits<float>::quiet_NaN());
    for (size_t n = 0; n < static_cast<size_t>(length) * row; ++n) x[n] = sound_at(n);
    if (bound > 0) test.sample.inputs[0].lengths = {static_cast<int32_t>(length)};
    test.sample.rng = {1, sample};
    test.sample.training = training;
    test.apply();
    const auto y = test.sample.outputs[0].f32();
    const std::vector<int64_t>& shape = test.sample.outputs[0].spec().shape;
    rows = bound > 0 ? test.sample.lengths_out[0] : shape[0];
    return {y.begin(), y.begin() + rows * static_cast<int64_t>(y.size()) / shape[0]};
  }
  int64_t rows = 0;  // of what was made last
};

// Of values that were computed in f64.
inline void check_rounded_once(const std::vector<float>& found, const std::vector<float>& wanted) {
  REQUIRE(found.size() == wanted.size());
  for (size_t i = 0; i < found.size(); ++i) CHECK(found[i] == doctest::Approx(wanted[i]).epsilon(3e-7));
}

}  // namespace plait::sdk::testing
