// Rows of numbers as other programs write them; headings are told from samples, or asked for.
#include "train/csv_file.h"

#include <doctest/doctest.h>

#include <cmath>

namespace plait::inline train {
namespace {

std::string error_of(const std::string& text, Heading heading = Heading::kAuto) {
  return read_csv(text, "f", heading).status().message();
}
std::vector<float> values_of(const std::string& text, Heading heading = Heading::kAuto) {
  const auto read = read_csv(text, "f", heading);
  REQUIRE_MESSAGE(read.is_ok(), read.status().message());
  return read->values;
}
using Values = std::vector<float>;

TEST_CASE("rows of numbers are read, with and without a heading, whatever ends their lines") {
  for (const std::string mark : {"", "\xef\xbb\xbf"}) {
    for (const std::string heading : {"", "a,b\n", "\"a, or\nb\",b\r\n", "a,b\r"}) {
      for (const std::string end : {"\n", "\r\n", "\r"}) {
        for (const std::string last : {"", "\n"}) {
          const auto read =
              read_csv(mark + heading + "1, 2" + end + end + "  \t" + end + "3,-4.5e1" + last, "f");
          REQUIRE_MESSAGE(read.is_ok(), read.status().message());
          CHECK(read->shape == std::vector<int64_t>{2, 2});
          CHECK(read->values == Values{1, 2, 3, -45});
        }
      }
    }
  }
}

TEST_CASE("numbers are written in many ways, and none of them asks the locale") {
  CHECK(values_of("+1,\"2\", \"3\" ,.5,5.,1E2\n") == Values{1, 2, 3, 0.5f, 5, 100});
  CHECK(values_of("16777217.000000001,0.1,1e-45\n") == Values{16777218, 0.1f, 1e-45f});
  CHECK(values_of("1e-999,-1e-60,0." + std::string(60, '0') + "1,1" + std::string(60, '0') + "e-60\n") ==
        Values{0, -0.0f, 0, 1});
  CHECK(std::signbit(values_of("-1e-60\n")[0]));
}

TEST_CASE("what is no finite number of f32 is named by line and column") {
  CHECK(error_of("1,2\n3,x\n") == "f:2:3: field 2 is \"x\", which is no number");
  CHECK(error_of("1,2\n3,nan\n") == "f:2:3: field 2 is \"nan\", wanted a finite number");
  CHECK(error_of("1,2\n-inf,3\n") == "f:2:1: field 1 is \"-inf\", wanted a finite number");
  CHECK(error_of("1,2\n  1e39,3\n") == "f:2:3: field 1 is \"1e39\", which is too large for f32");
  CHECK(error_of("1,2\n1" + std::string(50, '0') + ",3\n").find("too large for f32") != std::string::npos);
  CHECK(error_of("1,2\n3,\n") == "f:2:3: field 2 is empty, wanted a number");
  CHECK(error_of("1,2\n\xc3\xa9,\xc3\xa9\n") == "f:2:1: field 1 is \"\xc3\xa9\", which is no number");
  CHECK(error_of("1,2\n\n3,0x10\n").find("f:3:3: field 2 is \"0x10\"") == 0);
  CHECK(error_of("1,2\n1 2,3\n").find("f:2:1: field 1 is \"1 2\"") == 0);
  CHECK(error_of("1,2\n++1,3\n").find("f:2:1: ") == 0);
}

TEST_CASE("bytes 0 are no text, wherever they stand: a heading that is passed over holds none either") {
  const std::string wanted = ": a byte 0 (NUL), wanted text in UTF-8: numbers parted by commas";
  const std::string zeros(64, '\0');
  for (const Heading heading : {Heading::kAuto, Heading::kYes, Heading::kNo})
    CHECK(error_of(zeros, heading) == "f:1:1" + wanted);
  CHECK(error_of("\xef\xbb\xbf" + zeros) == "f:1:1" + wanted);
  for (const std::string end : {"\n", "\r\n", "\r"}) {
    CHECK(error_of("1,2" + end + "3,4" + zeros + end) == "f:2:4" + wanted);
    CHECK(error_of("1,2" + end + end + "\"\xc3\xa9" + zeros + "\",4" + end) == "f:3:3" + wanted);
    CHECK(error_of("1,2" + end + zeros) == "f:2:1" + wanted);
  }
}

TEST_CASE("rows of another length and quotes that do not end are named by line") {
  CHECK(error_of("1,2\n3\n") == "f:2:1: 1 fields, wanted 2 as in the first row");
  CHECK(error_of("a,b\n1,2\n3,4,5\n") == "f:3:5: 3 fields, wanted 2 as in the first row");
  CHECK(error_of("a,b,c\n1,2\n").find("f:2:3: 2 fields, wanted 3") == 0);
  CHECK(error_of("1,\"2\n3,4\n") == "f:1:3: a quote that does not end");
  CHECK(error_of("1,\"2\"x\n") == "f:1:6: text behind a field in quotes, wanted a comma");
}

TEST_CASE("a first row with one bad field is a mistake, unless it is said to be a heading") {
  for (const std::string row : {"1,x\n", "1,\n", ",2\n", "x,2\n"}) {
    CHECK(error_of(row + "3,4\n").find("f:1:") == 0);
    CHECK(error_of(row + "3,4\n").find(row[0] == ',' ? "index=False" : "--header yes") != std::string::npos);
    CHECK(values_of(row + "3,4\n", Heading::kYes) == Values{3, 4});
  }
}

TEST_CASE("a heading that counts the columns is none of the samples") {
  std::string heading, row;
  for (int i = 0; i < 9; ++i) heading += (i ? "," : "") + std::to_string(i), row += i ? ",7" : "7";
  std::string note;
  const auto read = read_csv("\xef\xbb\xbf" + heading + "\r\n" + row + "\r\n", "f", Heading::kAuto, &note);
  REQUIRE_MESSAGE(read.is_ok(), read.status().message());
  CHECK(read->shape == std::vector<int64_t>{1, 9});
  CHECK(read->values == Values(9, 7));
  CHECK(note == "f: the first row, 0, 1, 2, ..., is taken for a heading (--header no: it is a sample)");
  CHECK(values_of(heading + "\n" + row + "\n", Heading::kNo).size() == 18);
  CHECK(values_of("0,1\n0.5,2\n3,1.25\n") == Values{0.5f, 2, 3, 1.25f});
  CHECK(values_of("\"10\",\"20\"\n3,4\n") == Values{3, 4});
  CHECK(values_of("\"10\",\"20\"\n\"3\",\"4\"\n") == Values{10, 20, 3, 4});
}

TEST_CASE("a row that counts and may be a sample is asked for") {
  for (const std::string text : {"0,1\n2,3\n", "0,1,2\n", "0\n1\n", "0,1\n0.5,2\n3,4\n"}) {
    CHECK(error_of(text).find("a heading or a sample? --header yes or --header no says which") !=
          std::string::npos);
    CHECK(values_of(text, Heading::kNo)[0] == 0);
  }
  CHECK(values_of("0,1\n2,3\n", Heading::kYes) == Values{2, 3});
  CHECK(values_of("1,2,3\n4,5,6\n").size() == 6);
}

TEST_CASE("other parting marks and encodings are told") {
  CHECK(error_of("1;2\n3;4\n", Heading::kNo).find("fields are parted by commas") != std::string::npos);
  CHECK(error_of("1\t2\n", Heading::kNo).find("fields are parted by commas") != std::string::npos);
  CHECK(error_of(std::string("\xff\xfe\x31\0,\0", 6)).find("UTF-16") != std::string::npos);
}

}  // namespace
}  // namespace plait::inline train
