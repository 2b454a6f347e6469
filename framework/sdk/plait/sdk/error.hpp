// What a plugin throws, and how it is told to the host. Exceptions stay inside the plugin: every function
// that the SDK gives to the host is noexcept and turns them into plait_context.fail.
//
//   throw Error("kernel ", kernel, " is larger than the padded input ", height);
//
// Threads: [any]
#pragma once
#include <plait/abi.h>

#include <charconv>
#include <concepts>
#include <exception>
#include <new>
#include <span>
#include <string>
#include <string_view>

namespace plait::sdk {

enum class ErrorCode : int32_t {
  kInvalid = PLAIT_ERROR_INVALID,
  kNotFound = PLAIT_ERROR_NOT_FOUND,
  kIo = PLAIT_ERROR_IO,
  kCorrupt = PLAIT_ERROR_CORRUPT,
  kUnsupported = PLAIT_ERROR_UNSUPPORTED,
  kMemory = PLAIT_ERROR_MEMORY,
  kNumeric = PLAIT_ERROR_NUMERIC,
  kCancelled = PLAIT_ERROR_CANCELLED,
  kException = PLAIT_ERROR_EXCEPTION
};

namespace detail {

inline void append(std::string& to, std::string_view part) { to += part; }
template <std::same_as<bool> V>
void append(std::string& to, V part) {
  to += part ? "true" : "false";
}
template <std::same_as<char> V>
void append(std::string& to, V part) {
  to += part;
}

// Shortest text that reads back as the same number.
template <class V>
requires((std::integral<V> || std::floating_point<V>)&&!std::same_as<V, bool> &&
         !std::same_as<V, char>) void append(std::string& to, V part) {
  char digits[64];
  const auto end = std::to_chars(digits, digits + sizeof digits, part).ptr;
  to.append(digits, end);
}

inline void append(std::string& to, std::span<const int64_t> shape) {
  to += '[';
  for (size_t i = 0; i < shape.size(); ++i) {
    if (i > 0) to += ", ";
    append(to, shape[i]);
  }
  to += ']';
}

// Anything that can say itself: Spec, Tensor.
template <class V>
requires requires(const V& v, std::string& to) { v.append_to(to); }
void append(std::string& to, const V& part) { part.append_to(to); }

}  // namespace detail

// The parts written one after the other: text, numbers, bools, shapes, specs and tensors.
template <class... Part>
std::string text(const Part&... parts) {
  std::string result;
  (detail::append(result, parts), ...);
  return result;
}

// A failure that the plugin foresees. A message names the place, what was got and what was wanted.
class Error : public std::exception {
 public:
  template <class... Part>
  requires(sizeof...(Part) > 0) explicit Error(std::string_view first, const Part&... rest)
      : text_(text(first, rest...)) {}
  explicit Error(std::string_view first) : text_(first) {}
  template <class... Part>
  explicit Error(ErrorCode code, const Part&... parts) : code_(code), text_(text(parts...)) {}

  ErrorCode code() const { return code_; }
  const std::string& message() const { return text_; }
  const char* what() const noexcept override { return text_.c_str(); }

 private:
  ErrorCode code_ = ErrorCode::kInvalid;
  std::string text_;
};

namespace detail {
template <ErrorCode kCode>
class CodedError : public Error {
 public:
  template <class... Part>
  explicit CodedError(const Part&... parts) : Error(kCode, parts...) {}
};
}  // namespace detail

using NotFound = detail::CodedError<ErrorCode::kNotFound>;  // a file that is not there
using IoError = detail::CodedError<ErrorCode::kIo>;         // the system refused
using BadRecord =
    detail::CodedError<ErrorCode::kCorrupt>;  // in a source's read: the host draws a replacement
using CorruptFile = detail::CodedError<ErrorCode::kCorrupt>;      // in a source's open
using Unsupported = detail::CodedError<ErrorCode::kUnsupported>;  // understood, but not available here
using NumericError = detail::CodedError<ErrorCode::kNumeric>;     // NaN, infinity

// The work is no longer wanted (Context::stop_if_cancelled throws it).
class Cancelled : public Error {
 public:
  Cancelled() : Error(ErrorCode::kCancelled, "cancelled") {}
};

namespace detail {

inline void fail(plait_context* context, ErrorCode code, std::string_view message) {
  context->fail(context, static_cast<int32_t>(code), plait_str{message.data(), message.size()});
}

// Runs `body`; an exception becomes plait_context.fail and PLAIT_FAILED.
template <class Body>
int guard(plait_context* context, Body&& body) noexcept {
  try {
    body();
    return PLAIT_OK;
  } catch (const Error& error) {
    fail(context, error.code(), error.message());
  } catch (const std::bad_alloc&) {
    fail(context, ErrorCode::kMemory, "out of memory");
  } catch (const std::exception& error) {
    fail(context, ErrorCode::kException, error.what());
  } catch (...) {
    fail(context, ErrorCode::kException, "an exception of an unknown type");
  }
  return PLAIT_FAILED;
}

}  // namespace detail
}  // namespace plait::sdk
