#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>
#include <plait/sdk/testing_plugin.hpp>

#include <filesystem>
#include <fstream>
#include <functional>

#include "row_file.h"

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

// A folder of its own, gone with the test.
struct Folder {
  std::filesystem::path path;
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "plait_csv_XXXXXX").string();
    if (!mkdtemp(name.data())) throw std::runtime_error("no folder for the test");
    path = name;
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string operator/(const std::string& name) const { return (path / name).string(); }
};

struct Source {
  Folder folder;
  TestHost host;
  Entry entry = linked("plait.csv");
  const plait_source_ops& ops = *static_cast<const plait_source_ops*>(entry.implementation.ops);
  Settings settings{entry};
  void* self = nullptr;
  plait_source_info info{};
  PartsTaken taken;

  explicit Source(const std::string& table) {
    std::ofstream(folder / "t.csv", std::ios::binary) << table;
    settings.set("file", folder / "t.csv");
  }
  Source& open() {
    host.check(ops.open(host.context(), settings.c(), &self));
    info.struct_size = sizeof info;
    host.check(ops.describe(self, host.context(), &info, taken.builder()));
    return *this;
  }
  ~Source() {
    if (self) ops.close(self);
  }
  template <class V>
  std::vector<V> values(int64_t index, size_t part = 0) {
    TestSample sample;
    for (const PartSpec& one : taken.parts) sample.outputs.emplace_back(one);
    host.check(ops.read(self, host.context(), index, sample.c()));
    for (const TestTensor& output : sample.outputs) CHECK(output.intact());
    const auto all = sample.outputs[part].data<V>();
    return {all.begin(), all.end()};
  }
};

using Set = std::function<void(Settings&)>;
void no_change(Settings&) {}

// The message of opening a table; the folder's name is taken out.
std::string failure(const std::string& table, const Set& set = no_change) {
  Source source(table);
  set(source.settings);
  try {
    source.open();
  } catch (const std::runtime_error& error) {
    std::string message = error.what();
    const std::string prefix = source.folder / "";
    for (size_t at; (at = message.find(prefix)) != std::string::npos;) message.erase(at, prefix.size());
    return message;
  }
  return "opened";
}

void no_header(Settings& settings) { settings.set("header", "false"); }

using Floats = std::vector<float>;

TEST_CASE("columns by name and by number, words for classes") {
  Source source("length,width,kind,price\n1.5,2,small,10\n-3e-1,4,large,12.5\n7,8,large,1e3\n");
  source.settings.set("label", "kind").add("targets", "4").add("classes", "small").add("classes", "large");
  source.open();
  CHECK(source.info.count == 3);
  CHECK(source.info.n_classes == 2);
  CHECK(std::string(source.info.class_names[1]) == "large");
  REQUIRE(source.taken.parts.size() == 3);
  CHECK(source.taken.parts[0].name == "x");
  CHECK(source.taken.parts[0].dtype == DType::f32);
  CHECK(source.taken.parts[0].shape == std::vector<int64_t>{2});
  CHECK(source.taken.parts[1].name == "label");
  CHECK(source.taken.parts[2].name == "target");
  CHECK(source.values<float>(1) == Floats{-0.3f, 4});
  CHECK(source.values<int32_t>(1, 1) == std::vector<int32_t>{1});
  CHECK(source.values<int32_t>(0, 1) == std::vector<int32_t>{0});
  CHECK(source.values<float>(2, 2) == Floats{1000});
  CHECK_THROWS_WITH(source.values<float>(3), "record 3 of 3 does not exist");
}

TEST_CASE("inputs in the order in which they are named, several at once, in a shape") {
  Source source("1,2,3,4,5\n");
  source.settings.set("header", "false").set("part", "image").add("inputs", "5").add("inputs", "2-4");
  for (const int64_t extent : {2, 2, 1}) source.settings.add("shape", extent);
  source.open();
  CHECK(source.taken.parts.size() == 1);
  CHECK(source.taken.parts[0].name == "image");
  CHECK(source.taken.parts[0].shape == std::vector<int64_t>{2, 2, 1});
  CHECK(source.values<float>(0) == Floats{5, 2, 3, 4});
}

