#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace howdah::sample {

/// One embedded SQL file of the marketplace. `name` is the file's name without folder and ".sql".
struct Script {
    std::string name;
    std::string_view text;
};

/// The marketplace's scripts of one folder ("schema", "generate", "constraints", "workload"), in the order of their names.
/// Failure when the folder holds none: the binary was built wrongly.
std::vector<Script> scripts(std::string_view folder);
/// samples/marketplace/finish.sql.
std::string_view finish_script();

}  // namespace howdah::sample
