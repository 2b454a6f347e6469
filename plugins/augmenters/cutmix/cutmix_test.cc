#include <doctest/doctest.h>
#include <plait/sdk/testing_plugin.hpp>

#include <cmath>
#include <set>
#include <vector>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

constexpr size_t kHeight = 6, kWidth = 8, kPixels = kHeight * kWidth, kSamples = 5;

// Pictures of one number each, which is the sample's; labels say it too.
struct Test {
  TestHost host;
  Entry entry = linked("plait.cutmix");
  AugmenterTest cutmix;
  explicit Test(double alpha = 1, double p = 1)
      : cutmix(host, entry, Settings(entry).set("classes", 5).set("alpha", alpha).set("p", p),
               {{"image", DType::u8, {kHeight, kWidth}}, {"label", DType::i32, {}}}) {
    cutmix.make_batch(kSamples);
    for (size_t n = 0; n < kSamples; ++n) {
      for (size_t i = 0; i < kPixels; ++i)
        cutmix.batch.inputs[0].f32()[n * kPixels + i] = static_cast<float>(n);
      for (size_t k = 0; k < 5; ++k) cutmix.batch.inputs[1].f32()[5 * n + k] = k == n ? 1.0f : 0.0f;
    }
  }
  float pixel(size_t n, size_t y, size_t x) {
    return cutmix.batch.outputs[0].f32()[n * kPixels + y * kWidth + x];
  }
  float share(size_t n, size_t of) { return cutmix.batch.outputs[1].f32()[5 * n + of]; }
};

TEST_CASE("a rectangle is the partner's, and labels have the shares of the areas") {
  Test test;
  std::set<std::pair<size_t, size_t>> sizes;
  for (uint64_t key = 0; key < 200; ++key) {
    test.cutmix.batch.rng = {key, 3};
    test.cutmix.apply_batch();
    std::set<size_t> partners;
    std::set<std::vector<size_t>> rectangles;  // of samples that have another partner than themselves
    for (size_t n = 0; n < kSamples; ++n) {
      size_t partner = n, top = kHeight, bottom = 0, left = kWidth, right = 0, count = 0;
      for (size_t y = 0; y < kHeight; ++y)
        for (size_t x = 0; x < kWidth; ++x) {
          const auto from = static_cast<size_t>(test.pixel(n, y, x));
          if (from == n) continue;
          CHECK((partner == n || partner == from));
          partner = from, ++count;
          top = std::min(top, y), bottom = std::max(bottom, y + 1);
          left = std::min(left, x), right = std::max(right, x + 1);
        }
      const double area = static_cast<double>(count) / kPixels;
      CHECK(test.share(n, n) == doctest::Approx(1 - (partner == n ? 0 : area)).epsilon(1e-6));
      if (count == 0) continue;
      CHECK(count == (bottom - top) * (right - left));
      CHECK(test.share(n, partner) == doctest::Approx(area).epsilon(1e-6));
      CHECK(partners.insert(partner).second);  // an order of the batch
      rectangles.insert({top, bottom, left, right});
      sizes.insert({bottom - top, right - left});
    }
    CHECK(rectangles.size() <= 1);  // the batch's
  }
  CHECK(sizes.size() > 15);
}

// The mean of 1 - share is 1/2, and what lies beyond the edge is cut off: the area is less, and not by much.
TEST_CASE("shares are drawn for the batch") {
  Test test;
  double all = 0;
  int count = 0;
  for (uint64_t key = 0; key < 2000; ++key) {
    test.cutmix.batch.rng = {key, 3};
    test.cutmix.apply_batch();
    for (size_t n = 0; n < kSamples; ++n)
      if (test.share(n, n) < 1) {
        all += 1 - test.share(n, n), ++count;
        break;
      }
  }
  CHECK(all / count > 0.2);
  CHECK(all / count < 0.5);
}

TEST_CASE("a batch is left alone outside training, and where it is not drawn") {
  for (const double p : {0.0, 1.0}) {
    Test test(1, p);
    test.cutmix.batch.training = p == 0;
    for (uint64_t key = 0; key < 20; ++key) {
      test.cutmix.batch.rng = {key, 3};
      test.cutmix.apply_batch();
      for (size_t part = 0; part < 2; ++part)
        for (size_t i = 0; i < test.cutmix.batch.inputs[part].f32().size(); ++i)
          REQUIRE(test.cutmix.batch.outputs[part].f32()[i] == test.cutmix.batch.inputs[part].f32()[i]);
    }
  }
}

TEST_CASE("parts that cannot be mixed are refused") {
  TestHost host;
  const Entry entry = linked("plait.cutmix");
  const auto make = [&](std::vector<PartSpec> parts) {
    AugmenterTest(host, entry,
                  Settings(entry).set("classes", 3).clear("part").add("part", "image").add("part", "mask"),
                  std::move(parts));
  };
  const PartSpec label{"label", DType::i32, {}}, image{"image", DType::u8, {4, 5, 3}};
  CHECK_THROWS_WITH(make({image, {"mask", DType::u8, {4, 6}}, label}),
                    "part \"mask\" is of 4 by 6, wanted as part \"image\" 4 by 5");
  CHECK_THROWS_WITH(make({image, {"mask", DType::i32, {4, 5}}, label}),
                    "part \"mask\" is i32[4, 5], wanted u8 or floating point [H, W, ...] of a fixed shape");
  CHECK_THROWS_WITH(make({image, {"mask", DType::u8, {4}}, label}),
                    "part \"mask\" is u8[4], wanted u8 or floating point [H, W, ...] of a fixed shape");
}

}  // namespace
