#include "verify/benches/samples.h"

#include <atomic>
#include <cstring>
#include <thread>

#include "graph/float_state.h"
#include "graph/padding.h"
#include "registry/shape_text.h"
#include "verify/benches/extreme_configs.h"
#include "verify/engine/config_samples.h"
#include "verify/engine/law.h"

namespace plait::inline verify {

Status validate(const plait_type& type, const plait_config& config) {
  const plait_type* known = &type;
  if (!PLAIT_HAS(known, validate)) return {};
  CallContext context;
  return context.call([&] { return type.validate(context.raw(), &config); });
}

Result<std::vector<Example>> config_cases(Trial& trial, size_t count) {
  if (trial.whole_ranges()) return extreme_cases(trial, count);
  constexpr int kDraws = 60;
  PLAIT_ASSIGN(auto cases, trial.examples());
  ConfigSampler sampler(trial.registry(), trial.dice());
  std::string refusal;
  const auto add = [&](std::shared_ptr<plait_config> config) {
    if (config == nullptr) return;
    trial.doing("validate for " + config_text(*config));
    const Status status = validate(trial.type(), *config);
    if (status)
      cases.push_back({std::move(config), {}, 0, 0});
    else
      refusal = status.message();
  };
  add(sampler.plain(trial.type()));
  for (int i = 0; i < kDraws && cases.size() < count; ++i) add(sampler.random(trial.type()));
  if (!cases.empty()) return cases;
  return skipped("no configuration found that can be guessed" +
                 (refusal.empty() ? "" : " (validate last said: " + refusal + ")") +
                 "; give an example (plait/verify.h)");
}

SampleTensor::SampleTensor(const PartSpec& spec, Poison poison)
    : spec_(spec), memory_(byte_count(spec), poison) {
  raw_ = tensor_of(spec_);
  raw_.data = memory_.data();
  raw_.name = spec_.name.empty() ? nullptr : spec_.name.c_str();
}

bool same_within(const SampleTensor& a, const SampleTensor& b, const int32_t* const extents[2]) {
  const uint64_t bytes = dtype_bytes(a.spec().dtype);
  bool same = true;
  SampleGrid(a.spec(), extents).each_valid([&](uint64_t at, uint64_t count) {
    same = same && (count == 0 || std::memcmp(a.memory().as<uint8_t>() + at * bytes,
                                              b.memory().as<uint8_t>() + at * bytes, count * bytes) == 0);
  });
  return same;
}

Status SampleTensor::lend_to(DeviceSide& side) {
  PLAIT_TRY(side.lend(memory_));
  raw_.data = memory_.given();
  return {};
}

uint64_t SampleTensor::elements() const { return element_count(spec_.shape); }

double SampleTensor::get(uint64_t k) const {
  switch (spec_.dtype) {
    case PLAIT_F32:
      return memory_.as<float>()[k];
    case PLAIT_F64:
      return memory_.as<double>()[k];
    case PLAIT_U8:
      return memory_.as<uint8_t>()[k];
    case PLAIT_I32:
      return memory_.as<int32_t>()[k];
    case PLAIT_I64:
      return static_cast<double>(memory_.as<int64_t>()[k]);
    default:
      return 0;
  }
}

void SampleTensor::set(uint64_t k, double value) {
  switch (spec_.dtype) {
    case PLAIT_F32:
      memory_.as<float>()[k] = static_cast<float>(value);
      break;
    case PLAIT_F64:
      memory_.as<double>()[k] = value;
      break;
    case PLAIT_U8:
      memory_.as<uint8_t>()[k] = static_cast<uint8_t>(value);
      break;
    case PLAIT_I32:
      memory_.as<int32_t>()[k] = static_cast<int32_t>(value);
      break;
    case PLAIT_I64:
      memory_.as<int64_t>()[k] = static_cast<int64_t>(value);
      break;
    default:
      break;
  }
}

void SampleTensor::draw(Dice& dice, double low, double high, uint32_t bound) {
  const bool is_float = spec_.dtype == PLAIT_F32 || spec_.dtype == PLAIT_F64;
  for (uint64_t k = 0; k < elements(); ++k)
    set(k, is_float ? dice.between(low, high) : static_cast<double>(dice.below(bound)));
}

std::unique_ptr<SampleTensor> slice(const SampleTensor& whole, int64_t begin, int64_t end) {
  PartSpec spec = whole.spec();
  const uint64_t stride = byte_count(spec) / static_cast<uint64_t>(spec.shape[0]);
  spec.shape[0] = end - begin;
  auto part = std::make_unique<SampleTensor>(spec, Poison::kNan);
  part->memory().write(whole.memory().as<uint8_t>() + static_cast<uint64_t>(begin) * stride,
                       part->memory().bytes());
  return part;
}

std::string at_once(size_t count, const std::function<std::string(size_t n)>& work) {
  std::vector<std::string> texts(count);
  std::atomic<size_t> waiting{count};
  std::vector<std::thread> threads;
  for (size_t n = 0; n < count; ++n) {
    threads.emplace_back([&, n] {
      FloatState state;
      --waiting;
      while (waiting > 0) std::this_thread::yield();
      texts[n] = work(n);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (std::string& text : texts)
    if (!text.empty()) return std::move(text);
  return "";
}

}  // namespace plait::inline verify
