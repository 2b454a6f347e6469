// Progress as one JSON object a line: {"event": "round", ...}. Field names are those of train/run.h.
#pragma once
#include <cstdio>

#include "report/progress.h"

namespace plait::inline report {

class JsonLines final : public Observer {
 public:
  explicit JsonLines(std::FILE* stream) : stream_(stream) {}
  void run_begun(const std::string& run_dir) override;
  void stage_begun(const StageInfo& stage) override;
  void round_finished(const RoundInfo& round) override;
  void evaluated(const EvaluationInfo& evaluation) override;
  void checkpoint_saved(const std::string& path) override;
  void profile(const std::vector<LayerTime>& times) override;
  void message(const std::string& text) override;
  void task_stage_begun(const std::string& name, int64_t tasks, int64_t records) override;
  void task_pass_finished(const TaskPassInfo& pass) override;
  void task_stage_finished(const TaskStageInfo& stage) override;
  void encoded(const EncoderInfo& encoder) override;
  void fitted(const FitInfo& fit) override;
  void finished(const Summary& summary) override;

 private:
  std::FILE* stream_;
};

}  // namespace plait::inline report
