#include "postgres/session_failure.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "base/log.hpp"
#include "base/process.hpp"

namespace howdah::postgres {

namespace {

using base::FailureKind;

struct StateHint {
    std::string_view sqlstate;
    std::string_view hint;
};

/// What to do about a refused login, by SQLSTATE (PostgreSQL's appendix A).
constexpr std::array kLoginHints{
    StateHint{"28P01", "check the user and its password: PGPASSWORD, the passfile (~/.pgpass, mode 0600) or the service file"},
    StateHint{"28000",
              "add a line for this user, database and address to the server's pg_hba.conf and reload it, or connect as another user"},
    StateHint{"3D000", "create the database or name another one (dbname=...)"},
    StateHint{"42501", "grant the role CONNECT on the database, or REPLICATION for a replication connection"},
    StateHint{"42704", "the server does not know a setting sent at login; check the connection string's options and the server's version"},
    StateHint{"53300",
              "all connections are taken: close idle ones, raise max_connections, or lift the role's or database's CONNECTION LIMIT"},
    StateHint{"55000", "the database takes no connections; name another one (dbname=...)"},
    StateHint{"57P03", "the server is starting, stopping or recovering; try again once it accepts connections (pg_isready)"},
};

std::string login_hint(const Error& error) {
    if (error.message().find("Peer authentication failed") != std::string::npos)
        return fmt::format(
            "this process is the operating-system user {}, which the server lets in under its own name only: run the command as the "
            "server's user (root becomes it when data_directory is set), or map the user in pg_ident.conf",
            base::current_user().name);
    const auto* known =
        std::find_if(kLoginHints.begin(), kLoginHints.end(), [&](const StateHint& row) { return error.sqlstate() == row.sqlstate; });
    if (known != kLoginHints.end()) return std::string(known->hint);
    if (!error.hint().empty() && !error.sqlstate().empty()) return error.hint();
    switch (error.phase()) {
        case Phase::resolve:
            return error.cause() == Cause::timed_out ? "check the host's name servers, or give the address itself (hostaddr=...)"
                                                     : "check the host's name, or give the address itself (hostaddr=...)";
        case Phase::connect:
            return error.endpoint().starts_with("socket")
                       ? "is the server running? start it, or check that host names its socket folder (unix_socket_directories) and the port"
                       : "is the server running? start it, or check host, port, listen_addresses, TLS and firewalls";
        case Phase::authenticate:
            if (error.cause() == Cause::refused) return std::string(kLoginHints.front().hint);
            return "is that a PostgreSQL server, and is it healthy? look at its log and its load";
        default: return "check the connection string (conninfo), the service file and the PG* environment";
    }
}

bool concerns_connection(const Error& error) {
    return error.cause() == Cause::broken || error.cause() == Cause::timed_out || error.sqlstate().is_class("08") ||
           error.sqlstate().view().starts_with("57P");
}

std::string state_suffix(const Error& error) {
    std::string text;
    if (!error.sqlstate().empty()) text += fmt::format(" (SQLSTATE {})", error.sqlstate().view());
    if (!error.detail().empty()) text += "; DETAIL: " + error.detail();
    return text;
}

std::string lower(std::string_view text) {
    std::string result(text);
    std::transform(result.begin(), result.end(), result.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return result;
}

}  // namespace

void throw_dial_failure(const Error& error) {
    const std::string where = error.endpoint().empty() ? "the server" : error.endpoint();
    if (error.cause() == Cause::cancelled) throw base::Cancelled("connecting to " + where + ": stopped");
    if (error.phase() == Phase::configure) {
        throw ServerFailure(FailureKind::configuration, "reading the connection string: " + base::redact(error.message()), {},
                            login_hint(error));
    }
    throw ServerFailure(FailureKind::server,
                        fmt::format("connecting to {} ({}): {}{}", where, name(error.phase()), error.message(), state_suffix(error)),
                        std::string(error.sqlstate().view()), login_hint(error));
}

void throw_statement_failure(const Error& error, std::string_view sql) {
    const std::string statement = shortened_statement(sql);
    if (error.cause() == Cause::cancelled) throw base::Cancelled("statement \"" + statement + "\": stopped");
    const bool connection = concerns_connection(error);
    std::string what = fmt::format("statement \"{}\": {}{}", statement, error.message(), state_suffix(error));
    if (connection) what += fmt::format("; on {}", error.endpoint());
    std::string hint = error.hint();
    if (hint.empty() && connection) hint = "see the server's log; run the command again once the server answers";
    if (hint.empty() && error.sqlstate() == "42501") hint = "grant the role this right, or use a role that has it (docs/use/rights.md)";
    throw ServerFailure(connection ? FailureKind::server : FailureKind::operation, std::move(what), std::string(error.sqlstate().view()),
                        std::move(hint));
}

std::string shortened_statement(std::string_view sql) {
    constexpr std::size_t kLongest = 120;
    std::string line;
    for (const char c : sql) {
        const bool blank = std::isspace(static_cast<unsigned char>(c)) != 0;
        if (!blank)
            line += c;
        else if (!line.empty() && line.back() != ' ')
            line += ' ';
    }
    for (std::size_t at = lower(line).find("password"); at != std::string::npos; at = lower(line).find("password", at + 8)) {
        const std::size_t open = line.find('\'', at);
        if (open == std::string::npos) break;
        std::size_t close = line.find('\'', open + 1);
        while (close != std::string::npos && line.substr(close + 1, 1) == "'") close = line.find('\'', close + 2);
        line.replace(open, close == std::string::npos ? close : close - open + 1, "***");
    }
    if (line.size() <= kLongest) return line;
    std::size_t cut = kLongest - 3;
    // A cut inside a UTF-8 sequence would make the text unprintable.
    while (cut > 0 && (static_cast<unsigned char>(line[cut]) & 0xC0U) == 0x80U) --cut;
    return line.substr(0, cut) + "...";
}

}  // namespace howdah::postgres
