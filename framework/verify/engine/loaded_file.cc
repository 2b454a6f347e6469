#include "verify/engine/loaded_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace plait::inline verify {
namespace {

// What goes back: kLoaded once, then of each test a Head and the text. Between a process and its fork.
constexpr char kLoaded = '\x06';  // no message begins so
struct Head {
  bool has_answered;
  Code code;
  double seconds;
  uint64_t bytes;
};

bool read_number(int descriptor, uint64_t& number) {
  auto* at = reinterpret_cast<char*>(&number);
  for (size_t got = 0; got < sizeof number;) {
    const ssize_t count = ::read(descriptor, at + got, sizeof number - got);
    if (count == 0 || (count < 0 && errno != EINTR)) return false;
    if (count > 0) got += static_cast<size_t>(count);
  }
  return true;
}

LoadedFile::Outcome run_test(WaitLoop& loop, const LoadedFile::Work& work, size_t test, double limit_s) {
  auto child = Child::start(
      loop, [&](TestProgress& progress) { return work.try_test(test, progress); }, limit_s);
  if (!child) return {child.status(), 0};
  Result<std::string> answer = child->wait(loop);
  return {std::move(answer), child->seconds()};
}

bool send(int descriptor, const LoadedFile::Outcome& outcome) {
  const std::string& text = outcome.answer ? *outcome.answer : outcome.answer.status().message();
  const Head head{outcome.answer.is_ok(), outcome.answer.status().code(), outcome.seconds, text.size()};
  return write_all(descriptor, {reinterpret_cast<const char*>(&head), sizeof head}) &&
         write_all(descriptor, text);
}

// Until there are no more tests. What it returns is why there are none.
std::string serve(const LoadedFile::Work& work, TestProgress& progress, int answer, double limit_s) {
  if (const Status loaded = work.load(progress); !loaded) return loaded.message();
  progress.text[0] = '\0';
  auto loop = WaitLoop::create();
  if (!loop) return loop.status().message();
  bool is_heard = write_all(answer, {&kLoaded, 1});
  for (uint64_t test = 0; is_heard && read_number(STDIN_FILENO, test);)
    is_heard = send(answer, run_test(*loop, work, test, limit_s));
  return "has no more tests";
}

}  // namespace

LoadedFile::LoadedFile(std::unique_ptr<Child> process, Descriptor from, Descriptor to)
    : process_(std::move(process)), from_(std::move(from)), to_(std::move(to)) {}

Result<LoadedFile> LoadedFile::start(WaitLoop& loop, const Work& work, double limit_s) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return {Code::kIo, std::string("pipe: ") + std::strerror(errno)};
  Descriptor from(ends[0]), to(ends[1]);
  PLAIT_ASSIGN(Child child, Child::serve(
                                loop,
                                [&](TestProgress& progress, int answer) {
                                  return verify::serve(work, progress, answer, limit_s);
                                },
                                from.get(), limit_s));
  return LoadedFile(std::make_unique<Child>(std::move(child)), std::move(from), std::move(to));
}

void LoadedFile::begin(size_t test) {
  const uint64_t number = test;
  // One that has ended takes none, and take says how it ended.
  static_cast<void>(write_all(to_.get(), {reinterpret_cast<const char*>(&number), sizeof number}));
}

std::optional<LoadedFile::Outcome> LoadedFile::take() {
  received_ += process_->take_answer();
  if (!is_loaded_ && !received_.empty() && received_.front() == kLoaded) {
    is_loaded_ = true;
    received_.erase(0, 1);
  }
  Head head;
  if (is_loaded_ && received_.size() >= sizeof head) {
    std::memcpy(&head, received_.data(), sizeof head);
    if (received_.size() >= sizeof head + head.bytes) {
      std::string text = received_.substr(sizeof head, head.bytes);
      received_.erase(0, sizeof head + head.bytes);
      if (head.has_answered) return Outcome{std::move(text), head.seconds};
      return Outcome{Status(head.code, std::move(text)), head.seconds};
    }
  }
  // Once it is loaded it does nothing but wait for tests, which have limits of their own.
  const bool is_over = is_loaded_ ? process_->has_ended() : process_->is_over();
  if (!is_over) return std::nullopt;
  return cut_short();
}

std::optional<LoadedFile::Outcome> LoadedFile::cut_short() {
  Result<std::string> answer = process_->answer(std::exchange(received_, {}));
  const Status why = answer ? Status(Code::kPlugin, *answer) : answer.status();
  return Outcome{why, process_->seconds()};
}

}  // namespace plait::inline verify
