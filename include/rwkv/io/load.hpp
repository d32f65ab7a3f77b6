#pragma once
#include <rwkv/io/bundle_reader.hpp>
#include <rwkv/io/official_source.hpp>
#include <rwkv/io/open_source.hpp>
#include <rwkv/models/model.hpp>

namespace rwkv {

/// Reads a bundle from a file that holds nothing else; returns the file's metadata. A State must have as many sequences
/// as the one that was saved. Error if anything is missing, left over, of another shape or of a type that does not fit,
/// or not finite where that is refused, see BundleReader; the bundle is then as it was.
inline Metadata load(const BundleMemory& bundle, const TensorSource& source, OnNonFinite on = OnNonFinite::accept) {
  BundleReader reader(source);
  reader.add("", bundle);
  reader.read(on);
  return source.metadata();
}
template <class B>
Metadata load(LeafMemory<B>& bundle, const TensorSource& source, OnNonFinite on = OnNonFinite::accept) {
  return load(memory_of(bundle), source, on);
}
template <class B>
Metadata load(LeafMemory<B>& bundle, const std::string& path, OnNonFinite on = OnNonFinite::accept) {
  return load(bundle, *open_source(path), on);
}

/// Parameters in any format and layout that we know, see open_source and OfficialSource; finite ones unless others are
/// accepted.
template <class Net, Backend B>
Metadata load(Model<Net, B>& model, const TensorSource& source, OnNonFinite on = OnNonFinite::refuse) {
  return load(model.params, OfficialSource(source), on);
}
template <class Net, Backend B>
Metadata load(Model<Net, B>& model, const std::string& path, OnNonFinite on = OnNonFinite::refuse) {
  return load(model, *open_source(path), on);
}

}  // namespace rwkv
