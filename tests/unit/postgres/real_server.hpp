#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "postgres/scratch.hpp"

namespace howdah::postgres::testing {

/// A scratch server with checksums, commit timestamps and prepared transactions on; HOWDAH_PG_BIN chooses its programs.
class RealServer {
public:
    explicit RealServer(unsigned segment_mib, const std::map<std::string, std::string>& settings = {});

    const std::filesystem::path& data() const { return server_.data_directory(); }
    int major() const;
    /// Whether the server comes with this program: some distributions of servers have no clients.
    bool has(const std::string& program) const;
    /// A folder of the server's user for a tablespace.
    std::string make_folder(const std::string& name) const;
    /// Runs SQL by psql (Debian's when the server has none), each statement by itself; unaligned rows, columns separated by "|".
    std::string sql(const std::string& text) const;
    void stop() { server_.stop(); }
    void restart() { server_.restart(); }
    /// kill -9 and a start with recovery.
    void crash() {
        server_.kill();
        server_.start();
    }
    /// The bytes of a WAL segment in pg_wal.
    std::string segment(const std::string& name) const;
    /// Runs one of the server's programs in time zone UTC.
    base::ProcessResult run(const std::string& program, std::vector<std::string> arguments) const;

private:
    base::ProcessOptions process() const;
    ScratchServer server_;
};

}  // namespace howdah::postgres::testing
