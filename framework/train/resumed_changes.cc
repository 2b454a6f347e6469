#include "train/resumed_changes.h"

namespace plait::inline train {
namespace {

// A part that is compared only on request is accepted like the one it belongs to.
std::string word_of(const FactDifference& one) {
  return one.part == part::kWholeData ? part::kData : one.part;
}

Status refusal(const std::vector<FactDifference>& refused) {
  std::set<std::string> parts;
  for (const FactDifference& one : refused) parts.insert(word_of(one));
  std::string words;
  for (const std::string& word : parts) words += (words.empty() ? "" : ",") + word;
  return {Code::kInvalid,
          "--resume: not as the run was begun, so that it would go on with other bits:" + lines_of(refused) +
              "\n  --accept-change " + words + " goes on nevertheless, and keeps in the run that it did"};
}

}  // namespace

Result<ResumedChanges> changes_of(const Identity& before, const Identity& now,
                                  const std::set<std::string>& accept) {
  ResumedChanges found;
  std::vector<FactDifference> refused;
  for (FactDifference& one : differences(before, now)) {
    auto& list = one.part == part::kLength         ? found.lengths
                 : accept.count(word_of(one)) != 0 ? found.accepted
                                                   : refused;
    list.push_back(std::move(one));
  }
  if (!refused.empty()) return refusal(refused);
  return found;
}

std::string lengths_text(const std::vector<FactDifference>& lengths) {
  std::string text;
  for (const FactDifference& one : lengths) text += (text.empty() ? "" : ", ") + one.text();
  return text;
}

}  // namespace plait::inline train
