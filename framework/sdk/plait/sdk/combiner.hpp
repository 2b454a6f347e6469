// Combiners: fold values of one key where they are made, so that less travels to the reducer.
//
//   static constexpr bool commutative = true;  // optional; false: only neighbours are folded, in order
//   // Of which kind and size is what values are folded into; fails for values that it cannot take.
//   Folded infer(Value in) const;
//   void begin(std::string_view value, std::span<std::byte> partial) const;  // of one value
//   void fold(std::span<std::byte> into, std::span<const std::byte> from) const;  // into, and then from
//   void open(Context& c, Value in);  // optional, or without the kind
//
// Associative: begin of every value, then fold in any grouping, gives the same bytes. So sums of reals are
// OrderFreeSums.
// Threads: begin and fold run on several threads at once with one instance.
#pragma once
#include "keyed.hpp"

namespace plait::sdk {

struct Folded {
  Value kind;
  size_t bytes;  // 1 .. 4096; 8 for i64 and f64, 40 for a sum
};

// The partial that is in `bytes`, of type P, and back.
template <class P>
P partial_as(std::span<const std::byte> bytes) {
  P partial;
  std::memcpy(&partial, bytes.data(), sizeof partial);
  return partial;
}
template <class P>
void write_partial(std::span<std::byte> bytes, const P& partial) {
  std::memcpy(bytes.data(), &partial, sizeof partial);
}

namespace detail {

template <class T>
concept FoldsValues = requires(const T& t, std::span<std::byte> into, std::span<const std::byte> from) {
  { t.infer(Value{}) } -> std::convertible_to<Folded>;
  t.begin(std::string_view(), into);
  t.fold(into, from);
};
template <class T>
concept OpensForValues = requires(T& t, Context& c) {
  t.open(c, Value{});
};

template <class T>
concept SaysCommutative =
    !has_field_commutative<T>() && std::is_same_v<typename Known<T::commutative>::type, bool>;

template <class T>
constexpr bool is_commutative() {
  if constexpr (SaysCommutative<T>)
    return T::commutative;
  else
    return false;
}

template <class T>
constexpr void check_combiner() {
  static_assert(!has_commutative<T>() || SaysCommutative<T>,
                "commutative is not: static constexpr bool commutative = true, and public");
  PLAIT_SDK_CHECK_HOOK(infer, const T, "Folded infer(Value in) const", Folded, Value);
  PLAIT_SDK_CHECK_HOOK(begin, const T,
                       "void begin(std::string_view value, std::span<std::byte> partial) const", void,
                       std::string_view, std::span<std::byte>);
  PLAIT_SDK_CHECK_HOOK(fold, const T,
                       "void fold(std::span<std::byte> into, std::span<const std::byte> from) const", void,
                       std::span<std::byte>, std::span<const std::byte>);
  static_assert(!names_open<T>() || OpensForValues<T> || HasOpen<T>,
                "open is not: void open(Context& c, Value in), nor void open(Context& c)");
  PLAIT_SDK_CHECK_CALL(open, T, "void open(Context& c, Value in)", void, Context&, Value);
  PLAIT_SDK_CHECK_CALL(open, T, "void open(Context& c)", void, Context&);
}

template <class T>
struct CombinerThunks {
  struct Instance {
    T combiner{};
    size_t bytes = 0;
  };
  static int infer(plait_context* context, const plait_config* config, uint32_t in, uint32_t* out,
                   uint32_t* bytes) noexcept {
    return guard(context, [&] {
      T combiner{};
      read_config(context, config, combiner);
      const Folded folded = std::as_const(combiner).infer(static_cast<Value>(in));
      *out = static_cast<uint32_t>(folded.kind);
      *bytes = static_cast<uint32_t>(folded.bytes);
    });
  }
  static int create(plait_context* context, const plait_config* config, uint32_t in, void** self) noexcept {
    return guard(context, [&] {
      auto made = std::make_unique<Instance>();
      read_config(context, config, made->combiner);
      made->bytes = std::as_const(made->combiner).infer(static_cast<Value>(in)).bytes;
      [[maybe_unused]] Context c(context);
      if constexpr (OpensForValues<T>)
        made->combiner.open(c, static_cast<Value>(in));
      else if constexpr (HasOpen<T>)
        made->combiner.open(c);
      *self = made.release();
    });
  }
  static int begin(const void* self, plait_context* context, plait_str value, void* partial) noexcept {
    return guard(context, [&] {
      const auto& made = as<Instance>(self);
      made.combiner.begin({value.data, value.size}, {static_cast<std::byte*>(partial), made.bytes});
    });
  }
  static int fold(const void* self, plait_context* context, void* into, const void* from) noexcept {
    return guard(context, [&] {
      const auto& made = as<Instance>(self);
      made.combiner.fold({static_cast<std::byte*>(into), made.bytes},
                         {static_cast<const std::byte*>(from), made.bytes});
    });
  }
};

template <class T>
const plait_combiner_rules* combiner_rules() {
  static constexpr plait_combiner_rules rules{sizeof(plait_combiner_rules),
                                              is_commutative<T>() ? uint32_t{PLAIT_COMBINER_COMMUTATIVE} : 0u,
                                              &CombinerThunks<T>::infer};
  return &rules;
}
template <class T>
const plait_combiner_ops* combiner_ops() {
  using Thunks = CombinerThunks<T>;
  static constexpr plait_combiner_ops ops{sizeof(plait_combiner_ops),
                                          0,
                                          &Thunks::create,
                                          &destroy_thunk<typename Thunks::Instance>,
                                          &Thunks::begin,
                                          &Thunks::fold};
  return &ops;
}

}  // namespace detail

// A combiner type and its implementation.
template <class T>
Entry combiner(const char* id) {
  static_assert(detail::FoldsValues<T>,
                "a combiner needs, all const: Folded infer(Value in), void begin(std::string_view value, "
                "std::span<std::byte> partial), void fold(std::span<std::byte> into, std::span<const "
                "std::byte> from)");
  detail::check_combiner<T>();
  if constexpr (detail::FoldsValues<T>)
    return detail::make_entry<T>("combiner", id, detail::combiner_rules<T>(), kCpu,
                                 detail::combiner_ops<T>());
  return {};  // what is wanted has been said, and nothing more is
}

}  // namespace plait::sdk
