#pragma once
#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include <rwkv/core/settings.hpp>
#include <rwkv/io/tensor_source.hpp>
#include <rwkv/text/content_hash.hpp>

namespace rwkv {

/// What a run that starts from a model's file says of it, for RunConfig::settings: "start", how many tensors there are
/// and 64 bits that tell their names, extents and numbers from others. The same for another format of the same numbers,
/// where `model` is an OfficialSource. Reads the file once.
[[gnu::cold]] inline Settings start_settings(const TensorSource& model) {
  constexpr std::uint64_t piece = 1 << 16;
  std::vector<const TensorInfo*> tensors;
  for (const TensorInfo& t : model.tensors())
    if (is_real(t.dtype)) tensors.push_back(&t);
  std::ranges::sort(tensors, {}, [](const TensorInfo* t) -> const std::string& { return t->name; });
  ContentHash hash(tensors.size());
  std::vector<float> numbers;
  for (const TensorInfo* t : tensors) {
    hash.add(t->name);
    std::uint64_t size = 1;
    for (const dim_t extent : t->shape) {
      hash.add(static_cast<std::uint64_t>(extent));
      size *= static_cast<std::uint64_t>(extent);
    }
    for (std::uint64_t first = 0; first < size; first += piece) {
      numbers.resize(std::min(piece, size - first));
      model.read_numbers(*t, first, std::span(numbers));
      hash.add({reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(float)});
    }
  }
  return {{"start", std::to_string(tensors.size()) + " tensors, fingerprint " + hash.text()}};
}

}  // namespace rwkv
