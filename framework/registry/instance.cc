#include "registry/instance.h"

#include <fmt/format.h>

#include <functional>

#include "registry/kinds.h"
#include "registry/values.h"

namespace plait::inline registry {
namespace {

using ChildFunction = std::function<Status(ConfigChild& child)>;

// Calls `function` for every child in `config`, nested messages included, in the order of the fields.
Status for_each_child(const plait_config& config, const ChildFunction& function) {
  for (const auto& field : config.fields) {
    for (const auto& value : field.values) {
      if (const auto* child = std::get_if<std::shared_ptr<ConfigChild>>(&value)) PLAIT_TRY(function(**child));
      const auto* nested = std::get_if<std::shared_ptr<plait_config>>(&value);
      if (nested && *nested) PLAIT_TRY(for_each_child(**nested, function));
    }
  }
  return {};
}

bool is_augmenter(const plait_type& type) { return std::string(type.kind) == "augmenter"; }

Status keeps_parts(const plait_type& child, const std::vector<PartSpec>& in,
                   const std::vector<PartSpec>& out) {
  if (in == out) return {};
  for (size_t i = 0; i < in.size(); ++i) {
    if (i < out.size() && in[i] == out[i]) continue;
    const std::string got = i < out.size() ? part_text(out[i]) : "nothing";
    return {Code::kInvalid, fmt::format("{} inside another augmenter has to keep the parts: got {} for {}",
                                        child.id, got, part_text(in[i]))};
  }
  return {Code::kInvalid, fmt::format("{} inside another augmenter has to keep the parts: got a new part {}",
                                      child.id, part_text(out[in.size()]))};
}

Result<std::vector<PartSpec>> infer_type(const plait_type& type, const plait_config& config,
                                         const std::vector<PartSpec>& parts, CallContext& context) {
  const auto check_child = [&](ConfigChild& child) -> Status {
    if (!is_augmenter(*child.type)) return {};
    PLAIT_ASSIGN(auto out, infer_type(*child.type, *child.config, parts, context));
    return keeps_parts(*child.type, parts, out);
  };
  PLAIT_TRY(for_each_child(config, check_child));
  for (const PartSpec& part : parts)
    PLAIT_TRY(check_second_axis(type, part, "part \"" + part.name + "\"").at(type.id));
  const auto* rules = static_cast<const plait_augmenter_rules*>(type.rules);
  const RawParts raw(parts);
  PartsCollector collector;
  const Status status = context.call(
      [&] { return rules->infer(context.raw(), &config, raw.size(), raw.data(), collector.raw()); });
  auto out = collector.take(status);
  return out ? std::move(out) : out.status().at(type.id);
}

}  // namespace

// One call of create_instance or create_augmenter.
class InstanceMaker {
 public:
  // What instances of some kinds are made for, besides a configuration.
  struct For {
    const std::vector<PartSpec>* parts = nullptr;
    uint32_t value = 0;
  };
  InstanceMaker(const Registry& registry, std::string device_id, For made_for, CallContext& context)
      : registry_(registry), device_id_(std::move(device_id)), for_(made_for), context_(context) {}

  Result<Instance> make(const TypeEntry& entry, std::shared_ptr<plait_config> config) {
    Instance instance;
    PLAIT_TRY(make_children(instance, *find_kind(entry.type->kind), *config));
    PLAIT_ASSIGN(instance.ops_, find_ops(entry));
    instance.config_ = std::move(config);
    PLAIT_TRY(call_create(instance, entry).at(entry.type->id));
    instance.entry_ = &entry;
    PLAIT_TRY(check_workspace(instance).at(entry.type->id));
    return instance;
  }

 private:
  Status make_children(Instance& parent, const Kind& parent_kind, const plait_config& config) {
    return for_each_child(config, [&](ConfigChild& child) -> Status {
      const TypeEntry* entry = registry_.find(child.type->kind, child.type->id);
      if (entry == nullptr) return {Code::kNotFound, fmt::format("{} is not loaded", child.type->id)};
      PLAIT_TRY(refuse_fit(*entry));
      // What is written into a network is made with it.
      if (parent_kind.writes_its_children && !find_kind(entry->type->kind)->writes_its_children) {
        if (entry->implementations.empty())
          return registry_.implementation(entry->type->kind, entry->type->id, device_id_).status();
        child.instance = {sizeof(plait_child),
                          0,
                          entry->type->kind,
                          entry->type->id,
                          entry->implementations.begin()->second->ops,
                          entry->type->rules,
                          nullptr,
                          child.config.get(),
                          entry->type->flags,
                          0};
        return {};
      }
      PLAIT_ASSIGN(auto made, make(*entry, child.config));
      child.instance = {sizeof(plait_child), 0,          entry->type->kind,  entry->type->id,    made.ops_,
                        entry->type->rules,  made.self_, child.config.get(), entry->type->flags, 0};
      parent.children_.push_back(std::move(made));
      return {};
    });
  }

  // Kinds that have no device of their own run on the host, whatever their parent runs on.
  Result<const void*> find_ops(const TypeEntry& entry) {
    const Kind& kind = *find_kind(entry.type->kind);
    const bool of_device = kind.works_on_device;
    for (const std::string& device : {device_id_, std::string(PLAIT_HOST_DEVICE)}) {
      // What it has there is called otherwise (device_operators.h).
      if (kind.check_device_ops != nullptr && device != PLAIT_HOST_DEVICE) continue;
      const auto found = entry.implementations.find(device);
      if (found != entry.implementations.end()) return found->second->ops;
      if (of_device) break;
    }
    return registry_.implementation(entry.type->kind, entry.type->id,
                                    device_id_);  // says which devices there are
  }

