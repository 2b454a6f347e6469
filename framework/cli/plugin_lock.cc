#include "cli/plugin_lock.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <sstream>

#include "base/files.h"
#include "base/sha256.h"
#include "registry/known_digests.h"

namespace plait::inline cli {
namespace fs = std::filesystem;
namespace {

constexpr uint64_t kMostLock_bytes = 16 << 20;

struct Locked {
  std::string id, version, sha256, file_name;
};

constexpr const char kHead[] =
    "# Plugins by digest: id, version, sha256, file. Asked for by plait run --locked.\n";

std::string lock_line(const PluginFile& made, const std::string& path) {
  return fmt::format("{} {} {} {}\n", made.plugin->id, made.plugin->version, made.sha256(),
                     fs::path(path).filename().string());
}

Result<std::vector<Locked>> read_lock(const std::string& path) {
  const auto text = SystemFiles().read(path, kMostLock_bytes);
  if (!text) return text.status().at("cannot read the lock");
  std::istringstream file(*text);
  std::vector<Locked> entries;
  int number = 0;
  for (std::string line; std::getline(file, line);) {
    ++number;
    if (line.empty() || line[0] == '#') continue;
    std::istringstream words(line);
    Locked entry;
    if (!(words >> entry.id >> entry.version >> entry.sha256 >> entry.file_name) || entry.sha256.size() != 64)
      return {Code::kInvalid,
              fmt::format("{}:{}: got \"{}\", wanted \"id version sha256 file-name\"", path, number, line)};
    entries.push_back(entry);
  }
  return entries;
}

Status refusal(const std::string& path, const std::string& sha256, const std::vector<Locked>& entries,
               const std::string& lock_file) {
  const std::string name = fs::path(path).filename();
  for (const Locked& entry : entries)
    if (entry.file_name == name)
      return {Code::kInvalid, fmt::format("\"{}\" has sha256 {}, but {} names {} for {} {}", path, sha256,
                                          lock_file, entry.sha256, entry.id, entry.version)};
  return {Code::kInvalid, fmt::format("\"{}\" (sha256 {}) is not in {}", path, sha256, lock_file)};
}

}  // namespace

Result<std::string> lock_text(const SearchPath& path) {
  PLAIT_ASSIGN(const Registry all, Registry::load(path));
  std::string text = kHead;
  for (const std::string& file : libraries_on(path)) {
    const auto alone = Registry::load({{file}, {}});
    if (!alone) continue;
    text += lock_line(*alone->files().front(), file);
  }
  return text;
}

std::string lock_text(const Registry& registry) {
  // Those that are loaded once their device is in use too: a lock is for any device.
  const std::vector<Registry::Waiting> waiting = registry.waiting();
  std::vector<std::string> paths;
  for (const auto& file : registry.files()) paths.push_back(file->path);
  for (const Registry::Waiting& one : waiting) paths.push_back(one.path);
  const std::vector<Result<std::string>> digests = KnownDigests().of(paths);
  std::string text = kHead;
  auto digest = digests.begin();
  for (const auto& file : registry.files()) {
    file->sha256(*digest++);
    text += lock_line(*file, file->path);
  }
  for (const Registry::Waiting& one : waiting) {
    const auto& sha256 = *digest++;
    if (!sha256) continue;
    text +=
        fmt::format("{} {} {} {}\n", one.id.empty() ? "?" : one.id, one.version.empty() ? "?" : one.version,
                    *sha256, fs::path(one.path).filename().string());
  }
  return text;
}

std::string missing_text(const SearchPath& path, const std::string& lock_file) {
  const auto entries = read_lock(lock_file);
  if (!entries) return "";
  std::set<std::string> there;
  for (const std::string& file : libraries_on(path))
    if (const auto sha256 = Sha256::hex_of_file(file)) there.insert(*sha256);
  std::string text;
  for (const Locked& entry : *entries)
    if (!there.count(entry.sha256))
      text += fmt::format("{}{} {} ({})", text.empty() ? "" : ", ", entry.id, entry.version, entry.file_name);
  return text;
}

Status check_lock(const SearchPath& path, const std::string& lock_file) {
  PLAIT_ASSIGN(const std::vector<Locked> entries, read_lock(lock_file));
  for (const std::string& file : libraries_on(path)) {
    PLAIT_ASSIGN(const std::string sha256, Sha256::hex_of_file(file));
    const auto is_it = [&](const Locked& entry) { return entry.sha256 == sha256; };
    if (std::none_of(entries.begin(), entries.end(), is_it)) return refusal(file, sha256, entries, lock_file);
  }
  return {};
}

}  // namespace plait::inline cli
