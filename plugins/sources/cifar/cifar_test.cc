#include <doctest/doctest.h>
#include <unistd.h>
#include <plait/sdk/testing_plugin.hpp>

#include <filesystem>
#include <fstream>

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

// A folder of its own, gone with the test.
struct Folder {
  std::filesystem::path path;
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "plait_cifar_XXXXXX").string();
    if (!mkdtemp(name.data())) throw std::runtime_error("no folder for the test");
    path = name;
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string write(const std::string& name, const std::string& bytes) const {
    std::ofstream(path / name, std::ios::binary) << bytes;
    return (path / name).string();
  }
};

// The labels, then the planes: red has its place, green 1 more, blue 2 more, each plus `shift`, mod 256.
std::string record(const std::string& labels, int shift = 0) {
  std::string bytes = labels;
  for (int plane = 0; plane < 3; ++plane)
    for (int i = 0; i < 1024; ++i) bytes += static_cast<char>(i + plane + shift);
  return bytes;
}

struct Source {
  TestHost host;
  Entry entry = linked("plait.cifar");
  const plait_source_ops& ops = *static_cast<const plait_source_ops*>(entry.implementation.ops);
  void* self = nullptr;
  plait_source_info info{};
  PartsTaken taken;

  explicit Source(std::vector<std::string> files, const std::string& labels = "ten",
                  const std::string& names = "", int first = 0, int limit = 0) {
    Settings settings(entry);
    for (const std::string& file : files) settings.add("file", file);
    settings.set("labels", labels).set("names", names).set("first", first).set("limit", limit);
    host.check(ops.open(host.context(), settings.c(), &self));
    info.struct_size = sizeof info;
    host.check(ops.describe(self, host.context(), &info, taken.builder()));
  }
  ~Source() {
    if (self) ops.close(self);
  }
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;

  struct Read {
    std::vector<int> pixels;
    int label;
  };
  Read record(int64_t index) {
    TestSample sample;
    for (const PartSpec& part : taken.parts) sample.outputs.emplace_back(part);
    host.check(ops.read(self, host.context(), index, sample.c()));
    for (const TestTensor& output : sample.outputs) CHECK(output.intact());
    const auto image = sample.outputs[0].data<uint8_t>();
    return {{image.begin(), image.end()}, sample.outputs[1].data<int32_t>()[0]};
  }
};

TEST_CASE("planes become pixels") {
  const Folder folder;
  Source source({folder.write("a.bin", record("\x03") + record("\x09", 100))});
  CHECK(source.info.count == 2);
  CHECK(source.info.n_classes == 10);
  CHECK(source.taken.parts[0].shape == std::vector<int64_t>{32, 32, 3});
  const auto one = source.record(1);
  CHECK(one.label == 9);
  for (int i = 0; i < 1024; ++i)
    for (int c = 0; c < 3; ++c) REQUIRE(one.pixels[static_cast<size_t>(3 * i + c)] == (i + c + 100) % 256);
}

TEST_CASE("files follow one another; first and limit count through all") {
  const Folder folder;
  const auto a = folder.write("a.bin", record("\x01") + record("\x02"));
  const auto b = folder.write("b.bin", record("\x03") + record("\x04") + record("\x05"));
  Source all({a, b});
  CHECK(all.info.count == 5);
  for (int i = 0; i < 5; ++i) CHECK(all.record(i).label == i + 1);
  Source some({a, b}, "ten", "", 1, 3);
  CHECK(some.info.count == 3);
  for (int i = 0; i < 3; ++i) CHECK(some.record(i).label == i + 2);
  CHECK_THROWS_WITH(Source({a, b}, "ten", "", 5), "first is 5, but the files have only 5 records");
}

TEST_CASE("CIFAR-100 has two labels") {
  const Folder folder;
  const auto file = folder.write("a.bin", record("\x13\x63") + record(std::string("\0\x01", 2)));
  Source fine({file}, "fine"), coarse({file}, "coarse");
  CHECK(fine.info.n_classes == 100);
  CHECK(coarse.info.n_classes == 20);
  CHECK(fine.record(0).label == 99);
  CHECK(coarse.record(0).label == 19);
  CHECK(fine.record(1).label == 1);
  CHECK(fine.record(0).pixels[0] == 0);
}

TEST_CASE("names of classes are one a line") {
  const Folder folder;
  const auto file = folder.write("a.bin", record("\x02"));
  const auto names = folder.write("names", "a\nb\r\nc\nd\ne\nf\ng\nh\ni\nj\n\n");
  Source source({file}, "ten", names);
  REQUIRE(source.info.class_names);
  CHECK(std::string(source.info.class_names[1]) == "b");
  const auto few = folder.write("few", "a\nb\n");
  CHECK_THROWS_WITH(Source({file}, "ten", few),
                    (few + " has 2 names, wanted one for each of 10 classes").c_str());
}

TEST_CASE("what is no file of the format is refused at the start") {
  const Folder folder;
  const std::string wanted = " bytes, wanted records of 3073: 1 label and 3072 pixels";
  const auto empty = folder.write("empty", "");
  CHECK_THROWS_WITH(Source({empty}), (empty + " has 0" + wanted).c_str());
  const auto cut = folder.write("cut", record("\x01").substr(1));
  CHECK_THROWS_WITH(Source({cut}), (cut + " has 3072" + wanted).c_str());
  const auto other = folder.write("other", record("\x01\x01"));
  CHECK_THROWS_WITH(Source({other}), (other + " has 3074" + wanted).c_str());
  const auto wrong = folder.write("wrong", record("\x01") + record("\x0a"));
  CHECK_THROWS_WITH(Source({wrong}), (wrong + ": record 1 has label 10, wanted 0 to 9").c_str());
  CHECK(Source({wrong}, "ten", "", 0, 1).info.count == 1);
  CHECK_THROWS_WITH(Source({}), "file is not written, wanted one or more");
}

TEST_CASE("a file that is cut during the run is told of") {
  const Folder folder;
  const auto file = folder.write("a.bin", record("\x01") + record("\x02"));
  Source source({file});
  std::filesystem::resize_file(file, 3073);
  CHECK(source.record(0).label == 1);
  CHECK_THROWS_WITH(
      source.record(1),
      (file + " is no longer the file that was opened: others must not write to it meanwhile").c_str());
}

}  // namespace
