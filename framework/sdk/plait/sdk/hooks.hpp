// Hooks that are optional are found by their signature. One of the right name that has another (a const
// forgotten, an argument too many, private) would be none, in silence: the kinds ask here whether a struct
// names it, and then say in words what it has to look like.
#pragma once
#include <type_traits>

namespace plait::sdk::detail {

// Whether &T::name, of type P, is data: a field may have the name of a hook.
template <class P>
inline constexpr bool is_data_v = std::is_member_object_pointer_v<P> ||
                                  (std::is_pointer_v<P> && !std::is_function_v<std::remove_pointer_t<P>>);

// names_X<T>(): T has a function X, overloaded, a template or private as may be: then the X of a second base
// is ambiguous.
#define PLAIT_SDK_HOOK(X)                                        \
  struct Named_##X {                                             \
    int X;                                                       \
  };                                                             \
  template <class T>                                             \
  struct Also_##X : T, Named_##X {};                             \
  template <class T>                                             \
  constexpr bool names_##X() {                                   \
    if constexpr (requires { &T::X; })                           \
      return !is_data_v<decltype(&T::X)>;                        \
    else if constexpr (std::is_final_v<T> || std::is_union_v<T>) \
      return false;                                              \
    else                                                         \
      return !requires { &Also_##X<T>::X; };                     \
  }

PLAIT_SDK_HOOK(apply)
PLAIT_SDK_HOOK(apply_batch)
PLAIT_SDK_HOOK(backward_from_output)
PLAIT_SDK_HOOK(check)
PLAIT_SDK_HOOK(combine)
PLAIT_SDK_HOOK(digest)
PLAIT_SDK_HOOK(examples)
PLAIT_SDK_HOOK(extension)
PLAIT_SDK_HOOK(fit_observe)
PLAIT_SDK_HOOK(fit_size)
PLAIT_SDK_HOOK(ignores_total)
PLAIT_SDK_HOOK(infer)
PLAIT_SDK_HOOK(needs)
PLAIT_SDK_HOOK(observe)
PLAIT_SDK_HOOK(open)
PLAIT_SDK_HOOK(pack)
PLAIT_SDK_HOOK(prepare)
PLAIT_SDK_HOOK(slots)
PLAIT_SDK_HOOK(suffix)
PLAIT_SDK_HOOK(unpack)
PLAIT_SDK_HOOK(validate)
PLAIT_SDK_HOOK(weight)
PLAIT_SDK_HOOK(workspace_bytes)
#undef PLAIT_SDK_HOOK

}  // namespace plait::sdk::detail
