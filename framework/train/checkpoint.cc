#include "train/checkpoint.h"

#include <algorithm>
#include <bit>
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>

#include "base/json_bounds.h"
#include "base/json_text.h"
#include "base/sha256.h"
#include "train/plain_weights.h"

namespace plait {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kMagic = "PLAITCK3", kFamily = "PLAITCK";
constexpr std::string_view kEnding = ".ckpt";
constexpr size_t kDigestBytes = sizeof(Sha256::Digest);

// Numbers keep their bits, NaN included.
Json bits_of(double value) { return std::bit_cast<uint64_t>(value); }
double value_of(const Json& json) { return std::bit_cast<double>(json.get<uint64_t>()); }

Json named_to_json(const NamedValues& values) {
  Json list = Json::array();
  for (const auto& [name, value] : values) list.push_back({name, bits_of(value)});
  return list;
}

NamedValues named_from_json(const Json& list) {
  NamedValues values;
  for (const Json& pair : list) values.emplace_back(pair.at(0).get<std::string>(), value_of(pair.at(1)));
  return values;
}

Json to_json(const std::vector<Validated>& validated) {
  Json list = Json::array();
  for (const Validated& one : validated) list.push_back({one.step, named_to_json(one.values)});
  return list;
}

std::vector<Validated> validated_from(const Json& list) {
  std::vector<Validated> validated;
  for (const Json& one : list) validated.push_back({one.at(0).get<int64_t>(), named_from_json(one.at(1))});
  return validated;
}

Json to_json(const Counters& counters) {
  Json faults = Json::array();
  for (const Fault& fault : counters.faults) faults.push_back({fault.round, fault.rank, fault.what});
  return {{"rounds", counters.rounds},
          {"steps", counters.steps},
          {"samples", counters.samples},
          {"skipped_records", counters.skipped_records},
          {"train_seconds", bits_of(counters.train_seconds)},
          {"seconds", bits_of(counters.seconds)},
          {"tasks_by_rank", counters.tasks_by_rank},
          {"faults", faults}};
}

Counters counters_from(const Json& json) {
  Counters counters;
  counters.rounds = json.at("rounds").get<int64_t>();
  counters.steps = json.at("steps").get<int64_t>();
  counters.samples = json.at("samples").get<int64_t>();
  counters.skipped_records = json.at("skipped_records").get<int64_t>();
  counters.train_seconds = value_of(json.at("train_seconds"));
  counters.seconds = value_of(json.at("seconds"));
  counters.tasks_by_rank = json.at("tasks_by_rank").get<std::vector<int64_t>>();
  for (const Json& fault : json.at("faults")) {
    counters.faults.push_back(
        {fault.at(0).get<int64_t>(), fault.at(1).get<int>(), fault.at(2).get<std::string>()});
  }
  return counters;
}

Json to_json(const std::vector<Change>& changes) {
  Json list = Json::array();
  for (const Change& change : changes) list.push_back({change.stage, change.round, change.part, change.what});
  return list;
}

std::vector<Change> changes_from(const Json& list) {
  std::vector<Change> changes;
  for (const Json& change : list) {
    changes.push_back({change.at(0).get<int>(), change.at(1).get<int64_t>(), change.at(2).get<std::string>(),
                       change.at(3).get<std::string>()});
  }
  return changes;
}

Json to_json(const Checkpoint& checkpoint) {
  const Best& best = checkpoint.best;
  return {{"identity", encode_identity(checkpoint.identity)},
          {"changes", to_json(checkpoint.changes)},
          {"only_at_end", checkpoint.only_at_end},
          {"is_beginning", checkpoint.is_beginning},
          {"stage", checkpoint.stage},
          {"round", checkpoint.round},
          {"step", checkpoint.step},
          {"loss", bits_of(checkpoint.loss)},
          {"losses", named_to_json(checkpoint.losses)},
          {"counters", to_json(checkpoint.counters)},
          {"best", {best.known, bits_of(best.value), bits_of(best.epoch), named_to_json(best.validation)}},
          {"validation", named_to_json(checkpoint.validation)},
          {"validated_step", checkpoint.validated_step},
          {"validated", to_json(checkpoint.validated)}};
}

void from_json(const Json& json, Checkpoint& checkpoint) {
  checkpoint.changes = changes_from(json.at("changes"));
  checkpoint.only_at_end = json.at("only_at_end").get<bool>();
  checkpoint.is_beginning = json.value("is_beginning", false);
  checkpoint.stage = json.at("stage").get<int>();
  checkpoint.round = json.at("round").get<int64_t>();
  checkpoint.step = json.at("step").get<int64_t>();
  checkpoint.loss = value_of(json.at("loss"));
  checkpoint.losses = named_from_json(json.at("losses"));
  checkpoint.counters = counters_from(json.at("counters"));
  const Json& best = json.at("best");
  checkpoint.best = {best.at(0).get<bool>(), value_of(best.at(1)), value_of(best.at(2)),
                     named_from_json(best.at(3))};
  checkpoint.validation = named_from_json(json.at("validation"));
  checkpoint.validated_step = json.at("validated_step").get<int64_t>();
  checkpoint.validated = validated_from(json.at("validated"));
}

std::string digest_of(std::string_view bytes) {
  Sha256 sha;
  sha.update(bytes);
  const Sha256::Digest digest = sha.digest();
  return std::string(reinterpret_cast<const char*>(digest.data()), digest.size());
}

// Tensors of `prefix` in the network's order; those of `trained_only` that are not trained stay empty.
Result<std::vector<std::vector<float>>> take(const NamedTensors& from, const std::string& prefix,
                                             const Plan& plan, bool trained_only) {
  std::vector<std::vector<float>> plain;
  for (size_t i = 0; i < plan.parameters().size(); ++i) {
    const ParameterInfo& parameter = plan.network().parameters[i];
    plain.emplace_back();
    if (trained_only && !plan.parameters()[i].trained) continue;
    const auto found = std::ranges::find(from, prefix + parameter.name, &NamedTensor::name);
    if (found == from.end() || found->values.size() != parameter.elements) {
      return Status(Code::kCorrupt, "the checkpoint has no \"" + prefix + parameter.name + "\" of " +
                                        std::to_string(parameter.elements) + " elements");
    }
    plain.back() = found->values;
  }
  return plain;
}

std::string slot_prefix(const char* kind, size_t s) {
  return std::string(kind) + " " + std::to_string(s) + "/";
}

// An older or newer Plait's is told apart from what is no checkpoint at all.
Status not_of_this_format(std::string_view bytes, const std::string& place) {
  const char mine = kMagic.back(), got = bytes.size() > kFamily.size() ? bytes[kFamily.size()] : '\0';
  if (!bytes.starts_with(kFamily) || got < '1' || got > '9')
    return {Code::kCorrupt, place + ": not a checkpoint of this program"};
  return {Code::kUnsupported, place + ": a checkpoint of format " + got + ", which " +
                                  (got < mine ? "an older" : "a newer") +
                                  " Plait wrote; this one reads format " + mine +
                                  ": go on with the version that the run was begun with"};
}

// So that the order of names is the order of time.
std::string name_of(const Checkpoint& checkpoint) {
  if (checkpoint.is_beginning) return kBeginningFile;
  char name[64];
  std::snprintf(name, sizeof name, "stage%03d-round%09lld", checkpoint.stage,
                static_cast<long long>(checkpoint.round));
  return name + std::string(kEnding);
}

}  // namespace

