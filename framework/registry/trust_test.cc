#include "registry/trust.h"

#include <doctest/doctest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

using namespace plait;
namespace fs = std::filesystem;

namespace {

// "mine" with a.plait.so, "theirs" with the same bytes by another name and with other ones.
struct TwoFolders {
  TwoFolders() {
    std::string name = (fs::temp_directory_path() / "plait_trust_XXXXXX").string();
    root = ::mkdtemp(name.data());
    write("mine/a.plait.so", "bytes of a");
    write("theirs/copy.plait.so", "bytes of a");
    write("theirs/evil.plait.so", "bytes of e");
  }
  ~TwoFolders() { fs::remove_all(root); }
  std::string write(const std::string& name, const std::string& bytes) const {
    const fs::path path = fs::path(root) / name;
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }
  std::string operator/(const std::string& name) const { return root + "/" + name; }
  std::string root;
};

using Verdict = Trust::Verdict;

}  // namespace

TEST_CASE("nothing is trusted where nobody said so") {
  const TwoFolders at;
  const Trust trust({});
  CHECK(trust.of_library(at / "mine/a.plait.so") == Verdict::kStranger);
  CHECK(trust.of_library(at / "gone.plait.so") == Verdict::kStranger);
  CHECK(trust.of_library("/dev/zero") == Verdict::kStranger);
  CHECK(trust.of_folder(at / "mine") == Verdict::kStranger);
  CHECK(trust.of_folder(at / "gone") == Verdict::kStranger);
}

TEST_CASE("a named file vouches for its bytes, wherever they lie") {
  const TwoFolders at;
  const Trust trust({{at / "mine/a.plait.so"}, {}});
  CHECK(trust.of_library(at / "mine/../mine/a.plait.so") == Verdict::kNamed);
  CHECK(trust.of_library(at / "theirs/copy.plait.so") == Verdict::kNamed);
  CHECK(trust.of_library(at / "theirs/evil.plait.so") == Verdict::kStranger);
  CHECK(trust.of_folder(at / "theirs") == Verdict::kStranger);
  fs::remove(at / "theirs/evil.plait.so");
  CHECK(trust.of_folder(at / "theirs") == Verdict::kNamed);
}

TEST_CASE("a folder of one's own vouches for what lies in it, not below it") {
  const TwoFolders at;
  at.write("mine/below/b.plait.so", "b");
  fs::create_symlink(at / "theirs/evil.plait.so", at / "mine/link.plait.so");
  fs::create_directory_symlink(at / "mine", at / "door");
  const Trust trust({{}, {at / "door"}});
  CHECK(trust.of_library(at / "mine/a.plait.so") == Verdict::kInFolder);
  CHECK(trust.of_library(at / "mine/below/b.plait.so") == Verdict::kStranger);
  CHECK(trust.of_library(at / "door/link.plait.so") == Verdict::kInFolder);
  CHECK(trust.of_library(at / "theirs/evil.plait.so") == Verdict::kStranger);
  CHECK(trust.of_folder(at / "mine") == Verdict::kInFolder);
  CHECK(trust.of_folder(at / "mine/below") == Verdict::kStranger);
}

TEST_CASE("what anyone may write to is nobody's word") {
  const TwoFolders at;
  REQUIRE(::chmod((at / "mine/a.plait.so").c_str(), 0666) == 0);
  CHECK(Trust({{}, {at / "mine"}}).of_library(at / "mine/a.plait.so") == Verdict::kStranger);
  REQUIRE(::chmod((at / "theirs").c_str(), 0777) == 0);
  CHECK(Trust({{}, {at / "theirs"}}).of_library(at / "theirs/evil.plait.so") == Verdict::kStranger);
}
