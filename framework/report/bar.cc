#include "report/bar.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>

#include "report/format.h"
#include "report/output.h"

namespace plait::inline report {

int Bar::width() const {
  winsize size{};
  if (::ioctl(::fileno(stream()), TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}

void Bar::line(const std::string& text) {
  if (visible_) print_control("\r\x1b[K", stream());
  visible_ = false;
  Plain::line(text);
}

void Bar::round_finished(const RoundInfo& round) {
  const double eta = eta_seconds(round);
  const auto now = std::chrono::steady_clock::now();
  const bool last = round.round + 1 == round.rounds;
  if (!last && now - drawn_ < std::chrono::milliseconds(100)) return;
  drawn_ = now;
  const std::string text =
      fmt::format(" round {}/{}  epoch {:.2f}  {}  {} samples/s  eta {}", round.round + 1, round.rounds,
                  round.epoch, loss_text(round), rate_text(round.samples_per_second), duration_text(eta));
  const int room = std::clamp(width() - static_cast<int>(text.size()) - 3, 0, 40);
  const auto done = static_cast<int>(room * (round.round + 1) / std::max<int64_t>(1, round.rounds));
  std::string bar;
  if (room >= 4)
    bar = "[" + std::string(static_cast<size_t>(done), '=') +
          std::string(static_cast<size_t>(room - done), ' ') + "]";
  draw(bar + text);
}

void Bar::task_pass_finished(const TaskPassInfo& pass) { draw(pass_text(pass)); }

void Bar::draw(const std::string& text) {
  print_control("\r" + text.substr(0, static_cast<size_t>(std::max(1, width() - 1))) + "\x1b[K", stream());
  print_now("", stream());
  visible_ = true;
}

}  // namespace plait::inline report
