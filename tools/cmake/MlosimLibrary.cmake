# The rules that every target of mlosim is built by.

add_library(mlosim_flags INTERFACE)
target_compile_options(mlosim_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion
                       -Wnon-virtual-dtor -Wold-style-cast -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  # gcc 12 sees overlapping copies inside `"text" + std::string` (GCC bug 105651) and uninitialized members in temporary
  # strings, none of which are there. clang-tidy and the sanitizers look for the real ones.
  target_compile_options(mlosim_flags INTERFACE -Wno-restrict -Wno-maybe-uninitialized)
endif()
# Results must be the same bytes on every machine of one architecture: no contraction into FMA, no fast-math.
target_compile_options(mlosim_flags INTERFACE -ffp-contract=off)
target_include_directories(mlosim_flags INTERFACE ${PROJECT_SOURCE_DIR})
if(MLOSIM_SANITIZE)
  target_compile_options(mlosim_flags INTERFACE -fsanitize=${MLOSIM_SANITIZE} -fno-omit-frame-pointer
                         -fno-sanitize-recover=all)
  target_link_options(mlosim_flags INTERFACE -fsanitize=${MLOSIM_SANITIZE})
endif()

# mlosim_library(sim/units DEPENDS sim/work LINKS fmt::fmt): the sources of one folder as one static library.
# Its target is the folder's path with '_' for '/'. A folder without sources is header-only.
function(mlosim_library folder)
  cmake_parse_arguments(ARG "" "" "DEPENDS;LINKS" ${ARGN})
  string(REPLACE "/" "_" target ${folder})
  list(TRANSFORM ARG_DEPENDS REPLACE "/" "_")
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${folder}/*.cpp)
  if(sources)
    add_library(${target} STATIC ${sources})
    target_link_libraries(${target} PUBLIC mlosim_flags ${ARG_DEPENDS} ${ARG_LINKS})
  else()
    add_library(${target} INTERFACE)
    target_link_libraries(${target} INTERFACE mlosim_flags ${ARG_DEPENDS} ${ARG_LINKS})
  endif()
endfunction()
