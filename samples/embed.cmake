# cmake -DLIST=... -DFOLDER=... -DOUTPUT=... -P embed.cmake: writes one C++ file holding every listed file as raw string literals.
# Literals are split well under 16 KiB, the limit of some compilers for one piece.
cmake_minimum_required(VERSION 3.25)
file(STRINGS "${LIST}" names)
set(piece 8000)
set(entries "")
foreach(name IN LISTS names)
  file(READ "${FOLDER}/${name}" text)
  if(text MATCHES "\\)sql\"")
    message(FATAL_ERROR "${name} holds the delimiter of the raw string literals")
  endif()
  string(LENGTH "${text}" length)
  set(offset 0)
  set(literals "")
  while(offset LESS length)
    string(SUBSTRING "${text}" ${offset} ${piece} part)
    string(APPEND literals "R\"sql(${part})sql\"\n")
    math(EXPR offset "${offset} + ${piece}")
  endwhile()
  string(APPEND entries "    {\"${name}\",\n${literals}},\n")
endforeach()
file(WRITE "${OUTPUT}" "#include \"samples/files.hpp\"

namespace howdah::samples {
namespace {
constexpr File kFiles[] = {
${entries}};
}  // namespace

std::span<const File> files() { return kFiles; }

}  // namespace howdah::samples
")
