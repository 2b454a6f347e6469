// A host for tests: configurations, contexts with real threads, tensors with watched ends. See testing.hpp.
#pragma once
#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "entry.hpp"
#include "parts.hpp"
#include "random.hpp"
#include "tensor.hpp"

namespace plait::sdk::testing {

// What a pipeline file would say to one plugin: its defaults, then what is set.
class Settings {
 public:
  using Value =
      std::variant<bool, int64_t, double, std::string, std::shared_ptr<Settings>, const plait_child*>;

  Settings() = default;
  explicit Settings(const Entry& entry) : Settings(entry.type.fields, entry.type.n_fields) {}
  Settings(const plait_field* const* fields, uint32_t n_fields) {
    for (uint32_t i = 0; i < n_fields; ++i) set_default(*fields[i]);
  }

  // Replaces what the field holds.
  template <class V>
  Settings& set(const std::string& field, V&& value) {
    values_[field] = {to_value(std::forward<V>(value))};
    return *this;
  }
  Settings& clear(const std::string& field) { return values_[field].clear(), *this; }
  // A field that names a stage, which gives these arrays; they have to live as long as the settings are used.
  Settings& set_stage(const std::string& field, const std::string& name,
                      std::vector<const plait_tensor*> arrays) {
    stages_[field] = std::make_shared<Stage>(std::move(arrays));
    return set(field, name);
  }
  // One more value of a list.
  template <class V>
  Settings& add(const std::string& field, V&& value) {
    values_[field].push_back(to_value(std::forward<V>(value)));
    return *this;
  }

  const plait_config* c() const { return reinterpret_cast<const plait_config*>(this); }
  static const Settings& from(const plait_config* config) {
    return *reinterpret_cast<const Settings*>(config);
  }
  uint32_t count(const char* field) const {
    const auto found = values_.find(field);
    return found == values_.end() ? 0 : static_cast<uint32_t>(found->second.size());
  }
  template <class V>
  const V* get(const char* field, uint32_t index) const {
    const auto found = values_.find(field);
    if (found == values_.end() || index >= found->second.size()) return nullptr;
    return std::get_if<V>(&found->second[index]);
  }
  const plait_stage_output* stage(const char* field) const {
    const auto found = stages_.find(field);
    return found == stages_.end() ? nullptr : &found->second->output;
  }

 private:
  struct Stage {
    explicit Stage(std::vector<const plait_tensor*> of) : arrays(std::move(of)) {
      output = {sizeof output, static_cast<uint32_t>(arrays.size()), arrays.data()};
    }
    std::vector<const plait_tensor*> arrays;
    plait_stage_output output{};
  };

  static Value to_value(const Value& value) { return value; }
  static Value to_value(bool value) { return value; }
  static Value to_value(int value) { return int64_t{value}; }
  static Value to_value(int64_t value) { return value; }
  static Value to_value(double value) { return value; }
  static Value to_value(float value) { return double{value}; }
  static Value to_value(const char* value) { return std::string(value); }
  static Value to_value(const std::string& value) { return value; }
  static Value to_value(const plait_child* value) { return value; }
  static Value to_value(const Settings& value) { return std::make_shared<Settings>(value); }

  void set_default(const plait_field& field) {
    if (!field.default_text) return;
    std::string rest = field.default_text;
    if (!(field.flags & PLAIT_FIELD_REPEATED)) return void(values_[field.name] = {parse(field.kind, rest)});
    for (size_t end = 0; end != std::string::npos;) {
      end = rest.find(", ");
      values_[field.name].push_back(parse(field.kind, rest.substr(0, end)));
      if (end != std::string::npos) rest.erase(0, end + 2);
    }
  }
  static Value parse(uint32_t kind, const std::string& word) {
    if (kind == PLAIT_FIELD_BOOL) return word == "true";
    if (kind == PLAIT_FIELD_I64) return int64_t{std::strtoll(word.c_str(), nullptr, 10)};
    if (kind == PLAIT_FIELD_F64) return std::strtod(word.c_str(), nullptr);
    if (kind == PLAIT_FIELD_STRING) return word.substr(1, word.size() - 2);
    return word;
  }

