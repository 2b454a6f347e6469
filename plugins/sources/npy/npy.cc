// Records from NumPy arrays: inputs, class numbers, targets.
#include <plait/sdk.hpp>
#include <plait/sdk/given_file.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <fstream>
#include <limits>
#include <optional>

#include "npy_file.h"

using namespace plait::sdk;
using plait::npy::bytes_of;
using plait::npy::Element;
using plait::npy::is_whole;
using plait::npy::NpyFile;

namespace {

// For `plait verify`: six records of each.
void write_few_records() {
  const auto write = [](const char* name, std::string header, const std::string& bytes) {
    header.append(63 - (10 + header.size()) % 64, ' ');
    header += '\n';
    std::ofstream(name, std::ios::binary)
        << std::string("\x93NUMPY\x01\x00", 8) << static_cast<char>(header.size()) << '\0' << header << bytes;
  };
  std::string pixels, labels;
  for (int i = 0; i < 6 * 5 * 4; ++i) pixels += static_cast<char>(37 * i);
  for (char i = 0; i < 6; ++i) labels += i, labels += std::string(7, '\0');
  std::array<double, 12> targets{};
  for (size_t i = 0; i < targets.size(); ++i) targets[i] = 0.1 * static_cast<double>(i);
  const auto* raw = reinterpret_cast<const char*>(targets.data());
  write("few-x.npy", "{'descr': '|u1', 'fortran_order': False, 'shape': (6, 5, 4), }", pixels);
  write("few-y.npy", "{'descr': '<i8', 'fortran_order': False, 'shape': (6,), }", labels);
  write("few-t.npy", "{'descr': '<f8', 'fortran_order': False, 'shape': (6, 2), }", {raw, sizeof targets});
  std::string extents;
  for (char i = 0; i < 6; ++i)
    extents += static_cast<char>(5 - i % 3), extents += static_cast<char>(1 + i % 4);
  write("few-e.npy", "{'descr': '|u1', 'fortran_order': False, 'shape': (6, 2), }", extents);
}

// As choices of the field; kOwn: as follows from the array's own.
enum class PartType { kOwn, kU8, kI32, kF32 };

// What a part's elements are.
DType part_type(Element element) {
  if (element == Element::u8) return DType::u8;
  return is_whole(element) ? DType::i32 : DType::f32;
}

// Memory for a record that has to be converted. Threads: one each.
std::vector<std::byte>& spare(size_t bytes) {
  thread_local std::vector<std::byte> memory;
  if (memory.size() < bytes) memory.resize(bytes);
  return memory;
}

template <class V, class Each>
void each(const std::byte* from, size_t count, const Each& take) {
  for (size_t i = 0; i < count; ++i) {
    V value;
    std::memcpy(&value, from + i * sizeof value, sizeof value);
    take(i, value);
  }
}

// take(i, value) for each element, as int64_t or double.
template <class Each>
void each_whole(Element element, const std::byte* from, size_t count, const Each& take) {
  switch (element) {
    case Element::u8:
      return each<uint8_t>(from, count, take);
    case Element::i8:
      return each<int8_t>(from, count, take);
    case Element::u16:
      return each<uint16_t>(from, count, take);
    case Element::i16:
      return each<int16_t>(from, count, take);
    case Element::u32:
      return each<uint32_t>(from, count, take);
    case Element::i32:
      return each<int32_t>(from, count, take);
    default:
      return each<int64_t>(from, count, take);
  }
}

class Npy {
 public:
  std::string inputs, labels, targets, extents, part = "x";
  std::vector<int64_t> shape;
  PartType dtype = PartType::kOwn;
  int64_t first = 0, limit = 0, classes = 0;

