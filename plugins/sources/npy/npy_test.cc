#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>
#include <plait/sdk/testing_plugin.hpp>

#include <atomic>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <thread>

#include "npy_file.h"

using namespace plait::sdk;
using namespace plait::sdk::testing;

namespace {

// A folder of its own, gone with the test.
struct Folder {
  std::filesystem::path path;
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "plait_npy_XXXXXX").string();
    if (!mkdtemp(name.data())) throw std::runtime_error("no folder for the test");
    path = name;
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string operator/(const std::string& name) const { return (path / name).string(); }
};

void write(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

std::string with_header(const std::string& header, const std::string& data, int version = 1) {
  std::string bytes("\x93NUMPY", 6);
  bytes += static_cast<char>(version);
  bytes += '\0';
  for (int i = 0; i < (version == 1 ? 2 : 4); ++i) bytes += static_cast<char>(header.size() >> 8 * i & 255);
  return bytes + header + data;
}

std::string header_of(const std::string& descr, const std::string& shape) {
  return "{'descr': '" + descr + "', 'fortran_order': False, 'shape': " + shape + ", }   \n";
}

template <class V>
std::string npy(const std::string& descr, const std::string& shape, const std::vector<V>& values) {
  std::string data(values.size() * sizeof(V), '\0');
  if (!values.empty()) std::memcpy(data.data(), values.data(), data.size());
  return with_header(header_of(descr, shape), data);
}

struct Source {
  TestHost host;
  Entry entry = linked("plait.npy");
  const plait_source_ops& ops = *static_cast<const plait_source_ops*>(entry.implementation.ops);
  Settings settings{entry};
  void* self = nullptr;
  plait_source_info info{};
  PartsTaken taken;

  void open() {
    host.check(ops.open(host.context(), settings.c(), &self));
    info.struct_size = sizeof info;
    host.check(ops.describe(self, host.context(), &info, taken.builder()));
  }
  ~Source() {
    if (self) ops.close(self);
  }
  TestSample read(int64_t index) {
    TestSample sample;
    for (const PartSpec& part : taken.parts) sample.outputs.emplace_back(part);
    host.check(ops.read(self, host.context(), index, sample.c()));
    for (const TestTensor& output : sample.outputs) CHECK(output.intact());
    return sample;
  }
  template <class V>
  std::vector<V> values(int64_t index, size_t part = 0) {
    TestSample sample = read(index);
    const auto all = sample.outputs[part].data<V>();
    return {all.begin(), all.end()};
  }
};

// The message of opening `inputs` (and reading its record 0); the folder's name is taken out.
std::string failure(const std::string& inputs, const std::string& labels = "",
                    const std::string& targets = "") {
  const Folder folder;
  Source source;
  source.settings.set("inputs", folder / "x");
  write(folder / "x", inputs);
  if (!labels.empty()) write(folder / "y", labels), source.settings.set("labels", folder / "y");
  if (!targets.empty()) write(folder / "t", targets), source.settings.set("targets", folder / "t");
  try {
    source.open();
    source.read(0);
  } catch (const std::runtime_error& error) {
    std::string message = error.what();
    const std::string prefix = folder / "";
    for (size_t at; (at = message.find(prefix)) != std::string::npos;) message.erase(at, prefix.size());
    return message;
  }
  return "read";
}

const std::string kPixels = npy<uint8_t>("|u1", "(2, 2)", {1, 2, 3, 255});

TEST_CASE("parts have the elements and extents of the arrays") {
  const Folder folder;
  write(folder / "x", npy<uint8_t>("|u1", "(3, 2, 2)", {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 255}));
  write(folder / "y", npy<int64_t>("<i8", "(3,)", {2, 0, 5}));
  write(folder / "t", npy<double>("<f8", "(3, 1)", {0.5, -1.25, 3e38}));
  Source source;
  source.settings.set("inputs", folder / "x").set("labels", folder / "y").set("targets", folder / "t");
  source.open();
  CHECK(source.info.count == 3);
  CHECK(source.info.n_classes == 6);
  CHECK(source.info.random_access == 1);
  REQUIRE(source.taken.parts.size() == 3);
  CHECK(source.taken.parts[0].name == "x");
  CHECK(source.taken.parts[0].dtype == DType::u8);
  CHECK(source.taken.parts[0].shape == std::vector<int64_t>{2, 2});
  CHECK(source.taken.parts[1].name == "label");
  CHECK(source.taken.parts[1].shape.empty());
  CHECK(source.taken.parts[2].name == "target");
  CHECK(source.taken.parts[2].shape == std::vector<int64_t>{1});
  CHECK(source.values<uint8_t>(2) == std::vector<uint8_t>{9, 10, 11, 255});
  CHECK(source.values<int32_t>(2, 1) == std::vector<int32_t>{5});
  CHECK(source.values<float>(1, 2) == std::vector<float>{-1.25f});
  CHECK(source.values<float>(2, 2) == std::vector<float>{3e38f});
  CHECK_THROWS_WITH(source.read(3), "record 3 of 3 does not exist");
}

TEST_CASE("first, limit, shape, part and classes") {
  const Folder folder;
  write(folder / "x", npy<float>("<f4", "(4, 4)", {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}));
  write(folder / "y", npy<uint8_t>("|u1", "(4, 1)", {200, 1, 0, 200}));
  Source source;
  source.settings.set("inputs", folder / "x").set("labels", folder / "y").set("first", 1).set("limit", 2);
  source.settings.set("part", "image").set("classes", 2);
  for (const int64_t extent : {2, 2, 1}) source.settings.add("shape", extent);
  source.open();
  CHECK(source.info.count == 2);
  CHECK(source.info.n_classes == 2);
  CHECK(source.taken.parts[0].name == "image");
  CHECK(source.taken.parts[0].shape == std::vector<int64_t>{2, 2, 1});
  CHECK(source.values<float>(1) == std::vector<float>{8, 9, 10, 11});
  CHECK(source.values<int32_t>(0, 1) == std::vector<int32_t>{1});
}

TEST_CASE("extents say how far a record is used") {
  const Folder folder;
  write(folder / "x", npy<uint8_t>("|u1", "(3, 2, 2)", {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}));
  write(folder / "e", npy<int64_t>("<i8", "(3, 2)", {2, 1, 1, 2, 2, 2}));
  Source source;
  source.settings.set("inputs", folder / "x").set("extents", folder / "e").set("first", 1);
  source.open();
  CHECK(source.info.count == 2);
  CHECK(source.taken.parts[0].variable_axis == 0);
  CHECK(source.taken.parts[0].second_axis == 1);
  const TestSample sample = source.read(0);
  CHECK(sample.lengths_out == std::vector<int32_t>{1});
  CHECK(sample.second_lengths_out == std::vector<int32_t>{2});

  write(folder / "l", npy<uint8_t>("|u1", "(3,)", {2, 1, 1}));
  Source lines;
  lines.settings.set("inputs", folder / "x").set("extents", folder / "l");
  lines.open();
  CHECK(lines.taken.parts[0].variable_axis == 0);
  CHECK(lines.taken.parts[0].second_axis == -1);
  CHECK(lines.read(0).lengths_out == std::vector<int32_t>{2});
}

TEST_CASE("extents that do not go with the inputs") {
  const std::string inputs = npy<uint8_t>("|u1", "(2, 2)", {1, 2, 3, 4});
  const auto refusal = [&](const std::string& extents) {
    const Folder folder;
    Source source;
    write(folder / "x", inputs), write(folder / "e", extents);
    source.settings.set("inputs", folder / "x").set("extents", folder / "e");
    try {
      source.open();
    } catch (const std::runtime_error& error) {
      const std::string text = error.what();
      return text.substr(text.find("/e") + 2);
    }
    return std::string("read");
  };
  CHECK(refusal(npy<uint8_t>("|u1", "(2,)", {2, 1})) == "read");
  CHECK(refusal(npy<uint8_t>("|u1", "(2,)", {2, 0})) ==
        ": record 1 has extent 0 along axis 0, wanted 1 to 2");
  CHECK(refusal(npy<int64_t>("<i8", "(2, 1)", {3, 1})) ==
        ": record 0 has extent 3 along axis 0, wanted 1 to 2");
  CHECK(refusal(npy<uint8_t>("|u1", "(3,)", {2, 1, 1})).find(" has 3 records") == 0);
  CHECK(refusal(npy<float>("<f4", "(2,)", {2, 1})).find("wanted one or two whole numbers each") !=
        std::string::npos);
  CHECK(refusal(npy<uint8_t>("|u1", "(2, 3)", {1, 1, 1, 1, 1, 1})).find("wanted one or two whole numbers") !=
        std::string::npos);
  CHECK(refusal(npy<uint8_t>("|u1", "(2, 2)", {1, 1, 1, 1})) ==
        ": 2 extents a record, but part \"x\" has 1 axes");
}

TEST_CASE("every kind of element, in every version of the format") {
  const auto x = [](const std::string& bytes) {
    const Folder folder;
    write(folder / "x", bytes);
    Source source;
    source.settings.set("inputs", folder / "x");
    source.open();
    return source.values<int32_t>(1);
  };
  CHECK(x(npy<int8_t>("|i1", "(2,)", {1, -128})) == std::vector<int32_t>{-128});
  CHECK(x(npy<uint16_t>("<u2", "(2,)", {1, 65535})) == std::vector<int32_t>{65535});
  CHECK(x(npy<int16_t>("<i2", "(2,)", {1, -32768})) == std::vector<int32_t>{-32768});
  CHECK(x(npy<uint32_t>("<u4", "(2,)", {1, 2147483647})) == std::vector<int32_t>{2147483647});
  CHECK(x(npy<int32_t>("<i4", "(2,)", {1, -2147483647 - 1})) == std::vector<int32_t>{-2147483647 - 1});
  CHECK(x(npy<int64_t>("<i8", "(2,)", {1, -5})) == std::vector<int32_t>{-5});
  for (int version = 1; version <= 3; ++version)
    CHECK(x(with_header(header_of("|i1", "(2,)"), std::string("\1\2", 2), version)) ==
          std::vector<int32_t>{2});
  // Keys in another order, other quotes, no comma after the last.
  CHECK(x(with_header("{\"shape\":(2,),'fortran_order':False,'descr':'|i1'}", std::string("\1\2", 2))) ==
        std::vector<int32_t>{2});
}

TEST_CASE("a number that its part cannot hold makes a bad record, and no other suffers") {
  const Folder folder;
  write(folder / "x", npy<int64_t>("<i8", "(2, 2)", {1, 2, 3, 1LL << 31}));
  write(folder / "t", npy<double>("<f8", "(2,)", {1e39, 1}));
  Source source;
  source.settings.set("inputs", folder / "x");
  source.open();
  CHECK(source.values<int32_t>(0) == std::vector<int32_t>{1, 2});
  CHECK_THROWS_WITH(
      source.read(1),
      (folder / "x: record 1: element 1 is 2147483648, wanted a whole number of 32 bits").c_str());
  CHECK(source.host.code == PLAIT_ERROR_CORRUPT);
  CHECK(failure(kPixels, "", npy<double>("<f8", "(2,)", {1e39, 1})) ==
        "t: record 0: element 0 is 1e+39, wanted a finite number that f32 can hold");
  const float nan = std::numeric_limits<float>::quiet_NaN();
  CHECK(failure(npy<float>("<f4", "(1, 2)", {1, nan})) ==
        "x: record 0: element 1 is nan, wanted a finite number");
  CHECK(failure(kPixels, "", npy<double>("<f8", "(2,)", {std::nan(""), 1})).find("element 0 is nan") !=
        std::string::npos);
}

TEST_CASE("the type that is asked for, of whatever the array has, where it can hold the numbers") {
  const auto open = [](Source& source, const Folder& folder, const std::string& bytes, const char* dtype) {
    write(folder / "x", bytes);
    source.settings.set("inputs", folder / "x").set("dtype", dtype);
    source.open();
  };
  const Folder folder;
  const std::vector<std::string> whole = {
      npy<double>("<f8", "(2, 2)", {1, 2, 255, 0}), npy<float>("<f4", "(2, 2)", {1, 2, 255, 0}),
      npy<int64_t>("<i8", "(2, 2)", {1, 2, 255, 0}), npy<uint8_t>("|u1", "(2, 2)", {1, 2, 255, 0})};
  for (const std::string& bytes : whole) {
    Source bytes_wanted, whole_wanted, floats_wanted;
    open(bytes_wanted, folder, bytes, "u8");
    CHECK(bytes_wanted.taken.parts[0].dtype == DType::u8);
    CHECK(bytes_wanted.values<uint8_t>(1) == std::vector<uint8_t>{255, 0});
    open(whole_wanted, folder, bytes, "i32");
    CHECK(whole_wanted.values<int32_t>(1) == std::vector<int32_t>{255, 0});
    open(floats_wanted, folder, bytes, "f32");
    CHECK(floats_wanted.values<float>(1) == std::vector<float>{255, 0});
  }
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const float bad : {256.0f, -1.0f, 0.5f, nan}) {
    Source source;
    open(source, folder, npy<float>("<f4", "(2, 2)", {1, 2, 3, bad}), "u8");
    CHECK(source.values<uint8_t>(0) == std::vector<uint8_t>{1, 2});
    CHECK_THROWS(source.read(1));
    CHECK(source.host.code == PLAIT_ERROR_CORRUPT);
    CHECK(source.host.message.find("x: record 1: element 1 is ") != std::string::npos);
    CHECK(source.host.message.ends_with(", wanted a whole number of 0 to 255"));
  }
  Source wide;
  open(wide, folder, npy<double>("<f8", "(2,)", {2147483647, 2147483647.5}), "i32");
  CHECK(wide.values<int32_t>(0) == std::vector<int32_t>{2147483647});
  CHECK_THROWS(wide.read(1));
}

