#pragma once
#include <rwkv/io/detected_words.hpp>
#include <rwkv/registry/find_net.hpp>

namespace rwkv {
namespace detail {

/// The sizes of the net that a file seems to hold, and its family, or nothing.
[[gnu::cold]] inline std::pair<const Family*, NetShape> shape_in(const OfficialSource& source) {
  const ExtentsOf extents = [&](const std::string& name) {
    const TensorInfo* t = source.find(name);
    return t == nullptr || t->begin == t->end ? std::vector<dim_t>{}
                                              : t->shape;  // without numbers, it may say anything
  };
  for (const Family* family : families)
    if (const NetShape shape = family->shape(extents); shape.width > 0) return {family, shape};
  return {};
}

}  // namespace detail

/// The registered net whose parameters a file holds, in any format and naming that we read. Error that says what the
/// file holds, and the line to add where that net was not compiled in.
inline const RegisteredNet& net_in(const TensorSource& file) {
  const OfficialSource source(file);
  const auto named = source.metadata().find("net");
  std::vector<const RegisteredNet*> fitting;
  std::vector<std::string> types;
  for (const RegisteredNet* net : registered_nets()) {
    BundleReader reader(source);
    for (const Leaf& leaf : net->leaves()) reader.expect(leaf);
    if (!reader.fits()) continue;
    if (named != source.metadata().end() && named->second == net->type) return *net;
    fitting.push_back(net), types.push_back(net->type);
  }
  if (fitting.size() == 1) return *fitting.front();
  if (!fitting.empty())
    throw Error(source.path(), ": fits several nets, ", detail::listed(types),
                ", which have the same parameters; make one of them by find_net, and load the file into it");
  const Detected found = detect(file);
  if (!found.instead.empty()) expect_whole(file, found);
  const auto [family, shape] = detail::shape_in(source);
  if (family == nullptr) {
    std::vector<std::string> names;
    for (const Family* each : families) names.push_back(each->name);
    throw Error(source.path(), ": expected the parameters of a model (", detail::listed(names),
                "), found none that we know", found.version.empty() ? "" : "; it is nearest to ", model_words(found),
                found.faults.empty() ? "" : ", but ", fault_words(found));
  }
  const std::string type = family->type(shape);
  for (const RegisteredNet* net : registered_nets())
    if (net->type == type) {  // it is that, but damaged: the reader says where
      BundleReader reader(source);
      for (const Leaf& leaf : net->leaves()) reader.expect(leaf);
      reader.read();
    }
  expect_whole(file, found);
  throw MissingNet(*family, shape, source.path(), ": holds a ", type, ", which this program was built without; ",
                   detail::line_to_add(type));
}

/// The model in a file: among the nets that are linked in, the one that fits. Its metadata, such as the tokenizer,
/// comes with it. Weights says how its matrices are kept, such as Weights{.kind = Weights::Kind::as_stored}; those not
/// kept as the machine's scalars are for inference alone.
inline std::unique_ptr<AnyModel> open(const TensorSource& source, const Machine& machine = {},
                                      OnNonFinite on = OnNonFinite::refuse, const Weights& weights = {}) {
  const RegisteredNet& net = net_in(source);
  auto model = net.make(net, machine, NewModel(net.storages(machine, weights, &source)));
  model->load(source, on);
  return model;
}
inline std::unique_ptr<AnyModel> open(const std::string& path, const Machine& machine = {},
                                      OnNonFinite on = OnNonFinite::refuse, const Weights& weights = {}) {
  return open(*open_source(path), machine, on, weights);
}

}  // namespace rwkv
