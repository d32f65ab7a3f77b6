#pragma once
#include <rwkv/io/atomic_file.hpp>
#include <rwkv/io/detected_words.hpp>
#include <rwkv/io/ggml_types.hpp>
#include <rwkv/io/gguf_keys.hpp>
#include <rwkv/io/laid_out_source.hpp>
#include <rwkv/io/write_numbers.hpp>

namespace rwkv {

struct GgufOptions {
  Dtype matrices = Dtype::f32;      ///< or f16, bf16, or blocks of 32: what llama.cpp multiplies by; the rest is F32
  bool embedding = false;           ///< is put into blocks as well
  std::string name;                 ///< of the model, for readers
  std::vector<std::string> tokens;  ///< of a World vocabulary by their numbers, see python_escaped; empty: unused
};

/// The bytes of a token as GGUF holds them: as Python writes them between b' and '.
[[gnu::cold]] inline std::string python_escaped(std::string_view token) {
  const bool both = token.find('\'') != token.npos && token.find('"') != token.npos;
  std::string text;
  for (const char c : token) {
    const auto byte = static_cast<unsigned char>(c);
    constexpr std::string_view plain = "\t\n\r\\", letters = "tnr\\";
    if (const std::size_t i = plain.find(c); i != plain.npos)
      (text += '\\') += letters[i];
    else if (c == '\'' && both)
      text += "\\'";
    else if (byte < 0x20 || byte > 0x7E)
      ((text += "\\x") += "0123456789abcdef"[byte >> 4]) += "0123456789abcdef"[byte & 15];
    else
      text += c;
  }
  return text;
}

namespace detail {

/// Vectors, and what llama.cpp does not multiply by.
[[gnu::cold]] inline bool always_f32(const TensorInfo& t) {
  if (t.shape.size() == 1) return true;
  for (const char* part : {"time_mix_first", "time_mix_lerp", "time_mix_w1", "time_mix_w2", "time_mix_decay"})
    if (t.name.find(part) != std::string::npos) return true;
  return false;
}
/// What llama.cpp puts into blocks: no low-rank factors. The embedding only where that is asked for.
[[gnu::cold]] inline bool gguf_in_blocks(const TensorInfo& t, bool embedding) {
  if (t.shape.size() != 2 || (t.name == "token_embd.weight" && !embedding)) return false;
  for (const char* part : {"time_mix_w", "time_mix_a", "time_mix_v", "time_mix_g"})
    for (const char* end : {"1.weight", "2.weight"})
      if (t.name.ends_with(std::string(part) + end)) return false;
  return true;
}
[[gnu::cold]] inline Dtype gguf_dtype(const TensorInfo& t, const GgufOptions& options) {
  if (always_f32(t)) return Dtype::f32;
  if (!in_blocks(options.matrices) || gguf_in_blocks(t, options.embedding)) return options.matrices;
  return t.dtype == Dtype::f16 || t.dtype == Dtype::bf16 ? t.dtype : Dtype::f32;
}
struct GgufFileType {
  Dtype dtype;
  std::uint32_t file;  ///< what `general.file_type` calls a file whose matrices are mostly that
};
inline constexpr GgufFileType gguf_file_types[] = {{Dtype::f32, 0},  {Dtype::f16, 1},  {Dtype::bf16, 32},
                                                   {Dtype::q4_0, 2}, {Dtype::q4_1, 3}, {Dtype::q5_0, 8},
                                                   {Dtype::q5_1, 9}, {Dtype::q8_0, 7}};
inline std::uint32_t gguf_code(Dtype d) {
  for (std::size_t code = 0; code < std::size(ggml_types); ++code)
    if (ggml_types[code].dtype == d) return std::uint32_t(code);
  return 0;
}

[[gnu::cold]] inline void add_tokens(GgufKeys& keys, const GgufOptions& options, const Detected& found,
                                     const std::string& architecture) {
  const auto vocabulary = std::size_t(found.size('V'));
  if (options.tokens.empty()) {
    keys.add(architecture + ".vocab_size", std::uint32_t(vocabulary));
    return keys.add("tokenizer.ggml.model", "none");
  }
  enum : std::int32_t { normal = 1, control = 3, unused = 5 };
  std::vector<std::string> texts{"<s>"};
  std::vector<std::int32_t> types{control};
  for (std::size_t id = 1; id < vocabulary; ++id) {
    const bool known = id < options.tokens.size() && !options.tokens[id].empty();
    texts.push_back(known ? options.tokens[id] : "[PAD" + std::to_string(id) + "]");
    types.push_back(known ? normal : unused);
  }
  keys.add("tokenizer.ggml.model", "rwkv");
  keys.add("tokenizer.ggml.tokens", std::span<const std::string>(texts));
  keys.add("tokenizer.ggml.token_type", std::span<const std::int32_t>(types));
  keys.add("tokenizer.ggml.bos_token_id", std::uint32_t(0));
  keys.add("tokenizer.ggml.eos_token_id", std::uint32_t(0));
  constexpr std::uint32_t empty_line = 261;  // ends an answer in a chat
  if (std::min(vocabulary, options.tokens.size()) > empty_line && options.tokens[empty_line] == "\\n\\n")
    keys.add("tokenizer.ggml.eot_token_id", empty_line);
}

[[gnu::cold]] inline GgufKeys gguf_keys(const GgufOptions& options, const Detected& found) {
  const std::string a = "rwkv" + found.version;
  GgufKeys keys;
  const auto size = [&](const std::string& key, char letter) { keys.add(a + key, std::uint32_t(found.size(letter))); };
  keys.add("general.architecture", a);
  if (!options.name.empty()) keys.add("general.name", options.name);
  keys.add(a + ".context_length", std::uint32_t(1048576));
  size(".embedding_length", 'C'), size(".block_count", 'L'), size(".feed_forward_length", 'F');
  keys.add(a + ".attention.head_count", std::uint32_t(0));
  keys.add(a + ".attention.layer_norm_epsilon", 1e-5f);
  size(".wkv.head_size", 'N');
  if (found.version == "6") {
    keys.add(a + ".rescale_every_n_layers", std::uint32_t(0));
    size(".time_mix_extra_dim", 'm'), size(".time_decay_extra_dim", 'd');
  } else {
    size(".attention.decay_lora_rank", 'w'), size(".attention.iclr_lora_rank", 'a');
    size(".attention.value_residual_mix_lora_rank", 'v'), size(".attention.gate_lora_rank", 'g');
  }
  for (const GgufFileType& type : gguf_file_types)
    if (type.dtype == options.matrices) keys.add("general.file_type", type.file);
  if (in_blocks(options.matrices)) keys.add("general.quantization_version", std::uint32_t(2));
  add_tokens(keys, options, found, a);
  return keys;
}

}  // namespace detail

/// Writes a model as llama.cpp's converter lays it out. Error unless it is RWKV-6 or 7, if a number is beyond the type
/// of the matrices, if their rows are no whole blocks, or if the file cannot be written; then there is none.
[[gnu::cold]] inline void write_gguf(const TensorSource& file, const std::string& path, const GgufOptions& options) {
  const Detected found = detect(file);
  expect_whole(file, found);
  if (found.version != "6" && found.version != "7")
    throw Error(file.path(), ": expected RWKV-6 or RWKV-7, which GGUF has names for, found ", found_words(found));
  for (const auto& [letter, size] : found.sizes)
    if (std::uint64_t(size) > UINT32_MAX) throw Error(file.path(), ": GGUF cannot hold a size of ", size);
  const OfficialSource official(file);
  const LaidOutSource source(official, found, found.version == "6" ? namings::gguf_v6 : namings::gguf_v7);
  const auto dtype_of = [&](const TensorInfo& t) { return detail::gguf_dtype(t, options); };
  constexpr std::uint64_t alignment = 32;
  const auto padded = [](std::uint64_t n) { return (n + alignment - 1) / alignment * alignment; };

  const GgufKeys keys = detail::gguf_keys(options, found);
  std::string head = "GGUF";
  GgufKeys::number(head, std::uint32_t(3));
  GgufKeys::number(head, std::uint64_t(source.tensors().size()));
  GgufKeys::number(head, keys.count());
  head += keys.bytes();
  std::uint64_t offset = 0;
  for (const TensorInfo& t : source.tensors()) {
    GgufKeys::text(head, t.name);
    GgufKeys::number(head, std::uint32_t(t.shape.size()));
    for (std::size_t i = t.shape.size(); i > 0; --i) GgufKeys::number(head, std::uint64_t(t.shape[i - 1]));
    GgufKeys::number(head, detail::gguf_code(dtype_of(t)));
    GgufKeys::number(head, offset);
    offset = padded(offset + detail::expect_size(official, t, dtype_of(t)));
  }
  head.resize(std::size_t(padded(head.size())), '\0');

  AtomicFile to(path);
  to.write(std::as_bytes(std::span(head)));
  const std::byte zeros[alignment] = {};
  for (const TensorInfo& t : source.tensors()) {
    const Dtype dtype = dtype_of(t);
    detail::write_numbers(source, t, dtype, [&](auto chunk) { to.write(chunk); });
    const std::uint64_t size = detail::expect_size(official, t, dtype);
    to.write(std::span(zeros).first(std::size_t(padded(size) - size)));
  }
  to.commit();
}

}  // namespace rwkv
