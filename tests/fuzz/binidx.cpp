#include <rwkv/text/binidx_corpus.hpp>

#include <cstdlib>
#include <filesystem>

#include "memory_file.hpp"
#include "targets.hpp"

namespace {

/// A folder in which two files in memory have names.
class Pair {
 public:
  Pair() {
    fuzz::expect(mkdtemp(folder_.data()) != nullptr, "a folder");
    std::filesystem::create_symlink(tokens_.path(), folder_ + "/x.bin");
    std::filesystem::create_symlink(index_.path(), folder_ + "/x.idx");
  }
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;
  ~Pair() { std::filesystem::remove_all(folder_); }

  std::string hold(std::string_view tokens, std::string_view index) {
    tokens_.hold(tokens), index_.hold(index);
    return folder_ + "/x";
  }

 private:
  std::string folder_ = (std::filesystem::temp_directory_path() / "fuzz-XXXXXX").string();
  fuzz::MemoryFile tokens_, index_;
};

}  // namespace

/// How many bytes of tokens there are, then the index.
void fuzz::binidx(std::string_view input) {
  static Pair files;
  if (input.empty()) return;
  const std::string path = files.hold(std::string(static_cast<unsigned char>(input[0]), '\0'), input.substr(1));
  const rwkv::BinIdx file(path);
  expect(file.document(file.documents()) <= file.size(), "documents within the tokens");
  const rwkv::Corpus corpus = rwkv::binidx_corpus(path, rwkv::Bytes());
  std::vector<std::int32_t> ids(std::size_t(corpus.size()));
  corpus.read(0, ids);
}
