// Sinks: write a result into a file. The host opens the file, and puts it in its place once all of it is on
// the disk; a sink makes the bytes, from the first to the last.
//
//   static constexpr const char* endings[] = {".npy"};  // of the files that it is taken for
//   static constexpr bool table = true;  // optional: arrays become rows and columns
//
// Of arrays, of pairs, or of both:
//   void write_arrays(Context& c, const SinkArrays& arrays, ByteWriter& out) const;
//   void check_arrays(const SinkArrays& arrays) const;  // optional: fails for those that it cannot hold
//   void write_pairs(Context& c, Pairs& pairs, ByteWriter& out) const;
//   void check_pairs(Value value) const;  // optional: fails for values that it cannot write
//   void open(Context& c);  // optional
//
// The same input gives the same bytes. check_arrays has no data, and may be asked before rows are counted.
// Threads: [one at a time]
#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "keyed.hpp"
#include "tensor.hpp"

namespace plait::sdk {

// An array of a result.
class SinkArray {
 public:
  explicit SinkArray(const plait_sink_array* array) : c_(array) {}
  Tensor tensor() const { return Tensor(c_->tensor); }
  std::string_view name() const { return tensor().name(); }
  DType dtype() const { return tensor().dtype(); }
  // A first extent of -1, in check_arrays alone: rows that nobody has counted yet.
  std::span<const int64_t> shape() const { return tensor().shape(); }
  // The bytes of all elements, as the machine has them, last axis fastest.
  std::string_view bytes() const {
    return {static_cast<const char*>(c_->tensor->data), tensor().size() * size_of(dtype())};
  }
  // Of each place of the second axis, any bytes; empty: they have none.
  std::span<const char* const> columns() const { return {c_->columns, c_->n_columns}; }

 private:
  const plait_sink_array* c_;
};

// All arrays of a result, each with a name of its own.
class SinkArrays {
 public:
  SinkArrays(uint32_t count, const plait_sink_array* const* arrays) : arrays_(arrays, count) {}
  size_t size() const { return arrays_.size(); }
  SinkArray operator[](size_t i) const { return SinkArray(arrays_[i]); }

 private:
  std::span<const plait_sink_array* const> arrays_;
};

// Valid until the next one is asked for.
struct SinkPair {
  std::string_view key, value;
};

// The pairs of a keyed result, sorted by key (as unsigned bytes). They are more than fits into memory.
class Pairs {
 public:
  using ChangedByHook = void;
  explicit Pairs(const plait_pairs* pairs) : c_(pairs) {}
  Value value() const { return static_cast<Value>(c_->value); }  // kBytes, kI64 or kF64: see value_as
  // Nothing past the last.
  std::optional<SinkPair> next() {
    plait_str key{}, value{};
    if (c_->next(c_, &key, &value) == 0) return {};
    return SinkPair{{key.data, key.size}, {value.data, value.size}};
  }

 private:
  const plait_pairs* c_;
};

// The file's bytes, from the first to the last. They are handed over in pieces of about a megabyte, the last
// one when the sink returns.
// Fails with: what the host says where it cannot keep them; kCancelled when they are not wanted any more.
class ByteWriter {
 public:
  using ChangedByHook = void;
  ByteWriter(Context& c, const plait_byte_taker* taker) : context_(c), c_(taker) {}
  ByteWriter(const ByteWriter&) = delete;
  ByteWriter& operator=(const ByteWriter&) = delete;

  void write(std::string_view bytes) {
    if (bytes.size() >= kPiece_bytes) return flush(), hand_over(bytes);
    piece_.append(bytes);
    if (piece_.size() >= kPiece_bytes) flush();
  }
  void write(char c) { write(std::string_view(&c, 1)); }

  // From here on for the SDK.
  void flush() {
    if (!piece_.empty()) hand_over(piece_);
    piece_.clear();
  }

 private:
  static constexpr size_t kPiece_bytes = size_t{1} << 20;
  // A refusal is for good.
  void hand_over(std::string_view bytes) {
    context_.stop_if_cancelled();
    is_refused_ = is_refused_ || c_->append(c_, {bytes.data(), bytes.size()}) != PLAIT_OK;
    if (is_refused_) throw Error(ErrorCode::kIo, "the bytes were refused");  // the host has said why
  }

