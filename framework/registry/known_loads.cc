#include "registry/known_loads.h"

#include <fmt/format.h>
#include <plait/abi.h>

#include <filesystem>

#include "base/sha256.h"
#include "registry/environment.h"

namespace plait::inline registry {
KnownLoads::KnownLoads(std::string file, std::string host)
    : file_(std::move(file), "plait loads 1"), host_(std::move(host)) {
  for (std::string& line : file_.lines()) known_.insert(std::move(line));
}

void KnownLoads::record(const std::vector<std::string>& good, const std::vector<std::string>& bad) {
  std::vector<std::string> lines = file_.lines();
  // What the path was before is gone.
  const auto forget = [&](const std::string& identity) {
    const std::string of_path = identity.substr(identity.find(" /"));
    std::erase_if(lines, [&](const std::string& line) {
      return line.starts_with(host_ + " ") && line.ends_with(of_path);
    });
  };
  bool changes = false;
  for (const std::string& identity : bad) {
    if (known_.erase(host_ + " " + identity) > 0) forget(identity), changes = true;
  }
  for (const std::string& identity : good) {
    if (has(identity)) continue;
    forget(identity);
    lines.push_back(*known_.insert(host_ + " " + identity).first);
    changes = true;
  }
  if (changes) file_.write(lines);
}

std::string host_identity() {
  std::error_code error;
  const std::string program = std::filesystem::read_symlink("/proc/self/exe", error).string();
  std::string text = fmt::format("{} {}.{}", PLAIT_VERSION, PLAIT_ABI_MINOR, PLAIT_ABI_DRAFT);
  for (const char* name : {"LD_LIBRARY_PATH", "LD_PRELOAD"}) text += '\0' + environment(name);
  return Sha256::hex_of(text + '\0' + file_identity(program).value_or(program)).substr(0, 16);
}

}  // namespace plait::inline registry
