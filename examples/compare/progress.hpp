#pragma once
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include <rwkv/training/progress.hpp>

namespace compare {

/// One line per run, with what is left of the whole study. A run still to come is taken to be as fast as a finished one
/// of the same model, or as its operations say.
class StudyProgress {
 public:
  /// flops: of a whole run, for every run in order.
  StudyProgress(std::vector<std::string> labels, std::vector<double> flops, std::vector<bool> finished)
      : labels_(std::move(labels)), flops_(std::move(flops)), done_(std::move(finished)) {}

  void begin(std::size_t run) { run_ = run, last_ = 0, speed_ = 0, first_ = -1; }
  void show(const rwkv::Report& r) {
    if (first_ < 0) first_ = double(r.step) - 1, begun_ = r.seconds - r.seconds / double(r.step);
    average_ = speed_ == 0 ? r.loss : 0.95 * average_ + 0.05 * r.loss;
    speed_ = speed_ == 0 ? r.tokens_per_second : 0.95 * speed_ + 0.05 * r.tokens_per_second;
    const double run = r.seconds / double(r.step) * double(r.steps);  // all of it
    per_flop_[labels_[run_]] = run / flops_[run_];
    if (::isatty(2) == 0) return;
    const auto now = std::chrono::steady_clock::now();
    if (r.step < r.steps && now - shown_ < std::chrono::milliseconds(200)) return;
    shown_ = now;
    std::fprintf(stderr, "\r%s\x1b[K", line(r, run - r.seconds).c_str());
    std::fflush(stderr);
  }
  /// The run's last line stays.
  void end(const rwkv::Report& r) {
    done_[run_] = true;
    if (::isatty(2) != 0) std::fputs("\r\x1b[K", stderr);
    std::printf("%s\n", line(r, 0).c_str());
    std::fflush(stdout);
  }
  std::string line(const rwkv::Report& r, double left) const {
    char text[240], valid[32] = "";
    if (!std::isnan(r.valid)) std::snprintf(valid, sizeof valid, "  valid %.4f", r.valid);
    std::snprintf(text, sizeof text, "run %zu of %zu  %s  step %ld/%ld  loss %.4f%s  %.0f tokens/s  left %s, study %s",
                  run_ + 1, labels_.size(), labels_[run_].c_str(), long(r.step), long(r.steps), average_, valid, speed_,
                  clock(left).c_str(), clock(left + later()).c_str());
    return text;
  }

 private:
  /// Seconds of all runs after this one.
  double later() const {
    double mean = 0, sum = 0;
    for (const auto& [label, seconds] : per_flop_) mean += seconds / double(per_flop_.size());
    for (std::size_t i = 0; i < labels_.size(); ++i) {
      if (i == run_ || done_[i]) continue;
      const auto known = per_flop_.find(labels_[i]);
      sum += flops_[i] * (known == per_flop_.end() ? mean : known->second);
    }
    return sum;
  }
  static std::string clock(double seconds) {
    const long s = std::lround(std::max(0.0, seconds));
    char text[32];
    std::snprintf(text, sizeof text, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
    return text;
  }

  std::vector<std::string> labels_;
  std::vector<double> flops_;
  std::vector<bool> done_;
  std::map<std::string, double> per_flop_;  // seconds, of each label's last run
  std::size_t run_ = 0;
  double average_ = 0, speed_ = 0, last_ = 0, first_ = -1, begun_ = 0;
  std::chrono::steady_clock::time_point shown_{};
};

}  // namespace compare
