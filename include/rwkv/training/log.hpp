#pragma once
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

#include <rwkv/core/error.hpp>
#include <rwkv/io/atomic_file.hpp>
#include <rwkv/io/mapped_file.hpp>
#include <rwkv/training/step_report.hpp>

namespace rwkv {

/// log.csv: a line per step, flushed at once. A run that resumes drops the lines after its checkpoint, so that no step
/// appears twice.
class Log {
 public:
  static constexpr const char* header = "step,loss,valid_loss,learning_rate,gradient_norm,tokens_per_second,seconds\n";

  /// Keeps the lines of the first `steps` steps.
  Log(const std::string& path, dim_t steps) : path_(path) {
    std::string kept = header;
    if (steps > 0) {
      const MappedFile old(path);
      std::string_view text = old.text();
      while (!text.empty()) {
        const std::size_t end = text.find('\n');
        if (end == std::string_view::npos) break;  // a line that a kill cut short
        const std::string line(text.substr(0, end + 1));
        char* after = nullptr;
        const long step = std::strtol(line.c_str(), &after, 10);
        if (after != line.c_str() && *after == ',' && step >= 1 && step <= steps) {
          kept += line;
          seconds_ = std::strtod(line.c_str() + line.rfind(',') + 1, nullptr);
        }
        text.remove_prefix(end + 1);
      }
    }
    AtomicFile file(path);
    file.write(std::as_bytes(std::span(kept)));
    file.commit();
    file_.reset(std::fopen(path.c_str(), "ab"));
    if (!file_) fail("open");
  }

  /// Of training, as the last line kept says.
  double seconds() const { return seconds_; }

  void write(const StepReport& r) {
    const std::string valid = r.validated ? number(r.valid) : "";
    const bool good = std::fprintf(file_.get(), "%ld,%s,%s,%s,%s,%.1f,%.3f\n", long(r.step), number(r.loss).c_str(),
                                   valid.c_str(), number(r.learning_rate).c_str(), number(r.gradient_norm).c_str(),
                                   r.tokens_per_second, r.seconds) > 0 &&
                      std::fflush(file_.get()) == 0;
    if (!good) fail("write");
  }

 private:
  struct Close {
    void operator()(std::FILE* f) const { std::fclose(f); }
  };
  static std::string number(double x) {
    char text[32];
    std::snprintf(text, sizeof text, "%.9g", x);
    return text;
  }
  [[noreturn]] void fail(const char* what) const {
    throw Error(path_, ": cannot ", what, " (", std::strerror(errno),
                "); free some space or choose another folder, then resume from the last checkpoint");
  }

  std::string path_;
  double seconds_ = 0;
  std::unique_ptr<std::FILE, Close> file_;
};

}  // namespace rwkv
