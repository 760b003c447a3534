# The policies with a planted bug each, to see that the simulation finds it. A variant is the policies' own sources with one line changed
# on the way, compiled together with the simulation under another namespace; the sources themselves know nothing of it.
set(planted_root "${CMAKE_CURRENT_LIST_DIR}")
set(planted_sources breaker call_list backoff retry_budget pool_core pool_work)

# howdah_plant(NAME FILE LINE CHANGED): the text LINE must stand in src/client/policy/FILE.cpp exactly once.
function(howdah_plant name file line changed)
  set(folder "${CMAKE_BINARY_DIR}/planted/${name}")
  set(original "${CMAKE_SOURCE_DIR}/src/client/policy/${file}.cpp")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${original}")
  file(READ "${original}" text)
  string(REPLACE "${line}" "${changed}" planted "${text}")
  string(REPLACE "${line}" "" rest "${text}")
  string(LENGTH "${text}" with)
  string(LENGTH "${rest}" without)
  string(LENGTH "${line}" once)
  math(EXPR removed "${with} - ${without}")
  if(NOT removed EQUAL once)
    message(FATAL_ERROR "planted bug ${name}: its line does not stand in ${original} exactly once: ${line}")
  endif()
  file(GENERATE OUTPUT "${folder}/${file}.cpp" CONTENT "${planted}")
  set(includes "#define HOWDAH_PLANTED_BUG \"${name}\"\n")
  foreach(source IN LISTS planted_sources)
    if(source STREQUAL file)
      string(APPEND includes "#include \"${folder}/${source}.cpp\"\n")
    else()
      string(APPEND includes "#include \"client/policy/${source}.cpp\"\n")
    endif()
  endforeach()
  string(APPEND includes "#include \"${planted_root}/simulation.cpp\"\n")
  file(GENERATE OUTPUT "${folder}/variant.cpp" CONTENT "${includes}")
  set_source_files_properties("${folder}/variant.cpp" TARGET_DIRECTORY unit_client PROPERTIES
    GENERATED ON COMPILE_DEFINITIONS "howdah=howdah_${name}" OBJECT_DEPENDS "${folder}/${file}.cpp")
  target_sources(unit_client PRIVATE "${folder}/variant.cpp")
endfunction()

# resilience4j 935: a permit that comes back without a vote is not issued again.
howdah_plant(permit_lost breaker
  [[        --step_.issued;
        return before;]]
  [[        return before;]])
# A probe's answer of long ago counts in a later state.
howdah_plant(stale_vote breaker
  [[if (back.generation != generation_) {]]
  [[if (back.generation == 0) {]])
# Polly 216: everybody enters while the first probe is under way.
howdah_plant(stampede breaker
  [[machine_ == BreakerState::half_open && step_.issued < step_.width;]]
  [[machine_ == BreakerState::half_open;]])
# resilience4j 903: a probe that hangs keeps the breaker half-open for ever.
howdah_plant(hanging_probe breaker
  [[    if (step_.held > 0) return open(now, BreakerReason::probe_overdue);]]
  [[    if (step_.held > 0) return {};]])
# gobreaker 91: only calls that have ended are counted as slow.
howdah_plant(slow_unseen call_list
  [[    if (!any_to_mark(begun_until)) return false;]]
  [[    if (unmarked_ == kNone || begun_until > Moment::min()) return false;]])
# pgx 2425: a cancelled connection's place is free before the server let go.
howdah_plant(place_freed_early pool_core
  [[        enter(id.place, State::draining, now, after(now, options_.drain_time));
        tell(id.place);
    } else if (dirty) {]]
  [[        vacate(id.place);
    } else if (dirty) {]])
# Waiters are served last come, first served.
howdah_plant(unfair_queue pool_core
  [[        const std::uint32_t next = waiting_.pop_front();]]
  [[        const std::uint32_t next = waiting_.last();
        waiting_.remove(next);]])
# porsager 1179: a failing endpoint is dialled by all at once.
howdah_plant(dial_storm pool_core
  [[    dials_allowed_ = 1;]]
  [[]])
# HikariCP 1802: the pool hands out the demoted primary.
howdah_plant(old_epoch pool_core
  [[connection.dirty || connection.epoch != epoch_ || now >= connection.expires]]
  [[connection.dirty || now >= connection.expires]])
# The budget pays what it has not.
howdah_plant(overdraft retry_budget
  [[    if (balance_ < price) {]]
  [[    if (balance_ <= 0) {]])
