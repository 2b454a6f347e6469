#include "train/network_records.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "base/checked.h"
#include "pipeline/load.h"
#include "pipeline/stage_source.h"
#include "registry/parts.h"
#include "registry/shape_text.h"
#include "train/blocks.h"
#include "train/plain_weights.h"
#include "train/sample_order.h"

namespace plait::inline train {
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
  spec.variable_axis = spec.second_axis = -1;
  return spec;
}

// Of one record.
uint64_t row_bytes(const PartSpec& whole) {
  PartSpec row = whole;
  row.shape.erase(row.shape.begin());
  return byte_count(row);
}

// What a stage's network is given: the job's own records, or those of its source.
Job job_for(const Job& job, const StageSpec& stage) {
  Job own = job;
  if (stage.source && stage.network->on.empty()) own.test = stage.source;
  if (!stage.is_task() && !stage.preprocess.empty()) own.preprocess = stage.preprocess;
  return own;
}

bool has_own_reader(const StageSpec& stage) {
  return stage.network->on.empty() || (!stage.is_task() && !stage.preprocess.empty());
}

std::string set_of(const StageSpec& stage) { return stage.network->on.empty() ? "test" : stage.network->on; }

// Parts of the samples that the network reads, and where it is measured what it is held against.
std::vector<std::string> wanted_parts(const Job& job, const StageSpec& stage,
                                      const std::vector<PartSpec>& parts) {
  Job connected = stage.verb == Verb::kEvaluate ? job : job_up_to(job, stage.network->layers.back());
  std::vector<std::string> names, wanted;
  for (const PartSpec& part : parts) names.push_back(part.name);
  if (!connect_parts(connected, names)) return {};
  for (const LayerSpec& layer : connected.layers)
    for (const InputRef& input : layer.inputs) wanted.push_back(input.layer);
  for (const LossSpec& loss : connected.losses) {
    for (const InputRef& target : loss.targets) wanted.push_back(target.layer);
    if (loss.weights) wanted.push_back(loss.weights->layer);
  }
  for (const MetricSpec& metric : connected.metrics) wanted.push_back(metric.target.layer);
  std::erase_if(wanted,
                [&](const std::string& name) { return std::ranges::find(names, name) == names.end(); });
  return wanted;
}

Status check_own_parts(const Job& job, const StageSpec& stage, const std::vector<PartSpec>& own,
                       const std::vector<PartSpec>& trained) {
  for (const std::string& name : wanted_parts(job, stage, trained)) {
    const auto wanted = std::ranges::find(trained, name, &PartSpec::name);
    const auto got = std::ranges::find(own, name, &PartSpec::name);
    if (got != own.end() && *got == *wanted) continue;
    std::string all;
    for (const PartSpec& part : own) all += (all.empty() ? "" : ", ") + part_text(part);
    return {Code::kInvalid,
            error_at(
                stage.source ? stage.source.where : stage.where,
                fmt::format("stage \"{}\" gives the network {}, wanted {}, as the training records ({}) have "
                            "it",
                            stage.name, got == own.end() ? all : part_text(*got), part_text(*wanted),
                            job.source.where.place_text()))};
  }
  return {};
}

int64_t records_of(const JobData& data, const std::string& on) {
  return on == "test"    ? data.test().records()
         : on == "train" ? data.training_records()
                         : data.validation().records();
}

// What is written are outputs alone; a task may want to hold them against something.
std::vector<size_t> targets_of(const Job& job, const StageSpec& stage, const std::vector<PartSpec>& parts) {
  return stage.is_task() ? target_parts(job, parts) : std::vector<size_t>();
}

Status declare_layers(const Job& job, const StageSpec& stage, const std::vector<PartSpec>& parts,
                      int64_t records) {
  std::vector<PartSpec> arrays;
  uint64_t bytes = 0;
  const auto add = [&](PartSpec spec) {
    spec.shape.front() = records;
    bytes = sum_or_most(
        bytes, product_or_most(row_bytes(spec), static_cast<uint64_t>(std::max<int64_t>(0, records))));
    arrays.push_back(std::move(spec));
  };
  for (const std::string& name : stage.network->layers) {
    const Job cut = job_up_to(job, name);
    PLAIT_ASSIGN(const Network network, shape_network(cut, parts, 1));
    add(row_of(network.tensors[static_cast<size_t>(network.tensor(name))].spec, name));
  }
  for (const size_t part : targets_of(job, stage, parts)) {
    PartSpec spec = row_of(parts[part], parts[part].name);
    spec.shape.insert(spec.shape.begin(), 1);
    add(std::move(spec));
  }
  if (bytes > stage.memory_bytes)
    return {Code::kInvalid,
            error_at(stage.network->where,
                     fmt::format("the outputs for {} records take {} bytes, and the stage's memory allows {}",
                                 records, bytes, stage.memory_bytes))};
  stage.from_network->declare(arrays);
  return {};
}

