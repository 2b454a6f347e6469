// Which source opens a file that a person names, what it is told, and what is refused.
#include "train/given_file.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <plait/sdk.hpp>
#include <plait/sdk/file.hpp>
#include <plait/sdk/given_file.hpp>

#include "registry/endings.h"
#include "registry/instance.h"

namespace plait::inline train {
namespace {

// Bytes after a mark: "ROWS", how many bytes a record has, and these.
struct Rows {
  std::string file, part = "x";
  std::vector<int64_t> shape;
  std::string bytes;

  static void describe(sdk::Describe<Rows>& d) {
    d.doc("records of bytes");
    d.field("file", &Rows::file).doc("the file").path().required();
    d.field("part", &Rows::part).doc("name of the part");
    d.field("shape", &Rows::shape).doc("extents");
  }
  void open(sdk::Context&) {
    bytes = sdk::File(file).read_all(1 << 20);
    if (!bytes.starts_with("ROWS") || bytes.size() < 6) throw sdk::CorruptFile(file, ": wanted ROWS");
  }
  int64_t width() const { return bytes[4] - '0'; }
  sdk::SourceInfo info() const {
    sdk::SourceInfo info;
    info.count = (static_cast<int64_t>(bytes.size()) - 5) / width();
    info.parts.add(part, sdk::DType::u8, shape.empty() ? own_shape() : shape);
    return info;
  }
  // "ROWS6" is of two axes.
  std::vector<int64_t> own_shape() const {
    return width() == 6 ? std::vector<int64_t>{2, 3} : std::vector<int64_t>{width()};
  }
  void read(sdk::Context&, int64_t, sdk::SampleCall& call) const { call.output(part).data<uint8_t>()[0] = 1; }
};

enum class Dtype { kF32, kU8 };
enum class Header { kTrue, kFalse, kAuto };

// Says what it was told, and opens nothing.
struct Table {
  std::string path, part = "x";
  std::vector<int64_t> extents;
  Dtype dtype = Dtype::kF32;
  Header header = Header::kTrue;

  static void describe(sdk::Describe<Table>& d) {
    d.doc("a table");
    d.field("path", &Table::path).doc("the file").path().required();
    d.field("part", &Table::part).doc("name of the part");
    d.field("extents", &Table::extents).doc("extents");
    d.field("dtype", &Table::dtype).doc("type").choices({"f32", "u8"});
    d.field("header", &Table::header).doc("heading").choices({"true", "false", "auto"});
  }
  void open(sdk::Context&) const { throw sdk::CorruptFile(path, ":1:1: opened"); }
  sdk::SourceInfo info() const { return {}; }
  void read(sdk::Context&, int64_t, sdk::SampleCall&) const {}
};

// Each line's bytes.
struct Lines {
  std::string file;
  int64_t longest = 99;

