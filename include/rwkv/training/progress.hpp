#pragma once
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <string>

#include <rwkv/core/number_text.hpp>
#include <rwkv/training/step_report.hpp>

namespace rwkv {

/// What training is at: on a terminal one line that is rewritten as it goes on; elsewhere a plain line at each
/// validation, at the end, and whenever there was none for `silence`.
class Progress {
 public:
  explicit Progress(std::FILE* stream = stderr, std::chrono::milliseconds silence = std::chrono::seconds(30))
      : stream_(stream), terminal_(::isatty(::fileno(stream)) != 0), silence_(silence) {}
  ~Progress() {
    if (terminal_ && written_) std::fputc('\n', stream_);
  }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void show(const StepReport& r) {
    average_ = r.step <= 1 || average_ == 0 ? r.loss : 0.95 * average_ + 0.05 * r.loss;
    speed_ = speed_ == 0 ? r.tokens_per_second : 0.95 * speed_ + 0.05 * r.tokens_per_second;
    seconds_per_step_ =
        seconds_per_step_ == 0 ? r.seconds - last_ : 0.95 * seconds_per_step_ + 0.05 * (r.seconds - last_);
    last_ = r.seconds;
    const auto now = std::chrono::steady_clock::now();
    if (r.step < r.steps && !due(r, now - shown_)) return;
    shown_ = now;
    StepReport smooth = r;
    smooth.loss = average_, smooth.tokens_per_second = speed_;
    std::fprintf(stream_, terminal_ ? "\r%s\x1b[K" : "%s\n",
                 line(smooth, double(r.steps - r.step) * seconds_per_step_).c_str());
    std::fflush(stream_);
    written_ = true;
  }
  void start_at(double seconds) { last_ = seconds; }

  /// The line: step, average loss of the last steps, validation loss, learning rate, gradient norm, speed, and the time
  /// left in hours, minutes and seconds.
  static std::string line(const StepReport& r, double left) {
    const long s = std::lround(std::max(0.0, left));
    char eta[40];
    std::snprintf(eta, sizeof eta, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
    const double speed = r.tokens_per_second;
    return "step " + std::to_string(r.step) + "/" + std::to_string(r.steps) + "  average loss " +
           fixed_text(r.loss, 4) + (std::isnan(r.valid) ? "" : "  valid " + fixed_text(r.valid, 4)) + "  lr " +
           number_text(r.learning_rate, 2) + "  norm " + fixed_text(r.gradient_norm, 2) + "  " +
           (speed < 10000 ? fixed_text(speed, 0) : fixed_text(speed / 1000, 1) + "k") + " tokens/s  ETA " + eta;
  }

 private:
  bool due(const StepReport& r, std::chrono::steady_clock::duration silent) const {
    return terminal_ ? !written_ || silent >= std::chrono::milliseconds(100) : r.validated || silent >= silence_;
  }

  std::FILE* stream_;
  bool terminal_, written_ = false;
  std::chrono::milliseconds silence_;
  double average_ = 0, speed_ = 0, seconds_per_step_ = 0, last_ = 0;
  std::chrono::steady_clock::time_point shown_ = std::chrono::steady_clock::now();
};

}  // namespace rwkv
