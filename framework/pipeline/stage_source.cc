#include "pipeline/stage_source.h"

#include <algorithm>

#include "pipeline/resolved.h"
#include "registry/stage_rows.h"

namespace plait::inline pipeline {

PluginSpec stage_source(const std::string& stage, std::shared_ptr<StageArrays> arrays,
                        const std::vector<std::string>& names, const Location& where) {
  return {&stage_rows(), stage_rows_config(stage, std::move(arrays), names), where};
}

bool is_stage_source(const PluginSpec& source) { return source && is_stage_rows(*source.entry->type); }

std::string stage_source_text(const PluginSpec& source) {
  std::string text = "from: " + quoted_text(stage_of_rows(*source.config)) + " ";
  for (const std::string& array : arrays_of_rows(*source.config))
    text += "array: " + quoted_text(array) + " ";
  return text;
}

std::string stage_of(const PluginSpec& source) {
  return is_stage_source(source) ? stage_of_rows(*source.config) : "";
}

std::shared_ptr<StageArrays> arrays_of(const PluginSpec& source) {
  return is_stage_source(source) ? source.config->fields.front().stages.front() : nullptr;
}

bool waits_for_records(const PluginSpec& source) {
  return is_stage_source(source) && waits_for_stage(*source.config);
}

bool waits_for_records(const Job& job) {
  return waits_for_records(job.source) || waits_for_records(job.validation) || waits_for_records(job.test) ||
         std::ranges::any_of(job.pretrain,
                             [](const PretrainSpec& one) { return waits_for_records(one.source); });
}

}  // namespace plait::inline pipeline