TEST_CASE("first and limit choose rows, and what follows is not looked at") {
  Source source("a,b\n1,x\n2,3\n4,5\n6\n");
  source.settings.set("first", 1).set("limit", 2);
  source.open();
  CHECK(source.info.count == 2);
  CHECK(source.values<float>(0) == Floats{2, 3});
  CHECK(source.values<float>(1) == Floats{4, 5});
  CHECK(failure("a\n1\n2\n", [](Settings& s) { s.set("first", 2); }) ==
        "t.csv: has no rows after its heading from 2 on");
}

TEST_CASE("labels are counted, and bounded where that is asked for") {
  const auto with = [](int64_t classes) {
    return [classes](Settings& s) { s.set("header", "false").set("label", "1").set("class_count", classes); };
  };
  Source source("3,1\n0,1\n");
  with(0)(source.settings);
  CHECK(source.open().info.n_classes == 4);
  CHECK(failure("3,1\n0,1\n", with(4)) == "opened");
  CHECK(failure("0,1\n\n3,1\n", with(3)) ==
        "t.csv:3:1: field 1 is \"3\", wanted a class number, 0 to 2; names of classes go in the field "
        "classes");
  for (const char* bad : {"-1", "1.0", "", "cat", "99999999999999999999", "0x1"})
    CHECK(failure("0,1\n" + std::string(bad) + ",1\n", with(3)).find("t.csv:2:1: field 1 is ") == 0);
}

TEST_CASE("rows as RFC 4180 and others write them") {
  const std::vector<std::string> same = {
      "a,b\n1,2\n3,4\n",       "a,b\r\n1,2\r\n3,4",
      "a,b\r1,2\r3,4\r",       "\xEF\xBB\xBF\"a\",b\n\n 1 ,\t2\n\n\"3\",\"4\" \n\n",
      "\n\n\"a\",b\n1,2\n3,4", "\"a\",\"b\"\n\"1\",2\n3,4",
      "a,b\n+1,2.\n3e0,.4e1"};
  for (const std::string& text : same) {
    CAPTURE(text);
    Source source(text);
    source.open();
    CHECK(source.info.count == 2);
    CHECK(source.values<float>(0) == Floats{1, 2});
    CHECK(source.values<float>(1) == Floats{3, 4});
  }
}

TEST_CASE("quotes within quotes, separators and ends of lines in them") {
  Source source("\"a \"\"b\"\"\",\"c, d\",\"e\nf\"\n1,2,3\n");
  source.settings.add("inputs", "e\nf").add("inputs", "a \"b\"").add("inputs", "c, d");
  source.open();
  CHECK(source.values<float>(0) == Floats{3, 1, 2});
  CHECK(failure("\"a\nb\",c\n1,x\n") == "t.csv:3:3: field 2 (\"c\") is \"x\", wanted a finite number");
}

TEST_CASE("other separators") {
  for (const auto& [word, text] : std::vector<std::pair<const char*, const char*>>{
           {"semicolon", "1;2;3\n"}, {"tab", "1\t 2\t\"3\"\n"}, {"comma", "1,2\t,3\n"}}) {
    CAPTURE(word);
    Source source(text);
    source.settings.set("header", "false").set("separator", word);
    source.open();
    CHECK(source.values<float>(0) == Floats{1, 2, 3});
  }
  CHECK(failure("1\t\t3\n", [](Settings& s) { s.set("header", "false").set("separator", "tab"); }) ==
        "t.csv:1:3: field 2 is empty, wanted a finite number");
}

