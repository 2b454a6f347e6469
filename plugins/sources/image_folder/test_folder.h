// What the tests of this folder share: a folder of pictures, and the source opened on it.
#pragma once
#include <unistd.h>
#include <plait/sdk/testing_plugin.hpp>

#include <filesystem>
#include <fstream>

#include "encode.h"

namespace plait::image_folder {

// A folder of its own, gone with the test.
struct Folder {
  std::filesystem::path path;
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "plait_pictures_XXXXXX").string();
    if (!mkdtemp(name.data())) throw std::runtime_error("no folder for the test");
    path = name;
  }
  ~Folder() { std::filesystem::remove_all(path); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string name() const { return path.string(); }
  std::string operator/(const std::string& name) const { return (path / name).string(); }
  void write(const std::string& name, const std::string& bytes) const {
    std::filesystem::create_directories((path / name).parent_path());
    std::ofstream(path / name, std::ios::binary) << bytes;
  }
};

// Each element another byte, so that every exchange of two is seen.
inline Picture numbered(int64_t height, int64_t width, int64_t channels) {
  Picture picture{height, width, channels, {}};
  for (int64_t i = 0; i < height * width * channels; ++i)
    picture.pixels.push_back(static_cast<uint8_t>(i * 7));
  return picture;
}
// One colour: a JPEG of it holds it to within a rounding.
inline Picture plain(int64_t height, int64_t width, std::vector<uint8_t> color) {
  Picture picture{height, width, static_cast<int64_t>(color.size()), {}};
  for (int64_t i = 0; i < height * width; ++i)
    picture.pixels.insert(picture.pixels.end(), color.begin(), color.end());
  return picture;
}

struct Source {
  sdk::testing::TestHost host;
  sdk::Entry entry = sdk::testing::linked("plait.image_folder");
  const plait_source_ops& ops = *static_cast<const plait_source_ops*>(entry.implementation.ops);
  void* self = nullptr;
  plait_source_info info{};
  sdk::testing::PartsTaken taken;

  using Settings = sdk::testing::Settings;
  static Settings settings(const std::string& folder) {
    return Settings(sdk::testing::linked("plait.image_folder")).set("folder", folder);
  }
  explicit Source(const Settings& settings) {
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
    sdk::testing::TestSample sample;
    for (const sdk::PartSpec& part : taken.parts) sample.outputs.emplace_back(part);
    host.check(ops.read(self, host.context(), index, sample.c()));
    for (const sdk::testing::TestTensor& output : sample.outputs)
      if (!output.intact()) throw std::runtime_error("writes outside its memory");
    const auto image = sample.outputs[0].data<uint8_t>();
    return {{image.begin(), image.end()}, sample.outputs[1].data<int32_t>()[0]};
  }
};

}  // namespace plait::image_folder
