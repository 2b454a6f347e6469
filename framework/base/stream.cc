// Standard input and pipes, of read_file_or_pipe.
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/regular_file.h"

namespace plait::inline base {
namespace {

constexpr size_t kPiece_bytes = size_t{1} << 16;
constexpr int kPatience_ms = 10'000;
constexpr long kPipesWithoutName = 0x50495045;  // PIPEFS_MAGIC of linux/magic.h

// A pipe without a name has a writer, or had one.
bool has_a_name(int pipe) {
  struct statfs system {};
  return ::fstatfs(pipe, &system) == 0 && system.f_type != kPipesWithoutName;
}

// False with a status that says why nothing comes.
Status wait_for_bytes(int file, const std::string& name, int patience_ms) {
  pollfd ready{file, POLLIN, 0};
  int found = 0;
  while ((found = ::poll(&ready, 1, patience_ms)) < 0 && errno == EINTR) {
  }
  if (found < 0) return system_refusal(name, "poll");
  if (found > 0) return {};
  return {Code::kIo,
          name + ": nobody wrote to this pipe within " + std::to_string(patience_ms / 1000) + " s"};
}

Result<std::string> read_to_end(int file, const std::string& name, uint64_t most_bytes, int patience_ms) {
  std::string content, piece(kPiece_bytes, '\0');
  for (;;) {
    const ssize_t got = ::read(file, piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) {
      PLAIT_TRY(wait_for_bytes(file, name, content.empty() ? patience_ms : -1));
      continue;
    }
    if (got < 0) return system_refusal(name, "read");
    if (got == 0) return content;
    content.append(piece, 0, static_cast<size_t>(got));
    if (content.size() > most_bytes)
      return {Code::kInvalid,
              name + ": gives more than " + std::to_string(most_bytes) + " bytes, the most that are read"};
  }
}

bool is_pipe(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && S_ISFIFO(info.st_mode);
}

Result<std::string> read_pipe(const std::string& path, uint64_t most_bytes) {
  const Descriptor pipe(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!pipe.is_open()) return system_refusal(path, "open");
  struct stat info {};
  if (::fstat(pipe.get(), &info) != 0 || !S_ISFIFO(info.st_mode))
    return {Code::kInvalid, path + ": is no pipe any more"};
  const int patience_ms = has_a_name(pipe.get()) ? kPatience_ms : -1;
  // Until a first writer comes, reading would say that the pipe has ended.
  PLAIT_TRY(wait_for_bytes(pipe.get(), path, patience_ms));
  return read_to_end(pipe.get(), path, most_bytes, patience_ms);
}

}  // namespace

bool is_stream(const std::string& path) { return path == "-" || is_pipe(path); }

Result<std::string> read_file_or_pipe(const std::string& path, uint64_t most_bytes) {
  if (path == "-") return read_to_end(STDIN_FILENO, "standard input", most_bytes, -1);
  if (is_pipe(path)) return read_pipe(path, most_bytes);
  PLAIT_ASSIGN(const RegularFile file, RegularFile::open(path));
  return file.read_all(most_bytes);
}

}  // namespace plait::inline base
