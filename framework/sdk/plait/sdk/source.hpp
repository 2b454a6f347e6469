// Sources: records of named parts, by number.
//
//   void open(Context& c);      // opens and checks files; NotFound, IoError, CorruptFile name the file
//   SourceInfo info() const;    // after open
//   void read(Context& c, int64_t index, SampleCall& call) const;  // fills every call.output(name)
//
//   // Optional: differs when any record differs. Without it the host reads the files that the fields marked
//   // path() name.
//   std::array<uint8_t, 32> digest(Context& c) const;
//   // Wanted where info says count -1, which is: unknown. The number of records, or `most` where there are
//   so
//   // many or more; it may go through all of them. One thread at a time.
//   int64_t count_up_to(Context& c, int64_t most) const;
//
// read throws BadRecord when a record breaks its format: the host then draws a replacement.
// The struct closes its files in its destructor. `plait verify` cannot guess files: static examples() names
// some and writes them, see examples.hpp. Threads: read runs on several threads at once with one instance.
#pragma once
#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "entry.hpp"
#include "parts.hpp"

namespace plait::sdk {

struct SourceInfo {
  int64_t count = 0;                 // records; -1: unknown, count_up_to says
  Parts parts;                       // of one record
  std::vector<std::string> classes;  // names, where there are any
  uint32_t n_classes = 0;            // 0: as many as names
  bool random_access = true;         // false: read asks for ascending indices within a block
  int64_t block = 0;                 // records shuffled together when access is not random
  bool blocking = false;             // read may wait for a disk or a network
};

namespace detail {

template <class T>
concept IsSource = requires(T& t, const T& made, Context& c, SampleCall& call) {
  t.open(c);
  { made.info() } -> std::convertible_to<SourceInfo>;
  made.read(c, int64_t{}, call);
};

template <class T>
concept CountsRecords = requires(const T& made, Context& c) {
  { made.count_up_to(c, int64_t{}) } -> std::convertible_to<int64_t>;
};

template <class T>
concept DigestsRecords = requires(const T& made, Context& c) {
  { made.digest(c) } -> std::convertible_to<std::array<uint8_t, 32>>;
};

template <class T>
constexpr void check_source() {
  using Digest = std::array<uint8_t, 32>;
  PLAIT_SDK_CHECK_CALL(open, T, "void open(Context& c)", void, Context&);
  PLAIT_SDK_CHECK_CALL(read, const T, "void read(Context& c, int64_t index, SampleCall& call) const", void,
                       Context&, int64_t, SampleCall&);
  static_assert(!constant_digest<T>(), "digest is not: std::array<uint8_t, 32> digest(Context& c) const");
  PLAIT_SDK_CHECK_HOOK(count_up_to, const T, "int64_t count_up_to(Context& c, int64_t most) const", Whole,
                       Context&, int64_t);
  PLAIT_SDK_CHECK_HOOK(digest, const T, "std::array<uint8_t, 32> digest(Context& c) const", Digest, Context&);
}

template <class T>
struct SourceInstance {
  T source{};
  SourceInfo info;
  std::vector<const char*> class_names;
};

template <class T>
struct SourceThunks {
  using Instance = SourceInstance<T>;

  static int open(plait_context* context, const plait_config* config, void** self) noexcept {
    return guard(context, [&] {
      Context c(context);
      auto made = std::make_unique<Instance>();
      read_config(context, config, made->source);
      made->source.open(c);
      made->info = made->source.info();
      for (const std::string& name : made->info.classes) made->class_names.push_back(name.c_str());
      *self = made.release();
    });
  }
  static int describe(const void* self, plait_context* context, plait_source_info* info,
                      const plait_parts_builder* builder) noexcept {
    return guard(context, [&] {
      const auto& instance = as<Instance>(self);
      const SourceInfo& known = instance.info;
      info->random_access = known.random_access;
      info->count = known.count;
      info->block = known.block;
      info->n_classes = known.classes.empty() ? known.n_classes : static_cast<uint32_t>(known.classes.size());
      info->blocking = known.blocking;
      info->class_names = known.classes.empty() ? nullptr : instance.class_names.data();
      known.parts.emit(builder);
    });
  }
  static int read(const void* self, plait_context* context, int64_t index,
                  const plait_sample_call* call) noexcept {
    return guard(context, [&] {
      Context c(context);
      const auto& instance = as<Instance>(self);
      if (index < 0 || (index >= instance.info.count && instance.info.count >= 0)) {
        throw Error("record ", index, " of ", instance.info.count, " does not exist");
      }
      SampleCall sample(call);
      instance.source.read(c, index, sample);
    });
  }
  static int count_up_to(const void* self, plait_context* context, int64_t most, int64_t* count) noexcept {
    return guard(context, [&] {
      Context c(context);
      *count = as<Instance>(self).source.count_up_to(c, most);
    });
  }
  static int digest(const void* self, plait_context* context, uint8_t* digest) noexcept {
    return guard(context, [&] {
      Context c(context);
      const std::array<uint8_t, 32> made = as<Instance>(self).source.digest(c);
      std::ranges::copy(made, digest);
    });
  }
};

template <class T>
const plait_source_ops* source_ops() {
  using Thunks = SourceThunks<T>;
  static const plait_source_ops ops = [] {
    plait_source_ops table{sizeof(plait_source_ops),
                           0,
                           &Thunks::open,
                           &destroy_thunk<typename Thunks::Instance>,
                           &Thunks::describe,
                           &Thunks::read,
                           nullptr,
                           nullptr};
    if constexpr (CountsRecords<T>) table.count_up_to = &Thunks::count_up_to;
    if constexpr (DigestsRecords<T>) table.digest = &Thunks::digest;
    return table;
  }();
  return &ops;
}

}  // namespace detail

// A source type and its implementation.
template <class T>
Entry source(const char* id) {
  static_assert(
      detail::IsSource<T>,
      "a source needs: void open(Context&); SourceInfo info() const; void read(Context&, int64_t index, "
      "SampleCall&) const");
  detail::check_source<T>();
  return detail::make_entry<T>("source", id, nullptr, kCpu, detail::source_ops<T>());
}

}  // namespace plait::sdk
