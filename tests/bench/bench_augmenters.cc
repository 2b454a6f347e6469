// Times augmenters one by one on one core: median over samples, each with random numbers of its own, in the
// thread's processor time. usage: bench_augmenters [HxWxC] [u8|f32] [TYPE...]; prints "TYPE microseconds", a
// line each. Types have their default fields; all that take such a picture without a type.
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>

#include <plait/sdk/testing_plugin.hpp>

#include "graph/arena.h"
#include "registry/registry.h"

namespace {

using namespace plait;
using namespace plait::sdk::testing;

double thread_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// Fails with: what the plugin says.
double microseconds(const TypeEntry& entry, const sdk::PartSpec& image) {
  const auto& ops =
      *static_cast<const plait_augmenter_ops*>(entry.implementations.at(PLAIT_HOST_DEVICE)->ops);
  const auto& rules = *static_cast<const plait_augmenter_rules*>(entry.type->rules);
  TestHost host;
  Settings settings(entry.type->fields, entry.type->n_fields);
  const std::vector<sdk::PartSpec> parts{image};
  const SpecList specs(parts);
  PartsTaken taken;
  host.check(rules.infer(host.context(), settings.c(), specs.size(), specs.data(), taken.builder()));
  void* self = nullptr;
  host.check(ops.create(host.context(), settings.c(), specs.size(), specs.data(), &self));
  TestSample sample;
  TestTensor& in = sample.inputs.emplace_back(image);
  sdk::Random random(1, 1);
  if (image.dtype == sdk::DType::u8) {
    for (uint8_t& value : in.data<uint8_t>()) value = static_cast<uint8_t>(random.next());
  } else {
    in.randomize(1, 0, 1);
  }
  for (const sdk::PartSpec& part : taken.parts) sample.outputs.emplace_back(part);
  uint64_t bytes = 0;
  const plait_augmenter_ops* const table = &ops;
  if (PLAIT_HAS(table, workspace)) host.check(ops.workspace(self, host.context(), 0, &bytes));
  const TestTensor workspace("", sdk::DType::u8, {static_cast<int64_t>(bytes) + 1});
  sample.workspace = workspace.view().raw();
  std::vector<double> all;
  for (double spent = 0; all.size() < 2000 && spent < 0.5;) {
    sample.rng = {1, all.size()};
    const plait_sample_call* const call = sample.c();
    const double begin = thread_seconds();
    host.check(ops.apply(self, host.context(), call));
    all.push_back(thread_seconds() - begin);
    spent += all.back();
  }
  ops.destroy(self);
  std::nth_element(all.begin(), all.begin() + static_cast<ptrdiff_t>(all.size() / 2), all.end());
  return 1e6 * all[all.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
  long long height = 224, width = 224, channels = 3;
  if (argc > 1 && std::sscanf(argv[1], "%lldx%lldx%lld", &height, &width, &channels) != 3)
    return std::fprintf(stderr, "got %s, wanted HxWxC\n", argv[1]), 1;
  const sdk::DType type = argc > 2 && argv[2] == std::string("f32") ? sdk::DType::f32 : sdk::DType::u8;
  auto registry = Registry::load(default_search_path({}, {}));
  if (!registry) return std::fprintf(stderr, "%s\n", registry.status().message().c_str()), 1;
  Lanes lanes(1);
  lanes.execute([&] {
    for (const auto& [name, entry] : registry->types()) {
      const std::string id = entry.type->id;
      if (entry.type->kind != std::string("augmenter")) continue;
      if (argc > 3 && std::find(argv + 3, argv + argc, id) == argv + argc) continue;
      try {
        std::printf("%-28s %10.2f\n", id.c_str(),
                    microseconds(entry, {"image", type, {height, width, channels}}));
      } catch (const std::exception& error) {
        std::printf("%-28s does not take it: %s\n", id.c_str(), error.what());
      }
      std::fflush(stdout);
    }
  });
  return 0;
}
