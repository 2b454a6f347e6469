// Records that a stage makes, where a file may say a source: `from` and `array` in place of `source`.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "pipeline/job.h"

namespace plait::inline pipeline {

// See registry/stage_rows.h.
PluginSpec stage_source(const std::string& stage, std::shared_ptr<StageArrays> arrays,
                        const std::vector<std::string>& names, const Location& where);
bool is_stage_source(const PluginSpec& source);
// As a file says it: `from: "x" array: "y" `
std::string stage_source_text(const PluginSpec& source);
// The stage's name, and what it makes; "" and null where a plugin is the source.
std::string stage_of(const PluginSpec& source);
std::shared_ptr<StageArrays> arrays_of(const PluginSpec& source);

// Whether the stage that makes the records has still to run.
bool waits_for_records(const PluginSpec& source);
// Of training, choosing or testing, or of a pretrainer.
bool waits_for_records(const Job& job);

}  // namespace plait::inline pipeline
