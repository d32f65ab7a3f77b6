#pragma once
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include <rwkv/core/error.hpp>
#include <rwkv/io/atomic_file.hpp>
#include <rwkv/io/mapped_file.hpp>
#include <rwkv/training/log_line.hpp>
#include <rwkv/training/run_folder.hpp>

namespace rwkv {

/// log.csv: a line per step, in the file as soon as the step is made. A run that resumes drops the lines after its
/// checkpoint, which it makes again, so that no step appears twice.
class Log {
 public:
  /// Keeps the lines of the first `steps` steps. Says what is missing of them; a log with other lines is set aside.
  [[gnu::cold]] Log(const RunFolder& folder, const std::string& path, dim_t steps) : path_(path) {
    std::string kept(log_header);
    if (steps > 0) kept += old_lines(folder, steps);
    AtomicFile file(path);
    file.write(std::as_bytes(std::span(kept)));
    file.commit();
    fd_ = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);  // no wait on pipes
    if (fd_ < 0) fail("open");
  }
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;
  ~Log() { ::close(fd_); }

  /// Of training, as the last line kept says.
  double seconds() const { return seconds_; }

  void write(const StepReport& report) {
    const std::string line = log_line(report);
    for (std::string_view rest = line; !rest.empty();) {
      const ssize_t n = ::write(fd_, rest.data(), rest.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) fail("write");
      rest.remove_prefix(static_cast<std::size_t>(n));
    }
  }

 private:
  std::string old_lines(const RunFolder& folder, dim_t steps) {
    if (!std::filesystem::exists(path_)) {
      folder.tell(path_ + ": is missing and begins anew; the checkpoint, of step " + std::to_string(steps) +
                  ", is there");
      return {};
    }
    std::string kept;
    dim_t last = 0, lines = 0, gap = 0;  // gap: the first step that is missing
    bool damaged = false;
    {
      const MappedFile old(path_);
      std::string_view text = old.text();
      for (std::size_t end; (end = text.find('\n')) != std::string_view::npos; text.remove_prefix(end + 1)) {
        const auto report = parse_log_line(text.substr(0, end));
        if (!report && text.data() == old.text().data()) continue;  // the header
        if (report && report->step > steps) continue;
        if (!report || report->step <= last) {
          damaged = true;
          continue;
        }
        if (gap == 0 && report->step > last + 1) gap = last + 1;
        kept += text.substr(0, end + 1);
        seconds_ = report->seconds, last = report->step, ++lines;
      }
    }
    if (gap == 0) gap = last + 1;
    if (damaged) folder.set_log_aside();
    if (lines < steps)
      folder.tell(path_ + ": lacks " + std::to_string(steps - lines) + " of the " + std::to_string(steps) +
                  " steps before the checkpoint, from step " + std::to_string(gap) + " on");
    return kept;
  }
  [[noreturn]] void fail(const char* what) const {
    throw Error(path_, ": cannot ", what, " (", std::strerror(errno),
                "); free some space or choose another folder, then resume from the last checkpoint");
  }

  std::string path_;
  double seconds_ = 0;
  int fd_ = -1;
};

}  // namespace rwkv
