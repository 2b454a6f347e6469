// Pretrainers at work: a network for which they emit stages.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "verify/samples.h"

namespace plait {

// A chain of layers that exist: a type that takes [N, C] and has parameters, chosen by asking all of them.
struct ToyNetwork {
  std::string type_id;
  std::vector<std::string> names, texts;
  std::vector<plait_tensor_spec> inputs, outputs;
  std::vector<const char*> reads;
  std::vector<plait_network_layer> layers;
  std::vector<const plait_network_layer*> pointers;
};

// Fails with: skipped, when no layer is loaded of which a network could be made. Lives as long as the
// process.
Result<const ToyNetwork*> toy_network(Trial& trial);

plait_pretrain_request request_for(const ToyNetwork& toy, uint32_t stage);

using Stages = std::vector<std::pair<std::string, std::string>>;  // title, text
// Fails with: kCorrupt when the stages break the law; else what next_stage reports.
Result<Stages> all_stages(const Instance& pretrainer, const ToyNetwork& toy, CallContext& context);

}  // namespace plait
