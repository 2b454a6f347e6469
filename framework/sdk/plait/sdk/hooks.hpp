// Hooks are found by their signature. One of the right name that has another (a const forgotten, an argument
// too many, private) would be none, in silence; one that takes a copy of what it has to change would change
// nothing. The kinds ask here what a struct names, what can be called, and what a call keeps and answers, and
// then say in words what is wanted.
//
// What C++ cannot tell, and is therefore not told: a name that is misspelt; an overload that is meant beside
// one that fits; a field (data that is not static) of the name of a hook; a parameter of a smaller number
// than is given (int for int64_t). Hooks that a final class hides could not be seen: a plugin's struct is not
// final.
#pragma once
#include <cstddef>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>

namespace plait::sdk::detail {

// Whether &T::name, of type P, is data: a field may have the name of a hook.
template <class P>
inline constexpr bool is_static_data_v =
    std::is_pointer_v<P> && !std::is_function_v<std::remove_pointer_t<P>>;
template <class P>
inline constexpr bool is_data_v = std::is_member_object_pointer_v<P> || is_static_data_v<P>;

template <class T>
inline constexpr bool can_be_base_v = std::is_class_v<T> && !std::is_final_v<T>;

// has_X<T>(): T has a member X: data, a type or a function, overloaded, a template or private as may be. Then
// the X of a second base is ambiguous.
#define PLAIT_SDK_MEMBER(X)                            \
  struct Named_##X {                                   \
    int X;                                             \
  };                                                   \
  template <class T>                                   \
  struct Also_##X : T, Named_##X {};                   \
  template <class T>                                   \
  constexpr bool has_##X() {                           \
    if constexpr (can_be_base_v<T>) return !requires { \
        &Also_##X<T>::X;                               \
      };                                               \
    else                                               \
      return false;                                    \
  }

// names_X<T>(): a function X, private or not. offers_X<T>(): one function X that is public. constant_X<T>():
// static data. Hook_X: calls of it.
#define PLAIT_SDK_HOOK(X)                                                                    \
  PLAIT_SDK_MEMBER(X)                                                                        \
  template <class T>                                                                         \
  constexpr bool offers_##X() {                                                              \
    if constexpr (requires { &T::X; })                                                       \
      return !is_data_v<decltype(&T::X)>;                                                    \
    else                                                                                     \
      return false;                                                                          \
  }                                                                                          \
  template <class T>                                                                         \
  constexpr bool names_##X() {                                                               \
    if constexpr (requires { &T::X; })                                                       \
      return offers_##X<T>();                                                                \
    else                                                                                     \
      return has_##X<T>();                                                                   \
  }                                                                                          \
  template <class T>                                                                         \
  constexpr bool constant_##X() {                                                            \
    if constexpr (requires { &T::X; })                                                       \
      return is_static_data_v<decltype(&T::X)>;                                              \
    else                                                                                     \
      return false;                                                                          \
  }                                                                                          \
  struct Hook_##X {                                                                          \
    template <class T, class... A>                                                           \
    static constexpr bool fits() {                                                           \
      return requires(T & t) { t.X(std::declval<A>()...); };                                 \
    }                                                                                        \
    template <class T, class... A>                                                           \
    static constexpr bool is_exact() {                                                       \
      return requires { static_cast<void (std::remove_const_t<T>::*)(A...) const>(&T::X); }; \
    }                                                                                        \
    template <class T, class... A>                                                           \
    using Result = decltype(std::declval<T&>().X(std::declval<A>()...));                     \
  };

