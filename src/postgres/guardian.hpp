#pragma once

#include <sys/types.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/file.hpp"
#include "base/process.hpp"

namespace howdah::postgres {

/// What a guardian watches over.
struct GuardianPlan {
    std::vector<std::string> command;                ///< The postmaster: its program by absolute path and its arguments.
    std::map<std::string, std::string> environment;  ///< Added to ours; an empty value removes the name.
    base::User user;                                 ///< Who runs it.
    std::filesystem::path log_file;                  ///< Exists; gets both its outputs.
    std::filesystem::path folder;                    ///< Removed when the owner dies; empty: none.
    bool outlives_owner = false;
};

/// A small process of its own session that is the postmaster's parent: it starts it on request, reaps it, and when its owner (the
/// process that made it) dies in whatever way, shuts the postmaster down with SIGQUIT, then SIGKILL, and removes the folder. It keeps no
/// descriptor of the owner open, and watches the owner itself (a pidfd) rather than a pipe that other children could hold open.
/// Forked copies of the owner may destroy their copy of the object without effect.
class Guardian {
public:
    explicit Guardian(const GuardianPlan& plan);
    Guardian(const Guardian&) = delete;
    Guardian& operator=(const Guardian&) = delete;
    /// Dismisses the guardian; a postmaster still running stays. The folder stays.
    ~Guardian();

    /// Starts the postmaster and gives its process id; the previous one must have ended.
    pid_t start();
    /// Whether this process made the guardian (false in a forked copy).
    bool owned() const;

private:
    pid_t owner_;
    pid_t pid_ = -1;
    bool outlives_owner_;
    base::File channel_;
};

}  // namespace howdah::postgres
