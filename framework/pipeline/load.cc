#include "pipeline/load.h"

#include <algorithm>
#include <set>

#include "base/shown.h"
#include "pipeline/check_names.h"
#include "pipeline/configure.h"
#include "pipeline/job_name.h"
#include "pipeline/overrides.h"
#include "pipeline/paths.h"
#include "pipeline/reader.h"
#include "pipeline/resolved.h"
#include "pipeline/to_job.h"

namespace plait::inline pipeline {
namespace {

// What is the same for files, texts and stages once the text is read.
Result<Job> finish(const Registry& registry, Reader& reader, std::vector<Field> fields, Job job,
                   const JobOptions& options, Errors& errors) {
  const Schema* schema = options.schema;
  std::unique_ptr<Schema> own;
  if (schema == nullptr) {
    PLAIT_ASSIGN(own, Schema::build(registry));
    schema = own.get();
  }
  std::vector<JobChange> changes = reader.changes();
  changes.insert(changes.end(), options.changes.begin(), options.changes.end());
  apply_overrides(*schema, changes, reader.variables(), reader.texts(), fields, errors);
  fields = check_names(*schema, schema->job(), std::move(fields), errors);
  const SourceText& text = reader.texts().front();
  if (fields.empty() && !errors.any())
    errors.add({&text, 0, 1, true}, "the file says nothing",
               "a job has at least a source, layers, a loss and an optimizer");
  else
    to_job(*schema, fields, {&text, 0, 1, true}, options.for_training, job, errors);
  PLAIT_TRY(errors.status());
  job.resolved = resolved_text(job);
  // Paths became absolute: a working folder may be called anything, and a run keeps its job as text.
  const Unprintable bad = find_unprintable(job.resolved, Blanks::kText);
  if (bad)
    return {Code::kInvalid,
            job.file + ": a path of this job has a folder whose name is no text: " + bad.what};
  return job;
}

// The layers and targets a name may mean.
class PartsCheck {
 public:
  PartsCheck(Job& job, const std::vector<std::string>& parts)
      : parts_(parts), names_(parts.begin(), parts.end()) {
    for (const LayerSpec& layer : job.layers)
      if (!names_.insert(layer.name).second) both_.insert(layer.name);
  }

  void input(InputRef& ref, const std::string& user) {
    if (ref.layer.empty()) ref.layer = preferred("image", 0);
    check(ref, user);
  }
  void target(InputRef& ref, const std::string& user) {
    if (ref.layer.empty()) ref.layer = preferred("label", parts_.size() - 1);
    check(ref, user);
  }
  void part(const InputRef& ref, const std::string& user) {
    if (std::find(parts_.begin(), parts_.end(), ref.layer) == parts_.end())
      refuse(ref, user + " has its weights in \"" + ref.layer + "\", which is no part of the samples",
             parts_);
  }
  std::string text() const {
    if (count_ <= Errors::kMaxShown) return text_;
    return text_ + "\n... and " + std::to_string(count_ - Errors::kMaxShown) + " more errors";
  }

 private:
  std::string preferred(const std::string& name, size_t otherwise) const {
    const bool has = std::find(parts_.begin(), parts_.end(), name) != parts_.end();
    return has || parts_.empty() ? name : parts_[otherwise];
  }

  void check(const InputRef& ref, const std::string& user) {
    if (both_.count(ref.layer))
      refuse(ref,
             user + " reads \"" + ref.layer +
                 "\", which is a layer and a part of the samples: wanted "
                 "another name of the layer",
             {});
    if (names_.count(ref.layer)) return;
    refuse(ref, user + " reads \"" + ref.layer + "\", which is neither a layer nor a part of the samples",
           {names_.begin(), names_.end()});
  }

  void refuse(const InputRef& ref, const std::string& message, const std::vector<std::string>& possible) {
    if (++count_ > Errors::kMaxShown) return;
    const std::string near = did_you_mean(ref.layer, possible);
    std::string hint = near.empty() ? "\n    parts of the samples:" : "\n    did you mean \"" + near + "\"?";
    for (size_t i = 0; near.empty() && i < parts_.size(); ++i) hint += " " + parts_[i];
    text_ += (text_.empty() ? "" : "\n") + error_at(ref.where, message) + hint;
  }

