#include "train/stage_record.h"

#include <array>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>

#include "base/json_bounds.h"
#include "base/json_text.h"
#include "base/sha256.h"
#include "train/pair_table.h"
#include "train/ranks.h"
#include "train/safetensors.h"

namespace plait::inline train {
namespace {

using Json = nlohmann::ordered_json;

std::string record_path(const std::string& run_dir, const std::string& output) {
  return run_dir + "/" + output + ".stage.json";
}

// No number is null, as everywhere in JSON.
Json values_json(const NamedValues& values) {
  Json object = Json::object();
  for (const auto& [name, value] : values) object[name] = std::isfinite(value) ? Json(value) : Json();
  return object;
}

Json read_record(Files& files, const std::string& path) {
  if (!files.exists(path)) return {};
  const auto text = files.read(path, 1 << 16);
  if (!text || !check_json_bounds(*text, kSmallJson)) return {};
  const Json json = parse_json<Json>(*text);
  const bool is_good = json.is_object() && json.contains("sha256") && json["sha256"].is_string();
  return is_good ? json : Json();
}

uint32_t dtype_of(const std::string& name) {
  constexpr std::array<std::pair<const char*, uint32_t>, 7> kNames = {{{"F32", PLAIT_F32},
                                                                       {"F64", PLAIT_F64},
                                                                       {"F16", PLAIT_F16},
                                                                       {"BF16", PLAIT_BF16},
                                                                       {"U8", PLAIT_U8},
                                                                       {"I32", PLAIT_I32},
                                                                       {"I64", PLAIT_I64}}};
  for (const auto& [known, dtype] : kNames)
    if (name == known) return dtype;
  return 0;
}

Status take_pairs(std::string_view bytes, const std::string& place, const std::string& value,
                  StageArrays& into) {
  PLAIT_ASSIGN(auto arrays, read_table(bytes, value_kind_of(value), place));
  return into.set(std::move(arrays)).at(place);
}

// A file lists its tensors in its own order; plugins find them by name.
Status take_arrays(std::string_view bytes, const std::string& place, StageArrays& into) {
  PLAIT_ASSIGN(const StoredTensors stored, read_safetensors(bytes, place));
  std::vector<StageArrays::Array> arrays;
  for (const StoredTensor& tensor : stored.tensors) {
    StageArrays::Array& array = arrays.emplace_back();
    array.spec = {tensor.name, dtype_of(tensor.dtype), tensor.shape};
    if (array.spec.dtype == 0)
      return {Code::kCorrupt, place + ": array " + short_name(tensor.name) + " is " +
                                  short_name(tensor.dtype) + ", which no stage makes"};
    array.bytes.resize(tensor.bytes.size());
    if (!tensor.bytes.empty()) std::memcpy(array.bytes.data(), tensor.bytes.data(), tensor.bytes.size());
  }
  return into.set(std::move(arrays)).at(place);
}

// `value`: of a table of pairs the kind of its values.
Result<std::string> read_output(Files& files, const std::string& run_dir, const StageSpec& stage,
                                std::string& value) {
  const std::string path = run_dir + "/" + stage.output;
  if (!files.exists(path))
    return Status(Code::kNotFound,
                  path + " is not there: it holds the arrays of stage \"" + stage.name + "\"");
  const Json record = read_record(files, record_path(run_dir, stage.output));
  PLAIT_ASSIGN(std::string bytes, files.read(path));
  if (!record.is_object() || Sha256::hex_of(bytes) != record["sha256"].get<std::string>())
    return Status(Code::kCorrupt, path + " is not what stage \"" + stage.name + "\" wrote (" +
                                      (record.is_object() ? "another SHA-256" : "no good record beside it") +
                                      ")");
  const auto kind = record.find("value");
  if (kind != record.end() && kind->is_string()) value = kind->get<std::string>();
  return bytes;
}

}  // namespace

Status write_stage_record(Files& files, const std::string& run_dir, const std::string& from,
                          const TaskStageInfo& info) {
  const Json object = {{"made_from", from},
                       {"sha256", info.sha256},
                       {"tasks", info.tasks},
                       {"records", info.records},
                       {"skipped_records", info.skipped_records},
                       {"passes", info.passes},
                       {"pairs", info.pairs},
                       {"results", info.results},
                       {"value", info.value},
                       {"values", values_json(info.values)}};
  return files.write_atomically(record_path(run_dir, info.output), json_text(object, 2) + "\n");
}

bool read_stage_record(Files& files, const std::string& run_dir, const std::string& from,
                       TaskStageInfo& info) {
  const Json json = read_record(files, record_path(run_dir, info.output));
  if (!json.is_object() || json.value("made_from", Json()) != Json(from)) return false;
  const auto digest = Sha256::hex_of_file(run_dir + "/" + info.output);
  if (!digest || *digest != json["sha256"].get<std::string>()) return false;
  const auto number = [&](const char* name) {
    const auto found = json.find(name);
    return found != json.end() && found->is_number_integer() ? found->get<int64_t>() : 0;
  };
  info.sha256 = *digest;
  info.is_kept = true;
  info.tasks = number("tasks");
  info.records = number("records");
  info.skipped_records = number("skipped_records");
  info.passes = number("passes");
  info.pairs = number("pairs");
  info.results = number("results");
  const auto value = json.find("value");
  info.value = value != json.end() && value->is_string() ? value->get<std::string>() : "";
  const Json values = json.value("values", Json::object());
  for (const auto& [name, measured] : values.items())
    info.values.emplace_back(name, measured.is_number() ? measured.get<double>() : std::nan(""));
  return true;
}

Status share_stage_arrays(Files& files, const std::string& run_dir, const StageSpec& stage,
                          Transport& transport) {
  if (stage.arrays->has_values()) return {};
  std::string bytes, value;
  if (transport.is_root()) {
    PLAIT_ASSIGN(bytes, read_output(files, run_dir, stage, value));
  }
  PLAIT_ASSIGN(bytes, share_text(transport, bytes));
  const std::string path = run_dir + "/" + stage.output;
  if (!stage.is_keyed()) return take_arrays(bytes, path, *stage.arrays);
  PLAIT_ASSIGN(value, share_text(transport, value));
  return take_pairs(bytes, path, value, *stage.arrays);
}

Status share_used_arrays(Files& files, const std::string& run_dir, const Job& job,
                         const std::vector<PluginSpec>& plugins, Transport& transport) {
  std::vector<const StageArrays*> named;
  for (const PluginSpec& one : plugins)
    if (one) add_stages(*one.config, named);
  for (const StageSpec& stage : job.stages)
    if (std::ranges::find(named, stage.arrays.get()) != named.end())
      PLAIT_TRY(share_stage_arrays(files, run_dir, stage, transport));
  return {};
}

Status share_used_arrays(Files& files, const std::string& run_dir, const Job& job, Transport& transport) {
  for (const StageSpec& stage : job.stages)
    if (stage.is_used && !stage.is_after_training)
      PLAIT_TRY(share_stage_arrays(files, run_dir, stage, transport));
  return {};
}

}  // namespace plait::inline train
