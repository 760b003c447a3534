#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

/// Checks a source tree against its table src/LAYERS ("folder: folders it may include").
namespace howdah::tests {

using LayerTable = std::map<std::string, std::vector<std::string>>;

/// What a check of one tree found. Every line reads "file:line: what is wrong" with paths relative to the tree.
struct LayerFindings {
    std::vector<std::string> errors;
    std::vector<std::string> warnings;
};

/// Reads a LAYERS file: "#" starts a comment, a folder not named in it does not exist for the check.
LayerTable read_layers(const std::filesystem::path& file);

/// The folders of one cycle in the table, in order and starting and ending with the same, or nothing.
std::vector<std::string> find_cycle(const LayerTable& table);

/// Checks every #include of `tree`/src against the table (`base` is open to all but client and cache), that the table has no cycle,
/// that every folder of src is in the table and has a README.md, and that no source file is longer than 600 lines. Warns of functions
/// longer than 70 lines, which it recognises by the layout that clang-format gives.
LayerFindings check_layers(const std::filesystem::path& tree);

}  // namespace howdah::tests
