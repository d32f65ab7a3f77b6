#pragma once
#include <rwkv/io/detect.hpp>

namespace rwkv {

/// A model in another layout than the official one: what a file of that layout holds. The source must outlive it.
class LaidOutSource final : public MadeSource {
 public:
  /// `found` says what the source holds, which must be readable. Tensors are in the order of official checkpoints.
  [[gnu::cold]] LaidOutSource(const OfficialSource& source, const Detected& found, const Naming& naming)
      : MadeSource(source, naming.name), naming_(naming), facts_{found.size('H'), found.size('N'), 0} {
    detail::for_each_parameter(found.version, found.size('L'), [&](const std::string& name, std::string_view) {
      add(name, *source.find(name));
      constexpr std::string_view rates = "blocks.0.att.a";  // stand for what the first block has not
      if (naming_.copies_in_first_block && name.starts_with(rates))
        add("blocks.0.att.v" + name.substr(rates.size()), *source.find(name));
    });
    list(std::move(tensors_), std::move(made_), source.metadata());
  }

 private:
  void add(const std::string& name, const TensorInfo& t) {
    for (const LayoutRule& rule : naming_.rules) {
      if (rule.ours == LayoutRule::left_out) continue;
      if (const auto theirs = renamed(name, rule.ours, rule.theirs)) return add(*theirs, t, rule.change);
    }
    add(name, t, {});
  }
  void add(const std::string& name, const TensorInfo& t, const LayoutChange& change) {
    if (change.part > 0) {
      for (std::size_t i = tensors_.size(); i-- > 0;)
        if (tensors_[i].name == name) {
          made_[i].of.push_back(&t);
          ++tensors_[i].shape[0];
          if (tensors_[i].dtype != t.dtype) tensors_[i].dtype = Dtype::f32;
          return;
        }
    }
    TensorInfo theirs = t;
    theirs.name = name;
    theirs.called = t.called.empty() ? t.name : t.called;
    if (change.transposed) std::swap(theirs.shape[theirs.shape.size() - 1], theirs.shape[theirs.shape.size() - 2]);
    if (change.extents_back != nullptr) theirs.shape = change.extents_back(theirs.shape, facts_);
    tensors_.push_back(std::move(theirs));
    made_.push_back({.of = {&t}, .transposed = change.transposed, .number = change.back});
  }

  const Naming& naming_;
  LayoutFacts facts_;
  std::vector<TensorInfo> tensors_;
  std::vector<Made> made_;
};

}  // namespace rwkv
