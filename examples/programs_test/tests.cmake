# Tests of what programs do with a model that is there; each script says what it tries.
set(scripts ${CMAKE_CURRENT_SOURCE_DIR}/programs_test)
file(READ ${PROJECT_SOURCE_DIR}/LICENSE text)
string(APPEND text "\nUser: hi\n\nAssistant: hello\n\nSystem: <think>\n\n")
string(LENGTH "${text}" length)
file(WRITE ${run}/short.txt "${text}")
string(REPEAT "${text}" 40 text)
file(WRITE ${run}/talk.txt "${text}")
string(REPEAT "{\"text\": \"Permission is hereby granted\"}\n" 40 lines)
file(WRITE ${run}/lines.jsonl "${lines}")

add_test(NAME example.train_talk COMMAND train_text --text ${run}/talk.txt --valid ${run}/talk.txt --batch 4 --context 64
  --steps 40 --warmup 5 --rate 3e-3 --threads 1 --valid-every 0 --out ${run}/talk)
set_tests_properties(example.train_talk PROPERTIES FIXTURES_SETUP talk)
set(talk --model ${run}/talk/model.safetensors --threads 1)
add_test(NAME example.chat COMMAND sh ${scripts}/chat.sh $<TARGET_FILE:chat> ${talk} --tokens 30)
add_test(NAME example.state COMMAND sh ${scripts}/state.sh ${run}/state.safetensors $<TARGET_FILE:write> ${talk} --tokens 40 --seed 3)
add_test(NAME example.init COMMAND sh ${scripts}/init.sh ${run}/init ${run}/talk.txt ${run}/talk/model.safetensors
  $<TARGET_FILE:train_text> --batch 1 --context 32 --threads 1 --warmup 1)
add_test(NAME example.evaluate COMMAND evaluate ${talk} --text ${run}/short.txt --lambada ${run}/lines.jsonl --batch 8)
set_tests_properties(example.evaluate PROPERTIES PASS_REGULAR_EXPRESSION
  "^text: loss [01]\\.[0-9]+ nats per token, perplexity [0-9.]+, [0-9.]+ bits per byte; ${length} tokens, ${length} bytes
last words: accuracy [0-9.]+ %, perplexity [0-9.]+, log-probability -[0-9.]+ nats; 40 passages\n$")
# What quantising a trained model may cost: the table fails where it costs more.
add_test(NAME example.evaluate_weights COMMAND evaluate ${talk} --text ${run}/short.txt --weights-table --good)
set_tests_properties(example.evaluate_weights PROPERTIES FIXTURES_REQUIRED talk LABELS example
  PASS_REGULAR_EXPRESSION "\\| q4_0 \\| [0-9.]+ \\| [0-9.]+ \\| [-0-9.]+ \\(4\\) \\| [0-9.]+ \\(90\\) \\|\n$")
add_test(NAME example.evaluate_next COMMAND evaluate ${talk} --next "Permission is hereb")
set_tests_properties(example.evaluate_next PROPERTIES PASS_REGULAR_EXPRESSION "^[0-9]+  -[0-9.]+  \"y\"\n[0-9]+  -")
add_test(NAME example.evaluate_nothing COMMAND evaluate ${talk})
set_tests_properties(example.evaluate_nothing PROPERTIES PASS_REGULAR_EXPRESSION
  "^evaluate: nothing to evaluate: give --text, --lambada, --next or --ids\n$")
add_test(NAME example.evaluate_ids COMMAND evaluate ${talk} --ids 3,17,)
set_tests_properties(example.evaluate_ids PROPERTIES PASS_REGULAR_EXPRESSION
  "^evaluate: --ids: expected numbers of tokens with commas between them, as 3,17,4; found \"3,17,\"\n$")
add_test(NAME example.evaluate_beyond COMMAND evaluate ${talk} --ids 128)
set_tests_properties(example.evaluate_beyond PROPERTIES PASS_REGULAR_EXPRESSION "token 128 is outside the model's vocabulary of 128")
add_test(NAME example.evaluate_out COMMAND evaluate ${talk} --text ${run}/short.txt --out ${run}/nothing)
set_tests_properties(example.evaluate_out PROPERTIES PASS_REGULAR_EXPRESSION
  "^evaluate: --out: expected --next or --ids with it, whose logits it gets, found neither\n$")
add_test(NAME example.evaluate_over COMMAND evaluate ${talk} --ids 3 --out ${run}/talk/model.safetensors)
set_tests_properties(example.evaluate_over PROPERTIES PASS_REGULAR_EXPRESSION "--out .*: is a file that this program reads")
rwkv_lost_output_test(evaluate ${talk} --next "Permission is")
rwkv_lost_output_test(chat --help)
set(with_talk example.chat example.state example.init example.evaluate example.evaluate_next example.evaluate_nothing example.evaluate_ids
  example.evaluate_beyond example.evaluate_out example.evaluate_over lost_output.evaluate)
set_tests_properties(${with_talk} PROPERTIES FIXTURES_REQUIRED talk)

add_test(NAME example.compile COMMAND sh ${scripts}/compile.sh ${run}/compile $<TARGET_FILE_DIR:write>
  ${PROJECT_SOURCE_DIR}/tests/golden/tokenizers/bpe.json ${run}/lines.jsonl)

# The numbers of official software for a released file's form.
set(files ${RWKV_DATA}/data/rwkv-files)
if(EXISTS ${files}/manifest.json)
  file(READ ${files}/manifest.json manifest)
  string(JSON count LENGTH "${manifest}" entries)
  math(EXPR last "${count} - 1")
  foreach(i RANGE ${last})
    string(JSON file GET "${manifest}" entries ${i} file)
    if(file STREQUAL "pth/v7-fp32.pth")
      string(JSON ids GET "${manifest}" entries ${i} tokens)
      string(JSON expected GET "${manifest}" entries ${i} logits)
      string(REGEX REPLACE "[^0-9,]" "" ids "${ids}")
      add_test(NAME example.logits COMMAND sh ${scripts}/logits.sh ${run}/logits $<TARGET_FILE:evaluate> ${files}/${file}
        ${files}/${expected} ${ids})
      set_tests_properties(example.logits PROPERTIES LABELS example TIMEOUT 300)
    endif()
  endforeach()
endif()
set_tests_properties(example.train_talk example.compile ${with_talk} PROPERTIES LABELS example TIMEOUT 300)

foreach(program write chat)
  rwkv_refused_test(${program} --penalty-decay 1.5 "number from 0 to 1")
endforeach()
rwkv_refused_test(evaluate --batch 0 "whole number from 1 to 1,024")
