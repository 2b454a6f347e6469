#include "registry/registry.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/sha256.h"

using namespace plait;
namespace fs = std::filesystem;

namespace {

const std::string kGood = TEST_LIBRARIES "/good", kBad = TEST_LIBRARIES "/bad",
                  kTwins = TEST_LIBRARIES "/twins", kEnds = TEST_LIBRARIES "/ends",
                  kNoted = TEST_LIBRARIES "/noted", kMoon = TEST_LIBRARIES "/moon";

std::string library(const std::string& folder, const std::string& name) {
  return folder + "/" + name + ".plait.so";
}

// The message of loading one file, or "" when it loads.
std::string failure(const std::string& path) { return Registry::load({{path}, {}}).status().message(); }

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// A folder of one's own, gone at the end of the test.
class Folder {
 public:
  Folder() : path_(fs::temp_directory_path() / ("plait_registry_test_" + std::to_string(::getpid()))) {
    fs::remove_all(path_);
    fs::create_directories(path_);
    fs::permissions(path_, fs::perms::owner_all);
  }
  ~Folder() { fs::remove_all(path_); }
  std::string operator/(const std::string& name) const { return (path_ / name).string(); }
  std::string text() const { return path_.string(); }
  void copy(const std::string& from, const std::string& name) const { fs::copy_file(from, path_ / name); }

 private:
  fs::path path_;
};

// The cache of these tests is not the user's.
const int kOwnCache =
    ::setenv("XDG_CACHE_HOME", (fs::temp_directory_path() / "plait_registry_test_cache").c_str(), 1);

struct Subnormals {
  // Flushed to zero when a library has changed the processor's mode.
  static bool kept() {
    volatile double tiny = 1e-308;
    return tiny / 16 > 0;
  }
};

}  // namespace

TEST_CASE("the digest of a library that was replaced since it was loaded is not that of the other") {
  const Folder folder;
  folder.copy(library(kGood, "line"), "line.plait.so");
  folder.copy(library(kGood, "line"), "other");
  auto loaded = Registry::load({{folder / "line.plait.so"}, {}});
  REQUIRE_MESSAGE(loaded, loaded.status().message());
  fs::rename(folder / "other", folder / "line.plait.so");
  CHECK(loaded->files().front()->sha256() == "unknown, the file has changed since it was loaded");
}

TEST_CASE("a folder's plugins are found, with file, digest, types and implementations") {
  auto loaded = Registry::load({{}, {kGood}});
  REQUIRE_MESSAGE(loaded, loaded.status().message());
  const Registry registry = std::move(loaded).value();  // entries stay where they are when it moves
  CHECK(registry.failures().empty());
  const TypeEntry* line = registry.find("schedule", "test.line");
  REQUIRE(line != nullptr);
  CHECK(std::string(line->type->kind) == "schedule");
  CHECK(line->file->path == library(kGood, "line"));
  CHECK(line->file->sha256() == *Sha256::hex_of_file(library(kGood, "line")));
  CHECK(line->short_name() == "test.line");
  CHECK(line->implementations.count(PLAIT_HOST_DEVICE) == 1);
  CHECK(registry.find("schedule", "line") == nullptr);  // short names are Plait's own
  CHECK(registry.ops<plait_schedule_ops>("test.line").is_ok());
}

TEST_CASE("a missing implementation names the devices that there are") {
  auto registry = Registry::load({{library(kGood, "line")}, {}});
  REQUIRE(registry);
  const Status status = registry->implementation("schedule", "test.line", "test.moon").status();
  CHECK(status.code() == Code::kNotFound);
  CHECK(status.message() == "test.line has no implementation for device test.moon, only for host");
  CHECK(registry->implementation("schedule", "test.none", "host").status().code() == Code::kNotFound);
}

TEST_CASE("an entry is called once a process") {
  for (int i = 0; i < 3; ++i) REQUIRE(Registry::load({{library(kGood, "line")}, {kGood}}));
  auto opened = Library::open(library(kGood, "line"));
  REQUIRE(opened);
  const auto* entries = static_cast<const int*>(opened->symbol("test_entries"));
  REQUIRE(entries != nullptr);
  CHECK(*entries == 1);
}

