#pragma once
#include <set>

#include <rwkv/core/owned.hpp>
#include <rwkv/io/import_rule.hpp>
#include <rwkv/io/tensor_source.hpp>

namespace rwkv {

/// Fills bundles from a file, all of them or none: first `add` each, then `read`.
class BundleReader {
 public:
  /// Tensors whose names do not begin with `within` are none of this reader's business.
  explicit BundleReader(const TensorSource& source, std::string within = {}, ImportTable table = {})
      : source_(source), within_(std::move(within)), table_(table) {}

  /// Expects every leaf of `bundle` in the file, under its name or the one that the table gives it, of the extents that
  /// the table says, in a type that `holds` says the leaf's can take.
  template <class B, Bundle P>
  void add(const std::string& prefix, Owned<B, P>& bundle) {
    for (const Leaf& leaf : bundle.leaves())
      expect(prefix, leaf, dtype_of<typename B::scalar>, bundle.data() + leaf.offset, upload<B>);
  }

  /// Error with everything that does not fit, tensors that nobody asked for included, and nothing is written.
  [[gnu::cold]] void read() {
    for (const TensorInfo& t : source_.tensors())
      if (t.name.starts_with(within_) && !theirs_.contains(t.name) && !ignored(t.name))
        complain(t.name, "expected nothing of that name, found " + describe(t.dtype, t.shape));
    if (!complaints_.empty()) {
      const bool one = complaints_.size() == 1;
      std::string text = source_.path() + ":";
      for (const std::string& complaint : complaints_) text += (one ? " " : "\n  ") + complaint;
      throw Error(text, (one ? "; " : "\n"), "nothing was loaded; load it into the type that it was saved from");
    }
    for (const Target& t : targets_)
      if (!upload_as_it_is(t)) t.dtype == Dtype::f64 ? fill<double>(t) : fill<float>(t);
  }

 private:
  using Upload = void (*)(void* to, std::span<const std::byte> from);
  struct Target {
    const TensorInfo* theirs;
    Transform how;
    std::vector<dim_t> shape;
    std::uint64_t size;
    Dtype dtype;
    void* memory;
    Upload upload;
  };
  static constexpr std::uint64_t chunk = 1 << 20;

  template <class B>
  static void upload(void* to, std::span<const std::byte> from) {
    using T = typename B::scalar;
    B::upload(static_cast<T*>(to), reinterpret_cast<const T*>(from.data()), dim_t(from.size() / sizeof(T)));
  }

  [[gnu::cold]] void expect(const std::string& prefix, const Leaf& leaf, Dtype dtype, void* memory, Upload upload) {
    std::string ours = prefix + leaf.name;
    if (!ours_.insert(ours).second)
      throw Error(ours,
                  ": two tensors of what is to be loaded have this name; name their layers apart, as Named<\"...\", "
                  "Layer> does");
    const auto [name, how] = rule_for(prefix, leaf.name);
    theirs_.insert(name);
    if (name != ours) ours += " (" + name + " in the file)";
    const std::vector<dim_t> shape = extents_of_theirs(leaf.shape, how);
    const TensorInfo* t = source_.find(name);
    if (t == nullptr) return complain(ours, "expected " + describe(dtype, shape) + ", found nothing of that name");
    if (how.reshaped ? byte_size(t->dtype, t->shape) != byte_size(t->dtype, shape) : t->shape != shape)
      complain(ours, "shape: expected " + shape_text(shape) + ", found " + shape_text(t->shape));
    if (!holds(dtype, t->dtype))
      complain(ours, "dtype: expected " + std::string(name_of(dtype)) + ", found " + std::string(name_of(t->dtype)));
    targets_.push_back({t, how, leaf.shape, std::uint64_t(leaf.size), dtype, memory, upload});
  }
  /// What a leaf is called in the file, and how it is made from that.
  std::pair<std::string, Transform> rule_for(const std::string& prefix, const std::string& name) const {
    std::optional<std::pair<std::string, Transform>> first;
    for (const ImportRule& rule : table_) {
      const auto theirs = rule.ours == ImportRule::ignored ? std::nullopt : renamed(name, rule.ours, rule.theirs);
      if (!theirs) continue;
      if (source_.find(prefix + *theirs) != nullptr) return {prefix + *theirs, rule.transform};
      if (!first) first.emplace(prefix + *theirs, rule.transform);
    }
    return first ? *first : std::pair{prefix + name, Transform{}};
  }
  bool ignored(const std::string& theirs) const {
    for (const ImportRule& rule : table_)
      if (rule.ours == ImportRule::ignored && renamed(theirs.substr(within_.size()), rule.theirs, "")) return true;
    return false;
  }
  void complain(const std::string& name, const std::string& what) { complaints_.push_back(name + ": " + what); }

  /// Without a detour, if the file holds the very bytes that the leaf does.
  bool upload_as_it_is(const Target& t) const {
    const auto bytes = source_.bytes(*t.theirs);
    if (!bytes || t.theirs->dtype != t.dtype || t.how.number != nullptr || t.how.transposed) return false;
    const std::uint64_t size = t.size * bytes_of(t.dtype);
    const auto part = bytes->subspan(std::uint64_t(t.how.part) * size, size);
    if (reinterpret_cast<std::uintptr_t>(part.data()) % bytes_of(t.dtype) != 0) return false;
    t.upload(t.memory, part);
    return true;
  }
  template <class N>
  void fill(const Target& t) const {
    const std::uint64_t most = t.how.transposed ? t.size : std::min(t.size, chunk);
    std::vector<N> numbers;
    for (std::uint64_t first = 0; first < t.size; first += most) {
      numbers.resize(std::min(t.size - first, most));
      source_.read_numbers(*t.theirs, std::uint64_t(t.how.part) * t.size + first, std::span<N>(numbers));
      transform(t.how, t.shape, numbers);
      void* const to = static_cast<std::byte*>(t.memory) + first * bytes_of(t.dtype);
      if (t.dtype == dtype_of<N>) {
        t.upload(to, std::as_bytes(std::span(numbers)));
      } else {
        const std::vector<bf16> rounded(numbers.begin(), numbers.end());
        t.upload(to, std::as_bytes(std::span(rounded)));
      }
    }
  }

  const TensorSource& source_;
  std::string within_;
  ImportTable table_;
  std::vector<std::string> complaints_;
  std::set<std::string> ours_, theirs_;
  std::vector<Target> targets_;
};

/// Fills one bundle from the tensors whose names begin with `prefix`, all of which must be its leaves. See
/// BundleReader.
template <class B, Bundle P>
void read_bundle(const TensorSource& source, const std::string& prefix, Owned<B, P>& bundle) {
  BundleReader reader(source, prefix);
  reader.add(prefix, bundle);
  reader.read();
}

}  // namespace rwkv
