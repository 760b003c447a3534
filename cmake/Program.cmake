# How the program is linked, so that it starts in a millisecond (src/loading says why): it contains libstdc++ and fmt, and the objects of
# src/loading come before the libraries whose functions they load at first use, which --as-needed then leaves out.
function(howdah_link_program program)
  target_link_libraries(${program} PRIVATE howdah_cli)
  # The sanitizers' own libraries look for the shared libstdc++.
  if(HOWDAH_SANITIZE)
    return()
  endif()
  target_sources(${program} PRIVATE $<TARGET_OBJECTS:howdah_loading>)
  target_link_options(${program} PRIVATE -static-libstdc++ -static-libgcc LINKER:--as-needed,--hash-style=gnu,-O1)
endfunction()
