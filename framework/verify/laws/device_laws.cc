// Laws of devices.
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "verify/benches/samples.h"
#include "verify/engine/config_samples.h"
#include "verify/engine/law.h"

namespace plait::inline verify {
namespace {

// An opened device with one stream.
class DeviceBench {
 public:
  static Result<std::unique_ptr<DeviceBench>> open(Trial& trial, const Example& one) {
    std::unique_ptr<DeviceBench> bench(new DeviceBench);
    trial.doing("open, " + config_text(*one.config));
    PLAIT_ASSIGN(bench->instance_, create_instance(trial.registry(), trial.entry(), *one.config,
                                                   trial.name().device_id, bench->context_));
    PLAIT_TRY(bench->context_
                  .call([&] {
                    return bench->ops().stream_create(bench->self(), bench->context_.raw(), &bench->stream_);
                  })
                  .at("stream_create"));
    bench->has_stream_ = true;
    bench->context_.set_device(&bench->ops(), bench->self(), bench->stream_);
    return bench;
  }
  ~DeviceBench() {
    if (has_stream_) ops().stream_destroy(self(), stream_);
  }
  DeviceBench(const DeviceBench&) = delete;
  DeviceBench& operator=(const DeviceBench&) = delete;
  const plait_device_ops& ops() const { return *instance_.ops<plait_device_ops>(); }
  const plait_device_info& info() const { return instance_.device_info(); }
  void* self() const { return instance_.self(); }
  template <class Function>
  Status call(const char* what, Function function) {
    return context_.call([&] { return function(ops(), self(), context_.raw()); }).at(what);
  }
  Result<void*> allocate(uint64_t bytes) {
    void* memory = nullptr;
    PLAIT_TRY(call("allocate", [&](const auto& ops, void* self, plait_context* c) {
      return ops.allocate(self, c, bytes, &memory);
    }));
    return memory;
  }
  Status copy_in(void* to, const void* from, uint64_t bytes) {
    return call("copy_in", [&](const auto& ops, void* self, plait_context* c) {
      return ops.copy_in(self, c, to, from, bytes);
    });
  }
  Status copy_out(void* to, const void* from, uint64_t bytes) {
    return call("copy_out", [&](const auto& ops, void* self, plait_context* c) {
      return ops.copy_out(self, c, to, from, bytes);
    });
  }
  Status copy(void* to, const void* from, uint64_t bytes) {
    return call("copy", [&](const auto& ops, void* self, plait_context* c) {
      return ops.copy(self, c, to, from, bytes);
    });
  }
  Status fill_zero(void* to, uint64_t bytes) {
    return call("fill_zero", [&](const auto& ops, void* self, plait_context* c) {
      return ops.fill_zero(self, c, to, bytes);
    });
  }
  Status add(float* to, const float* from, uint64_t count) {
    return call("add_f32", [&](const auto& ops, void* self, plait_context* c) {
      return ops.add_f32(self, c, to, from, count);
    });
  }
  Status synchronize() {
    return call("synchronize",
                [&](const auto& ops, void* self, plait_context* c) { return ops.synchronize(self, c); });
  }

