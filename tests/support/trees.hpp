#pragma once

#include <filesystem>
#include <map>
#include <string>

namespace howdah::tests {

/// Every file, folder and link below a folder, by its path in it, with what it is: type and mode, and its bytes or its target.
using Tree = std::map<std::string, std::string>;
Tree tree_of(const std::filesystem::path& folder);

/// What is only in one of them or different; empty for equal trees. Never prints bytes of files.
std::string difference(const Tree& left, const Tree& right);

/// When each file below a folder was last written to: equal means that nothing was.
std::map<std::string, std::filesystem::file_time_type> times_of(const std::filesystem::path& folder);

/// Changes one byte of a file and leaves its size and its time of modification as they were.
void flip_byte(const std::filesystem::path& file, std::uint64_t offset);

}  // namespace howdah::tests