PLAIT_SDK_HOOK(add_to_sums)
PLAIT_SDK_HOOK(apply)
PLAIT_SDK_HOOK(allocate_host)
PLAIT_SDK_HOOK(apply_batch)
PLAIT_SDK_HOOK(apply_samples)
PLAIT_SDK_HOOK(backward)
PLAIT_SDK_HOOK(backward_from_output)
PLAIT_SDK_HOOK(begin)
PLAIT_SDK_HOOK(check)
PLAIT_SDK_HOOK(check_arrays)
PLAIT_SDK_HOOK(check_pairs)
PLAIT_SDK_HOOK(combine)
PLAIT_SDK_HOOK(combine_whole)
PLAIT_SDK_HOOK(compute)
PLAIT_SDK_HOOK(corrupts)
PLAIT_SDK_HOOK(count_up_to)
PLAIT_SDK_HOOK(describe)
PLAIT_SDK_HOOK(digest)
PLAIT_SDK_HOOK(examples)
PLAIT_SDK_HOOK(extension)
PLAIT_SDK_HOOK(finish)
PLAIT_SDK_HOOK(finish_rows)
PLAIT_SDK_HOOK(fit_observe)
PLAIT_SDK_HOOK(fit_size)
PLAIT_SDK_HOOK(fold)
PLAIT_SDK_HOOK(forget)
PLAIT_SDK_HOOK(forward)
PLAIT_SDK_HOOK(ignores_total)
PLAIT_SDK_HOOK(infer)
PLAIT_SDK_HOOK(map)
PLAIT_SDK_HOOK(mean_of_sums)
PLAIT_SDK_HOOK(monitor)
PLAIT_SDK_HOOK(move)
PLAIT_SDK_HOOK(name_values)
PLAIT_SDK_HOOK(needs)
PLAIT_SDK_HOOK(next_stage)
PLAIT_SDK_HOOK(observe)
PLAIT_SDK_HOOK(open)
PLAIT_SDK_HOOK(pack)
PLAIT_SDK_HOOK(ports)
PLAIT_SDK_HOOK(prepare)
PLAIT_SDK_HOOK(read)
PLAIT_SDK_HOOK(record)
PLAIT_SDK_HOOK(recorded)
PLAIT_SDK_HOOK(reduce)
PLAIT_SDK_HOOK(release_host)
PLAIT_SDK_HOOK(repeat)
PLAIT_SDK_HOOK(row_size)
PLAIT_SDK_HOOK(slots)
PLAIT_SDK_HOOK(state_size)
PLAIT_SDK_HOOK(states)
PLAIT_SDK_HOOK(step)
PLAIT_SDK_HOOK(stop)
PLAIT_SDK_HOOK(suffix)
PLAIT_SDK_HOOK(unpack)
PLAIT_SDK_HOOK(update)
PLAIT_SDK_HOOK(update_rows)
PLAIT_SDK_HOOK(validate)
PLAIT_SDK_HOOK(value)
PLAIT_SDK_HOOK(weight)
PLAIT_SDK_HOOK(workspace_bytes)
PLAIT_SDK_HOOK(write_arrays)
PLAIT_SDK_HOOK(write_pairs)
#undef PLAIT_SDK_HOOK

// has_field_X<T>(): a field where static data is wanted. g++ stops where the value of one is asked for.
#define PLAIT_SDK_CONSTANT(X)                                  \
  PLAIT_SDK_MEMBER(X)                                          \
  template <class T>                                           \
  constexpr bool has_field_##X() {                             \
    if constexpr (requires { &T::X; })                         \
      return std::is_member_object_pointer_v<decltype(&T::X)>; \
    else                                                       \
      return false;                                            \
  }

PLAIT_SDK_MEMBER(Kernel)
PLAIT_SDK_CONSTANT(combiner)
PLAIT_SDK_CONSTANT(commutative)
PLAIT_SDK_CONSTANT(elementwise)
PLAIT_SDK_CONSTANT(emits)
PLAIT_SDK_CONSTANT(endings)
PLAIT_SDK_CONSTANT(in_place)
PLAIT_SDK_CONSTANT(max_inputs)
PLAIT_SDK_CONSTANT(min_inputs)
PLAIT_SDK_CONSTANT(plain)
PLAIT_SDK_CONSTANT(predictions)
PLAIT_SDK_CONSTANT(reducer)
PLAIT_SDK_CONSTANT(table)
PLAIT_SDK_CONSTANT(targets)
PLAIT_SDK_CONSTANT(two_axes)
PLAIT_SDK_CONSTANT(values)
PLAIT_SDK_CONSTANT(weighted)
#undef PLAIT_SDK_CONSTANT
#undef PLAIT_SDK_MEMBER

// The type of a value that the compiler knows: there is none for a field, nor for what is private.
template <auto kValue>
struct Known {
  using type = decltype(kValue);
  static constexpr auto kIs = kValue;
};
template <class V>
inline constexpr bool is_whole_v = (std::is_integral_v<V> || std::is_enum_v<V>)&&!std::is_same_v<V, bool>;

