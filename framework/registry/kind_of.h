// The name of the kind that a table of operations is of.
#pragma once
#include <plait/abi.h>
#include <plait/kinds.h>

namespace plait::inline registry {

// kKindOf<plait_layer_ops> is "layer".
template <class Ops>
inline constexpr const char* kKindOf = nullptr;
#define PLAIT_KIND_OF(kind, Name, ops) \
  template <>                          \
  inline constexpr const char* kKindOf<ops> = #kind;
PLAIT_KINDS(PLAIT_KIND_OF)
#undef PLAIT_KIND_OF

}  // namespace plait::inline registry