  static void describe(Describe<Npy>& d) {
    d.doc("records from NumPy arrays (.npy)");
    d.details(
        "Parts: that of inputs [extents of a record]: u8 as u8, other whole numbers as i32, f32 and f64 as "
        "f32, "
        "unless dtype says another. label i32 [], of labels [N] or [N, 1] of whole numbers. target f32 "
        "[extents\n"
        "of a record], of targets [N, ...] of any numbers; [] for [N]. Arrays are little-endian, in C order. "
        "Records\n"
        "are read where they lie in the files, so that these may be larger than the memory; labels and "
        "extents alone are\n"
        "looked at as a whole. A number that is not finite, or that its part cannot hold, makes its record a "
        "bad one.\n"
        "With extents the first axis of the part of inputs varies, or the first two (images of any size): a "
        "record of the\n"
        "array is filled up to the largest, with any numbers.");
    d.field("inputs", &Npy::inputs)
        .doc("array of inputs, the first axis is that of records")
        .path()
        .required();
    d.field("labels", &Npy::labels).doc("array of class numbers; without it records have no label").path();
    d.field("targets", &Npy::targets)
        .doc("array of numbers to learn; without it records have no target")
        .path();
    d.field("extents", &Npy::extents)
        .doc(
            "array [N], [N, 1] or [N, 2] of whole numbers: how far a record of inputs is used along the "
            "first "
            "axis of its part, and the second; without it all of it")
        .path();
    d.field("part", &Npy::part).doc("name of the part of inputs");
    d.field("shape", &Npy::shape)
        .doc("extents of the part, as many elements as a record of inputs has; without it those of the array")
        .range(1, kMostChannels);
    d.field("dtype", &Npy::dtype)
        .doc("type of the part's elements; own: that which follows from the array's")
        .choices({"own", "u8", "i32", "f32"});
    d.field("first", &Npy::first).doc("record to begin with").range(0, 0x1p48);
    d.field("limit", &Npy::limit).doc("records at most; 0: all").range(0, 0x1p48);
    d.field("classes", &Npy::classes)
        .doc("labels are 0 .. classes - 1; 0: the largest label says")
        .range(0, kMostChannels);
  }
  static void examples(Examples& e) {
    e.add("inputs: \"few-x.npy\" labels: \"few-y.npy\" targets: \"few-t.npy\" classes: 6");
    e.add("inputs: \"few-x.npy\" labels: \"few-y.npy\" part: \"image\" shape: [5, 4, 1] first: 2 limit: 3");
    e.add("inputs: \"few-t.npy\" targets: \"few-y.npy\"");
    e.add("inputs: \"few-x.npy\" dtype: f32");
    e.add("inputs: \"few-x.npy\" shape: [5, 4, 1] extents: \"few-e.npy\" labels: \"few-y.npy\"");
    e.prepare(&write_few_records);
  }

  void open(Context&) {
    check_names();
    inputs_.emplace(inputs);
    if (first >= inputs_->count())
      throw Error("first is ", first, ", but ", inputs, " has only ", inputs_->count(), " records");
    count_ = inputs_->count() - first;
    if (limit > 0) count_ = std::min(count_, limit);
    check_shape();
    if (!labels.empty()) open_labels();
    if (!extents.empty()) open_extents();
    if (!targets.empty()) {
      targets_.emplace(targets);
      check_count(*targets_);
    }
  }

  SourceInfo info() const {
    SourceInfo info;
    info.count = count_;
    const auto bounds = part_shape();
    info.parts.add(part, input_type(), {bounds.begin(), bounds.end()}, extents_ ? 0 : -1,
                   variable_axes() == 2 ? 1 : -1);
    if (labels_) {
      info.parts.add("label", DType::i32, {});
      info.n_classes = static_cast<uint32_t>(found_classes_);
    }
    if (targets_) info.parts.add("target", DType::f32, {targets_->shape().begin(), targets_->shape().end()});
    return info;
  }

  void read(Context&, int64_t index, SampleCall& call) const {
    const int64_t record = first + index;
    read_part(*inputs_, record, call.output(part));
    if (extents_) read_extents(record, call);
    if (labels_) call.output("label").data<int32_t>()[0] = static_cast<int32_t>(label(record));
    if (targets_) read_part(*targets_, record, call.output("target"));
  }

