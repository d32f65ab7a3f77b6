#pragma once
#include <rwkv/rwkv.hpp>
