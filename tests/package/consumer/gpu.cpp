#include <rwkv/backend/gpu.hpp>

int main() {
  using B = rwkv::Gpu<float>;
  float* const p = B::allocate(3);
  B::fill(p, 3, 2);
  float host[3];
  B::download(host, p, 3);
  B::deallocate(p);
  return host[2] == 2 ? 0 : 1;
}