TEST_CASE("numbers that are none, with line and column") {
  CHECK(failure("a,b\n1,2\n3,abc\n") == "t.csv:3:3: field 2 (\"b\") is \"abc\", wanted a finite number");
  CHECK(failure("1,nan\n", no_header) == "t.csv:1:3: field 2 is \"nan\", wanted a finite number");
  CHECK(failure("1,-inf\n", no_header) == "t.csv:1:3: field 2 is \"-inf\", wanted a finite number");
  CHECK(failure("1,1e39\n", no_header) ==
        "t.csv:1:3: field 2 is \"1e39\", wanted a number that f32 can hold");
  CHECK(failure("1,1e-60\n", no_header) == "opened");
  CHECK(failure("1,\n", no_header) == "t.csv:1:3: field 2 is empty, wanted a finite number");
  CHECK(failure("\xC3\xA9,b\n\"\xC3\xA9\xC3\xA9\",1\n").find("t.csv:2:1: field 1 (\"\xC3\xA9\") is") == 0);
}

TEST_CASE("rows of another width") {
  CHECK(failure("a,b\n1,2\n\n3\n") == "t.csv:4:1: 1 fields, wanted 2 as in the first row");
  CHECK(failure("a,b\n1,2\n3,4,5\n") == "t.csv:3:5: 3 fields, wanted 2 as in the first row");
}

TEST_CASE("columns that are not there, or not one") {
  const auto inputs = [](const char* words) { return [words](Settings& s) { s.add("inputs", words); }; };
  const std::string table = "a,b,b,3-4\n1,2,3,4\n";
  CHECK(failure(table, inputs("c")) ==
        "t.csv has no column \"c\", wanted a name of its heading, or a number of 1 to 4");
  CHECK(failure(table, inputs("0")).find("t.csv has no column \"0\"") == 0);
  CHECK(failure(table, inputs("5")).find("t.csv has no column \"5\"") == 0);
  CHECK(failure(table, inputs("3-1")).find("t.csv has no column \"3-1\"") == 0);
  CHECK(failure(table, inputs("1-99999999999999999999")).find("t.csv has no column") == 0);
  CHECK(failure(table, inputs("b")) == "t.csv: two columns are called \"b\"; say their numbers, from 1 on");
  CHECK(failure(table, inputs("3-4")) == "opened");
  CHECK(failure(table, [](Settings& s) { s.set("label", "1-2"); }) ==
        "t.csv: \"1-2\" are 2 columns, wanted one");
  CHECK(failure("a\n1\n", [](Settings& s) { s.set("label", "a"); }) == "t.csv: no column is left for inputs");
  CHECK(failure(table, [](Settings& s) { s.add("shape", 3); }) ==
        "t.csv: shape [3] has 3 elements, but there are 4 inputs");
}

TEST_CASE("fields that do not go together") {
  CHECK(failure("a\n1\n", [](Settings& s) { s.add("classes", "u"); }) ==
        "there are classes, but no column label");
  CHECK(failure("a,b\n1,1\n", [](Settings& s) {
          s.set("label", "a").set("class_count", 2).add("classes", "u");
        }) == "classes and class_count both say how many there are: wanted one");
  CHECK(failure("a,b\n1,1\n", [](Settings& s) {
          s.set("label", "a").add("classes", "u").add("classes", "u");
        }) == "classes has \"u\" twice");
  CHECK(failure("a,b\nv,1\n", [](Settings& s) { s.set("label", "a").add("classes", "u"); }) ==
        "t.csv:2:1: field 1 (\"a\") is \"v\", wanted one of classes");
  CHECK(failure("a\n1\n", [](Settings& s) { s.set("part", "target"); }) ==
        "part is \"target\", wanted a name besides label and target");
}

