#include "cluster/transport.h"

#include <algorithm>
#include <cstring>

namespace plait::inline cluster {
namespace {

// What one rank says in an agreement: host name, a zero, digest.
Bytes encode(const std::string& host_name, const std::string& digest) {
  const std::string text = host_name + '\0' + digest;
  Bytes bytes(text.size());
  std::memcpy(bytes.data(), text.data(), text.size());
  return bytes;
}

struct Voice {
  std::string host_name;
  std::string digest;
};

Voice decode(const Bytes& bytes) {
  const std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const size_t end = std::min(text.find('\0'), text.size());
  return {text.substr(0, end), text.substr(std::min(end + 1, text.size()))};
}

}  // namespace

Status agree_same(Transport& transport, const std::string& what, const std::string& digest) {
  PLAIT_ASSIGN(const std::vector<Bytes> voices, transport.all_gather(encode(transport.host_name(), digest)));
  const Voice first = decode(voices.front());
  for (size_t rank = 1; rank < voices.size(); ++rank) {
    const Voice voice = decode(voices[rank]);
    if (voice.digest == first.digest) continue;
    return {Code::kPeer, what + ": rank " + std::to_string(rank) + " on " + voice.host_name + " has " +
                             voice.digest + ", rank 0 on " + first.host_name + " has " + first.digest};
  }
  return {};
}

}  // namespace plait::inline cluster
