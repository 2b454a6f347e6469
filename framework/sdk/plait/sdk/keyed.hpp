// Pairs of a key and a value: what tasks emit, combiners fold and reducers read.
//
// Threads: an Emitter and Values belong to one call.
#pragma once
#include <array>
#include <cstring>
#include <optional>
#include <string_view>

#include "entry.hpp"
#include "order_free_sum.hpp"

namespace plait::sdk {

// What the bytes of a value are.
enum class Value : uint32_t {
  kBytes = PLAIT_VALUE_BYTES,
  kI64 = PLAIT_VALUE_I64,
  kF64 = PLAIT_VALUE_F64,
  kSum = PLAIT_VALUE_SUM  // an OrderFreeSum
};

inline const char* name_of(Value value) {
  constexpr const char* kNames[] = {"?", "bytes", "i64", "f64", "sum of f64"};
  const auto index = static_cast<uint32_t>(value);
  return kNames[index < 5 ? index : 0];
}

// The value that is in `bytes`, as T: int64_t, double, plait_sum.
template <class T>
T value_as(std::string_view bytes) {
  if (bytes.size() != sizeof(T)) throw Error("a value of ", bytes.size(), " bytes, wanted ", sizeof(T));
  T value;
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}
template <class T>
std::string_view bytes_of(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

// Keys: any bytes, at most 64 KiB. Values: of the kind that was declared; another kind or size, NaN and
// infinity are refused. Bytes are taken as they are: for values that come from elsewhere, of any kind.
class Emitter {
 public:
  using ChangedByHook = void;
  explicit Emitter(const plait_emitter* emitter) : c_(emitter) {}

  template <std::integral Whole>
  void emit(std::string_view key, Whole value) {
    check_kind(Value::kI64);
    emit(key, bytes_of(static_cast<int64_t>(value)));
  }
  void emit(std::string_view key, double value) {
    check_kind(Value::kF64);
    emit(key, bytes_of(value));
  }
  void emit(std::string_view key, std::string_view value) {
    if (c_->emit(c_, {key.data(), key.size()}, {value.data(), value.size()}) != PLAIT_OK)
      throw Error("the pair was refused");  // the host has said why
  }

 private:
  void check_kind(Value got) const {
    if (PLAIT_HAS(c_, value) && c_->value != static_cast<uint32_t>(got))
      throw Error(ErrorCode::kException, "emits a value of ", name_of(got), ", wanted ",
                  name_of(static_cast<Value>(c_->value)), " as it declares");
  }

  const plait_emitter* c_;
};

// The values of one key, in the order of the records; with a combiner, the one that all were folded into.
class Values {
 public:
  using ChangedByHook = void;
  Values(const plait_values* values, Value kind) : c_(values), kind_(kind) {}
  Value kind() const { return kind_; }
  // Valid until the next call; nothing after the last.
  std::optional<std::string_view> next() {
    plait_str value{};
    if (c_->next(c_, &value) == 0) return {};
    return std::string_view(value.data, value.size);
  }

 private:
  const plait_values* c_;
  Value kind_;
};

}  // namespace plait::sdk
