#include "mapreduce/combiner.h"

#include <fmt/format.h>

#include "base/shown.h"

namespace plait::inline mapreduce {

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
  if (!is_value_kind(combiner->kind_) || bytes < 1 || bytes > PLAIT_MAX_PARTIAL ||
      (combiner->kind_ != PLAIT_VALUE_BYTES && bytes != value_bytes(combiner->kind_)))
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

}  // namespace plait::inline mapreduce
