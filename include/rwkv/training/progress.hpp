#pragma once
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <string>

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
    char text[200], valid[32] = "", speed[32];
    if (!std::isnan(r.valid)) std::snprintf(valid, sizeof valid, "  valid %.4f", r.valid);
    std::snprintf(speed, sizeof speed, r.tokens_per_second < 10000 ? "%.0f" : "%.1fk",
                  r.tokens_per_second < 10000 ? r.tokens_per_second : r.tokens_per_second / 1000);
    const long s = std::lround(std::max(0.0, left));
    std::snprintf(text, sizeof text,
                  "step %ld/%ld  average loss %.4f%s  lr %.2g  norm %.2f  %s tokens/s  ETA %ld:%02ld:%02ld",
                  long(r.step), long(r.steps), r.loss, valid, r.learning_rate, r.gradient_norm, speed, s / 3600,
                  s / 60 % 60, s % 60);
    return text;
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
