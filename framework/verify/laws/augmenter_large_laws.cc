// Laws of augmenters on samples of more than 2^16 numbers: at every place what small samples show.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "verify/benches/augmenter_bench.h"

namespace plait::inline verify {
namespace {

// A usual part, small and large. Pieces of the large one are shorter than any count of 15 bits.
struct Form {
  const char* name;
  uint32_t dtype;
  std::vector<int64_t> small;
  int64_t small_rows;  // of a piece, of the first axis
  std::vector<int64_t> large;
  int64_t large_rows;
};

const std::vector<Form>& forms() {
  static const std::vector<Form> all = {
      {"image", PLAIT_F32, {12, 10, 3}, 6, {200, 220, 3}, 20},
      {"image", PLAIT_U8, {12, 10, 3}, 6, {200, 220, 3}, 20},
      {"sound", PLAIT_F32, {64, 1}, 32, {132000, 1}, 12000},
      {"features", PLAIT_F32, {14}, 7, {132000}, 12000},
  };
  return all;
}

Result<AugmenterBench> bench_for(Trial& trial, const Example& one, const Form& form,
                                 std::vector<int64_t> shape) {
  const Parts parts = {{form.name, form.dtype, std::move(shape), -1}, {"label", PLAIT_I32, {}, -1}};
  return make_augmenter_bench(trial, one, parts);
}

AugmenterSample sample_for(const AugmenterBench& bench, Poison poison = Poison::kNan) {
  return {bench.in, bench.out, Dice(1, "large"), poison, bench.bound, bench.workspace};
}

// The output that a part goes through to, of the same type and shape; -1: none.
int passed_as(const AugmenterBench& bench) {
  const PartSpec& in = bench.in[0];
  for (size_t i = 0; i < bench.out.size(); ++i) {
    const PartSpec& out = bench.out[i];
    if (out.name == in.name && out.dtype == in.dtype && out.shape == in.shape) return static_cast<int>(i);
  }
  return -1;
}

// ---- pieces

// Whether a sample that is cut along its first axis, each piece with the same random numbers, comes out as
// the whole does; the first place that does not.
class Cut {
 public:
  static constexpr uint64_t kNone = UINT64_MAX;
  Cut(const AugmenterBench& whole, const AugmenterBench& piece) : whole_(whole), piece_(piece) {}

  Result<uint64_t> first_difference(uint64_t key) {
    const int to = passed_as(whole_), piece_to = passed_as(piece_);
    if (to < 0 || piece_to < 0) return uint64_t{0};
    AugmenterSample all = sample_for(whole_), part = sample_for(piece_);
    PLAIT_TRY(apply_augmenter(whole_, all, key));
    const Guarded& from = all.inputs[0]->memory();
    const Guarded& got = all.outputs[static_cast<size_t>(to)]->memory();
    const uint64_t bytes = part.inputs[0]->memory().bytes();
    for (uint64_t begin = 0; begin + bytes <= from.bytes(); begin += bytes) {
      part.inputs[0]->memory().write(from.as<uint8_t>() + begin, bytes);
      PLAIT_TRY(apply_augmenter(piece_, part, key));
      const auto* wanted = part.outputs[static_cast<size_t>(piece_to)]->memory().as<uint8_t>();
      for (uint64_t k = 0; k < bytes; ++k)
        if (got.as<uint8_t>()[begin + k] != wanted[k]) return (begin + k) / dtype_bytes(whole_.in[0].dtype);
    }
    return kNone;
  }

