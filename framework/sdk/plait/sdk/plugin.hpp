// The library's table and its one exported function.
//
//   PLAIT_PLUGIN("acme.activations", "1.2.0", "BSD-3-Clause", layer<Swish>("acme.swish"), ...);
//
// Once per library, at namespace scope. Sizes, versions and the compiler's name are filled in here, and the
// note that says what the library serves (note.hpp). An entry that is empty, Entry{}, is left out: a kernel
// that was not built. An entry numerics(&facts) says what else decides the bits of the library's results
// (entry.hpp).
#pragma once
#include <plait/numerics.h>

#include <array>
#include <string>

#include "augmenter.hpp"
#include "child.hpp"
#include "device.hpp"
#include "entry.hpp"
#include "layer.hpp"
#include "loss.hpp"
#include "metric.hpp"
#include "note.hpp"
#include "optimizer.hpp"

namespace plait::sdk {

#if defined(__clang__)
inline constexpr const char* kBuiltWith = "clang " __clang_version__;
#elif defined(__GNUC__)
inline constexpr const char* kBuiltWith = "g++ " __VERSION__;
#else
inline constexpr const char* kBuiltWith = "unknown compiler";
#endif

namespace detail {

// The kind that T's functions are of; where they are of none, what is wrong with a layer is said.
template <class T>
struct ImplementedKind {
  using OfSamples = std::conditional_t<names_apply_samples<T>(), Augmenter,
                                       std::conditional_t<names_state_size<T>(), Metric, Layer>>;
  using type = std::conditional_t<ComputesLoss<typename KernelOf<T>::type>, Loss,
                                  std::conditional_t<StepsOptimizer<T>, Optimizer, OfSamples>>;
};

}  // namespace detail

// An entry without a type of its own; its C++ type says of what kind it is.
template <class Kind>
struct ImplementationEntry : Entry {
  using Implements = Kind;
};

// A layer, loss, optimizer, metric or augmenter for another device, of a type that another entry or library
// describes; which of them follows from T's functions. T has the type's fields, or those of them that it
// needs: it may be derived from the struct of the type. The rules (infer, check, slots) are the type's.
template <class T>
ImplementationEntry<typename detail::ImplementedKind<T>::type> implementation(const char* type_id,
                                                                              const char* device_id) {
  using Kind = typename detail::ImplementedKind<T>::type;
  ImplementationEntry<Kind> entry;
  entry.implementation.struct_size = sizeof entry.implementation;
  entry.implementation.type_id = type_id;
  entry.implementation.device_id = device_id;
  entry.implementation.kind = Kind::kKind;
  if constexpr (std::is_same_v<Kind, Loss>) {
    detail::check_struct<T>();
    detail::check_loss<T>();
    entry.implementation.ops = detail::loss_ops<T>();
  } else if constexpr (std::is_same_v<Kind, Optimizer>) {
    detail::check_struct<T>();
    detail::check_optimizer<T>();
    entry.implementation.ops = detail::optimizer_ops<T>();
  } else if constexpr (std::is_same_v<Kind, Metric>) {
    detail::check_struct<T>();
    detail::check_device_metric<T>();
    entry.implementation.ops = detail::device_metric_ops<T>();
  } else if constexpr (std::is_same_v<Kind, Augmenter>) {
    detail::check_struct<T>();
    detail::check_samples<T>();
    entry.implementation.ops = detail::samples_ops<T>();
  } else {
    detail::check_layer_work<T>();
    if constexpr (detail::works_as_layer<T>()) entry.implementation.ops = detail::layer_ops<T>();
  }
  return entry;
}

// Functions of the library that answer from its table.
struct TableFunctions {
  const void* (*get_extension)(const char* name);
  int (*write_files)();       // those of the examples
  const char* (*numerics)();  // text of plait_numerics
};

// Holds the entries and the table that points to them. Not movable: the table's address is given to the host.
template <size_t kCount>
class PluginTable {
 public:
  template <class... E>
  PluginTable(TableFunctions functions, const char* id, const char* version, const char* license,
              const E&... entries)
      : PluginTable(id, version, license, entries...) {
    for (const Entry& entry : entries_) {
      if (entry.numerics != nullptr) numerics_.text = functions.numerics;
      if (entry.numerics != nullptr || entry.examples != nullptr)
        plugin_.get_extension = functions.get_extension;
      if (entry.examples == nullptr) continue;
      examples_.of_type(entry.type.kind, entry.type.id);
      entry.examples(examples_);
    }
    hints_ = examples_.c(functions.write_files);
  }
  template <class... E>
  PluginTable(const char* id, const char* version, const char* license, const E&... entries)
      : entries_{entries...} {
    for (const Entry& entry : entries_) {
      if (entry.type.struct_size) types_[plugin_.n_types++] = &entry.type;
      if (entry.implementation.struct_size)
        implementations_[plugin_.n_implementations++] = &entry.implementation;
    }
    plugin_.struct_size = sizeof plugin_;
    plugin_.abi_minor = PLAIT_ABI_MINOR;
    plugin_.abi_draft = PLAIT_ABI_DRAFT;
    plugin_.id = id;
    plugin_.version = version;
    plugin_.license = license;
    plugin_.built_with = kBuiltWith;
    plugin_.types = types_.data();
    plugin_.implementations = implementations_.data();
  }
  PluginTable(const PluginTable&) = delete;
  PluginTable& operator=(const PluginTable&) = delete;
  const plait_plugin* c() const { return &plugin_; }
  // get_extension of the table, where a type has examples or an entry says numerics.
  const void* extension(std::string_view name) const noexcept {
    if (name == PLAIT_EXTENSION_NUMERICS && numerics_.text != nullptr) return &numerics_;
    return name == PLAIT_EXTENSION_VERIFY ? hints_ : nullptr;
  }
  std::string numerics() const {
    std::string text;
    for (const Entry& entry : entries_) {
      if (entry.numerics == nullptr) continue;
      text += entry.numerics();
      if (!text.empty() && text.back() != '\n') text += '\n';
    }
    return text;
  }
  int write_files() const noexcept { return examples_.write_files(); }

