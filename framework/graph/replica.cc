#include "graph/replica.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/one_nan.h"
#include "graph/arena.h"
#include "graph/loss_node.h"
#include "graph/node_list.h"
#include "graph/node_order.h"
#include "graph/recorded_step.h"
#include "graph/replica_memory.h"
#include "graph/step_graph.h"

namespace plait::inline graph {

// Built in the order of its members and taken apart in the opposite one.
struct Replica::Body {
  Body(const Plan& used_plan, const Options& used_options)
      : plan(used_plan), options(used_options), lanes(used_plan.options().lanes) {}

  struct Losses {  // each per loss
    explicit Losses(size_t count) : means(count), sums(count), counts(count) {}
    std::vector<double> means;  // times the samples of the result
    std::vector<double> sums, counts;
  };

  Status build(Device& device);
  void run_node(size_t number);
  Result<StepResult> run_step(const Batch& batch, const StepKey& of_step);
  Status run_graph(const Batch& batch);
  Status run_recorded(const Batch& batch);
  void make_recorded();
  Status second_gradient(const Batch& batch);
  Status update(const StepKey& of_step, double loss);
  Status run_in_turn(const std::vector<Node*>& some);
  Status failure() const;
  Result<StepResult> read_losses(const Batch& batch);
  static void tell(const Losses& from, StepResult& result);
  Status check(const ReplicaMemory::LossReport& report, const HeadInfo& head, const Batch& batch) const;
  std::string target_text(const plait_tensor& target, int64_t place) const;
  void keep_trace(const std::vector<Node*>& some);

  const Plan& plan;
  const Options options;
  Lanes lanes;
  std::unique_ptr<Stream> stream;
  std::unique_ptr<ReplicaMemory> memory;
  std::unique_ptr<NodeList> nodes;
  std::unique_ptr<StepGraph> graph;
  std::unique_ptr<RecordedStep> recorded;           // null: the graph runs every step
  std::vector<Node*> gradient_nodes, update_nodes;  // of a recorded step

