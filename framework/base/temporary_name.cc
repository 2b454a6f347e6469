#include "base/temporary_name.h"

#include <dirent.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

namespace plait::inline base {
namespace {

constexpr size_t kDigits = 16;
constexpr long kDay_s = 24 * 60 * 60;

// Processes count anew on another host, and in another container.
std::string host_mark() {
  char host[256] = "", space[64] = "";
  ::gethostname(host, sizeof host - 1);
  if (::readlink("/proc/self/ns/pid", space, sizeof space - 1) < 0) space[0] = '\0';
  uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
  for (const char byte : std::string(host) + '/' + space)
    hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
  return fmt::format("{:016x}", hash);
}

uint64_t random_bits() {
  uint64_t bits = 0;
  if (::getentropy(&bits, sizeof bits) != 0) bits = reinterpret_cast<uintptr_t>(&bits);
  return bits;
}

struct TemporaryName {
  long process;
  std::string host;
};

bool is_hexadecimal(std::string_view text) {
  return text.size() == kDigits && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::optional<TemporaryName> parsed(std::string_view name) {
  const size_t mark = name.rfind(kTemporaryMark);
  if (mark == std::string_view::npos) return std::nullopt;
  const std::string_view rest = name.substr(mark + sizeof kTemporaryMark - 1);
  TemporaryName made{};
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), made.process);
  const std::string_view marks = rest.substr(static_cast<size_t>(end - rest.data()));
  if (error != std::errc() || made.process <= 0 || marks.size() != 2 * kDigits + 2 || marks[0] != '-' ||
      marks[kDigits + 1] != '-' || !is_hexadecimal(marks.substr(1, kDigits)) ||
      !is_hexadecimal(marks.substr(kDigits + 2)))
    return std::nullopt;
  made.host = marks.substr(1, kDigits);
  return made;
}

bool is_dead(const TemporaryName& name, const std::string& path, long now_s) {
  static const std::string here = host_mark();
  if (name.host == here) return ::kill(static_cast<pid_t>(name.process), 0) != 0 && errno == ESRCH;
  struct stat info {};
  return ::lstat(path.c_str(), &info) == 0 && info.st_mtim.tv_sec < now_s - kDay_s;
}

}  // namespace

std::string temporary_name(const std::string& path) {
  return fmt::format("{}{}{}-{}-{:016x}", path, kTemporaryMark, ::getpid(), host_mark(), random_bits());
}

void remove_stale_temporaries(const std::string& folder, long now_s) {
  DIR* handle = ::opendir(folder.c_str());
  if (handle == nullptr) return;
  while (const dirent* entry = ::readdir(handle)) {
    const auto name = parsed(entry->d_name);
    const std::string path = folder + "/" + entry->d_name;
    if (name && is_dead(*name, path, now_s)) ::unlink(path.c_str());
  }
  ::closedir(handle);
}

}  // namespace plait::inline base
