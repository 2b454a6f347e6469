#include "registry/known_digests.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/sha256.h"
#include "registry/cache_file.h"

using namespace plait;
namespace fs = std::filesystem;

namespace {

struct Folder {
  Folder() : path(fs::temp_directory_path() / ("plait_known_digests_test_" + std::to_string(::getpid()))) {
    fs::remove_all(path);
    fs::create_directories(path);
  }
  ~Folder() { fs::remove_all(path); }
  // Its path.
  std::string file(const std::string& name, const std::string& text) const {
    std::ofstream(path / name, std::ios::binary) << text;
    return (path / name).string();
  }
  std::string cache() const { return (path / "cache/digests.txt").string(); }
  std::string cached() const {
    std::ostringstream text;
    text << std::ifstream(cache()).rdbuf();
    return text.str();
  }
  fs::path path;
};

}  // namespace

TEST_CASE("digests are those of the bytes, each its own failure, known or not") {
  const Folder folder;
  std::vector<std::string> paths, texts;
  for (int i = 0; i < 40; ++i) {
    texts.push_back(std::string(static_cast<size_t>(i) * 1000, 'a') + std::to_string(i));
    paths.push_back(folder.file(std::to_string(i), texts.back()));
  }
  paths.insert(paths.begin() + 7, (folder.path / "none").string());
  texts.insert(texts.begin() + 7, "");
  for (int turn = 0; turn < 2; ++turn) {
    const auto digests = KnownDigests{folder.cache(), 0}.of(paths);
    REQUIRE(digests.size() == paths.size());
    for (size_t i = 0; i < paths.size(); ++i)
      if (i == 7)
        CHECK(digests[i].status().code() == Code::kNotFound);
      else
        CHECK(*digests[i] == Sha256::hex_of(texts[i]));
  }
  CHECK(KnownDigests{folder.cache(), 0}.of({}).empty());
}

TEST_CASE("a known file is not read again, a changed one is") {
  const Folder folder;
  const std::string file = folder.file("a", "one");
  const KnownDigests known{folder.cache(), 0};
  static_cast<void>(known.of({file}));
  const std::string lie(64, '7');
  std::ofstream(folder.cache()) << "plait digests 1\n" << lie << " " << *file_identity(file) << "\n";
  CHECK(*known.of({file}).front() == lie);  // what the cache says stands for the bytes
  fs::last_write_time(file, fs::last_write_time(file) + std::chrono::nanoseconds(1));
  CHECK(*known.of({file}).front() == Sha256::hex_of("one"));
  CHECK(folder.cached().find(lie) == std::string::npos);  // the path's line of before is gone
}

TEST_CASE("a file that has only just changed is not kept") {
  const Folder folder;
  const std::string file = folder.file("a", "one");
  CHECK(*KnownDigests{folder.cache(), 3600}.of({file}).front() == Sha256::hex_of("one"));
  CHECK(folder.cached().empty());
}

TEST_CASE("a damaged cache knows less, and none does no harm") {
  const Folder folder;
  const std::string file = folder.file("a", "one"), digest = Sha256::hex_of("one");
  const KnownDigests known{folder.cache(), 0};
  static_cast<void>(known.of({file}));
  const std::string text = folder.cached();
  for (size_t size = 0; size <= text.size(); ++size) {
    std::ofstream(folder.cache(), std::ios::binary) << text.substr(0, size);
    CHECK(*known.of({file}).front() == digest);
  }
  std::ofstream(folder.cache()) << "plait digests 1\nnot a digest " << *file_identity(file) << "\n\n \n";
  CHECK(*known.of({file}).front() == digest);
  for (const std::string& place : {std::string(), file + "/digests.txt"})
    CHECK(*KnownDigests{place, 0}.of({file}).front() == digest);
}
