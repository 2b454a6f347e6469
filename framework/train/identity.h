// What decides the bits of a run, as named facts: program, plugins, instruction set, data and job. Ranks
// compare theirs before the first step; a checkpoint keeps them, and a run that is resumed compares them
// again.
#pragma once
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/status.h"
#include "cluster/transport.h"

namespace plait::inline train {

// Words of --accept-change, and of messages.
namespace part {
inline constexpr const char* kProgram = "program";
inline constexpr const char* kIsa = "isa";  // instruction set, libraries that compute, their settings
inline constexpr const char* kPlugins = "plugins";
inline constexpr const char* kData = "data";
inline constexpr const char* kJob = "job";
// Not words: digests of whole files that are taken on request, compared only where both sides have them; and
// how long the run shall be, which may change where the schedules allow it.
inline constexpr const char* kWholeData = "data, whole";
inline constexpr const char* kLength = "length";
}  // namespace part

struct Fact {
  std::string part;
  std::string name;       // "train.batch", "source.idx.images", "acme.layer"
  std::string value;      // "16", "784 bytes, sha256 ..."
  std::string note = {};  // for people, not compared: where the file lies here
};
using Identity = std::vector<Fact>;

// Without control characters and bytes that are no UTF-8: fit for a terminal and JSON.
Fact make_fact(const std::string& part, const std::string& name, const std::string& value,
               const std::string& note = "");

// One fact that is not the same; nothing: not there.
struct FactDifference {
  std::string part;
  std::string name;
  std::optional<std::string> before, now;
  std::string note = {};
  std::string text() const;  // "train.batch was 16, is 32"
};

std::vector<FactDifference> differences(const Identity& before, const Identity& now);
// Indented lines "job: train.batch was 16, is 32", at most kMostTold of them.
inline constexpr size_t kMostTold = 20;
std::string lines_of(const std::vector<FactDifference>& all);

// Facts as text and back, for checkpoints, and for the wire. Fails with: kCorrupt.
std::string encode_identity(const Identity& identity);
Result<Identity> decode_identity(const std::string& text);

// Every rank has the same facts. Fails with: kPeer on every rank alike, naming the first that differs and in
// what. Collective.
Status agree_on(Transport& transport, const Identity& identity);

// "program,data": the words of --accept-change. Fails with: kUsage naming a word that is none.
Result<std::set<std::string>> accepted_parts(const std::string& words);

}  // namespace plait::inline train
