#include "train/encoder.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>
#include <set>

#include "graph/sample_chain.h"
#include "pipeline/load.h"
#include "registry/shape_text.h"
#include "train/blocks.h"
#include "train/plain_weights.h"
#include "train/ranks.h"

namespace plait::inline train {
namespace {

// Of a file's pieces. Units: bytes
constexpr uint64_t kPiece = uint64_t{64} << 20;

using Names = std::set<std::string>;

bool shares(const Job& job, const LayerSpec& layer) {
  return !layer.shares.empty() ||
         std::ranges::any_of(job.layers, [&](const LayerSpec& other) { return other.shares == layer.name; });
}

// Frozen layers that read nothing else but samples and each other. Layers come after those that they read
// wherever a pretrainer's do; one that does not is left to the rest.
Names frozen_head(const Job& job) {
  Names all, head;
  for (const LayerSpec& layer : job.layers) all.insert(layer.name);
  for (const LayerSpec& layer : job.layers) {
    const bool is_head =
        layer.frozen && !shares(job, layer) && std::ranges::all_of(layer.inputs, [&](const InputRef& input) {
          return all.count(input.layer) == 0 || (head.count(input.layer) != 0 && input.output == 0);
        });
    if (is_head) head.insert(layer.name);
  }
  return head;
}

// What the layers after the head, the losses and the metrics read.
std::vector<InputRef> read_by_rest(const Job& job, const Names& head) {
  std::vector<InputRef> all;
  for (const LayerSpec& layer : job.layers)
    if (head.count(layer.name) == 0) all.insert(all.end(), layer.inputs.begin(), layer.inputs.end());
  for (const LossSpec& loss : job.losses) {
    all.insert(all.end(), loss.inputs.begin(), loss.inputs.end());
    all.insert(all.end(), loss.targets.begin(), loss.targets.end());
    if (loss.weights) all.push_back(*loss.weights);
  }
  for (const MetricSpec& metric : job.metrics) all.push_back(metric.input), all.push_back(metric.target);
  return all;
}

bool knows(const NamedTensors& network, const std::string& layer) {
  return std::ranges::any_of(network,
                             [&](const NamedTensor& tensor) { return tensor.name.starts_with(layer + "."); });
}

// A layer under a name of its own begins otherwise.
bool has_all(const NamedTensors& tensors, const Network& network) {
  return std::ranges::all_of(network.parameters, [&](const ParameterInfo& info) {
    const auto found = std::ranges::find(tensors, info.name, &NamedTensor::name);
    return found != tensors.end() && found->shape == info.shape;
  });
}

// The head alone, with one layer of it last, whose output nobody reads: so it is kept.
Job head_up_to(const Job& job, const std::string& name) {
  Job cut = job;
  cut.losses.clear();
  cut.metrics.clear();
  cut.layers.clear();
  Names wanted = {name};
  for (auto layer = job.layers.rbegin(); layer != job.layers.rend(); ++layer) {
    if (wanted.count(layer->name) == 0) continue;
    for (const InputRef& input : layer->inputs) wanted.insert(input.layer);
    cut.layers.insert(cut.layers.begin(), *layer);
  }
  return cut;
}

// Records [first, first + count) of a source, in their order; past the end the last one again, which fills
// a batch.
class StretchOrder final : public SampleOrder {
 public:
  StretchOrder(int64_t first, int64_t count) : first_(first), last_(first + count - 1) {}
  SampleRef sample(int64_t position) const override {
    const int64_t record = std::min(first_ + position, last_);
    return {record, 0, static_cast<uint64_t>(record)};
  }
  // Any: what is made of it is thrown away.
  SampleRef replacement(const SampleRef& bad, int attempt) const override {
    const int64_t count = last_ - first_ + 1;
    const int64_t record = first_ + (bad.record - first_ + attempt) % count;
    return {record, 0, static_cast<uint64_t>(record)};
  }

 private:
  const int64_t first_, last_;
};

}  // namespace

// One layer's over a stretch: it lives as long as the run, since it may be caught in a source.
struct Encoder::Pass {
  Job job;
  std::unique_ptr<StretchOrder> order;
  std::unique_ptr<Blocks> blocks;
  std::vector<std::vector<float>> plain;
  int tensor = -1;
  std::vector<size_t> parts;                 // of the samples, taken along
  std::vector<uint64_t> rows;                // bytes of a row of the layer, then of the parts
  std::vector<std::vector<int64_t>> arrays;  // of each; all 0 where others computed

