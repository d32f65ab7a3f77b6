#pragma once
#include <filesystem>
#include <fstream>
#include <string>

#include <unistd.h>

#include <rwkv/backend/control_groups.hpp>

namespace test {

/// The files of a system that is made up, gone at the end of the scope.
class SystemFiles {
 public:
  SystemFiles() : root_((std::filesystem::temp_directory_path() / "rwkv-system-XXXXXX").string()) {
    if (::mkdtemp(root_.data()) == nullptr) std::abort();
  }
  SystemFiles(const SystemFiles&) = delete;
  ~SystemFiles() { std::filesystem::remove_all(root_); }

  /// "proc/meminfo", "groups/a/cpu.max"
  void write(const std::string& name, const std::string& content) const {
    const std::filesystem::path path = std::filesystem::path(root_) / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << content;
  }
  rwkv::detail::System system() const { return {root_ + "/proc", root_ + "/groups"}; }

 private:
  std::string root_;
};

}  // namespace test
