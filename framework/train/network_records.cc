#include "train/network_records.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "pipeline/load.h"
#include "registry/parts.h"
#include "registry/shape_text.h"
#include "train/blocks.h"
#include "train/plain_weights.h"

namespace plait {
namespace {

// The layers that `name` is computed from, itself the last, whose output nobody reads: so it is kept.
Job job_up_to(const Job& job, const std::string& name) {
  Job cut = job;
  cut.losses.clear();
  cut.metrics.clear();
  cut.layers.clear();
  std::vector<std::string> wanted = {name};
  for (size_t i = 0; i < wanted.size(); ++i) {
    for (const LayerSpec& layer : job.layers) {
      if (layer.name != wanted[i]) continue;
      for (const InputRef& input : layer.inputs) wanted.push_back(input.layer);
      if (!layer.shares.empty()) wanted.push_back(layer.shares);
    }
  }
  for (const LayerSpec& layer : job.layers)
    if (layer.name != name && std::ranges::find(wanted, layer.name) != wanted.end())
      cut.layers.push_back(layer);
  for (const LayerSpec& layer : job.layers)
    if (layer.name == name) cut.layers.push_back(layer);
  return cut;
}

// Numbers of the parts that a loss or a metric looks at.
std::vector<size_t> target_parts(const Job& job, const std::vector<PartSpec>& parts) {
  Job connected = job;
  std::vector<std::string> names;
  for (const PartSpec& part : parts) names.push_back(part.name);
  if (!connect_parts(connected, names)) return {};
  std::vector<std::string> targets;
  for (const LossSpec& loss : connected.losses)
    for (const InputRef& target : loss.targets) targets.push_back(target.layer);
  for (const MetricSpec& metric : connected.metrics) targets.push_back(metric.target.layer);
  std::vector<size_t> found;
  for (size_t i = 0; i < parts.size(); ++i)
    if (std::ranges::find(targets, parts[i].name) != targets.end()) found.push_back(i);
  return found;
}

PartSpec row_of(PartSpec spec, const std::string& name) {
  spec.name = name;
  spec.variable_axis = -1;
  return spec;
}

// Of one record.
uint64_t row_bytes(const PartSpec& whole) {
  PartSpec row = whole;
  row.shape.erase(row.shape.begin());
  return byte_count(row);
}

}  // namespace

Status declare_network_records(const Job& job, const StageSpec& stage, const std::vector<PartSpec>& parts,
                               int64_t records) {
  std::vector<PartSpec> arrays;
  uint64_t bytes = 0;
  const auto add = [&](PartSpec spec) {
    spec.shape.front() = records;
    bytes += row_bytes(spec) * static_cast<uint64_t>(records);
    arrays.push_back(std::move(spec));
  };
  for (const std::string& name : stage.network->layers) {
    const Job cut = job_up_to(job, name);
    PLAIT_ASSIGN(const Network network, shape_network(cut, parts, 1));
    add(row_of(network.tensors[static_cast<size_t>(network.tensor(name))].spec, name));
  }
  for (const size_t part : target_parts(job, parts)) {
    PartSpec spec = row_of(parts[part], parts[part].name);
    spec.shape.insert(spec.shape.begin(), 1);
    add(std::move(spec));
  }
  if (bytes > stage.memory_bytes)
    return {Code::kInvalid,
            error_at(stage.network->where,
                     fmt::format("the outputs for {} records take {} bytes, and the stage's memory allows {}",
                                 records, bytes, stage.memory_bytes))};
  stage.from_stage->declare(arrays);
  return {};
}

// One layer's: it lives as long as the run, since it may be caught in a source.
struct NetworkRecords::Pass {
  Job job;
  std::unique_ptr<Blocks> blocks;
  std::vector<std::vector<float>> plain;
  int tensor = -1;
  std::vector<size_t> parts;                 // taken along
  std::vector<std::vector<int64_t>> arrays;  // of the layer, then of the parts; all 0 where others computed
  std::vector<uint64_t> rows;                // bytes of a row of each

  Status keep(const BlockView& view) {
    PLAIT_TRY(copy(view, 0, view.replica.tensor(tensor)));
    for (size_t i = 0; i < parts.size(); ++i) PLAIT_TRY(copy(view, i + 1, view.batch.parts[parts[i]]));
    return view.stream.synchronize();
  }
  // Blocks write to places of their own.
  Status copy(const BlockView& view, size_t array, const void* from) {
    auto* to = reinterpret_cast<std::byte*>(arrays[array].data());
    to += static_cast<uint64_t>(view.first_record) * rows[array];
    return view.stream.copy_out(to, from, static_cast<uint64_t>(view.count) * rows[array]);
  }
  // Every element is of one rank, and 0 on all others.
  Status share(Transport& transport) {
    for (std::vector<int64_t>& array : arrays) PLAIT_TRY(transport.all_reduce_sum(std::span(array)));
    return {};
  }
};

NetworkRecords::NetworkRecords(RunContext& run, const Job& job, Fits fits)
    : run_(run), job_(job), fits_(std::move(fits)) {}
NetworkRecords::~NetworkRecords() = default;

Status NetworkRecords::make(const StageSpec& stage, const NamedTensors& weights) {
  EvaluationSet& set = *sets_.emplace_back(std::make_unique<EvaluationSet>());
  PLAIT_TRY(run_.work.run([&]() -> Status {
    PLAIT_ASSIGN(set, open_set(run_.registry, job_, stage.network->on, fits_, &run_.work.cancelled()));
    return {};
  }));
  std::vector<StageArrays::Array> made;
  for (const StageArrays::Array& array : stage.from_stage->arrays()) made.push_back({array.spec, {}});
  const std::vector<std::string>& layers = stage.network->layers;
  for (size_t number = 0; number < layers.size(); ++number) {
    Pass& pass = *passes_.emplace_back(std::make_unique<Pass>());
    pass.job = job_up_to(job_, layers[number]);
    BlockParts parts{&run_.registry, &pass.job,           &run_.device, set.reader, set.order.get(),
                     set.records(),  job_.evaluate.batch, run_.threads, &run_.work, true};
    PLAIT_ASSIGN(pass.blocks, Blocks::create(parts, run_.transport.rank(), run_.transport.size()));
    const Network& network = pass.blocks->plan().network();
    pass.tensor = network.tensor(layers[number]);
    PLAIT_ASSIGN(pass.plain, plain_of(weights, network, "stage \"" + stage.name + "\""));
    if (number == 0) pass.parts = target_parts(job_, set.reader->parts());
    for (size_t i = 0; i < 1 + pass.parts.size(); ++i) {
      const PartSpec& spec = made[i == 0 ? number : layers.size() + i - 1].spec;
      pass.rows.push_back(row_bytes(spec));
      pass.arrays.emplace_back((byte_count(spec) + sizeof(int64_t) - 1) / sizeof(int64_t));
    }
    PLAIT_TRY(pass.blocks->run(plain_weights_of(pass.plain),
                               {[&pass](const BlockView& view) { return pass.keep(view); },
                                [this, &pass] { return pass.share(run_.transport); }}));
    for (size_t i = 0; i < pass.arrays.size(); ++i) {
      StageArrays::Array& array = made[i == 0 ? number : layers.size() + i - 1];
      const auto* bytes = reinterpret_cast<const std::byte*>(pass.arrays[i].data());
      array.bytes.assign(bytes, bytes + byte_count(array.spec));
    }
    pass.arrays.clear();
  }
  return stage.from_stage->set(std::move(made));
}

}  // namespace plait
