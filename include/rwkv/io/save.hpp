#pragma once
#include <rwkv/io/safetensors_writer.hpp>
#include <rwkv/models/model.hpp>

namespace rwkv {

namespace detail {
template <class B>
SafetensorsWriter::Source downloads(const typename B::scalar* from) {
  using T = typename B::scalar;
  return [from](std::uint64_t offset, std::span<std::byte> chunk) {
    B::download(reinterpret_cast<T*>(chunk.data()), from + offset / sizeof(T), dim_t(chunk.size() / sizeof(T)));
  };
}
}  // namespace detail

/// Adds every leaf of `bundle`, which must outlive the writer's `write`. Scalars keep their type.
template <class B, Bundle P>
void write_bundle(SafetensorsWriter& writer, const std::string& prefix, const Owned<B, P>& bundle) {
  for (const Leaf& leaf : bundle.leaves())
    writer.add(prefix + leaf.name, dtype_of<typename B::scalar>, leaf.shape,
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
