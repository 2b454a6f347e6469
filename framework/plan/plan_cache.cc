#include "plan/plan_cache.h"

#include <algorithm>

namespace plait::inline plan {
namespace {

// Elements numbered from 1, so that an order of its own shows. Exact in f32 up to 2^24, then again from 1.
std::vector<std::vector<float>> numbered(const Network& network) {
  std::vector<std::vector<float>> plain;
  for (const ParameterInfo& info : network.parameters) {
    plain.emplace_back(info.elements);
    for (uint64_t i = 0; i < info.elements; ++i)
      plain.back()[i] = static_cast<float>(i % ((uint64_t{1} << 24) - 1) + 1);
  }
  return plain;
}

Result<std::vector<float>> numbered_arena(const Plan& plan) {
  std::vector<float> arena(plan.arena_elements());
  PLAIT_TRY(plan.pack(numbered(plan.network()), arena.data()));
  return arena;
}

bool same_place(const ParameterPlace& a, const ParameterPlace& b) {
  return a.offset == b.offset && a.stored == b.stored && a.trained == b.trained;
}

Status check_same_form(const Plan& whole, const Plan& plan, const std::string& extents) {
  PLAIT_ASSIGN(const std::vector<float> wanted, numbered_arena(whole));
  PLAIT_ASSIGN(const std::vector<float> got, numbered_arena(plan));
  for (size_t i = 0; i < whole.parameters().size(); ++i) {
    const ParameterPlace& place = whole.parameters()[i];
    const auto begin = static_cast<std::ptrdiff_t>(place.offset);
    const auto end = begin + static_cast<std::ptrdiff_t>(place.stored);
    if (same_place(place, plan.parameters()[i]) &&
        std::equal(wanted.begin() + begin, wanted.begin() + end, got.begin() + begin))
      continue;
    return {Code::kUnsupported, "parameter " + whole.network().parameters[i].name +
                                    " is kept in another form for extents of " + extents +
                                    " than at the bound; train { buckets: false } "
                                    "computes everything at the bound"};
  }
  return {};
}

// "56", "56x32": of the first part that varies.
std::string variable_extents(const std::vector<PartSpec>& parts) {
  for (const PartSpec& part : parts) {
    if (!part.varies()) continue;
    const std::string first = std::to_string(part.bound(0));
    return part.second_axis < 0 ? first : first + "x" + std::to_string(part.bound(1));
  }
  return "0";
}

}  // namespace

PlanCache::PlanCache(Buckets buckets, Compile compile)
    : buckets_(std::move(buckets)), compile_(std::move(compile)), plans_(buckets_.count()) {}

Result<std::unique_ptr<PlanCache>> PlanCache::create(Buckets buckets, Compile compile) {
  std::unique_ptr<PlanCache> cache(new PlanCache(std::move(buckets), std::move(compile)));
  PLAIT_ASSIGN(cache->plans_.front(), cache->compile_(cache->buckets_.parts(0)));
  return cache;
}

Result<const Plan*> PlanCache::at(size_t bucket) {
  const std::lock_guard lock(mutex_);
  if (!plans_[bucket]) {
    const std::vector<PartSpec>& parts = buckets_.parts(bucket);
    PLAIT_ASSIGN(std::unique_ptr<Plan> plan, compile_(parts));
    PLAIT_TRY(check_same_form(whole(), *plan, variable_extents(parts)));
    plans_[bucket] = std::move(plan);
  }
  return static_cast<const Plan*>(plans_[bucket].get());
}

uint64_t PlanCache::activation_bytes() const {
  const auto sample_bytes = [&](size_t bucket) {
    double bytes = 0;
    for (const PartSpec& part : buckets_.parts(bucket)) bytes += static_cast<double>(byte_count(part));
    return bytes;
  };
  double samples = 0;
  for (size_t bucket = 0; bucket < buckets_.count(); ++bucket) samples += sample_bytes(bucket);
  return static_cast<uint64_t>(static_cast<double>(whole().activation_bytes()) * samples / sample_bytes(0));
}

size_t PlanCache::compiled() const {
  const std::lock_guard lock(mutex_);
  return static_cast<size_t>(std::ranges::count_if(plans_, [](const auto& plan) { return plan != nullptr; }));
}

}  // namespace plait::inline plan
