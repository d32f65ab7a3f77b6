#pragma once
#include <algorithm>
#include <functional>
#include <set>

#include <rwkv/core/utf8_check.hpp>
#include <rwkv/io/atomic_file.hpp>
#include <rwkv/io/json_string.hpp>
#include <rwkv/io/tensor_info.hpp>

namespace rwkv {

/// Gathers tensors, then writes them as one safetensors file, in the order given, all or nothing. Only what is needed
/// to find the scalars is kept until then, so they must stay where they are until `write` returns.
class SafetensorsWriter {
 public:
  /// Writes the tensor's bytes from `offset` on into `chunk`, which holds whole scalars and is aligned for them.
  using Source = std::function<void(std::uint64_t offset, std::span<std::byte> chunk)>;

  Metadata metadata;

  /// Error if the name is taken, or if the dtype is none of safetensors.
  [[gnu::cold]] void add(std::string name, Dtype dtype, std::vector<dim_t> shape, Source source) {
    if (in_blocks(dtype)) throw Error(shown(name), ": safetensors has no ", name_of(dtype), "; store it as numbers");
    const auto size = byte_size(dtype, shape);
    if (!size || *size > UINT64_MAX - end_)
      throw Error(shown(name), ": shape ", shape_text(shape), " is too large to store");
    if (name == "__metadata__" || !names_.insert(name).second)
      throw Error(
          shown(name),
          ": two tensors would have this name in one file; name their layers apart, as Named<\"...\", Layer> does");
    tensors_.push_back({std::move(name), dtype, std::move(shape), end_, end_ + *size});
    sources_.push_back(std::move(source));
    end_ += *size;
  }
  /// Error also if the shape does not hold as many values.
  template <class T>
  void add(std::string name, std::vector<dim_t> shape, std::span<const T> values) {
    if (byte_size(dtype_of<T>, shape) != values.size_bytes())
      throw Error(shown(name), ": shape ", shape_text(shape), " was given ", values.size(), " values");
    add(std::move(name), dtype_of<T>, std::move(shape), [values](std::uint64_t offset, std::span<std::byte> chunk) {
      std::memcpy(chunk.data(), std::as_bytes(values).data() + offset, chunk.size());
    });
  }

  /// Replaces the file at `path`, see AtomicFile. Error if a name or metadata is not UTF-8.
  void write(const std::string& path) const {
    for (const TensorInfo& t : tensors_) utf8::check(t.name, path + ": a tensor's name");
    for (const auto& [key, value] : metadata) utf8::check(key + value, path + ": metadata");
    const std::string head = header();
    AtomicFile file(path);
    const std::uint64_t length = head.size();
    file.write(std::as_bytes(std::span(&length, 1)));
    file.write(std::as_bytes(std::span(head)));
    for_each_chunk([&](std::span<const std::byte> chunk) { file.write(chunk); });
    file.commit();
  }
  /// f(bytes) for what `write` writes after the header, in pieces, in order.
  template <class F>
  void for_each_chunk(const F& f) const {
    std::vector<std::byte> buffer(std::min(end_, chunk_bytes));
    for (std::size_t i = 0; i < tensors_.size(); ++i) {
      const std::uint64_t size = tensors_[i].end - tensors_[i].begin;
      for (std::uint64_t offset = 0; offset < size; offset += chunk_bytes) {
        const std::span chunk(buffer.data(), std::min(size - offset, chunk_bytes));
        sources_[i](offset, chunk);
        f(std::span<const std::byte>(chunk));
      }
    }
  }

 private:
  static constexpr std::uint64_t chunk_bytes = 1 << 22;

  /// Padded with spaces, so that the data starts at a multiple of eight bytes.
  [[gnu::cold]] std::string header() const {
    std::string json = "{", comma;
    if (!metadata.empty()) {
      json += "\"__metadata__\":{";
      for (const auto& [key, value] : metadata)
        json += std::exchange(comma, ",") + json_string(key) + ":" + json_string(value);
      json += "}";
    }
    for (const TensorInfo& t : tensors_) {
      json += std::exchange(comma, ",") + json_string(t.name) + ":{\"dtype\":\"" + std::string(name_of(t.dtype)) +
              "\",\"shape\":[";
      for (std::size_t i = 0; i < t.shape.size(); ++i) json += (i > 0 ? "," : "") + std::to_string(t.shape[i]);
      json += "],\"data_offsets\":[" + std::to_string(t.begin) + "," + std::to_string(t.end) + "]}";
    }
    json += "}";
    json.resize((json.size() + 7) / 8 * 8, ' ');
    return json;
  }

  std::vector<TensorInfo> tensors_;
  std::vector<Source> sources_;
  std::set<std::string> names_;
  std::uint64_t end_ = 0;
};

}  // namespace rwkv
