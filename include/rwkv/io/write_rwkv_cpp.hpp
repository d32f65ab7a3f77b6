#pragma once
#include <rwkv/io/atomic_file.hpp>
#include <rwkv/io/detected_words.hpp>
#include <rwkv/io/laid_out_source.hpp>
#include <rwkv/io/write_numbers.hpp>

namespace rwkv {

namespace detail {
/// In files of FP16 too, rwkv.cpp keeps vectors and what its graph does not multiply by in FP32.
[[gnu::cold]] inline bool always_fp32(const TensorInfo& t) {
  if (t.shape.size() == 1 || t.name.find(".time_") != std::string::npos) return true;
  for (const char* end : {".k_k", ".k_a", ".r_k", ".x_rwkvag", ".x_k", ".w0", ".a0", ".v0"})
    if (t.name.ends_with(end)) return true;
  return false;
}
}  // namespace detail

/// Writes a model as rwkv.cpp's converter does: version 101, FP32 or FP16. Error unless it is RWKV-4, 5.0, 5.2, 6 or 7,
/// if a number is beyond FP16, or if the file cannot be written; then there is none.
[[gnu::cold]] inline void write_rwkv_cpp(const TensorSource& file, const std::string& path, bool fp16) {
  const Detected found = detect(file);
  const Naming* naming = found.version == "4"             ? &namings::rwkv_cpp_v4
                         : found.version.starts_with("5") ? &namings::rwkv_cpp_v5
                         : found.version == "6"           ? &namings::rwkv_cpp_v6
                         : found.version == "7"           ? &namings::rwkv_cpp_v7
                                                          : nullptr;
  expect_whole(file, found);
  if (naming == nullptr)
    throw Error(file.path(), ": expected RWKV-4 to RWKV-7, which rwkv.cpp's .bin is for, found ", found_words(found));
  const OfficialSource official(file);
  const LaidOutSource source(official, found, *naming);
  AtomicFile to(path);
  const auto number = [](std::uint64_t n) {
    if (n > UINT32_MAX) throw Error("rwkv.cpp's .bin cannot hold an extent of ", n);
    return std::uint32_t(n);
  };
  const auto numbers = [&](std::span<const std::uint32_t> some) { to.write(std::as_bytes(some)); };
  const std::uint32_t header[] = {0x67676d66,
                                  101,
                                  number(std::uint64_t(found.size('V'))),
                                  number(std::uint64_t(found.size('C'))),
                                  number(std::uint64_t(found.size('L'))),
                                  fp16 ? 1u : 0u};
  numbers(header);
  for (const TensorInfo& t : source.tensors()) {
    const bool half = fp16 && !detail::always_fp32(t);
    std::vector<std::uint32_t> record{number(t.shape.size()), number(t.name.size()), half ? 1u : 0u};
    for (std::size_t i = t.shape.size(); i > 0; --i) record.push_back(number(std::uint64_t(t.shape[i - 1])));
    numbers(record);
    to.write(std::as_bytes(std::span(t.name)));
    detail::write_numbers(source, t, half ? Dtype::f16 : Dtype::f32, [&](auto chunk) { to.write(chunk); });
  }
  to.commit();
}

}  // namespace rwkv