  std::map<std::string, std::vector<Value>> values_;
  std::map<std::string, std::shared_ptr<Stage>> stages_;
};

// Answers plugins' questions and runs their loops.
class TestHost {
 public:
  int lanes = 1;
  bool cancel = false;
  int32_t code = 0;      // of the last failure
  std::string message;   // of the last failure
  std::string log_text;  // all lines
  std::map<std::string, const void*> extensions;

  TestHost() {
    host_.struct_size = sizeof host_;
    host_.abi_draft = PLAIT_ABI_DRAFT;
    host_.version = "test";
    host_.config_count = [](const plait_config* c, const char* f) { return Settings::from(c).count(f); };
    host_.config_bool = [](const plait_config* c, const char* f, uint32_t i, int32_t* value) {
      return get<bool>(c, f, i, [&](bool found) { *value = found; });
    };
    host_.config_i64 = [](const plait_config* c, const char* f, uint32_t i, int64_t* value) {
      return get<int64_t>(c, f, i, [&](int64_t found) { *value = found; });
    };
    host_.config_f64 = [](const plait_config* c, const char* f, uint32_t i, double* value) {
      if (get<double>(c, f, i, [&](double found) { *value = found; }) == PLAIT_OK) return int{PLAIT_OK};
      return get<int64_t>(c, f, i, [&](int64_t found) { *value = static_cast<double>(found); });
    };
    host_.config_string = [](const plait_config* c, const char* f, uint32_t i, plait_str* value) {
      return get<std::string>(c, f, i, [&](const std::string& found) {
        *value = {found.data(), found.size()};
      });
    };
    host_.config_message = [](const plait_config* c, const char* f, uint32_t i) {
      const plait_config* value = nullptr;
      get<std::shared_ptr<Settings>>(c, f, i, [&](const auto& found) { value = found->c(); });
      return value;
    };
    host_.config_child = [](const plait_config* c, const char* f, uint32_t i) {
      const plait_child* value = nullptr;
      get<const plait_child*>(c, f, i, [&](const plait_child* found) { value = found; });
      return value;
    };
    host_.config_stage = [](const plait_config* c, const char* f, uint32_t) {
      return Settings::from(c).stage(f);
    };
    host_.get_extension = [](const char*) -> const void* { return nullptr; };
  }
  TestHost(const TestHost&) = delete;
  TestHost& operator=(const TestHost&) = delete;

  // A fresh context for one call.
  plait_context* context() {
    message.clear();
    code = 0;
    context_ = {};
    context_.struct_size = sizeof context_;
    context_.lanes = lanes;
    context_.host = &host_;
    context_.host_data = this;
    context_.fail = &fail;
    context_.parallel_for = &parallel_for;
    context_.cancelled = [](plait_context* c) { return int32_t{self(c).cancel}; };
    context_.log = [](plait_context* c, int32_t, plait_str line) {
      self(c).log_text += std::string(line.data, line.size) + "\n";
    };
    context_.get_extension = [](plait_context* c, const char* name) -> const void* {
      const auto found = self(c).extensions.find(name);
      return found == self(c).extensions.end() ? nullptr : found->second;
    };
    return &context_;
  }
  // Throws the plugin's text when a call failed.
  void check(int status) const {
    if (status != PLAIT_OK) throw std::runtime_error(message.empty() ? "failed without a text" : message);
  }

 private:
  static TestHost& self(plait_context* context) { return *static_cast<TestHost*>(context->host_data); }
  template <class V, class Body>
  static int get(const plait_config* config, const char* field, uint32_t index, Body&& body) {
    const V* found = Settings::from(config).get<V>(field, index);
    if (!found) return PLAIT_FAILED;
    body(*found);
    return PLAIT_OK;
  }
  static void fail(plait_context* context, int32_t code, plait_str text) {
    const std::lock_guard lock(self(context).mutex_);
    if (!self(context).message.empty()) return;
    self(context).code = code;
    self(context).message.assign(text.data, text.size);
  }
  static int parallel_for(plait_context* context, uint64_t count, uint64_t grain,
                          int (*body)(void* user, uint64_t begin, uint64_t end), void* user) {
    std::atomic<uint64_t> next = 0;
    std::atomic<bool> stop = false;
    const auto work = [&] {
      for (uint64_t begin = next.fetch_add(grain); begin < count && !stop; begin = next.fetch_add(grain)) {
        if (body(user, begin, std::min(begin + grain, count)) != PLAIT_OK) stop = true;
      }
    };
    std::vector<std::thread> threads;
    for (int i = 1; i < context->lanes; ++i) threads.emplace_back(work);
    work();
    for (std::thread& thread : threads) thread.join();
    return stop ? PLAIT_FAILED : PLAIT_OK;
  }

