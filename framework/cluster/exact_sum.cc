#include "cluster/exact_sum.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <iterator>
#include <limits>
#include <mutex>
#include <utility>

namespace plait::inline cluster {
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

template <class Integer>
Bins<Integer> bins_of(std::vector<Integer>& high, std::vector<Integer>& low, std::vector<uint8_t>& windows) {
  return {high, low, windows};
}

template <class Integer>
Bins<Integer> part_of(const Bins<Integer>& bins, size_t position, size_t count) {
  return {bins.high.subspan(position, count), bins.low.subspan(position, count),
          bins.window.subspan(position, count)};
}

template <class Integer>
float float_of(Integer bits) {
  return std::bit_cast<float>(static_cast<int32_t>(bits));
}

template <class Integer>
BlockReduction::Column column_of(std::span<Integer> values) {
  return {reinterpret_cast<std::byte*>(values.data()), sizeof(Integer)};
}

// Leaves the bits of the means in `high`.
template <class Integer>
BlockReduction block_reduction(const Bins<Integer>& bins, int64_t total_weight) {
  BlockReduction reduction;
  reduction.elements = bins.high.size();
  reduction.columns = {column_of(bins.high), column_of(bins.low), column_of(bins.window)};
  reduction.add = [bins](size_t first, size_t count, std::span<const std::byte* const> other) {
    add_bins(part_of(bins, first, count),
             Bins<const Integer>{{reinterpret_cast<const Integer*>(other[0]), count},
                                 {reinterpret_cast<const Integer*>(other[1]), count},
                                 {reinterpret_cast<const uint8_t*>(other[2]), count}});
  };
  reduction.finish = [bins, total = static_cast<double>(total_weight)](size_t first, size_t count) {
    std::array<float, 1024> means;
    for (size_t end = first + count; first < end; first += means.size()) {
      const Bins<Integer> part = part_of(bins, first, std::min(means.size(), end - first));
      const std::span<float> made = std::span(means).first(part.high.size());
      write_mean(made, Bins<const Integer>{part.high, part.low, part.window}, total);
      std::ranges::transform(made, part.high.begin(),
                             [](float x) { return Integer{std::bit_cast<int32_t>(x)}; });
    }
  };
  return reduction;
}

// Of an element whose mean is made.
uint64_t mean_bytes(int64_t total_weight) {
  return total_weight == 1 ? 4 : total_weight <= kLargestTotal32 ? 9 : 17;
}

}  // namespace

Status check_finite(const Segment& segment, size_t first, std::span<const float> values) {
  if (largest_magnitude_bits(values) < kInfinityBits) return {};
  const auto bad = std::find_if(values.begin(), values.end(), [](float x) { return !std::isfinite(x); });
  const std::string what = std::isnan(*bad) ? "not a number" : "infinite";
  const auto element = first + static_cast<size_t>(bad - values.begin());
  return {Code::kNumeric, "\"" + segment.name + "\": element " + std::to_string(element) + " of " +
                              std::to_string(segment.count) + " is " + what};
}

Status check_weights(int64_t found, int64_t total_weight) {
  if (found == total_weight) return {};
  return {Code::kPeer, "exact sum: the shards of all ranks weigh " + std::to_string(found) + ", wanted " +
                           std::to_string(total_weight) + ": one is missing or was counted twice"};
}

// Aligned so that the locks of two pieces do not share a cache line.
struct alignas(64) ExactSum::Piece {
  std::mutex mutex;
  bool has_sums = false;  // of this round: before, its part of the arrays holds those of another
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
  const uint64_t mean = mean_bytes(total_weight);
  uint64_t bytes = 0;
  for (const Segment& segment : segments) {
    if (segment.rule != ReduceRule::kNone)
      bytes += segment.count * (segment.rule == ReduceRule::kMean ? mean : 4);
  }
  return bytes;
}

uint64_t ExactSum::exchange_bytes(uint64_t elements, int64_t total_weight) {
  return std::min<uint64_t>(elements, BlockReduction::kTurnElements) * mean_bytes(total_weight);
}

void ExactSum::begin() {
  for (size_t i = 0; i < piece_count_; ++i) pieces_[i].has_sums = false;
  weight_ = 0;
  high_is_mean_ = false;
}

Status ExactSum::too_heavy(int32_t weight, int64_t total_weight) {
  return {Code::kInvalid, "exact sum: a shard of weight " + std::to_string(weight) +
                              " goes beyond the total weight " + std::to_string(total_weight)};
}


bool ExactSum::is_wide(int64_t total_weight) { return total_weight > kLargestTotal32; }

