#pragma once
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

#include <rwkv/core/error.hpp>
#include <rwkv/core/number_text.hpp>
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
          seconds_ = number_in(text.substr(0, end).substr(line.rfind(',') + 1)).value_or(0);
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
    const std::string line = std::to_string(r.step) + "," + number_text(r.loss) + "," +
                             (r.validated ? number_text(r.valid) : "") + "," + number_text(r.learning_rate) + "," +
                             number_text(r.gradient_norm) + "," + fixed_text(r.tokens_per_second, 1) + "," +
                             fixed_text(r.seconds, 3) + "\n";
    const bool good = std::fputs(line.c_str(), file_.get()) >= 0 && std::fflush(file_.get()) == 0;
    if (!good) fail("write");
  }

 private:
  struct Close {
    void operator()(std::FILE* f) const { std::fclose(f); }
  };
  [[noreturn]] void fail(const char* what) const {
    throw Error(path_, ": cannot ", what, " (", std::strerror(errno),
                "); free some space or choose another folder, then resume from the last checkpoint");
  }

  std::string path_;
  double seconds_ = 0;
  std::unique_ptr<std::FILE, Close> file_;
};

}  // namespace rwkv
