#include <doctest/doctest.h>
#include <plait/sdk/testing_plugin.hpp>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

Settings settings() { return Settings(linked("plait.normalize")); }

TEST_CASE("bytes become f32 between 0 and 1, other parts pass") {
  TestHost host;
  AugmenterTest test(host, linked("plait.normalize"), settings(),
                     {{"image", DType::u8, {5, 7, 1}}, {"label", DType::i32, {}}});
  REQUIRE(test.sample.outputs.size() == 2);
  CHECK(test.sample.outputs[0].spec().dtype == DType::f32);
  const auto x = test.sample.inputs[0].data<uint8_t>();
  for (size_t i = 0; i < 35; ++i) x[i] = static_cast<uint8_t>(i * 7 + 17);
  test.sample.inputs[1].data<int32_t>()[0] = 4;
  test.apply();
  for (size_t i = 0; i < 35; ++i) {
    CHECK(test.sample.outputs[0].f32()[i] == doctest::Approx(x[i] / 255.0).epsilon(1e-7));
  }
  CHECK(test.sample.outputs[1].data<int32_t>()[0] == 4);
}

TEST_CASE("mean and deviation per channel, for more elements than a run") {
  TestHost host;
  const Settings three = settings()
                             .set("scale", 1)
                             .set("mean", 1)
                             .add("mean", 2)
                             .add("mean", 3)
                             .set("deviation", 2)
                             .add("deviation", 4)
                             .add("deviation", 5);
  for (const DType type : {DType::u8, DType::f32}) {
    AugmenterTest test(host, linked("plait.normalize"), three, {{"image", type, {9, 9, 3}}});
    for (size_t i = 0; i < 243; ++i) {
      if (type == DType::u8) {
        test.sample.inputs[0].data<uint8_t>()[i] = static_cast<uint8_t>(i);
      } else {
        test.sample.inputs[0].f32()[i] = static_cast<float>(i);
      }
    }
    test.apply();
    const double mean[3] = {1, 2, 3}, deviation[3] = {2, 4, 5};
    for (size_t i = 0; i < 243; ++i) {
      const double expected = (static_cast<double>(i) - mean[i % 3]) / deviation[i % 3];
      // Two roundings of numbers below 122, 1 / 5 and 3 / 5 are rounded too.
      CHECK(std::abs(test.sample.outputs[0].f32()[i] - expected) < 4 * 122 * 6e-8);
    }
  }
}

TEST_CASE("mean and deviation of a stage, per channel and per element") {
  TestHost host;
  const auto array = [](const char* name, std::vector<double> values) {
    TestTensor made(name, DType::f64, {static_cast<int64_t>(values.size())});
    std::copy(values.begin(), values.end(), made.data<double>().begin());
    return made;
  };
  const auto check = [&](const std::vector<double>& means, const std::vector<double>& deviations) {
    const TestTensor mean = array("mean", means), deviation = array("deviation", deviations);
    AugmenterTest test(host, linked("plait.normalize"),
                       settings().set_stage("from", "m", {mean.c(), deviation.c()}),
                       {{"image", DType::u8, {20, 2, 2}}});
    for (size_t i = 0; i < 80; ++i) test.sample.inputs[0].data<uint8_t>()[i] = static_cast<uint8_t>(i * 3);
    test.apply();
    for (size_t i = 0; i < 80; ++i) {
      const double wide = deviations[i % deviations.size()];
      const double wanted = (static_cast<double>(i * 3) - means[i % means.size()]) / (wide == 0 ? 1 : wide);
      CHECK(test.sample.outputs[0].f32()[i] == doctest::Approx(wanted).epsilon(1e-6));
    }
  };
  check({100, 20}, {50, 0});
  check({7}, {4, 8});
  std::vector<double> each(80);
  for (size_t i = 0; i < 80; ++i) each[i] = 1 + static_cast<double>(i);
  check(each, each);
  const TestTensor mean = array("mean", {1, 2, 3}), deviation = array("deviation", {1});
  CHECK_THROWS_WITH(AugmenterTest(host, linked("plait.normalize"),
                                  settings().set_stage("from", "m", {mean.c(), deviation.c()}),
                                  {{"image", DType::u8, {4, 2}}}),
                    "mean of stage \"m\" is [3], wanted [1], [2] for the channels or [8] for the elements of "
                    "part \"image\"");
}

TEST_CASE("one number for all is not repeated for each of very many elements") {
  TestHost host;
  const Entry entry = linked("plait.normalize");
  const auto& ops = *static_cast<const plait_augmenter_ops*>(entry.implementation.ops);
  Settings one = settings().set("mean", 0.25);
  const std::vector<PartSpec> parts = {{"image", DType::u8, {int64_t{1} << 40}, 0}};
  const SpecList specs(parts);
  void* self = nullptr;
  host.check(ops.create(host.context(), one.c(), specs.size(), specs.data(), &self));
  ops.destroy(self);
}

TEST_CASE("what does not fit is refused") {
  TestHost host;
  const auto with = [&](const Settings& s, PartSpec part) {
    AugmenterTest(host, linked("plait.normalize"), s, {part});
  };
  CHECK_THROWS_WITH(with(settings(), {"image", DType::i32, {2}}),
                    "part \"image\" is i32[2], wanted u8 or f32");
  CHECK_THROWS_WITH(with(settings().add("mean", 1), {"image", DType::u8, {2, 2, 3}}),
                    "mean has 2 numbers, wanted 1 or 3, the channels of part \"image\" u8[2, 2, 3]");
  CHECK_THROWS_WITH(with(settings(), {"sound", DType::u8, {2}}),
                    "the sample has no part \"image\", only: sound");
}

}  // namespace
