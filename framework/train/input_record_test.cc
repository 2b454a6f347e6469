// What a run keeps of its input comes back, and what was damaged is refused.
#include "train/input_record.h"

#include <doctest/doctest.h>

#include <cmath>

#include "base/files.h"

namespace plait::inline train {
namespace {

InputRecord sample_record() {
  InputRecord input;
  input.parts = {{"image", PLAIT_U8, {28, 28, 1}, -1}, {"words", PLAIT_I32, {40}, 0}};
  input.classes = 2;
  input.class_names = {"cat", "d\xc3\xb6g, \"x\""};
  input.fits = {{}, {0.1, -0.0, NAN, 1e300}};
  input.fitted_types = {"plait.normalize", "acme.whiten"};
  return input;
}

TEST_CASE("an input record comes back to the bit") {
  const std::string text = to_text(sample_record());
  const auto read = input_record_of(text, "f");
  REQUIRE_MESSAGE(read.is_ok(), read.status().message());
  CHECK(read->parts == sample_record().parts);
  CHECK(read->class_names == sample_record().class_names);
  CHECK(read->classes == 2);
  CHECK(read->fitted_types == sample_record().fitted_types);
  REQUIRE(read->fits.size() == 2);
  CHECK(read->fits[1][0] == 0.1);
  CHECK(std::signbit(read->fits[1][1]));
  CHECK(std::isnan(read->fits[1][2]));
  CHECK(to_text(*read) == text);
}

TEST_CASE("a changed digit, name or number is noticed wherever it is, and so is every cut") {
  const std::string text = to_text(sample_record());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == ' ' || text[i] == '\n') continue;
    std::string changed = text;
    changed[i] = text[i] == '1' ? '2' : '1';
    CAPTURE(i);
    CHECK_FALSE(input_record_of(changed, "f").is_ok());
  }
  for (size_t n = 0; n + 1 < text.size(); ++n)
    CHECK(input_record_of(text.substr(0, n), "f").status().code() == Code::kCorrupt);
  CHECK(input_record_of("[]", "f").status().message().starts_with("f: damaged, "));
}

TEST_CASE("a newer version is told from damage") {
  std::string text = to_text(sample_record());
  const std::string mark = "\"version\": 1";
  text.replace(text.find(mark), mark.size(), "\"version\": 2");
  CHECK(input_record_of(text, "f").status().message() == "f: version 2, this Plait reads 1");
}

TEST_CASE("a run without a record has none; one for other operators is refused") {
  MemoryFiles files;
  REQUIRE(files.make_directories("run").is_ok());
  Job job;
  const auto none = read_input_record(files, "run", job);
  REQUIRE(none.is_ok());
  CHECK_FALSE(none->has_value());
  REQUIRE(files.write_atomically("run/input.json", to_text(sample_record())).is_ok());
  CHECK(read_input_record(files, "run", job).status().message().find("acme.whiten with a pass over") !=
        std::string::npos);
}

}  // namespace
}  // namespace plait::inline train
