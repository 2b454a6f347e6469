// Laws of layers about bits: the same call gives the same bits, whatever ran before, beside or after it.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <thread>
#include <utility>

#include "graph/arena.h"
#include "verify/benches/layer_run.h"
#include "verify/engine/law.h"
#include "verify/engine/sanitizer.h"

namespace plait::inline verify {
namespace {

constexpr size_t kCases = 16;
constexpr uint64_t kRepeats = 30;

Status differs(const std::string& what, const std::string& when) { return broken(what + " differs " + when); }

// The same values again, after the instance has worked on others.
Status same_again(Trial& trial) {
  PLAIT_ASSIGN(const auto cases, layer_cases(trial, kCases));
  for (const LayerCase& made : cases) {
    PLAIT_ASSIGN(auto bench, LayerBench::create(trial, made));
    PLAIT_ASSIGN(const LayerValues values, draw_values(trial, made));
    PLAIT_ASSIGN(const LayerValues others, draw_values(trial, made));
    PLAIT_ASSIGN(auto first, LayerRun::create(*bench, values));
    PLAIT_ASSIGN(auto between, LayerRun::create(*bench, others));
    PLAIT_ASSIGN(auto again, LayerRun::create(*bench, values));
    trial.doing("the same call twice, with another between, " + made.text());
    PLAIT_TRY(first->all().at(made.text()));
    PLAIT_TRY(between->all().at(made.text()));
    PLAIT_TRY(again->all().at(made.text()));
    if (const auto what = first->difference(*again); !what.empty())
      return differs(what, "when the same call is made again: the instance keeps a state between calls (" +
                               made.text() + ")");
    PLAIT_ASSIGN(auto twin, LayerBench::create(trial, made));
    PLAIT_ASSIGN(auto other, LayerRun::create(*twin, values));
    PLAIT_TRY(other->all().at(made.text()));
    if (const auto what = first->difference(*other); !what.empty())
      return differs(what, "for a second instance of the same configuration (" + made.text() + ")");
  }
  trial.remark(fmt::format("{} cases", cases.size()));
  return {};
}

// Backward of one step after forward of another: nothing but saved memory carries over.
Status interleaved(Trial& trial) {
  PLAIT_ASSIGN(const auto cases, layer_cases(trial, kCases));
  for (const LayerCase& made : cases) {
    PLAIT_ASSIGN(auto bench, LayerBench::create(trial, made));
    PLAIT_ASSIGN(const LayerValues values, draw_values(trial, made));
    PLAIT_ASSIGN(const LayerValues others, draw_values(trial, made));
    PLAIT_ASSIGN(auto alone, LayerRun::create(*bench, values));
    PLAIT_TRY(alone->all().at(made.text()));
    PLAIT_ASSIGN(auto one, LayerRun::create(*bench, values));
    PLAIT_ASSIGN(auto two, LayerRun::create(*bench, others));
    trial.doing("forward of two steps, then their backward, " + made.text());
    for (LayerRun* run : {one.get(), two.get()}) PLAIT_TRY(run->prepare());
    for (LayerRun* run : {one.get(), two.get()}) PLAIT_TRY(run->forward());
    for (LayerRun* run : {one.get(), two.get()}) PLAIT_TRY(run->backward());
    if (const auto what = alone->difference(*one); !what.empty())
      return differs(what,
                     "when forward of another step lies between forward and backward (" + made.text() + ")");
  }
  return {};
}

// Threads that call one instance at once, until they have met often: where there are few processors, or
// others keep them busy, calls rarely lie beside each other.
struct Crowd {
  static constexpr int kThreads = 4;
  uint64_t least = kRepeats;  // calls of a thread, and how often calls meet, at least
  uint64_t enough = 400;
  // Calls of a thread, if they do not meet. Long ones meet sooner: a processor leaves them in the middle.
  uint64_t most = 20'000;
  std::vector<std::unique_ptr<LayerRun>> wanted, runs;
  std::vector<std::string> faults = std::vector<std::string>(kThreads);
  std::atomic<int> waiting{kThreads};
  std::atomic<int> inside{0};
  std::atomic<uint64_t> meetings{0};  // calls that began or ended in the middle of another

