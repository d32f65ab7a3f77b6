// What a program may have defined before it includes our headers: single letters of its own, and what headers of C
// define.
#pragma once
#include <Eigen/Core>
#include <algorithm>
#include <any>
#include <array>
#include <atomic>
#include <chrono>
#include <complex>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <numbers>
#include <numeric>
#include <optional>
#include <ranges>
#include <set>
#include <span>
#include <sstream>
#include <thread>
#include <unordered_map>
#include <variant>
#if __has_include(<doctest/doctest.h>)
#include <doctest/doctest.h>
#endif

#include <complex.h>
#include <ctype.h>
#include <sys/param.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <syslog.h>
#include <termios.h>

#undef I
#define I 1
#define M 1
#define N 1
