// bad flags: -std=c++17
// expect: rwkv: expected C++20 or newer, found an older standard; compile with -std=c++20
// expect: needs C++20
// bad flags: -D_WIN32
// expect: rwkv: expected a POSIX system, found Windows
// bad flags: -U__SIZEOF_POINTER__ -D__SIZEOF_POINTER__=4
// expect: rwkv: expected a 64-bit machine, found another
// bad flags: -U__BYTE_ORDER__ -D__BYTE_ORDER__=__ORDER_BIG_ENDIAN__
// expect: rwkv: expected a little-endian machine, as its files are; found another
// bad flags: -U__STDCPP_THREADS__
// expect: rwkv: expected threads, found a compiler that is set to do without
// bad flags: -ffast-math
// expect: rwkv: -ffast-math and -fassociative-math fold the rounding steps of exp and log; compile without
// bad flags: -Ofast
// expect: rwkv: -ffast-math and -fassociative-math fold the rounding steps of exp and log; compile without
// bad flags g++: -funsafe-math-optimizations
// expect: rwkv: -ffast-math and -fassociative-math fold the rounding steps of exp and log; compile without
// bad flags g++: -fassociative-math -fno-signed-zeros -fno-trapping-math
// expect: rwkv: -ffast-math and -fassociative-math fold the rounding steps of exp and log; compile without
// bad flags: -ffinite-math-only
// expect: rwkv: -ffinite-math-only loses NaN, by which a broken model shows; compile without
#include <rwkv/core/config.hpp>
