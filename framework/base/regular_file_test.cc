#include "base/regular_file.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/files.h"

namespace plait::inline base {
namespace {

struct FolderOfFiles {
  FolderOfFiles() {
    std::string name = (std::filesystem::temp_directory_path() / "plait_regular_XXXXXX").string();
    path = ::mkdtemp(name.data());
  }
  ~FolderOfFiles() { std::filesystem::remove_all(path); }
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(path + "/" + name, std::ios::binary) << text;
    return path + "/" + name;
  }
  std::string path;
};

bool says(const Status& status, const std::string& words) {
  return status.message().find(words) != std::string::npos;
}

TEST_CASE("a pipe, a device, a socket and a folder are refused before anything is waited for") {
  const FolderOfFiles folder;
  const std::string pipe = folder.path + "/pipe", socket = folder.path + "/socket";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, socket.c_str(), sizeof address.sun_path - 1);
  const Descriptor listening(::socket(AF_UNIX, SOCK_STREAM, 0));
  REQUIRE(::bind(listening.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  SystemFiles files;
  CHECK(files.read(pipe).status().message() == pipe + ": is a pipe, wanted a regular file");
  CHECK(files.read(socket).status().message() == socket + ": is a socket, wanted a regular file");
  CHECK(files.read("/dev/zero").status().message() == "/dev/zero: is a device, wanted a regular file");
  CHECK(files.read(folder.path).status().message() == folder.path + ": is a folder, wanted a regular file");
  // What a link leads to counts.
  REQUIRE(::symlink("/dev/zero", (folder.path + "/link").c_str()) == 0);
  CHECK(says(files.read(folder.path + "/link").status(), "is a device"));
  // Nothing is written into them either.
  CHECK(files.append(pipe, "x").code() == Code::kInvalid);
  CHECK(files.write_atomically(pipe, "x").code() == Code::kInvalid);
  CHECK(files.write_atomically(folder.path + "/link", "x").code() == Code::kInvalid);
}

TEST_CASE("files that the kernel makes up give more than they announce") {
  SystemFiles files;
  const Status status = files.read("/proc/self/status").status();
  CHECK(status.code() == Code::kInvalid);
  CHECK(says(status, "/proc/self/status: gives more than the 0 bytes that it announces"));
}

TEST_CASE("bounds are told in bytes, also of a file with holes that no memory holds") {
  const FolderOfFiles folder;
  const std::string path = folder.write("file", "0123456789");
  SystemFiles files;
  CHECK(files.read(path, 10).value() == "0123456789");
  CHECK(files.read(path, 9).status().message() == path + ": has 10 bytes, wanted at most 9");
  if (::truncate(path.c_str(), off_t{1} << 42) != 0) return;  // the disk has no such files
  CHECK(says(files.read(path).status(), "has 4398046511104 bytes, wanted at most 1099511627776"));
  REQUIRE(::truncate(path.c_str(), off_t{1} << 40) == 0);
  CHECK(says(files.read(path).status(), "the memory of this machine"));
}

TEST_CASE("a file that others add to is read as it was, one that others cut is refused") {
  const FolderOfFiles folder;
  const std::string path = folder.write("log", "one");
  const auto opened = RegularFile::open(path);
  REQUIRE(opened);
  folder.write("log", "one two");
  CHECK(opened->read_all(100).value() == "one");
  folder.write("log", "o");
  CHECK(opened->read_all(100).status().message() == path + ": ends after 1 bytes, wanted 3");
}

TEST_CASE("a pipe is read to its end where a person may name one") {
  const FolderOfFiles folder;
  const std::string pipe = folder.path + "/pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  CHECK(is_stream(pipe));
  CHECK(is_stream("-"));
  for (const size_t size : {size_t{0}, size_t{5}, size_t{1} << 18}) {
    std::thread writer([&] { folder.write("pipe", std::string(size, 'x')); });
    const auto read = read_file_or_pipe(pipe, size_t{1} << 18);
    writer.join();
    CHECK(read.value() == std::string(size, 'x'));
  }
  const std::string file = folder.write("file", "text");
  CHECK_FALSE(is_stream(file));
  CHECK(read_file_or_pipe(file, 100).value() == "text");
  CHECK(read_file_or_pipe("/dev/zero", 100).status().code() == Code::kInvalid);
}

TEST_CASE("a pipe that gives more than the bound is not read to its end") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const Descriptor read_end(ends[0]), write_end(ends[1]);
  REQUIRE(::write(write_end.get(), "0123456789", 10) == 10);
  const auto read = read_file_or_pipe("/proc/self/fd/" + std::to_string(ends[0]), 9);
  CHECK(says(read.status(), "gives more than 9 bytes"));
}

}  // namespace
}  // namespace plait::inline base