Status write(const Checkpoint& checkpoint, const TensorSources& more, const Files::Writer& writer) {
  Sha256 sha;
  const Files::Writer digested = [&](std::string_view piece) {
    sha.update(piece);
    return writer(piece);
  };
  const std::string json = json_text(to_json(checkpoint));
  const uint64_t size = json.size();
  std::string begin(kMagic);
  begin.append(reinterpret_cast<const char*>(&size), sizeof size);
  PLAIT_TRY(digested(begin + json));
  TensorSources tensors = sources_of(checkpoint.tensors);
  tensors.insert(tensors.end(), more.begin(), more.end());
  PLAIT_TRY(write_safetensors(tensors, digested));
  const Sha256::Digest digest = sha.digest();
  return writer({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

std::string encode(const Checkpoint& checkpoint) {
  std::string bytes;
  (void)write(checkpoint, {}, [&](std::string_view piece) {
    bytes += piece;
    return Status();
  });
  return bytes;
}

Result<Checkpoint> decode_checkpoint(const std::string& bytes, const std::string& place) {
  const std::string_view view(bytes);
  constexpr size_t kStart = kMagic.size() + sizeof(uint64_t);
  if (!view.starts_with(kMagic)) return not_of_this_format(view, place);
  if (view.size() < kStart + kDigestBytes ||
      digest_of(view.substr(0, view.size() - kDigestBytes)) != view.substr(view.size() - kDigestBytes)) {
    return Status(Code::kCorrupt, place + ": its digest does not match its content");
  }
  uint64_t size = 0;
  std::memcpy(&size, view.data() + kMagic.size(), sizeof size);
  const std::string_view body = view.substr(kStart, view.size() - kStart - kDigestBytes);
  if (size > body.size()) return Status(Code::kCorrupt, place + ": its header is longer than the file");
  Checkpoint checkpoint;
  PLAIT_TRY(check_json_bounds(body.substr(0, size)).at(place));
  std::string identity;
  try {
    const Json json = Json::parse(body.substr(0, size));
    from_json(json, checkpoint);
    identity = json.at("identity").get<std::string>();
  } catch (const nlohmann::json::exception&) {
    return Status(Code::kCorrupt, place + ": its header is not one that this program writes");
  }
  auto facts = decode_identity(identity);
  if (!facts) return facts.status().at(place);
  checkpoint.identity = std::move(facts).value();
  PLAIT_ASSIGN(checkpoint.tensors, from_safetensors(body.substr(size), place));
  return checkpoint;
}

NamedTensors tensors_below(const NamedTensors& tensors, const std::string& prefix) {
  NamedTensors found;
  for (const NamedTensor& tensor : tensors) {
    if (!tensor.name.starts_with(prefix)) continue;
    found.push_back({tensor.name.substr(prefix.size()), tensor.shape, tensor.values});
  }
  return found;
}

namespace {

// Those of a state of the reducer.
void put_reducer_state(const GatheredLayout& layout, const std::vector<float>& state,
                       const std::string& prefix, TensorSources& to) {
  for (const GatheredTensor& tensor : layout.tensors()) {
    const auto scratch = std::make_shared<std::vector<float>>();
    const uint64_t elements = layout.elements(tensor);
    to.push_back({prefix + tensor.name_in_files, layout.shape(tensor), elements,
                  [&layout, &tensor, &state, scratch, elements]() -> Result<std::span<const float>> {
                    scratch->resize(elements);
                    PLAIT_TRY(layout.unpack(tensor, state, scratch->data()));
                    return std::span<const float>(*scratch);
                  }});
  }
}

Status take_reducer_state(const GatheredLayout& layout, const NamedTensors& from, const std::string& prefix,
                          std::vector<float>& state) {
  std::ranges::fill(state, 0.0f);
  for (const GatheredTensor& tensor : layout.tensors()) {
    const auto found = std::ranges::find(from, prefix + tensor.name_in_files, &NamedTensor::name);
    if (found == from.end() || found->values.size() != layout.elements(tensor))
      return {Code::kCorrupt, "the checkpoint has no \"" + prefix + tensor.name_in_files + "\" of " +
                                  std::to_string(layout.elements(tensor)) + " elements"};
    PLAIT_TRY(layout.pack(tensor, found->values.data(), state));
  }
  return {};
}

}  // namespace

TensorSources put_state(const Plan& plan, const GatheredLayout& layout, const RoundState& state,
                        Checkpoint& checkpoint) {
  checkpoint.round = state.round;
  checkpoint.step = state.step;
  const auto scratch = std::make_shared<std::vector<float>>();
  TensorSources tensors = sources_of(plan, plain_weights_in(plan, state.weights, scratch), "weights/");
  const auto put = [&](const char* kind, const std::vector<HostArena>& slots) {
    for (size_t s = 0; s < slots.size(); ++s) {
      const TensorSources slot =
          sources_of(plan, plain_weights_in(plan, slots[s], scratch), slot_prefix(kind, s), true);
      tensors.insert(tensors.end(), slot.begin(), slot.end());
    }
  };
  put("slot", state.slots);
  put("outer", state.outer_slots);
  for (size_t s = 0; s < state.reducer_states.size(); ++s)
    put_reducer_state(layout, state.reducer_states[s], slot_prefix("reducer", s), tensors);
  return tensors;
}

Status take_state(const Plan& plan, const GatheredLayout& layout, const Checkpoint& checkpoint,
                  RoundState& state) {
  PLAIT_ASSIGN(const auto weights, take(checkpoint.tensors, "weights/", plan, false));
  PLAIT_TRY(plan.pack(weights, state.weights.data()));
  for (size_t s = 0; s < state.slots.size(); ++s) {
    PLAIT_ASSIGN(const auto slot, take(checkpoint.tensors, slot_prefix("slot", s), plan, true));
    PLAIT_TRY(store_slot(plan, slot, state.slots[s]));
  }
  for (size_t s = 0; s < state.outer_slots.size(); ++s) {
    PLAIT_ASSIGN(const auto slot, take(checkpoint.tensors, slot_prefix("outer", s), plan, true));
    PLAIT_TRY(store_slot(plan, slot, state.outer_slots[s]));
  }
  for (size_t s = 0; s < state.reducer_states.size(); ++s)
    PLAIT_TRY(
        take_reducer_state(layout, checkpoint.tensors, slot_prefix("reducer", s), state.reducer_states[s]));
  state.round = checkpoint.round;
  state.step = checkpoint.step;
  return {};
}

Result<std::vector<std::string>> CheckpointFolder::names() {
  if (!files_.exists(folder_)) return std::vector<std::string>();
  PLAIT_ASSIGN(std::vector<std::string> names, files_.list(folder_));
  std::erase_if(names, [](const std::string& name) { return !name.ends_with(kEnding); });
  return names;
}

bool CheckpointFolder::any() {
  const auto found = names();
  return found.is_ok() && !found->empty();
}

Result<std::string> CheckpointFolder::save(const Checkpoint& checkpoint, const TensorSources& more) {
  const std::string path = folder_ + "/" + name_of(checkpoint);
  PLAIT_TRY(files_.write_pieces_atomically(
      path, [&](const Files::Writer& writer) { return write(checkpoint, more, writer); }));
  if (checkpoint.is_beginning) return path;
  PLAIT_ASSIGN(std::vector<std::string> old, names());
  // Later ones were passed over when this run went on (damaged, say): they neither count nor go.
  std::erase_if(old, [&](const std::string& name) { return name > name_of(checkpoint); });
  const size_t keep = static_cast<size_t>(std::max(1, keep_)) + (checkpoint.only_at_end ? 1 : 0);
  for (size_t i = 0; i + keep < old.size(); ++i) PLAIT_TRY(files_.remove(folder_ + "/" + old[i]));
  return path;
}

Result<Checkpoint> CheckpointFolder::newest(const Unusable& unusable, std::vector<std::string>& passed_over) {
  PLAIT_ASSIGN(const std::vector<std::string> all, names());
  for (auto name = all.rbegin(); name != all.rend(); ++name) {
    const std::string path = folder_ + "/" + *name;
    auto bytes = files_.read(path);
    Result<Checkpoint> checkpoint =
        bytes ? decode_checkpoint(*bytes, path) : Result<Checkpoint>(bytes.status());
    const std::string why = checkpoint ? unusable(*checkpoint) : checkpoint.status().message();
    if (why.empty()) return checkpoint;
    passed_over.push_back(checkpoint ? path + ": " + why : why);
  }
  std::string reasons;
  for (const std::string& line : passed_over) reasons += "\n  " + line;
  return Status(Code::kNotFound, folder_ + ": no checkpoint to go on from" + reasons);
}

}  // namespace plait
