#include "base/sha256.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

using plait::Code;
using plait::Sha256;

namespace {

std::string hex(std::string_view bytes, Sha256::Path path, size_t piece) {
  Sha256 sum(path);
  for (; bytes.size() > piece; bytes.remove_prefix(piece)) sum.update(bytes.substr(0, piece));
  sum.update(bytes);
  return Sha256::hex_of(sum.digest());
}

}  // namespace

// Source: the examples that come with FIPS 180-4.
TEST_CASE("the standard's examples, by both ways of computing") {
  for (auto path : {Sha256::Path::kBest, Sha256::Path::kBits, Sha256::Path::kPortable}) {
    CHECK(hex("", path, 1) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    CHECK(hex("abc", path, 1) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    CHECK(hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", path, 7) ==
          "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    CHECK(hex(std::string(1'000'000, 'a'), path, 999) ==
          "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  }
}

TEST_CASE("every length around a block: both ways agree, in pieces or at once") {
  std::string bytes;
  for (int i = 0; i < 200; ++i) {
    const std::string whole = Sha256::hex_of(bytes);
    CHECK(whole == hex(bytes, Sha256::Path::kBits, 1));
    CHECK(whole == hex(bytes, Sha256::Path::kPortable, 1));
    CHECK(whole == hex(bytes, Sha256::Path::kBest, 13));
    bytes += static_cast<char>(i * 37);
  }
}

TEST_CASE("a file's digest is that of its bytes; no file is no digest") {
  const auto path = std::filesystem::temp_directory_path() / ("sha256_test_" + std::to_string(::getpid()));
  const std::string bytes(200'001, 'x');
  std::ofstream(path, std::ios::binary) << bytes;
  auto hex_of_file = Sha256::hex_of_file(path);
  REQUIRE(hex_of_file);
  CHECK(*hex_of_file == Sha256::hex_of(bytes));
  std::filesystem::remove(path);
  CHECK(Sha256::hex_of_file(path).status().code() == Code::kNotFound);
}
