// Laws of every kind: configurations, creating and destroying.
#include <fmt/format.h>

#include <cstring>
#include <functional>
#include <tuple>

#include "verify/config_samples.h"
#include "verify/heap.h"
#include "verify/law.h"
#include "verify/layer_run.h"
#include "verify/samples.h"

namespace plait {
namespace {

// Makes and destroys one instance.
struct Maker {
  std::string what;
  std::function<Status(uint64_t refused)> make;  // its allocation of that number is refused; 0: none
};

bool is_kind_of(Trial& trial, const char* kind) { return std::strcmp(trial.type().kind, kind) == 0; }

Result<std::vector<Maker>> layer_makers(Trial& trial, size_t count) {
  PLAIT_ASSIGN(auto cases, layer_cases(trial, count));
  std::vector<Maker> makers;
  for (LayerCase& made : cases) {
    makers.push_back({made.text(), [&trial, made](uint64_t refused) {
                        BenchOptions options;
                        options.refused_allocation = refused;
                        return LayerBench::create(trial, made, options).status();
                      }});
  }
  return makers;
}

template <class Ops>
std::pair<int (*)(plait_context*, const plait_config*, void**), void (*)(void*)> create_of(Trial& trial) {
  const auto& ops = trial.ops<Ops>();
  return {ops.create, ops.destroy};
}

bool has_child(const plait_config& config) {
  for (const ConfigField& field : config.fields)
    if (field.field->kind == PLAIT_FIELD_CHILD && !field.values.empty()) return true;
  return false;
}

// create of the kinds that take a configuration alone, without what the host does around it.
Result<Maker> plain_maker(Trial& trial, const Example& one) {
  int (*create)(plait_context*, const plait_config*, void**) = nullptr;
  void (*destroy)(void*) = nullptr;
  if (is_kind_of(trial, "optimizer")) std::tie(create, destroy) = create_of<plait_optimizer_ops>(trial);
  if (is_kind_of(trial, "schedule")) std::tie(create, destroy) = create_of<plait_schedule_ops>(trial);
  if (is_kind_of(trial, "reducer")) std::tie(create, destroy) = create_of<plait_reducer_ops>(trial);
  if (is_kind_of(trial, "pretrainer")) std::tie(create, destroy) = create_of<plait_pretrainer_ops>(trial);
  if (is_kind_of(trial, "source"))
    create = trial.ops<plait_source_ops>().open, destroy = trial.ops<plait_source_ops>().close;
  if (create == nullptr) return skipped("created by the laws of its kind");
  if (has_child(*one.config)) return skipped("has children");
  return Maker{config_text(*one.config), [create, destroy, config = one.config](uint64_t refused) {
                 CallContext context;
                 void* self = nullptr;
                 const Status status = context.call([&] {
                   const Refusal refusal(refused);
                   return create(context.raw(), config.get(), &self);
                 });
                 if (status) destroy(self);
                 return status;
               }};
}

Result<std::vector<Maker>> makers(Trial& trial, size_t count) {
  if (is_kind_of(trial, "layer")) return layer_makers(trial, count);
  PLAIT_ASSIGN(auto cases, config_cases(trial, count));
  std::vector<Maker> made;
  Status none = skipped("create refuses what can be guessed");
  for (const Example& one : cases) {
    auto maker = plain_maker(trial, one);
    if (maker && maker->make(0)) made.push_back(std::move(*maker));
    if (!maker) none = maker.status();
  }
  if (made.empty()) return none;
  return made;
}

Status creates_cleanly(Trial& trial) {
  if (heap_watch() == nullptr) return skipped("the heap is not watched");
  PLAIT_ASSIGN(const auto all, makers(trial, 3));
  for (const Maker& maker : all) {
    constexpr int kTimes = 50;
    trial.doing("create and destroy, " + maker.what);
    for (int i = 0; i < 3; ++i) static_cast<void>(maker.make(0));
    const int64_t before = heap_watch()->live_blocks();
    for (int i = 0; i < kTimes; ++i) static_cast<void>(maker.make(0));
    const int64_t left = heap_watch()->live_blocks() - before;
    if (left >= kTimes)
      return broken(fmt::format("leaks: {} blocks more after {} times create and destroy ({})", left, kTimes,
                                maker.what));
  }
  return {};
}

Status survives_refusals(Trial& trial) {
  if (heap_watch() == nullptr) return skipped("the heap is not watched");
  PLAIT_ASSIGN(const auto all, makers(trial, 1));
  const Maker& maker = all.front();
  uint64_t k = 1;
  for (; k < 300; ++k) {
    trial.doing(fmt::format("create with allocation {} refused, {}", k, maker.what));
    static_cast<void>(maker.make(k));
    if (!heap_watch()->refused()) break;
    PLAIT_TRY(maker.make(0).at(fmt::format("create after one whose allocation {} was refused", k)));
  }
  trial.remark(fmt::format("{} refusals", k - 1));
  return {};
}

// Every configuration within the ranges is accepted or refused in words.
Status any_configuration(Trial& trial) {
  ConfigSampler sampler(trial.registry(), trial.dice());
  PLAIT_ASSIGN(const auto examples, trial.examples());
  std::vector<std::shared_ptr<plait_config>> configs;
  for (const Example& example : examples) configs.push_back(example.config);
  for (int i = 0; i < 300; ++i) configs.push_back(sampler.random(trial.type()));
  int tried = 0;
  for (const auto& config : configs) {
    if (config == nullptr) continue;
    trial.doing("validate for " + config_text(*config));
    const Status status = validate(trial.type(), *config);
    ++tried;
    if (!status && status.message().find("gave no reason") != std::string::npos)
      return broken("validate refuses " + config_text(*config) + " without saying why");
  }
  if (tried == 0) return skipped("no configuration can be guessed");
  trial.remark(fmt::format("{} configurations", tried));
  return {};
}

}  // namespace

std::vector<Law> type_laws() {
  return {
      {"type", "any_configuration", Severity::kMust,
       "takes any configuration within the ranges, or says why not", any_configuration},
      {"type", "create_leaks_nothing", Severity::kMust, "create and destroy leave nothing behind",
       creates_cleanly},
      {"type", "create_refused_allocation", Severity::kShould, "an allocation refused in create ends cleanly",
       survives_refusals},
  };
}

}  // namespace plait
