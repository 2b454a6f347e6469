// base/: the words that every folder of the framework uses. Depends on nothing but the standard library.
//
// Status and Result: an expected failure (file, configuration, shape, peer) as a value.
// A message names the place, what was got and what was wanted. Our own bugs are assertions (PLAIT_ASSERT),
// not statuses. Nothing is thrown across a folder's border.
#pragma once
#include <cassert>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace plait::inline base {

enum class Code {
  kOk = 0,
  kInvalid,      // the job says something that cannot be: a value, a shape, a name
  kUsage,        // the command line is wrong
  kNotFound,     // a file, plugin or layer that is not there
  kIo,           // the system refused to read or write
  kCorrupt,      // a file's content is not what its format says
  kUnsupported,  // understood, but this build or plugin cannot do it
  kPlugin,       // a plugin reported a failure or threw
  kNumeric,      // NaN, infinity, or an overflow that cannot be scaled away
  kPeer,         // another rank failed or disagrees
  kStopped,      // asked to stop; the work can be resumed
};

class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Code code, std::string message) : code_(code), message_(std::move(message)) {}
  static Status ok() { return {}; }
  bool is_ok() const { return code_ == Code::kOk; }
  explicit operator bool() const { return is_ok(); }
  Code code() const { return code_; }
  const std::string& message() const& { return message_; }
  std::string message() && { return std::move(message_); }  // a temporary's words outlive it
  // The same failure seen from one step further out: "place: message".
  Status at(const std::string& place) const {
    return is_ok() ? *this : Status(code_, place + ": " + message_);
  }

 private:
  Code code_ = Code::kOk;
  std::string message_;
};

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Status failure) : state_(std::in_place_index<1>, std::move(failure)) {
    assert(!std::get<1>(state_).is_ok());
  }
  Result(Code code, std::string message) : Result(Status(code, std::move(message))) {}
  bool is_ok() const { return state_.index() == 0; }
  explicit operator bool() const { return is_ok(); }
  const T& value() const& { return std::get<0>(state_); }
  T& value() & { return std::get<0>(state_); }
  T&& value() && { return std::get<0>(std::move(state_)); }
  const T& operator*() const& { return value(); }
  T& operator*() & { return value(); }
  const T* operator->() const { return &value(); }
  T* operator->() { return &value(); }
  Status status() const { return is_ok() ? Status() : std::get<1>(state_); }

 private:
  std::variant<T, Status> state_;
};

}  // namespace plait::inline base

// Leaves the enclosing function with the failure of `expr`, if it is one.
#define PLAIT_TRY(expr)                                                               \
  do {                                                                                \
    if (::plait::Status plait_status_ = (expr); !plait_status_) return plait_status_; \
  } while (0)
// `PLAIT_ASSIGN(auto x, make())`: x is the value, or the enclosing function returns the failure.
#define PLAIT_CAT2(a, b) a##b
#define PLAIT_CAT(a, b) PLAIT_CAT2(a, b)
#define PLAIT_ASSIGN(target, expr) PLAIT_ASSIGN_(PLAIT_CAT(plait_result_, __LINE__), target, expr)
#define PLAIT_ASSIGN_(tmp, target, expr) \
  auto tmp = (expr);                     \
  if (!tmp) return tmp.status();         \
  target = std::move(tmp).value()