TEST_CASE("what is no plugin, or not for this Plait, says so") {
  CHECK(contains(failure(library(kBad, "no_entry")), "is not a Plait plugin"));
  CHECK(
      contains(failure(library(kBad, "other_major")), "is a plugin for ABI major 2, this Plait has major 1"));
  CHECK(contains(failure(library(kBad, "draft")), "was built for draft 999"));
  CHECK(contains(failure(library(kBad, "minor")), "needs a Plait of ABI 1.777 or newer"));
  CHECK(contains(failure(library(kBad, "refuses")), "refuses this Plait"));
  CHECK(contains(failure(library(kBad, "throws")), "let an exception out of its entry: the moon is full"));
}

TEST_CASE("tables that contradict themselves are refused, with the place") {
  const std::pair<const char*, const char*> faults[] = {
      {"null_plugin", "has the id null"},
      {"null_id", "type 0 has the id null"},
      {"kind", "type test.bad: unknown kind \"teapot\""},
      {"doc", "type test.bad: no doc"},
      {"field_twice", "two fields are named \"first\""},
      {"field_kind", "field \"first\": unknown field kind 99"},
      {"default_range", "default: first: got 0, wanted an integer >= 1 and <= 9"},
      {"default_text", "default: first: got \"many\", wanted an integer"},
      {"range", "field \"first\": range from 1 to 0 is empty"},
      {"enum_empty", "field \"first\": an enum without names"},
      {"no_rules", "the rules of its kind, optimizer, are missing"},
      {"no_create", "type test.bad: operations without create"},
      {"implemented_twice", "schedule test.bad is implemented twice on host"}};
  for (const auto& [name, message] : faults) {
    CAPTURE(name);
    CHECK_MESSAGE(contains(failure(library(kBad, name)), message), failure(library(kBad, name)));
    CHECK(contains(failure(library(kBad, name)), library(kBad, name)));
  }
}

TEST_CASE("a named file that does not load is an error; in a folder it is one failure and the rest loads") {
  const Folder folder;
  std::ofstream(folder / "text.plait.so") << "hello\n";
  std::ofstream(folder / "ignored.txt") << "hello\n";
  fs::create_directory(folder / "folder.plait.so");
  folder.copy(library(kGood, "line"), "a_line.plait.so");
  CHECK(Registry::load({{folder / "text.plait.so"}, {}}).status().code() == Code::kInvalid);
  CHECK(Registry::load({{folder / "none.plait.so"}, {}}).status().code() == Code::kNotFound);
  auto registry = Registry::load({{}, {folder.text(), folder / "none"}});
  REQUIRE(registry);
  CHECK(registry->find("schedule", "test.line") != nullptr);
  REQUIRE(registry->failures().size() == 3);
  CHECK(registry->failures()[0].path == folder / "folder.plait.so");
  CHECK(registry->failures()[1].path == folder / "text.plait.so");
  CHECK(contains(registry->failures()[1].reason.message(), "is no plugin that can be loaded"));
  CHECK(registry->failures()[2].reason.code() == Code::kNotFound);
}

TEST_CASE("a library that ends the process is a failure with words, and the rest loads") {
  const std::pair<const char*, const char*> faults[] = {
      {"segment", "crashes when it is loaded: SIGSEGV (Segmentation fault)"},
      {"aborts", "crashes when it is loaded: SIGABRT (Aborted); it says \"assertion 7 failed\""},
      {"exits", "ends the program with status 0 when it is loaded; it says \"good bye\""},
      {"entry", "ends the program with status 3 when it is loaded"}};
  if (!fs::exists(kEnds)) return;  // not built for sanitizers, which report these signals themselves
  auto registry = Registry::load({{}, {kEnds, kGood}});
  REQUIRE(registry);
  CHECK(registry->find("schedule", "test.line") != nullptr);
  REQUIRE(registry->failures().size() == 4);
  for (const auto& [name, words] : faults) {
    const std::string wanted = "\"" + library(kEnds, name) + "\" " + words;
    CHECK(failure(library(kEnds, name)) == wanted);
    const auto tells = [&](const PluginFailure& one) { return one.reason.message() == wanted; };
    CHECK(std::count_if(registry->failures().begin(), registry->failures().end(), tells) == 1);
  }
}

TEST_CASE("a library that does not come back is given up") {
  const std::string hangs = library(TEST_LIBRARIES "/hangs", "hangs");
  if (!fs::exists(hangs)) return;
  LoadOptions options;
  options.limit_s = 0.2;
  const Status status = Registry::load({{hangs}, {}}, options).status();
  CHECK(status.code() == Code::kPlugin);
  CHECK(status.message() == "\"" + hangs + "\" does not come back within 0.2 s when it is loaded");
}

