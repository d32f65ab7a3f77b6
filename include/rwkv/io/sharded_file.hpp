#pragma once
#include <memory>

#include <rwkv/io/file_kind.hpp>
#include <rwkv/io/pth_file.hpp>
#include <rwkv/io/safetensors_file.hpp>
#include <rwkv/io/shard_index.hpp>

namespace rwkv {

/// A model in several files, its shards, opened by their index: safetensors or PyTorch's (Hugging Face,
/// model.safetensors.index.json and pytorch_model.bin.index.json). All lie in the folder of the index, which calls
/// their tensors as they do.
class ShardedFile final : public TensorSource {
 public:
  static constexpr std::string_view name = "shards with an index";
  /// A text that begins an object and has a "weight_map".
  static bool recognises(std::span<const std::byte> file) {
    const std::string_view text(reinterpret_cast<const char*>(file.data()), std::min(file.size(), longest));
    const std::size_t first = text.find_first_not_of(" \t\r\n");
    return first != text.npos && text[first] == '{' && text.substr(0, 8).find('\0') == text.npos &&
           text.find("\"weight_map\"") != text.npos;
  }

  explicit ShardedFile(const std::string& index) : ShardedFile(MappedFile(index)) {}
  /// Error unless the index and all shards are sound, and agree on which tensor is where.
  [[gnu::cold]] explicit ShardedFile(const MappedFile& index) : TensorSource(index.path(), name) {
    if (index.bytes().size() > longest)
      refuse("has " + std::to_string(index.bytes().size()) + " bytes, expected an index of 16 MB at most");
    detail::IndexEvents events;
    if (const std::size_t byte = detail::JsonReader(index.text(), events).read())
      refuse("is not JSON: error at its byte " + std::to_string(byte));
    if (!events.complaint.empty()) refuse(events.complaint);
    if (events.shard_of.empty()) refuse("expected tensors in its weight_map, found none");
    for (const auto& [tensor, shard] : events.shard_of) shard_number_.emplace(shard, 0);
    std::vector<TensorInfo> tensors;
    Metadata metadata;
    for (auto& [shard, number] : shard_number_) {
      number = shards_.size();
      shards_.push_back(open(shard));
      for (const TensorInfo& t : shards_.back()->tensors()) {
        const auto said = events.shard_of.find(t.name);
        if (said == events.shard_of.end() || said->second != shard)
          refuse("tensor " + in_quotes(t.name) + ": the index says " +
                 (said == events.shard_of.end() ? "nothing of it" : "it is in " + in_quotes(said->second)) +
                 ", but it is in " + in_quotes(shard));
        tensors.push_back(t);
      }
      metadata.insert(shards_.back()->metadata().begin(), shards_.back()->metadata().end());
    }
    for (const auto& [tensor, shard] : events.shard_of)
      if (shards_[shard_number_.find(shard)->second]->find(tensor) == nullptr)
        refuse("tensor " + in_quotes(tensor) + ": the index says it is in " + in_quotes(shard) + ", but it is not");
    for (auto& [tensor, shard] : events.shard_of) shard_of_.emplace(tensor, shard_number_.find(shard)->second);
    list(std::move(tensors), std::move(metadata));
  }

  std::optional<std::span<const std::byte>> bytes(const TensorInfo& t) const override { return shard_of(t).bytes(t); }
  void read_numbers(const TensorInfo& t, std::uint64_t first, std::span<float> out) const override {
    shard_of(t).read_numbers(t, first, out);
  }
  void read_numbers(const TensorInfo& t, std::uint64_t first, std::span<double> out) const override {
    shard_of(t).read_numbers(t, first, out);
  }

 private:
  static constexpr std::size_t longest = 1 << 24;

  const TensorSource& shard_of(const TensorInfo& t) const { return *shards_[shard_of_.find(t.name)->second]; }
  std::unique_ptr<TensorSource> open(const std::string& shard) const {
    const std::size_t slash = path().rfind('/');
    try {
      MappedFile file((slash == path().npos ? "" : path().substr(0, slash + 1)) + shard);
      if (PthFile::recognises(file.bytes())) return std::make_unique<PthFile>(std::move(file), PthFile::Names::stored);
      if (SafetensorsFile::recognises(file.bytes())) return std::make_unique<SafetensorsFile>(std::move(file));
      const detail::FileKind kind = detail::file_kind(file.text());
      throw Error(file.path(), ": expected safetensors or PyTorch's .pth, found ", kind.what, "; ", kind.way_out);
    } catch (const Error& e) {
      throw Error(path(), ": expected its shard ", in_quotes(shard),
                  " beside it, found that it cannot be read: ", e.what());
    }
  }
  [[noreturn, gnu::cold]] void refuse(const std::string& why) const {
    throw Error(path(), ": ", why, "; index and shards must come from one model, download all of them again");
  }

  std::vector<std::unique_ptr<TensorSource>> shards_;
  std::map<std::string, std::size_t> shard_number_;
  std::map<std::string, std::size_t, std::less<>> shard_of_;  // by the tensors' names
};

}  // namespace rwkv
