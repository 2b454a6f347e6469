#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>
#include <plait/sdk/testing_plugin.hpp>

#include <filesystem>
#include <fstream>
#include <optional>

#include "line_file.h"

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

// A folder of its own, gone with the test.
struct Folder {
  std::filesystem::path path;
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "plait_text_lines_XXXXXX").string();
    if (!mkdtemp(name.data())) throw std::runtime_error("no folder for the test");
    path = name;
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string operator/(const std::string& name) const { return (path / name).string(); }
};

void write(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

struct Record {
  std::string text;
  std::optional<int32_t> label;
  bool operator==(const Record&) const = default;
};

struct Source {
  TestHost host;
  Entry entry = linked("plait.text_lines");
  const plait_source_ops& ops = *static_cast<const plait_source_ops*>(entry.implementation.ops);
  Settings settings{entry};
  void* self = nullptr;
  plait_source_info info{};
  PartsTaken taken;

  explicit Source(const std::string& path, int label_column = 0, int max_bytes = 65536) {
    settings.set("file", path).set("label_column", label_column).set("max_bytes", max_bytes);
    host.check(ops.open(host.context(), settings.c(), &self));
    info.struct_size = sizeof info;
    host.check(ops.describe(self, host.context(), &info, taken.builder()));
  }
  ~Source() {
    if (self) ops.close(self);
  }
  Record record(int64_t index) { return read(host, index); }
  Record read(TestHost& by, int64_t index) {
    TestSample sample;
    for (const PartSpec& part : taken.parts) sample.outputs.emplace_back(part);
    by.check(ops.read(self, by.context(), index, sample.c()));
    for (const TestTensor& output : sample.outputs) CHECK(output.intact());
    Record record;
    record.text.assign(static_cast<const char*>(sample.outputs[0].view().raw()),
                       static_cast<size_t>(sample.lengths_out[0]));
    if (sample.outputs.size() > 1) record.label = sample.outputs[1].data<int32_t>()[0];
    return record;
  }
  std::vector<std::string> texts() {
    std::vector<std::string> all;
    for (int64_t i = 0; i < info.count; ++i) all.push_back(record(i).text);
    return all;
  }
};

std::vector<std::string> lines_of(const std::string& bytes) {
  const Folder folder;
  write(folder / "lines", bytes);
  return Source(folder / "lines").texts();
}

// The message of reading line `index`; the folder's name is taken out.
std::string failure(const std::string& bytes, int64_t index, int label_column = 0, int max_bytes = 65536) {
  const Folder folder;
  write(folder / "lines", bytes);
  Source source(folder / "lines", label_column, max_bytes);
  try {
    source.record(index);
  } catch (const std::runtime_error& error) {
    CHECK(source.host.code == PLAIT_ERROR_CORRUPT);
    return std::string(error.what()).substr((folder / "").size());
  }
  return "read";
}

using Lines = std::vector<std::string>;

TEST_CASE("lines end with \\n, a \\r before it goes, the last one may lack it") {
  CHECK(lines_of("a\nbc\n") == Lines{"a", "bc"});
  CHECK(lines_of("a\nbc") == Lines{"a", "bc"});
  CHECK(lines_of("a\r\n\r\nb\rc\r\r\n") == Lines{"a", "", "b\rc\r"});
  CHECK(lines_of("\n\n") == Lines{"", ""});
  CHECK(lines_of("a\r") == Lines{"a\r"});  // the end of the file is no end of a line
  CHECK(lines_of("caf\xC3\xA9") == Lines{"caf\xC3\xA9"});
}

TEST_CASE("a byte order mark is passed over at the beginning of the file, and nowhere else") {
  const std::string mark = "\xEF\xBB\xBF";
  CHECK(lines_of(mark + "a\nb\n") == Lines{"a", "b"});
  CHECK(lines_of(mark + "\n" + mark + "b") == Lines{"", mark + "b"});
  CHECK(lines_of("a" + mark + "\nb") == Lines{"a" + mark, "b"});
  CHECK_THROWS_WITH(lines_of(mark), doctest::Contains("has no lines"));
  CHECK(failure(mark + "12345678\n", 0, 0, 8) == "read");
  CHECK(failure("\xEF\xBB", 0) == "lines: line 1 is not UTF-8 at byte 1 of it, \"\\xef\"");
  const Folder folder;
  write(folder / "lines", mark + "7\tto be\n8\tor\n");
  CHECK(Source(folder / "lines", 1).record(0) == Record{"to be", 7});
  CHECK(Source(folder / "lines", 1).record(1) == Record{"or", 8});
}

TEST_CASE("what a source of lines says of itself") {
  const Folder folder;
  write(folder / "lines", "1\ta\n2\tb\n3\tc");
  Source plain(folder / "lines", 0, 100), labelled(folder / "lines", 1);
  CHECK(plain.info.count == 3);
  CHECK(plain.info.random_access == 1);
  REQUIRE(plain.taken.parts.size() == 1);
  CHECK(plain.taken.parts[0].name == "text");
  CHECK(plain.taken.parts[0].dtype == DType::u8);
  CHECK(plain.taken.parts[0].shape == std::vector<int64_t>{100});
  CHECK(plain.taken.parts[0].variable_axis == 0);
  REQUIRE(labelled.taken.parts.size() == 2);
  CHECK(labelled.taken.parts[1].name == "label");
  CHECK(labelled.taken.parts[1].dtype == DType::i32);
  CHECK(labelled.taken.parts[1].shape.empty());
}

TEST_CASE("the label's column is cut out of the line, with one tab") {
  const Folder folder;
  write(folder / "lines", "7\tto be\tor\n-3\t\t\n");
  CHECK(Source(folder / "lines", 1).record(0) == Record{"to be\tor", 7});
  CHECK(Source(folder / "lines", 1).record(1) == Record{"\t", -3});
  write(folder / "lines", "a\t8\tb\r\na\t9\n");
  CHECK(Source(folder / "lines", 2).record(0) == Record{"a\tb", 8});
  CHECK(Source(folder / "lines", 2).record(1) == Record{"a", 9});
  write(folder / "lines", "a\t\t5\n6");
  CHECK(Source(folder / "lines", 3).record(0) == Record{"a\t", 5});
  CHECK(Source(folder / "lines", 1).record(1) == Record{"", 6});
}

TEST_CASE("labels that are none") {
  CHECK(failure("1\ta\nb", 1, 1) ==
        "lines: line 2 has \"b\" in column 1, wanted a whole number, -2147483648 to 2147483647");
  CHECK(failure("1.5\ta", 0, 1).find("lines: line 1 has \"1.5\" in column 1, wanted") == 0);
  CHECK(failure("2147483648\ta", 0, 1).find("lines: line 1 has \"2147483648\" in column 1, wanted") == 0);
  CHECK(failure("\ta", 0, 1).find("lines: line 1 has \"\" in column 1, wanted") == 0);
  CHECK(failure("a\tb", 0, 3) == "lines: line 1 has 2 columns, wanted the label in column 3");
}

TEST_CASE("bad UTF-8 names line and byte, and no other line suffers") {
  CHECK(failure("good\nno\xFFt\ngood", 1) == "lines: line 2 is not UTF-8 at byte 3 of it, \"\\xff\"");
  CHECK(failure("good\nno\xFFt\ngood", 0) == "read");
  CHECK(failure("good\nno\xFFt\ngood", 2) == "read");
  CHECK(failure("\xC3\n\xA9", 0) == "lines: line 1 is not UTF-8 at byte 1 of it, \"\\xc3\"");
}

TEST_CASE("a line may be as long as max_bytes; longer ones name got and wanted") {
  CHECK(failure("12345678\n12345678\r\n12345678", 0, 0, 8) == "read");
  CHECK(failure("12345678\n12345678\r\n12345678", 1, 0, 8) == "read");
  CHECK(failure("12345678\n12345678\r\n12345678", 2, 0, 8) == "read");
  CHECK(failure("123456789\n", 0, 0, 8) == "lines: line 1 has 9 bytes, wanted at most 8");
  CHECK(failure("1234567\r\r\n", 0, 0, 8) == "read");
  CHECK(failure("12345678\r", 0, 0, 8) == "lines: line 1 has 9 bytes, wanted at most 8");
  CHECK(failure("a\n" + std::string(3'000'000, 'x') + "\nb", 1).find("lines: line 2 has 30000") == 0);
  CHECK(failure("a\n" + std::string(3'000'000, 'x') + "\nb", 2) == "read");
}

// Lines of all lengths: blocks within one piece of reading, over several, and lines longer than one.
TEST_CASE("thousands of lines, forwards, backwards and at random, as cut by hand") {
  for (const size_t longest : {3, 300, 20'000, 600'000}) {
    CAPTURE(longest);
    Random random(longest, 0);
    const int64_t count = longest > 10'000 ? 200 : 5'000;
    Lines expected;
    std::string bytes;
    for (int64_t i = 0; i < count; ++i) {
      expected.emplace_back(static_cast<size_t>(random.integer(0, static_cast<int64_t>(longest))),
                            static_cast<char>('a' + i % 26));
      bytes += expected.back() + (i % 3 == 0 ? "\r\n" : "\n");
    }
    const Folder folder;
    write(folder / "lines", bytes);
    Source source(folder / "lines", 0, static_cast<int>(longest));
    REQUIRE(source.info.count == count);
    for (int64_t i = 0; i < count; ++i)
      if (source.record(i).text != expected[static_cast<size_t>(i)]) FAIL("line " << i);
    for (int64_t i = count; i-- > 0;)
      if (source.record(i).text != expected[static_cast<size_t>(i)]) FAIL("line " << i << ", backwards");
    for (int n = 0; n < 200; ++n) {
      const int64_t i = random.integer(0, count - 1);
      if (source.record(i).text != expected[static_cast<size_t>(i)]) FAIL("line " << i << ", at random");
    }
  }
}

TEST_CASE("several threads and several files at once") {
  const Folder folder;
  std::string a, b;
  for (int i = 0; i < 2000; ++i) {
    a += "a" + std::to_string(i) + "\n";
    b += "b" + std::to_string(i * i) + "\n";
  }
  write(folder / "a", a);
  write(folder / "b", b);
  Source first(folder / "a"), second(folder / "b");
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      TestHost host;
      for (int i = t % 2; i < 2000; ++i) {
        wrong += first.read(host, i).text != "a" + std::to_string(i);
        if (i % 7 == 0) wrong += second.read(host, i).text != "b" + std::to_string(i * i);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
}

TEST_CASE("what is not there, is empty, or is no file") {
  const Folder folder;
  write(folder / "empty", "");
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  CHECK_THROWS_WITH(Source(folder / "empty"), (folder / "empty" + " has no lines").c_str());
  CHECK_THROWS_WITH(Source(folder / "none"),
                    (folder / "none" + " cannot be opened: No such file or directory").c_str());
  CHECK_THROWS_WITH(Source(folder / "pipe"), (folder / "pipe" + " is a pipe, wanted a regular file").c_str());
}

TEST_CASE("a file that is cut or written to while it is open is an error, not the end of the process") {
  const Folder folder;
  std::string bytes;
  for (int i = 0; i < 1000; ++i) bytes += "line " + std::to_string(i) + "\n";
  write(folder / "lines", bytes);
  Source source(folder / "lines");
  const std::string changed =
      folder / "lines" + " is no longer the file that was opened: others must not write to it meanwhile";
  std::filesystem::resize_file(folder / "lines", bytes.size() / 2);
  CHECK(source.record(0).text == "line 0");
  CHECK_THROWS_WITH(source.record(999), changed.c_str());
  CHECK(source.host.code == PLAIT_ERROR_IO);
  write(folder / "lines", std::string(bytes.size(), '\n'));
  CHECK_THROWS_WITH(source.record(500), changed.c_str());
  write(folder / "lines", std::string(bytes.size(), 'x'));
  CHECK_THROWS_WITH(source.record(999), changed.c_str());
  write(folder / "lines", bytes);
  CHECK(source.record(999).text == "line 999");
}

}  // namespace
