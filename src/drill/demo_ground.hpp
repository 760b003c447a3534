#pragma once

#include <filesystem>

#include "base/config.hpp"
#include "postgres/scratch.hpp"
#include "postgres/session.hpp"

namespace howdah::drill {

/// What a demo stands on: a private server that archives through a copy of this binary, an encrypted repository with its key, and a state
/// directory, all in the server's workspace, which goes with the server. The configuration lies there as a file too, because
/// archive_command and restore_command read it.
class DemoGround {
public:
    DemoGround();

    postgres::ScratchServer& server() { return server_; }
    const base::Config& config() const { return config_; }
    const base::ClusterConfig& cluster() const { return config_.cluster(); }
    const std::filesystem::path& config_file() const { return config_file_; }
    /// Every user may run it, wherever the original lies (a checkout below /root is closed to the server's user).
    const std::filesystem::path& binary() const { return binary_; }
    postgres::Session session() const { return postgres::Session(server_.conninfo()); }

private:
    postgres::ScratchServer server_;
    std::filesystem::path config_file_, binary_;
    base::Config config_;
};

}  // namespace howdah::drill
