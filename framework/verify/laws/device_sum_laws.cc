// The law of devices that bring the arithmetic of the exact mean: every bit is what plait_exact_sums says.
// The kit's own arithmetic is that definition, in whole numbers wide enough for any value.
#include <fmt/format.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "graph/device.h"
#include "verify/benches/samples.h"
#include "verify/engine/config_samples.h"
#include "verify/engine/law.h"

namespace plait::inline verify {
namespace {

// A finite f32 as a whole number of units of 2^-149 is `odd` * 2^shift.
struct Whole {
  int64_t digits = 0;  // with the sign, below 2^24
  int shift = 0;
};

Whole whole_of(float x) {
  const auto bits = std::bit_cast<uint32_t>(x);
  const uint32_t exponent = bits >> 23 & 0xFF, fraction = bits & 0x7FFFFF;
  const auto digits = static_cast<int64_t>(exponent > 0 ? fraction | 0x800000 : fraction);
  return {(bits >> 31) != 0 ? -digits : digits, exponent > 0 ? static_cast<int>(exponent) - 1 : 0};
}

// digits * 2^shift to the nearest whole number, ties to even; shift may be below 0, and of 0 digits any. Less
// than 2^62 comes out.
int64_t nearest(int64_t digits, int shift) {
  if (digits == 0 || shift < -40) return 0;
  if (shift >= 0) return digits << shift;
  const int64_t unit = int64_t{1} << -shift, half = unit / 2;
  const int64_t below = digits >> -shift, rest = digits - below * unit;  // rounds towards minus infinity
  return below + (rest > half || (rest == half && (below & 1) != 0) ? 1 : 0);
}

// The parts of x in windows 11 .. 0, cut from the highest down.
std::array<int64_t, 12> parts_of(float x) {
  Whole left = whole_of(x);
  std::array<int64_t, 12> parts{};
  for (int t = 11; t >= 0; --t) {
    const int64_t part = nearest(left.digits, left.shift - 24 * t);
    parts[static_cast<size_t>(t)] = part;
    if (part == 0) continue;
    // What is left is less than one unit of the window.
    const int down = std::min(left.shift, 24 * t);
    left = {left.digits * (int64_t{1} << (left.shift - down)) - part * (int64_t{1} << (24 * t - down)), down};
  }
  return parts;
}

// The sums of one element, by the definition.
struct Wanted {
  std::array<int64_t, 12> sums{};
  int top = 1;
  void add(float x, int32_t weight) {
    const std::array<int64_t, 12> parts = parts_of(x);
    for (int t = 11; t > top; --t)
      if (parts[static_cast<size_t>(t)] != 0) top = t;
    for (size_t t = 0; t < 12; ++t) sums[t] += weight * parts[t];
  }
  int64_t high() const { return sums[static_cast<size_t>(top)]; }
  int64_t low() const { return sums[static_cast<size_t>(top) - 1]; }
  float mean(double total_weight) const {
    const double sum = static_cast<double>(high()) * 0x1p24 + static_cast<double>(low());
    const double mean = std::ldexp(sum, 24 * (top - 1) - 149) / total_weight;
    constexpr double kMost = std::numeric_limits<float>::max();
    if (std::abs(mean) >= kMost) return mean > 0 ? static_cast<float>(kMost) : -static_cast<float>(kMost);
    if (std::abs(mean) >= 0x1p-126) return static_cast<float>(mean);
    // The processor may take denormals for 0: their bits are their value in units of 2^-149.
    const auto units = static_cast<int32_t>(std::rint(std::ldexp(mean, 149)));
    return std::bit_cast<float>(units < 0 ? 0x80000000u | static_cast<uint32_t>(-units)
                                          : static_cast<uint32_t>(units));
  }
};

struct Case {
  bool is_wide;
  bool differs;  // to other values
  int32_t weight;
  int shards;
};

// Values of every exponent, and the edges: ties, denormals, zeros, the largest.
float draw(Dice& dice) {
  const uint64_t bits = dice.bits();
  auto x = static_cast<uint32_t>(bits);
  switch (bits >> 60) {
    case 0:
      x &= 0x807FFFFF;  // denormals
      break;
    case 1:
      x &= 0x80000000;  // zeros
      break;
    case 2:
      x |= 0x007FFFFF;
      break;
    case 3:
    case 4:
      x &= 0xFFFF0000;  // halves of units
      break;
    case 5:
    case 6:
    case 7:
      x = (x & 0x83FFFFFF) | 0x38000000;  // as weights are
      break;
    default:
      break;
  }
  if ((x & 0x7F800000) == 0x7F800000) x ^= 0x40000000;
  return std::bit_cast<float>(x);
}

// A device with memory for sums of some elements and all that goes in and out.
class SumBench {
 public:
  static constexpr uint64_t kCount = 3001;
  static Result<std::unique_ptr<SumBench>> create(Trial& trial, const plait_config& config) {
    std::unique_ptr<SumBench> bench(new SumBench);
    PLAIT_ASSIGN(bench->device_, Device::open(trial.registry(), trial.entry(), config));
    PLAIT_ASSIGN(bench->stream_, Stream::create(*bench->device_, 1, nullptr));
    for (DeviceMemory* memory : {&bench->high_, &bench->low_, &bench->window_, &bench->x_, &bench->before_,
                                 &bench->not_finite_, &bench->means_}) {
      PLAIT_ASSIGN(*memory, DeviceMemory::allocate(*bench->stream_, kCount * sizeof(int64_t)));
    }
    return bench;
  }
  bool offers_sums() const {
    const plait_device_ops* const ops = &device_->ops();
    return PLAIT_HAS(ops, add_to_sums) && PLAIT_HAS(ops, mean_of_sums);
  }
  Status begin() {
    for (const DeviceMemory* memory : {&high_, &low_, &window_, &not_finite_})
      PLAIT_TRY(stream_->fill_zero(memory->data(), memory->bytes()));
    return stream_->synchronize();
  }
  // The values lie in memory of the call until it is done. Whether the device says that one is not finite.
  Result<bool> add(bool is_wide, const std::vector<float>& x, const std::vector<float>* before,
                   int32_t weight) {
    PLAIT_TRY(stream_->copy_in(x_.data(), x.data(), x.size() * sizeof(float)));
    if (before != nullptr)
      PLAIT_TRY(stream_->copy_in(before_.data(), before->data(), before->size() * sizeof(float)));
    PLAIT_TRY(stream_->add_to_sums(sums(is_wide), static_cast<const float*>(x_.data()),
                                   before ? static_cast<const float*>(before_.data()) : nullptr, weight,
                                   static_cast<uint32_t*>(not_finite_.data())));
    uint32_t found = 0;
    PLAIT_TRY(stream_->copy_out(&found, not_finite_.data(), sizeof found));
    PLAIT_TRY(stream_->synchronize());
    return found != 0;
  }
  Result<std::vector<float>> means(bool is_wide, double total_weight) {
    PLAIT_TRY(stream_->mean_of_sums(sums(is_wide), total_weight, static_cast<float*>(means_.data())));
    return read<float>(means_);
  }
  template <class T>
  Result<std::vector<T>> read(const DeviceMemory& memory) {
    std::vector<T> values(kCount);
    PLAIT_TRY(stream_->copy_out(values.data(), memory.data(), kCount * sizeof(T)));
    PLAIT_TRY(stream_->synchronize());
    return values;
  }
  Result<std::vector<int64_t>> integers(bool is_wide, bool high) {
    const DeviceMemory& memory = high ? high_ : low_;
    if (is_wide) return read<int64_t>(memory);
    PLAIT_ASSIGN(const std::vector<int32_t> narrow, read<int32_t>(memory));
    return std::vector<int64_t>(narrow.begin(), narrow.end());
  }
  Result<std::vector<uint8_t>> windows() { return read<uint8_t>(window_); }