  Context& context_;
  const plait_byte_taker* c_;
  std::string piece_;
  bool is_refused_ = false;
};

namespace detail {

template <class T>
concept NamesEndings = !has_field_endings<T>() && requires {
  std::span<const char* const>(T::endings);
};
template <class T>
concept WritesArrays = requires(const T& t, Context& c, const SinkArrays& arrays, ByteWriter& out) {
  t.write_arrays(c, arrays, out);
};
template <class T>
concept WritesPairs = requires(const T& t, Context& c, Pairs& pairs, ByteWriter& out) {
  t.write_pairs(c, pairs, out);
};
template <class T>
concept ChecksArrays = requires(const T& t, const SinkArrays& arrays) {
  t.check_arrays(arrays);
};
template <class T>
concept ChecksPairs = requires(const T& t) {
  t.check_pairs(Value{});
};
template <class T>
concept SaysTable = !has_field_table<T>() && std::is_same_v<typename Known<T::table>::type, bool>;

template <class T>
constexpr bool is_table() {
  if constexpr (SaysTable<T>)
    return T::table;
  else
    return false;
}

template <class T>
constexpr void check_sink() {
  static_assert(!has_table<T>() || SaysTable<T>,
                "table is not: static constexpr bool table = true, and public");
  PLAIT_SDK_CHECK_HOOK(write_arrays, const T,
                       "void write_arrays(Context& c, const SinkArrays& arrays, ByteWriter& out) const", void,
                       Context&, const SinkArrays&, ByteWriter&);
  PLAIT_SDK_CHECK_HOOK(write_pairs, const T,
                       "void write_pairs(Context& c, Pairs& pairs, ByteWriter& out) const", void, Context&,
                       Pairs&, ByteWriter&);
  PLAIT_SDK_CHECK_HOOK(check_arrays, const T, "void check_arrays(const SinkArrays& arrays) const", void,
                       const SinkArrays&);
  PLAIT_SDK_CHECK_HOOK(check_pairs, const T, "void check_pairs(Value value) const", void, Value);
  static_assert(!ChecksArrays<T> || WritesArrays<T>, "check_arrays is never called without write_arrays");
  static_assert(!ChecksPairs<T> || WritesPairs<T>, "check_pairs is never called without write_pairs");
  check_open<T>();
}

template <class T>
struct SinkThunks {
  static int check_arrays(plait_context* context, const plait_config* config, uint32_t count,
                          const plait_sink_array* const* arrays) noexcept {
    return guard(context, [&] {
      T sink{};
      read_config(context, config, sink);
      std::as_const(sink).check_arrays(SinkArrays(count, arrays));
    });
  }
  static int check_pairs(plait_context* context, const plait_config* config, uint32_t value) noexcept {
    return guard(context, [&] {
      T sink{};
      read_config(context, config, sink);
      std::as_const(sink).check_pairs(static_cast<Value>(value));
    });
  }
  static int write_arrays(const void* self, plait_context* context, uint32_t count,
                          const plait_sink_array* const* arrays, const plait_byte_taker* taker) noexcept {
    return guard(context, [&] {
      Context c(context);
      ByteWriter out(c, taker);
      as<T>(self).write_arrays(c, SinkArrays(count, arrays), out);
      out.flush();
    });
  }
  static int write_pairs(const void* self, plait_context* context, const plait_pairs* pairs,
                         const plait_byte_taker* taker) noexcept {
    return guard(context, [&] {
      Context c(context);
      ByteWriter out(c, taker);
      Pairs all(pairs);
      as<T>(self).write_pairs(c, all, out);
      out.flush();
    });
  }
};

template <class T>
const plait_sink_rules* sink_rules() {
  static const plait_sink_rules rules = [] {
    plait_sink_rules table{};
    table.struct_size = sizeof table;
    table.flags = is_table<T>() ? uint32_t{PLAIT_SINK_TABLE} : 0u;
    const std::span<const char* const> endings(T::endings);
    table.endings = endings.data();
    table.n_endings = static_cast<uint32_t>(endings.size());
    if constexpr (ChecksArrays<T>) table.check_arrays = &SinkThunks<T>::check_arrays;
    if constexpr (ChecksPairs<T>) table.check_pairs = &SinkThunks<T>::check_pairs;
    return table;
  }();
  return &rules;
}

template <class T>
const plait_sink_ops* sink_ops() {
  static const plait_sink_ops ops = [] {
    plait_sink_ops table{};
    table.struct_size = sizeof table;
    table.create = &create_thunk<T>;
    table.destroy = &destroy_thunk<T>;
    if constexpr (WritesArrays<T>) table.write_arrays = &SinkThunks<T>::write_arrays;
    if constexpr (WritesPairs<T>) table.write_pairs = &SinkThunks<T>::write_pairs;
    return table;
  }();
  return &ops;
}

}  // namespace detail

// A sink type and its implementation.
template <class T>
Entry sink(const char* id) {
  static_assert(detail::NamesEndings<T>,
                "a sink needs, public: static constexpr const char* endings[] = {\".ending\"}");
  static_assert(detail::WritesArrays<T> || detail::WritesPairs<T>,
                "a sink needs, const: void write_arrays(Context& c, const SinkArrays& arrays, ByteWriter& "
                "out), or void write_pairs(Context& c, Pairs& pairs, ByteWriter& out)");
  detail::check_sink<T>();
  if constexpr (detail::NamesEndings<T>)
    return detail::make_entry<T>("sink", id, detail::sink_rules<T>(), kCpu, detail::sink_ops<T>());
  return {};  // what is wanted has been said
}

}  // namespace plait::sdk
