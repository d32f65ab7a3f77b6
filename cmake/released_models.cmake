# Released models, NAME=TYPE: what -DRWKV_PROGRAM_MODELS takes besides types. tests/models/released_test.cpp counts their parameters.
set(rwkv_released_models
  "rwkv4-pile-169m=v4::Model<50277, 768, 12>"
  "rwkv4-pile-430m=v4::Model<50277, 1024, 24>"
  "rwkv4-pile-1.5b=v4::Model<50277, 2048, 24>"
  "rwkv4-pile-3b=v4::Model<50277, 2560, 32>"
  "rwkv4-world-0.1b=v4::Model<65536, 768, 12>"
  "rwkv4-world-0.4b=v4::Model<65536, 1024, 24>"
  "rwkv4-world-1.5b=v4::Model<65536, 2048, 24>"
  "rwkv4-world-3b=v4::Model<65536, 2560, 32>"
  "rwkv5-0.4b=v5::Model<65536, 1024, 24>"
  "rwkv5-1.5b=v5::Model<65536, 2048, 24>"
  "rwkv5-3b=v5::Model<65536, 2560, 32>"
  "rwkv6-1.6b=v6::Model<65536, 2048, 24>"
  "rwkv6-3b=v6::Model<65536, 2560, 32>"
  "rwkv7-0.1b=v7::Model<65536, 768, 12>"
  "rwkv7-0.4b=v7::Model<65536, 1024, 24, 64, 64, 64, 32, 128>"
  "rwkv7-1.5b=v7::Model<65536, 2048, 24, 64, 96, 96, 64, 256>"
  "rwkv7-2.9b=v7::Model<65536, 2560, 32, 64, 96, 96, 64, 320>")

# rwkv_types_of(VARIABLE WORDS...): the types that words mean: a type itself, a name from above, `released` for all of these, or
# `usual` for those of the variable usual_models. Each once.
function(rwkv_types_of variable)
  set(types)
  foreach(word IN LISTS ARGN)
    string(REPLACE "." "\\." escaped "${word}")
    if(word STREQUAL "usual")
      list(APPEND types ${usual_models})
    elseif(word STREQUAL "released" OR NOT word MATCHES "<")
      set(named ${rwkv_released_models})
      if(NOT word STREQUAL "released")
        list(FILTER named INCLUDE REGEX "^${escaped}=")
      endif()
      if(NOT named)
        string(REGEX REPLACE "=[^;]*" "" names "${rwkv_released_models}")
        string(REPLACE ";" ", " names "${names}")
        message(FATAL_ERROR "RWKV_PROGRAM_MODELS: expected types as \"v4::Model<128, 128, 4>\", usual, released, or some of ${names}; "
          "found \"${word}\"")
      endif()
      list(TRANSFORM named REPLACE "^[^=]*=" "")
      list(APPEND types ${named})
    else()
      list(APPEND types "${word}")
    endif()
  endforeach()
  list(REMOVE_DUPLICATES types)
  set(${variable} "${types}" PARENT_SCOPE)
endfunction()