 private:
  std::span<const int64_t> part_shape() const { return shape.empty() ? inputs_->shape() : std::span(shape); }
  int64_t variable_axes() const { return extents_ ? extents_->elements() : 0; }

  void check_names() const {
    if (part.empty() || part == "label" || part == "target")
      throw Error("part is \"", part, "\", wanted a name besides label and target");
  }

  DType input_type() const {
    constexpr DType kTypes[] = {DType::u8, DType::u8, DType::i32, DType::f32};
    return dtype == PartType::kOwn ? part_type(inputs_->element()) : kTypes[static_cast<size_t>(dtype)];
  }

  int64_t elements_of_shape() const {
    try {
      return elements(std::span(shape));
    } catch (const Error& error) {
      throw Error("shape ", std::span(shape), ": ", error.what());
    }
  }

  void check_shape() const {
    if (shape.empty()) return;
    if (shape.size() > PLAIT_MAX_RANK)
      throw Error("shape has ", shape.size(), " axes, wanted at most ", PLAIT_MAX_RANK);
    const int64_t wanted = elements_of_shape();
    if (wanted != inputs_->elements())
      throw Error("shape ", std::span(shape), " has ", wanted, " elements, but a record of ", inputs, " has ",
                  inputs_->elements(), ", ", inputs_->shape());
  }

  void check_count(const NpyFile& file) const {
    if (file.count() == inputs_->count()) return;
    throw CorruptFile(file.path(), " has ", file.count(), " records, but ", inputs, " has ",
                      inputs_->count());
  }

  void open_extents() {
    extents_.emplace(extents);
    check_count(*extents_);
    const auto axes = static_cast<int64_t>(part_shape().size());
    if (!is_whole(extents_->element()) || extents_->shape().size() > 1 || variable_axes() < 1 ||
        variable_axes() > 2)
      throw Error(extents, ": records of ", name_of(extents_->element()), extents_->shape(),
                  ", wanted one or two whole numbers each");
    if (variable_axes() > axes)
      throw Error(extents, ": ", variable_axes(), " extents a record, but part \"", part, "\" has ", axes,
                  " axes");
    for (int64_t record = first; record < first + count_; ++record) check_extents(record);
  }

  std::array<int64_t, 2> check_extents(int64_t record) const {
    std::array<int64_t, 2> found{0, 0};
    auto& memory = spare(2 * sizeof(int64_t));
    extents_->read(record, 1, memory.data());
    each_whole(extents_->element(), memory.data(), static_cast<size_t>(variable_axes()),
               [&](size_t axis, int64_t extent) {
                 if (extent < 1 || extent > part_shape()[axis])
                   throw CorruptFile(extents, ": record ", record, " has extent ", extent, " along axis ",
                                     axis, ", wanted 1 to ", part_shape()[axis]);
                 found[axis] = extent;
               });
    return found;
  }

  void read_extents(int64_t record, SampleCall& call) const {
    const auto used = check_extents(record);
    if (variable_axes() == 2) return call.set_extents(part, used[0], used[1]);
    call.set_length(part, used[0]);
  }

  // They are few bytes: a wrong one is told before the first step.
  void open_labels() {
    labels_.emplace(labels);
    check_count(*labels_);
    if (!is_whole(labels_->element()) || labels_->elements() != 1)
      throw Error(labels, ": records of ", name_of(labels_->element()), labels_->shape(),
                  ", wanted one whole number each");
    const int64_t most = classes > 0 ? classes - 1 : kMostChannels - 1;
    constexpr int64_t kPiece = 1 << 14;
    for (int64_t at = first; at < first + count_; at += kPiece) {
      const int64_t piece = std::min(kPiece, first + count_ - at);
      auto& memory = spare(static_cast<size_t>(piece) * bytes_of(labels_->element()));
      labels_->read(at, piece, memory.data());
      each_whole(labels_->element(), memory.data(), static_cast<size_t>(piece), [&](size_t i, int64_t label) {
        if (label < 0 || label > most)
          throw CorruptFile(labels, ": record ", at + static_cast<int64_t>(i), " has label ", label,
                            ", wanted 0 to ", most);
        found_classes_ = std::max(found_classes_, label + 1);
      });
    }
    if (classes > 0) found_classes_ = classes;
  }