  Status refuse_fit(const TypeEntry& entry) {
    if (!is_augmenter(*entry.type)) return {};
    PLAIT_ASSIGN(const void* ops, find_ops(entry));
    const auto* table = static_cast<const plait_augmenter_ops*>(ops);
    if (!PLAIT_HAS(table, fit_size)) return {};
    return {Code::kUnsupported,
            fmt::format("{} wants a pass over the data first and cannot be inside another augmenter",
                        entry.type->id)};
  }

  // Bytes that apply of an augmenter wants; of other kinds 0.
  Result<uint64_t> workspace_of(const Instance& instance) {
    uint64_t bytes = 0;
    if (!is_augmenter(*instance.entry().type)) return bytes;
    const auto* table = instance.ops<plait_augmenter_ops>();
    if (!PLAIT_HAS(table, workspace)) return bytes;
    PLAIT_TRY(context_.call([&] { return table->workspace(instance.self(), context_.raw(), 0, &bytes); })
                  .at("workspace"));
    return bytes;
  }

  // An augmenter inside another works in that one's memory.
  Status check_workspace(const Instance& instance) {
    if (instance.children_.empty()) return {};
    PLAIT_ASSIGN(const uint64_t own, workspace_of(instance));
    for (const Instance& child : instance.children_) {
      PLAIT_ASSIGN(const uint64_t wanted, workspace_of(child));
      if (wanted > own)
        return {Code::kUnsupported,
                fmt::format(
                    "{} inside it works in {} bytes of memory, and it asks the host for {}: wanted as many",
                    child.entry().type->id, wanted, own)};
    }
    return {};
  }

  Status call_create(Instance& instance, const TypeEntry& entry) {
    const Kind& kind = *find_kind(entry.type->kind);
    const bool has_all = kind.made_for == Kind::For::kParts    ? for_.parts != nullptr
                         : kind.made_for == Kind::For::kValues ? for_.value != 0
                                                               : true;
    if (kind.make == nullptr || !has_all)
      return {Code::kInvalid,
              fmt::format("a {} cannot be made from a configuration alone, or has no create", kind.name)};
    static const std::vector<PartSpec> kNoParts;
    const RawParts raw(for_.parts != nullptr ? *for_.parts : kNoParts);
    instance.device_info_.struct_size = sizeof(plait_device_info);
    const MakeCall call{context_.raw(), instance.config_.get(), raw.size(), raw.data(),
                        for_.value,     &instance.device_info_};
    void* self = nullptr;
    PLAIT_TRY(context_.call([&] { return kind.make(instance.ops_, call, &self); }));
    instance.self_ = self;
    instance.destroy_ = kind.destroyer(instance.ops_);
    return {};
  }

  const Registry& registry_;
  const std::string device_id_;
  const For for_;
  CallContext& context_;
};

Instance& Instance::operator=(Instance&& other) noexcept {
  if (this == &other) return *this;
  reset();
  entry_ = std::exchange(other.entry_, nullptr);
  ops_ = std::exchange(other.ops_, nullptr);
  self_ = std::exchange(other.self_, nullptr);
  destroy_ = std::exchange(other.destroy_, nullptr);
  config_ = std::move(other.config_);
  children_ = std::move(other.children_);
  device_info_ = other.device_info_;
  return *this;
}

void Instance::reset() {
  if (destroy_ != nullptr) std::exchange(destroy_, nullptr)(std::exchange(self_, nullptr));
  while (!children_.empty()) children_.pop_back();
  config_.reset();
}

Result<Instance> create_instance(const Registry& registry, const TypeEntry& entry, const plait_config& config,
                                 const std::string& device_id, CallContext& context) {
  return InstanceMaker(registry, device_id, {}, context).make(entry, clone_config(config));
}

Result<Instance> create_augmenter(const Registry& registry, const TypeEntry& entry,
                                  const plait_config& config, const std::vector<PartSpec>& parts,
                                  CallContext& context) {
  PLAIT_TRY(infer_augmenter(entry, config, parts, context).status());
  return InstanceMaker(registry, PLAIT_HOST_DEVICE, {&parts}, context).make(entry, clone_config(config));
}

Result<TaskForm> infer_task(const TypeEntry& entry, const plait_config& config,
                            const std::vector<PartSpec>& parts, CallContext& context) {
  for (const PartSpec& part : parts)
    PLAIT_TRY(check_second_axis(*entry.type, part, "part \"" + part.name + "\"").at(entry.type->id));
  const auto& rules = *static_cast<const plait_task_rules*>(entry.type->rules);
  const RawParts raw(parts);
  TaskFormCollector collector;
  return collector.take(
      context
          .call([&] { return rules.infer(context.raw(), &config, raw.size(), raw.data(), collector.raw()); })
          .at("infer"));
}

Result<Instance> create_task(const Registry& registry, const TypeEntry& entry, const plait_config& config,
                             const std::vector<PartSpec>& parts, CallContext& context) {
  return InstanceMaker(registry, PLAIT_HOST_DEVICE, {&parts}, context).make(entry, clone_config(config));
}

Result<Instance> create_combiner(const Registry& registry, const TypeEntry& entry, const plait_config& config,
                                 uint32_t value, CallContext& context) {
  return InstanceMaker(registry, PLAIT_HOST_DEVICE, {nullptr, value}, context)
      .make(entry, clone_config(config));
}

Result<std::vector<PartSpec>> infer_augmenter(const TypeEntry& entry, const plait_config& config,
                                              const std::vector<PartSpec>& parts, CallContext& context) {
  if (!is_augmenter(*entry.type)) return {Code::kInvalid, fmt::format("{} is no augmenter", entry.type->id)};
  return infer_type(*entry.type, config, parts, context);
}

}  // namespace plait::inline registry