TEST_CASE("files that do not go together") {
  CHECK(failure(kPixels, npy<uint8_t>("|u1", "(3,)", {0, 1, 2})) == "y has 3 records, but x has 2");
  CHECK(failure(kPixels, "", npy<uint8_t>("|u1", "(3,)", {0, 1, 2})) == "t has 3 records, but x has 2");
  CHECK(failure(kPixels, npy<float>("<f4", "(2,)", {0, 1})) ==
        "y: records of f32[], wanted one whole number each");
  CHECK(failure(kPixels, npy<uint8_t>("|u1", "(2, 2)", {0, 1, 0, 1})) ==
        "y: records of u8[2], wanted one whole number each");
  CHECK(failure(kPixels, npy<int8_t>("|i1", "(2,)", {0, -1})) ==
        "y: record 1 has label -1, wanted 0 to 16777215");
  const Folder folder;
  write(folder / "x", kPixels);
  write(folder / "y", npy<uint8_t>("|u1", "(2,)", {0, 3}));
  const auto opened = [&](const char* field, auto value) {
    Source source;
    source.settings.set("inputs", folder / "x").set("labels", folder / "y").set(field, value);
    try {
      source.open();
    } catch (const std::runtime_error& error) {
      return std::string(error.what());
    }
    return std::string("opened");
  };
  CHECK(opened("classes", 3) == folder / "y: record 1 has label 3, wanted 0 to 2");
  CHECK(opened("first", 2) == "first is 2, but " + folder / "x" + " has only 2 records");
  CHECK(opened("shape", 3) == "shape [3] has 3 elements, but a record of " + folder / "x" + " has 2, [2]");
  CHECK(opened("part", "label") == "part is \"label\", wanted a name besides label and target");
}