 private:
  std::array<Entry, kCount> entries_;
  std::array<const plait_type*, kCount> types_{};
  std::array<const plait_implementation*, kCount> implementations_{};
  plait_plugin plugin_{};
  Examples examples_;
  const plait_verify_hints* hints_ = nullptr;
  plait_numerics numerics_{sizeof(plait_numerics), 0, nullptr};
};

template <class... E>
PluginTable(const char*, const char*, const char*, const E&...) -> PluginTable<sizeof...(E)>;
template <class... E>
PluginTable(TableFunctions, const char*, const char*, const char*, const E&...) -> PluginTable<sizeof...(E)>;

}  // namespace plait::sdk

#define PLAIT_PLUGIN(id, version, license, ...)                                          \
  PLAIT_SDK_NOTE(id, version, __VA_ARGS__)                                               \
  namespace {                                                                            \
  const void* plait_plugin_extension(const char* name) noexcept;                         \
  int plait_plugin_write_files() noexcept;                                               \
  const char* plait_plugin_numerics() noexcept;                                          \
  const auto& plait_plugin_table() {                                                     \
    static const ::plait::sdk::PluginTable table(                                        \
        ::plait::sdk::TableFunctions{&plait_plugin_extension, &plait_plugin_write_files, \
                                     &plait_plugin_numerics},                            \
        id, version, license, __VA_ARGS__);                                              \
    return table;                                                                        \
  }                                                                                      \
  const void* plait_plugin_extension(const char* name) noexcept {                        \
    return plait_plugin_table().extension(name);                                         \
  }                                                                                      \
  int plait_plugin_write_files() noexcept { return plait_plugin_table().write_files(); } \
  const char* plait_plugin_numerics() noexcept {                                         \
    try {                                                                                \
      static const std::string text = plait_plugin_table().numerics();                   \
      return text.c_str();                                                               \
    } catch (...) {                                                                      \
      return nullptr;                                                                    \
    }                                                                                    \
  }                                                                                      \
  }                                                                                      \
  extern "C" __attribute__((visibility("default"))) const plait_plugin* plait_plugin_v1( \
      const plait_host*) noexcept {                                                      \
    try {                                                                                \
      return plait_plugin_table().c();                                                   \
    } catch (...) {                                                                      \
      return nullptr;                                                                    \
    }                                                                                    \
  }                                                                                      \
  static_assert(true)
