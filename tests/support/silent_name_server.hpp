#pragma once

#include <filesystem>

namespace howdah::tests {

/// Puts a name server in the place of this private space's that takes every question and answers none, for as long as the process lives.
/// The resolver's files are written to the folder. After enter_private_space(true); throws where it is impossible.
void silence_the_name_server(const std::filesystem::path& folder);

}  // namespace howdah::tests
