#include "preflight/security.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "preflight/looker.hpp"
#include "preflight/text.hpp"

namespace howdah::preflight {

namespace {

/// Nothing, or nothing but loopback.
bool listens_locally(const std::string& addresses) {
    std::string word;
    for (const char c : addresses + ",") {
        if (c == ' ') continue;
        if (c != ',') {
            word += c;
            continue;
        }
        if (!word.empty() && word != "localhost" && word != "127.0.0.1" && word != "::1") return false;
        word.clear();
    }
    return true;
}

Findings tls(Looker& looker) {
    TlsFacts facts;
    facts.server_on = looker.setting("ssl").value_or("off") == "on";
    facts.listen_addresses = looker.setting("listen_addresses").value_or("");
    const auto own = looker.session().query(
        "SELECT coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false), inet_client_addr() IS NULL");
    facts.own_encrypted = own.boolean(0, 0);
    facts.own_by_socket = own.boolean(0, 1);
    const auto others = looker.session().query(
        "SELECT count(*) FROM pg_stat_activity a JOIN pg_stat_ssl s USING (pid)"
        " WHERE NOT s.ssl AND a.client_addr IS NOT NULL AND NOT (a.client_addr <<= '127.0.0.0/8' OR a.client_addr = '::1') AND a.pid <> pg_backend_pid()");
    facts.plain_sessions = others.integer(0, 0);
    return judge_tls(facts);
}

Findings passwords(Looker& looker) {
    std::optional<std::int64_t> md5;
    if (looker.session().value("SELECT has_table_privilege('pg_catalog.pg_authid', 'SELECT')") == "t")
        md5 = looker.session().query("SELECT count(*) FROM pg_authid WHERE rolpassword LIKE 'md5%'").integer(0, 0);
    return judge_passwords(looker.setting("password_encryption").value_or(""), md5);
}

Findings hba(Looker& looker) {
    if (looker.session().value(
            "SELECT has_table_privilege('pg_hba_file_rules', 'SELECT') AND has_function_privilege('pg_hba_file_rules()', 'EXECUTE')") ==
        "f")
        return {could_not_look("pg_hba_trust", "pg_hba.conf is hidden from this role",
                               "GRANT SELECT ON pg_hba_file_rules and EXECUTE ON FUNCTION pg_hba_file_rules() to the role")};
    std::vector<HbaLine> lines;
    const auto rows = looker.session().query(
        "SELECT line_number, coalesce(type, ''), coalesce(array_to_string(database, ','), ''), coalesce(array_to_string(user_name, ','), ''),"
        " coalesce(address, ''), coalesce(netmask, ''), coalesce(auth_method, ''), coalesce(error, '') FROM pg_hba_file_rules ORDER BY line_number");
    for (std::size_t row = 0; row < rows.size(); ++row) {
        const auto field = [&](std::size_t column) { return std::string(rows.text(row, column)); };
        lines.push_back({static_cast<int>(rows.integer(row, 0)), field(1), field(2), field(3), field(4), field(5), field(6), field(7)});
    }
    return judge_hba(lines);
}

std::string words_of(const HbaLine& line) {
    return fmt::format("line {}: {} {} {} {}{} {}", line.number, line.type, line.databases, line.users, line.address,
                       line.netmask.empty() ? "" : fmt::format(" {}", line.netmask), line.method);
}

}  // namespace

Findings judge_tls(const TlsFacts& facts) {
    Findings findings;
    const auto listens = fmt::format("listens on {}", facts.listen_addresses.empty() ? "sockets only" : facts.listen_addresses);
    const char* advice = "set ssl = on with a certificate, and write hostssl instead of host in pg_hba.conf";
    if (!facts.server_on && !listens_locally(facts.listen_addresses))
        findings.push_back(
            {"tls", Severity::warning, fmt::format("off, {}", listens), "passwords and data cross the network readable", advice});
    else if (facts.plain_sessions > 0)
        findings.push_back({"tls", Severity::warning,
                            fmt::format("{} without TLS over the network", text::count(facts.plain_sessions, "session")),
                            "their passwords and data cross the network readable", advice});
    else
        findings.push_back({"tls",
                            Severity::ok,
                            fmt::format("{}, {}", facts.server_on ? "on" : "off", listens),
                            facts.server_on ? "connections can be encrypted" : "no other host can connect",
                            {}});
    if (facts.own_by_socket)
        findings.push_back({"own_connection", Severity::ok, "by socket", "it never leaves this host", {}});
    else if (facts.own_encrypted)
        findings.push_back({"own_connection", Severity::ok, "encrypted", "nobody on the way can read it", {}});
    else
        findings.push_back({"own_connection", Severity::warning, "over TCP, not encrypted",
                            "what howdah asks and is told can be read on the way",
                            "connect by socket, or add sslmode=verify-full to the cluster's conninfo"});
    return findings;
}

Findings judge_passwords(const std::string& encryption, const std::optional<std::int64_t>& md5_roles) {
    Findings findings;
    if (encryption == "scram-sha-256")
        findings.push_back({"password_encryption", Severity::ok, encryption, "new passwords are stored well", {}});
    else
        findings.push_back({"password_encryption", Severity::warning, encryption.empty() ? "unknown" : encryption,
                            "new passwords are stored so that their hash is enough to log in",
                            "ALTER SYSTEM SET password_encryption = 'scram-sha-256', then reload and set the passwords anew"});
    if (md5_roles && *md5_roles > 0)
        findings.push_back({"md5_passwords", Severity::warning, text::count(*md5_roles, "role"), "their stored hash is enough to log in",
                            "set their passwords anew with password_encryption = scram-sha-256"});
    return findings;
}

bool is_for_other_hosts(const HbaLine& line) {
    if (!line.type.starts_with("host")) return false;
    if (line.address == "localhost" || line.address == "::1")
        return line.address == "::1" && !line.netmask.empty() && line.netmask != "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";
    // samehost matches this host's own addresses; any mask of 8 bits or more keeps a loopback address within 127.0.0.0/8.
    if (line.address == "samehost") return false;
    return !(line.address.starts_with("127.") && line.netmask.starts_with("255."));
}

Findings judge_hba(const std::vector<HbaLine>& lines) {
    std::vector<std::string> trust, readable, broken;
    for (const auto& line : lines) {
        if (!line.error.empty()) broken.push_back(fmt::format("line {}: {}", line.number, line.error));
        if (!is_for_other_hosts(line)) continue;
        if (line.method == "trust") trust.push_back(words_of(line));
        if (line.method == "password" && line.type != "hostssl" && line.type != "hostgssenc") readable.push_back(words_of(line));
    }
    Findings findings;
    if (!trust.empty())
        findings.push_back({"pg_hba_trust", Severity::critical, text::join(trust, 3), "other hosts get in without any password",
                            "replace trust by scram-sha-256 in pg_hba.conf, then reload the server"});
    else
        findings.push_back({"pg_hba_trust", Severity::ok, "none for other hosts", "other hosts must prove who they are", {}});
    if (!readable.empty())
        findings.push_back({"pg_hba_password", Severity::warning, text::join(readable, 3), "passwords cross the network readable",
                            "replace password by scram-sha-256 and host by hostssl in pg_hba.conf, then reload the server"});
    if (!broken.empty())
        findings.push_back({"pg_hba_errors", Severity::warning, text::join(broken, 3),
                            "the next reload keeps the old rules, the next start fails", "correct pg_hba.conf, then reload the server"});
    return findings;
}

void look_at_security(Looker& looker) {
    looker.look("tls", [&] { return tls(looker); });
    looker.look("password_encryption", [&] { return passwords(looker); });
    looker.look("pg_hba_trust", [&] { return hba(looker); });
}

}  // namespace howdah::preflight
