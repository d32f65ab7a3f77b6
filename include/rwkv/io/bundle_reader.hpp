#pragma once
#include <set>

#include <rwkv/io/finite.hpp>
#include <rwkv/io/import_tensor.hpp>

namespace rwkv {

/// Fills bundles from a file, all of them or none: first `add` each, then `read`.
class BundleReader {
 public:
  /// Tensors whose names do not begin with `within` are none of this reader's business.
  explicit BundleReader(const TensorSource& source, std::string within = {})
      : source_(source), within_(std::move(within)) {}

  /// Expects every leaf of `bundle` in the file, under its name, of its extents, in a type that `holds` says the leaf's
  /// can take.
  void add(const std::string& prefix, const BundleMemory& bundle) {
    for (const Leaf& leaf : bundle.leaves) expect(prefix, leaf, bundle);
  }
  template <class B>
  void add(const std::string& prefix, LeafMemory<B>& bundle) {
    add(prefix, memory_of(bundle));
  }

  /// Expects a leaf without memory: for a look at whether a bundle fits.
  void expect(const Leaf& leaf) { expect("", leaf, {}); }
  /// Whether the file holds what was expected, and nothing else.
  [[gnu::cold]] bool fits() {
    complain_of_the_rest();
    return complaints_.empty();
  }

  /// Error with everything that does not fit, tensors that nobody asked for included, or, if those are
  /// refused, with the first tensor that holds NaN or an infinity; then nothing is written.
  [[gnu::cold]] void read(OnNonFinite on = OnNonFinite::accept) {
    complain_of_the_rest();
    if (!complaints_.empty()) {
      const bool one = complaints_.size() == 1;
      std::string text = source_.path() + ":";
      for (const std::string& complaint : complaints_) text += (one ? " " : "\n  ") + complaint;
      if (more_ > 0) text += "\n  and " + std::to_string(more_) + " more";
      throw Error(text, (one ? "; " : "\n"), "nothing was loaded; load it into the type that it was saved from");
    }
    if (on == OnNonFinite::refuse) expect_finite();
    for (const Target& t : targets_) import_tensor(source_, *t.theirs, t.leaf, t.memory);
  }

 private:
  struct Target {
    const TensorInfo* theirs;
    Leaf leaf;
    BundleMemory memory;
  };

  [[gnu::cold]] void expect(const std::string& prefix, const Leaf& leaf, const BundleMemory& memory) {
    std::string ours = prefix + leaf.name;
    if (!ours_.insert(ours).second)
      throw Error(ours,
                  ": two tensors of what is to be loaded have this name; name their layers apart, as Named<\"...\", "
                  "Layer> does");
    const Dtype dtype = file_dtype(leaf.storage);
    const TensorInfo* t = source_.find(ours);
    if (t == nullptr) return complain(ours, "expected " + describe(dtype, leaf.shape) + ", found nothing of that name");
    if (t->shape != leaf.shape)
      complain(called_in_file(*t), "shape: expected " + shape_text(leaf.shape) + ", found " + shape_text(t->shape));
    if (!holds(dtype, t->dtype))
      complain(called_in_file(*t), "dtype: expected " + std::string(name_of(dtype)) + ", found " + dtype_text(*t));
    targets_.push_back({t, leaf, memory});
  }
  void expect_finite() const {
    for (const Target& t : targets_)
      rwkv::expect_finite(source_, *t.theirs,
                          "nothing was loaded: what wrote the file had gone wrong, take an earlier one, or load it "
                          "with OnNonFinite::accept");
  }
  void complain_of_the_rest() {
    for (const TensorInfo& t : source_.tensors())
      if (t.name.starts_with(within_) && !ours_.contains(t.name))
        complain(called_in_file(t),
                 "expected nothing of that name, found " + dtype_text(t) + " " + shape_text(t.shape));
  }
  void complain(const std::string& name, const std::string& what) {
    if (complaints_.size() < most_complaints)
      complaints_.push_back(name + ": " + what);
    else
      ++more_;
  }

  const TensorSource& source_;
  std::string within_;
  static constexpr std::size_t most_complaints = 100;
  std::vector<std::string> complaints_;
  std::size_t more_ = 0;  // complaints that a message has no room for
  std::set<std::string> ours_;
  std::vector<Target> targets_;
};

/// Fills one bundle from the tensors whose names begin with `prefix`, all of which must be its leaves. See
/// BundleReader.
template <class B>
void read_bundle(const TensorSource& source, const std::string& prefix, LeafMemory<B>& bundle) {
  BundleReader reader(source, prefix);
  reader.add(prefix, bundle);
  reader.read();
}

}  // namespace rwkv
