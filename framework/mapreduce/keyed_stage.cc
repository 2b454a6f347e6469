#include "mapreduce/keyed_stage.h"

#include <fmt/format.h>
#include <oneapi/tbb/parallel_for.h>

#include <algorithm>

#include "graph/arena.h"

namespace plait::inline mapreduce {

// ---- reducing

Result<std::unique_ptr<KeyReducer>> KeyReducer::create(const Registry& registry, const PluginSpec& spec,
                                                       uint32_t in) {
  std::unique_ptr<KeyReducer> reducer(new KeyReducer);
  const plait_type& type = *spec.entry->type;
  const auto* rules = static_cast<const plait_reducer_rules*>(type.rules);
  CallContext context;
  PLAIT_ASSIGN(reducer->instance_,
               create_instance(registry, *spec.entry, *spec.config, PLAIT_HOST_DEVICE, context));
  const auto* ops = reducer->instance_.ops<plait_reducer_ops>();
  if (rules == nullptr || rules->infer == nullptr || !PLAIT_HAS(ops, reduce))
    return Status(Code::kInvalid, std::string(type.id) + " reduces the shards of training, not keys");
  reducer->in_ = in;
  PLAIT_TRY(context.call([&] { return rules->infer(context.raw(), spec.config.get(), in, &reducer->kind_); })
                .at(type.id));
  if (!is_value_kind(reducer->kind_))
    return Status(Code::kPlugin, std::string(type.id) + " says that values of an unknown kind come out");
  return reducer;
}

// Pulls the values of a key through the plugin, and holds what it makes of them until it is taken.
class ReducedPairs final : public PairStream {
 public:
  ReducedPairs(const KeyReducer& reducer, std::unique_ptr<PairStream> from)
      : reducer_(reducer), from_(std::move(from)) {
    values_ = {sizeof values_, 0, this, next_value};
    emitter_ = {sizeof emitter_, 0, this, emit, reducer.kind(), 0};
  }

  bool next(Pair& pair) override {
    while (taken_ == made_.size()) {
      if (!begin_key()) return false;
      if (!reduce_key()) return false;
    }
    pair = {key_, made_[taken_++], 0, 0};
    return true;
  }

 private:
  // The next key, with its first value at hand.
  bool begin_key() {
    if (!is_begun_) has_pair_ = from_->next(pair_);
    is_begun_ = true;
    if (!has_pair_) return from_->status() ? false : fail(from_->status());
    key_.assign(pair_.key);
    made_.clear();
    taken_ = 0;
    is_first_ = true;
    return true;
  }

  bool reduce_key() {
    const auto* ops = reducer_.instance_.ops<plait_reducer_ops>();
    Status reduced = context_.call([&] {
      return ops->reduce(reducer_.instance_.self(), context_.raw(), reducer_.in_, {key_.data(), key_.size()},
                         &values_, &emitter_);
    });
    if (!refused_) reduced = refused_;
    if (!reduced)
      return fail(
          reduced.at(fmt::format("{}, key {}", reducer_.instance_.entry().type->id, shown_key(key_))));
    while (advance()) {
    }
    return from_->status() ? true : fail(from_->status());
  }

  // To the next value of the key.
  bool advance() {
    if (is_first_) {
      is_first_ = false;
      return true;
    }
    if (has_pair_ && pair_.key == key_) has_pair_ = from_->next(pair_);
    return has_pair_ && pair_.key == key_;
  }

  static int next_value(const plait_values* values, plait_str* value) {
    auto* self = static_cast<ReducedPairs*>(values->host_data);
    if (!self->advance()) return 0;
    *value = {self->pair_.value.data(), self->pair_.value.size()};
    return 1;
  }

  static int emit(const plait_emitter* emitter, plait_str key, plait_str value) {
    auto* self = static_cast<ReducedPairs*>(emitter->host_data);
    const std::string_view bytes(value.data, value.size);
    const bool is_given = key.data == self->key_.data() && key.size == self->key_.size();
    const bool is_plain = self->reducer_.kind() == PLAIT_VALUE_I64 && bytes.size() == sizeof(int64_t);
    if (!(is_given && is_plain)) {
      if (const Status fits = self->check({key.data, key.size}, bytes); !fits) {
        if (self->refused_) self->refused_ = fits;
        return PLAIT_FAILED;
      }
    }
    self->made_.emplace_back(bytes);
    return PLAIT_OK;
  }

