#pragma once
#include <rwkv/io/namings/fla.hpp>
#include <rwkv/io/namings/gguf.hpp>
#include <rwkv/io/namings/gpt2.hpp>
#include <rwkv/io/namings/hugging_face.hpp>
#include <rwkv/io/namings/official.hpp>
#include <rwkv/io/namings/rwkv_cpp.hpp>

namespace rwkv {

namespace namings {
/// A new naming is a line here; the first that fits counts.
inline constexpr const Naming* all[] = {
    &rwkv_cpp_v4,  &rwkv_cpp_v5,     &rwkv_cpp_v6, &rwkv_cpp_v7,          &gguf_v6, &gguf_v7, &fla,
    &transformers, &hugging_face_v7, &official,    &gpt2_of_hugging_face, &gpt2};
}  // namespace namings

/// How the parameters in a file are named and stored; null if in no way that we know.
[[gnu::cold]] inline const Naming* naming_of(const BareNames& names) {
  for (const Naming* naming : namings::all)
    if (naming->fits(names)) return naming;
  return nullptr;
}

}  // namespace rwkv
