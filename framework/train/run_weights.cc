#include "train/run_weights.h"

#include <nlohmann/json.hpp>

#include "base/json_bounds.h"
#include "base/json_text.h"
#include "train/run_folder.h"
#include "train/taken_weights.h"

namespace plait::inline train {
namespace {

using Json = nlohmann::ordered_json;

constexpr uint64_t kMostSummary_bytes = 256 << 20;

// What the run says of its weights; "" where it kept no digest of the best.
Result<std::string> digest_in_summary(Files& files, const std::string& run_dir, const std::string& which) {
  const std::string path = summary_path(run_dir);
  PLAIT_ASSIGN(const std::string text, files.read(path, kMostSummary_bytes));
  PLAIT_TRY(check_json_bounds(text).at(path));
  const Json summary = parse_json<Json>(text);
  const char* const name = which == "best" ? "best_weights_sha256" : "weights_sha256";
  const bool has_none = summary.is_object() && which == "best" && summary.value(name, Json("")) == "";
  if (has_none) return std::string();
  if (!summary.is_object() || !summary.contains(name) || !summary[name].is_string())
    return Status(Code::kCorrupt, path + ": damaged, it does not say " + name);
  return summary[name].get<std::string>();
}

Status compare(const std::string& bytes, const std::string& wanted, const std::string& path) {
  PLAIT_ASSIGN(const NamedTensors tensors, from_safetensors(bytes, path));
  const std::string got = weights_sha256(tensors);
  if (got == wanted) return {};
  return {Code::kCorrupt,
          path + ": its weights have the SHA-256 " + got + ", and the run's summary.json says " + wanted +
              ": they are not those that the run ended with; --weights " + path + " takes them as they are"};
}

std::string unchecked(const std::string& path, const std::string& summary) {
  return path + ": taken unchecked: there is no " + summary +
         " that says which weights the run ended with (it did not end, or the file was removed)";
}

}  // namespace

Status check_network(const Job& job) {
  if (!job.layers.empty()) return {};
  return {Code::kInvalid,
          "the job " + job.name + " has no layer, and so no network that was trained: its stages run tasks"};
}

Result<RunWeights> read_run_weights(Files& files, const std::string& run_dir, const std::string& which) {
  const std::string path = weights_path(run_dir, which);
  RunWeights weights;
  PLAIT_ASSIGN(weights.bytes, files.read(path));
  if (which != "last" && which != "best") return weights;
  if (!files.exists(summary_path(run_dir))) {
    weights.note = unchecked(path, summary_path(run_dir));
    return weights;
  }
  PLAIT_ASSIGN(const std::string wanted, digest_in_summary(files, run_dir, which));
  if (!wanted.empty()) PLAIT_TRY(compare(weights.bytes, wanted, path));
  return weights;
}

Result<UsedWeights> use_weights(const std::string& bytes, const Network& network, const std::string& path) {
  PLAIT_ASSIGN(const StoredTensors stored, read_safetensors(bytes, path));
  const TakenWeights taken = take_weights(stored, network, path);
  UsedWeights used;
  PLAIT_ASSIGN(used.plain, taken.all());
  if (!taken.notes.empty() || !taken.unused.empty()) used.note = taken.text();
  return used;
}

}  // namespace plait::inline train
