# What rwkv is built on: the oldest version that will do, its target, and the source that stands in when it is not installed.
# HEADERS is the folder of a header-only library; without it the source is built.
set(rwkv_Eigen3 VERSION 3.4 TARGET Eigen3::Eigen HEADERS .
    GIT https://gitlab.com/libeigen/eigen.git TAG 3.4.0)
set(rwkv_CLI11 VERSION 2.1 TARGET CLI11::CLI11 HEADERS include
    GIT https://github.com/CLIUtils/CLI11.git TAG v2.1.2)
set(rwkv_doctest VERSION 2.4 TARGET doctest::doctest HEADERS .
    GIT https://github.com/doctest/doctest.git TAG v2.4.9)
set(rwkv_benchmark VERSION 1.7 TARGET benchmark::benchmark
    GIT https://github.com/google/benchmark.git TAG v1.7.1)
set(BENCHMARK_ENABLE_TESTING OFF)
