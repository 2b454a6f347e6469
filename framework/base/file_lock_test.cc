// One holder a file, who is told to those who come later, and gone with his process.
#include <doctest/doctest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "base/files.h"
#include "base/shown.h"

namespace plait::inline base {
namespace {

class LockFolder {
 public:
  LockFolder()
      : path_(std::filesystem::temp_directory_path() / ("plait_lock_" + std::to_string(::getpid()))) {
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  ~LockFolder() { std::filesystem::remove_all(path_); }
  std::string file() const { return (path_ / "lock").string(); }
  SystemFiles files;

 private:
  std::filesystem::path path_;
};

TEST_CASE_FIXTURE(LockFolder, "the second is refused and told of the first, until that lets go") {
  auto first = files.lock(file(), "pid 1 on here");
  REQUIRE_MESSAGE(first.is_ok(), first.status().message());
  const auto second = files.lock(file(), "pid 2 on here");
  CHECK(second.status().code() == Code::kPeer);
  CHECK(second.status().message() == "pid 1 on here");
  CHECK(*files.read(file()) == "pid 1 on here");
  (*first).reset();
  CHECK(files.lock(file(), "pid 2 on here").is_ok());
}

TEST_CASE_FIXTURE(LockFolder, "what the holder's file says is shown without control characters") {
  auto first = files.lock(file(), "pid 1\x1b[2J\r\xc2\x9b on here\n");
  REQUIRE(first.is_ok());
  const std::string said = files.lock(file(), "").status().message();
  CHECK(said == shown("pid 1\x1b[2J\r\xc2\x9b on here"));
  CHECK(said.find('\x1b') == std::string::npos);
}

TEST_CASE_FIXTURE(LockFolder, "a killed process leaves no lock") {
  int ready[2];
  REQUIRE(::pipe(ready) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto held = SystemFiles().lock(file(), "the child");
    [[maybe_unused]] const ssize_t told = ::write(ready[1], held ? "y" : "n", 1);
    for (;;) ::pause();
  }
  char answer = 0;
  REQUIRE(::read(ready[0], &answer, 1) == 1);
  CHECK(answer == 'y');
  CHECK(files.lock(file(), "the parent").status().message() == "the child");
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  CHECK(files.lock(file(), "the parent").is_ok());
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST_CASE_FIXTURE(LockFolder, "a pipe, a link or a missing folder is refused in words") {
  REQUIRE(::mkfifo(file().c_str(), 0600) == 0);
  CHECK(files.lock(file(), "x").status().code() == Code::kInvalid);
  ::unlink(file().c_str());
  REQUIRE(::symlink("elsewhere", file().c_str()) == 0);
  CHECK(files.lock(file(), "x").status().code() == Code::kIo);
  CHECK(files.lock(file() + "/none/lock", "x").status().code() != Code::kOk);
}

TEST_CASE("files in memory lock alike") {
  MemoryFiles files;
  auto first = files.lock("lock", "me");
  REQUIRE(first.is_ok());
  CHECK(files.lock("lock", "you").status().code() == Code::kPeer);
  CHECK(files.lock("lock", "you").status().message() == "me");
  (*first).reset();
  CHECK(files.lock("lock", "you").is_ok());
}

}  // namespace
}  // namespace plait::inline base
