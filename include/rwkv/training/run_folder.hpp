#pragma once
#include <array>
#include <filesystem>
#include <string>

#include <rwkv/io/folder_lock.hpp>
#include <rwkv/training/run_config.hpp>

namespace rwkv {

/// The folder of a run, held by one run at a time.
class RunFolder {
 public:
  /// Error at once, and not after the last step, if something else than a file has the name of one that the run writes.
  [[gnu::cold]] explicit RunFolder(const RunConfig& run) : run_(run), lock_(run.folder) {
    for (const std::string& path : files(run))
      if (std::filesystem::exists(path) && !std::filesystem::is_regular_file(path))
        throw Error(path, ": is not a regular file; remove it, or choose another folder");
  }

  /// Gives log, model and checkpoint of an earlier run other names, so that they are not lost: log.1.csv,
  /// model.1.safetensors, resume.1.safetensors, or the next number that none of the three has.
  [[gnu::cold]] void set_aside() const {
    std::string kept;
    const int number = free_number();
    for (const std::string& path : files(run_))
      if (std::filesystem::exists(path)) kept += (kept.empty() ? "" : ", ") + rename(path, number);
    if (!kept.empty()) tell(run_.folder + ": holds an earlier run, which was kept: " + kept);
  }
  /// The log alone.
  [[gnu::cold]] void set_log_aside() const {
    tell(run_.log() + ": lines in it are damaged; it was kept: " + rename(run_.log(), free_number()));
  }
  void tell(const std::string& what) const {
    if (run_.tell)
      run_.tell(what);
    else
      std::fprintf(stderr, "%s\n", detail::escaped(what).c_str());
  }

  /// What a run writes.
  static std::array<std::string, 3> files(const RunConfig& run) { return {run.log(), run.model(), run.checkpoint()}; }

 private:
  /// "run/log.3.csv"
  static std::string numbered(const std::string& path, int number) {
    return path.substr(0, path.rfind('.')) + "." + std::to_string(number) + path.substr(path.rfind('.'));
  }
  int free_number() const {
    for (int number = 1;; ++number) {
      bool taken = false;
      for (const std::string& path : files(run_)) taken |= std::filesystem::exists(numbered(path, number));
      if (!taken) return number;
    }
  }
  /// The new name, without the folder.
  static std::string rename(const std::string& path, int number) {
    const std::filesystem::path kept = numbered(path, number);
    std::error_code failed;
    std::filesystem::rename(path, kept, failed);
    if (failed) throw Error(path, ": cannot rename it (", failed.message(), "); choose another folder");
    return kept.filename();
  }

  const RunConfig& run_;
  FolderLock lock_;
};

/// Error if a file that a run reads, which `option` names, is one that the run would write.
[[gnu::cold]] inline void expect_not_written(const RunConfig& run, const std::string& option, const std::string& path) {
  for (const std::string& written : RunFolder::files(run)) {
    std::error_code missing;
    if (std::filesystem::equivalent(path, written, missing) ||
        std::filesystem::equivalent(path, written + ".partial", missing))
      throw Error(option, " ", path, ": is ", written,
                  ", which the run would replace; give the text another name, or choose another folder");
  }
}

}  // namespace rwkv
