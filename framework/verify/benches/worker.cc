#include "verify/benches/worker.h"

#include <fmt/format.h>

#include <bit>
#include <cstring>
#include <limits>
#include <map>
#include <type_traits>

#include "registry/shape_text.h"
#include "verify/engine/law.h"

namespace plait::inline verify {
namespace {

std::vector<uint8_t> content(const Guarded& block) {
  const auto* bytes = block.as<uint8_t>();
  return block.bytes() == 0 ? std::vector<uint8_t>() : std::vector<uint8_t>(bytes, bytes + block.bytes());
}

template <class F>
void put(Guarded& block, uint64_t place, F value) {
  block.as<F>()[place] = value;
}

void put_whole(Guarded& block, uint32_t dtype, uint64_t place, int64_t value) {
  if (dtype == PLAIT_F32) put(block, place, static_cast<float>(value));
  if (dtype == PLAIT_F64) put(block, place, static_cast<double>(value));
  if (dtype == PLAIT_I32) put(block, place, static_cast<int32_t>(value));
  if (dtype == PLAIT_I64) put(block, place, value);
  if (dtype == PLAIT_U8) put(block, place, static_cast<uint8_t>(value));
}

// Made of bits: arithmetic may flush it to zero.
template <class F>
F denormal(Dice& dice) {
  using Bits = std::conditional_t<sizeof(F) == 8, uint64_t, uint32_t>;
  const Bits size = static_cast<Bits>(1 + dice.below(1 << 22)),
             sign = Bits{dice.coin()} << (8 * sizeof(F) - 1);
  return std::bit_cast<F>(size | sign);
}

template <class F>
F special(Dice& dice, uint64_t round) {
  using Limits = std::numeric_limits<F>;
  const F sign = dice.coin() ? F{1} : F{-1};
  switch (round) {
    case 1:
      return Limits::quiet_NaN();
    case 2:
      return sign * Limits::infinity();
    case 3:
      return sign * Limits::max();
    case Worker::kDenormals:
      return denormal<F>(dice);
    case 5:
      return dice.below(4) == 0 ? Limits::quiet_NaN() : static_cast<F>(dice.between(-1, 1));
    default:
      return dice.below(4) == 0 ? sign * Limits::infinity() : static_cast<F>(dice.between(-1, 1));
  }
}

// Round 0 is any bits at all; integers are the same every round.
void draw_element(const WorkBlock& into, uint64_t place, Dice& dice, uint64_t round) {
  Guarded& block = *into.memory;
  const uint32_t dtype = into.dtype;
  if (into.low < into.high) {
    const auto width = static_cast<uint64_t>(into.high - into.low);
    return put_whole(block, dtype, place, into.low + static_cast<int64_t>(dice.below(width)));
  }
  if (round > 0 && dtype == PLAIT_F32) return put(block, place, special<float>(dice, round));
  if (round > 0 && dtype == PLAIT_F64) return put(block, place, special<double>(dice, round));
  const uint64_t bits = dice.bits(), bytes = dtype_bytes(dtype);
  std::memcpy(block.as<uint8_t>() + place * bytes, &bits, bytes);
}

}  // namespace

Status Worker::keep_on_device(bool) { return {}; }

void Worker::own(std::string name, Guarded& memory, uint32_t dtype, Role role) {
  blocks_.push_back({std::move(name), &memory, dtype, role});
}

void Worker::keep() {
  first_.clear();
  for (const WorkBlock& block : blocks_) first_.push_back(content(*block.memory));
}

Status Worker::run(Scratch scratch) {
  if (first_.empty()) keep();
  for (size_t i = 0; i < blocks_.size(); ++i) {
    Guarded& memory = *blocks_[i].memory;
    if (blocks_[i].role == Role::kRead || blocks_[i].role == Role::kState)
      memory.write(first_[i].data(), first_[i].size());
    else if (blocks_[i].role == Role::kWritten || scratch == Scratch::kPattern)
      memory.poison(Poison::kNan, false);
  }
  return calls();
}

void Worker::draw_any_bits(Dice& dice, uint64_t round) {
  for (const WorkBlock& block : blocks_) {
    if (block.role != Role::kRead && block.role != Role::kState) continue;
    const uint64_t count = block.memory->bytes() / std::max<uint64_t>(dtype_bytes(block.dtype), 1);
    for (uint64_t k = 0; k < count; ++k) draw_element(block, k, dice, round);
  }
  keep();
}

void Worker::draw_usual(Dice& dice) {
  for (const WorkBlock& block : blocks_) {
    if (block.role != Role::kRead || block.low < block.high) continue;
    const bool single = block.dtype == PLAIT_F32, wide = block.dtype == PLAIT_F64;
    const uint64_t count = single || wide ? block.memory->bytes() / dtype_bytes(block.dtype) : 0;
    for (uint64_t k = 0; k < count; ++k) {
      const double number = dice.between(-1, 1);
      if (single) put(*block.memory, k, static_cast<float>(number));
      if (wide) put(*block.memory, k, number);
    }
  }
  keep();
}

Snapshot Worker::results() const {
  Snapshot all;
  for (const WorkBlock& block : blocks_)
    if (block.role == Role::kState || block.role == Role::kWritten) all.push_back(content(*block.memory));
  return all;
}

std::string Worker::difference(const Snapshot& other) const {
  size_t at = 0;
  for (const WorkBlock& block : blocks_) {
    if (block.role != Role::kState && block.role != Role::kWritten) continue;
    if (content(*block.memory) != other[at++]) return block.name;
  }
  return "";
}

std::string Worker::misdeed() const {
  for (size_t i = 0; i < blocks_.size(); ++i) {
    const WorkBlock& block = blocks_[i];
    if (const auto text = block.memory->overrun(); !text.empty())
      return fmt::format("writes outside its memory: {}: {}", block.name, text);
    if (block.role == Role::kRead && content(*block.memory) != first_[i])
      return fmt::format("writes {}, which it is given to read", block.name);
  }
  return "";
}

uint64_t Worker::bytes() const {
  uint64_t sum = 0;
  for (const WorkBlock& block : blocks_)
    if (block.role != Role::kScratch) sum += block.memory->bytes() * (block.role == Role::kState ? 2 : 1);
  return sum;
}

uint64_t Worker::elements() const {
  uint64_t most = 0;
  for (const WorkBlock& block : blocks_)
    if (block.role != Role::kScratch)
      most = std::max(most, block.memory->bytes() / std::max<uint64_t>(dtype_bytes(block.dtype), 1));
  return most;
}

Result<Workers> make_workers(Trial& trial, size_t count, int lanes) {
#define PLAIT_KIND_WORKERS(kind, Name, ops) {#kind, kind##_workers},
  static const std::map<std::string, Result<Workers> (*)(Trial&, size_t, int)> kMakers = {
      PLAIT_KINDS(PLAIT_KIND_WORKERS)};
#undef PLAIT_KIND_WORKERS
  return kMakers.at(trial.type().kind)(trial, count, lanes);
}

}  // namespace plait::inline verify
