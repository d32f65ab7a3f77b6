#pragma once
#include <rwkv/io/safetensors_writer.hpp>
#include <rwkv/models/model.hpp>

namespace rwkv {

namespace detail {
template <class B>
SafetensorsWriter::Source downloads(const typename B::scalar* from) {
  using T = typename B::scalar;
  return [from](std::uint64_t offset, std::span<std::byte> chunk) {
    const T* const first = from + offset / sizeof(T);
    const std::size_t whole = chunk.size() / sizeof(T), rest = chunk.size() % sizeof(T);
    B::download(reinterpret_cast<T*>(chunk.data()), first, dim_t(whole));
    if (rest == 0) return;
    T last;  // part of which is padding
    B::download(&last, first + whole, 1);
    std::memcpy(chunk.data() + whole * sizeof(T), &last, rest);
  };
}
}  // namespace detail

/// Adds every leaf of `bundle`, which must outlive the writer's `write`. Numbers are stored as they are in memory.
template <class B, Bundle P>
void write_bundle(SafetensorsWriter& writer, const std::string& prefix, const Owned<B, P>& bundle) {
  for (const Leaf& leaf : bundle.leaves())
    writer.add(prefix + leaf.name, file_dtype(leaf.storage), leaf.shape,
               detail::downloads<B>(bundle.data() + leaf.offset));
}

/// Writes a bundle, such as a State, as one safetensors file, whole or not at all: a float is an F32, a double an F64,
/// a bf16 a BF16. Errors: two leaves of one name; whatever keeps the file from being written.
template <class B, Bundle P>
void save(const Owned<B, P>& bundle, const std::string& path, Metadata metadata = {}) {
  SafetensorsWriter writer;
  writer.metadata = std::move(metadata);
  write_bundle(writer, "", bundle);
  writer.write(path);
}
/// The parameters, under the names of official checkpoints.
template <class Net, Backend B>
void save(const Model<Net, B>& model, const std::string& path, Metadata metadata = {}) {
  save(model.params, path, std::move(metadata));
}

}  // namespace rwkv
