// expect: rwkv: -ffast-math folds the rounding steps that exp and log are built from
// bad flags: -ffast-math
#include <rwkv/core/config.hpp>
