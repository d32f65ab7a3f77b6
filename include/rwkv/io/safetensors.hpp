#pragma once
#include <rwkv/io/bundle_io.hpp>
#include <rwkv/models/model.hpp>

namespace rwkv {

/// Writes a bundle, such as a State, as one safetensors file, whole or not at all: a float is an F32, a double an F64.
/// Errors: two leaves of one name; whatever keeps the file from being written.
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

/// Reads a bundle from a file that holds nothing else; returns the file's metadata. A State must have as many sequences
/// as the one that was saved. Error if anything is missing, left over, of another shape or of a type that does not fit,
/// see BundleReader; the bundle is then as it was.
template <class B, Bundle P>
Metadata load(Owned<B, P>& bundle, const std::string& path) {
  const SafetensorsFile file(path);
  read_bundle(file, "", bundle);
  return file.metadata();
}
template <class Net, Backend B>
Metadata load(Model<Net, B>& model, const std::string& path) {
  return load(model.params, path);
}

}  // namespace rwkv
