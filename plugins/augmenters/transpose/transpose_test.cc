#include <doctest/doctest.h>
#include <plait/sdk/testing_picture.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

struct Moved {
  TestHost host;
  AugmenterTest test;
  Moved(const Settings& settings, std::vector<int64_t> shape, uint64_t sample = 0, int variable = -1,
        int second = -1, std::vector<int32_t> extents = {})
      : test(host, linked("plait.transpose", "augmenter"), settings,
             {{"image", DType::u8, std::move(shape), variable, second}}) {
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
Settings settings() { return Settings(linked("plait.transpose", "augmenter")); }

TEST_CASE("rows become columns") {
  Moved moved(settings().set("p", 1), {2, 3, 1});
  CHECK(moved.shape() == std::vector<int64_t>{3, 2, 1});
  CHECK(moved.values() == std::vector<int>{0, 3, 1, 4, 2, 5});
}

TEST_CASE("of a square half of the samples") {
  int changed = 0;
  for (uint64_t sample = 0; sample < 1000; ++sample) {
    Moved moved(settings(), {2, 2, 2}, sample);
    const std::vector<int> made = moved.values();
    const bool is_changed = made == std::vector<int>{0, 1, 4, 5, 2, 3, 6, 7};
    CHECK((is_changed || made == std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7}));
    changed += is_changed;
  }
  CHECK(std::abs(changed - 500) < 5 * 15.9);  // sqrt(1000 / 4)
}

TEST_CASE("a picture that is no square is refused where some samples stay") {
  CHECK_THROWS_WITH(Moved(settings(), {2, 3, 1}), doctest::Contains("wanted as many rows as columns"));
  CHECK_THROWS_WITH(Moved(settings(), {2, 2, 1}, 0, 0, -1, {1}),
                    doctest::Contains("wanted as many rows as columns"));
}

}  // namespace
