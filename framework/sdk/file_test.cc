#include <doctest/doctest.h>
#include <stdlib.h>

#include <plait/sdk/file.hpp>

#include <filesystem>
#include <fstream>

using namespace plait::sdk;

namespace {

struct FolderOfTest {
  FolderOfTest() {
    std::string name = (std::filesystem::temp_directory_path() / "plait_sdk_file_XXXXXX").string();
    path = ::mkdtemp(name.data());
  }
  ~FolderOfTest() { std::filesystem::remove_all(path); }
  std::string path;
};

ErrorCode code_of(const std::string& path) {
  try {
    const File file(path);
  } catch (const Error& error) {
    CHECK(error.message().find(path) == 0);
    return error.code();
  }
  FAIL("opened");
  return ErrorCode::kInvalid;
}

}  // namespace

TEST_CASE("a file's bytes, from any place") {
  const FolderOfTest folder;
  std::ofstream(folder.path + "/x") << "0123456789";
  const File file(folder.path + "/x");
  CHECK(file.size_bytes() == 10);
  CHECK(file.read(2, 3) == "234");
  CHECK(file.read(8, 100) == "89");
  CHECK(file.read(10, 1).empty());
  CHECK(file.read(uint64_t{1} << 60, 1).empty());
  CHECK(file.read_all(10) == "0123456789");
  CHECK_THROWS_WITH(file.read_all(9), (folder.path + "/x has 10 bytes, wanted at most 9").c_str());
}

TEST_CASE("what is no regular file is refused, not waited for") {
  const FolderOfTest folder;
  REQUIRE(::mkfifo((folder.path + "/pipe").c_str(), 0600) == 0);
  CHECK(code_of(folder.path + "/pipe") == ErrorCode::kIo);
  CHECK(code_of("/dev/zero") == ErrorCode::kIo);
  CHECK(code_of("/proc/self/status") == ErrorCode::kIo);
  CHECK(code_of(folder.path) == ErrorCode::kIo);
  CHECK(code_of(folder.path + "/none") == ErrorCode::kNotFound);
}
