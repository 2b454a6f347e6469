// What `plait verify` cannot guess of a type: it draws configurations from the ranges of the fields and tries
// usual shapes; a type that reads files, or whose valid configurations or inputs are rare, names some itself.
//
//   struct Lines {
//     std::string file;
//     static void examples(Examples& e) {
//       e.add("file: \"lines.txt\"");                                // as between the braces in a file
//       e.prepare([] { std::ofstream("lines.txt") << "a\nb\n"; });   // into an empty working folder
//     }
//     ...
//
//   e.add("heads: 2").input(DType::f32, {2, 6, 8});                  // layers: one input or more
//   e.add().input(DType::f32, {4, 10}).input(DType::i32, {4}).integers_below(10);  // losses, metrics
//   e.add("from: \"p\"").input(DType::u8, {4, 4, 1}, "image").stage("p", "mean", {1}, {0.5});
//
// Static, optional, for every kind; nothing calls it but `plait verify`. Shapes: as the kind has them,
// layers, losses and metrics with N, parts of augmenters without (input(dtype, shape, name)).
#pragma once
#include <plait/verify.h>

#include <algorithm>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "error.hpp"
#include "tensor.hpp"

namespace plait::sdk {

// One configuration, and the inputs to try it on; without inputs usual shapes are tried.
class Example {
 public:
  Example(const char* kind, const char* type_id, std::string fields) : fields_(std::move(fields)) {
    c_.struct_size = sizeof c_;
    c_.kind = kind;
    c_.type_id = type_id;
  }
  Example& input(DType dtype, std::initializer_list<int64_t> shape, const char* name = "",
                 int variable_axis = -1, int second_axis = -1) {
    parts_.emplace_back(name, dtype, std::vector<int64_t>(shape), variable_axis, second_axis);
    return *this;
  }
  // An array of f64 of the stage `stage`, for a field that names it.
  Example& stage(std::string stage, std::string array, std::vector<int64_t> shape,
                 const std::vector<double>& values) {
    for (Stage& one : stages_)
      if (one.name == stage) return one.add_numbers(std::move(array), std::move(shape), values), *this;
    stages_.emplace_back(std::move(stage)).add_numbers(std::move(array), std::move(shape), values);
    return *this;
  }
  // The pairs of the stage `stage`, sorted by key.
  Example& pairs(std::string stage, const std::vector<std::pair<std::string, int64_t>>& pairs) {
    Stage& made = stages_.emplace_back(std::move(stage));
    std::vector<int64_t> ends, values;
    std::string keys;
    for (const auto& [key, value] : pairs) {
      keys += key;
      ends.push_back(static_cast<int64_t>(keys.size())), values.push_back(value);
    }
    made.add("key", PLAIT_U8, {ends.empty() ? 0 : ends.back()}, keys.data(), keys.size());
    for (const auto& [name, numbers] : {std::pair{"key_end", &ends}, {"value", &values}})
      made.add(name, PLAIT_I64, {static_cast<int64_t>(numbers->size())}, numbers->data(),
               numbers->size() * sizeof(int64_t));
    return *this;
  }
  // Integer inputs are 0 .. bound - 1; without it 0 and 1.
  Example& integers_below(uint32_t bound) { return c_.integer_bound = bound, *this; }
  // What follows is said of this case, and of guessed ones that have all fields that it writes (and its
  // inputs, where it has some): the laws hold for all others. Samples of a batch see each other: in training
  // alone, as when a batch is normalized, or always.
  Example& couples_samples_in_training() { return flag(PLAIT_VERIFY_COUPLES_IN_TRAINING); }
  Example& couples_samples() { return flag(PLAIT_VERIFY_COUPLES_SAMPLES | PLAIT_VERIFY_COUPLES_IN_TRAINING); }
  // backward is not the derivative of forward on purpose (straight-through).
  Example& surrogate_gradient() { return flag(PLAIT_VERIFY_SURROGATE_GRADIENT); }

