#pragma once

#include <string>
#include <vector>

#include "base/config_schema.hpp"

/// TOML behind a small interface: toml++ takes seconds to compile, so one file includes it.
namespace howdah::base {

/// One key of a file with its whole path. A table stands before what is in it.
struct TomlEntry {
    std::vector<std::string> path;  ///< {"cluster", "main", "conninfo"}.
    unsigned line = 0;
    bool table = false;
    schema::Value value;  ///< Not of tables.
};

struct TomlError {
    unsigned line = 0;
    std::string what;
};

/// Every key of the text in order of line, or the first mistake in its syntax, in `error`.
std::vector<TomlEntry> read_toml(const std::string& content, TomlError& error);

}  // namespace howdah::base