  Status check(std::string_view key, std::string_view value) const {
    if (key != key_) return {Code::kPlugin, "a value was emitted under another key, " + shown_key(key)};
    const std::string fault = value_fault(reducer_.kind(), value);
    return fault.empty() ? Status() : Status(Code::kPlugin, "emitted " + fault);
  }

  const KeyReducer& reducer_;
  std::unique_ptr<PairStream> from_;
  CallContext context_;
  plait_values values_{};
  plait_emitter emitter_{};
  bool is_begun_ = false, has_pair_ = false, is_first_ = false;
  Pair pair_;  // the present value, or what follows the key's last
  std::string key_;
  std::vector<std::string> made_;
  size_t taken_ = 0;
  Status refused_;
};

std::unique_ptr<PairStream> KeyReducer::reduce(std::unique_ptr<PairStream> from) const {
  return std::make_unique<ReducedPairs>(*this, std::move(from));
}

// ---- the stage

namespace {

constexpr size_t kMostReadBuffer = size_t{256} << 10, kLeastReadBuffer = size_t{4} << 10;

// Asks now and then whether the rank is to stop: then the ranks meet, and the stream ends.
class Watched final : public PairStream {
 public:
  Watched(std::unique_ptr<PairStream> from, Transport& transport, int64_t* count = nullptr)
      : from_(std::move(from)), transport_(transport), count_(count) {}
  bool next(Pair& pair) override {
    if (++asked_ % kPatience == 0 && transport_.wants_stop()) {
      transport_.tell_stop();
      return fail(transport_.abandon());
    }
    if (!from_->next(pair)) return from_->status() ? false : fail(from_->status());
    if (count_ != nullptr) ++*count_;
    return true;
  }

