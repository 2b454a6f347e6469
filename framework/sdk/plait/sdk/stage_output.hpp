// A field that names a stage of the pipeline file, whose arrays the plugin uses (augmenters and tasks).
//
//   struct Project {
//     StageOutput from;
//     static void describe(Describe<Project>& d) {
//       d.field("from", &Project::from).required().doc("stage that gives transform [K, D] and offset [K]");
//     }
//     void infer(Parts& parts) const { ... from.shape("transform")[0] ... }
//     void open(Context&, const Parts& parts) { weights_ = from.numbers("transform"); ... }
//   };
//
// While a file is checked the stage has not run yet: infer sees shapes alone. validate sees none.
// Fails with: kInvalid where an array is not there, or has no values yet, naming the arrays that are.
// Threads: [any]
#pragma once
#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "error.hpp"
#include "tensor.hpp"

namespace plait::sdk {

class StageOutput {
 public:
  StageOutput() = default;
  StageOutput(std::string_view name, const plait_stage_output* output) : name_(name), output_(output) {}

  // Whether a stage is named.
  explicit operator bool() const { return !name_.empty(); }
  const std::string& name() const { return name_; }

  bool has(std::string_view array) const { return find(array) != nullptr; }
  // An extent that only running the stage can tell is -1.
  std::span<const int64_t> shape(std::string_view array) const {
    const plait_tensor& found = get(array);
    return {found.shape, static_cast<size_t>(found.rank)};
  }
  DType dtype(std::string_view array) const { return static_cast<DType>(get(array).dtype); }
  Tensor array(std::string_view array) const {
    const plait_tensor& found = get(array);
    const auto extents = shape(array);
    const bool is_empty = std::find(extents.begin(), extents.end(), 0) != extents.end();
    if (found.data == nullptr && !is_empty) throw Error("stage \"", name_, "\" has not run yet");
    return Tensor(&found);
  }
  // All elements, of an array of whole numbers or of f32 or f64.
  std::vector<double> numbers(std::string_view name) const {
    const Tensor from = array(name);
    switch (from.dtype()) {
      case DType::f32:
        return copied<float>(from);
      case DType::f64:
        return copied<double>(from);
      case DType::u8:
        return copied<uint8_t>(from);
      case DType::i32:
        return copied<int32_t>(from);
      case DType::i64:
        return copied<int64_t>(from);
      default:
        throw Error("array \"", name, "\" of stage \"", name_, "\" is ", from, ", wanted f32 or f64");
    }
  }

 private:
  const plait_tensor* find(std::string_view array) const {
    for (uint32_t i = 0; output_ != nullptr && i < output_->n_arrays; ++i)
      if (array == output_->arrays[i]->name) return output_->arrays[i];
    return nullptr;
  }
  const plait_tensor& get(std::string_view array) const {
    if (const plait_tensor* found = find(array)) return *found;
    if (output_ == nullptr) throw Error("what stage \"", name_, "\" makes is not known here");
    std::string names;
    for (uint32_t i = 0; i < output_->n_arrays; ++i)
      names += (names.empty() ? "" : ", ") + std::string(output_->arrays[i]->name);
    throw Error("stage \"", name_, "\" makes no array \"", array, "\", only: ", names);
  }
  template <class V>
  static std::vector<double> copied(const Tensor& from) {
    const auto values = from.data<V>();
    return {values.begin(), values.end()};
  }

  std::string name_;
  const plait_stage_output* output_ = nullptr;  // the host's; null: none is named, or known yet
};

// The pairs of a stage whose task emits keys and values, such as words and how often they are there: sorted
// by key, by bytes. In open, once the stage has run.
//
//   PairTable words(from);
//   for (size_t i = 0; i < words.size(); ++i) use(words.key(i), words.number(i));
//
// Fails with: kInvalid where the stage makes no pairs, or pairs of bytes, naming what it makes.
class PairTable {
 public:
  explicit PairTable(const StageOutput& from)
      : keys_(from.array("key")), ends_(from.array("key_end")), values_(from.numbers("value")) {
    check(from);
  }
  // In infer, which sees no values yet.
  static void check(const StageOutput& from) {
    for (const char* array : {"key", "key_end", "value"}) (void)from.shape(array);
    if (from.dtype("key") != DType::u8 || from.dtype("key_end") != DType::i64 || from.has("value_end"))
      throw Error("the values of stage \"", from.name(),
                  "\" are no numbers, wanted pairs of a key and a number");
  }
  size_t size() const { return values_.size(); }
  std::string_view key(size_t i) const {
    const auto ends = ends_.data<int64_t>();
    const auto begin = static_cast<size_t>(i == 0 ? 0 : ends[i - 1]);
    return {static_cast<const char*>(keys_.raw()) + begin, static_cast<size_t>(ends[i]) - begin};
  }
  double number(size_t i) const { return values_[i]; }

 private:
  Tensor keys_, ends_;
  std::vector<double> values_;
};

}  // namespace plait::sdk
