#include "mapreduce/combiner.h"

#include <fmt/format.h>

#include <cmath>
#include <cstring>

#include "base/shown.h"

namespace plait {

const char* value_kind_name(uint32_t kind) {
  constexpr const char* kNames[] = {"nothing", "bytes", "i64", "f64", "sum"};
  return kind < std::size(kNames) ? kNames[kind] : "an unknown kind";
}

bool is_value_kind(uint32_t kind) { return kind >= PLAIT_VALUE_BYTES && kind <= PLAIT_VALUE_SUM; }

Status check_value_kind(uint32_t kind, std::string_view value) {
  const size_t wanted = kind == PLAIT_VALUE_SUM ? sizeof(plait_sum) : sizeof(int64_t);
  if (kind == PLAIT_VALUE_BYTES) {
    if (value.size() <= PLAIT_MAX_VALUE) return {};
    return {Code::kPlugin,
            fmt::format("a value of {} bytes, wanted at most {}", value.size(), PLAIT_MAX_VALUE)};
  }
  if (value.size() != wanted)
    return {Code::kPlugin, fmt::format("a value of {} bytes, wanted {} for {}", value.size(), wanted,
                                       value_kind_name(kind))};
  if (kind != PLAIT_VALUE_F64) return {};
  double number = 0;
  std::memcpy(&number, value.data(), sizeof number);
  if (std::isfinite(number)) return {};
  return {Code::kNumeric, fmt::format("the value {}, wanted a finite number", number)};
}

std::string shown_key(std::string_view key) {
  constexpr size_t kMost = 40;
  std::string text = "\"" + shown(key.substr(0, kMost)) + "\"";
  return key.size() > kMost ? text + fmt::format("... ({} bytes)", key.size()) : text;
}

Result<std::unique_ptr<Combiner>> Combiner::create(const Registry& registry, const PluginSpec& spec,
                                                   uint32_t in) {
  std::unique_ptr<Combiner> combiner(new Combiner);
  const plait_type& type = *spec.entry->type;
  const auto& rules = *static_cast<const plait_combiner_rules*>(type.rules);
  CallContext context;
  uint32_t bytes = 0;
  PLAIT_TRY(
      context
          .call([&] { return rules.infer(context.raw(), spec.config.get(), in, &combiner->kind_, &bytes); })
          .at(type.id));
  const size_t fixed = combiner->kind_ == PLAIT_VALUE_SUM ? sizeof(plait_sum) : sizeof(int64_t);
  if (!is_value_kind(combiner->kind_) || bytes < 1 || bytes > PLAIT_MAX_PARTIAL ||
      (combiner->kind_ != PLAIT_VALUE_BYTES && bytes != fixed))
    return Status(
        Code::kPlugin,
        fmt::format("{} folds values into {} of {} bytes; wanted 1 to {}, of an i64 or f64 8, of a "
                    "sum {}",
                    type.id, value_kind_name(combiner->kind_), bytes, PLAIT_MAX_PARTIAL, sizeof(plait_sum)));
  combiner->bytes_ = bytes;
  combiner->is_commutative_ = (rules.flags & PLAIT_COMBINER_COMMUTATIVE) != 0;
  PLAIT_ASSIGN(combiner->instance_, create_combiner(registry, *spec.entry, *spec.config, in, context));
  combiner->ops_ = combiner->instance_.ops<plait_combiner_ops>();
  combiner->self_ = combiner->instance_.self();
  return combiner;
}

Status Combiner::failure(CallContext& context, std::string_view key) const {
  return context.status(PLAIT_FAILED)
      .at(fmt::format("{}, key {}", instance_.entry().type->id, shown_key(key)));
}

}  // namespace plait
