#include <algorithm>
#include <mutex>
#include <set>
#include <utility>

#include "graph/input.h"
#include "graph/sample_chain.h"
#include "io/io_context.h"

namespace plait {

struct SampleReader::Body {
  std::unique_ptr<SampleChain> chain;
  std::unique_ptr<IoContext> io_context;
  std::mutex mutex;
  std::set<std::pair<uint64_t, uint64_t>> bad;  // epoch, place
  Status first_bad;
};

SampleReader::SampleReader(std::unique_ptr<Body> body) : body_(std::move(body)) {}
SampleReader::~SampleReader() = default;

Result<std::unique_ptr<SampleReader>> SampleReader::create(const Registry& registry, const PluginSpec& source,
                                                           const Options& options) {
  auto body = std::make_unique<Body>();
  PLAIT_ASSIGN(body->chain, SampleChain::create(registry, source, options));
  const SourceDescription& opened = body->chain->source();
  if (opened.blocking || !opened.random_access) {
    PLAIT_ASSIGN(body->io_context, IoContext::create());
  }
  return std::unique_ptr<SampleReader>(new SampleReader(std::move(body)));
}

bool SampleReader::is_waiting() const {
  return std::ranges::any_of(body_->chain->operators(), &ChainOperator::is_late);
}
Result<std::optional<WantedFit>> SampleReader::complete(const Registry& registry, const Options& options) {
  return body_->chain->complete(registry, options);
}
void SampleReader::give_fit(const WantedFit& wanted, std::vector<double> fit) {
  body_->chain->give_fit(wanted, std::move(fit));
}

int64_t SampleReader::records() const { return body_->chain->source().records; }
uint32_t SampleReader::classes() const { return body_->chain->source().n_classes; }
std::vector<std::string> SampleReader::class_names() const { return body_->chain->source().class_names; }
const std::vector<PartSpec>& SampleReader::source_parts() const { return body_->chain->source_parts(); }
const std::vector<PartSpec>& SampleReader::parts() const { return body_->chain->batch_parts(); }
Fits SampleReader::fits() const {
  Fits fits;
  const auto& operators = body_->chain->operators();
  for (size_t i = body_->chain->augmenters(); i < operators.size(); ++i) fits.push_back(operators[i].fit);
  return fits;
}
const SampleChain& SampleReader::chain() const { return *body_->chain; }
IoContext* SampleReader::io_context() const { return body_->io_context.get(); }

SampleReader::ScratchOwner SampleReader::make_scratch() const {
  return ScratchOwner(new Scratch(*body_->chain));
}
void SampleReader::FreeScratch::operator()(Scratch* scratch) const { delete scratch; }

Status SampleReader::read(const SampleRef& sample, int place_in_batch, std::span<void* const> parts,
                          std::span<int32_t* const> lengths, Scratch& scratch) const {
  scratch.lay();
  body_->chain->aim(place_in_batch, parts, scratch);
  PLAIT_TRY(body_->chain->read_source(sample, scratch));
  PLAIT_TRY(body_->chain->transform(sample, scratch));
  body_->chain->collate(place_in_batch, parts, lengths, scratch);
  return {};
}

bool SampleReader::report_bad(const SampleRef& sample, const Status& why) const {
  const std::lock_guard lock(body_->mutex);
  if (body_->bad.empty()) body_->first_bad = why;
  return body_->bad.emplace(sample.epoch, sample.place).second;
}

Status SampleReader::first_bad() const {
  const std::lock_guard lock(body_->mutex);
  return body_->first_bad;
}

}  // namespace plait