TEST_CASE("text that is none") {
  CHECK(failure("") == "t.csv: has no rows");
  CHECK(failure("\n\n") == "t.csv: has no rows");
  CHECK(failure("a,b\n") == "t.csv: has no rows after its heading");
  CHECK(failure("\xFF\xFE"
                "a") == "t.csv: the text is UTF-16, wanted UTF-8");
  CHECK(failure("a\n1\xFF\n") == "t.csv:2:1: byte 2 of the field is not UTF-8, \"\\xff\"");
  CHECK(failure(std::string("a\n1\0\n", 5)) == "t.csv:2:2: a byte 0 (NUL), wanted text in UTF-8");
  CHECK(failure("a\n\"1\n2\n") == "t.csv:2:1: a quote that does not end");
  CHECK(failure("a,b\n\"1\"2,3\n") == "t.csv:2:4: text after a field in quotes, wanted the end of the field");
  CHECK(failure(std::string((1 << 20) + 1, 'x')) == "t.csv:1:1: a field of more than 1048576 bytes");
  CHECK(failure(std::string(1 << 20, ',')) == "t.csv:1:1048577: more than 1048576 fields in a row");
}

// Pieces of the reader end at every place of a row.
TEST_CASE("rows over the ends of pieces") {
  std::string text;
  for (int i = 0; i < 40000; ++i) text += std::to_string(i) + (i % 3 ? ",\"1\"\r\n" : ",\t-2 \n");
  Source source(text);
  source.settings.set("header", "false");
  source.open();
  REQUIRE(source.info.count == 40000);
  for (int64_t i = 0; i < 40000; ++i) {
    const Floats wanted = {static_cast<float>(i), i % 3 ? 1.0f : -2.0f};
    if (source.values<float>(i) != wanted) FAIL("row " << i);
  }
  CHECK(failure(text + "x,1", no_header) == "t.csv:40001:1: field 1 is \"x\", wanted a finite number");
}

TEST_CASE("a table cut or altered anywhere is read or refused in words") {
  const std::string table = "\"a\",b\r\n1,\"2\"\n3,4.5e1\n";
  for (size_t at = 0; at < table.size(); ++at) {
    CHECK_FALSE(failure(table.substr(0, at)).empty());
    for (const char other : {'"', ',', '\n', '\0', '\xFF', '9'}) {
      std::string changed = table;
      changed[at] = other;
      const std::string said = failure(changed);
      CHECK((said == "opened" || said.find("t.csv") == 0));
    }
  }
}

TEST_CASE("a pipe, a device, a folder, and what is not there are refused at once") {
  const Folder folder;
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  for (const std::string& path :
       {folder / "pipe", std::string("/dev/zero"), folder.path.string(), folder / "none"}) {
    CAPTURE(path);
    Source source("");
    source.settings.set("file", path);
    CHECK_THROWS(source.open());
    CHECK(source.host.code == (path == folder / "none" ? PLAIT_ERROR_NOT_FOUND : PLAIT_ERROR_IO));
    CHECK(source.host.message.find(path) == 0);
  }
}

// ---- header: auto

void finds_header(Settings& settings) { settings.set("header", "auto"); }

// All numbers of a table whose heading, if any, was found out, or said.
Floats found(const std::string& table, const char* header = "auto") {
  Source source(table);
  source.settings.set("header", header);
  source.open();
  Floats all;
  for (int64_t row = 0; row < source.info.count; ++row)
    for (const float value : source.values<float>(row)) all.push_back(value);
  return all;
}

TEST_CASE("a heading is told from rows of numbers, whatever ends the lines") {
  for (const std::string mark : {"", "\xef\xbb\xbf"})
    for (const std::string heading : {"", "a,b\n", "\"a, or\nb\",b\r\n", "a,b\r"})
      for (const std::string end : {"\n", "\r\n", "\r"})
        for (const std::string last : {"", "\n"})
          CHECK(found(mark + heading + "1, 2" + end + end + "  \t" + end + "3,-4.5e1" + last) ==
                Floats{1, 2, 3, -45});
}