TEST_CASE("broken files say what was got and wanted") {
  const auto data = [](size_t bytes) { return std::string(bytes, '\0'); };
  CHECK(failure("") == "x: begins with \"\", wanted \\x93NUMPY, a .npy file");
  CHECK(failure("PNG, not a NumPy file") == "x: begins with \"PNG, n\", wanted \\x93NUMPY, a .npy file");
  CHECK(failure(with_header(header_of("|u1", "(2,)"), data(2), 4)) ==
        "x: format version 4, wanted 1, 2 or 3");
  CHECK(failure(std::string("\x93NUMPY\x01\x00\xff\x00{'desc", 16)) ==
        "x: ends within its header, after 6 bytes of 255");
  CHECK(failure(std::string("\x93NUMPY\x02\x00\xff\xff\xff\x7f", 12)) ==
        "x: its header has 2147483647 bytes, wanted at most 65536");
  const std::string kinds = ", wanted one of |u1, |i1, <u2, <i2, <u4, <i4, <i8, <f4, <f8";
  CHECK(failure(with_header(header_of(">f4", "(2,)"), data(8))) == "x: elements of type \">f4\"" + kinds);
  CHECK(failure(with_header("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", data(4))) ==
        "x: fields of several types" + kinds);
  CHECK(failure(with_header("{'descr': '<f4', 'fortran_order': True, 'shape': (1,)}", data(4))) ==
        "x: Fortran order, wanted C order (numpy.ascontiguousarray)");
  CHECK(failure(with_header(header_of("|u1", "()"), data(1))) ==
        "x: a single number, wanted an array of records");
  CHECK(failure(with_header(header_of("|u1", "(0, 3)"), "")) ==
        "x: axis 0 of shape [0, 3] is 0, wanted at least 1");
  CHECK(failure(with_header(header_of("<f8", "(4294967296, 4294967296)"), data(8))) ==
        "x: shape [4294967296, 4294967296] is more than 1125899906842624 bytes");
  CHECK(failure(with_header(header_of("|u1", "(99999999999999999999,)"), ""))
            .find("wanted a whole number of at least 0") != std::string::npos);
  CHECK(failure(with_header(header_of("|u1", "(-2,)"), "")).find("wanted a whole number of at least 0") !=
        std::string::npos);
  CHECK(failure(with_header(header_of("|u1", "(1,1,1,1,1,1,1,1,1,1,1)"), "")).find("wanted at most") !=
        std::string::npos);
  CHECK(failure(kPixels.substr(0, kPixels.size() - 1)).find(" bytes, wanted ") != std::string::npos);
  CHECK(failure(kPixels + "1").find(" for shape [2, 2] of u8") != std::string::npos);
  for (const char* header :
       {"{'descr': '|u1', 'fortran_order': False}", "{}", "{'descr': '|u1', 'descr': '|u1'}",
        "{'descr': '|u1', 'more': 1}", "('descr', 1)", "", "{'descr", "{'descr': '|u1'",
        "{'descr': '|u1', 'fortran_order': Maybe, 'shape': (1,)}",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (1 1)}",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (1,)} x",
        "{'descr': '|u1' 'fortran_order': False, 'shape': (1,)}"}) {
    CAPTURE(header);
    const std::string said = failure(with_header(header, data(12)));
    CHECK_MESSAGE(said.find(" of its header, ") != std::string::npos, said);
  }
}

