#include "base/files.h"

#include <doctest/doctest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "base/temporary_name.h"

namespace plait::inline base {
namespace {

// A folder of this test's own, removed at the end.
struct TemporaryFolder {
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "plait_files_XXXXXX").string();
    path = ::mkdtemp(name.data());
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path); }
  std::string path;
};

// The contract that both file systems keep.
void check_contract(Files& files, const std::string& root) {
  const std::string folder = root + "/a/b";
  CHECK(files.read(folder + "/x").status().code() == Code::kNotFound);
  CHECK(files.write_atomically(folder + "/x", "1").code() == Code::kNotFound);
  REQUIRE(files.make_directories(folder).is_ok());
  REQUIRE(files.make_directories(folder).is_ok());
  REQUIRE(files.write_atomically(folder + "/x", std::string("one\0two", 7)).is_ok());
  CHECK(files.read(folder + "/x").value() == std::string("one\0two", 7));
  REQUIRE(files.write_atomically(folder + "/x", "new").is_ok());
  CHECK(files.read(folder + "/x").value() == "new");
  const auto in_pieces = [&](Status end) {
    return files.write_pieces_atomically(folder + "/x", [end](const Files::Writer& write) -> Status {
      PLAIT_TRY(write("piece "));
      PLAIT_TRY(write("by piece"));
      return end;
    });
  };
  CHECK(in_pieces({Code::kInvalid, "half way"}).message() == "half way");
  CHECK(files.read(folder + "/x").value() == "new");
  REQUIRE(in_pieces({}).is_ok());
  CHECK(files.read(folder + "/x").value() == "piece by piece");
  REQUIRE(files.append(folder + "/log", "1\n").is_ok());
  REQUIRE(files.append(folder + "/log", "2\n").is_ok());
  CHECK(files.read(folder + "/log").value() == "1\n2\n");
  CHECK(files.list(folder).value() == std::vector<std::string>{"log", "x"});
  CHECK(files.list(root + "/a").value() == std::vector<std::string>{"b"});
  CHECK(files.list(root + "/nowhere").status().code() == Code::kNotFound);
  CHECK(files.exists(folder));
  REQUIRE(files.remove(folder + "/x").is_ok());
  CHECK_FALSE(files.exists(folder + "/x"));
  CHECK(files.remove(folder + "/x").code() == Code::kNotFound);
}

TEST_CASE("both file systems keep the contract") {
  MemoryFiles memory;
  REQUIRE(memory.make_directories("/runs").is_ok());
  check_contract(memory, "/runs");
  SystemFiles system;
  const TemporaryFolder folder;
  check_contract(system, folder.path);
}

TEST_CASE("a failed write leaves the old content and nothing beside it") {
  SystemFiles files;
  const TemporaryFolder folder;
  REQUIRE(std::filesystem::create_directory(folder.path + "/x"));
  REQUIRE(files.append(folder.path + "/x/inside", "kept").is_ok());
  const Status status = files.write_atomically(folder.path + "/x", "content");  // a folder is in the way
  CHECK(status.code() == Code::kIo);
  CHECK(status.message().find(folder.path + "/x: rename failed: ") == 0);
  CHECK(files.list(folder.path).value() == std::vector<std::string>{"x"});
  size_t entries = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder.path)) ++entries;
  CHECK(entries == 1);
}

TEST_CASE("a folder that cannot be made is told in the words of the call that failed") {
  SystemFiles files;
  const TemporaryFolder folder;
  REQUIRE(files.append(folder.path + "/x", "a file").is_ok());
  const Status below = files.make_directories(folder.path + "/x/y");
  CHECK(below.code() == Code::kIo);
  CHECK(below.message().find("mkdir failed: File exists") != std::string::npos);
  const Status missing = files.make_directories("/proc/nowhere/at/all");  // the system makes no folders there
  CHECK(missing.message().find("/proc/nowhere: mkdir failed: ") != std::string::npos);
}

TEST_CASE("what a crashed write left behind is not listed") {
  SystemFiles files;
  const TemporaryFolder folder;
  REQUIRE(files.append(folder.path + "/round-7.tmp.1234", "half").is_ok());
  REQUIRE(files.append(folder.path + "/round-6", "whole").is_ok());
  CHECK(files.list(folder.path).value() == std::vector<std::string>{"round-6"});
}

TEST_CASE("temporary files of dead processes go, those of living ones and other names stay") {
  SystemFiles files;
  const TemporaryFolder folder;
  const std::string mine = temporary_name(folder.path + "/a");
  CHECK(mine != temporary_name(folder.path + "/a"));
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  REQUIRE(child > 0);
  REQUIRE(::waitpid(child, nullptr, 0) == child);
  std::string dead = mine;
  const std::string process = std::to_string(::getpid());
  dead.replace(dead.rfind(".tmp.") + 5, process.size(), std::to_string(child));
  const std::string others = folder.path + "/notes.tmp." + std::to_string(child);
  for (const std::string& path : {mine, dead, others}) REQUIRE(files.append(path, "half").is_ok());
  REQUIRE(files.write_atomically(folder.path + "/b", "whole").is_ok());
  CHECK(files.exists(mine));
  CHECK_FALSE(files.exists(dead));
  CHECK(files.exists(others));
}

TEST_CASE("the k-th change fails once, and an atomic write then leaves the old content") {
  MemoryFiles files;
  REQUIRE(files.make_directories("/run").is_ok());
  REQUIRE(files.write_atomically("/run/x", "old").is_ok());
  files.fail_change(2);
  REQUIRE(files.append("/run/log", "ab").is_ok());
  CHECK(files.write_atomically("/run/x", "new").code() == Code::kIo);
  CHECK(files.read("/run/x").value() == "old");
  CHECK(files.changes() == 2);
  REQUIRE(files.write_atomically("/run/x", "new").is_ok());
  files.fail_change(1);
  CHECK(files.append("/run/log", "cdef").code() == Code::kIo);
  CHECK(files.read("/run/log").value() == "abcd");
}

}  // namespace
}  // namespace plait::inline base
