#pragma once
#include <rwkv/io/weights.hpp>
#include <rwkv/models/model.hpp>
#include <rwkv/ops/weight_format.hpp>

namespace rwkv {

/// The layout in which matrices are stored so on machine B.
template <Backend B>
Layout<B> layout_of(const Storages& storages) {
  Layout<B> layout;
  for (const auto& [name, storage] : storages)
    if (const auto* format = format_of<B>(storage)) layout.formats[name] = format;
  return layout;
}

/// The layout in which every matrix of Net stays as a file stores it, where machine B can multiply by that; such a
/// model is for inference:
///   const auto source = open_source("model.safetensors");
///   Model<Net> model(layout_as_stored<Net, Cpu<float>>(*source));
///   load(model, *source);
template <class Net, Backend B>
Layout<B> layout_as_stored(const TensorSource& file) {
  const OfficialSource source(file);
  const auto leaves = list_leaves<B, typename Net::template Params<B>>();
  return layout_of<B>(storages_of(leaves, {.kind = Weights::Kind::as_stored}, &source));
}

}  // namespace rwkv
