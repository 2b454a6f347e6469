#include "train/ranks.h"

#include <sched.h>

#include <algorithm>
#include <cstring>
#include <set>
#include <sstream>
#include <vector>

#include "base/sha256.h"

namespace plait::inline train {
namespace {

Bytes to_bytes(const std::string& text) {
  Bytes bytes(text.size());
  if (!text.empty()) std::memcpy(bytes.data(), text.data(), text.size());
  return bytes;
}

// "id version (sha256 ...)" of each library.
std::set<std::string> names_of(const Registry& registry) {
  std::set<std::string> names;
  for (const auto& file : registry.files())
    names.insert(std::string(file->plugin->id) + " " + file->plugin->version + " (sha256 " + file->sha256() +
                 ")");
  return names;
}

// What a rank has of plugins, on the wire: its host, then a line for each.
struct PluginList {
  std::string host;
  std::set<std::string> names;

  static PluginList read(const Bytes& bytes) {
    std::istringstream lines(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
    PluginList list;
    std::getline(lines, list.host);
    for (std::string line; std::getline(lines, line);) list.names.insert(line);
    return list;
  }
  // The first that `other` lacks, or "".
  std::string beyond(const PluginList& other) const {
    for (const std::string& name : names)
      if (other.names.count(name) == 0) return name;
    return "";
  }
};

std::string rank_text(size_t rank, const PluginList& list) {
  return "rank " + std::to_string(rank) + " on " + list.host;
}

}  // namespace

Result<std::string> share_text(Transport& transport, const std::string& text) {
  if (transport.size() == 1) return text;
  PLAIT_ASSIGN(const std::vector<Bytes> voices,
               transport.all_gather(transport.is_root() ? to_bytes(text) : Bytes()));
  return std::string(reinterpret_cast<const char*>(voices.front().data()), voices.front().size());
}

Result<std::string> first_text(Transport& transport, const std::string& text) {
  PLAIT_ASSIGN(const std::vector<Bytes> voices, transport.all_gather(to_bytes(text)));
  for (const Bytes& voice : voices)
    if (!voice.empty()) return std::string(reinterpret_cast<const char*>(voice.data()), voice.size());
  return std::string();
}

Status agree_on_plugins(Transport& transport, const Registry& registry) {
  std::string text = transport.host_name();
  for (const std::string& name : names_of(registry)) text += "\n" + name;
  PLAIT_ASSIGN(const std::vector<Bytes> voices, transport.all_gather(to_bytes(text)));
  const PluginList first = PluginList::read(voices.front());
  for (size_t rank = 1; rank < voices.size(); ++rank) {
    const PluginList list = PluginList::read(voices[rank]);
    const std::string more = list.beyond(first), less = first.beyond(list);
    if (more.empty() && less.empty()) continue;
    const std::string here = rank_text(rank, list), there = rank_text(0, first);
    return {Code::kPeer, "the plugins: " + (more.empty() ? there : here) + " has " +
                             (more.empty() ? less : more) + ", which " + (more.empty() ? here : there) +
                             " has not" + (more.empty() || less.empty() ? "" : ", but " + less)};
  }
  return {};
}

Result<int> fair_threads(Transport& transport) {
  cpu_set_t usable;
  CPU_ZERO(&usable);
  if (::sched_getaffinity(0, sizeof usable, &usable) != 0) CPU_SET(0, &usable);
  const std::string mask(reinterpret_cast<const char*>(&usable), sizeof usable);
  const Bytes mine = to_bytes(transport.host_name() + '\0' + mask);
  PLAIT_ASSIGN(const std::vector<Bytes> all, transport.all_gather(mine));
  const auto sharers = static_cast<int>(std::ranges::count(all, mine));
  return std::max(1, CPU_COUNT(&usable) / std::max(1, sharers));
}

}  // namespace plait::inline train
