#pragma once

#include <span>
#include <string_view>

namespace howdah::samples {

/// One SQL file of samples/, shipped inside the binary. `path` is relative to samples/: "marketplace/schema/01_organisations.sql".
struct File {
    std::string_view path;
    std::string_view text;
};

/// All files, ordered by path. The texts live as long as the program.
std::span<const File> files();

}  // namespace howdah::samples
