#include "graph/sample_reader.h"

#include <algorithm>

#include "io/io_context.h"

namespace plait::inline graph {

SampleReader::SampleReader() = default;
SampleReader::~SampleReader() = default;

Result<std::unique_ptr<SampleReader>> SampleReader::create(const Registry& registry, const PluginSpec& source,
                                                           const Options& options) {
  std::unique_ptr<SampleReader> reader(new SampleReader);
  PLAIT_ASSIGN(reader->chain_, SampleChain::create(registry, source, options));
  const SourceDescription& opened = reader->chain_->source();
  if (opened.blocking || !opened.random_access) {
    PLAIT_ASSIGN(reader->io_context_, IoContext::create());
  }
  return reader;
}

bool SampleReader::is_waiting() const {
  return std::ranges::any_of(chain_->operators(), &ChainOperator::is_late);
}

Fits SampleReader::fits() const {
  Fits fits;
  const auto& operators = chain_->operators();
  for (size_t i = chain_->augmenters(); i < operators.size(); ++i) fits.push_back(operators[i].fit);
  return fits;
}

Status SampleReader::read(const SampleRef& sample, int place_in_batch, std::span<void* const> parts,
                          std::span<const ExtentsOut> extents, SampleScratch& scratch) const {
  scratch.lay();
  chain_->aim(place_in_batch, parts, scratch, chain_->operators().size());
  PLAIT_TRY(chain_->read_source(sample, scratch));
  PLAIT_TRY(chain_->transform(sample, scratch));
  chain_->collate(place_in_batch, parts, extents, scratch);
  return {};
}

bool SampleReader::report_bad(const SampleRef& sample, const Status& why) const {
  const std::lock_guard lock(mutex_);
  const std::pair<uint64_t, uint64_t> at(sample.epoch, sample.place);
  if (bad_.empty() || at < *bad_.begin()) first_bad_ = why;
  return bad_.emplace(sample.epoch, sample.place).second;
}

Status SampleReader::first_bad() const {
  const std::lock_guard lock(mutex_);
  return first_bad_;
}

}  // namespace plait::inline graph
