#include "cluster/exact_sum.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <mutex>

namespace plait {
namespace {

constexpr size_t kPieceElements = 4096;  // 16 KiB of f32: the two passes over a piece stay in the first cache
constexpr int64_t kLargestTotal32 = 255;
constexpr int64_t kLargestPart = int64_t{1} << (kWindowBits - 1);
static_assert(kLargestPart * kLargestTotal32 <= std::numeric_limits<int32_t>::max());
static_assert(kLargestPart <= std::numeric_limits<int64_t>::max() / ExactSum::kLargestTotal);

Status check_segments(std::vector<Segment> segments) {
  std::erase_if(segments, [](const Segment& segment) { return segment.count == 0; });
  std::sort(segments.begin(), segments.end(),
            [](const Segment& a, const Segment& b) { return a.offset < b.offset; });
  for (size_t i = 1; i < segments.size(); ++i) {
    const Segment& before = segments[i - 1];
    if (segments[i].offset >= before.offset + before.count) continue;
    return {Code::kInvalid, "segments \"" + before.name + "\" and \"" + segments[i].name + "\" overlap"};
  }
  return {};
}

Status not_finite(const Segment& segment, size_t first, std::span<const float> values) {
  const auto bad = std::find_if(values.begin(), values.end(), [](float x) { return !std::isfinite(x); });
  const std::string what = std::isnan(*bad) ? "not a number" : "infinite";
  const auto element = first + static_cast<size_t>(bad - values.begin());
  return {Code::kNumeric, "\"" + segment.name + "\": element " + std::to_string(element) + " of " +
                              std::to_string(segment.count) + " is " + what};
}

template <class Integer>
Bins<Integer> bins_of(std::vector<Integer>& high, std::vector<Integer>& low, std::vector<uint8_t>& windows,
                      size_t position, size_t count) {
  return {std::span(high).subspan(position, count), std::span(low).subspan(position, count),
          std::span(windows).subspan(position, count)};
}

}  // namespace

// Aligned so that the locks of two pieces do not share a cache line.
struct alignas(64) ExactSum::Piece {
  std::mutex mutex;
  uint32_t segment = 0;
  uint32_t count = 0;
  size_t offset = 0;    // in the arena
  size_t position = 0;  // in the arrays of its rule
};

Result<std::unique_ptr<ExactSum>> ExactSum::create(std::vector<Segment> segments, int64_t total_weight) {
  PLAIT_TRY(check_segments(segments));
  if (total_weight < 1 || total_weight > kLargestTotal) {
    return Status(Code::kInvalid, "exact sum: the weights of all shards add up to " +
                                      std::to_string(total_weight) + ", wanted 1 to " +
                                      std::to_string(kLargestTotal));
  }
  std::unique_ptr<ExactSum> sum(new ExactSum(std::move(segments), total_weight));
  sum->begin();
  return sum;
}

ExactSum::ExactSum(std::vector<Segment> segments, int64_t total_weight)
    : segments_(std::move(segments)), total_weight_(total_weight), positions_(segments_.size()) {
  place_sums();
  cut_into_pieces();
}

ExactSum::~ExactSum() = default;

void ExactSum::place_sums() {
  const bool one = total_weight_ == 1;
  size_t means = 0, largest = 0, kept = 0;
  for (size_t i = 0; i < segments_.size(); ++i) {
    if (segments_[i].rule == ReduceRule::kNone) continue;
    size_t& size = one ? kept : segments_[i].rule == ReduceRule::kMax ? largest : means;
    positions_[i] = size;
    size += segments_[i].count;
  }
  const bool narrow = total_weight_ <= kLargestTotal32;
  high32_.resize(narrow ? means : 0);
  low32_.resize(narrow ? means : 0);
  high64_.resize(narrow ? 0 : means);
  low64_.resize(narrow ? 0 : means);
  windows_.resize(means);
  max_.resize(largest);
  bits_.resize(kept);
}

void ExactSum::cut_into_pieces() {
  const auto pieces_of = [](const Segment& segment) {
    return segment.rule == ReduceRule::kNone ? 0 : (segment.count + kPieceElements - 1) / kPieceElements;
  };
  for (const Segment& segment : segments_) piece_count_ += pieces_of(segment);
  pieces_ = std::make_unique<Piece[]>(piece_count_);
  Piece* piece = pieces_.get();
  for (size_t i = 0; i < segments_.size(); ++i) {
    for (size_t k = 0; k < pieces_of(segments_[i]); ++k, ++piece) {
      const size_t start = k * kPieceElements;
      piece->segment = static_cast<uint32_t>(i);
      piece->count = static_cast<uint32_t>(std::min(kPieceElements, segments_[i].count - start));
      piece->offset = segments_[i].offset + start;
      piece->position = positions_[i] + start;
    }
  }
}

uint64_t ExactSum::bytes(std::span<const Segment> segments, int64_t total_weight) {
  const uint64_t mean = total_weight == 1 ? 4 : total_weight <= kLargestTotal32 ? 9 : 17;
  uint64_t bytes = 0;
  for (const Segment& segment : segments) {
    if (segment.rule != ReduceRule::kNone)
      bytes += segment.count * (segment.rule == ReduceRule::kMean ? mean : 4);
  }
  return bytes;
}

void ExactSum::begin() {
  std::ranges::fill(high32_, 0);
  std::ranges::fill(low32_, 0);
  std::ranges::fill(high64_, 0);
  std::ranges::fill(low64_, 0);
  std::ranges::fill(windows_, uint8_t{1});
  std::ranges::fill(max_, std::numeric_limits<int32_t>::min());
  std::ranges::fill(bits_, 0);
  weight_ = 0;
}

Status ExactSum::accumulate(std::span<const float> values, int32_t weight) {
  if (weight < 1 || weight > total_weight_ - weight_.fetch_add(weight))
    return {Code::kInvalid, "exact sum: a shard of weight " + std::to_string(weight) +
                                " goes beyond the total weight " + std::to_string(total_weight_)};
  // Threads that come at the same time start at different pieces, so that they seldom wait for each other.
  const size_t first = piece_count_ == 0 ? 0 : turn_.fetch_add(1) * (piece_count_ / 3 + 1) % piece_count_;
  for (size_t i = 0; i < piece_count_; ++i) {
    Piece& piece = pieces_[(first + i) % piece_count_];
    if (piece.offset + piece.count > values.size())
      return {Code::kInvalid, "exact sum: the arena has " + std::to_string(values.size()) + " values, \"" +
                                  segments_[piece.segment].name + "\" goes beyond them"};
    PLAIT_TRY(add(piece, values.subspan(piece.offset, piece.count), weight));
  }
  return {};
}

Status ExactSum::add(Piece& piece, std::span<const float> values, int32_t weight) {
  const Segment& segment = segments_[piece.segment];
  if (largest_magnitude_bits(values) >= kInfinityBits)
    return not_finite(segment, piece.offset - segment.offset, values);
  std::lock_guard lock(piece.mutex);
  if (total_weight_ == 1) {
    for (size_t i = 0; i < values.size(); ++i) bits_[piece.position + i] = std::bit_cast<int32_t>(values[i]);
  } else if (segment.rule == ReduceRule::kMax) {
    for (size_t i = 0; i < values.size(); ++i) {
      int32_t& largest = max_[piece.position + i];
      largest = std::max(largest, to_ordered(values[i]));
    }
  } else if (total_weight_ <= kLargestTotal32) {
    add_to_bins(bins_of(high32_, low32_, windows_, piece.position, piece.count), values, weight);
  } else {
    add_to_bins(bins_of(high64_, low64_, windows_, piece.position, piece.count), values, weight);
  }
  return {};
}

// What the ranks must know of each other before sums can be added, and what needs no such knowledge.
void ExactSum::agree_on(std::vector<Reduction>& parts) {
  found_weight_ = weight_;
  parts.push_back(Reduction::sum({&found_weight_, 1}));
  agreed_ = windows_;
  if (!agreed_.empty()) parts.push_back(Reduction::max(std::span(agreed_)));
  if (!max_.empty()) parts.push_back(Reduction::max(std::span(max_)));
  if (!bits_.empty()) parts.push_back(Reduction::sum(std::span(bits_)));
}

void ExactSum::raise() {
  const size_t count = windows_.size();
  if (total_weight_ <= kLargestTotal32)
    raise_bins(bins_of(high32_, low32_, windows_, 0, count), agreed_);
  else
    raise_bins(bins_of(high64_, low64_, windows_, 0, count), agreed_);
}

void ExactSum::collect(std::vector<Reduction>& parts) {
  for (auto* sums : {&high32_, &low32_})
    if (!sums->empty()) parts.push_back(Reduction::sum(std::span(*sums)));
  for (auto* sums : {&high64_, &low64_})
    if (!sums->empty()) parts.push_back(Reduction::sum(std::span(*sums)));
}

Status ExactSum::check_complete() const {
  if (found_weight_ == total_weight_) return {};
  return {Code::kPeer, "exact sum: the shards of all ranks weigh " + std::to_string(found_weight_) +
                           ", wanted " + std::to_string(total_weight_) +
                           ": one is missing or was counted twice"};
}

Status ExactSum::reduce(Transport& transport) {
  ExactSum* const self = this;
  return reduce(transport, {&self, 1});
}

Status ExactSum::reduce(Transport& transport, std::span<ExactSum* const> sums) {
  if (transport.size() == 1) {
    for (ExactSum* sum : sums) {
      sum->found_weight_ = sum->weight_;
      PLAIT_TRY(sum->check_complete());
    }
    return {};
  }
  std::vector<Reduction> parts;
  for (ExactSum* sum : sums) sum->agree_on(parts);
  PLAIT_TRY(transport.all_reduce(parts));
  parts.clear();
  for (ExactSum* sum : sums) {
    PLAIT_TRY(sum->check_complete());
    sum->raise();
    sum->collect(parts);
  }
  return parts.empty() ? Status() : transport.all_reduce(parts);
}

void ExactSum::mean(std::span<float> out) const {
  const auto total = static_cast<double>(total_weight_);
  for (size_t i = 0; i < segments_.size(); ++i) {
    const Segment& segment = segments_[i];
    if (segment.rule == ReduceRule::kNone) continue;
    const size_t at = positions_[i], count = segment.count;
    const std::span<float> target = out.subspan(segment.offset, count);
    const auto part = [&](const auto& values) { return std::span(values).subspan(at, count); };
    if (total_weight_ == 1)
      std::ranges::transform(part(bits_), target.begin(), [](int32_t b) { return std::bit_cast<float>(b); });
    else if (segment.rule == ReduceRule::kMax)
      std::ranges::transform(part(max_), target.begin(), from_ordered);
    else if (total_weight_ <= kLargestTotal32)
      write_mean(target, Bins<const int32_t>{part(high32_), part(low32_), part(windows_)}, total);
    else
      write_mean(target, Bins<const int64_t>{part(high64_), part(low64_), part(windows_)}, total);
  }
}

}  // namespace plait
