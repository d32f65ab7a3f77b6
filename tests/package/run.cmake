# cmake -DWAY=… -DSOURCE=… -DBUILD=… -DWORK=… -DCOMPILER=… -DGENERATOR=… -P run.cmake: builds and runs the consumer.
file(REMOVE_RECURSE ${WORK})
if(WAY STREQUAL find_package)
  execute_process(COMMAND ${CMAKE_COMMAND} --install ${BUILD} --prefix ${WORK}/prefix COMMAND_ERROR_IS_FATAL ANY OUTPUT_QUIET)
endif()
execute_process(COMMAND ${CMAKE_COMMAND} -S ${CMAKE_CURRENT_LIST_DIR}/consumer -B ${WORK}/build -G ${GENERATOR}
  -DCMAKE_CXX_COMPILER=${COMPILER} -DCMAKE_BUILD_TYPE=Debug -DRWKV_GPU_SYSTEM=${GPU} -DWAY=${WAY} -DRWKV_SOURCE=${SOURCE}
  -DCMAKE_PREFIX_PATH=${WORK}/prefix COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${CMAKE_COMMAND} --build ${WORK}/build COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${WORK}/build/consumer COMMAND_ERROR_IS_FATAL ANY)
