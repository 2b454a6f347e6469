#include <doctest/doctest.h>
#include <plait/sdk/testing_plugin.hpp>

#include <cstring>
#include <functional>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

// The arrays of a stage of pairs.
struct Words {
  TestTensor keys, ends, values;
  explicit Words(const std::vector<std::pair<std::string, int64_t>>& pairs)
      : keys("key", DType::u8, {0}), ends("key_end", DType::i64, {0}), values("value", DType::i64, {0}) {
    std::string text;
    for (const auto& [key, value] : pairs) text += key;
    keys = TestTensor("key", DType::u8, {static_cast<int64_t>(text.size())});
    std::memcpy(keys.data<uint8_t>().data(), text.data(), text.size());
    ends = TestTensor("key_end", DType::i64, {static_cast<int64_t>(pairs.size())});
    values = TestTensor("value", DType::i64, {static_cast<int64_t>(pairs.size())});
    int64_t end = 0;
    for (size_t i = 0; i < pairs.size(); ++i) {
      ends.data<int64_t>()[i] = end += static_cast<int64_t>(pairs[i].first.size());
      values.data<int64_t>()[i] = pairs[i].second;
    }
  }
  std::vector<const plait_tensor*> arrays() const { return {keys.c(), ends.c(), values.c()}; }
};

std::vector<float> counts_of(
    const std::string& text, const Words& words, int64_t size,
    const std::function<void(Settings&)>& set = [](Settings&) {}) {
  TestHost host;
  const Entry entry = linked("plait.bag_of_words");
  Settings settings(entry);
  settings.set_stage("from", "words", words.arrays()).set("size", size);
  set(settings);
  AugmenterTest test(host, entry, settings, {{"text", DType::u8, {100}, 0}});
  std::memcpy(test.sample.inputs[0].data<uint8_t>().data(), text.data(), text.size());
  test.sample.inputs[0].lengths = {static_cast<int32_t>(text.size())};
  test.apply();
  const auto found = test.sample.outputs[0].f32();
  return {found.begin(), found.end()};
}

using Counts = std::vector<float>;

TEST_CASE("by hand: the most frequent words first, equal ones by their bytes") {
  const Words words({{"be", 2}, {"not", 1}, {"or", 1}, {"to", 2}});
  CHECK(counts_of("to be  or\tnot to\nbe, to", words, 4) ==
        Counts{1, 3, 1, 1});  // be to not or; "be," is none
  CHECK(counts_of("or or to", words, 2) == Counts{0, 1});
  CHECK(counts_of("", words, 2) == Counts{0, 0});
  CHECK(counts_of("not", words, 6) == Counts{0, 0, 1, 0, 0, 0});
}

TEST_CASE("lower_case folds A to Z alone") {
  const Words words({{"a", 1}, {"\xC3\xA9", 1}});
  const auto fold = [](Settings& s) { s.set("lower_case", true); };
  CHECK(counts_of("A a \xC3\x89", words, 2, fold) == Counts{2, 0});
  CHECK(counts_of("A a", words, 2) == Counts{1, 0});
}

TEST_CASE("what does not fit is refused") {
  TestHost host;
  const Words words({{"a", 1}});
  TestTensor mean("mean", DType::f64, {1});
  const auto with = [&](std::vector<const plait_tensor*> arrays, PartSpec part) {
    Settings settings(linked("plait.bag_of_words"));
    settings.set_stage("from", "words", std::move(arrays)).set("size", int64_t{2});
    AugmenterTest(host, linked("plait.bag_of_words"), settings, {part});
  };
  CHECK_THROWS_WITH(with({mean.c()}, {"text", DType::u8, {9}, 0}),
                    "stage \"words\" makes no array \"key\", only: mean");
  CHECK_THROWS_WITH(with(words.arrays(), {"text", DType::f32, {9}}),
                    "part \"text\" is f32[9], wanted text: u8[bytes]");
  const Words bytes({{"a", 1}});
  TestTensor value_end("value_end", DType::i64, {1});
  auto arrays = bytes.arrays();
  arrays.push_back(value_end.c());
  CHECK_THROWS_WITH(with(arrays, {"text", DType::u8, {9}, 0}),
                    "the values of stage \"words\" are no numbers, wanted pairs of a key and a number");
}

}  // namespace
