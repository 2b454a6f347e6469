// Tests of the augmenter: how much it covers, that the rest is as before, and that the sample's numbers
// decide.
#include <plait/sdk/testing_plugin.hpp>

#include <algorithm>
#include <cstdio>

using namespace plait::sdk;
using namespace plait::sdk::testing;

#define CHECK(what) \
  if (!(what)) return std::printf("%s:%d: not so: %s\n", __FILE__, __LINE__, #what), 1

int main() {
  TestHost host;
  const Entry entry = linked("your_vendor.your_name");
  AugmenterTest test(host, entry, Settings(entry).set("edge", 4), {{"image", DType::f32, {9, 9, 1}}});
  std::fill_n(test.sample.inputs[0].f32().data(), 81, 1.0f);
  std::vector<std::vector<float>> seen;
  for (const uint64_t number : {1, 2, 3, 4, 5, 6, 7, 8, 1}) {
    test.sample.rng = {42, number};
    test.apply();
    const Out image = test.sample.outputs[0].f32();
    const auto covered = std::count(image.begin(), image.end(), 0.0f);
    CHECK(covered >= 4 && covered <= 16);  // a quarter of the square lies in the image at least
    CHECK(covered + std::count(image.begin(), image.end(), 1.0f) == 81);
    seen.emplace_back(image.begin(), image.end());
  }
  CHECK(seen.front() == seen.back());
  CHECK(std::any_of(seen.begin(), seen.end(), [&](const auto& other) { return other != seen.front(); }));
  return 0;
}