  // From here on for the SDK.
  const plait_verify_example* c() {
    specs_.clear(), pointers_.clear();
    for (const PartSpec& part : parts_) specs_.push_back(part.c());
    for (const plait_tensor_spec& spec : specs_) pointers_.push_back(&spec);
    c_.fields = fields_.c_str();
    c_.n_inputs = static_cast<uint32_t>(pointers_.size());
    c_.inputs = pointers_.data();
    stage_pointers_.clear();
    for (Stage& stage : stages_) stage_pointers_.push_back(stage.made());
    c_.stages = stage_pointers_.data();
    c_.n_stages = static_cast<uint32_t>(stage_pointers_.size());
    return &c_;
  }

 private:
  struct Stage {
    struct Array {
      std::string name;
      std::vector<int64_t> shape;
      uint32_t dtype = PLAIT_F64;
      std::vector<int64_t> values;  // as many bytes as are needed
      plait_tensor c{};
    };
    explicit Stage(std::string of) : name(std::move(of)) {}
    void add(std::string array, uint32_t dtype, std::vector<int64_t> shape, const void* values,
             size_t bytes) {
      Array& made = arrays.emplace_back();
      made.name = std::move(array), made.shape = std::move(shape), made.dtype = dtype;
      made.values.resize(bytes / sizeof(int64_t) + 1);
      std::copy_n(static_cast<const char*>(values), bytes, reinterpret_cast<char*>(made.values.data()));
    }
    void add_numbers(std::string array, std::vector<int64_t> shape, const std::vector<double>& values) {
      add(std::move(array), PLAIT_F64, std::move(shape), values.data(), values.size() * sizeof(double));
    }
    const plait_verify_stage* made() {
      pointers.clear();
      for (Array& array : arrays) {
        array.c.struct_size = sizeof array.c;
        array.c.dtype = array.dtype;
        array.c.rank = static_cast<int32_t>(array.shape.size());
        array.c.variable_axis = -1;
        array.c.shape = array.shape.data();
        array.c.data = array.values.data();
        array.c.name = array.name.c_str();
        pointers.push_back(&array.c);
      }
      c = {sizeof c, static_cast<uint32_t>(pointers.size()), name.c_str(), pointers.data()};
      return &c;
    }
    std::string name;
    std::deque<Array> arrays;
    std::vector<const plait_tensor*> pointers;
    plait_verify_stage c{};
  };

  Example& flag(uint32_t flag) { return c_.flags |= flag, *this; }

  plait_verify_example c_{};
  std::string fields_;
  std::deque<PartSpec> parts_;
  std::deque<plait_tensor_spec> specs_;
  std::vector<const plait_tensor_spec*> pointers_;
  std::deque<Stage> stages_;
  std::vector<const plait_verify_stage*> stage_pointers_;
};

// Collects what the types of a library name. T::examples receives it.
class Examples {
 public:
  // Fields as between the braces in a pipeline file; "" takes the defaults.
  Example& add(std::string fields = "") { return examples_.emplace_back(kind_, type_id_, std::move(fields)); }
  // Writes the files that the examples read into the working folder, which is empty. May throw.
  void prepare(void (*write)()) { writers_.push_back(write); }

  // From here on for the SDK.
  void of_type(const char* kind, const char* id) { kind_ = kind, type_id_ = id; }
  const plait_verify_hints* c(int (*all_writers)()) {
    pointers_.clear();
    for (Example& example : examples_) pointers_.push_back(example.c());
    hints_ = {sizeof hints_, static_cast<uint32_t>(pointers_.size()), pointers_.data(),
              writers_.empty() ? nullptr : all_writers};
    return &hints_;
  }
  int write_files() const noexcept {
    try {
      for (void (*write)() : writers_) write();
      return PLAIT_OK;
    } catch (...) {
      return PLAIT_FAILED;
    }
  }

 private:
  const char* kind_ = "";
  const char* type_id_ = "";
  std::deque<Example> examples_;
  std::vector<void (*)()> writers_;
  std::vector<const plait_verify_example*> pointers_;
  plait_verify_hints hints_{};
};

}  // namespace plait::sdk