TEST_CASE("a header cut or altered anywhere never reads beyond, nor opens as another array unseen") {
  for (size_t size = 0; size < kPixels.size(); ++size) CHECK(failure(kPixels.substr(0, size)) != "read");
  for (size_t at = 0; at < kPixels.size() - 4; ++at) {
    std::string bytes = kPixels;
    bytes[at] = static_cast<char>(bytes[at] ^ 0x11);
    failure(bytes);
  }
}

TEST_CASE("a pipe, a device, a folder, and what is not there are refused at once") {
  const Folder folder;
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  for (const std::string& path :
       {folder / "pipe", std::string("/dev/zero"), folder.path.string(), folder / "none"}) {
    CAPTURE(path);
    Source source;
    source.settings.set("inputs", path);
    CHECK_THROWS(source.open());
    CHECK(source.host.code == (path == folder / "none" ? PLAIT_ERROR_NOT_FOUND : PLAIT_ERROR_IO));
    CHECK(source.host.message.find(path) == 0);
  }
}

TEST_CASE("a file that is cut meanwhile is an error in words") {
  const Folder folder;
  write(folder / "x", kPixels);
  Source source;
  source.settings.set("inputs", folder / "x");
  source.open();
  std::filesystem::resize_file(folder / "x", kPixels.size() - 1);
  CHECK(source.values<uint8_t>(0) == std::vector<uint8_t>{1, 2});
  CHECK_THROWS_WITH(source.read(1),
                    (folder / "x is no longer the file that was opened: others must not write to it "
                              "meanwhile")
                        .c_str());
  CHECK(source.host.code == PLAIT_ERROR_IO);
}

