#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/process.hpp"

namespace howdah::tests {

/// Takes this process into mounts (and, with `network`, a network with nothing but 127.0.0.1) of its own, which end with it; as another
/// user than root inside a user namespace. Returns why it is impossible; empty when done. Before any thread exists.
std::string enter_private_space(bool network);

struct ChildResult {
    std::string impossible;  ///< Why there are no such namespaces here; empty when the rest counts.
    int exit_code = 0;
    std::string output;  ///< Standard output and errors.
};

/// In a child process with private mounts and network: runs `prepare`, then the command, as it is given, with both outputs in `log`.
ChildResult run_in_private_space(const std::function<void()>& prepare, const std::vector<std::string>& command,
                                 base::ProcessOptions options, const std::filesystem::path& log);

/// Mounts a small memory file system there.
void mount_memory(const std::filesystem::path& folder, const std::string& size);
void unmount(const std::filesystem::path& folder);
/// Puts a file in the place of another one, for this space only.
void mount_over(const std::filesystem::path& file, const std::filesystem::path& place);

}  // namespace howdah::tests