// What a hook is given to change, as a hook takes it that only reads: a reference as what is about to end.
template <class A>
struct OnlyRead {
  using type = A;
};
template <class V>
requires(!std::is_const_v<V>) && requires { typename V::ChangedByHook; }
struct OnlyRead<V&> {
  using type = V;
};
template <class V>
struct OnlyRead<std::span<V>> {
  using type = std::span<const V>;
};
template <>
struct OnlyRead<float*> {
  using type = const float*;
};

// The same, that cannot be copied: a template that takes it by value cannot be called.
template <class V>
struct Uncopied : V {
  Uncopied(const Uncopied&) = delete;
};
template <class A>
struct NotCopied {
  using type = A;
};
template <class V>
requires(!std::is_const_v<V>) && requires { typename V::ChangedByHook; }
struct NotCopied<V&> {
  using type = Uncopied<V>&;
};

template <size_t kPlace, class Hook, class T, class... A, size_t... kPlaces>
constexpr bool only_reads(std::index_sequence<kPlaces...>) {
  using Given = typename OnlyRead<std::tuple_element_t<kPlace, std::tuple<A...>>>::type;
  if constexpr (std::is_same_v<Given, std::tuple_element_t<kPlace, std::tuple<A...>>>)
    return false;
  else
    return Hook::template fits<T, std::conditional_t<kPlaces == kPlace, Given, A>...>();
}

// The hook, if it can be called, takes what it changes by reference. A template or an overload may take what
// only reads besides.
template <class Hook, class T, class... A>
constexpr bool keeps_changes() {
  if constexpr (!Hook::template fits<T, A...>())
    return true;
  else if constexpr (Hook::template is_exact<T, A...>())
    return Hook::template fits<T, typename NotCopied<A>::type...>();
  else
    return []<size_t... kPlaces>([[maybe_unused]] std::index_sequence<kPlaces...> all) {
      return !(only_reads<kPlaces, Hook, T, A...>(all) || ...);
    }
  (std::index_sequence_for<A...>());
}

// Results that lose nothing on their way to the host.
struct Whole {};  // any whole number
struct Real {};   // any floating point
template <class Wanted, class Found>
constexpr bool answers_as() {
  using Plain = std::remove_cvref_t<Found>;
  if constexpr (std::is_same_v<Wanted, Whole>)
    return is_whole_v<Plain>;
  else if constexpr (std::is_same_v<Wanted, Real>)
    return std::is_floating_point_v<Plain>;
  else if constexpr (std::is_void_v<Wanted> || std::is_same_v<Wanted, bool>)
    return std::is_same_v<Plain, Wanted>;
  else
    return std::is_convertible_v<Found, Wanted>;
}
template <class Hook, class Wanted, class T, class... A>
constexpr bool answers() {
  if constexpr (Hook::template fits<T, A...>())
    return answers_as<Wanted, typename Hook::template Result<T, A...>>();
  else
    return true;
}

}  // namespace plait::sdk::detail

// In a function of detail. Of a hook X of T (const T where the hook is const) that can be called with
// arguments of the types at the end: that it keeps what it changes, and answers as wanted.
#define PLAIT_SDK_CHECK_CALL(X, T, signature, wanted, ...)                                                 \
  static_assert(keeps_changes<Hook_##X, T __VA_OPT__(, ) __VA_ARGS__>(), #X                                \
                " takes a copy, or a const, of what it has to change, which is lost; wanted: " signature); \
  static_assert(answers<Hook_##X, wanted, T __VA_OPT__(, ) __VA_ARGS__>(),                                 \
                #X " returns something else than is read; wanted: " signature)

// The same of one that is optional: and that it can be called, if there is one of this name.
#define PLAIT_SDK_CHECK_HOOK(X, T, signature, wanted, ...)                                              \
  static_assert(!names_##X<std::remove_const_t<T>>() || Hook_##X::fits<T __VA_OPT__(, ) __VA_ARGS__>(), \
                #X " is not: " signature);                                                              \
  PLAIT_SDK_CHECK_CALL(X, T, signature, wanted __VA_OPT__(, ) __VA_ARGS__)
