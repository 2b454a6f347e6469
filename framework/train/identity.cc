#include "train/identity.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>

#include "base/json_bounds.h"
#include "base/json_text.h"
#include "base/sha256.h"
#include "base/shown.h"

namespace plait::inline train {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kWords[] = {part::kProgram, part::kIsa, part::kPlugins, part::kData, part::kJob};

using ByName = std::map<std::pair<std::string, std::string>, const Fact*>;

ByName by_name(const Identity& identity) {
  ByName facts;
  for (const Fact& fact : identity) facts[{fact.part, fact.name}] = &fact;
  return facts;
}

Bytes bytes_of(const std::string& text) {
  Bytes bytes(text.size());
  std::memcpy(bytes.data(), text.data(), text.size());
  return bytes;
}

std::string text_of(const Bytes& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string place_of(size_t rank, const std::string& host) {
  return "rank " + std::to_string(rank) + " on " + host;
}

}  // namespace

Fact make_fact(const std::string& part, const std::string& name, const std::string& value,
               const std::string& note) {
  return {part, shown(name), shown(value), shown(note)};
}

std::string FactDifference::text() const {
  const std::string was = before ? "was " + *before : "was not there";
  const std::string is = now ? "is " + *now : "is not there";
  return name + " " + was + ", " + is + (note.empty() ? "" : " (" + note + ")");
}

std::vector<FactDifference> differences(const Identity& before, const Identity& now) {
  const ByName old = by_name(before), present = by_name(now);
  std::vector<FactDifference> all;
  for (const Fact& fact : before) {
    const auto found = present.find({fact.part, fact.name});
    if (found != present.end() && found->second->value == fact.value) continue;
    if (found == present.end() && fact.part == part::kWholeData) continue;
    FactDifference one{fact.part, fact.name, fact.value, std::nullopt};
    if (found != present.end()) one.now = found->second->value, one.note = found->second->note;
    all.push_back(std::move(one));
  }
  for (const Fact& fact : now) {
    if (old.count({fact.part, fact.name}) != 0 || fact.part == part::kWholeData) continue;
    all.push_back({fact.part, fact.name, std::nullopt, fact.value, fact.note});
  }
  return all;
}

std::string lines_of(const std::vector<FactDifference>& all) {
  std::string text;
  for (size_t i = 0; i < std::min(all.size(), kMostTold); ++i)
    text += "\n  " + all[i].part + ": " + all[i].text();
  if (all.size() > kMostTold) text += "\n  and " + std::to_string(all.size() - kMostTold) + " more";
  return text;
}

std::string encode_identity(const Identity& identity) {
  Json list = Json::array();
  for (const Fact& fact : identity) list.push_back({fact.part, fact.name, fact.value, fact.note});
  return json_text(list);
}

Result<Identity> decode_identity(const std::string& text) {
  PLAIT_TRY(check_json_bounds(text));
  Identity identity;
  try {
    for (const Json& fact : Json::parse(text)) {
      const auto word = [&](size_t i) { return fact.at(i).get<std::string>(); };
      identity.push_back(make_fact(word(0), word(1), word(2), word(3)));
    }
  } catch (const nlohmann::json::exception&) {
    return Status(Code::kCorrupt, "what decides the bits is not as this program writes it");
  }
  return identity;
}

// Most often all are the same: then only digests travel.
Status agree_on(Transport& transport, const Identity& identity) {
  Identity compared = identity;
  for (Fact& fact : compared) fact.note.clear();
  PLAIT_ASSIGN(const std::vector<Bytes> digests,
               transport.all_gather(bytes_of(Sha256::hex_of(encode_identity(compared)))));
  if (std::ranges::all_of(digests, [&](const Bytes& digest) { return digest == digests.front(); })) return {};
  const std::string mine = transport.host_name() + "\n" + encode_identity(identity);
  PLAIT_ASSIGN(const std::vector<Bytes> voices, transport.all_gather(bytes_of(mine)));
  const std::string first = text_of(voices.front());
  const size_t first_line = first.find('\n');
  PLAIT_ASSIGN(const Identity wanted, decode_identity(first.substr(first_line + 1)));
  for (size_t rank = 1; rank < voices.size(); ++rank) {
    if (digests[rank] == digests.front()) continue;
    const std::string voice = text_of(voices[rank]);
    const size_t line = voice.find('\n');
    PLAIT_ASSIGN(const Identity got, decode_identity(voice.substr(line + 1)));
    const std::vector<FactDifference> all = differences(wanted, got);
    if (all.empty()) continue;  // a digest that only one of them was asked for
    std::string text = place_of(rank, voice.substr(0, line)) + " was begun otherwise than " +
                       place_of(0, first.substr(0, first_line)) + ":";
    for (size_t i = 0; i < std::min(all.size(), kMostTold); ++i) {
      text += "\n  " + all[i].part + ": " + all[i].name + ": rank 0 has " + all[i].before.value_or("none") +
              ", rank " + std::to_string(rank) + " has " + all[i].now.value_or("none") +
              (all[i].note.empty() ? "" : " (" + all[i].note + ")");
    }
    return {Code::kPeer, text};
  }
  return {};
}

Result<std::set<std::string>> accepted_parts(const std::string& words) {
  std::set<std::string> accepted;
  for (size_t at = 0; at <= words.size() && !words.empty();) {
    const size_t comma = std::min(words.find(',', at), words.size());
    const std::string word = words.substr(at, comma - at);
    if (std::ranges::find(kWords, word) == std::end(kWords)) {
      return Status(Code::kUsage, "--accept-change: got \"" + shown(word) +
                                      "\", wanted of program, isa, plugins, data and job, parted by commas");
    }
    accepted.insert(word);
    at = comma + 1;
  }
  return accepted;
}

}  // namespace plait::inline train
