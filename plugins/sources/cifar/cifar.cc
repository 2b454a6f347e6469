// Pictures and labels from the binary files of CIFAR-10 and CIFAR-100.
#include <plait/sdk.hpp>

#include <plait/sdk/file.hpp>

#include <algorithm>
#include <array>
#include <fstream>
#include <sstream>

using namespace plait::sdk;

namespace {

constexpr int64_t kEdge = 32, kChannels = 3, kPlane = kEdge * kEdge, kPicture = kPlane * kChannels;
constexpr int64_t kMostLabels = 2;
constexpr uint64_t kMostNameBytes = 1 << 16;

// For `plait verify`: three records of each form.
void write_few_records() {
  std::string ten, hundred;
  for (char record = 0; record < 3; ++record) {
    ten += static_cast<char>(9 - record);
    hundred += static_cast<char>(19 - record);
    hundred += static_cast<char>(99 - record);
    for (int64_t i = 0; i < kPicture; ++i) {
      ten += static_cast<char>(7 * i + record);
      hundred += static_cast<char>(5 * i + record);
    }
  }
  std::ofstream("few-ten.bin", std::ios::binary) << ten;
  std::ofstream("few-hundred.bin", std::ios::binary) << hundred;
}

// Of CIFAR-10 a record is a label and a picture; of CIFAR-100 a coarse label, a fine one and a picture.
struct Form {
  int64_t labels, place, classes;  // label bytes of a record, which of them is meant, what it is below
  int64_t record() const { return labels + kPicture; }
};

class Cifar {
 public:
  std::vector<std::string> file;
  std::string labels = "ten", names;
  int64_t first = 0, limit = 0;

  static void describe(Describe<Cifar>& d) {
    d.doc("pictures and labels from the binary files of CIFAR-10 and CIFAR-100");
    d.details(
        "Parts: image u8 [32, 32, 3], of the planes red, green, blue that the files have; label i32 [].\n"
        "Files follow one another in the order written. Sizes and labels are checked at the start; pictures "
        "are read\n"
        "where they lie. Source: Krizhevsky 2009, \"Learning multiple layers of features from tiny "
        "images\".");
    d.field("file", &Cifar::file).doc("data_batch_1.bin and its like; several are one after another").path();
    d.field("labels", &Cifar::labels)
        .doc("ten: files of CIFAR-10; fine, coarse: of CIFAR-100, 100 classes or their 20 groups")
        .choices({"ten", "fine", "coarse"});
    d.field("names", &Cifar::names)
        .doc("file with the name of each class on a line (batches.meta.txt, fine_label_names.txt)")
        .path();
    d.field("first", &Cifar::first).doc("record to begin with").range(0, 0x1p48);
    d.field("limit", &Cifar::limit).doc("records at most; 0: all").range(0, 0x1p48);
  }
  static void examples(Examples& e) {
    e.add("file: \"few-ten.bin\"");
    e.add("file: [\"few-hundred.bin\", \"few-hundred.bin\"] labels: fine first: 2 limit: 3");
    e.add("file: \"few-hundred.bin\" labels: coarse");
    e.prepare(&write_few_records);
  }

  void open(Context&) {
    form_ = labels == "ten" ? Form{1, 0, 10} : labels == "fine" ? Form{2, 1, 100} : Form{2, 0, 20};
    if (file.empty()) throw Error("file is not written, wanted one or more");
    int64_t all = 0;
    for (const std::string& path : file) {
      open_file(path);
      all += size(files_.back());
      ends_.push_back(all);
    }
    if (first >= all) throw Error("first is ", first, ", but the files have only ", all, " records");
    count_ = limit > 0 ? std::min(limit, all - first) : all - first;
    for (int64_t record = first; record < first + count_; ++record) check_label(record);
    if (!names.empty()) read_names();
  }

  SourceInfo info() const {
    SourceInfo info;
    info.count = count_;
    info.parts.add("image", DType::u8, {kEdge, kEdge, kChannels});
    info.parts.add("label", DType::i32, {});
    info.classes = names_;
    info.n_classes = static_cast<uint32_t>(form_.classes);
    return info;
  }

  void read(Context&, int64_t index, SampleCall& call) const {
    std::array<uint8_t, kMostLabels + kPicture> bytes;
    const Place place = find(first + index);
    const int64_t label = read_bytes(place, bytes.data(), form_.record())[form_.place];
    if (label >= form_.classes) throw changed(place);
    const uint8_t* const planes = bytes.data() + form_.labels;
    const auto pixels = call.output("image").data<uint8_t>();
    for (int64_t i = 0; i < kPlane; ++i)
      for (int64_t c = 0; c < kChannels; ++c)
        pixels[static_cast<size_t>(i * kChannels + c)] = planes[c * kPlane + i];
    call.output("label").data<int32_t>()[0] = static_cast<int32_t>(label);
  }

 private:
  struct Place {
    const File* file;
    int64_t record;  // of the file
  };

  int64_t size(const File& of) const { return static_cast<int64_t>(of.size_bytes()) / form_.record(); }

  void open_file(const std::string& path) {
    const File& opened = files_.emplace_back(path);
    const auto bytes = static_cast<int64_t>(opened.size_bytes());
    if (bytes == 0 || bytes % form_.record() != 0)
      throw CorruptFile(path, " has ", bytes, " bytes, wanted records of ", form_.record(), ": ",
                        form_.labels, form_.labels > 1 ? " labels" : " label", " and ", kPicture, " pixels");
  }

  Place find(int64_t record) const {
    const auto which = static_cast<size_t>(std::ranges::upper_bound(ends_, record) - ends_.begin());
    return {&files_[which], which > 0 ? record - ends_[which - 1] : record};
  }

  static IoError changed(const Place& place) {
    return IoError(place.file->path(),
                   " is no longer the file that was opened: others must not write to it meanwhile");
  }

  const uint8_t* read_bytes(const Place& place, uint8_t* into, int64_t bytes) const {
    const auto wanted = static_cast<size_t>(bytes);
    const auto offset = static_cast<uint64_t>(place.record * form_.record());
    if (place.file->read_at(offset, into, wanted) != wanted) throw changed(place);
    return into;
  }

  void check_label(int64_t record) const {
    std::array<uint8_t, kMostLabels> bytes;
    const Place place = find(record);
    const int64_t label = read_bytes(place, bytes.data(), form_.labels)[form_.place];
    if (label >= form_.classes)
      throw CorruptFile(place.file->path(), ": record ", place.record, " has label ", label, ", wanted 0 to ",
                        form_.classes - 1);
  }

  // Empty lines are left out: the file of CIFAR-10 ends in one.
  void read_names() {
    std::istringstream lines(File(names).read_all(kMostNameBytes));
    for (std::string line; std::getline(lines, line);) {
      if (line.ends_with('\r')) line.pop_back();
      if (!line.empty()) names_.push_back(line);
    }
    if (static_cast<int64_t>(names_.size()) != form_.classes)
      throw CorruptFile(names, " has ", names_.size(), " names, wanted one for each of ", form_.classes,
                        " classes");
  }

  Form form_{};
  std::vector<File> files_;
  std::vector<int64_t> ends_;  // records of all files up to the end of each
  std::vector<std::string> names_;
  int64_t count_ = 0;
};

}  // namespace

PLAIT_PLUGIN("plait.cifar", "1.0.0", "Apache-2.0", source<Cifar>("plait.cifar"));
