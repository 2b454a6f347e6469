// Progress as one line that is drawn over, at most ten times a second.
#pragma once
#include <chrono>

#include "report/plain.h"

namespace plait::inline report {

class Bar final : public Plain {
 public:
  explicit Bar(std::FILE* stream) : Plain(stream) {}
  void round_finished(const RoundInfo& round) override;
  void task_pass_finished(const TaskPassInfo& pass) override;

 private:
  void line(const std::string& text) override;
  int width() const;
  void draw(const std::string& text);
  std::chrono::steady_clock::time_point drawn_{};
  bool visible_ = false;
};

}  // namespace plait::inline report