TEST_CASE("a heading that counts the columns is no record") {
  std::string heading, row;
  for (int i = 0; i < 9; ++i) heading += (i ? "," : "") + std::to_string(i), row += i ? ",7" : "7";
  CHECK(found("\xef\xbb\xbf" + heading + "\r\n" + row + "\r\n") == Floats(9, 7));
  CHECK(found(heading + "\n" + row + "\n", "false").size() == 18);
  CHECK(found("0,1\n0.5,2\n3,1.25\n") == Floats{0.5f, 2, 3, 1.25f});
  CHECK(found("\"10\",\"20\"\n3,4\n") == Floats{3, 4});
  CHECK(found("\"10\",\"20\"\n\"3\",\"4\"\n") == Floats{10, 20, 3, 4});
  CHECK(found("1,2,3\n4,5,6\n").size() == 6);
}

TEST_CASE("a row that counts and may be a record is asked for") {
  for (const std::string text : {"0,1\n2,3\n", "0,1,2\n", "0\n1\n", "0,1\n0.5,2\n3,4\n"}) {
    CAPTURE(text);
    CHECK(
        failure(text, finds_header).find("a heading or a record? header: true or header: false says which") !=
        std::string::npos);
    CHECK(found(text, "false")[0] == 0);
  }
  CHECK(failure("\n0,1\n2,3\n", finds_header).find("t.csv:2:1: the first row is 0, 1: a heading or") == 0);
  CHECK(found("0,1\n2,3\n", "true") == Floats{2, 3});
}

TEST_CASE("a first row with one bad field is a mistake, unless it is said to be a heading") {
  for (const std::string row : {"1,x\n", "1,\n", ",2\n", "x,2\n"}) {
    CAPTURE(row);
    const std::string said = failure(row + "3,4\n", finds_header);
    CHECK(said.find("t.csv:1:") == 0);
    CHECK(said.find(row[0] == ',' ? "index=False" : "header: true") != std::string::npos);
    CHECK(found(row + "3,4\n", "true") == Floats{3, 4});
  }
  CHECK(failure("1;2\n3;4\n", finds_header).find("separator says which") != std::string::npos);
  CHECK(failure("1,2\n3,x\n", finds_header) == "t.csv:2:3: field 2 is \"x\", wanted a finite number");
}

TEST_CASE("bytes 0 are no text, in a heading that is passed over either") {
  const std::string zeros(64, '\0');
  for (const char* header : {"true", "false", "auto"}) {
    const auto set = [&](Settings& settings) { settings.set("header", header); };
    CHECK(failure(zeros, set) == "t.csv:1:1: a byte 0 (NUL), wanted text in UTF-8");
    CHECK(failure("1,2\n3,4" + zeros + "\n", set) == "t.csv:2:4: a byte 0 (NUL), wanted text in UTF-8");
  }
}

TEST_CASE("names of columns are there where a heading was found, and numbers where none was") {
  Source named("a,b\n1,2\n"), plain("1,2\n");
  named.settings.set("header", "auto").add("inputs", "b");
  plain.settings.set("header", "auto").add("inputs", "2");
  CHECK(named.open().values<float>(0) == Floats{2});
  CHECK(plain.open().values<float>(0) == Floats{2});
  CHECK(failure("1,2\n", [](Settings& s) { s.set("header", "auto").add("inputs", "b"); }) ==
        "t.csv has no column \"b\", wanted a number of 1 to 2");
}

TEST_CASE("bytes where they are asked for, and no number that a byte cannot hold") {
  Source source("0,255\n1.0,2e1\n");
  source.settings.set("header", "false").set("dtype", "u8");
  source.open();
  CHECK(source.taken.parts[0].dtype == DType::u8);
  CHECK(source.values<uint8_t>(0) == std::vector<uint8_t>{0, 255});
  CHECK(source.values<uint8_t>(1) == std::vector<uint8_t>{1, 20});
  for (const char* bad : {"256", "-1", "0.5"})
    CHECK(failure("1,2\n3," + std::string(bad) + "\n", [](Settings& s) {
            s.set("header", "false").set("dtype", "u8");
          }) == "t.csv:2:3: field 2 is \"" + std::string(bad) + "\", wanted a whole number of 0 to 255");
}

}  // namespace
