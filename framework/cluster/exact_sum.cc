#include "cluster/exact_sum.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <mutex>

#include "cluster/exact_kernels.h"

namespace plait {
namespace {

constexpr size_t kPieceElements = 4096;  // 16 KiB of f32: the two passes over a piece stay in the first cache
constexpr int kLargestScaleBits = 125;   // x * 2^125 < 1/2 for every denormal x
constexpr int64_t kLargestWeight32 = 65'536;

// The fixed point of a rule.
struct Format {
  int bits;
  int headroom_bits;
};
Format format_of(ReduceRule rule) { return rule == ReduceRule::kMean64 ? Format{63, 8} : Format{32, 2}; }
bool is_mean(ReduceRule rule) { return rule == ReduceRule::kMean32 || rule == ReduceRule::kMean64; }

// The largest f32 not above Q.
float largest_term(int bits, int64_t total_weight) {
  const int64_t limit = ((int64_t{1} << (bits - 1)) - 1) / total_weight;
  float term = static_cast<float>(limit);
  if (static_cast<int64_t>(term) > limit) term = std::nextafter(term, 0.0f);
  return term;
}

// B - 1 - h
int integer_bits(int bits, int64_t total_weight) {
  return bits - 1 - std::bit_width(static_cast<uint64_t>(total_weight - 1));
}

int scale_bits(int32_t exponent, Format format, int64_t total_weight) {
  return std::min(kLargestScaleBits, integer_bits(format.bits, total_weight) - exponent);
}

// The smallest exponent at which `magnitude` (above 0) fits.
int32_t fitting_exponent(float magnitude, Format format, int64_t total_weight) {
  const float term = largest_term(format.bits, total_weight);
  int s = std::min(kLargestScaleBits, std::ilogb(term) - std::ilogb(magnitude) + 1);
  while (std::ldexp(static_cast<double>(magnitude), s) > term) --s;
  return integer_bits(format.bits, total_weight) - s;
}

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

Status check_weight(const std::vector<Segment>& segments, int64_t total_weight) {
  const auto is_32 = [](const Segment& segment) { return segment.rule == ReduceRule::kMean32; };
  const bool narrow = std::any_of(segments.begin(), segments.end(), is_32);
  const int64_t limit = narrow ? kLargestWeight32 : std::numeric_limits<int32_t>::max();
  if (total_weight >= 1 && total_weight <= limit) return {};
  return {Code::kInvalid, "exact sum: the weights of all shards add up to " + std::to_string(total_weight) +
                              ", wanted 1 to " + std::to_string(limit)};
}

Status not_finite(const Segment& segment, std::span<const float> values) {
  const auto bad = std::find_if(values.begin(), values.end(), [](float x) { return !std::isfinite(x); });
  const std::string what = std::isnan(*bad) ? "not a number" : "infinite";
  return {Code::kNumeric, "\"" + segment.name + "\": element " + std::to_string(bad - values.begin()) +
                              " of " + std::to_string(values.size()) + " is " + what};
}

}  // namespace

// Aligned so that the locks of two pieces do not share a cache line.
struct alignas(64) ExactSum::Piece {
  std::mutex mutex;
  uint32_t segment = 0;
  uint32_t count = 0;
  size_t offset = 0;            // in the arena
  size_t position = 0;          // in the segment's array of sums
  uint32_t magnitude_bits = 0;  // of the largest |x| of this round
};

Result<std::unique_ptr<ExactSum>> ExactSum::create(std::vector<Segment> segments, int64_t total_weight) {
  PLAIT_TRY(check_segments(segments));
  PLAIT_TRY(check_weight(segments, total_weight));
  std::unique_ptr<ExactSum> sum(new ExactSum(std::move(segments), total_weight));
  sum->begin();
  return sum;
}

ExactSum::ExactSum(std::vector<Segment> segments, int64_t total_weight)
    : segments_(std::move(segments)),
      total_weight_(total_weight),
      exponents_(segments_.size(), kUnknownExponent),
      scaled_(segments_.size()),
      magnitudes_(segments_.size()) {
  place_sums();
  cut_into_pieces();
}

ExactSum::~ExactSum() = default;

void ExactSum::place_sums() {
  size_t size32 = 0, size64 = 0, size_max = 0;
  for (size_t i = 0; i < segments_.size(); ++i) {
    const ReduceRule rule = segments_[i].rule;
    if (rule == ReduceRule::kNone) continue;
    size_t& size = rule == ReduceRule::kMean32 ? size32 : rule == ReduceRule::kMean64 ? size64 : size_max;
    scaled_[i].position = size;
    size += segments_[i].count;
  }
  sum32_.resize(size32 + 1);
  sum64_.resize(size64);
  max32_.resize(size_max);
  parts_ = {Reduction::sum(std::span(sum32_)), Reduction::max(std::span(magnitudes_))};
  if (size64 != 0) parts_.push_back(Reduction::sum(std::span(sum64_)));
  if (size_max != 0) parts_.push_back(Reduction::max(std::span(max32_)));
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
      piece->position = scaled_[i].position + start;
    }
  }
}

