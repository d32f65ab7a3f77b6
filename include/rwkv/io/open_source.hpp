#pragma once
#include <memory>

#include <rwkv/io/file_kind.hpp>
#include <rwkv/io/pth_file.hpp>
#include <rwkv/io/rwkv_cpp_file.hpp>
#include <rwkv/io/safetensors_file.hpp>

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
inline constexpr SourceFormat source_formats[] = {source_format<SafetensorsFile>, source_format<PthFile>,
                                                  source_format<RwkvCppFile>};
}  // namespace detail

/// Opens a file of tensors in any format we read, which its first bytes tell and not its name. Error if it is none of
/// them, says what it is, or is damaged.
[[gnu::cold]] inline std::unique_ptr<TensorSource> open_source(const std::string& path) {
  MappedFile file(path);
  std::string names;
  for (const detail::SourceFormat& format : detail::source_formats) {
    if (format.recognises(file.bytes())) return format.open(std::move(file));
    names += (names.empty()                                     ? ""
              : &format == std::end(detail::source_formats) - 1 ? " or "
                                                                : ", ") +
             std::string(format.name);
  }
  const detail::FileKind kind = detail::file_kind(file.text());
  throw Error(path, ": expected a model in ", names, ", found ", kind.what, "; ", kind.way_out);
}

}  // namespace rwkv
