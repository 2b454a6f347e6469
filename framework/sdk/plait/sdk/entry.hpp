// What the kinds share: one entry of a plugin's tables, and the making of instances from configurations.
#pragma once
#include <concepts>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "config.hpp"
#include "context.hpp"
#include "describe.hpp"
#include "examples.hpp"
#include "hooks.hpp"

namespace plait::sdk {

// The host's processor and memory; also where kinds without a device of their own are registered.
inline constexpr const char* kCpu = PLAIT_HOST_DEVICE;

// A type, an implementation, or both: what layer<T>("id") and its like give to PLAIT_PLUGIN.
struct Entry {
  plait_type type{};  // struct_size 0: none, the type is described by another library
  plait_implementation implementation{};
  void (*examples)(Examples& e) = nullptr;  // see examples.hpp
  std::string (*numerics)() = nullptr;      // see below
};

// For a library whose kernels call another one: numerics(&facts), where facts() gives a line for each thing
// besides the plugin's own code that decides the bits of its results, "name: value": version of the library,
// the instruction set that it takes here, its settings. Ranks must agree on them, and a run resumed under
// others is refused by name. Same text whenever it is called; threads: [setup only].
inline Entry numerics(std::string (*facts)()) {
  Entry entry;
  entry.numerics = facts;
  return entry;
}

namespace detail {

template <class T>
concept HasOpen = requires(T& t, Context& c) {
  t.open(c);
};
template <class T>
concept GivesExamples = requires {
  static_cast<void (*)(Examples&)>(&T::examples);
};

// Of the kinds that make their instance by create_thunk.
template <class T>
constexpr void check_open() {
  PLAIT_SDK_CHECK_HOOK(open, T, "void open(Context& c)", void, Context&);
}
// Of the kinds that are not opened. One that is private is the struct's own.
template <class T>
constexpr void check_never_opened() {
  static_assert(!offers_open<T>() && !Hook_open::fits<T, Context&>(),
                "open is never called: layers, losses and metrics have none (a Kernel has its constructor)");
}

// Reads the configuration into `into`, calls its validate() and open().
template <class T>
void read_config(plait_context* context, const plait_config* config, T& into) {
  description<T>().read(Config(context, config), into);
}

template <class T>
std::unique_ptr<T> make(plait_context* context, const plait_config* config) {
  auto made = std::make_unique<T>();
  read_config(context, config, *made);
  if constexpr (HasOpen<T>) {
    Context c(context);
    made->open(c);
  }
  return made;
}

template <class T>
int validate_thunk(plait_context* context, const plait_config* config) noexcept {
  return guard(context, [&] {
    T trial{};
    read_config(context, config, trial);
  });
}

// create of the kinds whose instance is the struct itself.
template <class T>
int create_thunk(plait_context* context, const plait_config* config, void** self) noexcept {
  return guard(context, [&] { *self = make<T>(context, config).release(); });
}

template <class Instance>
void destroy_thunk(void* self) noexcept {
  delete static_cast<Instance*>(self);
}

template <class T>
const T& as(const void* self) {
  return *static_cast<const T*>(self);
}

template <class T>
constexpr bool is_struct() {
  return std::is_default_constructible_v<T> && Described<T>;
}
template <class T>
constexpr void check_struct() {
  static_assert(std::is_default_constructible_v<T>,
                "a plugin's struct is made without arguments, then filled");
  static_assert(Described<T>, "a plugin's struct needs: static void describe(Describe<T>& d)");
  check_validate<T>();
  static_assert(!names_examples<T>() || GivesExamples<T>,
                "examples is not: static void examples(Examples& e)");
}

// A Kernel is made for each instance; what is asked of the type is asked of the struct around it.
template <class T>
constexpr void check_kernel() {
  if constexpr (requires { typename T::Kernel; }) {
    using K = typename T::Kernel;
    static_assert(
        std::is_class_v<K> && !std::is_final_v<K>,
        "a Kernel is a struct that is not final: a hook in it that is private or overloaded could not "
        "be seen");
    static_assert(!offers_validate<K>() && !Hook_validate::fits<const K>(),
                  "validate in a Kernel is never called: it belongs in the struct around it");
    static_assert(!offers_examples<K>() && !Hook_examples::fits<const K, Examples&>(),
                  "examples in a Kernel is never called: it belongs in the struct around it");
    static_assert(!offers_describe<K>(),
                  "describe in a Kernel is never called: it belongs in the struct around it");
    check_never_opened<K>();
  } else {
    static_assert(
        !has_Kernel<T>() || requires { &T::Kernel; },
        "Kernel is private or a template, wanted: a public struct Kernel { ... } in the struct");
  }
}

template <class T>
concept SaysTwoAxes = !has_field_two_axes<T>() && std::is_same_v<typename Known<T::two_axes>::type, bool>;
template <class T>
constexpr uint32_t two_axes_flag() {
  static_assert(!has_two_axes<T>() || SaysTwoAxes<T>,
                "two_axes is not: static constexpr bool two_axes = true, and public");
  if constexpr (SaysTwoAxes<T>) return T::two_axes ? uint32_t{PLAIT_TYPE_TWO_AXES} : 0u;
  return 0;
}

template <class T>
Entry make_entry(const char* kind, const char* id, const void* rules, const char* device, const void* ops) {
  check_struct<T>();
  const auto& described = description<T>();
  Entry entry;
  entry.type.struct_size = sizeof entry.type;
  entry.type.n_fields = described.n_fields();
  entry.type.kind = kind;
  entry.type.id = id;
  entry.type.doc = described.doc_text();
  entry.type.details = described.details_text();
  entry.type.fields = described.fields();
  entry.type.rules = rules;
  entry.type.validate = &validate_thunk<T>;
  entry.type.flags = described.type_flags() | two_axes_flag<T>();
  entry.implementation.struct_size = sizeof entry.implementation;
  entry.implementation.type_id = id;
  entry.implementation.device_id = device;
  entry.implementation.ops = ops;
  entry.implementation.kind = kind;
  if constexpr (GivesExamples<T>) entry.examples = static_cast<void (*)(Examples&)>(&T::examples);
  return entry;
}

}  // namespace detail
}  // namespace plait::sdk
