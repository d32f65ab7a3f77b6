#pragma once
#include <string_view>

#include <rwkv/core/config.hpp>

namespace rwkv::detail {

/// What a file is that holds no tensors for us, and what its owner can do about it.
struct FileKind {
  const char *what, *way_out;
};

/// From how the file begins.
[[gnu::cold]] inline FileKind file_kind(std::string_view file) {
  using namespace std::string_view_literals;
  struct Start {
    std::string_view bytes;
    FileKind kind;
  };
  constexpr Start starts[] = {
      {"\x80\2\x8a\nl\xfc\x9c\x46\xf9\x20j\xa8P\x19"sv,
       {"a .pth checkpoint in the format before PyTorch 1.6", "load it with PyTorch and torch.save it again"}},
      {"\x80"sv, {"a Python pickle", "save a dictionary of tensors with torch.save, or as safetensors"}},
      {"version https://git-lfs"sv, {"a Git LFS pointer", "fetch the file it stands for with git lfs pull"}}};
  constexpr const char* download = "give the model's file itself, or download it again";
  if (file.empty()) return {"an empty file", download};
  for (const Start& start : starts)
    if (file.starts_with(start.bytes)) return start.kind;
  for (const char c : file.substr(0, 256))
    if (static_cast<unsigned char>(c) < 0x20 && "\t\n\r\f"sv.find(c) == std::string_view::npos)
      return {"something unknown", download};
  return {"a text", download};
}

}  // namespace rwkv::detail
