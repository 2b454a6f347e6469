#include "train/taken_weights.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <unordered_map>

#include "base/json_text.h"
#include "plan/wanted_values.h"
#include "registry/shape_text.h"

namespace plait::inline train {
namespace {

using Json = nlohmann::ordered_json;
using Why = MissingTensor::Why;

// What PyTorch calls the running statistics of a normalization.
struct OtherName {
  std::string_view ours, theirs;
};
constexpr OtherName kOtherNames[] = {{".mean", ".running_mean"}, {".variance", ".running_var"}};

std::string other_name(const std::string& name) {
  for (const OtherName& other : kOtherNames)
    if (name.ends_with(other.ours))
      return name.substr(0, name.size() - other.ours.size()) + std::string(other.theirs);
  return "";
}

class Taker {
 public:
  Taker(const StoredTensors& stored, TakenWeights& into) : into_(into) {
    for (const StoredTensor& tensor : stored.tensors) by_name_.emplace(tensor.name, &tensor);
  }

  void take(const ParameterInfo& parameter) {
    const StoredTensor* stored = find(parameter);
    if (stored == nullptr) return miss(parameter, Why::kAbsent, "not in the file");
    used_.insert(stored);
    if (stored->shape != parameter.shape)
      return miss(parameter, Why::kShape,
                  shape_text(stored->shape) + " in the file, wanted " + shape_text(parameter.shape));
    auto values = f32_values(*stored);
    if (!values && values.status().code() == Code::kUnsupported)
      return miss(parameter, Why::kType, values.status().message());
    if (!values) return miss(parameter, Why::kValue, values.status().message());
    if (const std::string bad = unwanted_value(parameter, *values); !bad.empty())
      return miss(parameter, Why::kValue, bad);
    note(parameter, *stored);
    into_.tensors.push_back({parameter.name, parameter.shape, std::move(*values)});
  }

  void tell_unused(const StoredTensors& stored) {
    for (const StoredTensor& tensor : stored.tensors)
      if (used_.count(&tensor) == 0)
        into_.unused.push_back(short_name(tensor.name) + " (" + short_name(tensor.dtype) + " " +
                               shape_text(tensor.shape) + ")");
  }

 private:
  const StoredTensor* find(const ParameterInfo& parameter) const {
    auto found = by_name_.find(parameter.name);
    if (found == by_name_.end() && parameter.buffer) found = by_name_.find(other_name(parameter.name));
    return found == by_name_.end() ? nullptr : found->second;
  }

  void miss(const ParameterInfo& parameter, Why why, const std::string& text) {
    into_.missing.push_back({parameter.name, why, text});
  }

  void note(const ParameterInfo& parameter, const StoredTensor& stored) {
    if (stored.name == parameter.name && stored.dtype == "F32") return;
    into_.notes.push_back(parameter.name +
                          (stored.name == parameter.name ? "" : " from " + short_name(stored.name)) +
                          (stored.dtype == "F32" ? "" : " converted from " + stored.dtype));
  }

  TakenWeights& into_;
  std::unordered_map<std::string, const StoredTensor*> by_name_;
  std::set<const StoredTensor*> used_;
};

std::string lines_of(const std::vector<std::string>& lines, size_t most) {
  std::string text;
  for (size_t i = 0; i < std::min(most, lines.size()); ++i) text += "\n  " + lines[i];
  if (lines.size() > most) text += "\n  and " + std::to_string(lines.size() - most) + " more";
  return text;
}

std::string line_of(const MissingTensor& missing) { return missing.name + ": " + missing.text; }

constexpr size_t kMostNamed = 20;

// A file of a stranger has as many tensors as it likes, a summary stays one that is read in whole.
constexpr size_t kMostKept = 1000;

std::vector<std::string> first_of(std::vector<std::string> names) {
  if (names.size() <= kMostKept) return names;
  const size_t more = names.size() - kMostKept;
  names.resize(kMostKept);
  names.push_back("and " + std::to_string(more) + " more");
  return names;
}

}  // namespace

std::string TakenWeights::text(size_t most_lines) const {
  std::vector<std::string> lines = notes;
  for (const MissingTensor& one : missing) lines.push_back("not taken: " + line_of(one));
  for (const std::string& name : unused) lines.push_back("passed over, since no layer has it: " + name);
  return "weights: " + std::to_string(tensors.size()) + " of " + std::to_string(wanted) + " tensors from " +
         file + lines_of(lines, most_lines);
}

std::string TakenWeights::json() const {
  Json taken = Json::array(), not_taken = Json::array();
  for (const NamedTensor& tensor : tensors) taken.push_back(tensor.name);
  for (const MissingTensor& one : missing) not_taken.push_back({{"name", one.name}, {"why", one.text}});
  const Json object = {{"file", file},   {"sha256", sha256},       {"taken", taken},
                       {"notes", notes}, {"not_taken", not_taken}, {"passed_over", first_of(unused)}};
  return json_text(object, 2) + "\n";
}

Status TakenWeights::check(bool partial) const {
  std::vector<std::string> lines;
  bool would_pass = !partial;  // with --weights-partial
  for (const MissingTensor& one : missing) {
    const bool may_be = one.why == Why::kAbsent || (partial && one.why != Why::kValue);
    if (!may_be) lines.push_back(line_of(one));
    would_pass = would_pass && one.why != Why::kValue;
  }
  if (!lines.empty())
    return {Code::kInvalid,
            file + ": tensors that do not fit:" + lines_of(lines, kMostNamed) +
                (!would_pass ? "" : "\n  --weights-partial begins without those of another shape or type")};
  if (!tensors.empty() || wanted == 0) return {};
  for (const MissingTensor& one : missing) lines.push_back("wanted " + one.name);
  for (const std::string& name : unused) lines.push_back("the file has " + name);
  return {Code::kInvalid, file + ": none of its " + std::to_string(unused.size()) +
                              " tensors has the name of one of the network's " + std::to_string(wanted) +
                              ":" + lines_of(lines, kMostNamed)};
}

Result<std::vector<std::vector<float>>> TakenWeights::all() const {
  std::vector<std::string> lines;
  for (const MissingTensor& one : missing) lines.push_back(line_of(one));
  if (!lines.empty())
    return Status(Code::kInvalid, file + ": " + std::to_string(lines.size()) + " of the network's " +
                                      std::to_string(wanted) +
                                      " tensors cannot be taken:" + lines_of(lines, kMostNamed));
  std::vector<std::vector<float>> plain;
  for (const NamedTensor& tensor : tensors) plain.push_back(tensor.values);
  return plain;
}

TakenWeights take_weights(const StoredTensors& stored, const Network& network, const std::string& file) {
  TakenWeights taken;
  taken.file = file;
  taken.wanted = network.parameters.size();
  Taker taker(stored, taken);
  for (const ParameterInfo& parameter : network.parameters) taker.take(parameter);
  taker.tell_unused(stored);
  return taken;
}

}  // namespace plait::inline train
