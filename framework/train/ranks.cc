#include "train/ranks.h"

#include <sched.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "base/sha256.h"

namespace plait {
namespace {

Bytes to_bytes(const std::string& text) {
  Bytes bytes(text.size());
  std::memcpy(bytes.data(), text.data(), text.size());
  return bytes;
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

Status agree_on_job(Transport& transport, const Registry& registry, const Job& job,
                    const std::string& program) {
  PLAIT_TRY(agree_same(transport, "the program", program));
  Sha256 plugins;
  for (const auto& file : registry.files()) plugins.update(file->sha256);
  PLAIT_TRY(agree_same(transport, "the plugins", Sha256::hex_of(plugins.digest())));
  return agree_same(transport, "the job", Sha256::hex_of(job.resolved));
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

}  // namespace plait
