#include "mapreduce/sink.h"

#include <cstring>
#include <plait/sdk/order_free_sum.hpp>

namespace plait::inline mapreduce {
namespace {

// A sum is given as what it is of: a number.
uint32_t given_value(uint32_t value) { return value == PLAIT_VALUE_SUM ? uint32_t{PLAIT_VALUE_F64} : value; }

// A stream as sinks read it.
class GivenPairs {
 public:
  GivenPairs(PairStream& pairs, uint32_t value) : pairs_(pairs), is_sum_(value == PLAIT_VALUE_SUM) {
    raw_.struct_size = sizeof raw_;
    raw_.value = given_value(value);
    raw_.host_data = this;
    raw_.next = [](const plait_pairs* asked, plait_str* key, plait_str* of_it) {
      return static_cast<GivenPairs*>(asked->host_data)->next(*key, *of_it);
    };
  }
  GivenPairs(const GivenPairs&) = delete;
  GivenPairs& operator=(const GivenPairs&) = delete;
  const plait_pairs* raw() const { return &raw_; }

 private:
  int next(plait_str& key, plait_str& value) {
    Pair pair;
    if (is_over_ || !pairs_.next(pair)) return is_over_ = true, 0;
    key = {pair.key.data(), pair.key.size()};
    value = {pair.value.data(), pair.value.size()};
    if (!is_sum_) return 1;
    plait_sum sum;
    std::memcpy(&sum, pair.value.data(), sizeof sum);
    number_ = sdk::OrderFreeSum(sum).value();
    value = {reinterpret_cast<const char*>(&number_), sizeof number_};
    return 1;
  }

  PairStream& pairs_;
  const bool is_sum_;
  bool is_over_ = false;
  double number_ = 0;
  plait_pairs raw_{};
};

}  // namespace

Result<std::unique_ptr<Sink>> Sink::create(const Registry& registry, const PluginSpec& spec) {
  std::unique_ptr<Sink> sink(new Sink(spec));
  CallContext context;
  PLAIT_ASSIGN(sink->instance_,
               create_instance(registry, *spec.entry, *spec.config, PLAIT_HOST_DEVICE, context));
  return sink;
}

Status Sink::named(const Status& status) const { return status.at(spec_.entry->short_name()); }

Status Sink::check(const std::vector<SinkArraySpec>& arrays) const {
  CallContext context;
  return check_arrays(*spec_.entry, *spec_.config, arrays, context);
}

Status Sink::check(uint32_t value) const {
  CallContext context;
  return check_pairs(*spec_.entry, *spec_.config, given_value(value), context);
}

Status Sink::write(const std::vector<SinkArraySpec>& arrays, const std::vector<const void*>& data,
                   const Files::Writer& write) const {
  PLAIT_TRY(check(arrays));
  const RawSinkArrays raw(arrays, data);
  const ByteTaker taker(write);
  CallContext context;
  const auto* ops = instance_.ops<plait_sink_ops>();
  return taker.outcome(named(context.call([&] {
    return ops->write_arrays(instance_.self(), context.raw(), raw.size(), raw.data(), taker.raw());
  })));
}

Status Sink::write(PairStream& pairs, uint32_t value, const Files::Writer& write) const {
  const GivenPairs given(pairs, value);
  const ByteTaker taker(write);
  CallContext context;
  const auto* ops = instance_.ops<plait_sink_ops>();
  const Status called = named(context.call(
      [&] { return ops->write_pairs(instance_.self(), context.raw(), given.raw(), taker.raw()); }));
  PLAIT_TRY(pairs.status());
  return taker.outcome(called);
}

}  // namespace plait::inline mapreduce
