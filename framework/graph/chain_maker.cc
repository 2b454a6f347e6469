// SampleChain::create and complete: opens the source, makes the operators, and says which of them wait for a
// pass over the data.
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/random_keys.h"
#include "graph/sample_cast.h"
#include "graph/sample_chain.h"
#include "registry/stage_arrays.h"

namespace plait::inline graph {

class ChainMaker {
 public:
  ChainMaker(const Registry& registry, const SampleChain::Options& options, SampleChain& chain)
      : registry_(registry), options_(options), chain_(&chain) {}

  Status run(const PluginSpec& source) {
    chain_->training_ = options_.training;
    chain_->cancelled_ = options_.cancelled;
    PLAIT_TRY(open(source));
    for (const Written& one : written()) PLAIT_TRY(add(one));
    chain_->augmenters_ = options_.training ? augmenters() : 0;
    chain_->batch_parts_ = chain_->last_parts();
    for (PartSpec& part : chain_->batch_parts_) part.dtype = batch_dtype(part.dtype);
    return check_whole_batches();
  }

  Result<std::optional<WantedFit>> complete() {
    const std::vector<Written> all = written();
    for (size_t i = 0; i < chain_->operators_.size(); ++i) {
      ChainOperator& op = chain_->operators_[i];
      if (!op.is_late) continue;
      if (waits_for_stage(*all[i].spec->config)) break;
      PLAIT_ASSIGN(std::optional<WantedFit> wanted, make(all[i], i, op));
      if (wanted) return wanted;
    }
    return std::optional<WantedFit>();
  }

 private:
  // An operator of the file, and its place: in the whole chain, as if it were one of training, and in
  // preprocess, or -1.
  struct Written {
    const PluginSpec* spec;
    size_t number;
    int preprocess;
  };

  size_t augmenters() const { return options_.augment == nullptr ? 0 : options_.augment->size(); }

  std::vector<Written> written() const {
    std::vector<Written> all;
    for (size_t i = 0; options_.training && i < augmenters(); ++i)
      all.push_back({&(*options_.augment)[i], i, -1});
    for (size_t i = 0; options_.preprocess != nullptr && i < options_.preprocess->size(); ++i)
      all.push_back({&(*options_.preprocess)[i], augmenters() + i, static_cast<int>(i)});
    return all;
  }

  // What comes into operator `i`.
  const std::vector<PartSpec>& parts_before(size_t i) const {
    return i == 0 ? chain_->source_parts() : chain_->operators_[i - 1].parts;
  }

  static std::string place_of(const PluginSpec& spec) {
    return fmt::format("{} ({})", spec.id(), spec.where.text());
  }

  Status open(const PluginSpec& source) {
    CallContext context(1, nullptr, options_.cancelled);
    auto opened = create_instance(registry_, *source.entry, *source.config, PLAIT_HOST_DEVICE, context);
    if (!opened) return opened.status().at(source.where.text() + origins_text(*source.config));
    auto described = describe_source(*opened, context, options_.most_records);
    if (!described) return described.status().at(source.where.text() + origins_text(*source.config));
    chain_->source_ = std::move(*opened);
    chain_->description_ = std::move(*described);
    if (waits_for_stage(*source.config)) chain_->description_.records = options_.records_before;
    chain_->source_place_ = place_of(source);
    chain_->source_key_ = random_key(options_.seed, RandomPurpose::kAugment, "source " + source.id());
    return {};
  }

  Status add(const Written& one) {
    const PluginSpec& spec = *one.spec;
    ChainOperator op;
    op.place = place_of(spec);
    op.key = random_key(options_.seed, RandomPurpose::kAugment, fmt::format("{} {}", one.number, spec.id()));
    CallContext context;
    auto parts = infer_augmenter(*spec.entry, *spec.config, chain_->last_parts(), context);
    if (!parts) return parts.status().at(spec.where.text() + origins_text(*spec.config));
    op.parts = std::move(*parts);
    PLAIT_ASSIGN(const auto* ops, registry_.ops<plait_augmenter_ops>(spec.entry->type->id));
    op.whole_batches = PLAIT_HAS(ops, apply_batch);
    // What comes after a late operator may want a pass over what that one makes.
    const bool is_behind_late = !chain_->operators_.empty() && chain_->operators_.back().is_late;
    op.is_late = true;
    if (!is_behind_late && !waits_for_stage(*spec.config))
      PLAIT_TRY(make(one, chain_->operators_.size(), op).status());
    chain_->operators_.push_back(std::move(op));
    return {};
  }