  // Of the step that runs.
  StepKey key;
  static constexpr size_t kNone = std::numeric_limits<size_t>::max();
  std::atomic<size_t> first_failed{kNone};
  std::vector<Status> statuses;                                             // per node
  Losses losses{plan.losses().size()}, first_losses{plan.losses().size()};  // those of a first gradient
  std::vector<TraceEvent> events;
};

Status Replica::Body::build(Device& device) {
  PLAIT_ASSIGN(stream, Stream::create(device, plan.options().lanes, parallel_pieces, options.cancelled));
  const OptimizerInstance* optimizer = plan.options().training ? options.optimizer : nullptr;
  const ReplicaMemory* shared = options.share_with ? options.share_with->body_->memory.get() : nullptr;
  PLAIT_ASSIGN(memory, ReplicaMemory::create(plan, *stream, optimizer, shared, options.weights_at));
  const NodeSetup setup{stream.get(), plan.options().lanes, options.cancelled,
                        options.trace || options.profile};
  PLAIT_ASSIGN(nodes, make_nodes(plan, *memory, optimizer, setup, options.updates_apart));
  statuses.resize(nodes->order.size());
  std::vector<std::vector<MemoryUse>> uses;
  for (const Node* node : nodes->order) uses.push_back(node->uses());
  const bool serial = plan.options().lanes == 1 || !device.host_memory();
  graph =
      std::make_unique<StepGraph>(lanes, uses.size(), serial ? serial_order(uses.size()) : memory_order(uses),
                                  [this](size_t number) { run_node(number); });
  if (!setup.timed) make_recorded();
  return {};
}

// The report goes with the gradients; updates follow them, whose numbers a schedule may change.
void Replica::Body::make_recorded() {
  for (Node* node : nodes->order) (node->updates() ? update_nodes : gradient_nodes).push_back(node);
  recorded = RecordedStep::create(plan, *stream, *nodes, [this]() -> Status {
    PLAIT_TRY(run_in_turn(gradient_nodes));
    return memory->fetch_reports();
  });
}

Status Replica::Body::run_recorded(const Batch& batch) {
  memory->use(batch);
  Status done = recorded->run(batch);
  if (done) done = run_in_turn(update_nodes);
  if (done && options.meanwhile) options.meanwhile();
  const Status settled = stream->synchronize();
  return done ? settled : done;
}

// Nodes after a failed one (in the order of one thread) do nothing; nodes before it run, so that the failure
// that is told does not depend on which thread was faster.
void Replica::Body::run_node(size_t number) {
  if (first_failed.load(std::memory_order_relaxed) < number) return;
  const bool cancelled = options.cancelled != nullptr && options.cancelled->load(std::memory_order_relaxed);
  if (!cancelled) {
    Status status = nodes->order[number]->run(key);
    if (status) return;
    statuses[number] = std::move(status);
  }
  size_t first = first_failed.load();
  while (number < first && !first_failed.compare_exchange_weak(first, number)) {
  }
}

Status Replica::Body::failure() const {
  if (options.cancelled != nullptr && options.cancelled->load())
    return {Code::kStopped, "the step was cancelled"};
  return statuses[first_failed];
}

Result<StepResult> Replica::Body::run_step(const Batch& batch, const StepKey& of_step) {
  key = of_step;
  if (!nodes->move.empty()) PLAIT_TRY(memory->keep_buffers());
  PLAIT_TRY(run_graph(batch));
  PLAIT_ASSIGN(StepResult result, read_losses(batch));
  if (nodes->move.empty()) return result;
  first_losses = losses;
  nodes->loss = result.samples > 0 ? result.loss_sum / result.samples : 0;
  PLAIT_TRY(second_gradient(batch));
  tell(first_losses, result);
  return result;
}

// The same batch with the same random numbers and buffers at the weights that the optimizer moves to. What
// the buffers learn is of the first pass alone.
Status Replica::Body::second_gradient(const Batch& batch) {
  PLAIT_TRY(memory->keep_weights());
  PLAIT_TRY(memory->put_back_buffers());
  PLAIT_TRY(run_in_turn(nodes->move));
  PLAIT_TRY(run_graph(batch).at("second gradient"));
  PLAIT_TRY(read_losses(batch).status().at("second gradient"));
  PLAIT_TRY(memory->put_back_weights());
  PLAIT_TRY(run_in_turn(nodes->second));
  return stream->synchronize();
}

Status Replica::Body::update(const StepKey& of_step, double loss) {
  key = of_step;
  nodes->loss = loss;
  PLAIT_TRY(run_in_turn(nodes->apart));
  return stream->synchronize();
}

Status Replica::Body::run_in_turn(const std::vector<Node*>& some) {
  const Status done = lanes.execute([&]() -> Status {
    for (Node* node : some) {
      if (options.cancelled != nullptr && options.cancelled->load())
        return {Code::kStopped, "the step was cancelled"};
      PLAIT_TRY(node->run(key));
    }
    return {};
  });
  if (options.trace) keep_trace(some);
  return done;
}

Status Replica::Body::run_graph(const Batch& batch) {
  if (recorded) return run_recorded(batch);
  memory->use(batch);
  first_failed = kNone;
  graph->run();
  const bool failed = first_failed != kNone;
  const Status fetched = failed ? Status() : memory->fetch_reports();
  if (!failed && options.meanwhile && !stream->device().host_memory()) options.meanwhile();
  const Status settled = stream->synchronize();
  if (options.trace) keep_trace(nodes->order);
  if (failed) return failure();
  PLAIT_TRY(fetched);
  return settled;
}

// " 3" for a sample's class number; nothing for targets that are no single integer, or cannot be fetched.
std::string Replica::Body::target_text(const plait_tensor& target, int64_t place) const {
  const uint64_t bytes = dtype_bytes(target.dtype);
  const bool integer = target.dtype == PLAIT_U8 || target.dtype == PLAIT_I32 || target.dtype == PLAIT_I64;
  if (!integer || target.rank < 1 ||
      registry::element_count({target.shape, target.shape + target.rank}) != static_cast<uint64_t>(target.shape[0]))
    return "";
  int64_t value = 0;  // little-endian: the low bytes are the value's
  const auto* from = static_cast<const std::byte*>(target.data) + static_cast<uint64_t>(place) * bytes;
  if (!stream->copy_out(&value, from, bytes) || !stream->synchronize()) return "";
  if (target.dtype == PLAIT_I32) value = static_cast<int32_t>(value);
  return fmt::format(" {}", value);
}

Status Replica::Body::check(const ReplicaMemory::LossReport& report, const HeadInfo& head,
                            const Batch& batch) const {
  if (report.bad_target >= 0) {
    return {
        Code::kInvalid,
        fmt::format("{}: the target{} of sample {} of the batch ({} {} of {}) is not "
                    "what the loss accepts for a prediction of {}",
                    loss_place(head),
                    head.targets.size() == 1 ? target_text(memory->value(head.target()), report.bad_target)
                                             : std::string(),
                    report.bad_target, plan.options().training ? "position" : "record",
                    batch.first_position + report.bad_target,
                    plan.options().training ? "the training" : "those that are evaluated",
                    shape_text(plan.network().tensors[static_cast<size_t>(head.input())].spec))};
  }
  if (!std::isfinite(report.sum))
    return {Code::kNumeric, fmt::format("{} is {}", loss_place(head), one_nan(report.sum))};
  return {};
}

void Replica::Body::tell(const Losses& from, StepResult& result) {
  result.losses = from.means;
  result.sums = from.sums;
  result.counts = from.counts;
}

// Losses may count different things (samples, valid elements, weights): each enters with its own mean.
Result<StepResult> Replica::Body::read_losses(const Batch& batch) {
  StepResult result;
  for (size_t head = 0; head < plan.losses().size(); ++head) {
    const HeadInfo& info = plan.network().losses[head];
    const ReplicaMemory::LossReport report = memory->report(head);
    PLAIT_TRY(check(report, info, batch));
    if (head == 0) result.samples = info.weights < 0 ? report.count : plan.network().batch;
    losses.means[head] = report.count > 0 ? report.sum * (result.samples / report.count) : 0;
    losses.sums[head] = report.sum;
    losses.counts[head] = report.count;
    result.loss_sum += info.weight * losses.means[head];
  }
  tell(losses, result);
  return result;
}

void Replica::Body::keep_trace(const std::vector<Node*>& some) {
  for (const Node* node : some) {
    const Node::Times& times = node->times();
    events.push_back({node->name(), node->phase(), times.thread, times.begin_ns, times.end_ns});
  }
}

Replica::Replica(std::unique_ptr<Body> body) : body_(std::move(body)) {}
Replica::~Replica() = default;

Result<std::unique_ptr<Replica>> Replica::create(const Plan& plan, Device& device, const Options& options) {
  auto body = std::make_unique<Body>(plan, options);
  PLAIT_TRY(body->lanes.execute([&] { return body->build(device); }));
  return std::unique_ptr<Replica>(new Replica(std::move(body)));
}

Result<StepResult> Replica::run(const Batch& batch, uint64_t seed, int64_t step, uint64_t shard,
                                std::span<const double> runtime, std::optional<int64_t> updates) {
  return body_->run_step(batch, {seed, step, shard, runtime, updates.value_or(step)});
}

Status Replica::update(int64_t step, std::span<const double> runtime, int64_t updates, double loss) {
  return body_->update({body_->key.seed, step, body_->key.shard, runtime, updates}, loss);
}

float* Replica::weights() { return body_->memory->weights(); }
uint64_t Replica::weight_elements() const {
  return body_->options.share_with ? body_->options.share_with->weight_elements()
                                   : body_->plan.arena_elements();
}
float* Replica::gradients() { return body_->memory->gradients(); }
float* Replica::slot(size_t index) { return body_->memory->slot(index); }
size_t Replica::slots() const { return body_->memory->slots(); }
Stream& Replica::stream() { return *body_->stream; }

Status Replica::weights_changed() {
  return body_->lanes.execute([&]() -> Status {
    for (Node* node : body_->nodes->prepare) PLAIT_TRY(node->run(body_->key));
    return body_->stream->synchronize();
  });
}

const void* Replica::tensor(int index) const { return body_->memory->value(index).data; }
Extents Replica::tensor_extents(int index) const {
  const plait_tensor& value = body_->memory->value(index);
  return {value.lengths, value.second_lengths};
}

const std::vector<TraceEvent>& Replica::trace() const { return body_->events; }
void Replica::clear_trace() { body_->events.clear(); }

std::vector<NodeTime> Replica::profile() const {
  std::vector<NodeTime> times;
  for (const Node* node : body_->nodes->all()) {
    times.push_back({node->name(), node->phase(), node->times().calls, node->times().total_ns});
  }
  return times;
}

}  // namespace plait::inline graph