  static void describe(sdk::Describe<Lines>& d) {
    d.doc("lines");
    d.field("file", &Lines::file).doc("the file").path().required();
    d.field("longest", &Lines::longest).doc("longest line");
  }
  void open(sdk::Context&) const {}
  sdk::SourceInfo info() const {
    sdk::SourceInfo info;
    info.count = 1;
    info.parts.add("text", sdk::DType::u8, {longest}, 0);
    return info;
  }
  void read(sdk::Context&, int64_t, sdk::SampleCall&) const {}
};

constexpr const char* kLineEndings[] = {".lines", ".a-line"};
constexpr const char* kRowEndings[] = {".rows", ".more.rows"};
constexpr const char* kTableEndings[] = {".table", ".both"};
constexpr const char* kOtherEndings[] = {".both"};
constexpr sdk::GivenFiles kRows = {
    .endings = kRowEndings, .magic = "ROWS", .file = "file", .part = "part", .shape = "shape"};
constexpr sdk::GivenFiles kTable = {.endings = kTableEndings,
                                    .table = true,
                                    .file = "path",
                                    .part = "part",
                                    .shape = "extents",
                                    .dtype = "dtype",
                                    .heading = "header"};
constexpr sdk::GivenFiles kLines = {
    .endings = kLineEndings, .file = "file", .shape = "longest", .lines = true};
// Its part is what it is.
constexpr sdk::GivenFiles kPlain = {.endings = kOtherEndings, .file = "file"};

const Registry& registry() {
  static const sdk::PluginTable table(
      "test.sources", "1", "none", sdk::opens_files<kRows>(sdk::source<Rows>("test.rows")),
      sdk::opens_files<kTable>(sdk::source<Table>("test.table")),
      sdk::opens_files<kPlain>(sdk::source<Rows>("test.plain")),
      sdk::opens_files<kLines>(sdk::source<Lines>("test.lines")), sdk::source<Rows>("test.in_a_block"));
  static const auto loaded = Registry::from_plugins({table.c()});
  REQUIRE_MESSAGE(loaded, loaded.status().message());
  return *loaded;
}

struct Folder {
  std::filesystem::path path;
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "plait_given_XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string write(const std::string& name, const std::string& bytes) const {
    std::ofstream(path / name, std::ios::binary) << bytes;
    return (path / name).string();
  }
};

// The read end of a pipe that holds these bytes, by its path.
struct Piped {
  int ends[2];
  explicit Piped(const std::string& bytes) {
    REQUIRE(::pipe(ends) == 0);
    REQUIRE(::write(ends[1], bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
    ::close(ends[1]);
  }
  ~Piped() { ::close(ends[0]); }
  std::string path() const { return "/proc/self/fd/" + std::to_string(ends[0]); }
};

PartSpec part(std::vector<int64_t> shape, uint32_t dtype = PLAIT_U8) { return {"image", dtype, shape, -1}; }

std::string failure(const std::string& path, const PartSpec& wanted, std::optional<Heading> heading = {}) {
  return GivenFile::open(registry(), path, wanted, heading).status().message();
}

// As text, of one field.
std::string told(const GivenFile& given, const char* field) {
  std::string text;
  for (const ConfigValue& value : given.spec().config->find(field)->values)
    text += (text.empty() ? "" : " ") + value_text(value);
  return text;
}

bool contains(const std::string& text, const std::string& words) {
  return text.find(words) != std::string::npos;
}

TEST_CASE("endings: the longest that a source names, and none of those that a block names") {
  CHECK(all_endings(registry(), "source") ==
        std::vector<std::string>{".a-line", ".both", ".lines", ".more.rows", ".rows", ".table"});
  CHECK(types_for_file(registry(), "source", "a.rows").size() == 1);
  CHECK(types_for_file(registry(), "source", "a.both").size() == 2);
  CHECK(types_for_file(registry(), "source", ".rows").empty());
  CHECK(endings_of(*registry().find("source", "test.in_a_block")).empty());
}

TEST_CASE("a file is opened by the source of its ending, in the name and extents that are wanted") {
  const Folder folder;
  const std::string flat = folder.write("a.rows", "ROWS4abcdefgh"),
                    wide = folder.write("b.rows", "ROWS6abcdef");
  for (const auto& [path, shape] : std::vector<std::pair<std::string, std::vector<int64_t>>>{
           {flat, {2, 2, 1}}, {flat, {4}}, {wide, {2, 3, 1}}, {wide, {2, 3}}}) {
    const auto given = GivenFile::open(registry(), path, part(shape), {});
    REQUIRE_MESSAGE(given, given.status().message());
    CHECK((*given)->spec().id() == "test.rows");
    CHECK(told(**given, "part") == "\"image\"");
    CallContext context;
    const auto source = create_instance(registry(), *(*given)->spec().entry, *(*given)->spec().config,
                                        PLAIT_HOST_DEVICE, context);
    REQUIRE(source);
    CHECK((*given)->check(describe_source(*source, context)->parts));
  }
}

TEST_CASE("extents that may be another order of axes are refused, and so are other types") {
  const Folder folder;
  const std::string wide = folder.write("b.rows", "ROWS6abcdef");
  CHECK(failure(wide, part({3, 2})) == wide + ": records are image [2, 3] u8, wanted image [3, 2] u8");
  CHECK(failure(wide, part({6})) == wide + ": records are image [2, 3] u8, wanted image [6] u8");
  CHECK(failure(wide, part({2, 2})) == wide + ": records are image [2, 3] u8, wanted image [2, 2] u8");
  CHECK(failure(wide, part({2, 3}, PLAIT_F32)) ==
        wide + ": records are image [2, 3] u8, wanted image [2, 3] f32");
}

TEST_CASE("a table is told what is wanted, and opened once: by whom it is read") {
  const auto given = GivenFile::open(registry(), "a.table", part({2, 2, 1}), {});
  REQUIRE_MESSAGE(given, given.status().message());
  CHECK(told(**given, "path") == "\"" + (std::filesystem::current_path() / "a.table").string() + "\"");
  CHECK(told(**given, "extents") == "2 2 1");
  CHECK(told(**given, "dtype") == "\"u8\"");
  CHECK(told(**given, "header") == "\"auto\"");
  const auto other = GivenFile::open(registry(), "a.table", part({2}, PLAIT_I64), Heading::kNo);
  REQUIRE(other);
  CHECK(told(**other, "dtype") == "\"f32\"");  // no such choice: what it gives is looked at
  CHECK(told(**other, "header") == "\"false\"");
  CHECK(contains((*other)->check({{"image", PLAIT_F32, {2}, -1}}).message(), "wanted image [2] i64"));
}

TEST_CASE("a pipe is known by its first bytes, else it is a table, and keeps its name") {
  const Piped rows("ROWS4abcd"), text("1,2\n");
  const auto given = GivenFile::open(registry(), rows.path(), part({2, 2}), {});
  REQUIRE_MESSAGE(given, given.status().message());
  CHECK((*given)->spec().id() == "test.rows");
  const auto table = GivenFile::open(registry(), text.path(), part({2}), {});
  REQUIRE_MESSAGE(table, table.status().message());
  CHECK((*table)->spec().id() == "test.table");
  CallContext context;
  const auto opened = create_instance(registry(), *(*table)->spec().entry, *(*table)->spec().config,
                                      PLAIT_HOST_DEVICE, context);
  CHECK((*table)->named(opened.status()).message() == "test.table: " + text.path() + ":1:1: opened");
  const Piped broken("ROWS");
  CHECK(failure(broken.path(), part({2})) == "test.rows: " + broken.path() + ": wanted ROWS");
}

TEST_CASE(
    "a pipe is lines where bytes of one variable axis are wanted, of the longest extent that is wanted") {
  const Piped text("1,2\n"), rows("ROWS4abcd");
  const PartSpec wanted{"text", PLAIT_U8, {17}, 0};
  const auto given = GivenFile::open(registry(), text.path(), wanted, {});
  REQUIRE_MESSAGE(given, given.status().message());
  CHECK((*given)->spec().id() == "test.lines");
  CHECK(told(**given, "longest") == "17");
  CHECK(failure(rows.path(), wanted) == rows.path() + ": records are text [4] u8, wanted text [<=17] u8");
}

TEST_CASE("what no source opens, several do, or has no heading") {
  CHECK(failure("a.png", part({2})) ==
        "a.png: wanted a name that ends in one of .a-line, .both, .lines, .more.rows, .rows, .table, or - or "
        "a pipe "
        "of such a file, or test, or validation; other files by --source");
  CHECK(failure("a.both", part({2})) ==
        "a.both: both test.plain and test.table open such a file; say which by --source");
  const Folder folder;
  const std::string rows = folder.write("a.rows", "ROWS4abcd");
  CHECK(failure(rows, part({4}), Heading::kYes) ==
        "--header: test.rows, which opens " + rows + ", knows of no heading; wanted it left out");
  CHECK(contains(failure((folder.path / "none.rows").string(), part({2})), "none.rows"));
}

TEST_CASE("rules that name no field, or another kind of it, are refused") {
  const auto refusal = [](auto change) {
    sdk::Entry entry = sdk::opens_files<kTable>(sdk::source<Table>("test.table"));
    plait_source_rules rules = *static_cast<const plait_source_rules*>(entry.type.rules);
    change(rules);
    entry.type.rules = &rules;
    const sdk::PluginTable table("test.sources", "1", "none", entry);
    return Registry::from_plugins({table.c()}).status().message();
  };
  const auto named = [&](const char* plait_source_rules::*field, const char* name) {
    return refusal([&](plait_source_rules& rules) { rules.*field = name; });
  };
  CHECK(refusal([](plait_source_rules&) {}).empty());
  CHECK(named(&plait_source_rules::dtype_field, nullptr).empty());
  CHECK(contains(named(&plait_source_rules::file_field, "file"),
                 "rules name the field \"file\", which is not there, wanted a text that is a path"));
  CHECK(contains(named(&plait_source_rules::file_field, "part"),
                 "rules name the field \"part\", which is another, wanted a text that is a path"));
  CHECK(contains(named(&plait_source_rules::part_field, "path"), "wanted a text"));
  CHECK(contains(named(&plait_source_rules::shape_field, "part"), "wanted a list of whole numbers"));
  CHECK(contains(named(&plait_source_rules::dtype_field, "part"), "wanted one of several words"));
  CHECK(contains(named(&plait_source_rules::heading_field, "extents"), "wanted one of several words"));
  CHECK(contains(named(&plait_source_rules::file_field, nullptr),
                 "the rules of its kind, source, are missing"));
  const char* bad[] = {"table"};
  CHECK(contains(refusal([&](plait_source_rules& rules) { rules.endings = bad, rules.n_endings = 1; }),
                 "the rules of its kind, source, are missing"));
}

}  // namespace
}  // namespace plait::inline train
