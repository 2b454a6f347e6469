#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <plait/sdk/testing_plugin.hpp>

#include <filesystem>
#include <fstream>

using namespace plait::sdk;
using namespace plait::sdk::testing;
using Bytes = std::vector<uint8_t>;

namespace {

// A folder of its own, gone with the test.
struct Folder {
  std::filesystem::path path;
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "plait_idx_XXXXXX").string();
    if (!mkdtemp(name.data())) throw std::runtime_error("no folder for the test");
    path = name;
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string operator/(const std::string& name) const { return (path / name).string(); }
};

void write(const std::string& path, const Bytes& bytes) {
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()), static_cast<long>(bytes.size()));
}

Bytes gzip(const Bytes& plain) {
  z_stream z{};
  REQUIRE(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  Bytes packed(plain.size() + 1024);
  z.next_in = const_cast<uint8_t*>(plain.data());
  z.avail_in = static_cast<uInt>(plain.size());
  z.next_out = packed.data();
  z.avail_out = static_cast<uInt>(packed.size());
  REQUIRE(deflate(&z, Z_FINISH) == Z_STREAM_END);
  packed.resize(z.total_out);
  deflateEnd(&z);
  return packed;
}

Bytes header(uint8_t type, std::vector<uint32_t> shape) {
  Bytes bytes{0, 0, type, static_cast<uint8_t>(shape.size())};
  for (const uint32_t extent : shape) {
    for (const int shift : {24, 16, 8, 0}) bytes.push_back(static_cast<uint8_t>(extent >> shift));
  }
  return bytes;
}

Bytes idx(std::vector<uint32_t> shape, uint8_t first = 0) {
  Bytes bytes = header(8, shape);
  size_t size = 1;
  for (const uint32_t extent : shape) size *= extent;
  for (size_t i = 0; i < size; ++i) bytes.push_back(static_cast<uint8_t>(first + i));
  return bytes;
}

struct Source {
  TestHost host;
  Entry entry = linked("plait.idx");
  const plait_source_ops& ops = *static_cast<const plait_source_ops*>(entry.implementation.ops);
  Settings settings{entry};
  void* self = nullptr;
  plait_source_info info{};
  PartsTaken taken;

  Source(const std::string& images, const std::string& labels, int first = 0, int limit = 0) {
    settings.set("images", images).set("labels", labels).set("first", first).set("limit", limit);
    host.check(ops.open(host.context(), settings.c(), &self));
    info.struct_size = sizeof info;
    host.check(ops.describe(self, host.context(), &info, taken.builder()));
  }
  ~Source() {
    if (self) ops.close(self);
  }
  // Bytes of the image, then the label.
  std::vector<int> record(int64_t index) {
    TestSample sample;
    for (const PartSpec& part : taken.parts) sample.outputs.emplace_back(part);
    host.check(ops.read(self, host.context(), index, sample.c()));
    for (const TestTensor& output : sample.outputs) CHECK(output.intact());
    const auto image = sample.outputs[0].data<uint8_t>();
    std::vector<int> all(image.begin(), image.end());
    if (sample.outputs.size() > 1) all.push_back(sample.outputs[1].data<int32_t>()[0]);
    return all;
  }
};

// The message of opening a pair of files with these bytes; the folder's name is taken out.
std::string failure(const Bytes& images, const Bytes& labels = idx({2})) {
  const Folder folder;
  write(folder / "images", images);
  write(folder / "labels", labels);
  try {
    Source source(folder / "images", folder / "labels");
  } catch (const std::runtime_error& error) {
    std::string message = error.what();
    const std::string prefix = folder / "";
    for (size_t at; (at = message.find(prefix)) != std::string::npos;) message.erase(at, prefix.size());
    return message;
  }
  return "opened";
}

TEST_CASE("plain and gzip files give the same records") {
  const Folder folder;
  write(folder / "plain", idx({3, 2, 2}, 10));
  write(folder / "zipped", gzip(idx({3, 2, 2}, 10)));
  write(folder / "labels.gz", gzip(idx({3}, 5)));
  for (const char* name : {"plain", "zipped"}) {
    Source source(folder / name, folder / "labels.gz");
    CHECK(source.info.count == 3);
    CHECK(source.info.n_classes == 10);
    CHECK(source.info.random_access == 1);
    REQUIRE(source.taken.parts.size() == 2);
    CHECK(source.taken.parts[0].shape == std::vector<int64_t>{2, 2, 1});
    CHECK(source.taken.parts[1].shape.empty());
    CHECK(source.record(0) == std::vector<int>{10, 11, 12, 13, 5});
    CHECK(source.record(2) == std::vector<int>{18, 19, 20, 21, 7});
  }
}

TEST_CASE("four dimensions are pictures of several channels; labels may be absent") {
  const Folder folder;
  write(folder / "images", idx({2, 1, 2, 3}));
  Source source(folder / "images", "");
  REQUIRE(source.taken.parts.size() == 1);
  CHECK(source.taken.parts[0].shape == std::vector<int64_t>{1, 2, 3});
  CHECK(source.info.n_classes == 0);
  CHECK(source.record(1) == std::vector<int>{6, 7, 8, 9, 10, 11});
}

TEST_CASE("first and limit choose records, and only those must have good labels") {
  const Folder folder;
  write(folder / "images", idx({5, 1, 1}));
  write(folder / "labels", idx({5}, 7));  // 7 8 9 10 11
  Source source(folder / "images", folder / "labels", 1, 2);
  CHECK(source.info.count == 2);
  CHECK(source.record(0) == std::vector<int>{1, 8});
  CHECK_THROWS_WITH(source.record(2), "record 2 of 2 does not exist");
  CHECK(Source(folder / "images", "", 3, 100).info.count == 2);
  CHECK_THROWS_WITH(Source(folder / "images", "", 5),
                    ("first is 5, but " + folder / "images" + " has only 5 records").c_str());
}

TEST_CASE("the twin with or without .gz is found") {
  const Folder folder;
  write(folder / "a.gz", gzip(idx({1, 1, 1})));
  write(folder / "b", idx({1, 1, 1}));
  CHECK(Source(folder / "a", "").info.count == 1);
  CHECK(Source(folder / "b.gz", "").info.count == 1);
}

TEST_CASE("several gzip members follow one another") {
  const Folder folder;
  const Bytes whole = idx({3, 2, 2});
  Bytes packed = gzip({whole.begin(), whole.begin() + 7});
  const Bytes rest = gzip({whole.begin() + 7, whole.end()});
  packed.insert(packed.end(), rest.begin(), rest.end());
  write(folder / "images", packed);
  CHECK(Source(folder / "images", "").record(2) == std::vector<int>{8, 9, 10, 11});
}

TEST_CASE("what is not there, and what is no file") {
  const Folder folder;
  TestHost host;
  const Entry entry = linked("plait.idx");
  const auto& ops = *static_cast<const plait_source_ops*>(entry.implementation.ops);
  void* self = nullptr;
  Settings settings(entry);
  CHECK(ops.open(host.context(), settings.set("images", folder / "none").c(), &self) == PLAIT_FAILED);
  CHECK(host.code == PLAIT_ERROR_NOT_FOUND);
  CHECK(host.message == folder / "none" + " does not exist, nor does " + folder / "none.gz");
  CHECK(ops.open(host.context(), settings.set("images", folder.path.string()).c(), &self) == PLAIT_FAILED);
  CHECK(host.code == PLAIT_ERROR_IO);
}

TEST_CASE("a pipe, a device, and files that the kernel makes up are refused at once") {
  const Folder folder;
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  for (const std::string& path :
       {folder / "pipe", std::string("/dev/zero"), std::string("/proc/self/status")}) {
    CAPTURE(path);
    TestHost host;
    const Entry entry = linked("plait.idx");
    const auto& ops = *static_cast<const plait_source_ops*>(entry.implementation.ops);
    void* self = nullptr;
    Settings settings(entry);
    CHECK(ops.open(host.context(), settings.set("images", path).c(), &self) == PLAIT_FAILED);
    CHECK(host.code == PLAIT_ERROR_IO);
    CHECK(host.message.find(path) == 0);
  }
}

// After the byte that is too much nothing is expanded: that the rest is cut off is not met.
TEST_CASE("gzip is expanded as far as the header says") {
  Bytes longer = idx({2, 1, 1});
  longer.resize(longer.size() + (size_t{1} << 22));
  Bytes packed = gzip(longer);
  CHECK(failure(packed) == "images: goes on after the 2 bytes of images that its dimensions [2, 1, 1] say");
  packed.resize(packed.size() / 2);
  CHECK(failure(packed) == "images: goes on after the 2 bytes of images that its dimensions [2, 1, 1] say");
}

TEST_CASE("broken files say what was got and wanted") {
  CHECK(failure({}) == "images: ends after 0 bytes, wanted an IDX header of images");
  CHECK(failure({0, 0, 8}) == "images: ends after 3 bytes, wanted an IDX header of images");
  CHECK(failure(idx({2})) ==
        "images: magic number is 0x00000801, wanted 0x00000803 to 0x00000804 for images");
  CHECK(failure(header(9, {2, 1, 1})) ==
        "images: magic number is 0x00000903, wanted 0x00000803 to 0x00000804 for images");
  CHECK(failure({'P', 'N', 'G', '!'}) ==
        "images: magic number is 0x504e4721, wanted 0x00000803 to 0x00000804 for images");
  CHECK(failure({0, 0, 8, 3, 0, 0, 0, 2, 0, 0}) ==
        "images: ends within its header, after 10 bytes, wanted 3 dimensions");
  CHECK(failure(header(8, {2, 0, 1})) == "images: dimension 1 is 0, wanted at least 1");
  CHECK(failure(header(8, {0xffffffff, 0xffffffff, 0xffffffff})) ==
        "images: dimensions [4294967295, 4294967295] are more than 1099511627776 bytes");
  CHECK(failure(header(8, {4000, 10000, 10000})) ==
        "images: holds 0 bytes of images, wanted 400000000000 for dimensions [4000, 10000, 10000]");
  Bytes bytes = idx({2, 2, 2});
  bytes.pop_back();
  CHECK(failure(bytes) == "images: holds 7 bytes of images, wanted 8 for dimensions [2, 2, 2]");
  bytes.resize(bytes.size() + 2);
  CHECK(failure(bytes) == "images: goes on after the 8 bytes of images that its dimensions [2, 2, 2] say");
  CHECK(failure(idx({2, 1, 1}), idx({3})) == "labels has 3 labels, but images has 2 images");
  CHECK(failure(idx({2, 1, 1}), idx({2, 1})) ==
        "labels: magic number is 0x00000802, wanted 0x00000801 for labels");
  CHECK(failure(idx({2, 1, 1}), idx({2}, 9)) == "labels: record 1 has label 10, wanted 0 to 9");
}

TEST_CASE("gzip that is cut or damaged anywhere never opens") {
  const Bytes good = gzip(idx({20, 5, 5}));
  Bytes labels = header(8, {20});
  labels.resize(labels.size() + 20);
  REQUIRE(failure(good, labels) == "opened");
  for (size_t size = 1; size < good.size(); ++size) {
    CAPTURE(size);
    CHECK(failure({good.begin(), good.begin() + static_cast<long>(size)}, labels) != "opened");
  }
  const std::string cut = failure({good.begin(), good.end() - 4}, labels);
  CHECK(cut ==
        "images: gzip data ends early, after " + std::to_string(good.size() - 4) + " bytes of the file");
  // Bits without a meaning may change (the time in the header, the filling of the last byte): then all is as
  // it was.
  const Folder folder;
  size_t opened = 0;
  for (size_t place = 10; place < good.size(); ++place) {
    CAPTURE(place);
    Bytes bad = good;
    bad[place] ^= 0x10;
    if (failure(bad, labels) != "opened") continue;
    ++opened;
    write(folder / "bad", bad);
    write(folder / "good", good);
    Source damaged(folder / "bad", ""), whole(folder / "good", "");
    for (int64_t record = 0; record < 20; ++record) CHECK(damaged.record(record) == whole.record(record));
  }
  CHECK(opened < 5);
  Bytes longer = good;
  longer.insert(longer.end(), {1, 2, 3});
  CHECK(failure(longer, labels).find("images: gzip data is damaged near byte") == 0);
}

}  // namespace
