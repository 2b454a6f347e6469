#include "cli/choose_device.h"

#include <fmt/format.h>

#include <cstdio>

#include "base/shown.h"
#include "cluster/open_transport.h"
#include "graph/device.h"

namespace plait::inline cli {
namespace {

bool has_flag(const TypeEntry& entry, uint32_t flag) {
  return PLAIT_HAS(entry.type, flags) && (entry.type->flags & flag) != 0;
}

std::string written(const TypeEntry& entry) {
  const std::string name = entry.short_name();
  return name == entry.type->id ? "[" + name + "]" : name;
}

void say(const std::string& text) {
  if (launcher_rank() == 0) std::fputs(("plait: " + shown_message(text) + "\n").c_str(), stderr);
}

Status opens(const Registry& registry, const PluginSpec& device) {
  return Device::open(registry, *device.entry, *device.config).status();
}

// The first preferred device that opens; where none does, why, in `refusals`.
Result<bool> take_preferred(const Registry& registry, Job& job,
                            const std::function<Result<Job>(const JobChange&)>& read, std::string& refusals) {
  for (const auto& [type, entry] : registry.types()) {
    if (type.kind != "device" || !has_flag(entry, PLAIT_TYPE_PREFERRED)) continue;
    PLAIT_ASSIGN(Job with, read(device_change(written(entry))));
    const Status opened = opens(registry, with.device);
    if (opened) {
      job = std::move(with);
      return true;
    }
    refusals += (refusals.empty() ? "" : "; ") + opened.message();
  }
  return false;
}

// Ranks that were started together make no process for a trial.
LoadOptions options_here() {
  LoadOptions options;
  options.in_child_first = launcher_size() <= 1;
  return options;
}

Status load_libraries(Registry& registry, const Job& job) {
  const size_t before = registry.failures().size();
  PLAIT_TRY(registry.use_device(job.device.id(), options_here()));
  for (size_t i = before; i < registry.failures().size(); ++i)
    say("warning: not loaded: " + registry.failures()[i].reason.message());
  return {};
}

}  // namespace

JobChange device_change(const std::string& name) {
  const bool is_id = name.find('.') != std::string::npos && !name.starts_with('[');
  return {JobChange::Kind::kSet, "device=" + (is_id ? "[" + name + "]" : name) + "{}"};
}

Status choose_device(Registry& registry, Job& job,
                     const std::function<Result<Job>(const JobChange& change)>& read) {
  if (has_flag(*job.device.entry, PLAIT_TYPE_FIRST_FOUND)) {
    const std::string asked = job.device.id();
    std::string refusals;
    PLAIT_ASSIGN(const bool found, take_preferred(registry, job, read, refusals));
    if (!found) {
      PLAIT_ASSIGN(job, read({JobChange::Kind::kDelete, "device"}));
    }
    say(fmt::format("device {}: {}{}", asked, job.device.id(),
                    refusals.empty() ? "" : " (" + refusals + ")"));
  }
  return load_libraries(registry, job);
}

}  // namespace plait::inline cli