  Status call(LayerRun& run) {
    const bool met = inside++ > 0;
    const Status status = run.all();
    if (inside-- > 1 || met) ++meetings;
    return status;
  }
  void work(size_t n) {
    --waiting;
    while (waiting > 0) std::this_thread::yield();
    for (uint64_t i = 0; (i < least || (meetings < enough && i < most)) && faults[n].empty(); ++i) {
      runs[n]->reset();
      const Status status = call(*runs[n]);
      if (!status)
        faults[n] = "fails: " + status.message();
      else if (const auto what = wanted[n]->difference(*runs[n]); !what.empty())
        faults[n] = what + " differs";
    }
  }
};

Status concurrent_on(Trial& trial, const LayerCase& made) {
  PLAIT_ASSIGN(auto bench, LayerBench::create(trial, made));
  Crowd crowd;
  constexpr uint64_t kMostElements = uint64_t{1} << 26;  // of a thread's calls
  crowd.most =
      std::min(crowd.most, kMostElements / std::max<uint64_t>(1, element_count(made.inputs.front().shape)));
  // Calls of a device take long: all lie beside others.
  if (trial.device() != nullptr) crowd.least = 8, crowd.enough = 100;
  for (int n = 0; n < Crowd::kThreads; ++n) {
    PLAIT_ASSIGN(const LayerValues values, draw_values(trial, made));
    PLAIT_ASSIGN(auto wanted, LayerRun::create(*bench, values));
    PLAIT_TRY(wanted->all());
    PLAIT_ASSIGN(auto run, LayerRun::create(*bench, values));
    crowd.wanted.push_back(std::move(wanted)), crowd.runs.push_back(std::move(run));
  }
  trial.doing("calls on several threads with one instance, " + made.text());
  std::vector<std::thread> threads;
  for (size_t n = 0; n < Crowd::kThreads; ++n)
    threads.emplace_back([&crowd, n] {
      FloatState state;
      crowd.work(n);
    });
  for (std::thread& thread : threads) thread.join();
  for (const std::string& fault : crowd.faults)
    if (!fault.empty())
      return broken(fault + " when several threads call one instance at once (a race on hidden state)");
  return {};
}

Status concurrent(Trial& trial) {
  PLAIT_ASSIGN(const auto cases, layer_cases(trial, 2));
  PLAIT_ASSIGN(const LayerCase large, large_layer_case(trial));
  FloatState state;
  for (const LayerCase& made : cases) PLAIT_TRY(concurrent_on(trial, made).at(made.text()));
  return concurrent_on(trial, large).at(large.text());
}

// Which order the pieces of loops are run in: 0 as threads take them, else drawn by this number, one after
// the other. Threads of a busy machine, or of one with a single processor, may always come in the same order.
std::atomic<uint64_t> order_of_pieces{0};

int lane_loop_in_any_order(uint64_t count, uint64_t grain, int lanes, int (*body)(void*, uint64_t, uint64_t),
                           void* user, const std::atomic<bool>* cancelled) {
  if (order_of_pieces == 0 || grain == 0) return lane_loop()(count, grain, lanes, body, user, cancelled);
  std::vector<uint64_t> begins;
  for (uint64_t begin = 0; begin < count; begin += grain) begins.push_back(begin);
  Dice dice(order_of_pieces, "pieces");
  for (size_t i = begins.size(); i > 1; --i) std::swap(begins[i - 1], begins[dice.below(i)]);
  for (uint64_t begin : begins)
    if (body(user, begin, std::min(begin + grain, count)) != PLAIT_OK) return PLAIT_FAILED;
  return PLAIT_OK;
}

Status same_over_lanes(Trial& trial) {
  PLAIT_ASSIGN(const LayerCase made, large_layer_case(trial));
  Lanes lanes(3);
  return lanes.execute([&]() -> Status {
    BenchOptions options;
    options.lanes = lanes.count(), options.parallel_for = lane_loop_in_any_order;
    PLAIT_ASSIGN(auto bench, LayerBench::create(trial, made, options));
    PLAIT_ASSIGN(const LayerValues values, draw_values(trial, made));
    PLAIT_ASSIGN(auto first, LayerRun::create(*bench, values));
    trial.doing("the same call again and again on three lanes, " + made.text());
    PLAIT_TRY(first->all().at(made.text()));
    PLAIT_ASSIGN(auto again, LayerRun::create(*bench, values));
    for (uint64_t i = 0; i < kRepeats; ++i) {
      again->reset();
      order_of_pieces = i % 2 == 0 ? 0 : i;
      PLAIT_TRY(again->all().at(made.text()));
      if (const auto what = first->difference(*again); !what.empty())
        return differs(what,
                       "from run to run on three lanes: threads race, or a sum depends on who was first (" +
                           made.text() + ")");
    }
    trial.remark(made.text());
    return {};
  });
}

Status evaluation(Trial& trial) {
  PLAIT_ASSIGN(const auto cases, layer_cases(trial, kCases));
  for (const LayerCase& made : cases) {
    BenchOptions options;
    options.training = false;
    PLAIT_ASSIGN(auto bench, LayerBench::create(trial, made, options));
    PLAIT_ASSIGN(const LayerValues values, draw_values(trial, made));
    LayerRunOptions one, two;
    one.training = two.training = false;
    two.counter = 99, two.step = 1234;
    PLAIT_ASSIGN(auto first, LayerRun::create(*bench, values, one));
    PLAIT_ASSIGN(auto second, LayerRun::create(*bench, values, two));
    trial.doing("evaluation, " + made.text());
    PLAIT_TRY(first->all().at(made.text()));
    PLAIT_TRY(second->all().at(made.text()));
    for (size_t i = 0; i < first->buffers.size(); ++i) {
      const Guarded& buffer = first->buffers[i];
      if (buffer.bytes() > 0 && std::memcmp(buffer.data(), values.buffers[i].data(), buffer.bytes()) != 0)
        return broken(
            fmt::format("evaluation changes buffer \"{}\" ({})", made.shapes.buffers[i].name, made.text()));
    }
    if (const auto what = first->difference(*second); !what.empty())
      return broken("evaluation is random: " + what + " changes with the random numbers or the step (" +
                    made.text() + ")");
  }
  return {};
}

}  // namespace

std::vector<Law> layer_bits_laws() {
  constexpr const char* kKind = "layer";
  constexpr Severity kMust = Severity::kMust;
  return {
      {kKind, "same_again", kMust, "the same call gives the same bits; instances keep no state", same_again},
      {kKind, "interleaved", kMust, "only saved memory goes from forward to backward", interleaved},
      {kKind, "concurrent", kMust, "one instance serves several threads at once", concurrent},
      {kKind, "same_over_lanes", kMust, "with the same lanes every run gives the same bits", same_over_lanes},
      {kKind, "evaluation", kMust, "evaluation is not random and changes no buffer", evaluation},
  };
}

}  // namespace plait::inline verify
