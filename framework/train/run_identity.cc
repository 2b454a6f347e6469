#include "train/run_identity.h"

#include <set>

#include "base/sha256.h"
#include "graph/sample_chain.h"
#include "registry/numerics.h"
#include "registry/stage_rows.h"
#include "train/data_digest.h"
#include "train/instruction_set.h"
#include "train/job_facts.h"

namespace plait::inline train {
namespace {

// On the host, where plugins without kernels for the job's device run, or on that device.
bool implements(const PluginFile& file, const TypeEntry& entry, const std::string& device_id) {
  for (uint32_t i = 0; i < file.plugin->n_implementations; ++i) {
    const plait_implementation& made = *file.plugin->implementations[i];
    if (made.device_id != device_id && std::string(made.device_id) != PLAIT_HOST_DEVICE) continue;
    const auto taken = entry.implementations.find(made.device_id);
    if (taken != entry.implementations.end() && taken->second == &made) return true;
  }
  return false;
}

// Libraries that describe or implement a type of the job.
std::set<const PluginFile*> files_of(const Registry& registry, const Job& job) {
  std::set<const PluginFile*> used;
  const std::vector<const plait_type*> list = types_of(job);
  const std::set<const plait_type*> types(list.begin(), list.end());
  for (const auto& [name, entry] : registry.types()) {
    if (types.count(entry.type) == 0) continue;
    used.insert(entry.file);
    for (const auto& file : registry.files())
      if (implements(*file, entry, job.device.id())) used.insert(file.get());
  }
  return used;
}

std::string version_of(const PluginFile& file) {
  return std::string(file.plugin->version) + (file.sha256().empty() ? "" : ", sha256 " + file.sha256());
}

Status add_plugins(const Registry& registry, const Job& job, Identity& identity) {
  const std::set<const PluginFile*> used = files_of(registry, job);
  for (const auto& file : registry.files()) {
    if (job.pretrain.empty() && used.count(file.get()) == 0) continue;
    identity.push_back(make_fact(part::kPlugins, file->plugin->id, version_of(*file), file->path));
    PLAIT_ASSIGN(const auto facts, numerics_of(file->plugin));
    for (const auto& [name, value] : facts)
      identity.push_back(make_fact(part::kIsa, std::string(file->plugin->id) + ": " + name, value));
  }
  return {};
}

// What a source says of itself; false: it has no digest of its own.
Result<bool> add_own_digest(const plait_source_ops* ops, const void* self, const std::string& name,
                            Identity& identity) {
  if (!PLAIT_HAS(ops, digest)) return false;
  Sha256::Digest digest{};
  CallContext context;
  PLAIT_TRY(context.call([&] { return ops->digest(self, context.raw(), digest.data()); }).at(name));
  identity.push_back(
      make_fact(part::kData, name, "sha256 " + Sha256::hex_of(digest) + " by the source's own word"));
  return true;
}

struct NamedPath {
  std::string name;  // of the field, as in job_facts
  std::string path;
};

// The files that a plugin's fields name, and what its children say or name. The children of a plugin that is
// not open yet say nothing.
class PathCollector {
 public:
  PathCollector(std::vector<NamedPath>& paths, Identity& identity) : paths_(paths), identity_(identity) {}

  Status add(const plait_config& config, const std::string& name) {
    for (const ConfigField& field : config.fields) {
      for (size_t i = 0; i < field.values.size(); ++i) {
        const std::string number = field.values.size() > 1 ? "[" + std::to_string(i) + "]" : "";
        PLAIT_TRY(add_value(*field.field, field.values[i], name + "." + field.field->name + number));
      }
    }
    return {};
  }

 private:
  Status add_value(const plait_field& field, const ConfigValue& value, const std::string& name) {
    if (const auto* nested = std::get_if<std::shared_ptr<plait_config>>(&value))
      return *nested ? add(**nested, name) : Status();
    if (const auto* child = std::get_if<std::shared_ptr<ConfigChild>>(&value))
      return add_child(**child, plugin_name(name, *(*child)->type));
    const auto* text = std::get_if<std::string>(&value);
    if (text != nullptr && (field.flags & PLAIT_FIELD_PATH) != 0 && !text->empty())
      paths_.push_back({name, *text});
    return {};
  }