 private:
  SumBench() = default;
  plait_exact_sums sums(bool is_wide) const {
    return {sizeof(plait_exact_sums),
            is_wide ? 1u : 0u,
            kCount,
            high_.data(),
            low_.data(),
            static_cast<uint8_t*>(window_.data())};
  }
  std::unique_ptr<Device> device_;
  std::unique_ptr<Stream> stream_;
  DeviceMemory high_, low_, window_, x_, before_, not_finite_, means_;
};

// Beyond f32, where a difference to it would be.
float kept_finite(float x, float before) { return std::isfinite(x - before) ? x : before; }

// Denormals are 0, whatever the processor takes them for.
float flushed(float x) { return (std::bit_cast<uint32_t>(x) & 0x7F800000) == 0 ? 0.0f : x; }
float difference(float x, float before) { return flushed(flushed(x) - flushed(before)); }

Status check_sums(SumBench& bench, const std::vector<Wanted>& wanted, bool is_wide, double total) {
  PLAIT_ASSIGN(const auto high, bench.integers(is_wide, true));
  PLAIT_ASSIGN(const auto low, bench.integers(is_wide, false));
  PLAIT_ASSIGN(const auto windows, bench.windows());
  PLAIT_ASSIGN(const auto means, bench.means(is_wide, total));
  for (size_t i = 0; i < wanted.size(); ++i) {
    const Wanted& w = wanted[i];
    if (windows[i] != w.top || high[i] != w.high() || low[i] != w.low())
      return broken(fmt::format(
          "add_to_sums: element {} has {} in window {} and {} below it, wanted {} in window {} and {}", i,
          high[i], windows[i], low[i], w.high(), w.top, w.low()));
    const float mean = w.mean(total);
    if (std::bit_cast<uint32_t>(means[i]) != std::bit_cast<uint32_t>(mean))
      return broken(fmt::format(
          "mean_of_sums: element {} is of the bits {:#010x}, wanted {:#010x}, of {} and {} in window {} "
          "over {}",
          i, std::bit_cast<uint32_t>(means[i]), std::bit_cast<uint32_t>(mean), high[i], low[i], windows[i],
          total));
  }
  return {};
}

Status check_case(Trial& trial, SumBench& bench, const Case& one) {
  PLAIT_TRY(bench.begin());
  std::vector<Wanted> wanted(SumBench::kCount);
  std::vector<float> x(wanted.size()), before(wanted.size());
  for (int shard = 0; shard < one.shards; ++shard) {
    for (size_t i = 0; i < x.size(); ++i) {
      before[i] = draw(trial.dice());
      x[i] = one.differs ? kept_finite(draw(trial.dice()), before[i]) : draw(trial.dice());
      wanted[i].add(one.differs ? difference(x[i], before[i]) : x[i], one.weight);
    }
    PLAIT_ASSIGN(const bool refused, bench.add(one.is_wide, x, one.differs ? &before : nullptr, one.weight));
    if (refused) return broken("add_to_sums says that a value is not finite, and all are");
  }
  return check_sums(bench, wanted, one.is_wide, static_cast<double>(one.shards) * one.weight);
}

Status check_not_finite(SumBench& bench, bool is_wide) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity(),
                  kMost = std::numeric_limits<float>::max();
  const std::vector<float> zeros(SumBench::kCount, 0.0f);
  for (const float bad :
       {kInfinity, -kInfinity, std::bit_cast<float>(0x7FC00000u), std::bit_cast<float>(0xFF800001u)}) {
    for (const size_t place : {size_t{0}, size_t{1700}, size_t{SumBench::kCount - 1}}) {
      PLAIT_TRY(bench.begin());
      std::vector<float> x(zeros);
      x[place] = bad;
      PLAIT_ASSIGN(const bool refused, bench.add(is_wide, x, nullptr, 1));
      if (!refused) return broken(fmt::format("add_to_sums does not say that element {} is {}", place, bad));
      // What has been told stays.
      PLAIT_ASSIGN(const bool still, bench.add(is_wide, zeros, nullptr, 1));
      if (!still) return broken("add_to_sums takes back that a value before was not finite");
    }
  }
  PLAIT_TRY(bench.begin());
  std::vector<float> high(zeros), low(zeros);
  high[5] = kMost, low[5] = -kMost;
  PLAIT_ASSIGN(const bool refused, bench.add(is_wide, high, &low, 1));
  return refused ? Status() : broken("add_to_sums does not say that a difference is infinite");
}

Status exact_mean(Trial& trial) {
  PLAIT_ASSIGN(const auto configs, config_cases(trial, 2));
  Status refusal = skipped("does not open");
  int tried = 0;
  for (const Example& one : configs) {
    trial.doing("exact sums, " + config_text(*one.config));
    auto bench = SumBench::create(trial, *one.config);
    if (!bench && !is_refusal(bench.status())) return bench.status();
    if (!bench) {
      refusal = skipped("does not open: " + bench.status().message());
      continue;
    }
    if (!(*bench)->offers_sums()) return skipped("leaves the exact mean to the host");
    for (const Case& drawn :
         {Case{false, false, 1, 1}, Case{false, false, 1, 3}, Case{false, true, 1, 3},
          Case{false, true, 17, 15}, Case{true, false, 1000, 2}, Case{true, true, 1 << 16, 4}})
      PLAIT_TRY(check_case(trial, **bench, drawn));
    for (const bool is_wide : {false, true}) PLAIT_TRY(check_not_finite(**bench, is_wide));
    ++tried;
  }
  return tried > 0 ? Status() : refusal;
}

}  // namespace

std::vector<Law> device_sum_laws() {
  return {{"device", "exact_mean", Severity::kMust,
           "sums of the shards, and their mean, have the bits that the border says", exact_mean}};
}

}  // namespace plait::inline verify