 private:
  DeviceBench() = default;
  Instance instance_;
  CallContext context_;
  void* stream_ = nullptr;
  bool has_stream_ = false;
};

template <class Check>
Status for_each_device(Trial& trial, Check check) {
  PLAIT_ASSIGN(const auto configs, config_cases(trial, 3));
  Status refusal = skipped("does not open");
  int tried = 0;
  for (const Example& one : configs) {
    auto bench = DeviceBench::open(trial, one);
    if (!bench && !is_refusal(bench.status())) return bench.status();
    if (!bench) {
      refusal = skipped("does not open: " + bench.status().message());
      continue;
    }
    trial.doing("at work, " + config_text(*one.config));
    const Status status = check(**bench);
    if (is_skipped(status)) return status;
    PLAIT_TRY(status.at(config_text(*one.config)));
    ++tried;
  }
  return tried > 0 ? Status() : refusal;
}

Status memory(Trial& trial) {
  return for_each_device(trial, [&](DeviceBench& d) -> Status {
    for (uint64_t bytes : {uint64_t{1}, uint64_t{63}, uint64_t{4096}, uint64_t{1} << 22}) {
      PLAIT_ASSIGN(void* const memory, d.allocate(bytes));
      if (memory == nullptr) return broken(fmt::format("allocate of {} bytes succeeds with NULL", bytes));
      if (reinterpret_cast<uintptr_t>(memory) % 64 != 0) return broken("memory is not 64-byte aligned");
      std::vector<uint8_t> in(bytes), out(bytes, 0xEE);
      for (uint64_t i = 0; i < bytes; ++i) in[i] = static_cast<uint8_t>(i * 37 + bytes);
      PLAIT_TRY(d.copy_in(memory, in.data(), bytes));
      PLAIT_TRY(d.copy_out(out.data(), memory, bytes));
      PLAIT_TRY(d.synchronize());
      if (in != out) return broken(fmt::format("{} bytes do not come back as they went in", bytes));
      d.ops().release(d.self(), memory);
    }
    return {};
  });
}

// Queued one after the other without a wait between; host memory lives until synchronize.
Status order(Trial& trial) {
  return for_each_device(trial, [&](DeviceBench& d) -> Status {
    constexpr uint64_t kCount = 100003, kBytes = kCount * 4;
    PLAIT_ASSIGN(void* const a, d.allocate(kBytes));
    PLAIT_ASSIGN(void* const b, d.allocate(kBytes));
    std::vector<float> ones(kCount), out(kCount);
    for (uint64_t k = 0; k < kCount; ++k) ones[k] = static_cast<float>(k % 97);
    PLAIT_TRY(d.copy_in(a, ones.data(), kBytes));
    PLAIT_TRY(d.fill_zero(b, kBytes));
    for (int i = 0; i < 5; ++i)
      PLAIT_TRY(d.add(static_cast<float*>(b), static_cast<const float*>(a), kCount));
    PLAIT_TRY(d.copy(a, b, kBytes));
    PLAIT_TRY(d.add(static_cast<float*>(a), static_cast<const float*>(b), kCount));
    PLAIT_TRY(d.fill_zero(b, kBytes));
    PLAIT_TRY(d.copy_out(out.data(), a, kBytes));
    PLAIT_TRY(d.synchronize());
    for (uint64_t k = 0; k < kCount; ++k)
      if (out[k] != 10 * ones[k])
        return broken(
            fmt::format("element {} is {}, wanted {}: add, copy or the order on the stream is wrong", k,
                        out[k], 10 * ones[k]));
    d.ops().release(d.self(), a), d.ops().release(d.self(), b);
    return {};
  });
}

Status bounds(Trial& trial) {
  return for_each_device(trial, [&](DeviceBench& d) -> Status {
    constexpr uint64_t kBytes = 256;
    PLAIT_ASSIGN(void* const memory, d.allocate(kBytes));
    auto* bytes = static_cast<uint8_t*>(memory);
    std::vector<uint8_t> in(kBytes, 0x5A), out(kBytes);
    PLAIT_TRY(d.copy_in(bytes, in.data(), kBytes));
    PLAIT_TRY(d.fill_zero(bytes + 64, 65));
    PLAIT_TRY(d.copy_out(out.data(), bytes, kBytes));
    PLAIT_TRY(d.synchronize());
    for (uint64_t i = 0; i < kBytes; ++i) {
      const bool inside = i >= 64 && i < 129;
      if (out[i] != (inside ? 0 : 0x5A))
        return broken(fmt::format("fill_zero of 65 bytes at 64 leaves byte {} as {:#x}", i, out[i]));
    }
    d.ops().release(d.self(), memory);
    return {};
  });
}

Status refuses_too_much(Trial& trial) {
  return for_each_device(trial, [&](DeviceBench& d) -> Status {
    trial.doing("allocate of 2^62 bytes");
    const auto memory = d.allocate(uint64_t{1} << 62);
    if (memory) return broken("allocate of 2^62 bytes succeeds");
    if (memory.status().message().find("gave no reason") != std::string::npos)
      return broken("refuses 2^62 bytes without saying why");
    PLAIT_ASSIGN(void* const small, d.allocate(64));
    d.ops().release(d.self(), small);
    return d.synchronize();
  });
}

Status streams(Trial& trial) {
  return for_each_device(trial, [&](DeviceBench& d) -> Status {
    constexpr uint64_t kCount = 5000;
    const std::string fault = at_once(3, [&](size_t n) -> std::string {
      CallContext context;
      void* stream = nullptr;
      plait_context* c = context.raw();
      const auto& ops = d.ops();
      if (ops.stream_create(d.self(), c, &stream) != PLAIT_OK)
        return "stream_create: " + context.status(PLAIT_FAILED).message();
      context.set_device(&d.ops(), d.self(), stream);
      void* memory = nullptr;
      bool good = ops.allocate(d.self(), c, kCount * 4, &memory) == PLAIT_OK;
      std::vector<float> in(kCount, static_cast<float>(n + 1)), out(kCount);
      for (int i = 0; i < 20 && good; ++i) {
        good = ops.copy_in(d.self(), c, memory, in.data(), kCount * 4) == PLAIT_OK &&
               ops.add_f32(d.self(), c, static_cast<float*>(memory), static_cast<float*>(memory), kCount) ==
                   PLAIT_OK &&
               ops.copy_out(d.self(), c, out.data(), memory, kCount * 4) == PLAIT_OK &&
               ops.synchronize(d.self(), c) == PLAIT_OK;
        if (good && out != std::vector<float>(kCount, static_cast<float>(2 * (n + 1))))
          return "a stream's results are wrong";
      }
      if (!good) return context.status(PLAIT_FAILED).message();
      ops.release(d.self(), memory);
      ops.stream_destroy(d.self(), stream);
      return "";
    });
    return fault.empty() ? Status() : broken(fault + " when three threads work on a stream each");
  });
}

// Memory that is not the device's: a copy from it fails at once or late, or copies. Afterwards the device
// works, or says that it does not.
Status late_error(Trial& trial) {
  return for_each_device(trial, [&](DeviceBench& d) -> Status {
    if (d.info().flags & PLAIT_DEVICE_HOST_MEMORY) return skipped("its memory is the host's");
    constexpr uint64_t kBytes = 256;
    PLAIT_ASSIGN(void* const memory, d.allocate(kBytes));
    const std::vector<uint8_t> foreign(kBytes, 0x3C), good(kBytes, 0x5A);
    std::vector<uint8_t> out(kBytes);
    PLAIT_TRY(d.fill_zero(memory, kBytes));
    PLAIT_TRY(d.synchronize());
    trial.doing("copy from memory that is not the device's");
    Status status = d.copy(memory, foreign.data(), kBytes);
    const Status late = d.synchronize();
    if (status) status = late;
    if (is_silent(status)) return broken("fails without saying why after a copy from foreign memory");
    if (status) {
      PLAIT_TRY(d.copy_out(out.data(), memory, kBytes));
      PLAIT_TRY(d.synchronize());
      if (out != foreign) return broken("says nothing of a copy from foreign memory that went wrong");
    }
    trial.doing("work after an error");
    status = d.copy_in(memory, good.data(), kBytes);
    if (status) status = d.copy_out(out.data(), memory, kBytes);
    if (status) status = d.synchronize();
    if (status && out != good) return broken("takes wrong bytes for good after an error");
    return is_silent(status) ? broken("fails without saying why after an error") : Status();
  });
}

// A second stream of the device that a bench has open.
class SecondStream {
 public:
  explicit SecondStream(DeviceBench& bench) : bench_(bench) {}
  Status create() {
    PLAIT_TRY(
        context_.call([&] { return bench_.ops().stream_create(bench_.self(), context_.raw(), &stream_); })
            .at("stream_create"));
    context_.set_device(&bench_.ops(), bench_.self(), stream_);
    return {};
  }
  ~SecondStream() {
    if (stream_ != nullptr) bench_.ops().stream_destroy(bench_.self(), stream_);
  }
  SecondStream(const SecondStream&) = delete;
  SecondStream& operator=(const SecondStream&) = delete;
  // Zeros, at once.
  Status clear(void* memory, uint64_t bytes) {
    const auto& ops = bench_.ops();
    PLAIT_TRY(context_.call([&] { return ops.fill_zero(bench_.self(), context_.raw(), memory, bytes); }));
    return synchronize();
  }
  Result<std::vector<uint8_t>> read(const void* memory, uint64_t bytes) {
    std::vector<uint8_t> out(bytes, 0xEE);
    const auto& ops = bench_.ops();
    PLAIT_TRY(context_.call(
        [&] { return ops.copy_out(bench_.self(), context_.raw(), out.data(), memory, bytes); }));
    PLAIT_TRY(synchronize());
    return out;
  }

