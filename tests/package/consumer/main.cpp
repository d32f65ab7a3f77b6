#include <cstdio>
#include <nlohmann/json.hpp>
#include <rwkv/core/shape.hpp>

int main() {
  const nlohmann::json info = {{"scalars", rwkv::Shape<rwkv::Batch, rwkv::Time, 64>::size({.batch = 2, .time = 3})}};
  std::puts(info.dump().c_str());
  return info["scalars"] == 384 ? 0 : 1;
}