  const std::vector<std::string>& parts_;
  std::set<std::string> names_, both_;  // both_: of a layer and of a part
  std::string text_;
  size_t count_ = 0;
};

std::string metric_name(const MetricSpec& metric) {
  return "\"" + (metric.values.empty() ? metric.plugin.entry->short_name() : metric.values[0].name) + "\"";
}

}  // namespace

Result<Job> load_job(const Registry& registry, const std::string& path, const JobOptions& options) {
  Errors errors;
  Reader reader(options.vars, errors);
  reader.variables().set_limits(options.limits);
  PLAIT_ASSIGN(auto fields, reader.read_file(path));
  Job job;
  job.file = path;
  job.name = job_name_of(path);
  return finish(registry, reader, std::move(fields), std::move(job), options, errors);
}

Result<Job> parse_job(const Registry& registry, const std::string& text, const std::string& name,
                      const JobOptions& options) {
  Errors errors;
  Reader reader(options.vars, errors);
  reader.variables().set_limits(options.limits);
  Job job;
  job.file = name;
  job.name = job_name_of(name);
  auto fields = reader.read_text(name, text);
  return finish(registry, reader, std::move(fields), std::move(job), options, errors);
}

Result<PluginSpec> parse_plugin(const Registry& registry, const std::vector<std::string>& blocks,
                                const std::string& text, const std::string& name) {
  Errors errors;
  Reader reader({}, errors);
  PLAIT_ASSIGN(const auto schema, Schema::build(registry));
  const auto fields = check_names(*schema, schema->job(), reader.read_text(name, text), errors);
  PLAIT_TRY(errors.status());
  if (fields.size() != 1) return {Code::kInvalid, name + ": wanted one block"};
  const Place file{&reader.texts().front(), 0, 1, true};
  const TypedBlock typed(*schema, fields[0], errors);
  Scope scope{schema.get(), &typed, &typed.message(), &typed.tree(), file, file};
  for (const std::string& block : blocks) {
    const auto* field = scope.message->GetDescriptor()->FindFieldByName(block);
    if (field == nullptr || scope.count(field) == 0) return {Code::kInvalid, name + ": no block " + block};
    scope = scope.nested(field, 0);
  }
  PluginSpec spec = configure_plugin(scope, errors);
  PLAIT_TRY(errors.status());
  if (!spec) return {Code::kInvalid, name + ": no plugin in block " + blocks.back()};
  return spec;
}

Result<Job> parse_stage(const Registry& registry, const Job& base, const std::string& title,
                        const std::string& text, Work work) {
  Errors errors;
  Reader reader({}, errors);
  Job job = base;
  job.file = title;
  job.name = title;
  job.layers.clear();
  job.losses.clear();
  job.metrics.clear();
  job.schedules.clear();
  job.pretrain.clear();
  job.evaluate.monitor.clear();
  JobOptions options;
  options.for_training = work == Work::kTraining;
  auto fields = reader.read_text(title, text);
  const auto is_layer = [](const Field& field) { return field.name.text == "layer"; };
  if (work == Work::kTask && std::ranges::none_of(fields, is_layer)) job.source = job.optimizer = {};
  return finish(registry, reader, std::move(fields), std::move(job), options, errors);
}

Result<PluginScan> scan_plugins(const std::string& path, const std::map<std::string, std::string>& vars) {
  Errors ignored;  // load_job says them
  Reader reader(vars, ignored);
  PLAIT_ASSIGN(const auto fields, reader.read_file(path));
  PluginScan scan;
  for (const Field& field : fields) {
    if (field.is_message || field.is_unresolved()) continue;
    const std::string named = absolute_path(scalar_text(field.scalar), writer_of(field.scalar));
    const Location place = location_of(scalar_place(field));
    if (field.name.text == "plugin") {
      scan.plugins.push_back(named);
      scan.plugin_places.push_back(place);
    } else if (field.name.text == "plugin_path") {
      scan.plugin_path.push_back(named);
      scan.plugin_path_places.push_back(place);
    }
  }
  return scan;
}

Status connect_parts(Job& job, const std::vector<std::string>& parts) {
  PartsCheck check(job, parts);
  for (LayerSpec& layer : job.layers)
    for (InputRef& input : layer.inputs) check.input(input, "layer \"" + layer.name + "\"");
  for (LossSpec& loss : job.losses) {
    const std::string user = "loss \"" + loss.name + "\"";
    for (InputRef& input : loss.inputs) check.input(input, user);
    for (InputRef& target : loss.targets) check.target(target, user);
    if (loss.weights) check.part(*loss.weights, user);
  }
  for (MetricSpec& metric : job.metrics) {
    check.input(metric.input, "metric " + metric_name(metric));
    check.target(metric.target, "metric " + metric_name(metric));
  }
  return check.text().empty() ? Status() : Status(Code::kInvalid, check.text());
}

std::string error_at(const Location& where, const std::string& message) {
  std::string text = (where.file.empty() ? "" : where.place_text() + ": ") + "error: " + message;
  if (!where.iteration.empty()) text += " (" + where.iteration + ")";
  if (where.line == 0) return text;
  const auto content = read_job_text(where.file);
  if (!content) return text;
  const SourceText source{where.file, *content};
  return text + "\n" + source_line_with_caret(place_at(source, where.line, where.column));
}

}  // namespace plait::inline pipeline
