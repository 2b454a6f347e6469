// The list of the tables of laws.
#include "verify/engine/law.h"

#include <algorithm>
#include <map>

namespace plait::inline verify {
namespace {

using Table = std::vector<Law> (*)();

std::vector<Law> collect() {
  std::vector<Table> tables = {library_laws, type_laws, tried_laws, range_laws, work_laws, process_laws};
#define PLAIT_KIND_LAWS(kind, Name, ops) tables.push_back(kind##_laws);
  PLAIT_KINDS(PLAIT_KIND_LAWS)
#undef PLAIT_KIND_LAWS
  for (const Table more : {augmenter_large_laws, augmenter_extent_laws, accumulator_laws, whole_reducer_laws,
                           key_reducer_laws, damage_laws, large_laws, stage_laws, cost_laws, device_sum_laws,
                           metric_on_device_laws, augmenter_on_device_laws})
    tables.push_back(more);
  std::vector<Law> all;
  for (const Table table : tables)
    for (const Law& law : table()) all.push_back(law);
  // The laws of a kind are together, in the order of the tables.
  std::map<std::string, size_t> first;
  for (size_t i = 0; i < all.size(); ++i) first.emplace(all[i].kind, i);
  std::stable_sort(all.begin(), all.end(),
                   [&](const Law& a, const Law& b) { return first[a.kind] < first[b.kind]; });
  return all;
}

}  // namespace

std::vector<Law> layer_laws() {
  std::vector<Law> all;
  for (const Table part :
       {layer_memory_laws, layer_mode_laws, layer_trait_laws, layer_gradient_laws, layer_bits_laws,
        layer_batch_laws, layer_form_laws, layer_epilogue_laws, layer_extent_laws, layer_fault_laws,
        layer_half_laws, layer_bf16_laws, layer_int8_laws})
    for (const Law& law : part()) all.push_back(law);
  return all;
}

const std::vector<Law>& all_laws() {
  static const std::vector<Law> laws = collect();
  return laws;
}

// No plugin's failure becomes kPeer: nobody here has peers.
Status skipped(std::string why) { return {Code::kPeer, std::move(why)}; }
bool is_skipped(const Status& status) { return status.code() == Code::kPeer; }
bool is_silent(const Status& status) { return status.message().find("gave no reason") != std::string::npos; }
bool is_refusal(const Status& status) {
  return !status && status.code() != Code::kPlugin && status.code() != Code::kStopped;
}
Status broken(std::string what) { return {Code::kInvalid, std::move(what)}; }

}  // namespace plait::inline verify
