#pragma once
#include <algorithm>
#include <optional>
#include <span>

#include <rwkv/io/summary.hpp>
#include <rwkv/models/family.hpp>
#include <rwkv/registry/any_model.hpp>
#include <rwkv/registry/machine.hpp>

namespace rwkv {

/// A net that programs can choose when they run. Each is compiled in a unit of its own, where one object of RegisterNet
/// lists it; CMake's rwkv_models makes such units.
struct RegisteredNet {
  std::string type;               ///< as it was registered: "v4::Model<256, 128, 4>"
  const Family* family;           ///< null for nets of users' own
  dim_t vocabulary, context;      ///< context: the most tokens of a sequence, 0 where there is no end
  dim_t parameters, flops;        ///< flops: of one token's forward pass
  std::vector<Leaf> (*leaves)();  ///< of its parameters

  /// A model of it. Error where the program was built without that machine.
  std::unique_ptr<AnyModel> (*make)(const RegisteredNet& net, const Machine& machine, const NewModel& as);
  /// The leaves of its parameters on that machine, and what else a training run holds.
  std::pair<std::vector<Leaf>, detail::SummarySizes> (*sizes)(const Machine& machine, Seq seq);

  /// What files of it say besides their tensors, which nets of other activations or heads have as well.
  Metadata metadata() const { return {{"net", type}}; }
  /// The table of its parameters and memory: see rwkv::summary.
  std::string summary(const Machine& machine, Seq seq) const {
    const auto [on_machine, rest] = sizes(machine, seq);
    return detail::summary_of(on_machine, rest, seq);
  }
  /// How its matrices are stored on that machine where Weights say so; `file` is what they would come from.
  Storages storages(const Machine& machine, const Weights& weights, const TensorSource* file = nullptr) const {
    if (weights.kind == Weights::Kind::own) return {};
    const auto on_machine = sizes(machine, {1, 1}).first;
    if (file == nullptr) return storages_of(on_machine, weights);
    const OfficialSource source(*file);
    return storages_of(on_machine, weights, &source);
  }
  /// The sizes that its parameters show; a width of 0 without a family.
  NetShape shape() const {
    if (family == nullptr) return {};
    const std::vector<Leaf> all = leaves();
    return family->shape([&](const std::string& name) {
      const auto leaf = std::ranges::find(all, name, &Leaf::name);
      return leaf == all.end() ? std::vector<dim_t>{} : leaf->shape;
    });
  }
};

namespace detail {
inline std::vector<const RegisteredNet*>& registry() {
  static std::vector<const RegisteredNet*> nets;
  return nets;
}
}  // namespace detail

inline void AnyModel::save(const std::string& path, const Metadata& more) const {
  Metadata all = net_.metadata();
  for (const Metadata* some : {&metadata_, &more})
    for (const auto& [key, value] : *some) all[key] = value;
  rwkv::save(parameters(), path, std::move(all));
}

/// All nets that are linked into the program, ordered by type.
inline std::vector<const RegisteredNet*> registered_nets() {
  auto nets = detail::registry();
  std::ranges::sort(nets, [](auto* a, auto* b) { return a->type < b->type; });
  return nets;
}

}  // namespace rwkv