void ExactSum::begin() {
  for (size_t i = 0; i < segments_.size(); ++i) {
    Scaled& scaled = scaled_[i];
    scaled = {.position = scaled.position};
    if (!is_mean(segments_[i].rule) || exponents_[i] == kUnknownExponent) continue;
    const Format format = format_of(segments_[i].rule);
    const int s = scale_bits(exponents_[i], format, total_weight_);
    scaled.scale = std::ldexp(1.0f, s);
    scaled.unit = std::ldexp(1.0, -s);
    const double limit = largest_term(format.bits, total_weight_) * scaled.unit;
    const float largest = std::numeric_limits<float>::max();
    scaled.limit_bits = std::bit_cast<uint32_t>(limit < largest ? static_cast<float>(limit) : largest);
  }
  for (size_t i = 0; i < piece_count_; ++i) pieces_[i].magnitude_bits = 0;
  std::fill(sum32_.begin(), sum32_.end(), 0);
  std::fill(sum64_.begin(), sum64_.end(), 0);
  std::fill(max32_.begin(), max32_.end(), std::numeric_limits<int32_t>::min());
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
  const Scaled& scaled = scaled_[piece.segment];
  const uint32_t magnitude_bits = largest_magnitude_bits(values);
  std::lock_guard lock(piece.mutex);
  piece.magnitude_bits = std::max(piece.magnitude_bits, magnitude_bits);
  if (magnitude_bits >= kInfinityBits) return not_finite(segment, values);
  if (segment.rule == ReduceRule::kMax) {
    for (size_t i = 0; i < values.size(); ++i) {
      int32_t& largest = max32_[piece.position + i];
      largest = std::max(largest, to_ordered(values[i]));
    }
  } else if (magnitude_bits <=
             scaled.limit_bits) {  // otherwise the round is done again: only its magnitude counts
    if (segment.rule == ReduceRule::kMean32)
      add_scaled(std::span(sum32_).subspan(piece.position, piece.count), values, scaled.scale, weight);
    else
      add_scaled(std::span(sum64_).subspan(piece.position, piece.count), values, scaled.scale, weight);
  }
  return {};
}

// What this rank brings to the meeting, beside the sums.
void ExactSum::close() {
  std::fill(magnitudes_.begin(), magnitudes_.end(), 0);
  for (size_t i = 0; i < piece_count_; ++i) {
    int32_t& largest = magnitudes_[pieces_[i].segment];
    largest = std::max(largest, static_cast<int32_t>(pieces_[i].magnitude_bits));
  }
  sum32_.back() = weight_;
}

Result<ExactSum::Outcome> ExactSum::reduce(Transport& transport) {
  close();
  PLAIT_TRY(transport.all_reduce(parts_));
  return conclude();
}

Result<ExactSum::Outcome> ExactSum::reduce(Transport& transport, std::span<ExactSum* const> sums) {
  std::vector<Reduction> parts;
  for (ExactSum* sum : sums) {
    sum->close();
    parts.insert(parts.end(), sum->parts_.begin(), sum->parts_.end());
  }
  PLAIT_TRY(transport.all_reduce(parts));
  Outcome outcome = Outcome::kDone;
  for (ExactSum* sum : sums) {
    PLAIT_ASSIGN(const Outcome part, sum->conclude());
    if (part == Outcome::kRedo) outcome = part;
  }
  return outcome;
}

Result<ExactSum::Outcome> ExactSum::conclude() {
  if (sum32_.back() != total_weight_)
    return {Code::kPeer, "exact sum: the shards of all ranks weigh " + std::to_string(sum32_.back()) +
                             ", wanted " + std::to_string(total_weight_) +
                             ": one is missing or was counted twice"};
  Outcome outcome = Outcome::kDone;
  for (size_t i = 0; i < segments_.size(); ++i) {
    const auto bits = static_cast<uint32_t>(magnitudes_[i]);
    if (bits >= kInfinityBits)
      return {Code::kNumeric, "\"" + segments_[i].name + "\": a value of another rank is not finite"};
    if (!is_mean(segments_[i].rule) || bits == 0) continue;
    if (bits > scaled_[i].limit_bits) outcome = Outcome::kRedo;
    const Format format = format_of(segments_[i].rule);
    const int32_t wanted =
        fitting_exponent(std::bit_cast<float>(bits), format, total_weight_) + format.headroom_bits;
    exponents_[i] = exponents_[i] == kUnknownExponent ? wanted : std::max(wanted, exponents_[i] - 1);
  }
  return outcome;
}

void ExactSum::mean(std::span<float> out) const {
  const auto total = static_cast<double>(total_weight_);
  for (size_t i = 0; i < segments_.size(); ++i) {
    const Segment& segment = segments_[i];
    const Scaled& scaled = scaled_[i];
    const std::span<float> target =
        segment.rule == ReduceRule::kNone ? std::span<float>() : out.subspan(segment.offset, segment.count);
    if (segment.rule == ReduceRule::kMean32)
      write_mean(target, std::span(sum32_).subspan(scaled.position, segment.count), scaled.unit, total);
    if (segment.rule == ReduceRule::kMean64)
      write_mean(target, std::span(sum64_).subspan(scaled.position, segment.count), scaled.unit, total);
    if (segment.rule == ReduceRule::kMax)
      for (size_t k = 0; k < segment.count; ++k) target[k] = from_ordered(max32_[scaled.position + k]);
  }
}

Status ExactSum::restore(std::span<const int32_t> exponents) {
  if (exponents.size() != exponents_.size())
    return {Code::kCorrupt, "exact sum: " + std::to_string(exponents.size()) + " exponents, wanted " +
                                std::to_string(exponents_.size())};
  for (const int32_t exponent : exponents)
    if (exponent != kUnknownExponent && (exponent < -160 || exponent > 140))
      return {Code::kCorrupt,
              "exact sum: an exponent is " + std::to_string(exponent) + ", wanted -160 to 140"};
  std::copy(exponents.begin(), exponents.end(), exponents_.begin());
  return {};
}

double ExactSum::error_bound(size_t segment) const { return scaled_[segment].unit / 2; }

}  // namespace plait