  Status add_child(const ConfigChild& child, const std::string& name) {
    if (std::string(child.type->kind) == "source" && child.instance.ops != nullptr) {
      const auto* ops = static_cast<const plait_source_ops*>(child.instance.ops);
      PLAIT_ASSIGN(const bool said, add_own_digest(ops, child.instance.self, name, identity_));
      if (said) return {};
    }
    return add(*child.config, name);
  }

  std::vector<NamedPath>& paths_;
  Identity& identity_;
};

Status add_reader(const SampleReader& reader, const std::string& place, std::vector<NamedPath>& paths,
                  Identity& identity) {
  const Instance& source = reader.chain().source_instance();
  // What made them is known: the stage's own data and all that the job says of it.
  if (is_stage_rows(*source.entry().type)) return {};
  const std::string name = plugin_name(place, *source.entry().type);
  PLAIT_ASSIGN(const bool said,
               add_own_digest(source.ops<plait_source_ops>(), source.self(), name, identity));
  return said ? Status() : PathCollector(paths, identity).add(source.config(), name);
}

// Tables that layers or augmenters read decide results like records do.
Status add_other_plugins(const Job& job, std::vector<NamedPath>& paths, Identity& identity) {
  for (const auto& [place, plugin] : plugins_of(job)) {
    if (std::string(plugin->entry->type->kind) == "source") continue;
    PLAIT_TRY(PathCollector(paths, identity).add(*plugin->config, plugin_name(place, *plugin->entry->type)));
  }
  for (const LayerSpec& layer : job.layers)
    for (const InitSpec& init : layer.init)
      if (!init.file.empty())
        paths.push_back({"layer[" + layer.name + "].init[" + init.parameter + "].file", init.file});
  return {};
}

}  // namespace

Result<Identity> identity_of(const Registry& registry, const Job& job, const std::string& program,
                             int overfit_batches) {
  Identity identity = {make_fact(part::kProgram, "plait", program)};
  for (Fact& fact : machine_facts()) identity.push_back(std::move(fact));
  PLAIT_TRY(add_plugins(registry, job, identity));
  for (Fact& fact : job_facts(registry, job.resolved)) identity.push_back(std::move(fact));
  identity.push_back(make_fact(part::kJob, "--overfit-batches", std::to_string(overfit_batches)));
  return identity;
}

std::vector<PlacedReader> readers_of(const Job& job, const JobData& data) {
  std::vector<PlacedReader> readers = {{"source", &data.training()}};
  // Held out of the training records: the same data.
  if (job.validation) readers.push_back({"validation", data.validation().reader});
  if (job.test) readers.push_back({"test", data.test().reader});
  std::erase_if(readers, [](const PlacedReader& one) { return one.reader == nullptr; });
  return readers;
}

Result<Identity> data_identity(const Job& job, const std::vector<PlacedReader>& readers, bool whole,
                               int threads, std::vector<std::string>& unknown) {
  Identity identity;
  std::vector<NamedPath> named;
  PLAIT_TRY(add_other_plugins(job, named, identity));
  const size_t first_of_sources = named.size();
  for (const PlacedReader& one : readers) PLAIT_TRY(add_reader(*one.reader, one.place, named, identity));
  std::vector<std::string> paths;
  for (const NamedPath& one : named) paths.push_back(one.path);
  PLAIT_ASSIGN(const std::vector<PathDigest> digests, digest_paths(paths, whole, threads));
  for (size_t i = 0; i < named.size(); ++i) {
    identity.push_back(make_fact(part::kData, named[i].name, digests[i].text, named[i].path));
    if (!digests[i].is_known && i >= first_of_sources)
      unknown.push_back(named[i].name + " \"" + named[i].path + "\" is " + digests[i].text);
    if (!digests[i].whole.empty())
      identity.push_back(make_fact(part::kWholeData, named[i].name, digests[i].whole, named[i].path));
  }
  return identity;
}

}  // namespace plait::inline train
