#include "base/memory_file.h"

#include <doctest/doctest.h>

namespace plait::inline base {
namespace {

TEST_CASE("bytes in memory are read as a regular file is, from the beginning, as often as wanted") {
  const std::string bytes(100'000, 'x');
  for (const std::string& one : {bytes, std::string("a\0b", 3), std::string()}) {
    const auto file = MemoryFile::create(one);
    REQUIRE_MESSAGE(file, file.status().message());
    CHECK(is_stream(file->path()) == false);
    for (int time = 0; time < 2; ++time) {
      const auto opened = RegularFile::open(file->path());
      REQUIRE_MESSAGE(opened, opened.status().message());
      CHECK(opened->read_all(bytes.size()).value() == one);
    }
  }
}

TEST_CASE("a file in memory ends with its owner") {
  std::string path;
  {
    const auto file = MemoryFile::create("text");
    REQUIRE(file);
    path = file->path();
  }
  CHECK(RegularFile::open(path).status().code() == Code::kNotFound);
}

}  // namespace
}  // namespace plait::inline base
