#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/process.hpp"
#include "base/units.hpp"

namespace howdah::postgres {

/// Where a major version's programs are. Order: the explicit folder, HOWDAH_PG_BIN, /usr/lib/postgresql/N/bin (highest N when no
/// version is asked), PATH.
std::filesystem::path find_programs(int major = 0, const std::filesystem::path& configured = {});
/// Major version of the `postgres` program in that folder (runs it with --version).
int program_version(const std::filesystem::path& programs);

struct ScratchOptions {
    std::filesystem::path directory;  ///< Data directory to make, which stays; empty: a private temporary folder, removed at the end.
    std::filesystem::path programs;   ///< Empty: find_programs().
    /// Values unquoted. A new cluster gets them in its postgresql.auto.conf; an adopted one on the command line, its files stay as they are.
    std::map<std::string, std::string> settings;
    bool checksums = true;
    unsigned wal_segment_mib = 16;
    bool detached = false;  ///< Survives this process (`howdah scratch start`); otherwise it dies with it, even by kill -9.
    base::Bytes shared_buffers{128u << 20};
    bool listen_tcp = false;  ///< Also 127.0.0.1 on a free port, with a password; otherwise only the private socket.
    std::vector<std::string> initdb_options;
};

/// A private throw-away PostgreSQL server: initdb, socket in a private folder, run as an unprivileged user when we are root (postgres
/// if it exists, else nobody). Stopped when the object goes, and removed with everything it made except a named data directory. Where
/// it listens is given on the command line, so that copies of its data directory know nothing of it. Used by one thread at a time.
class ScratchServer {
public:
    /// initdb and start. Failure with the server's log when it does not come up.
    explicit ScratchServer(const ScratchOptions& options);
    /// Starts an existing data directory (a restored one) without initdb; `options.directory` names it and stays afterwards. As root it
    /// runs as the directory's owner. Its own pg_hba.conf is not used: the private socket lets every role in.
    static ScratchServer adopt(const ScratchOptions& options);
    ScratchServer(ScratchServer&&) noexcept;
    ScratchServer& operator=(ScratchServer&&) noexcept;
    ~ScratchServer();

    const std::filesystem::path& data_directory() const;
    const std::filesystem::path& programs() const;
    const std::filesystem::path& socket_directory() const;
    /// A folder beside the data directory that goes with the server, owned by the server's user: for tablespaces, repositories, logs.
    const std::filesystem::path& workspace() const;
    const base::User& user() const;
    int port() const;
    /// Over the private socket, as the superuser "postgres".
    std::string conninfo(const std::string& database = "postgres") const;
    /// Over 127.0.0.1 with the password in a passfile; only with `listen_tcp`.
    std::string tcp_conninfo(const std::string& database = "postgres") const;
    std::filesystem::path log_file() const;

    /// Waits until it accepts connections (recovery included) or is a standby; Failure with the log's end when it gives up.
    void start();
    /// fast, smart or immediate, as pg_ctl has them. Waits.
    void stop(const std::string& mode = "fast");
    void restart();
    /// kill -9 of the postmaster and its children, as a crash.
    void kill();
    bool running() const;
    /// Runs one of the server's programs as the server's user with PGHOST, PGPORT and PGUSER set.
    base::ProcessResult run(const std::string& program, std::vector<std::string> arguments);

private:
    struct Impl;
    explicit ScratchServer(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace howdah::postgres
