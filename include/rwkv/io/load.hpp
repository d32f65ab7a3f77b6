#pragma once
#include <set>

#include <rwkv/io/safetensors_file.hpp>
#include <rwkv/models/model.hpp>

namespace rwkv {

/// Fills bundles from a file, all of them or none: first `add` each, then `read`.
class BundleReader {
 public:
  /// Tensors whose names do not begin with `within` are none of this reader's business.
  explicit BundleReader(const SafetensorsFile& file, std::string within = {})
      : file_(file), within_(std::move(within)) {}

  /// Expects every leaf of `bundle` in the file, of the same extents, in a type whose numbers the bundle's scalars hold
  /// exactly: F16 and BF16 become float, those and F32 become double, but F64 does not become float. A bf16 is rounded
  /// to from F32 as well: it is a float that is stored shortened.
  template <class B, Bundle P>
  void add(const std::string& prefix, Owned<B, P>& bundle) {
    using T = typename B::scalar;
    for (const Leaf& leaf : bundle.leaves())
      if (const TensorInfo* t = expect(prefix + leaf.name, leaf.shape, dtype_of<T>, holds<T>))
        leaves_.push_back({t, bundle.data() + leaf.offset, upload<B>});
  }

  /// Error with everything that does not fit, tensors that nobody asked for included, and nothing is written.
  [[gnu::cold]] void read() {
    for (const TensorInfo& t : file_.tensors())
      if (t.name.starts_with(within_) && !expected_.contains(t.name))
        complain(t.name,
                 "expected nothing of that name, found " + std::string(name_of(t.dtype)) + " " + shape_text(t.shape));
    if (!complaints_.empty()) {
      const bool one = complaints_.size() == 1;
      std::string text = file_.path() + ":";
      for (const std::string& complaint : complaints_) text += (one ? " " : "\n  ") + complaint;
      throw Error(text, (one ? "; " : "\n"), "nothing was loaded; load it into the type that it was saved from");
    }
    for (const Target& t : leaves_) t.upload(t.scalars, t.tensor->dtype, file_.bytes(*t.tensor));
  }

 private:
  struct Target {
    const TensorInfo* tensor;
    void* scalars;
    void (*upload)(void* scalars, Dtype dtype, std::span<const std::byte> bytes);
  };

  [[gnu::cold]] const TensorInfo* expect(const std::string& name, const std::vector<dim_t>& shape, Dtype own,
                                         bool (*fits)(Dtype)) {
    if (!expected_.insert(name).second)
      throw Error(name,
                  ": two tensors of what is to be loaded have this name; name their layers apart, as Named<\"...\", "
                  "Layer> does");
    const TensorInfo* t = file_.find(name);
    const std::string dtype(name_of(own));
    if (t == nullptr)
      complain(name, "expected " + dtype + " " + shape_text(shape) + ", found nothing of that name");
    else if (t->shape != shape)
      complain(name, "shape: expected " + shape_text(shape) + ", found " + shape_text(t->shape));
    if (t != nullptr && !fits(t->dtype))
      complain(name, "dtype: expected " + dtype + ", found " + std::string(name_of(t->dtype)));
    return t;
  }
  [[gnu::cold]] void complain(const std::string& name, const std::string& what) {
    complaints_.push_back(name + ": " + what);
  }
  template <class B>
  static void upload(void* scalars, Dtype dtype, std::span<const std::byte> bytes) {
    using T = typename B::scalar;
    constexpr std::size_t chunk = 1 << 20;
    const std::size_t size = bytes.size() / bytes_of(dtype);
    std::vector<T> host(std::min(size, chunk));
    for (std::size_t first = 0; first < size; first += chunk) {
      const std::span part(host.data(), std::min(size - first, chunk));
      convert(dtype, bytes.data() + first * bytes_of(dtype), part);
      B::upload(static_cast<T*>(scalars) + first, part.data(), dim_t(part.size()));
    }
  }

  const SafetensorsFile& file_;
  std::string within_;
  std::vector<std::string> complaints_;
  std::set<std::string> expected_;
  std::vector<Target> leaves_;
};

/// Fills one bundle from the tensors whose names begin with `prefix`, all of which must be its leaves. See
/// BundleReader.
template <class B, Bundle P>
void read_bundle(const SafetensorsFile& file, const std::string& prefix, Owned<B, P>& bundle) {
  BundleReader reader(file, prefix);
  reader.add(prefix, bundle);
  reader.read();
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