 private:
  const AugmenterBench& whole_;
  const AugmenterBench& piece_;
};

Result<uint64_t> first_difference(Trial& trial, const Example& one, const Form& form, bool large,
                                  uint64_t keys) {
  std::vector<int64_t> shape = large ? form.large : form.small;
  PLAIT_ASSIGN(const AugmenterBench whole, bench_for(trial, one, form, shape));
  shape[0] = large ? form.large_rows : form.small_rows;
  PLAIT_ASSIGN(const AugmenterBench piece, bench_for(trial, one, form, shape));
  trial.doing("apply, whole and in pieces, " + whole.text());
  for (uint64_t key = 0; key < keys; ++key) {
    PLAIT_ASSIGN(const uint64_t place, Cut(whole, piece).first_difference(key));
    if (place != Cut::kNone) return place;
  }
  return Cut::kNone;
}

// Where cutting a small sample changes nothing, cutting a large one changes nothing.
Status compare_with_pieces(Trial& trial, const Example& one, const Form& form) {
  const auto small = first_difference(trial, one, form, false, 10);
  if (!small || *small != Cut::kNone) return {};
  PLAIT_ASSIGN(const uint64_t place, first_difference(trial, one, form, true, 2));
  if (place == Cut::kNone) return {};
  return broken(
      fmt::format("part \"{}\" of {} numbers comes out otherwise at place {} when it is cut into pieces; "
                  "small ones do not",
                  form.name, element_count(form.large), place));
}

// ---- places that ever change

// Places of a part that any of 20 random numbers has changed.
class Changes {
 public:
  static constexpr uint64_t kKeys = 20;
  explicit Changes(const AugmenterBench& bench)
      : bench_(bench), to_(passed_as(bench)), sample_(sample_for(bench)) {
    if (to_ >= 0) changed_.resize(element_count(bench.in[0].shape));
  }
  const std::vector<uint8_t>& changed() const { return changed_; }
  Status apply(uint64_t key) {
    if (to_ < 0) return {};
    PLAIT_TRY(apply_augmenter(bench_, sample_, key));
    const uint64_t bytes = dtype_bytes(bench_.in[0].dtype);
    const auto* before = sample_.inputs[0]->memory().as<uint8_t>();
    const auto* after = sample_.outputs[static_cast<size_t>(to_)]->memory().as<uint8_t>();
    for (size_t k = 0; k < changed_.size(); ++k)
      changed_[k] |= std::memcmp(before + k * bytes, after + k * bytes, bytes) != 0;
    return {};
  }
  // Some values stay by chance (0 when all are doubled).
  bool mostly(size_t begin, size_t end) const {
    const auto first = changed_.begin();
    const auto sum =
        std::count(first + static_cast<ptrdiff_t>(begin), first + static_cast<ptrdiff_t>(end), 1);
    return 20 * static_cast<size_t>(sum) >= 19 * (end - begin);
  }
  // The longest run of places that never changed: its begin and length.
  std::pair<size_t, size_t> longest() const {
    std::pair<size_t, size_t> best = {0, 0};
    for (size_t k = 0, run = 0; k < changed_.size(); ++k) {
      run = changed_[k] ? 0 : run + 1;
      if (run > best.second) best = {k + 1 - run, run};
    }
    return best;
  }

 private:
  const AugmenterBench& bench_;
  int to_;
  AugmenterSample sample_;
  std::vector<uint8_t> changed_;
};

// Where nearly every place of a small sample changes for some of 20 random numbers, no long run of a large
// one's never does while another part of it does everywhere. (What moves a small patch changes no part
// everywhere.)
Status compare_changes(Trial& trial, const Example& one, const Form& form) {
  constexpr size_t kPart = 512, kLong = 1 << 15;
  auto small = bench_for(trial, one, form, form.small), large = bench_for(trial, one, form, form.large);
  if (!small || !large) return {};
  trial.doing("apply, 20 times, " + large->text());
  Changes few(*small), many(*large);
  for (uint64_t key = 0; key < Changes::kKeys; ++key) PLAIT_TRY(few.apply(key));
  if (few.changed().empty() || !few.mostly(0, few.changed().size())) return {};
  for (uint64_t key = 0; key < Changes::kKeys; ++key) {
    PLAIT_TRY(many.apply(key));
    if (many.longest().second < kLong) return {};
  }
  bool everywhere = false;
  for (size_t k = 0; k + kPart <= many.changed().size(); k += kPart)
    everywhere = everywhere || many.mostly(k, k + kPart);
  const auto [begin, length] = many.longest();
  if (!everywhere) return {};
  return broken(
      fmt::format("places {} to {} of the {} of part \"{}\" never change, though other places do, and every "
                  "place of a small sample",
                  begin, begin + length - 1, many.changed().size(), form.name));
}

// ---- memory

Status check_memory(Trial& trial, const Example& one, const Form& form) {
  PLAIT_ASSIGN(const AugmenterBench bench, bench_for(trial, one, form, form.large));
  AugmenterSample first = sample_for(bench), second = sample_for(bench, Poison::kNumber);
  for (AugmenterSample* sample : {&first, &second}) {
    PLAIT_TRY(apply_augmenter(bench, *sample, 3));
    PLAIT_TRY(sample->check_memory());
  }
  const std::string what = first.difference(second);
  return what.empty() ? Status()
                      : broken(what +
                               " of a large sample depends on what its memory held before: not all of it is "
                               "written, or too much is read");
}

Status large(Trial& trial) {
  constexpr size_t kConfigs = 3;
  PLAIT_ASSIGN(auto configs, config_cases(trial, kConfigs));
  if (configs.size() > kConfigs) configs.resize(kConfigs);
  int tried = 0;
  for (const Example& one : configs) {
    for (const Form& form : forms()) {
      if (!bench_for(trial, one, form, form.large)) continue;
      const auto place = [&] { return fmt::format("{}, part \"{}\"", config_text(*one.config), form.name); };
      PLAIT_TRY(check_memory(trial, one, form).at(place()));
      PLAIT_TRY(compare_with_pieces(trial, one, form).at(place()));
      PLAIT_TRY(compare_changes(trial, one, form).at(place()));
      ++tried;
    }
  }
  if (tried == 0) return skipped("the augmenter accepts no large sample that can be guessed");
  trial.remark(fmt::format("{} large samples", tried));
  return {};
}

}  // namespace

std::vector<Law> augmenter_large_laws() {
  return {{"augmenter", "large", Severity::kMust,
           "a sample of more than 2^16 numbers is changed at every place as small ones are", large}};
}

}  // namespace plait::inline verify