ExactSum::Given ExactSum::given(int64_t weight) {
  for (size_t i = 0; i < piece_count_; ++i) pieces_[i].has_sums = true;
  weight_ += weight;
  if (is_wide(total_weight_))
    return {std::as_writable_bytes(std::span(high64_)), std::as_writable_bytes(std::span(low64_)), windows_};
  return {std::as_writable_bytes(std::span(high32_)), std::as_writable_bytes(std::span(low32_)), windows_};
}

Status ExactSum::accumulate(std::span<const float> values, int32_t weight) {
  if (weight < 1 || weight > total_weight_ - weight_.fetch_add(weight))
    return too_heavy(weight, total_weight_);
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

// Just before the first shard is added, so that the piece is in the cache by then.
void ExactSum::begin(Piece& piece) {
  if (std::exchange(piece.has_sums, true)) return;
  const auto fill = [&](auto& values, auto with) {
    std::fill_n(values.data() + piece.position, piece.count, with);
  };
  if (total_weight_ == 1) return fill(bits_, 0);
  if (segments_[piece.segment].rule == ReduceRule::kMax)
    return fill(max_, std::numeric_limits<int32_t>::min());
  fill(windows_, uint8_t{1});
  if (total_weight_ <= kLargestTotal32) return fill(high32_, 0), fill(low32_, 0);
  fill(high64_, 0), fill(low64_, 0);
}

Status ExactSum::add(Piece& piece, std::span<const float> values, int32_t weight) {
  const Segment& segment = segments_[piece.segment];
  PLAIT_TRY(check_finite(segment, piece.offset - segment.offset, values));
  std::lock_guard lock(piece.mutex);
  begin(piece);
  if (total_weight_ == 1) {
    for (size_t i = 0; i < values.size(); ++i) bits_[piece.position + i] = std::bit_cast<int32_t>(values[i]);
  } else if (segment.rule == ReduceRule::kMax) {
    for (size_t i = 0; i < values.size(); ++i) {
      int32_t& largest = max_[piece.position + i];
      largest = std::max(largest, to_ordered(values[i]));
    }
  } else if (total_weight_ <= kLargestTotal32) {
    add_to_bins(part_of(bins_of(high32_, low32_, windows_), piece.position, piece.count), values, weight);
  } else {
    add_to_bins(part_of(bins_of(high64_, low64_, windows_), piece.position, piece.count), values, weight);
  }
  return {};
}

std::vector<Reduction> ExactSum::whole_parts() {
  found_weight_ = weight_;
  std::vector<Reduction> parts = {Reduction::sum({&found_weight_, 1})};
  if (!max_.empty()) parts.push_back(Reduction::max(std::span(max_)));
  if (!bits_.empty()) parts.push_back(Reduction::sum(std::span(bits_)));
  return parts;
}

std::vector<BlockReduction> ExactSum::block_parts() {
  std::vector<BlockReduction> parts;
  if (!high32_.empty()) parts.push_back(block_reduction(bins_of(high32_, low32_, windows_), total_weight_));
  if (!high64_.empty()) parts.push_back(block_reduction(bins_of(high64_, low64_, windows_), total_weight_));
  high_is_mean_ = !parts.empty();
  return parts;
}

Status ExactSum::check_complete() const { return check_weights(found_weight_, total_weight_); }

Status ExactSum::reduce(Transport& transport) {
  ExactSum* const self = this;
  return reduce(transport, {&self, 1});
}

Status ExactSum::reduce(Transport& transport, std::span<ExactSum* const> sums) {
  for (ExactSum* sum : sums)
    for (size_t i = 0; i < sum->piece_count_; ++i) sum->begin(sum->pieces_[i]);
  if (transport.size() == 1) {
    for (ExactSum* sum : sums) {
      sum->found_weight_ = sum->weight_;
      PLAIT_TRY(sum->check_complete());
    }
    return {};
  }
  std::vector<Reduction> whole;
  for (ExactSum* sum : sums) std::ranges::move(sum->whole_parts(), std::back_inserter(whole));
  PLAIT_TRY(transport.all_reduce(whole));
  std::vector<BlockReduction> blocks;
  for (ExactSum* sum : sums) {
    PLAIT_TRY(sum->check_complete());
    std::ranges::move(sum->block_parts(), std::back_inserter(blocks));
  }
  return blocks.empty() ? Status() : transport.reduce_blocks(blocks);
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
    else if (high_is_mean_ && total_weight_ <= kLargestTotal32)
      std::ranges::transform(part(high32_), target.begin(), float_of<int32_t>);
    else if (high_is_mean_)
      std::ranges::transform(part(high64_), target.begin(), float_of<int64_t>);
    else if (total_weight_ <= kLargestTotal32)
      write_mean(target, Bins<const int32_t>{part(high32_), part(low32_), part(windows_)}, total);
    else
      write_mean(target, Bins<const int64_t>{part(high64_), part(low64_), part(windows_)}, total);
  }
}

}  // namespace plait::inline cluster
