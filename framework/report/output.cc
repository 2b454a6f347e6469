#include "report/output.h"

#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <string>

#include "base/shown.h"

namespace plait {
namespace {

std::atomic<int> first_error{0};

void note_error() {
  int none = 0;
  first_error.compare_exchange_strong(none, errno != 0 ? errno : EIO);
}

}  // namespace

void print(std::string_view text, std::FILE* stream) { print_control(shown_lines(text), stream); }

void print_control(std::string_view text, std::FILE* stream) {
  errno = 0;
  if (std::fwrite(text.data(), 1, text.size(), stream) != text.size()) note_error();
}

void print_now(std::string_view text, std::FILE* stream) {
  print(text, stream);
  errno = 0;
  if (std::fflush(stream) != 0) note_error();
}

// A close may be the first to tell (quota, network file systems): of a copy, so that what runs at the exit of
// the process still has a stream.
Status finish_output(bool reader_matters) {
  print_now("");
  const int copy = ::dup(STDOUT_FILENO);
  errno = 0;
  if (copy >= 0 && ::close(copy) != 0) note_error();
  const int error = first_error;
  if (error == 0) return {};
  if (!reader_matters && (error == EPIPE || error == EBADF)) return {};
  return {Code::kIo, std::string("standard output: write failed: ") + std::strerror(error)};
}

}  // namespace plait
