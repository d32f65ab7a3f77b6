#pragma once
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include <rwkv/training/progress.hpp>

namespace compare {

/// A run of the list.
struct Planned {
  std::string model;
  std::uint64_t seed;
  double flops;  ///< of all its tokens
  bool finished;
};

/// One line per run, with what is left of the whole study. A run still to come is taken to be as fast as the last one
/// of the same model, or as its operations say.
class StudyProgress {
 public:
  explicit StudyProgress(std::vector<Planned> runs) : runs_(std::move(runs)) {}

  void begin(std::size_t run) { run_ = run, speed_ = 0; }
  void show(const rwkv::StepReport& r) {
    average_ = speed_ == 0 ? r.loss : 0.95 * average_ + 0.05 * r.loss;
    speed_ = speed_ == 0 ? r.tokens_per_second : 0.95 * speed_ + 0.05 * r.tokens_per_second;
    const double whole = r.seconds / double(r.step) * double(r.steps);
    seconds_per_flop_[runs_[run_].model] = whole / runs_[run_].flops;
    if (::isatty(2) == 0) return;
    const auto now = std::chrono::steady_clock::now();
    if (r.step < r.steps && now - shown_ < std::chrono::milliseconds(200)) return;
    shown_ = now;
    std::fprintf(stderr, "\r%s\x1b[K", line(r, whole - r.seconds).c_str());
    std::fflush(stderr);
  }
  /// The run's last line stays.
  void end(const rwkv::StepReport& r) {
    runs_[run_].finished = true;
    if (::isatty(2) != 0) std::fputs("\r\x1b[K", stderr);
    std::printf("%s\n", line(r, 0).c_str());
    std::fflush(stdout);
  }

 private:
  std::string line(const rwkv::StepReport& r, double left) const {
    char text[240], valid[32] = "";
    if (!std::isnan(r.valid)) std::snprintf(valid, sizeof valid, "  valid %.4f", r.valid);
    std::snprintf(text, sizeof text,
                  "run %zu of %zu  %s seed %lu  step %ld/%ld  loss %.4f%s  %.0f tokens/s  left %s, study %s", run_ + 1,
                  runs_.size(), runs_[run_].model.c_str(), static_cast<unsigned long>(runs_[run_].seed), long(r.step),
                  long(r.steps), average_, valid, speed_, clock(left).c_str(), clock(left + later()).c_str());
    return text;
  }
  /// Seconds of all runs after this one.
  double later() const {
    double mean = 0, sum = 0;
    for (const auto& [model, seconds] : seconds_per_flop_) mean += seconds / double(seconds_per_flop_.size());
    for (const Planned& run : runs_) {
      if (&run == &runs_[run_] || run.finished) continue;
      const auto known = seconds_per_flop_.find(run.model);
      sum += run.flops * (known == seconds_per_flop_.end() ? mean : known->second);
    }
    return sum;
  }
  static std::string clock(double seconds) {
    const long s = std::lround(std::max(0.0, seconds));
    char text[32];
    std::snprintf(text, sizeof text, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
    return text;
  }

  std::vector<Planned> runs_;
  std::map<std::string, double> seconds_per_flop_;  // of each model's last run
  std::size_t run_ = 0;
  double average_ = 0, speed_ = 0;
  std::chrono::steady_clock::time_point shown_{};
};

}  // namespace compare