  void make_arrays(int64_t records) {
    for (const uint64_t row : rows)
      arrays.emplace_back((row * static_cast<uint64_t>(records) + sizeof(int64_t) - 1) / sizeof(int64_t));
  }
  Status take(const BlockView& view) {
    PLAIT_TRY(copy(view, 0, view.replica.tensor(tensor)));
    for (size_t i = 0; i < parts.size(); ++i) PLAIT_TRY(copy(view, i + 1, view.batch.parts[parts[i]]));
    return view.stream.synchronize();
  }
  Status copy(const BlockView& view, size_t array, const void* from) {
    auto* to = reinterpret_cast<std::byte*>(arrays[array].data());
    to += static_cast<uint64_t>(view.first_record) * rows[array];
    return view.stream.copy_out(to, from, static_cast<uint64_t>(view.count) * rows[array]);
  }
  Status share(Transport& transport) {
    for (std::vector<int64_t>& array : arrays) PLAIT_TRY(transport.all_reduce_sum(std::span(array)));
    return {};
  }
  std::span<const std::byte> bytes(size_t array) const {
    return std::as_bytes(std::span<const int64_t>(arrays[array]));
  }
};

Encoder::Encoder(const Job& stage) : stage_(stage) {}
Encoder::~Encoder() = default;

std::unique_ptr<Encoder> Encoder::find(const Job& stage, const NamedTensors& network) {
  if (stage.train.encoder_memory_bytes == 0 || !stage.augment.empty()) return nullptr;
  const Names head = frozen_head(stage);
  std::unique_ptr<Encoder> encoder(new Encoder(stage));
  bool has_weights = false;
  for (const std::string& name : head) has_weights |= knows(network, name);
  if (!has_weights) return nullptr;
  for (const InputRef& input : read_by_rest(stage, head)) {
    const bool is_head = head.count(input.layer) != 0;
    if (is_head && input.output != 0) return nullptr;
    auto& into = is_head ? encoder->layers_ : encoder->wanted_;
    const bool is_layer = !is_head && std::ranges::any_of(stage.layers, [&](const LayerSpec& one) {
      return one.name == input.layer;
    });
    if (!is_layer && std::ranges::find(into, input.layer) == into.end()) into.push_back(input.layer);
  }
  if (encoder->layers_.empty()) return nullptr;
  encoder->rest_ = stage;
  std::erase_if(encoder->rest_.layers, [&](const LayerSpec& layer) { return head.count(layer.name) != 0; });
  encoder->rest_.preprocess.clear();
  encoder->info_.stage = stage.name;
  encoder->info_.layers = encoder->layers_;
  return encoder;
}

Result<bool> Encoder::compute(RunContext& run, const NamedTensors& network) {
  const Clock::Nanoseconds begin = run.clock.now();
  PLAIT_ASSIGN(fits_, found_.find(stage_, {run.registry, run.transport, run.work, run.threads}));
  PLAIT_ASSIGN(bool is_kept, keep(run, network, stage_.source, rest_.source));
  if (is_kept && stage_.validation) {
    PLAIT_ASSIGN(is_kept, keep(run, network, stage_.validation, rest_.validation));
  }
  rest_.test = {};
  info_.seconds = seconds_of(run.clock.now() - begin);
  return is_kept;
}

// A row's: of the layers, then the samples' own.
Result<std::vector<PartSpec>> Encoder::parts_of(const SampleReader& reader) const {
  std::vector<PartSpec> parts;
  for (const std::string& name : layers_) {
    PLAIT_ASSIGN(const Network network, shape_network(head_up_to(stage_, name), reader.parts(), 1));
    PartSpec spec = network.tensors[static_cast<size_t>(network.tensor(name))].spec;
    spec.name = name;
    spec.shape.erase(spec.shape.begin());
    if (spec.variable_axis >= 0) --spec.variable_axis;
    if (spec.second_axis >= 0) --spec.second_axis;
    parts.push_back(std::move(spec));
  }
  for (const PartSpec& part : reader.parts())
    if (std::ranges::find(wanted_, part.name) != wanted_.end()) parts.push_back(part);
  return parts;
}

Result<bool> Encoder::keep(RunContext& run, const NamedTensors& network, const PluginSpec& source,
                           PluginSpec& into) {
  EvaluationSet& set = *sets_.emplace_back(std::make_unique<EvaluationSet>());
  Job job = stage_;
  job.test = source;
  PLAIT_TRY(run.work.run([&]() -> Status {
    PLAIT_ASSIGN(set, open_set(run.registry, job, "test", &fits_));
    return {};
  }));
  const auto whole_batches = [](const ChainOperator& op) { return op.whole_batches; };
  if (std::ranges::any_of(set.reader->chain().operators(), whole_batches)) return false;
  PLAIT_ASSIGN(std::vector<PartSpec> parts, parts_of(*set.reader));
  if (std::ranges::any_of(parts, [](const PartSpec& part) { return part.variable_axis >= 0; })) return false;
  uint64_t row = 0;
  for (const PartSpec& part : parts) row += byte_count(part);
  const auto records = static_cast<uint64_t>(set.records());
  const bool in_file = row * records > stage_.train.encoder_memory_bytes;
  KeptRecords& kept = *kept_.emplace_back(
      std::make_unique<KeptRecords>(std::move(parts), set.reader->classes(), in_file, source.where));
  const auto batch = static_cast<uint64_t>(stage_.train.batch);
  const uint64_t piece =
      std::max<uint64_t>(1, std::min(kPiece, stage_.train.encoder_memory_bytes) / (row * batch));
  const auto stretch = static_cast<int64_t>(in_file ? piece * batch : records);
  for (int64_t first = 0; first < set.records(); first += stretch) {
    const int64_t count = std::min(stretch, set.records() - first);
    PLAIT_ASSIGN(const bool is_good, keep_stretch(run, network, set, first, count, kept));
    if (!is_good) return false;
  }
  info_.records += set.records();
  info_.bytes += static_cast<int64_t>(row * records);
  info_.in_file |= in_file;
  into = kept.spec();
  return true;
}

// In whole batches of the stage's size: a plan of another could round otherwise.
Result<bool> Encoder::keep_stretch(RunContext& run, const NamedTensors& network, const EvaluationSet& set,
                                   int64_t first, int64_t count, KeptRecords& into) {
  const int batch = stage_.train.batch;
  const int64_t filled = (count + batch - 1) / batch * batch;
  std::vector<std::span<const std::byte>> arrays;
  const size_t before = passes_.size();
  for (size_t number = 0; number < layers_.size(); ++number) {
    Pass& pass = *passes_.emplace_back(std::make_unique<Pass>());
    pass.job = head_up_to(stage_, layers_[number]);
    pass.order = std::make_unique<StretchOrder>(first, count);
    const BlockParts parts{&run.registry, &pass.job, &run.device, set.reader, pass.order.get(),
                           filled,        batch,     run.threads, &run.work,  true};
    PLAIT_ASSIGN(pass.blocks, Blocks::create(parts, run.transport.rank(), run.transport.size()));
    const Network& head = pass.blocks->plan().network();
    if (!has_all(network, head)) return false;
    pass.tensor = head.tensor(layers_[number]);
    PLAIT_ASSIGN(pass.plain, plain_of(network, head, "pretraining \"" + stage_.name + "\""));
    PartSpec output = head.tensors[static_cast<size_t>(pass.tensor)].spec;
    output.shape.front() = 1;
    pass.rows.push_back(byte_count(output));
    for (size_t i = 0; number == 0 && i < set.reader->parts().size(); ++i) {
      const PartSpec& part = set.reader->parts()[i];
      if (std::ranges::find(wanted_, part.name) == wanted_.end()) continue;
      pass.parts.push_back(i);
      pass.rows.push_back(byte_count(part));
    }
    pass.make_arrays(filled);
    PLAIT_TRY(pass.blocks->run(plain_weights_of(pass.plain),
                               {[&pass](const BlockView& view) { return pass.take(view); },
                                [&run, &pass] { return pass.share(run.transport); }}));
    PLAIT_ASSIGN(const std::string bad,
                 first_text(run.transport, set.reader->first_bad() ? "" : set.reader->first_bad().message()));
    if (!bad.empty()) return false;
  }
  for (size_t i = before; i < passes_.size(); ++i) arrays.push_back(passes_[i]->bytes(0));
  for (size_t i = 1; i < passes_[before]->rows.size(); ++i) arrays.push_back(passes_[before]->bytes(i));
  PLAIT_TRY(into.append(arrays, count));
  passes_.resize(before);  // nobody is caught in what has ended well
  return true;
}

}  // namespace plait::inline train
