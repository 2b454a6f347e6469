// Images and labels from a pair of IDX files (MNIST, Fashion-MNIST and their like).
#include <plait/sdk.hpp>
#include <plait/sdk/given_file.hpp>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <optional>

#include "idx_file.h"

using namespace plait::sdk;
using plait::idx::IdxFile;
using plait::idx::read_idx;

namespace {

// For `plait verify`: six records of 5 x 4 pixels, and their labels.
void write_few_records() {
  std::string images("\0\0\x08\x03\0\0\0\x06\0\0\0\x05\0\0\0\x04", 16);
  std::string labels("\0\0\x08\x01\0\0\0\x06", 8);
  for (int i = 0; i < 6 * 5 * 4; ++i) images += static_cast<char>(37 * i);
  for (char i = 0; i < 6; ++i) labels += i;
  std::ofstream("few-images.idx", std::ios::binary) << images;
  std::ofstream("few-labels", std::ios::binary) << labels;
}

class Idx {
 public:
  std::string images, labels;
  int64_t first = 0, limit = 0, classes = 10;

  static void describe(Describe<Idx>& d) {
    d.doc("images and labels from IDX files, gzip or plain");
    d.details(
        "Parts: image u8 [H, W, 1] from a file of 3 dimensions, [H, W, C] from one of 4; label i32 [], where "
        "a file of\n"
        "labels is given. Both files are read into memory and checked as a whole. Where a file is not there "
        "but one of\n"
        "the same name with or without \".gz\" is, that is taken.");
    d.field("images", &Idx::images).doc("file of images").path().required();
    d.field("labels", &Idx::labels).doc("file of class numbers; without it records have no label").path();
    d.field("first", &Idx::first).doc("record to begin with").range(0, 4294967295.0);
    d.field("limit", &Idx::limit).doc("records at most; 0: all").range(0, 4294967295.0);
    d.field("classes", &Idx::classes).doc("labels are 0 .. classes - 1").range(1, 256);
  }
  static void examples(Examples& e) {
    e.add("images: \"few-images.idx\" labels: \"few-labels\"");
    e.add("images: \"few-images.idx\" first: 2 limit: 3");
    e.prepare(&write_few_records);
  }

  void open(Context&) {
    images_ = read_idx(images, "images", 3, 4);
    if (images_.shape.size() == 3) images_.shape.push_back(1);
    if (first >= images_.count()) {
      throw Error("first is ", first, ", but ", images_.path, " has only ", images_.count(), " records");
    }
    count_ = images_.count() - first;
    if (limit > 0) count_ = std::min(count_, limit);
    if (!labels.empty()) open_labels();
  }

  SourceInfo info() const {
    SourceInfo info;
    info.count = count_;
    info.parts.add("image", DType::u8, {images_.shape.begin() + 1, images_.shape.end()});
    if (labels_) {
      info.parts.add("label", DType::i32, {});
      info.n_classes = static_cast<uint32_t>(classes);
    }
    return info;
  }

  void read(Context&, int64_t index, SampleCall& call) const {
    const auto size = static_cast<size_t>(images_.record_size());
    const auto record = static_cast<size_t>(first + index);
    std::memcpy(call.output("image").raw(), images_.elements.data() + record * size, size);
    if (labels_) call.output("label").data<int32_t>()[0] = labels_->elements[record];
  }

 private:
  void open_labels() {
    labels_ = read_idx(labels, "labels", 1, 1);
    if (labels_->count() != images_.count()) {
      throw CorruptFile(labels_->path, " has ", labels_->count(), " labels, but ", images_.path, " has ",
                        images_.count(), " images");
    }
    for (int64_t record = first; record < first + count_; ++record) {
      const int label = labels_->elements[static_cast<size_t>(record)];
      if (label >= classes) {
        throw CorruptFile(labels_->path, ": record ", record, " has label ", label, ", wanted 0 to ",
                          classes - 1);
      }
    }
  }

  IdxFile images_;
  std::optional<IdxFile> labels_;
  int64_t count_ = 0;
};

// Of bytes, of any number of dimensions.
constexpr std::string_view kMagic("\0\0\x08", 3);
constexpr const char* kEndings[] = {".idx", ".idx3-ubyte", ".idx4-ubyte"};
constexpr GivenFiles kFiles = {.endings = kEndings, .magic = kMagic, .file = "images"};

}  // namespace

PLAIT_PLUGIN("plait.idx", "1.0.0", "Apache-2.0", opens_files<kFiles>(source<Idx>("plait.idx")));