  Result<uint32_t> fit_size_of(const PluginSpec& spec, const plait_augmenter_ops& ops, size_t i) const {
    const plait_augmenter_ops* table = &ops;
    if (!PLAIT_HAS(table, fit_size) || !PLAIT_HAS(table, fit_observe)) return uint32_t{0};
    const RawParts raw(parts_before(i));
    CallContext context;
    uint32_t size = 0;
    PLAIT_TRY(context
                  .call([&] {
                    size = ops.fit_size(context.raw(), spec.config.get(), raw.size(), raw.data());
                    return context.error_code() == 0 ? PLAIT_OK : PLAIT_FAILED;
                  })
                  .at(place_of(spec)));
    return size;
  }

  // Operator `i`; those before it are made. It stays late where it wants a fit that there is not.
  Result<std::optional<WantedFit>> make(const Written& one, size_t i, ChainOperator& op) {
    const PluginSpec& spec = *one.spec;
    PLAIT_ASSIGN(const auto* ops, registry_.ops<plait_augmenter_ops>(spec.entry->type->id));
    PLAIT_ASSIGN(const uint32_t fit_size, fit_size_of(spec, *ops, i));
    CallContext context(1, nullptr, options_.cancelled);
    plait_fit fit{};
    if (fit_size > 0) {
      PLAIT_TRY(take_fit(one, fit_size, op.fit));
      if (op.fit.empty()) return std::optional(WantedFit{i, op.place, &spec, ops, fit_size});
      fit = {sizeof fit, static_cast<uint32_t>(op.fit.size()), op.fit.data()};
      context.set_fit(&fit);
    }
    auto made = create_augmenter(registry_, *spec.entry, *spec.config, parts_before(i), context);
    if (!made) return made.status().at(spec.where.text() + origins_text(*spec.config));
    op.instance = std::move(*made);
    PLAIT_ASSIGN(op.workspace, op.workspace_bytes(0));
    op.is_late = false;
    return std::optional<WantedFit>();
  }

  // Of those that were made before, where the operator has not been given its own.
  Status take_fit(const Written& one, uint32_t size, std::vector<double>& fit) const {
    if (!fit.empty() || options_.fits == nullptr || one.preprocess < 0) return {};
    const auto number = static_cast<size_t>(one.preprocess);
    if (number >= options_.fits->size() || (*options_.fits)[number].size() != size)
      return {Code::kInvalid,
              place_of(*one.spec) + ": its pass over the training data was made for other parts"};
    fit = (*options_.fits)[number];
    return {};
  }

  // Whole batches are worked on after the last operator has seen the last sample, as collated.
  Status check_whole_batches() const {
    for (const ChainOperator& op : chain_->operators_) {
      if (!op.whole_batches) continue;
      const bool kept = std::ranges::equal(
          op.parts, chain_->batch_parts_,
          [](const PartSpec& a, const PartSpec& b) { return a.name == b.name && a.shape == b.shape; });
      if (!kept) {
        return {Code::kUnsupported,
                op.place + " works on whole batches, so that operators after it have to keep the parts"};
      }
    }
    return {};
  }

  const Registry& registry_;
  const SampleChain::Options& options_;
  SampleChain* chain_;
};

Result<std::unique_ptr<SampleChain>> SampleChain::create(const Registry& registry, const PluginSpec& source,
                                                         const SampleChain::Options& options) {
  std::unique_ptr<SampleChain> chain(new SampleChain);
  PLAIT_TRY(ChainMaker(registry, options, *chain).run(source));
  return chain;
}

Result<std::optional<WantedFit>> SampleChain::complete(const Registry& registry,
                                                       const SampleChain::Options& options) {
  return ChainMaker(registry, options, *this).complete();
}

}  // namespace plait::inline graph
