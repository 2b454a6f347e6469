#include "registry/known_loads.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>

using namespace plait;
namespace fs = std::filesystem;

namespace {

struct Folder {
  Folder() : path(fs::temp_directory_path() / ("plait_known_loads_test_" + std::to_string(::getpid()))) {
    fs::remove_all(path);
    fs::create_directories(path);
  }
  ~Folder() { fs::remove_all(path); }
  std::string operator/(const std::string& name) const { return (path / name).string(); }
  fs::path path;
};

std::string text_of(const std::string& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

}  // namespace

TEST_CASE("what was recorded is known to the next process of the same host, and to no other") {
  const Folder folder;
  const std::string file = folder / "deep/cache/loads.txt";
  KnownLoads first(file, "host");
  CHECK_FALSE(first.has("1 /a"));
  first.record({"1 /a", "1 /b"}, {});
  CHECK(first.has("1 /a"));
  CHECK(KnownLoads(file, "host").has("1 /b"));
  CHECK_FALSE(KnownLoads(file, "other").has("1 /b"));
  KnownLoads(file, "host").record({"2 /a"}, {"1 /b"});
  const KnownLoads now(file, "host");
  CHECK(now.has("2 /a"));
  CHECK_FALSE(now.has("1 /a"));  // the path means other bytes by now
  CHECK_FALSE(now.has("1 /b"));
}

TEST_CASE("another process's lines are kept") {
  const Folder folder;
  const std::string file = folder / "loads.txt";
  KnownLoads one(file, "host"), two(file, "host");
  one.record({"1 /a"}, {});
  two.record({"1 /b"}, {});
  CHECK(KnownLoads(file, "host").has("1 /a"));
  CHECK(KnownLoads(file, "host").has("1 /b"));
  CHECK(std::distance(fs::directory_iterator(folder.path), {}) == 1);  // nothing half done is left
}

TEST_CASE("a damaged file knows less, and is mended") {
  const Folder folder;
  const std::string file = folder / "loads.txt";
  KnownLoads(file, "host").record({"1 /a", "1 /b"}, {});
  const std::string text = text_of(file);
  for (size_t size = 0; size < text.size(); ++size) {
    std::ofstream(file, std::ios::binary) << text.substr(0, size);
    CHECK_FALSE(KnownLoads(file, "host").has("1 /b"));  // its line has no end
  }
  std::ofstream(file, std::ios::binary) << std::string(3000, '\0') << "\n\xff\n" << text;
  KnownLoads damaged(file, "host");
  CHECK_FALSE(damaged.has("1 /a"));
  damaged.record({"1 /a"}, {});
  CHECK(KnownLoads(file, "host").has("1 /a"));
}

TEST_CASE("without a place to write, this process still knows") {
  const Folder folder;
  std::ofstream(folder / "file") << "in the way\n";
  for (const std::string& place : {folder / "file/loads.txt", std::string()}) {
    KnownLoads known(place, "host");
    known.record({"1 /a"}, {});
    CHECK(known.has("1 /a"));
    CHECK_FALSE(KnownLoads(place, "host").has("1 /a"));
  }
}

TEST_CASE("the file does not grow for ever") {
  const Folder folder;
  const std::string file = folder / "loads.txt";
  for (int host = 0; host < 30; ++host) {
    std::vector<std::string> many;
    for (int i = 0; i < 100; ++i) many.push_back("1 /plugin" + std::to_string(i));
    KnownLoads(file, std::to_string(host)).record(many, {});
  }
  CHECK(KnownLoads(file, "29").has("1 /plugin0"));
  CHECK_FALSE(KnownLoads(file, "0").has("1 /plugin0"));
  CHECK(fs::file_size(file) < 100'000);
}

TEST_CASE("a file that changes is another file") {
  const Folder folder;
  const std::string file = folder / "a";
  CHECK_FALSE(file_identity(file));
  std::ofstream(file) << "one";
  const auto first = file_identity(file);
  REQUIRE(first);
  CHECK(first->ends_with(" " + file));
  CHECK(file_identity(folder / "../" + folder.path.filename().string() + "/a") == first);
  fs::last_write_time(file, fs::last_write_time(file) + std::chrono::nanoseconds(1));
  CHECK(file_identity(file) != first);
}
