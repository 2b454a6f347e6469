// What an augmenter makes of a picture, as bytes and as floats. See testing.hpp.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "testing_plugin.hpp"

namespace plait::sdk::testing {

// 4 by 5 pixels of 3 channels of which hardly two are alike: value i is i^2 7 + i 37 + 11, modulo 256.
inline std::vector<int> some_picture() {
  std::vector<int> made;
  for (int i = 0; i < 60; ++i) made.push_back((i * i * 7 + i * 37 + 11) % 256);
  return made;
}

// One augmenter of the part "image", made anew for each call.
class PictureTest {
 public:
  std::vector<int64_t> shape = {4, 5, 3};
  std::vector<int> picture = some_picture();
  Settings settings;
  uint64_t sample = 1;

  explicit PictureTest(const char* id) : settings(linked(id)), entry_(linked(id)) {}
  template <class V>
  PictureTest& set(const char* field, V value) {
    settings.set(field, value);
    return *this;
  }
  PictureTest& one_channel() {
    shape = {4, 15, 1};
    return *this;
  }

  std::vector<int> bytes() const {
    const std::vector<uint8_t> made = apply<uint8_t>(DType::u8, 1);
    return {made.begin(), made.end()};
  }
  // Of the picture's values / 255.
  std::vector<float> floats() const { return apply<float>(DType::f32, 255); }
  // Whether something that is no number comes out where one of the floats is none.
  bool tells_nan() const {
    PictureTest with = *this;
    with.has_nan_ = true;
    const std::vector<float> made = with.floats();
    return std::any_of(made.begin(), made.end(), [](float x) { return std::isnan(x); });
  }
  // The furthest that the floats, times 255, lie from the bytes: half a tone of rounding, where both are the
  // same function.
  double apart() const {
    const std::vector<int> rounded = bytes();
    const std::vector<float> exact = floats();
    double most = 0;
    for (size_t i = 0; i < rounded.size(); ++i)
      most = std::max(most, std::abs(255 * static_cast<double>(exact.at(i)) - rounded[i]));
    return most;
  }

 private:
  template <class V>
  std::vector<V> apply(DType type, int unit) const {
    TestHost host;
    AugmenterTest test(host, entry_, settings, {{"image", type, shape}});
    const auto in = test.sample.inputs[0].data<V>();
    for (size_t i = 0; i < in.size(); ++i)
      in[i] = static_cast<V>(static_cast<V>(picture.at(i)) / static_cast<V>(unit));
    if constexpr (std::is_same_v<V, float>)
      if (has_nan_) in[in.size() / 2] = std::numeric_limits<float>::quiet_NaN();
    test.sample.rng = {7, sample};
    test.apply();
    const auto out = test.sample.outputs[0].data<V>();
    return {out.begin(), out.end()};
  }

  Entry entry_;
  bool has_nan_ = false;
};

// A picture of bytes 0, 1, 2, ... after an augmenter that moves its pixels, in room that it may fill in part:
// `extents`, along the axes that vary.
struct MovedPicture {
  TestHost host;
  AugmenterTest test;

  MovedPicture(const Entry& entry, const Settings& settings, std::vector<int64_t> shape, uint64_t sample = 0,
               int variable = -1, int second = -1, const std::vector<int32_t>& extents = {})
      : test(host, entry, settings, {{"image", DType::u8, std::move(shape), variable, second}}) {
    const auto in = test.sample.inputs[0].data<uint8_t>();
    for (size_t i = 0; i < in.size(); ++i) in[i] = static_cast<uint8_t>(i);
    if (!extents.empty()) test.sample.inputs[0].lengths = {extents[0]};
    if (extents.size() > 1) test.sample.inputs[0].second_lengths = {extents[1]};
    test.sample.rng = {3, sample};
    test.apply();
  }
  std::vector<int64_t> shape() const { return test.sample.outputs[0].spec().shape; }
  std::vector<int> values() {
    const auto out = test.sample.outputs[0].data<uint8_t>();
    return {out.begin(), out.end()};
  }
};

}  // namespace plait::sdk::testing
