// Pretrainers at work: a network for which they build stages.
#pragma once
#include <plait/pretrain_task.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "plan/network_view.h"
#include "verify/benches/samples.h"

namespace plait::inline verify {

// A chain of layers that exist, [N, 12] to [N, 4], chosen by asking all of them.
struct ToyNetwork {
  Job job;
  Network network;
};

// Fails with: skipped, when no layer is loaded of which a network could be made. Lives as long as the
// process.
Result<const ToyNetwork*> toy_network(Trial& trial);

using Stages = std::vector<std::pair<std::string, std::string>>;  // title, text
// Fails with: kCorrupt when the stages break the law; else what next_stage reports.
Result<Stages> all_stages(const Registry& registry, const Instance& pretrainer, const ToyNetwork& toy,
                          CallContext& context);

// A builder that takes everything and keeps nothing.
plait_stage_builder no_stage_builder();
// The same of stages that run tasks: what get_extension answers beside it.
const plait_pretrain_task* no_stage_tasks();

}  // namespace plait::inline verify
