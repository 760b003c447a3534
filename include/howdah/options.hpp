#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "howdah/moment.hpp"
#include "howdah/pool.hpp"
#include "howdah/result.hpp"

namespace howdah::inline v0 {

/// A time that is not limited.
inline constexpr Duration kNoLimit = Duration::max();

/// What a connection string and the environment say about an endpoint, each part where it belongs.
struct EndpointOptions {
    std::string conninfo;  ///< Only what libpq takes.
    /// Server settings to send with the start-up packet: search_path for a URL's `schema`.
    std::vector<std::pair<std::string, std::string>> settings;
    PoolOptions pool;
    Duration borrow_time = std::chrono::seconds(10);    ///< For a call without a deadline of its own.
    Duration query_time = kNoLimit;                     ///< Likewise, for a statement.
    bool behind_pooler = false;                         ///< Transactions may come to different servers: prepare nothing by name.
    std::optional<std::uint32_t> statement_cache_size;  ///< Statements; none when nothing was said.
};

/// Reads a connection string: libpq's key=value form as it is, a URL also with the parameters Prisma writes, which libpq refuses:
///
///     schema                         search_path, one name
///     connection_limit               pool.max_connections
///     pool_timeout                   borrow_time, seconds, 0 for no limit
///     connect_timeout                pool.dial_time, seconds, 0 for the longest there is; libpq gets it too
///     socket_timeout                 query_time, seconds, 0 for no limit
///     max_connection_lifetime        pool.lifetime, seconds, 0 for the longest there is
///     max_idle_connection_lifetime   pool.idle_time, likewise
///     statement_cache_size           statement_cache_size
///     pgbouncer                      behind_pooler, true or false
///     sslaccept                      strict: sslmode=verify-full; accept_invalid_certs: as sslmode says
///
/// All others must be libpq's. Unknown ones, those given twice and values that make no sense are errors that name the parameter (phase
/// configure, cause usage) and never hold a password. Prisma's sslidentity is refused: libpq reads PEM, not PKCS 12.
Result<EndpointOptions> read_url(std::string_view conninfo);

/// Names and values, as in environ(7).
using Environment = std::vector<std::pair<std::string, std::string>>;
Environment process_environment();

/// Applies the names below; they win over the connection string. Other names that begin with DB_POOL_ and other DB_..._TIMEOUT are errors,
/// so that a misspelt limit does not go unnoticed; all further names are somebody else's.
///
///     DB_POOL_MAX                  connections
///     DB_POOL_CONNECTION_TIMEOUT   seconds: borrow_time, 0 for no limit
///     DB_CONNECT_TIMEOUT           seconds: pool.dial_time, 0 for the longest there is
///     DB_QUERY_TIMEOUT             milliseconds: query_time, 0 for no limit
///     DB_IDLE_TIMEOUT              milliseconds: pool.idle_time, 0 for the longest there is
Result<void> apply_environment(EndpointOptions& options, const Environment& environment);

}  // namespace howdah::inline v0
