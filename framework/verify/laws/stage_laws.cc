// Laws of types with a field that names a stage.
#include <fmt/format.h>

#include "registry/instance.h"
#include "registry/stage_arrays.h"
#include "registry/task_form.h"
#include "verify/engine/law.h"

namespace plait::inline verify {
namespace {

bool names_stage(const plait_config& config) {
  std::vector<const StageArrays*> named;
  add_stages(config, named);
  return !named.empty();
}

// The same fields while the stages have not run: shapes without values.
std::shared_ptr<plait_config> waiting(const plait_config& config) {
  auto copy = clone_config(config);
  for (ConfigField& field : copy->fields) {
    for (std::shared_ptr<StageArrays>& stage : field.stages) {
      if (stage == nullptr) continue;
      std::vector<PartSpec> specs;
      for (const StageArrays::Array& array : stage->arrays()) specs.push_back(array.spec);
      stage = std::make_shared<StageArrays>();
      stage->declare(specs);
    }
  }
  return copy;
}

std::string text_of(const std::vector<PartSpec>& parts) {
  std::string text;
  for (const PartSpec& part : parts) text += (text.empty() ? "" : ", ") + part_text(part);
  return text;
}

// What infer answers.
Result<std::string> answer(Trial& trial, const plait_config& config, const std::vector<PartSpec>& inputs) {
  CallContext context;
  if (std::string(trial.type().kind) == "augmenter") {
    PLAIT_ASSIGN(const auto parts, infer_augmenter(trial.entry(), config, inputs, context));
    return text_of(parts);
  }
  PLAIT_ASSIGN(const TaskForm form, infer_task(trial.entry(), config, inputs, context));
  return form.is_keyed() ? std::string("pairs") : text_of(form.outputs());
}

Status stage_shapes(Trial& trial) {
  PLAIT_ASSIGN(const auto examples, trial.examples());
  int tried = 0;
  for (const Example& one : examples) {
    if (one.inputs.empty() || !names_stage(*one.config)) continue;
    trial.doing("infer while the stage that it names has not run");
    PLAIT_ASSIGN(const std::string after, answer(trial, *one.config, one.inputs));
    const auto before = answer(trial, *waiting(*one.config), one.inputs);
    if (!before) return before.status().at("infer while the stage that it names has not run");
    if (*before != after)
      return broken(fmt::format(
          "infer answers {} while the stage that it names has not run, and {} once it has", *before, after));
    ++tried;
  }
  if (tried == 0) return skipped("no example names a stage");
  trial.remark(fmt::format("{} cases", tried));
  return {};
}

constexpr const char* kPromise =
    "infer answers the same before a stage that a field names has run, from shapes alone";

}  // namespace

std::vector<Law> stage_laws() {
  return {{"augmenter", "stage_shapes", Severity::kMust, kPromise, stage_shapes},
          {"task", "stage_shapes", Severity::kMust, kPromise, stage_shapes}};
}

}  // namespace plait::inline verify