 private:
  static constexpr int64_t kPatience = 4096;
  std::unique_ptr<PairStream> from_;
  Transport& transport_;
  int64_t* count_;
  int64_t asked_ = 0;
};

class NoPairs final : public PairStream {
 public:
  bool next(Pair&) override { return false; }
};

}  // namespace

KeyedStage::KeyedStage(const Parts& parts)
    : parts_(parts), scheduler_(parts.transport->rank(), parts.transport->size(), &parts.work->cancelled()) {
  StageWork& stage = *this;
  graph_ =
      std::make_unique<StageGraph>(stage, std::vector<StageNode>(), parts.threads, scheduler_, *parts.work);
}

KeyedStage::~KeyedStage() = default;

Result<StageWork::Pass> KeyedStage::begin(int64_t) {
  const Scheduler::Tasks tasks{0, parts_.splits.count()};
  const int64_t mine = Scheduler::count_of(parts_.transport->rank(), parts_.transport->size(), tasks);
  const auto slots = static_cast<size_t>(std::clamp<int64_t>(mine, 1, parts_.threads));
  // Nothing comes from other ranks meanwhile. Some is left for runs that are written.
  const uint64_t memory = parts_.memory_bytes / 8 * 7 / slots;
  stores_.clear();
  for (size_t slot = 0; slot < slots; ++slot)
    stores_.push_back(
        std::make_unique<PairStore>(PairStore::Setup{parts_.kind, parts_.combiner, parts_.transport->size(),
                                                     memory, &spill_, &held_, &parts_.work->cancelled()}));
  done_.assign(slots, {});
  task_of_slot_.assign(slots, Scheduler::kNone);
  return Pass{tasks, static_cast<int>(slots)};
}

Result<const MapResult*> KeyedStage::map(int slot, int64_t task) {
  const auto s = static_cast<size_t>(slot);
  PairStore& store = *stores_[s];
  if (task_of_slot_[s] != task) store.begin_split(task);
  task_of_slot_[s] = task;
  plait_task_call call{};
  call.out = store.emitter();
  const auto ended = parts_.mapper->map(slot, parts_.splits.at(task), call);
  // The task only knows that a pair was refused.
  if (const Status& refused = store.failure(); !refused)
    return refused.code() == Code::kPlugin ? refused.at(parts_.mapper->words(parts_.splits.at(task)))
                                           : refused;
  if (!ended) return ended.status();
  if (!*ended) return nullptr;
  if (!store.flush()) return store.failure();
  task_of_slot_[s] = Scheduler::kNone;
  done_[s].task = task;
  return &done_[s];
}

// What a task emits is folded where it is emitted: into the slot's store.
Status KeyedStage::combine(int, const MapResult&) { return {}; }

Result<const PassResult*> KeyedStage::reduce() {
  PLAIT_TRY(reduce_all());
  return &result_;
}

// Sorts what each slot has. It may take long, where much was spilled.
Status KeyedStage::finish_stores() {
  // Half of the memory is for what comes from other ranks.
  const uint64_t most = parts_.memory_bytes / 2 / stores_.size();
  std::vector<Status> ended(stores_.size());
  Lanes lanes(std::max(1, parts_.threads));
  lanes.execute([&] {
    tbb::parallel_for(size_t{0}, stores_.size(), [&](size_t i) { ended[i] = stores_[i]->finish(most); });
  });
  for (const Status& status : ended) PLAIT_TRY(status);
  return {};
}

Status KeyedStage::reduce_all() {
  Transport& transport = *parts_.transport;
  const int ranks = transport.size();
  PLAIT_TRY(parts_.work->run([this] { return finish_stores(); }));
  size_t streams = 0;
  for (const auto& store : stores_) streams += store->streams();
  const Combiner* const combiner = parts_.combiner;
  const Fold all = combiner != nullptr ? Fold::kAll : Fold::kNot;
  // Between two splits of this rank lie those of others: where order counts, they are folded when all are
  // there.
  const Fold own_fold = combiner != nullptr && !combiner->is_commutative() ? Fold::kBeginInSplits : all;
  const uint64_t memory = parts_.memory_bytes / 4;
  const size_t buffer =
      std::clamp<size_t>(memory / std::max<size_t>(1, streams), kLeastReadBuffer, kMostReadBuffer);
  std::vector<std::unique_ptr<PairStream>> to;
  for (int rank = 0; rank < ranks; ++rank) {
    std::vector<std::unique_ptr<PairStream>> own;
    for (const auto& store : stores_) store->add_streams(rank, buffer, own);
    to.push_back(merge(std::move(own), combiner, own_fold));
  }
  uint64_t shuffled_bytes = 0;
  PLAIT_ASSIGN(auto came, exchange(transport, std::move(to), memory, spill_, shuffled_bytes, &held_));
  auto mine = std::make_unique<Watched>(merge(std::move(came), combiner, all), transport);
  auto reduced = std::make_unique<Watched>(parts_.reducer->reduce(std::move(mine)), transport, &results_);
  std::vector<std::unique_ptr<PairStream>> to_root;
  for (int rank = 0; rank < ranks; ++rank) {
    if (rank == 0)
      to_root.push_back(std::move(reduced));
    else
      to_root.push_back(std::make_unique<NoPairs>());
  }
  // Rank 0 reduces its own while others reduce and send theirs.
  PLAIT_ASSIGN(auto results, exchange(transport, std::move(to_root), memory, spill_, shuffled_bytes, &held_,
                                      OwnPairs::kNow));
  if (transport.is_root()) {
    const auto sorted = merge(std::move(results), nullptr, Fold::kNot);
    PLAIT_TRY(parts_.take(*sorted));
  }
  return count(shuffled_bytes);
}

Status KeyedStage::count(uint64_t shuffled) {
  int64_t pairs = 0;
  for (const auto& store : stores_) pairs += store->pairs();
  stores_.clear();
  const auto ranks = static_cast<size_t>(parts_.transport->size());
  std::vector<int64_t> sums = {pairs, results_, static_cast<int64_t>(shuffled),
                               static_cast<int64_t>(spill_.bytes())};
  sums.resize(sums.size() + ranks, 0);
  sums[4 + static_cast<size_t>(parts_.transport->rank())] = scheduler_.counters().done;
  PLAIT_TRY(parts_.transport->all_reduce_sum(std::span(sums)));
  int64_t held = held_.most();
  PLAIT_TRY(parts_.transport->all_reduce_max(std::span(&held, 1)));
  counts_ = {sums[0], sums[1], sums[2], sums[3], held, {sums.begin() + 4, sums.end()}};
  return {};
}

}  // namespace plait::inline mapreduce
