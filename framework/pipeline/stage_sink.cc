#include "pipeline/stage_sink.h"

#include <fmt/format.h>

#include <algorithm>

#include "pipeline/job_name.h"
#include "registry/endings.h"
#include "registry/kind_of.h"
#include "registry/sink.h"

namespace plait::inline pipeline {
namespace {

bool is_for(const TypeEntry& sink, const std::string& file) {
  return std::ranges::any_of(endings_of(sink), [&](const std::string& ending) {
    return file.ends_with(ending) && file.size() > ending.size();
  });
}

void take_by_ending(StageSpec& stage, const Scope& scope, Errors& errors) {
  const Place place = scope.place_of("output");
  const Registry& registry = scope.schema->registry();
  const std::string sinks = kKindOf<plait_sink_ops>;
  const std::vector<const TypeEntry*> fit = types_for_file(registry, sinks, stage.output);
  if (fit.empty())
    return errors.add(
        place, fmt::format("no sink that is loaded writes a file \"{}\"", stage.output),
        fmt::format("endings that there are: {}", fmt::join(all_endings(registry, sinks), ", ")));
  if (fit.size() > 1)
    return errors.add(
        place,
        fmt::format("both {} and {} write a file \"{}\"", fit[0]->type->id, fit[1]->type->id, stage.output),
        fmt::format("name one of them, as in: sink {{ [{}] {{ }} }}", fit[0]->type->id));
  stage.sink = plugin_with_defaults(*scope.schema, *fit.front(), place, errors);
}

}  // namespace

void check_output(const StageSpec& stage, const Scope& scope, Errors& errors) {
  const std::string& file = stage.output;
  const Place place = scope.place_of("output");
  if (file.size() > kMaxJobName_bytes)
    return errors.add(place, fmt::format("the output \"{}\" has {} bytes, wanted a name of at most {}", file,
                                         file.size(), kMaxJobName_bytes));
  const bool is_of_run = file == "curve.csv" || file == "weights.safetensors";
  if (is_of_run || file.empty() || file.front() == '.' || file.find('/') != std::string::npos)
    errors.add(
        place, fmt::format("the output \"{}\" is no name of a file for the run's folder", file),
        "as in: output: \"words.tsv\"; no folders, and not curve.csv or weights.safetensors, which are "
        "the run's own");
}

void choose_sink(StageSpec& stage, const Scope& scope, bool is_written, Errors& errors) {
  if (!is_written) take_by_ending(stage, scope, errors);
  if (!stage.sink || (stage.is_task() && !stage.task)) return;
  const TypeEntry& sink = *stage.sink.entry;
  const Place place = scope.place_of(is_written ? "sink" : "output");
  if (!is_for(sink, stage.output))
    errors.add(place, fmt::format("the sink {} writes {}, and the output is \"{}\"", sink.short_name(),
                                  fmt::join(endings_of(sink), ", "), stage.output));
  if (stage.is_keyed() ? writes_pairs(sink) : writes_arrays(sink)) return;
  errors.add(place,
             fmt::format("{} makes {}, and the sink {} writes none",
                         stage.is_task() ? "the task " + stage.task.entry->short_name() : "the stage",
                         stage.is_keyed() ? "pairs of a key and a value" : "arrays", sink.short_name()));
}

}  // namespace plait::inline pipeline
