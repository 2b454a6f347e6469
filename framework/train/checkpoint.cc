#include "train/checkpoint.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "base/sha256.h"
#include "train/checkpoint_state.h"
#include "train/plain_weights.h"

namespace plait::inline train {
namespace {

constexpr std::string_view kMagic = "PLAITCK4", kFamily = "PLAITCK";
constexpr std::string_view kEnding = ".ckpt";
constexpr size_t kDigestBytes = sizeof(Sha256::Digest);

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
  const std::string state = encode_state(checkpoint);
  const uint64_t size = state.size();
  std::string begin(kMagic);
  begin.append(reinterpret_cast<const char*>(&size), sizeof size);
  PLAIT_TRY(digested(begin + state));
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
  if (size > body.size()) return Status(Code::kCorrupt, place + ": its state is longer than the file");
  auto state = decode_state(body.substr(0, size));
  if (!state) return state.status().at(place);
  Checkpoint checkpoint = std::move(state).value();
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

namespace {

// Of a run that had none before a person accepted one, it begins here.
Status take_average(const Plan& plan, const Checkpoint& checkpoint, RoundState& state) {
  if (state.average.size() == 0) return {};
  const auto is_of_average = [](const NamedTensor& tensor) { return tensor.name.starts_with("average/"); };
  if (std::ranges::none_of(checkpoint.tensors, is_of_average)) {
    std::copy_n(state.weights.data(), state.average.size(), state.average.data());
    return {};
  }
  PLAIT_ASSIGN(const auto average, take(checkpoint.tensors, "average/", plan, true));
  return store_slot(plan, average, state.average);
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
  if (state.average.size() > 0) {
    const TensorSources average =
        sources_of(plan, plain_weights_in(plan, state.average, scratch), "average/", true);
    tensors.insert(tensors.end(), average.begin(), average.end());
  }
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
  PLAIT_TRY(take_average(plan, checkpoint, state));
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

}  // namespace plait::inline train
