#include "pipeline/reducer_use.h"

#include <string>

#include "pipeline/pipeline.pb.h"

namespace plait::inline pipeline {

ReducerUse reducer_use(const pb::Descriptor* message, bool trains) {
  if (message == job::Pipeline::descriptor()) return ReducerUse::kShards;
  if (message != job::Stage::descriptor()) return ReducerUse::kAny;
  return trains ? ReducerUse::kShards : ReducerUse::kKeys;
}

bool fits(const TypeEntry& type, ReducerUse use) {
  if (use == ReducerUse::kAny || std::string(type.type->kind) != "reducer") return true;
  const auto* rules = static_cast<const plait_reducer_rules*>(type.type->rules);
  return (rules != nullptr && rules->infer != nullptr) == (use == ReducerUse::kKeys);
}

}  // namespace plait::inline pipeline
