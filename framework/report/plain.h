// Progress as lines of text: begin and end of stages, about twenty lines of rounds a stage, every evaluation.
#pragma once
#include <cstdio>

#include "report/progress.h"

namespace plait::inline report {

class Plain : public Observer {
 public:
  explicit Plain(std::FILE* stream) : stream_(stream) {}
  void run_begun(const std::string& run_dir) override;
  void stage_begun(const StageInfo& stage) override;
  void round_finished(const RoundInfo& round) override;
  void evaluated(const EvaluationInfo& evaluation) override;
  void profile(const std::vector<LayerTime>& times) override;
  void message(const std::string& text) override;
  void warning(const std::string& text) override;
  void task_stage_begun(const std::string& name, int64_t tasks, int64_t records) override;
  void task_pass_finished(const TaskPassInfo& pass) override;
  void task_stage_finished(const TaskStageInfo& stage) override;
  void encoded(const EncoderInfo& encoder) override;
  void fitted(const FitInfo& fit) override;
  void finished(const Summary& summary) override;

 protected:
  // One line; the bar clears itself first.
  virtual void line(const std::string& text);
  double eta_seconds(const RoundInfo& round);
  static std::string pass_text(const TaskPassInfo& pass);
  std::FILE* stream() const { return stream_; }
  const StageInfo& stage() const { return stage_; }

 private:
  std::FILE* stream_;
  StageInfo stage_;
  double seconds_ = 0;  // of the stage's rounds so far
  int64_t counted_ = 0;
};

}  // namespace plait::inline report
