// pipeline/: from the text of a pipeline file to a checked Job. The only folder that uses protobuf.
//
// The text is protobuf text format whose types are built at run time from what the loaded plugins say of
// themselves. Steps, one file each: lexer (tokens) - syntax (tree of fields) - variables - overrides - schema
// (descriptors)
// - check_names (unknown fields and types) - parse (protobuf) - to_job (values, ranges, graph of layers) -
// resolved.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "base/status.h"
#include "pipeline/job.h"
#include "pipeline/job_change.h"
#include "pipeline/repeat_limits.h"
#include "registry/registry.h"

namespace plait::inline pipeline {

class Schema;

// What the command line adds to a file.
struct JobOptions {
  // --var name=value, for what the file says: the last of a name holds.
  std::map<std::string, std::string> vars;
  std::vector<JobChange> changes;  // --set, --del and again --var, in the order written
  bool for_training = true;        // false: a job without loss, optimizer or source is complete too
  RepeatLimits limits{};
  const Schema* schema = nullptr;  // of the same registry, for who reads many jobs; null: built for this one

  void set(const std::string& text) { changes.push_back({JobChange::Kind::kSet, text}); }
  void del(const std::string& text) { changes.push_back({JobChange::Kind::kDelete, text}); }
  void var(const std::string& name, const std::string& value) {
    vars[name] = value;
    changes.push_back({JobChange::Kind::kVariable, name + "=" + value});
  }
};

// Reads, checks and completes a job.
// Fails with: kNotFound when the file cannot be read; kInvalid when it says something that cannot be. The
// message holds up to 20 errors, each "file:line:column: error: text", the source line, a caret and a hint.
Result<Job> load_job(const Registry& registry, const std::string& path, const JobOptions& options = {});

// The same from text. `name` stands for the file in messages; includes and paths are relative to its folder.
Result<Job> parse_job(const Registry& registry, const std::string& text, const std::string& name,
                      const JobOptions& options = {});

// One plugin alone: `text` is a block of a pipeline file, or blocks in blocks, whose names are `blocks` from
// the outside in, and the plugin is in the innermost. What else a job needs is not asked for. Fails with:
// kInvalid, as parse_job.
Result<PluginSpec> parse_plugin(const Registry& registry, const std::vector<std::string>& blocks,
                                const std::string& text, const std::string& name);

// A stage that a pretrainer emits, in the same language. What the text does not say of source, validation,
// test, preprocess, augment, device, reducer, outer optimizer, optimizer, seed, train and evaluate is the
// base job's own (train and evaluate field by field; schedules, metrics and the monitor are not taken over).
// `title` becomes the name and stands for the file in messages. A stage that runs a task (Work::kTask) trains
// nothing: it has layers where its records are what they make.
enum class Work { kTraining, kTask };
Result<Job> parse_stage(const Registry& registry, const Job& base, const std::string& title,
                        const std::string& text, Work work = Work::kTraining);

// What has to be known before the registry is loaded.
struct PluginScan {
  std::vector<std::string> plugins;                         // plugin: "file"
  std::vector<std::string> plugin_path;                     // plugin_path: "folder"
  std::vector<Location> plugin_places, plugin_path_places;  // where each is written
};

// Reads the top-level fields plugin and plugin_path only, with includes and variables; other errors are left
// to load_job. Fails with: kNotFound when the file cannot be read.
Result<PluginScan> scan_plugins(const std::string& path, const std::map<std::string, std::string>& vars = {});

// Gives inputs and targets that a file leaves open ("") their part, now that the source has been asked for
// its parts: "image", else the first, for inputs; "label", else the last, for targets. Fails with: kInvalid
// when a layer, loss or metric reads what is neither a layer nor a part (did-you-mean).
Status connect_parts(Job& job, const std::vector<std::string>& parts);

// `message` as an error at `where`, with the source line and a caret when the file can be read: for those who
// find fault with a job later (shapes, files).
std::string error_at(const Location& where, const std::string& message);

}  // namespace plait::inline pipeline
