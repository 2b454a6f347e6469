#include "train/augment_samples.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

#include "graph/sample_cast.h"
#include "graph/sample_chain.h"
#include "pipeline/stage_source.h"
#include "registry/shape_text.h"
#include "train/job_data.h"
#include "train/sample_order.h"

namespace plait::inline train {
namespace {

constexpr int64_t kMostPosition = int64_t{1} << 62;
constexpr int64_t kCellPixels = 96;  // that a picture of the drawing has along its longer edge, about

// One part of a sample between two steps.
struct PartView {
  const PartSpec* spec;
  const std::byte* data;
  int64_t used[2];  // along variable axes

  size_t bytes() const { return element_count(*spec) * dtype_bytes(spec->dtype); }
};

PartView view_of(const std::vector<PartSpec>& parts, const SampleLevel& level, size_t i) {
  return {
      &parts[i], static_cast<const std::byte*>(level.data(i)), {level.lengths(0)[i], level.lengths(1)[i]}};
}

// What there is of it, the extents first.
std::vector<std::byte> bytes_of(const PartView& part) {
  std::vector<std::byte> bytes(sizeof part.used + part.bytes());
  int64_t used[2] = {0, 0};
  for (int k = 0; k < 2; ++k)
    if (part.spec->varying(k) >= 0) used[k] = part.used[k];
  std::memcpy(bytes.data(), used, sizeof used);
  std::memcpy(bytes.data() + sizeof used, part.data, part.bytes());
  return bytes;
}

std::optional<int64_t> whole_number_of(const PartView& part) {
  if (element_count(*part.spec) != 1) return std::nullopt;
  if (part.spec->dtype == PLAIT_I32) return *reinterpret_cast<const int32_t*>(part.data);
  if (part.spec->dtype == PLAIT_I64) return *reinterpret_cast<const int64_t*>(part.data);
  return std::nullopt;
}

class Augmenting {
 public:
  Augmenting(const Registry& registry, const Job& job, const AugmentOptions& options)
      : registry_(registry), job_(job), options_(options) {}

