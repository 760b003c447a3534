#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/file.hpp"
#include "base/process.hpp"
#include "base/units.hpp"

namespace howdah::postgres::testing {

/// Where the server's programs under test are: HOWDAH_PG_BIN or Debian's 15.
std::filesystem::path programs();
/// A client program (psql, pg_waldump, ...): from programs() or, as some distributions of servers have none, from Debian's 15.
std::filesystem::path client_program(const std::string& name);
int server_major();

/// A server of its own in a private folder, run as an unprivileged user, gone with the object.
class RealServer {
public:
    explicit RealServer(unsigned segment_mib, const std::vector<std::string>& settings = {});
    ~RealServer();
    RealServer(const RealServer&) = delete;
    RealServer& operator=(const RealServer&) = delete;

    std::filesystem::path data() const { return folder_.path() / "data"; }
    /// A folder of the server's user for a tablespace.
    std::filesystem::path make_folder(const std::string& name) const;
    /// Runs SQL by psql, each statement by itself; unaligned rows, columns separated by "|". Statements that fail are passed over only when
    /// `may_fail`.
    std::string sql(const std::string& text, bool may_fail = false) const;
    void stop();
    /// The bytes of a WAL segment in pg_wal.
    std::string segment(const std::string& name) const;
    /// Runs a client program as the server's user.
    base::ProcessResult run(const std::vector<std::string>& command, const std::string& input = {}) const;

private:
    base::ProcessOptions options() const;
    base::TemporaryDirectory folder_{"howdah-formats-"};
    bool running_ = false;
};

}  // namespace howdah::postgres::testing