TEST_CASE("a note for another draft is refused before any code runs, and says what there would be") {
  const std::string other = library(kNoted, "noted_draft");
  LoadOptions options;
  options.in_child_first = false;  // its constructor would end this process
  const auto registry = Registry::load({{}, {kNoted}}, options);
  REQUIRE(registry);
  REQUIRE(registry->failures().size() == 2);
  CHECK(contains(registry->failures()[0].reason.message(), "refuses this Plait"));
  CHECK(contains(registry->failures()[1].reason.message(), "was built for draft 999"));
  CHECK(registry->failures()[1].serves.front() == "layer test.noted_layer");
  const std::string hint = registry->who_would_provide("layer", "test.noted_layer");
  CHECK(contains(hint, "\"test.noted_layer\" is provided by \"" + library(kNoted, "noted") +
                           "\", which did not load: "));
  CHECK(contains(registry->implementation("loss", "test.noted_loss", "host").status().message(),
                 "is provided by"));
  CHECK(registry->who_would_provide("schedule", "test.line").empty());  // only implemented there
}

std::vector<std::string> paths_of(const std::vector<Registry::Waiting>& waiting) {
  std::vector<std::string> paths;
  for (const Registry::Waiting& one : waiting) paths.push_back(one.path);
  return paths;
}

TEST_CASE("kernels for a device wait until it is in use") {
  LoadOptions options;
  options.in_child_first = false;  // one of them would end this process
  auto registry = Registry::load({{}, {kGood, kMoon}}, options);
  REQUIRE(registry);
  CHECK(registry->failures().empty());
  const std::vector<std::string> both = {library(kMoon, "moon"), library(kMoon, "moon_ends")};
  CHECK(paths_of(registry->waiting()) == both);
  CHECK(registry->waiting()[0].id == "test.moon");
  CHECK(!registry->implementation("schedule", "test.line", "test.moon"));
  const size_t before = registry->files().size();
  REQUIRE(registry->use_device("test.sun", options));
  CHECK(registry->files().size() == before);
  REQUIRE(registry->use_device("test.moon", options));
  REQUIRE(registry->use_device("test.moon", options));
  CHECK(registry->files().size() == before + 1);
  CHECK(registry->ops<plait_schedule_ops>("test.line", "test.moon").is_ok());
  CHECK(paths_of(registry->waiting()) == std::vector<std::string>{library(kMoon, "moon_ends")});
}

TEST_CASE("kernels that end the process are a failure with words, once their device is in use") {
  auto registry = Registry::load({{}, {kGood, kMoon}});
  REQUIRE(registry);
  REQUIRE(registry->use_device("test.moon_ends"));
  REQUIRE(registry->failures().size() == 1);
  CHECK(contains(registry->failures()[0].reason.message(), "moon_ends.plait.so\" "));
  const std::string why =
      registry->implementation("schedule", "test.line", "test.moon_ends").status().message();
  CHECK(contains(why, "\"test.line\" is provided by"));
}

TEST_CASE("kernels that are named are loaded at once") {
  const auto registry = Registry::load({{library(kMoon, "moon")}, {kGood}});
  REQUIRE(registry);
  CHECK(registry->waiting().empty());
  CHECK(registry->ops<plait_schedule_ops>("test.line", "test.moon").is_ok());
}

TEST_CASE("a file that may not be read says so") {
  const Folder folder;
  folder.copy(library(kGood, "line"), "line.plait.so");
  fs::permissions(folder / "line.plait.so", fs::perms::none);
  if (::access((folder / "line.plait.so").c_str(), R_OK) == 0) return;  // the superuser may read everything
  const Status status = Registry::load({{folder / "line.plait.so"}, {}}).status();
  CHECK(status.code() == Code::kIo);
  CHECK(contains(status.message(), "cannot be read"));
}

TEST_CASE("nothing is loaded from where anyone may write") {
  const Folder folder;
  folder.copy(library(kGood, "line"), "line.plait.so");
  fs::permissions(folder / "line.plait.so", fs::perms::all);
  auto registry = Registry::load({{}, {folder.text()}});
  REQUIRE(registry);
  CHECK(registry->types().empty());
  REQUIRE(registry->failures().size() == 1);
  fs::permissions(folder / "line.plait.so", fs::perms::owner_all);
  CHECK(Registry::load({{}, {folder.text()}})->types().size() == 1);
  fs::permissions(folder.text(), fs::perms::all);
  registry = Registry::load({{}, {folder.text()}});
  REQUIRE(registry);
  CHECK(registry->types().empty());
  REQUIRE(registry->failures().size() == 1);
  CHECK(contains(registry->failures()[0].reason.message(), "anyone may write"));
}

