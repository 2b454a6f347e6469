#include <doctest/doctest.h>
#include <plait/sdk/testing_plugin.hpp>

#include <functional>
#include <string>

#include "white_space.h"

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

using Keys = std::vector<std::string>;

// The keys that are emitted for records of these texts. All values are 1.
Keys keys_of(
    const Keys& texts, const std::function<void(Settings&)>& set = [](Settings&) {}, int64_t first = 0) {
  TestHost host;
  const Entry entry = linked("plait.count_words");
  Settings settings(entry);
  set(settings);
  size_t longest = 1;
  for (const std::string& text : texts) longest = std::max(longest, text.size());
  TaskTest task(host, entry, settings, {{"text", DType::u8, {static_cast<int64_t>(longest)}, 0}});
  CHECK(task.emits == Value::kI64);
  std::vector<std::vector<std::string>> records;
  for (const std::string& text : texts) records.push_back({text});
  task.map(records, first);
  Keys keys;
  for (const auto& [key, value] : task.out.pairs) {
    CHECK(value_as<int64_t>(value) == 1);
    keys.push_back(key);
  }
  return keys;
}

// Obviously right.
Keys words_of(const std::string& text) {
  Keys words(1);
  for (const char letter : text) {
    if (std::string(" \t\n\v\f\r").find(letter) == std::string::npos)
      words.back() += letter;
    else if (!words.back().empty())
      words.emplace_back();
  }
  if (words.back().empty()) words.pop_back();
  return words;
}

TEST_CASE("by hand: words in their order, whatever white space is between them") {
  CHECK(keys_of({"to be or not to be"}) == Keys{"to", "be", "or", "not", "to", "be"});
  CHECK(keys_of({"  a\t\tb\r\n\v\fc  ", "", "   ", "d"}) == Keys{"a", "b", "c", "d"});
  CHECK(keys_of({"It's, \"so\"."}) == Keys{"It's,", "\"so\"."});
  // Neither a zero nor a byte of UTF-8 is white space: not U+0085, U+00A0 or U+2003.
  CHECK(keys_of({std::string("a\0b", 3)}) == Keys{std::string("a\0b", 3)});
  CHECK(keys_of({"a\xC2\x85\xC2\xA0\xE2\x80\x83z \x08\x0E\x1F!"}) ==
        Keys{"a\xC2\x85\xC2\xA0\xE2\x80\x83z", "\x08\x0E\x1F!"});
}

TEST_CASE("lower_case folds A to Z alone") {
  const auto fold = [](Settings& s) { s.set("lower_case", true); };
  CHECK(keys_of({"The QUICK brown", "@AZ[`az{"}, fold) == Keys{"the", "quick", "brown", "@az[`az{"});
  CHECK(keys_of({"\xC3\x89TE \xC3\xA9t\xC3\xA9"}, fold) == Keys{"\xC3\x89te", "\xC3\xA9t\xC3\xA9"});
  CHECK(keys_of({"The"}) == Keys{"The"});
}

TEST_CASE("ngram joins words by one space, and never beyond a record") {
  const auto pairs = [](Settings& s) { s.set("ngram", 2); };
  CHECK(keys_of({" to  be\tor not", "alone", "", "a b"}, pairs) == Keys{"to be", "be or", "or not", "a b"});
  const auto threes = [](Settings& s) { s.set("ngram", 3).set("lower_case", true); };
  CHECK(keys_of({"A B c D E", "a b"}, threes) == Keys{"a b c", "b c d", "c d e"});
}

TEST_CASE("agrees with the obvious loop on words and gaps of every length at every place") {
  for (const size_t longest : {1, 2, 5, 20, 63, 64, 65, 200}) {
    Random random(longest, 1);
    for (int n = 0; n < 400; ++n) {
      std::string text;
      const auto size = static_cast<size_t>(random.integer(0, 400));
      while (text.size() < size) {
        text.append(static_cast<size_t>(random.integer(0, static_cast<int64_t>(longest))), 'x');
        text.append(static_cast<size_t>(random.integer(0, static_cast<int64_t>(longest))),
                    " \t\n\v\f\r"[random.integer(0, 5)]);
      }
      text.resize(size, 'y');
      Keys found;
      plait::count_words::each_word(text, [&](std::string_view word) { found.emplace_back(word); });
      if (found != words_of(text)) FAIL("text \"" << text << "\"");
    }
  }
}

TEST_CASE("records that are cut into other calls give the same") {
  const Keys texts = {"a b", "c d e", "", "f"};
  Keys one_by_one;
  for (const std::string& text : texts)
    for (const std::string& key : keys_of({text})) one_by_one.push_back(key);
  CHECK(keys_of(texts) == one_by_one);
}

TEST_CASE("a key of 65536 bytes is taken, a longer one names the record") {
  const std::string most(65536, 'x');
  CHECK(keys_of({most}) == Keys{most});
  CHECK_THROWS_WITH(keys_of(
                        {"a", most + "x"}, [](Settings&) {}, 40),
                    "record 41 has a word of 65537 bytes, \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...\", "
                    "wanted at most 65536");
  const auto pairs = [](Settings& s) { s.set("ngram", 2); };
  CHECK_THROWS_WITH(keys_of({most + " x"}, pairs),
                    "record 0 has words of 65538 bytes, \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...\", "
                    "wanted at most 65536");
}

TEST_CASE("stops when the host refuses a pair, or the work is not wanted") {
  TestHost host;
  const Entry entry = linked("plait.count_words");
  TaskTest task(host, entry, Settings(entry), {{"text", DType::u8, {10}, 0}});
  task.out.most = 2;
  CHECK_THROWS(task.map({{"a b c d"}}));
  CHECK(task.out.pairs.size() == 2);
  task.out.most = SIZE_MAX;
  host.cancel = true;
  CHECK_THROWS_WITH(task.map(std::vector<std::vector<std::string>>(3000, {"a"})), "cancelled");
}

TEST_CASE("records without text are refused in words") {
  TestHost host;
  const Entry entry = linked("plait.count_words");
  const auto try_on = [&](const std::vector<PartSpec>& parts) {
    TaskTest(host, entry, Settings(entry), parts);
  };
  CHECK_THROWS_WITH(try_on({{"image", DType::u8, {4}}}), "the sample has no part \"text\", only: image");
  CHECK_THROWS_WITH(try_on({{"text", DType::f32, {4}}}), "part \"text\" is f32[4], wanted text: u8[bytes]");
  CHECK_THROWS_WITH(try_on({{"text", DType::u8, {4, 4}}}),
                    "part \"text\" is u8[4, 4], wanted text: u8[bytes]");
  TaskTest(host, entry, Settings(entry).set("part", "body"),
           {{"text", DType::f32, {}}, {"body", DType::u8, {9}}});
}

TEST_CASE("what sums up the ones where a file says nothing") {
  const auto& rules = *static_cast<const plait_task_rules*>(linked("plait.count_words").type.rules);
  CHECK(std::string(rules.combiner) == "plait.partial_sum");
  CHECK(std::string(rules.reducer) == "plait.sum");
}

}  // namespace