// A file with a hole: 3 TB of records, of which a few blocks are there.
TEST_CASE("files larger than the memory are read where the records lie") {
  const Folder folder;
  const std::string head = with_header(header_of("|u1", "(3000000000, 1000)"), "");
  write(folder / "x", head);
  std::error_code error;
  std::filesystem::resize_file(folder / "x", head.size() + uint64_t{3'000'000'000} * 1000, error);
  if (error) return;  // a file system without holes of that size
  {
    std::fstream file(folder / "x", std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(static_cast<std::streamoff>(head.size() + uint64_t{2'999'999'999} * 1000));
    file << "last";
  }
  Source source;
  source.settings.set("inputs", folder / "x");
  source.open();
  CHECK(source.info.count == 3'000'000'000);
  CHECK(source.values<uint8_t>(2'999'999'999)[0] == 'l');
  CHECK(source.values<uint8_t>(2'000'000'000)[0] == 0);
}

TEST_CASE("any thread may read") {
  const Folder folder;
  std::vector<double> values(4000);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<double>(i);
  write(folder / "x", npy<double>("<f8", "(1000, 4)", values));
  Source source;
  source.settings.set("inputs", folder / "x");
  source.open();
  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      TestHost host;
      for (int64_t i = t; i < 1000; i += 3) {
        TestSample sample;
        sample.outputs.emplace_back(source.taken.parts[0]);
        if (source.ops.read(source.self, host.context(), i, sample.c()) != PLAIT_OK ||
            sample.outputs[0].data<float>()[3] != static_cast<float>(4 * i + 3))
          ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
}

}  // namespace
