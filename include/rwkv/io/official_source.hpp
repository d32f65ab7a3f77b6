#pragma once
#include <rwkv/core/number_text.hpp>
#include <rwkv/io/made_source.hpp>
#include <rwkv/io/name_pattern.hpp>
#include <rwkv/io/namings.hpp>

namespace rwkv {

/// A file of a model, which must outlive this, under the names, with the extents and with the numbers of official
/// checkpoints, whatever layout it has; a file that is no model we know, as it is:
///   const auto file = open_source("model.gguf");
///   const OfficialSource source(*file);
class OfficialSource final : public MadeSource {
 public:
  /// Error if two tensors of the file become the same one, or a tensor cannot become what its name says.
  [[gnu::cold]] explicit OfficialSource(const TensorSource& file) : OfficialSource(file, BareNames(file)) {}

  /// How the file names and stores them; null where that is unknown.
  const Naming* naming() const { return naming_; }
  /// What the file calls the tensor of that name; nothing where there is none.
  std::string_view in_file(std::string_view name) const {
    const TensorInfo* t = find(name);
    return t == nullptr ? std::string_view() : std::string_view(t->called.empty() ? t->name : t->called);
  }
  /// Tensors of the file that nothing reads, as the file calls them.
  const std::vector<std::string>& left_out() const { return left_out_; }

 private:
  OfficialSource(const TensorSource& file, const BareNames& names) : OfficialSource(file, names, naming_of(names)) {}
  OfficialSource(const TensorSource& file, const BareNames& names, const Naming* naming)
      : MadeSource(file, naming == nullptr ? file.format() : naming->name), naming_(naming), facts_(facts_of(names)) {
    for (const TensorInfo& t : file.tensors()) {
      if (naming_ == nullptr)
        add(t.name, t, {});
      else
        translate(t, names);
    }
    list(std::move(tensors_), std::move(made_), file.metadata());
  }

  static LayoutFacts facts_of(const BareNames& names) {
    LayoutFacts facts;
    for (const char* bonus : {"blocks.0.att.r_k", "layers.0.attn.r_k"})
      if (const Extents e = names.extents(bonus); e.size() == 2) facts.head_size = e[1];
    const auto number = [&](const char* key, dim_t& to) {
      const auto found = names.file().metadata().find(key);
      if (found == names.file().metadata().end()) return;
      if (const auto n = number_in(found->second); n && *n >= 1 && *n <= 1e6) to = dim_t(*n);
    };
    number("rwkv7.wkv.head_size", facts.head_size);  // r_k is flat there
    number("rwkv6.rescale_every_n_layers", facts.halved_every);
    return facts;
  }
  void translate(const TensorInfo& t, const BareNames& names) {
    const std::string bare(bare_name(t.name));
    bool known = false;
    for (const LayoutRule& rule : naming_->rules) {
      const auto ours = renamed(bare, rule.theirs, rule.ours == LayoutRule::left_out ? "" : rule.ours);
      if (!ours || (known && rule.change.parts == 1)) continue;
      known = true;
      if (rule.ours == LayoutRule::left_out) return leave_out(t, rule, names);
      add(*ours, t, rule.change);
      if (rule.change.parts == 1) return;
    }
    if (!known) add(bare, t, {});
  }
  void leave_out(const TensorInfo& t, const LayoutRule& rule, const BareNames& names) {
    const TensorInfo* twin = rule.change.copy_of == nullptr ? nullptr : names.find(rule.change.copy_of);
    if (twin != nullptr) {
      const auto one = base().bytes(t), other = base().bytes(*twin);
      const bool same = one && other && t.dtype == twin->dtype && one->size() == other->size() &&
                        (one->data() == other->data() || std::memcmp(one->data(), other->data(), one->size()) == 0);
      if (!same)
        refuse(t, "expected the same numbers as in " + shown(twin->name) + ", found others",
               "a model whose head is not tied to its embedding cannot be read under these names");
    }
    left_out_.push_back(t.name);
  }
  void add(const std::string& name, const TensorInfo& t, const LayoutChange& change) {
    if (const auto [before, fresh] = taken_.try_emplace(name, &t); !fresh)
      refuse(t, "expected one tensor for " + shown(name) + ", found " + shown(before->second->name) + " as well",
             "two layouts are mixed: convert the model again");
    TensorInfo ours = t;
    if (name != t.name) ours.called = t.name;
    ours.name = name;
    Made made{.of = {&t},
              .part = change.part,
              .parts = change.parts,
              .transposed = change.transposed,
              .number = change.number,
              .factor = change.factor == nullptr ? 1 : change.factor(facts_, block_number(name))};
    if (made.parts > 1) {
      if (ours.shape.empty() || ours.shape[0] != made.parts)
        refuse(t, "shape: expected a first extent of " + std::to_string(made.parts) + ", found " + shape_text(t.shape),
               "convert the model again");
      ours.shape[0] = 1;
    }
    if (made.transposed && ours.shape.size() < 2) made.transposed = false;
    if (made.transposed) std::swap(ours.shape[ours.shape.size() - 1], ours.shape[ours.shape.size() - 2]);
    if (change.extents != nullptr) {
      Extents extents = change.extents(ours.shape, facts_);
      if (detail::elements_of(extents) != detail::elements_of(ours.shape))
        refuse(t,
               "shape: expected heads of " + std::to_string(facts_.head_size) + " each, found " + shape_text(t.shape),
               "convert the model again");
      ours.shape = std::move(extents);
    }
    tensors_.push_back(std::move(ours));
    made_.push_back(std::move(made));
  }
  [[noreturn, gnu::cold]] void refuse(const TensorInfo& t, const std::string& why, const char* way_out) const {
    throw Error(path(), ": ", shown(t.name), ": ", why, "; ", way_out);
  }

  const Naming* naming_;
  LayoutFacts facts_;
  std::map<std::string, const TensorInfo*> taken_;
  std::vector<TensorInfo> tensors_;
  std::vector<Made> made_;
  std::vector<std::string> left_out_;
};

}  // namespace rwkv