  Result<AugmentedSamples> run() {
    PLAIT_TRY(open());
    PLAIT_TRY(choose_part());
    PLAIT_ASSIGN(const std::vector<SampleRef> chosen, choose_samples());
    if (!made_.drawn.empty()) PLAIT_TRY(lay_out(static_cast<int64_t>(chosen.size())));
    scratch_ = std::make_unique<SampleScratch>(*chain_);
    made_.samples.resize(chosen.size());
    // A source may have to be read in order.
    std::vector<size_t> order(chosen.size());
    for (size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::ranges::sort(order, {}, [&](size_t i) { return chosen[i].record; });
    for (const size_t i : order) PLAIT_TRY(show(chosen[i], i));
    return std::move(made_);
  }

 private:
  size_t steps() const { return chain_->operators().size() + 1; }

  Status open() {
    if (!job_.source) return {Code::kInvalid, job_.file + ": there is no source of records to train on"};
    if (waits_for_records(job_.source))
      return {Code::kUnsupported, job_.file + ": the records come from a stage, which plait run has"};
    SampleChain::Options how;
    how.seed = job_.seed;
    how.augment = &job_.augment;
    PLAIT_ASSIGN(chain_, SampleChain::create(registry_, job_.source, how));
    made_.steps.push_back({chain_->source_place(), parts_text(chain_->parts_at(0)), false});
    for (const ChainOperator& op : chain_->operators()) {
      if (op.is_late)
        return {Code::kUnsupported,
                op.place + ": waits for a stage or a pass over the data, which plait run has"};
      made_.steps.push_back({op.place, parts_text(op.parts), op.whole_batches});
    }
    return {};
  }

  const PartSpec* picture_at(size_t step, const std::string& name) const {
    const PartSpec* part = find_part(chain_->parts_at(step), name);
    return part && is_picture(*part) ? part : nullptr;
  }

  Status choose_part() {
    if (!options_.draws) return {};
    const auto is_one = [&](const std::string& name) {
      for (size_t step = 0; step < steps(); ++step)
        if (!picture_at(step, name)) return false;
      return true;
    };
    for (const PartSpec& part : chain_->source_parts())
      if ((options_.part.empty() || part.name == options_.part) && is_one(part.name)) {
        made_.drawn = part.name;
        return {};
      }
    std::string text =
        options_.part.empty() ? "no part is a picture" : "part \"" + options_.part + "\" is no picture";
    text += " behind every step, wanted u8 or f32 [H, W], or [H, W, C] with C 1 or 3:";
    for (const AugmentStep& step : made_.steps) text += "\n" + step.place + ": " + step.parts;
    return {Code::kInvalid, text};
  }

  Result<std::vector<SampleRef>> choose_samples() const {
    const TrainingOrder order = training_order(job_, *chain_);
    const int64_t count = order.records();
    if (const int64_t most = kMostPosition / std::max<int64_t>(1, count) - 1;
        options_.epoch > static_cast<uint64_t>(most))
      return Status(Code::kInvalid, fmt::format("got epoch {}, wanted 0 to {}", options_.epoch, most));
    const int64_t first = static_cast<int64_t>(options_.epoch) * count;
    std::vector<SampleRef> chosen;
    if (!options_.record) {
      for (int64_t i = 0; i < std::min(options_.samples, count); ++i)
        chosen.push_back(order.sample(first + i));
      return chosen;
    }
    for (int64_t i = 0; i < count && chosen.empty(); ++i)
      if (const SampleRef one = order.sample(first + i); one.record == *options_.record)
        chosen.push_back(one);
    if (!chosen.empty()) return chosen;
    const int64_t records = chain_->source().records;
    if (*options_.record < 0 || *options_.record >= records)
      return Status(Code::kInvalid,
                    fmt::format("got record {}, wanted 0 to {}", *options_.record, records - 1));
    return Status(Code::kInvalid, fmt::format("record {} is held out for validation: no augmenter sees it",
                                              *options_.record));
  }

  Status lay_out(int64_t samples) {
    std::vector<PartSpec> pictures;
    int64_t longest = 1;
    for (size_t step = 0; step < steps(); ++step) {
      pictures.push_back(*picture_at(step, made_.drawn));
      longest = std::max({longest, pictures.back().shape[0], pictures.back().shape[1]});
    }
    const int64_t scale = options_.scale > 0 ? options_.scale : std::max<int64_t>(1, kCellPixels / longest);
    PLAIT_ASSIGN(made_.grid, PictureGrid::create(samples, static_cast<int64_t>(steps()), pictures, scale));
    return {};
  }

  // Levels share memory with those two before: each step is looked at before the next.
  Status show(const SampleRef& ref, size_t row) {
    AugmentedSample& sample = made_.samples[row];
    sample.record = ref.record, sample.epoch = ref.epoch, sample.place = ref.place;
    PLAIT_TRY(chain_->read_source(ref, *scratch_));
    std::vector<std::pair<const PartSpec*, std::vector<std::byte>>> before;
    for (size_t step = 0; step < steps(); ++step) {
      if (step > 0) PLAIT_TRY(chain_->transform_one(ref, *scratch_, step - 1));
      const std::vector<PartSpec>& parts = chain_->parts_at(step);
      std::vector<std::pair<const PartSpec*, std::vector<std::byte>>> now;
      std::string told;
      for (size_t i = 0; i < parts.size(); ++i) {
        const PartView part = view_of(parts, scratch_->level(step), i);
        now.emplace_back(&parts[i], bytes_of(part));
        const std::string one = step == 0                        ? number_text(part)
                                : is_changed(before, now.back()) ? parts[i].name
                                                                 : "";
        if (!one.empty()) told += (told.empty() ? "" : ", ") + one;
        if (made_.grid && parts[i].name == made_.drawn)
          made_.grid->draw(static_cast<int64_t>(row), static_cast<int64_t>(step), parts[i], part.data,
                           part.used);
      }
      sample.told.push_back(std::move(told));
      before = std::move(now);
    }
    return {};
  }

  using Kept = std::pair<const PartSpec*, std::vector<std::byte>>;
  static bool is_changed(const std::vector<Kept>& before, const Kept& now) {
    const auto it =
        std::ranges::find_if(before, [&](const Kept& one) { return one.first->name == now.first->name; });
    return it == before.end() || it->first->dtype != now.first->dtype ||
           it->first->shape != now.first->shape || it->second != now.second;
  }

  std::string number_text(const PartView& part) const {
    const auto number = whole_number_of(part);
    if (!number) return "";
    const std::vector<std::string>& names = chain_->source().class_names;
    const bool has_name =
        part.spec->name == "label" && *number >= 0 && *number < static_cast<int64_t>(names.size());
    return part.spec->name + " " + std::to_string(*number) +
           (has_name ? " (" + names[static_cast<size_t>(*number)] + ")" : "");
  }

  const Registry& registry_;
  const Job& job_;
  const AugmentOptions& options_;
  std::unique_ptr<SampleChain> chain_;
  std::unique_ptr<SampleScratch> scratch_;
  AugmentedSamples made_;
};

}  // namespace

Result<AugmentedSamples> augment_samples(const Registry& registry, const Job& job,
                                         const AugmentOptions& options) {
  return Augmenting(registry, job, options).run();
}

}  // namespace plait::inline train
