#pragma once
#include <memory>

#include <rwkv/io/file_kind.hpp>
#include <rwkv/io/gguf_file.hpp>
#include <rwkv/io/model_folder.hpp>
#include <rwkv/io/pth_file.hpp>
#include <rwkv/io/rwkv_cpp_file.hpp>
#include <rwkv/io/sharded_file.hpp>

namespace rwkv {

namespace detail {
struct SourceFormat {
  std::string_view name;
  bool (*recognises)(std::span<const std::byte> file);
  std::unique_ptr<TensorSource> (*open)(MappedFile file);
};
template <class Format>
std::unique_ptr<TensorSource> open_as(MappedFile file) {
  return std::make_unique<Format>(std::move(file));
}
template <class Format>
inline constexpr SourceFormat source_format{Format::name, Format::recognises, open_as<Format>};

/// A new format is a line here.
inline constexpr SourceFormat source_formats[] = {source_format<ShardedFile>, source_format<SafetensorsFile>,
                                                  source_format<PthFile>, source_format<GgufFile>,
                                                  source_format<RwkvCppFile>};
}  // namespace detail

/// Opens a file of tensors in any format we read, which its first bytes tell and not its name; shards by their index.
/// Of a folder, the file that Hugging Face's programs would take. Error if it is none of them, says what it is, or is
/// damaged.
[[gnu::cold]] inline std::unique_ptr<TensorSource> open_source(const std::string& path) {
  MappedFile file(detail::model_file(path));
  std::string names;
  for (const detail::SourceFormat& format : detail::source_formats) {
    if (format.recognises(file.bytes())) return format.open(std::move(file));
    const bool last = &format == std::end(detail::source_formats) - 1;
    names += (names.empty() ? "" : last ? " or " : ", ") + std::string(format.name);
  }
  const detail::FileKind kind = detail::file_kind(file.text());
  throw Error(path, ": expected a model in ", names, ", found ", kind.what, "; ", kind.way_out);
}

}  // namespace rwkv
