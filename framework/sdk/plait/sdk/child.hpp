// Child plugins in a configuration: an augmenter in a container, a schedule in a warm-up.
//
//   Child<Augmenter> inner;                    // one; absent is false
//   std::vector<Child<Augmenter>> steps;       // any number
//
// During infer (before instances exist) a child may be absent or have no instance: then only infer works.
// Ownership: the host's; made before its parent and destroyed after it.
#pragma once
#include <plait/kinds.h>

#include <string_view>

#include "error.hpp"

namespace plait::sdk {

// Kinds that a field may ask for: Layer, Loss, ... of <plait/kinds.h>. augmenter.hpp and schedule.hpp give
// Child<Augmenter> and Child<Schedule> more.
#define PLAIT_SDK_KIND(kind, Name, ops)         \
  struct Name {                                 \
    static constexpr const char* kKind = #kind; \
    using Ops = ops;                            \
  };
PLAIT_KINDS(PLAIT_SDK_KIND)
#undef PLAIT_SDK_KIND

template <class Kind>
class ChildBase {
 public:
  using Ops = typename Kind::Ops;
  static constexpr const char* kKind = Kind::kKind;

  ChildBase() = default;
  explicit ChildBase(const plait_child* child) : c_(child) {}
  explicit operator bool() const { return c_ != nullptr; }
  std::string_view id() const { return c_ ? c_->id : ""; }
  const plait_child* c() const { return c_; }
  // Whether its type says that it honours two axes that vary; see PLAIT_TYPE_TWO_AXES.
  bool takes_two_axes() const { return PLAIT_HAS(c_, flags) && (c_->flags & PLAIT_TYPE_TWO_AXES) != 0; }

 protected:
  // The child's table, once it has an instance.
  const Ops& ops() const {
    if (!c_ || !c_->self || !c_->ops) throw Error("a child ", Kind::kKind, " was used before it was made");
    return *static_cast<const Ops*>(c_->ops);
  }

 private:
  const plait_child* c_ = nullptr;
};

template <class Kind>
class Child : public ChildBase<Kind> {
 public:
  using ChildBase<Kind>::ChildBase;
};

}  // namespace plait::sdk
