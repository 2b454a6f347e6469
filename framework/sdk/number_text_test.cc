#include <doctest/doctest.h>
#include <plait/sdk/number_text.hpp>

#include <cmath>
#include <string>

namespace plait::sdk {
namespace {

NumberText kind_of(std::string_view text) {
  float ignored = 0;
  return read_number(text, ignored);
}

TEST_CASE("numbers as programs write them") {
  const std::pair<const char*, float> all[] = {{"0", 0.0F},     {"+1", 1.0F},       {"-2.5", -2.5F},
                                               {".5", 0.5F},    {"3.", 3.0F},       {"1e3", 1000.0F},
                                               {"1E-2", 0.01F}, {"+.5e+1", 5.0F},   {"1e-60", 0.0F},
                                               {"0e999", 0.0F}, {"3.4e38", 3.4e38F}};
  for (const auto& [text, wanted] : all) {
    CAPTURE(text);
    float value = -1;
    CHECK(read_number(text, value) == NumberText::kGood);
    CHECK(value == wanted);
  }
  float zero = 1;
  CHECK(read_number("-1e-60", zero) == NumberText::kGood);
  CHECK(std::signbit(zero));
}

TEST_CASE("what is none, not finite, or too large") {
  for (const char* text : {"", " 1", "1 ", "1,5", "abc", "0x10", "+-1", "++1", "1e", "--1", "."})
    CHECK(kind_of(text) == NumberText::kNone);
  for (const char* text : {"nan", "-nan", "inf", "-inf", "infinity"})
    CHECK(kind_of(text) == NumberText::kNotFinite);
  for (const char* text :
       {"1e39", "-3.5e38", "1e99999999999999999999", "100000000000000000000000000000000000000000"})
    CHECK(kind_of(text) == NumberText::kTooLarge);
}

}  // namespace
}  // namespace plait::sdk