  int64_t label(int64_t record) const {
    auto& memory = spare(sizeof(int64_t));
    labels_->read(record, 1, memory.data());
    int64_t found = 0;
    each_whole(labels_->element(), memory.data(), 1, [&](size_t, int64_t value) { found = value; });
    if (found < 0 || found >= found_classes_)
      throw IoError(labels, " is no longer the file that was opened: others must not write to it meanwhile");
    return found;
  }

  static void read_part(const NpyFile& file, int64_t record, const Tensor& to) {
    const auto count = static_cast<size_t>(file.elements());
    const Element element = file.element();
    if (element == Element::f32 && to.dtype() == DType::f32) return read_floats(file, record, to, count);
    const bool as_it_is =
        to.dtype() == part_type(element) && (element == Element::u8 || element == Element::i32);
    if (as_it_is) return file.read(record, 1, to.raw());
    auto& memory = spare(count * bytes_of(element));
    file.read(record, 1, memory.data());
    if (to.dtype() == DType::f32) return to_floats(file, record, memory.data(), to.f32());
    if (to.dtype() == DType::u8)
      return to_whole<uint8_t>(file, record, memory.data(), to.data<uint8_t>(), "a whole number of 0 to 255");
    to_whole<int32_t>(file, record, memory.data(), to.data<int32_t>(), "a whole number of 32 bits");
  }

  static void read_floats(const NpyFile& file, int64_t record, const Tensor& to, size_t count) {
    file.read(record, 1, to.raw());
    const auto values = to.f32();
    for (size_t i = 0; i < count; ++i)
      if (!std::isfinite(values[i])) refuse(file, record, i, values[i], "a finite number");
  }

  template <class To>
  static void to_whole(const NpyFile& file, int64_t record, const std::byte* from, std::span<To> to,
                       const char* wanted) {
    using Limits = std::numeric_limits<To>;
    const auto take = [&](size_t i, auto value) {
      const bool fits = value >= Limits::min() && value <= Limits::max();
      if (!fits || value != static_cast<To>(value)) refuse(file, record, i, value, wanted);
      to[i] = static_cast<To>(value);
    };
    if (is_whole(file.element()))
      return each_whole(file.element(), from, to.size(), [&](size_t i, int64_t value) { take(i, value); });
    if (file.element() == Element::f32)
      return each<float>(from, to.size(),
                         [&](size_t i, float value) { take(i, static_cast<double>(value)); });
    each<double>(from, to.size(), take);
  }

  static void to_floats(const NpyFile& file, int64_t record, const std::byte* from, std::span<float> to) {
    if (is_whole(file.element()))
      return each_whole(file.element(), from, to.size(),
                        [&](size_t i, int64_t value) { to[i] = static_cast<float>(value); });
    each<double>(from, to.size(), [&](size_t i, double value) {
      if (!(std::abs(value) <= static_cast<double>(std::numeric_limits<float>::max())))
        refuse(file, record, i, value, "a finite number that f32 can hold");
      to[i] = static_cast<float>(value);
    });
  }

  template <class V>
  [[noreturn]] static void refuse(const NpyFile& file, int64_t record, size_t element, V got,
                                  const char* wanted) {
    throw BadRecord(file.path(), ": record ", record, ": element ", element, " is ", got, ", wanted ",
                    wanted);
  }

  std::optional<NpyFile> inputs_, labels_, targets_, extents_;
  int64_t count_ = 0, found_classes_ = 0;
};

constexpr const char* kEndings[] = {".npy"};
constexpr GivenFiles kFiles = {.endings = kEndings,
                               .magic = "\x93NUMPY",
                               .file = "inputs",
                               .part = "part",
                               .shape = "shape",
                               .dtype = "dtype"};

}  // namespace

PLAIT_PLUGIN("plait.npy", "1.0.0", "Apache-2.0", opens_files<kFiles>(source<Npy>("plait.npy")));
