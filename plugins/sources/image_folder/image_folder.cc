// Pictures from folders, one a class.
#include <plait/sdk.hpp>

#include <plait/sdk/file.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "class_folders.h"
#include "encode.h"
#include "picture.h"

using namespace plait::sdk;
using namespace plait::image_folder;

namespace {

constexpr uint64_t kMostFileBytes = uint64_t{1} << 28;
constexpr int64_t kMostEdge = 1 << 16, kMostElements = int64_t{1} << 28;  // of a record

// For `plait verify`: four pictures of 6 x 5.
void write_few_pictures() {
  const auto made = [](int64_t channels) {
    Picture picture{6, 5, channels, {}};
    for (int i = 0; i < 6 * 5 * channels; ++i) picture.pixels.push_back(static_cast<uint8_t>(11 * i));
    return picture;
  };
  const auto write = [](const char* name, const std::string& bytes) {
    std::ofstream(name, std::ios::binary) << bytes;
  };
  std::filesystem::create_directories("few/cat");
  std::filesystem::create_directories("few/dog");
  write("few/cat/a.jpg", encode_jpeg(made(3)));
  write("few/cat/b.png", encode_png(made(3)));
  write("few/dog/a.png", encode_png(made(1)));
  write("few/dog/b.jpeg", encode_jpeg(made(4)));
}

class ImageFolder {
 public:
  std::string folder, fit = "exact";
  std::vector<int64_t> size;
  std::vector<std::string> classes;
  int64_t channels = 3, max_pixels = int64_t{1} << 26;

  static void describe(Describe<ImageFolder>& d) {
    d.doc("pictures (JPEG, PNG) from folders, one a class");
    d.details(
        "Parts: image u8 [H, W, channels]; label i32 [], the place of the folder among the classes.\n"
        "Classes are folders, sorted by the bytes of their names, as files in them are. Pictures are\n"
        "decoded when they are read: upright by EXIF, 8 bits a channel, palettes and CMYK as RGB, without\n"
        "transparency. One that is damaged is a bad record. The digest of the data is of the folder.");
    d.field("folder", &ImageFolder::folder).doc("holds a folder for each class").path().required();
    d.field("size", &ImageFolder::size)
        .doc("height and width of the part, or one number for both; without it those of the first picture")
        .range(1, static_cast<double>(kMostEdge))
        .unit("px");
    d.field("fit", &ImageFolder::fit)
        .doc("of a picture of another size: ends the job, is stretched, or has its middle taken")
        .choices({"exact", "stretch", "crop"});
    d.field("channels", &ImageFolder::channels).doc("3: red, green, blue; 1: grey").range(1, 3);
    d.field("classes", &ImageFolder::classes)
        .doc("folders that are read, label 0 first; without it all of them");
    d.field("max_pixels", &ImageFolder::max_pixels)
        .doc("a picture that says it has more is refused before it is decoded")
        .range(1, 0x1p31);
  }
  static void examples(Examples& e) {
    e.add("folder: \"few\"");
    e.add("folder: \"few\" size: [3, 4] fit: stretch channels: 1");
    e.add("folder: \"few\" size: 9 fit: crop classes: [\"dog\", \"cat\"]");
    e.prepare(&write_few_pictures);
  }

  void validate() const {
    if (size.size() > 2) throw Error("size has ", size.size(), " numbers, wanted height and width");
    if (channels == 2) throw Error("channels is 2, wanted 1 or 3");
  }

  void open(Context&) {
    found_ = find_pictures(folder, classes);
    if (size.empty()) {
      const Picture first = load(found_.pictures.front(), Wanted::kHeader);
      height_ = first.height, width_ = first.width;
    } else {
      height_ = size.front(), width_ = size.back();
    }
    if (height_ > kMostElements / channels / width_)
      throw Error("a record of ", height_, " x ", width_, " x ", channels, " has more than ", kMostElements,
                  " elements: write a smaller size");
  }

  SourceInfo info() const {
    SourceInfo info;
    info.count = static_cast<int64_t>(found_.pictures.size());
    info.parts.add("image", DType::u8, {height_, width_, channels});
    info.parts.add("label", DType::i32, {});
    info.classes = found_.classes;
    return info;
  }

  void read(Context&, int64_t index, SampleCall& call) const {
    const auto& named = found_.pictures[static_cast<size_t>(index)];
    const Picture picture = with_channels(fitted(named, load(named, Wanted::kPixels)), channels);
    std::ranges::copy(picture.pixels, call.output("image").data<uint8_t>().begin());
    call.output("label").data<int32_t>()[0] = static_cast<int32_t>(named.label);
  }

 private:
  Picture load(const ClassFolders::Picture& named, Wanted wanted) const {
    const File file(found_.path_of(named));
    return decode(file.read_all(kMostFileBytes), file.path(), max_pixels, wanted);
  }

  Picture fitted(const ClassFolders::Picture& named, Picture picture) const {
    if (picture.height == height_ && picture.width == width_) return picture;
    if (fit ==
        "exact")  // no damage, but a job that says too little: another record in its place would hide it
      throw Error(found_.path_of(named), ": has ", picture.height, " x ", picture.width, " pixels, wanted ",
                  height_, " x ", width_, "; size and fit make all alike");
    const Region region = fit == "crop" ? middle_of(picture, height_, width_) : whole_of(picture);
    return resized(picture, region, height_, width_);
  }

  ClassFolders found_;
  int64_t height_ = 0, width_ = 0;
};

}  // namespace

PLAIT_PLUGIN("plait.image_folder", "1.0.0", "Apache-2.0", source<ImageFolder>("plait.image_folder"));