TEST_CASE("one type in two plugins is an error that names both") {
  const Status status = Registry::load({{}, {kTwins}}).status();
  CHECK(status.code() == Code::kInvalid);
  CHECK(contains(status.message(), "test.twin"));
  CHECK(contains(status.message(), library(kTwins, "twin_a")));
  CHECK(contains(status.message(), library(kTwins, "twin_b")));
}

TEST_CASE("of two files of one plugin the earlier place wins") {
  const Folder folder;
  folder.copy(library(kGood, "line"), "line.plait.so");
  auto from_file = Registry::load({{folder / "line.plait.so"}, {kGood}});
  REQUIRE(from_file);
  CHECK(from_file->find("schedule", "test.line")->file->path == folder / "line.plait.so");
  auto from_folder = Registry::load({{}, {kGood, folder.text()}});
  REQUIRE(from_folder);
  CHECK(from_folder->find("schedule", "test.line")->file->path == library(kGood, "line"));
  REQUIRE(from_folder->shadowed().size() == 1);
  CHECK(from_folder->shadowed()[0].path == folder / "line.plait.so");
  CHECK(from_folder->shadowed()[0].by->path == library(kGood, "line"));
}

TEST_CASE("what only a hidden file of the same plugin serves is told") {
  const std::string other = library(TEST_LIBRARIES "/same_id", "line_too");
  const auto registry = Registry::load({{}, {kGood, TEST_LIBRARIES "/same_id"}});
  REQUIRE(registry);
  REQUIRE(registry->failures().size() == 1);
  CHECK(registry->failures()[0].path == other);
  CHECK(registry->failures()[0].reason.message() ==
        "\"" + other + "\" is a plugin of the id test.line, as \"" + library(kGood, "line") +
            "\" is, which hides it and has no schedule test.line_too: wanted an id of its own");
  CHECK(registry->find("schedule", "test.line_too") == nullptr);
}

TEST_CASE("loading leaves the floating-point mode alone") {
  REQUIRE(Subnormals::kept());
  REQUIRE(Registry::load({{library(kGood, "fast_math")}, {}}));
  CHECK(Subnormals::kept());
}

TEST_CASE("the default path: what is named, the environment, the user's, the program's") {
  const Folder folder;
  fs::create_directories(folder / "data/plait/plugins/1");
  ::setenv("PLAIT_PLUGIN_PATH", "/first::/second", 1);
  ::setenv("XDG_DATA_HOME", (folder / "data").c_str(), 1);
  const SearchPath path = default_search_path({"a.plait.so"}, {"/named"});
  ::unsetenv("PLAIT_PLUGIN_PATH");
  ::unsetenv("XDG_DATA_HOME");
  CHECK(path.files == std::vector<std::string>{"a.plait.so"});
  REQUIRE(path.folders.size() >= 4);
  CHECK(path.folders[0] == "/named");
  CHECK(path.folders[1] == "/first");
  CHECK(path.folders[2] == "/second");
  CHECK(path.folders[3] == folder / "data/plait/plugins/1");
}

TEST_CASE("a relative XDG_DATA_HOME is ignored") {
  ::setenv("XDG_DATA_HOME", "data", 1);
  const SearchPath path = default_search_path({}, {});
  ::unsetenv("XDG_DATA_HOME");
  for (const std::string& folder : path.folders) CHECK_MESSAGE(folder.front() == '/', folder);
}

TEST_CASE("a mistyped name finds what was meant") {
  const std::vector<std::string> names = {"convolution", "max_pool", "average_pool", "relu", "tanh", "adam"};
  CHECK(did_you_mean("convolutoin", names) == "convolution");  // two letters exchanged
  CHECK(did_you_mean("maxpool", names) == "max_pool");
  CHECK(did_you_mean("ReLu", names) == "relu");
  CHECK(did_you_mean("adm", names) == "adam");
  CHECK(did_you_mean("conv", names) == "convolution");
  CHECK(did_you_mean("Plateau", {"reduce_on_plateau", "step"}) == "reduce_on_plateau");
  CHECK(did_you_mean("pool", names).empty());  // there are two
  CHECK(did_you_mean("dropout", names).empty());
  CHECK(did_you_mean("xy", names).empty());
  CHECK(did_you_mean("anything", {}).empty());
}
