#pragma once
#include <map>
#include <string>
#include <vector>

#include <rwkv/core/error.hpp>
#include <rwkv/io/json_events.hpp>
#include <rwkv/io/mapped_file.hpp>

/// data/rwkv-files of the shared data: models and what official software makes of them, as its README says.
namespace reference {

inline const std::string folder = std::string(RWKV_SHARED_DIR) + "/data/rwkv-files/";

struct Entry {
  std::string file, version, logits, layouts_logits;  ///< layouts_logits: of the layout's own code, where it differs
  std::vector<std::int32_t> tokens;
  std::vector<int> rows;                     ///< tokens read before each row of logits; empty: before every one
  std::map<std::string, std::string> state;  ///< file by part
};

/// The entries of manifest.json.
class Manifest {
 public:
  static std::vector<Entry> read() {
    Manifest manifest;
    const rwkv::MappedFile file(folder + "manifest.json");
    const std::size_t wrong = rwkv::detail::JsonReader(file.text(), manifest).read();
    if (wrong != 0) throw rwkv::Error("manifest.json: error at byte ", wrong);
    return std::move(manifest.entries_);
  }

  bool begin_object() {
    if (++depth_ == 2) entries_.emplace_back();
    if (depth_ == 3) inner_ = key_;
    return true;
  }
  bool end_object() { return --depth_, inner_.clear(), true; }
  bool begin_array() { return true; }
  bool end_array() { return true; }
  bool key(std::string&& key) { return key_ = std::move(key), true; }
  bool string(std::string&& text) {
    if (depth_ == 3 && inner_ == "state") entries_.back().state[key_] = text;
    if (depth_ != 2) return true;
    Entry& entry = entries_.back();
    if (key_ == "file") entry.file = text;
    if (key_ == "version") entry.version = text;
    if (key_ == "logits") entry.logits = text;
    if (key_ == "logits_hf") entry.layouts_logits = text;
    return true;
  }
  bool number(std::uint64_t n) {
    if (depth_ == 2 && key_ == "tokens") entries_.back().tokens.push_back(std::int32_t(n));
    if (depth_ == 2 && key_ == "rows") entries_.back().rows.push_back(int(n));
    return true;
  }
  bool negative_number() { return true; }
  bool odd_number(std::string_view) { return true; }
  bool boolean() { return true; }
  bool null() { return true; }

 private:
  int depth_ = 0;
  std::string key_, inner_;
  std::vector<Entry> entries_;
};

/// The numbers of a .npy file of float32, row by row.
inline std::vector<float> npy(const std::string& name) {
  const rwkv::MappedFile file(folder + name);
  if (!file.text().starts_with("\x93NUMPY\1")) throw rwkv::Error(name, ": expected a .npy file of version 1");
  const auto head = static_cast<std::size_t>(static_cast<unsigned char>(file.text()[8]) +
                                             256 * static_cast<unsigned char>(file.text()[9]));
  if (file.text().substr(10, head).find("'<f4'") == std::string_view::npos)
    throw rwkv::Error(name, ": expected float32");
  std::vector<float> numbers((file.bytes().size() - 10 - head) / sizeof(float));
  std::memcpy(numbers.data(), file.bytes().data() + 10 + head, numbers.size() * sizeof(float));
  return numbers;
}

}  // namespace reference
