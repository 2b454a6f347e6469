#include "train/trace_file.h"

#include <fmt/format.h>

#include <iterator>
#include <nlohmann/json.hpp>
#include <set>

#include "base/json_text.h"

namespace plait::inline train {
namespace {

constexpr int64_t kNanosecondsInMicrosecond = 1000;  // the format's unit

std::string json_string(const std::string& text) { return json_text(nlohmann::json(text)); }

void add_name(std::string& text, const char* of, int rank, int thread, const std::string& name) {
  fmt::format_to(std::back_inserter(text),
                 R"({{"ph":"M","name":"{}","pid":{},"tid":{},"args":{{"name":{}}}}},)"
                 "\n",
                 of, rank, thread, json_string(name));
}

// A line for each event, each with a comma at its end.
std::string lines_of(const Trace::Noted& noted, const Transport& transport) {
  const int rank = transport.rank();
  std::string text;
  add_name(text, "process_name", rank, 0, transport.place());
  std::set<int> threads;
  for (const TraceEntry& event : noted.events) threads.insert(event.thread);
  for (int thread : threads)
    add_name(text, "thread_name", rank, thread,
             thread == 0 ? "transport" : "thread " + std::to_string(thread));
  for (const TraceEntry& event : noted.events) {
    const auto micro = [](int64_t ns) {
      return fmt::format("{}.{:03}", ns / kNanosecondsInMicrosecond, ns % kNanosecondsInMicrosecond);
    };
    fmt::format_to(std::back_inserter(text),
                   R"({{"ph":"X","cat":"{}","name":{},"pid":{},"tid":{},"ts":{},"dur":{},"args":{{)",
                   event.category, json_string(event.name.data()), rank, event.thread, micro(event.begin_ns),
                   micro(event.length_ns));
    if (event.number >= 0) fmt::format_to(std::back_inserter(text), R"("number":{})", event.number);
    text += "}},\n";
  }
  return text;
}

}  // namespace

Status begin_trace(const std::string& path, const Transport& transport, Files& files) {
  if (transport.is_root()) PLAIT_TRY(files.write_atomically(path, "{\"traceEvents\":[]}\n"));
  Trace::begin();
  return {};
}

Result<std::string> write_trace(const std::string& path, Transport& transport, Files& files) {
  const Trace::Noted noted = Trace::end();
  const std::string mine = lines_of(noted, transport);
  PLAIT_ASSIGN(const auto all, transport.gather(std::as_bytes(std::span(mine)), 0));
  int64_t lost = noted.lost;
  PLAIT_TRY(transport.all_reduce_sum(std::span(&lost, 1)));
  const auto content = [&](const Files::Writer& write) -> Status {
    PLAIT_TRY(write("{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n"));
    for (const Bytes& lines : all)
      PLAIT_TRY(write({reinterpret_cast<const char*>(lines.data()), lines.size()}));
    // The last one has no comma.
    return write("{\"ph\":\"M\",\"name\":\"trace_end\",\"pid\":0,\"tid\":0,\"args\":{}}\n]}\n");
  };
  if (transport.is_root()) PLAIT_TRY(files.write_pieces_atomically(path, content));
  if (lost == 0) return std::string();
  return fmt::format("the trace was full: {} of its events are not in {}", lost, path);
}

void drop_trace(const std::string& path, const Transport& transport, Files& files) {
  if (transport.is_root()) (void)files.remove(path);
}

}  // namespace plait::inline train
