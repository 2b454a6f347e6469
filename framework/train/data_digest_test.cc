// Bytes of files and folders in a line: the same wherever they lie, other for other bytes, bounded in what is
// read.
#include "train/data_digest.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/sha256.h"

namespace plait::inline train {
namespace {

namespace fs = std::filesystem;

struct DigestFolder {
  DigestFolder() : path(fs::temp_directory_path() / ("plait_digest_" + std::to_string(::getpid()))) {
    fs::remove_all(path);
    fs::create_directories(path);
  }
  ~DigestFolder() { fs::remove_all(path); }
  std::string write(const std::string& name, const std::string& content) {
    fs::create_directories((path / name).parent_path());
    std::ofstream(path / name, std::ios::binary) << content;
    return (path / name).string();
  }
  fs::path path;
};

std::string digest(const std::string& path, const DigestLimits& limits = {}) {
  const auto made = digest_path(path, false, limits);
  REQUIRE_MESSAGE(made.is_ok(), made.status().message());
  return made->text;
}

// Files beyond 100 bytes by 4 blocks of 10.
constexpr DigestLimits kSmall{100, 10, 4, 1000};

TEST_CASE_FIXTURE(DigestFolder, "a file's digest is the one that sha256sum has") {
  CHECK(digest(write("a", "abc")) == "3 bytes, sha256 " + Sha256::hex_of("abc"));
  CHECK(digest(write("elsewhere/b", "abc")) == digest((path / "a").string()));
  CHECK(digest(write("empty", "")) == "0 bytes, sha256 " + Sha256::hex_of(""));
}

TEST_CASE_FIXTURE(DigestFolder, "of a large file size and blocks count, of it whole every byte when asked") {
  const std::string content(1000, 'x');
  const std::string file = write("large", content), usual = digest(file, kSmall);
  CHECK(usual.starts_with("1000 bytes, sha256 "));
  CHECK(usual.ends_with(" of 4 blocks"));
  for (const size_t place : {size_t{0}, size_t{9}, size_t{330}, size_t{660}, size_t{999}}) {
    std::string changed = content;
    changed[place] = 'y';
    CHECK(digest(write("large", changed), kSmall) != usual);
  }
  std::string between = content;
  between[200] = 'y';
  const std::string other = write("between", between);
  CHECK(digest(other, kSmall) == usual);
  const auto whole = digest_path(other, true, kSmall);
  REQUIRE(whole.is_ok());
  CHECK(whole->whole == "sha256 " + Sha256::hex_of(between));
  CHECK(digest(write("longer", content + "x"), kSmall) != usual);
  CHECK(digest_path(write("small", "abc"), true, kSmall)->whole.empty());
}

TEST_CASE_FIXTURE(DigestFolder, "where nothing is, the files that a source may mean by the name are read") {
  const std::string written = (path / "x").string(), ended = (path / "z.gz").string();
  CHECK(digest(written) == "not there");
  CHECK_FALSE(digest_path(written, false)->is_known);
  write("other", "0");
  CHECK(digest(written) == "not there");
  write("x.gz", "1");
  CHECK(digest(written) == "1 bytes, sha256 " + Sha256::hex_of("1"));
  CHECK(digest_path(written, false)->is_known);
  write("x-2", "2");
  const std::string both = digest(written);
  CHECK(both.starts_with("2 files, 2 bytes, sha256 "));
  write("x-2", "3");
  CHECK(digest(written) != both);
  write("x", "4");  // it is there now, and nothing else counts
  CHECK(digest(written) == "1 bytes, sha256 " + Sha256::hex_of("4"));
  write("z", "5");
  CHECK(digest(ended) == "1 bytes, sha256 " + Sha256::hex_of("5"));
}

TEST_CASE_FIXTURE(DigestFolder, "links to folders are followed, and circles of them end") {
  write("data/a", "1");
  fs::create_directories(path / "f");
  fs::create_directory_symlink(path / "data", path / "f" / "link");
  const std::string folder = (path / "f").string(), usual = digest(folder);
  CHECK(usual.starts_with("1 files, 1 bytes, sha256 "));
  write("data/a", "2");
  CHECK(digest(folder) != usual);
  fs::create_directory_symlink(path / "f", path / "f" / "round");
  CHECK(digest(folder).find(" files, ") != std::string::npos);
}

TEST_CASE_FIXTURE(DigestFolder, "a folder is its names, sizes and contents") {
  const auto fill = [&](const std::string& below) {
    write(below + "/one/a", "1");
    write(below + "/b", "22");
    return (path / below).string();
  };
  const std::string first = fill("f"), usual = digest(first);
  CHECK(usual.starts_with("2 files, 3 bytes, sha256 "));
  CHECK(digest(fill("g")) == usual);
  write("g/b", "23");
  CHECK(digest((path / "g").string()) != usual);
  write("g/b", "22");
  fs::rename(path / "g/b", path / "g/c");
  CHECK(digest((path / "g").string()) != usual);
}

TEST_CASE_FIXTURE(DigestFolder,
                  "a folder that links to itself or holds pipes ends, and what is sampled is bounded") {
  const std::string folder = (path / "f").string();
  write("f/a", std::string(300, 'a'));
  write("f/b", std::string(300, 'b'));
  fs::create_directory_symlink(folder, path / "f/loop");
  REQUIRE(::mkfifo((folder + "/pipe").c_str(), 0600) == 0);
  const std::string usual = digest(folder, kSmall);
  CHECK(usual.starts_with("4 files, 600 bytes, sha256 "));
  CHECK(usual.ends_with(" of samples"));
  write("f/b", std::string(299, 'b') + "c");
  CHECK(digest(folder, kSmall) != usual);
  CHECK(digest(folder, {100, 10, 4, 2}).starts_with("the first 2 files, "));
}

TEST_CASE_FIXTURE(DigestFolder, "what is no file is an answer, and waits for nobody") {
  CHECK(digest((path / "none").string()) == "not there");
  const std::string pipe = (path / "pipe").string();
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  CHECK(digest(pipe) == "not a file");
  CHECK(digest("/dev/zero") == "not a file");
}

TEST_CASE_FIXTURE(DigestFolder, "the state of a path changes when what its digest is of is written to") {
  const std::string file = write("f/x.gz", "12"), named = (path / "f/x").string(),
                    folder = (path / "f").string();
  const auto states = [&] { return std::vector{path_state(file), path_state(named), path_state(folder)}; };
  const auto before = states();
  CHECK(path_state((path / "none").string()) == path_state((path / "none").string()));
  digest(file), digest(named), digest(folder);
  CHECK(states() == before);
  write("f/x.gz", "21");
  const auto after = states();
  for (size_t i = 0; i < before.size(); ++i) CHECK(after[i] != before[i]);
}

TEST_CASE_FIXTURE(DigestFolder, "many files on several threads come back in order, each read once") {
  std::vector<std::string> paths, wanted;
  for (int i = 0; i < 20; ++i) {
    paths.push_back(write("file" + std::to_string(i % 7), std::to_string(i % 7)));
    wanted.push_back(digest(paths.back()));
  }
  for (const int threads : {0, 1, 4}) {
    const auto made = digest_paths(paths, false, threads);
    REQUIRE(made.is_ok());
    for (size_t i = 0; i < paths.size(); ++i) CHECK((*made)[i].text == wanted[i]);
  }
}

}  // namespace
}  // namespace plait::inline train