  plait_host host_{};
  plait_context context_{};
  std::mutex mutex_;
};

// 64-byte aligned memory with a tensor over it. Bytes past its end are watched.
class TestTensor {
 public:
  explicit TestTensor(PartSpec spec) : spec_(std::move(spec)) {
    const size_t capacity = (spec_.bytes() + kGuard + 63) / 64 * 64;
    memory_.reset(static_cast<unsigned char*>(std::aligned_alloc(64, capacity)));
    std::fill(memory_.get(), memory_.get() + capacity, kPoison);
    tensor_.struct_size = sizeof tensor_;
    tensor_.dtype = static_cast<uint32_t>(spec_.dtype);
    tensor_.rank = static_cast<int32_t>(spec_.shape.size());
    tensor_.variable_axis = spec_.variable_axis;
    tensor_.second_axis = spec_.second_axis < 0 ? 0 : spec_.second_axis;
    tensor_.data = memory_.get();
  }
  TestTensor(std::string_view name, DType dtype, std::vector<int64_t> shape)
      : TestTensor(PartSpec(name, dtype, std::move(shape))) {}

  const plait_tensor* c() const {
    tensor_.shape = spec_.shape.data();
    tensor_.name = spec_.name.c_str();
    tensor_.lengths = lengths.empty() ? nullptr : lengths.data();
    tensor_.second_lengths = second_lengths.empty() ? nullptr : second_lengths.data();
    return &tensor_;
  }
  Tensor view() const { return Tensor(c()); }
  Out f32() const { return view().f32(); }
  template <class V>
  std::span<V> data() const {
    return view().data<V>();
  }
  const PartSpec& spec() const { return spec_; }
  std::vector<int32_t> lengths;         // valid extents; empty: all full
  std::vector<int32_t> second_lengths;  // along second_axis

  TestTensor& fill(std::initializer_list<float> values) {
    std::copy(values.begin(), values.end(), f32().begin());
    return *this;
  }
  // Numbers in [low, high), the same for the same seed.
  TestTensor& randomize(uint64_t seed, double low = -1, double high = 1) {
    Random random(seed, 0);
    for (float& value : f32()) value = static_cast<float>(random.uniform(low, high));
    return *this;
  }
  // True when nothing was written past the end.
  bool intact() const {
    const unsigned char* end = memory_.get() + spec_.bytes();
    return std::all_of(end, end + kGuard, [](unsigned char byte) { return byte == kPoison; });
  }

 private:
  static constexpr size_t kGuard = 64;
  static constexpr unsigned char kPoison = 0xFF;  // as f32 NaN, as an index -1
  struct Free {
    void operator()(unsigned char* memory) const { std::free(memory); }
  };

  PartSpec spec_;
  std::unique_ptr<unsigned char[], Free> memory_;
  mutable plait_tensor tensor_{};
};

inline std::vector<const plait_tensor*> pointers(const std::deque<TestTensor>& tensors) {
  std::vector<const plait_tensor*> list;
  for (const TestTensor& tensor : tensors) list.push_back(tensor.c());
  return list;
}

// Specs as the border wants them; borrows the names of `parts`.
class SpecList {
 public:
  explicit SpecList(const std::vector<PartSpec>& parts) {
    for (const PartSpec& part : parts) specs_.push_back(part.c());
    for (const plait_tensor_spec& spec : specs_) pointers_.push_back(&spec);
  }
  SpecList(const SpecList&) = delete;
  SpecList& operator=(const SpecList&) = delete;
  const plait_tensor_spec* const* data() const { return pointers_.data(); }
  uint32_t size() const { return static_cast<uint32_t>(pointers_.size()); }

 private:
  std::vector<plait_tensor_spec> specs_;
  std::vector<const plait_tensor_spec*> pointers_;
};

}  // namespace plait::sdk::testing
