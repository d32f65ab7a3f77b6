#pragma once
#include <filesystem>
#include <sstream>
#include <string>

#include <rwkv/core/quoted.hpp>
#include <rwkv/io/atomic_file.hpp>
#include <rwkv/io/folder_lock.hpp>
#include <rwkv/io/mapped_file.hpp>

namespace compare {

/// Puts a whole file under its name, or leaves what was there.
inline void write_file(const std::string& path, const std::string& content) {
  rwkv::AtomicFile file(path);
  file.write(std::as_bytes(std::span(content)));
  file.commit();
}
inline std::string read_file(const std::string& path) {
  return std::string(rwkv::MappedFile(path).text());
}

/// A study's folder, held by one process at a time.
class Folder {
 public:
  Folder(const std::string& path, const std::string& settings) : path_(path), lock_(path, "study") { claim(settings); }

 private:
  void claim(const std::string& settings) const {
    const std::string file = path_ + "/study.txt";
    if (!std::filesystem::exists(file)) {
      for (const auto& entry : std::filesystem::directory_iterator(path_))
        if (const std::string name = entry.path().filename(); name != "lock" && !name.ends_with(".partial"))
          throw rwkv::Error("--out ", path_, ": expected an empty folder or one of a study, found ", name,
                            " and no study.txt; choose another folder");
      write_file(file, settings);
      return;
    }
    std::istringstream theirs(read_file(file)), ours(settings);
    for (std::string there, here; theirs || ours;) {
      if (!std::getline(theirs, there)) there.clear();
      if (!std::getline(ours, here)) here.clear();
      if (there != here)
        throw rwkv::Error("--out ", path_, ": holds the results of another study: there ", rwkv::in_quotes(there),
                          ", here ", rwkv::in_quotes(here), "; choose another folder, or repeat that study's command");
    }
  }

  std::string path_;
  rwkv::FolderLock lock_;
};

}  // namespace compare
