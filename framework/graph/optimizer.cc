#include "graph/optimizer.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/shown.h"

namespace plait {
namespace {

int add_slot(const plait_optimizer_builder* builder, const plait_slot_spec* spec) {
  auto& slots = *static_cast<std::vector<SlotInfo>*>(builder->host_data);
  slots.push_back({spec->name, spec->reduce ? spec->reduce : uint32_t{PLAIT_REDUCE_MEAN32}, spec->initial});
  return PLAIT_OK;
}

// The first value of a numeric field; 0 for one that is absent.
double number_of(const plait_config& config, const char* name) {
  const ConfigField* field = config.find(name);
  if (field == nullptr || field->values.empty()) return 0;
  const ConfigValue& value = field->values.front();
  if (const auto* real = std::get_if<double>(&value)) return *real;
  if (const auto* whole = std::get_if<int64_t>(&value)) return static_cast<double>(*whole);
  return 0;
}

}  // namespace

Result<std::unique_ptr<OptimizerInstance>> OptimizerInstance::create(
    const Registry& registry, const PluginSpec& optimizer, const std::vector<ScheduleSpec>& schedules,
    const std::string& device_id) {
  std::unique_ptr<OptimizerInstance> made(new OptimizerInstance);
  const std::string place = optimizer.where.text();
  CallContext context;
  auto instance = create_instance(registry, *optimizer.entry, *optimizer.config, device_id, context);
  if (!instance) return instance.status().at(place);
  made->instance_ = std::move(instance).value();
  PLAIT_TRY(made->describe(*optimizer.entry->type).at(place));
  for (const SlotInfo& slot : made->slots_) PLAIT_TRY(check_name(slot.name, "slot").at(place));
  made->find_runtime_fields(*optimizer.entry->type);
  for (const ScheduleSpec& schedule : schedules) {
    PLAIT_TRY(made->add_schedule(registry, schedule).at(schedule.plugin.where.text()));
  }
  return made;
}

bool OptimizerInstance::resets_slots() const {
  return !slots_.empty() &&
         std::ranges::all_of(slots_, [](const SlotInfo& slot) { return slot.reduce == PLAIT_REDUCE_RESET; });
}

Status OptimizerInstance::describe(const plait_type& type) {
  const auto* rules = static_cast<const plait_optimizer_rules*>(type.rules);
  if (rules == nullptr) return {};
  flags_ = rules->flags;
  const bool observes = PLAIT_HAS(&ops(), observe);
  if (needs_all_gradients() && !observes) {
    return {Code::kPlugin, fmt::format("{} wants to observe all gradients but has no observe", type.id)};
  }
  if (!PLAIT_HAS(rules, describe)) return {};
  plait_optimizer_builder builder{};
  builder.struct_size = sizeof builder;
  builder.host_data = &slots_;
  builder.slot = add_slot;
  CallContext context;
  PLAIT_TRY(context.call([&] { return rules->describe(context.raw(), &instance_.config(), &builder); })
                .at(type.id));
  for (const SlotInfo& slot : slots_) {
    if (slot.reduce < PLAIT_REDUCE_VARIANCE) continue;
    return {Code::kPlugin, fmt::format("{} declares the slot \"{}\" with rule {}, which slots cannot have",
                                       type.id, slot.name, slot.reduce)};
  }
  return {};
}

void OptimizerInstance::find_runtime_fields(const plait_type& type) {
  for (uint32_t i = 0; i < type.n_fields; ++i) {
    const plait_field& field = *type.fields[i];
    if ((field.flags & PLAIT_FIELD_RUNTIME) == 0) continue;
    if (std::string(field.name) == "rate") rate_field_ = static_cast<int>(runtime_base_.size());
    runtime_names_.push_back(field.name);
    runtime_base_.push_back(number_of(instance_.config(), field.name));
  }
}

Status OptimizerInstance::add_schedule(const Registry& registry, const ScheduleSpec& schedule) {
  const std::string name = schedule.field.empty() ? "rate" : schedule.field;
  const auto found = std::ranges::find(runtime_names_, name);
  if (found == runtime_names_.end()) {
    return {Code::kInvalid, fmt::format("a schedule for \"{}\": {} can be scheduled in {}: {}", name,
                                        runtime_names_.empty() ? "nothing" : "what",
                                        instance_.entry().type->id, fmt::join(runtime_names_, ", "))};
  }
  const auto field = static_cast<size_t>(found - runtime_names_.begin());
  if (std::ranges::any_of(schedules_, [&](const Scheduled& other) { return other.field == field; })) {
    return {Code::kInvalid, fmt::format("a second schedule for \"{}\"", name)};
  }
  CallContext context;
  PLAIT_ASSIGN(Instance made, create_instance(registry, *schedule.plugin.entry, *schedule.plugin.config,
                                              PLAIT_HOST_DEVICE, context));
  schedules_.push_back({field, std::move(made), schedule.plugin.where});
  return {};
}

std::string OptimizerInstance::length_bound_schedule() const {
  for (const Scheduled& one : schedules_) {
    const auto* ops = one.schedule.ops<plait_schedule_ops>();
    if (PLAIT_HAS(ops, ignores_total) && ops->ignores_total(one.schedule.self()) != 0) continue;
    return fmt::format("the schedule of {}, {} ({})", runtime_names_[one.field],
                       one.schedule.entry().type->id, one.where.text());
  }
  return "";
}

Status OptimizerInstance::runtime(const Progress& progress, std::span<double> values) const {
  std::ranges::copy(runtime_base_, values.begin());
  for (const Scheduled& scheduled : schedules_) {
    plait_schedule_call call{sizeof call,
                             0,
                             runtime_base_[scheduled.field],
                             progress.step,
                             progress.total_steps,
                             progress.steps_per_epoch,
                             0,
                             0,
                             nullptr};
    const Instance& schedule = scheduled.schedule;
    CallContext context;
    const Status status = context.call([&] {
      return schedule.ops<plait_schedule_ops>()->value(schedule.self(), context.raw(), &call,
                                                       &values[scheduled.field]);
    });
    if (!status) return status.at(fmt::format("schedule {}", schedule.entry().type->id));
  }
  return {};
}

}  // namespace plait