void declare_values(const StageSpec& stage, const std::vector<ReportedValue>& reported) {
  std::vector<PartSpec> arrays;
  for (const ReportedValue& value : reported) arrays.push_back({value.name, PLAIT_F64, {}});
  stage.from_network->declare(arrays);
}

}  // namespace

// A stage's, from its opening on.
struct NetworkRecords::Use {
  const StageSpec* stage = nullptr;
  Job job;
  EvaluationSet opened;  // where it has a source or operators of its own
  int64_t records = 0;
};

// One layer's: it lives as long as the run, since it may be caught in a source.
struct NetworkRecords::Pass {
  Job job;
  // A task folds records, with their labels, whichever they are; a row that is written is of its own record.
  std::optional<EveryRecord> every;
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

NetworkRecords::NetworkRecords(const Registry& registry, const Job& job, const JobData& data,
                               std::vector<ReportedValue> reported, bool is_other)
    : registry_(registry),
      data_(data),
      reported_(std::move(reported)),
      is_other_(is_other),
      classes_(classes_of(data.training())) {
  for (const StageSpec& stage : job.stages) {
    if (!stage.network) continue;
    Use& use = *uses_.emplace_back(std::make_unique<Use>());
    use.stage = &stage;
    use.job = job_for(job, stage);
  }
}
NetworkRecords::~NetworkRecords() = default;

Status NetworkRecords::declare(const StageSpec& stage) {
  Use& use = use_of(stage);
  const std::vector<PartSpec>* parts = &data_.measured_parts();
  use.records = records_of(data_, set_of(stage));
  if (is_other_ || has_own_reader(stage)) {
    PLAIT_ASSIGN(use.opened, open_set(registry_, use.job, set_of(stage), nullptr));
    PLAIT_TRY(check_own_parts(use.job, stage, use.opened.reader->parts(), *parts));
    use.records = use.opened.records();
    parts = &use.opened.reader->parts();
  }
  if (waits_for_records(source_of_set(use.job, set_of(stage)))) use.records = -1;
  return declare_arrays(use, *parts);
}

Status NetworkRecords::declare_arrays(const Use& use, const std::vector<PartSpec>& parts) const {
  if (use.stage->verb != Verb::kEvaluate) return declare_layers(use.job, *use.stage, parts, use.records);
  declare_values(*use.stage, reported_);
  return {};
}

std::vector<PlacedReader> NetworkRecords::readers() const {
  std::vector<PlacedReader> readers;
  for (const auto& use : uses_)
    if (use->stage->source && use->opened.reader != nullptr)
      readers.push_back({"stage[" + use->stage->name + "].source", use->opened.reader});
  return readers;
}

NetworkRecords::Use& NetworkRecords::use_of(const StageSpec& stage) const {
  return **std::ranges::find_if(uses_, [&](const auto& use) { return use->stage == &stage; });
}
int64_t NetworkRecords::records(const StageSpec& stage) const { return use_of(stage).records; }

Result<int64_t> NetworkRecords::make(RunContext& run, const StageSpec& stage, const NamedTensors& weights,
                                     const Fits& fits) {
  Use& use = use_of(stage);
  const Fits* known = &fits_.emplace_back(fits);
  if (!stage.is_task() && !stage.preprocess.empty()) {
    PLAIT_ASSIGN(fits_.back(),
                 found_.emplace_back().find(use.job, {run.registry, run.transport, run.work, run.threads}));
  }
  EvaluationSet& set = sets_.emplace_back();
  PLAIT_TRY(run.work.run([&]() -> Status {
    PLAIT_ASSIGN(set, open_set(run.registry, use.job, set_of(stage), known, &run.work.cancelled()));
    return {};
  }));
  if (use.records < 0) {
    use.records = set.records();
    PLAIT_TRY(declare_arrays(use, set.reader->parts()));
  }
  return stage.verb == Verb::kEvaluate ? measure(run, use, set, weights)
                                       : keep_layers(run, use, set, weights);
}

Result<int64_t> NetworkRecords::measure(RunContext& run, const Use& use, const EvaluationSet& set,
                                        const NamedTensors& weights) {
  const StageSpec& stage = *use.stage;
  const BlockParts parts{
      &run.registry,          &use.job,    &run.device, set.reader, set.order.get(), set.records(),
      use.job.evaluate.batch, run.threads, &run.work,   false,      classes_};
  PLAIT_ASSIGN(auto made, Evaluator::create(parts, run.transport));
  Evaluator& evaluator = *evaluators_.emplace_back(std::move(made));
  PLAIT_ASSIGN(const auto plain,
               plain_of(weights, evaluator.plan().network(), "stage \"" + stage.name + "\""));
  PLAIT_ASSIGN(const NamedValues values, evaluator.run(plain_weights_of(plain), run.transport));
  std::vector<StageArrays::Array> arrays;
  for (const auto& [name, value] : values) {
    StageArrays::Array& array = arrays.emplace_back();
    array.spec = {name, PLAIT_F64, {}};
    array.bytes.resize(sizeof value);
    std::memcpy(array.bytes.data(), &value, sizeof value);
  }
  PLAIT_TRY(stage.from_network->set(std::move(arrays)));
  return evaluator.bytes_shuffled();
}

Result<int64_t> NetworkRecords::keep_layers(RunContext& run, const Use& use, const EvaluationSet& set,
                                            const NamedTensors& weights) {
  const StageSpec& stage = *use.stage;
  std::vector<StageArrays::Array> made;
  for (const StageArrays::Array& array : stage.from_network->arrays()) made.push_back({array.spec, {}});
  const std::vector<std::string>& layers = stage.network->layers;
  int64_t shuffled = 0;
  for (size_t number = 0; number < layers.size(); ++number) {
    Pass& pass = *passes_.emplace_back(std::make_unique<Pass>());
    pass.job = job_up_to(use.job, layers[number]);
    const SampleOrder* order = set.order.get();
    if (!stage.is_task()) order = &pass.every.emplace(*order);
    BlockParts parts{&run.registry,          &pass.job,   &run.device, set.reader, order, set.records(),
                     use.job.evaluate.batch, run.threads, &run.work,   true};
    PLAIT_ASSIGN(pass.blocks, Blocks::create(parts, run.transport.rank(), run.transport.size()));
    const Network& network = pass.blocks->plan().network();
    pass.tensor = network.tensor(layers[number]);
    PLAIT_ASSIGN(pass.plain, plain_of(weights, network, "stage \"" + stage.name + "\""));
    if (number == 0) pass.parts = targets_of(use.job, stage, set.reader->parts());
    for (size_t i = 0; i < 1 + pass.parts.size(); ++i) {
      const PartSpec& spec = made[i == 0 ? number : layers.size() + i - 1].spec;
      pass.rows.push_back(row_bytes(spec));
      pass.arrays.emplace_back((byte_count(spec) + sizeof(int64_t) - 1) / sizeof(int64_t));
    }
    PLAIT_TRY(pass.blocks->run(plain_weights_of(pass.plain),
                               {[&pass](const BlockView& view) { return pass.keep(view); },
                                [&run, &pass] { return pass.share(run.transport); }}));
    for (size_t i = 0; i < pass.arrays.size(); ++i) {
      if (run.transport.size() > 1)
        shuffled += run.transport.size() * static_cast<int64_t>(pass.arrays[i].size() * sizeof(int64_t));
      StageArrays::Array& array = made[i == 0 ? number : layers.size() + i - 1];
      const auto* bytes = reinterpret_cast<const std::byte*>(pass.arrays[i].data());
      array.bytes.assign(bytes, bytes + byte_count(array.spec));
    }
    pass.arrays.clear();
  }
  PLAIT_TRY(stage.from_network->set(std::move(made)));
  return shuffled;
}

}  // namespace plait::inline train
