#pragma once
#include <rwkv/io/detected_words.hpp>
#include <rwkv/io/narrow.hpp>
#include <rwkv/io/safetensors_writer.hpp>

namespace rwkv {

/// Writes what a file holds as safetensors under the official names, in the order of checkpoints, with `metadata`; all
/// numbers as `to`, or, without it, as they are stored (F32 where they were quantised or the layout changes them).
/// Error if it is no model that can be read, if a number is beyond that type, or if the file cannot be written; then
/// there is none.
[[gnu::cold]] inline void write_safetensors(const TensorSource& file, const std::string& path, Metadata metadata,
                                            std::optional<Dtype> to = {}) {
  if (to && in_blocks(*to))
    throw Error(path, ": safetensors has no ", name_of(*to), "; write a .bin or a .gguf, or store it as numbers");
  const Detected found = detect(file);
  expect_whole(file, found);
  const OfficialSource source(file);
  std::vector<const TensorInfo*> tensors;
  if (found.version.empty())
    for (const TensorInfo& t : source.tensors()) tensors.push_back(&t);
  else
    detail::for_each_parameter(found.version, found.size('L'), [&](const std::string& name, std::string_view) {
      tensors.push_back(source.find(name));
    });
  const auto stored_as = [&](const TensorInfo& t) {
    if (t.dtype == Dtype::other)
      throw Error(source.path(), ": ", shown(t.called.empty() ? t.name : t.called),
                  ": expected a dtype that we know, found ", dtype_text(t), "; store it as another");
    if (!is_real(t.dtype)) return t.dtype;
    return to ? *to : in_blocks(t.dtype) ? Dtype::f32 : t.dtype;
  };
  SafetensorsWriter writer;
  writer.metadata = std::move(metadata);
  for (const std::uint64_t size : {8u, 4u, 2u, 1u, 0u})  // so that all begin at multiples of their size
    for (const TensorInfo* t : tensors)
      if (const Dtype dtype = stored_as(*t); bytes_of(dtype) == size)
        writer.add(t->name, dtype, t->shape, [&source, t, dtype](std::uint64_t offset, std::span<std::byte> chunk) {
          if (is_real(dtype)) return store_numbers(source, *t, dtype, offset / bytes_of(dtype), chunk);
          const auto bytes = source.bytes(*t);
          if (!bytes)
            throw Error(source.path(), ": ", shown(t->name), ": is no tensor of numbers, and not in one piece");
          std::memcpy(chunk.data(), bytes->data() + offset, chunk.size());
        });
  writer.write(path);
}

}  // namespace rwkv
