#pragma once
#include <rwkv/io/official_source.hpp>
#include <rwkv/models/model.hpp>
#include <rwkv/ops/weight_format.hpp>

namespace rwkv {

/// The layout in which every matrix of Net stays as a file stores it, where machine B can multiply by that; such a
/// model is for inference:
///   const auto source = open_source("model.safetensors");
///   Model<Net> model(layout_as_stored<Net, Cpu<float>>(*source));
///   load(model, *source);
template <class Net, Backend B>
Layout<B> layout_as_stored(const TensorSource& file) {
  const OfficialSource source(file);
  Layout<B> layout;
  for (const Leaf& leaf : list_leaves<B, typename Net::template Params<B>>()) {
    const TensorInfo* const t = leaf.matrix ? source.find(leaf.name) : nullptr;
    if (t == nullptr || t->dtype == file_dtype(leaf.storage)) continue;
    if (t->dtype == Dtype::bf16) layout.formats[leaf.name] = &stored_as<B, bf16>;
    if (t->dtype == Dtype::f32) layout.formats[leaf.name] = &stored_as<B, float>;
  }
  return layout;
}

}  // namespace rwkv
