#include <cstdio>
#include <rwkv/core/shape.hpp>
#include <rwkv/io/safetensors_header.hpp>
#include <rwkv/registry/find_net.hpp>
#include <rwkv/registry/headers_digest.hpp>
#include <rwkv/registry/net_compiler.hpp>

int main() {
  rwkv::SafetensorsHeader header;
  const std::string complaint = rwkv::parse_safetensors_header("{}", 0, header);
  std::puts(complaint.c_str());
  const auto compiler = rwkv::NetCompiler::of_program();
  if (!compiler || compiler->digest.empty() || compiler->digest != rwkv::headers_digest(compiler->headers)) return 2;
  return complaint.empty() && rwkv::find_net({"rwkv4", "8x1", 16}).vocabulary == 16 &&
                 rwkv::Shape<rwkv::Batch, rwkv::Time, 64>::size({.batch = 2, .time = 3}) == 384
             ? 0
             : 1;
}
