#include "train/reducer.h"

#include <cstring>
#include <numeric>
#include <string>

namespace plait {
namespace {

// One rank's deltas as a message: shard number, then its values; and so on.
Bytes encode(const std::map<int, std::vector<float>>& deltas) {
  Bytes bytes;
  for (const auto& [shard, delta] : deltas) {
    const size_t at = bytes.size(), n = delta.size() * sizeof(float);
    bytes.resize(at + sizeof shard + n);
    std::memcpy(bytes.data() + at, &shard, sizeof shard);
    std::memcpy(bytes.data() + at + sizeof shard, delta.data(), n);
  }
  return bytes;
}

void decode(const Bytes& bytes, size_t count, std::vector<std::vector<float>>& deltas) {
  const size_t n = count * sizeof(float);
  for (size_t at = 0; at + sizeof(int) + n <= bytes.size(); at += sizeof(int) + n) {
    int shard = 0;
    std::memcpy(&shard, bytes.data() + at, sizeof shard);
    auto& delta = deltas.at(static_cast<size_t>(shard));
    delta.resize(count);
    std::memcpy(delta.data(), bytes.data() + at + sizeof shard, n);
  }
}

}  // namespace

Result<std::unique_ptr<Reducer>> Reducer::create(const Registry& registry, const PluginSpec& spec, int shards,
                                                 int64_t samples) {
  std::unique_ptr<Reducer> reducer(new Reducer);
  CallContext context;
  PLAIT_ASSIGN(reducer->instance_,
               create_instance(registry, *spec.entry, *spec.config, PLAIT_HOST_DEVICE, context));
  const auto* ops = reducer->instance_.ops<plait_reducer_ops>();
  reducer->gathers_ = !PLAIT_HAS(ops, weight);
  reducer->samples_ = samples;
  reducer->weights_.assign(static_cast<size_t>(shards), 1);
  for (int k = 0; k < shards && !reducer->gathers_; ++k) {
    PLAIT_ASSIGN(reducer->weights_[static_cast<size_t>(k)], reducer->ask(k, 0));
  }
  return reducer;
}

int64_t Reducer::total_weight() const {
  return std::accumulate(weights_.begin(), weights_.end(), int64_t{0});
}

Result<int32_t> Reducer::ask(int shard, double loss) const {
  plait_shard_result result{};
  result.struct_size = sizeof result;
  result.shards = static_cast<uint32_t>(weights_.size());
  result.shard = static_cast<uint32_t>(shard);
  result.samples = samples_;
  result.loss = loss;
  CallContext context;
  int32_t weight = 0;
  const auto* ops = instance_.ops<plait_reducer_ops>();
  PLAIT_TRY(context.call([&] { return ops->weight(instance_.self(), context.raw(), &result, &weight); })
                .at("reducer " + std::string(instance_.entry().type->id)));
  if (weight >= 1 && weight <= 65536) return weight;
  return Status(Code::kPlugin, "reducer " + std::string(instance_.entry().type->id) + ": weight " +
                                   std::to_string(weight) + ", wanted 1 to 65536");
}

Status Reducer::check_weight(int shard, double loss) const {
  if (gathers_) return {};
  PLAIT_ASSIGN(const int32_t now, ask(shard, loss));
  if (now == weight(shard)) return {};
  return {Code::kUnsupported, "reducer " + std::string(instance_.entry().type->id) +
                                  ": the weight of shard " + std::to_string(shard) +
                                  " depends on its loss; weights have to be known before a round"};
}

void Reducer::keep(int shard, std::span<const float> delta) {
  std::lock_guard lock(mutex_);
  deltas_[shard].assign(delta.begin(), delta.end());
}

Status Reducer::combine(Transport& transport, std::span<float> combined) {
  PLAIT_ASSIGN(const std::vector<Bytes> messages, transport.all_gather(encode(deltas_)));
  std::vector<std::vector<float>> deltas(weights_.size());
  for (const Bytes& message : messages) decode(message, combined.size(), deltas);
  std::vector<const float*> places;
  for (size_t k = 0; k < deltas.size(); ++k) {
    if (deltas[k].size() != combined.size()) {
      return {Code::kPeer, "the delta of shard " + std::to_string(k) + " did not arrive"};
    }
    places.push_back(deltas[k].data());
  }
  CallContext context;
  return context
      .call([&] {
        return instance_.ops<plait_reducer_ops>()->combine(instance_.self(), context.raw(),
                                                           static_cast<uint32_t>(places.size()),
                                                           places.data(), combined.size(), combined.data());
      })
      .at("reducer " + std::string(instance_.entry().type->id));
}

}  // namespace plait