 private:
  Status synchronize() {
    return context_.call([&] { return bench_.ops().synchronize(bench_.self(), context_.raw()); });
  }
  DeviceBench& bench_;
  CallContext context_;
  void* stream_ = nullptr;
};

// What was queued is done when synchronize comes back: what it read may be overwritten then, by the host or
// on another stream, and what it wrote is there for all.
Status check_waits(DeviceBench& d, uint64_t bytes) {
  SecondStream other(d);
  PLAIT_TRY(other.create());
  PLAIT_ASSIGN(void* const a, d.allocate(bytes));
  PLAIT_ASSIGN(void* const b, d.allocate(bytes));
  std::vector<uint8_t> host(bytes), out(bytes, 0xEE);
  const auto expect = [&](const char* what, const std::vector<uint8_t>& got, uint8_t wanted) -> Status {
    for (uint64_t i = 0; i < bytes; ++i)
      if (got[i] != wanted)
        return broken(
            fmt::format("{} of {} bytes was not done when synchronize came back: byte {} is {:#x}, "
                        "wanted {:#x}",
                        what, bytes, i, got[i], wanted));
    return {};
  };
  std::ranges::fill(host, uint8_t{0x5A});
  PLAIT_TRY(d.copy_in(a, host.data(), bytes));
  PLAIT_TRY(d.synchronize());
  std::ranges::fill(host, uint8_t{0x11});
  PLAIT_ASSIGN(const auto copied_in, other.read(a, bytes));
  PLAIT_TRY(expect("copy_in", copied_in, 0x5A));
  PLAIT_TRY(d.copy_out(out.data(), a, bytes));
  PLAIT_TRY(d.synchronize());
  PLAIT_TRY(expect("copy_out", out, 0x5A));
  PLAIT_TRY(d.copy(b, a, bytes));
  PLAIT_TRY(d.synchronize());
  PLAIT_TRY(other.clear(a, bytes));
  PLAIT_ASSIGN(const auto copied, other.read(b, bytes));
  PLAIT_TRY(expect("copy", copied, 0x5A));
  PLAIT_TRY(d.fill_zero(b, bytes));
  PLAIT_TRY(d.synchronize());
  PLAIT_ASSIGN(const auto cleared, other.read(b, bytes));
  PLAIT_TRY(expect("fill_zero", cleared, 0));
  const std::vector<float> ones(bytes / 4, 1.0f);
  PLAIT_TRY(d.copy_in(a, ones.data(), bytes));
  PLAIT_TRY(d.add(static_cast<float*>(b), static_cast<const float*>(a), bytes / 4));
  PLAIT_TRY(d.synchronize());
  PLAIT_TRY(other.clear(a, bytes));
  PLAIT_ASSIGN(const auto added, other.read(b, bytes));
  if (std::memcmp(added.data(), ones.data(), bytes) != 0)
    return broken(fmt::format("add_f32 of {} numbers was not done when synchronize came back", bytes / 4));
  d.ops().release(d.self(), a), d.ops().release(d.self(), b);
  return {};
}

Status synchronizes(Trial& trial) {
  return for_each_device(trial, [&](DeviceBench& d) -> Status {
    for (int i = 0; i < 5; ++i)
      for (uint64_t bytes : {uint64_t{64}, uint64_t{40'000}, uint64_t{1} << 22})
        PLAIT_TRY(check_waits(d, bytes));
    return {};
  });
}

Status unknown_extension(Trial& trial) {
  return for_each_device(trial, [&](DeviceBench& d) -> Status {
    const plait_device_ops* ops = &d.ops();
    if (!PLAIT_HAS(ops, get_extension)) return {};
    return ops->get_extension(d.self(), "plait.no_such_extension/1") == nullptr
               ? Status()
               : broken("answers an extension that does not exist");
  });
}

}  // namespace

std::vector<Law> device_laws() {
  constexpr const char* kKind = "device";
  constexpr Severity kMust = Severity::kMust;
  return {
      {kKind, "memory", kMust, "memory is aligned and holds what was copied in", memory},
      {kKind, "order", kMust, "work on a stream happens in order; add_f32 adds", order},
      {kKind, "bounds", kMust, "fills what it is told to fill", bounds},
      {kKind, "too_much", kMust, "memory that is not there is refused in words", refuses_too_much},
      {kKind, "synchronize", kMust, "what was queued is done when synchronize comes back", synchronizes},
      {kKind, "streams", kMust, "streams work side by side", streams},
      {kKind, "late_error", kMust,
       "an error that arrives late is told, and nothing after it is taken for good", late_error},
      {kKind, "unknown_extension", kMust, "extensions that do not exist are NULL", unknown_extension},
  };
}

}  // namespace plait::inline verify
