#pragma once
#include <rwkv/io/bundle_memory.hpp>
#include <rwkv/io/safetensors_writer.hpp>
#include <rwkv/models/model.hpp>

namespace rwkv {

/// Adds every leaf of `bundle`, which must outlive the writer's `write`. Numbers are stored as they are in memory.
inline void write_bundle(SafetensorsWriter& writer, const std::string& prefix, const BundleMemory& bundle) {
  for (const Leaf& leaf : bundle.leaves)
    writer.add(prefix + leaf.name, file_dtype(leaf.storage), leaf.shape,
               [bundle, from = bundle.of(leaf)](std::uint64_t offset, std::span<std::byte> chunk) {
                 bundle.download_bytes(chunk.data(), from + offset, chunk.size());
               });
}
template <class B>
void write_bundle(SafetensorsWriter& writer, const std::string& prefix, const LeafMemory<B>& bundle) {
  write_bundle(writer, prefix, memory_of(bundle));
}

/// Writes a bundle, such as a State, as one safetensors file, whole or not at all: a float is an F32, a double an F64,
/// a bf16 a BF16. Errors: two leaves of one name; whatever keeps the file from being written.
inline void save(const BundleMemory& bundle, const std::string& path, Metadata metadata = {}) {
  SafetensorsWriter writer;
  writer.metadata = std::move(metadata);
  write_bundle(writer, "", bundle);
  writer.write(path);
}
template <class B>
void save(const LeafMemory<B>& bundle, const std::string& path, Metadata metadata = {}) {
  save(memory_of(bundle), path, std::move(metadata));
}
/// The parameters, under the names of official checkpoints.
template <class Net, Backend B>
void save(const Model<Net, B>& model, const std::string& path, Metadata metadata = {}) {
  save(model.params, path, std::move(metadata));
}

}  // namespace rwkv
