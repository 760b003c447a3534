#include "client/conninfo.hpp"

#include <libpq-fe.h>

#include <algorithm>
#include <charconv>
#include <memory>

#include "client/server_message.hpp"

namespace howdah::inline v0 {

namespace {

/// No sslmode has this value, so a start with it reads every source of options and then stops short of the network. It is how libpq's
/// own merge of string, service file and environment can be seen (PQconninfoParse knows only the string).
constexpr const char* kImpossible = "\001";

using Probe = std::unique_ptr<PGconn, decltype(&PQfinish)>;

Probe probe(const std::string& conninfo, const Keywords& overrides) {
    std::vector<const char*> keywords{"dbname"};
    std::vector<const char*> values{conninfo.c_str()};
    for (const auto& [keyword, value] : overrides) {
        keywords.push_back(keyword.c_str());
        values.push_back(value.c_str());
    }
    // With a password at hand libpq does not read the passfile, whose complaints it would print here and again at the dial.
    keywords.insert(keywords.end(), {"password", "sslmode", nullptr});
    values.insert(values.end(), {"-", kImpossible, nullptr});
    return Probe(PQconnectStartParams(keywords.data(), values.data(), 1), &PQfinish);
}

Error wrong(std::string message) {
    return Error(Phase::configure, Cause::usage,
                 {std::move(message), {}, "see the connection string, the service file and the PG* environment", {}});
}

std::vector<std::string> split(const std::string& list) {
    std::vector<std::string> parts;
    std::size_t start = 0;
    while (true) {
        const std::size_t comma = list.find(',', start);
        parts.push_back(list.substr(start, comma == std::string::npos ? comma : comma - start));
        if (comma == std::string::npos) return parts;
        start = comma + 1;
    }
}

/// Pieces of an unescaped password that a URI put where hosts and ports are; they must not reach a text. None: nothing suspicious.
std::optional<Error> misplaced(const std::vector<HostEntry>& hosts, bool uri) {
    for (const auto& entry : hosts) {
        if (entry.host.find('@', 1) != std::string::npos)
            return wrong("a host name holds \"@\": a URI has special characters of user name and password percent-encoded");
        if (entry.port.find_first_not_of("0123456789 ") != std::string::npos) {
            return wrong(uri ? "a port is not a number: a URI has special characters of user name and password percent-encoded"
                             : "a port is not a number");
        }
    }
    return std::nullopt;
}

/// libpq has checked that the three lists fit each other.
std::vector<HostEntry> host_entries(const std::string& hosts, const std::string& addresses, const std::string& ports) {
    const auto host_list = split(hosts);
    const auto address_list = split(addresses);
    const auto port_list = split(ports);
    const auto at = [](const std::vector<std::string>& list, std::size_t index) {
        return index < list.size() ? list[index] : std::string();
    };
    std::vector<HostEntry> entries(std::max(host_list.size(), address_list.size()));
    for (std::size_t index = 0; index < entries.size(); ++index) {
        entries[index] = {at(host_list, index), at(address_list, index), port_list.size() == 1 ? port_list[0] : at(port_list, index)};
    }
    return entries;
}

/// The folder libpq was built to take for an empty entry of a host list.
std::string default_socket_folder() {
    const Probe started = probe({}, {{"host", ","}});
    return started && PQhost(started.get()) != nullptr ? PQhost(started.get()) : "";
}

}  // namespace

bool is_socket_folder(std::string_view host) { return host.starts_with('/') || host.starts_with('@'); }

Result<Conninfo> read_conninfo(const std::string& conninfo, const Keywords& overrides) {
    const Probe started = probe(conninfo, overrides);
    if (!started) return wrong("out of memory");
    const std::string seen = PQerrorMessage(started.get());
    if (seen.find(kImpossible) == std::string::npos) return wrong(mask_quoted(one_line(seen), conninfo));

    const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(PQconninfo(started.get()), &PQconninfoFree);
    if (!options) return wrong("out of memory");
    const auto find = [&](std::string_view keyword, char* PQconninfoOption::* field) {
        for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
            if (keyword == option->keyword) return std::string(option->*field != nullptr ? option->*field : "");
        }
        return std::string();
    };
    const auto value = [&](std::string_view keyword) { return find(keyword, &PQconninfoOption::val); };
    Conninfo read;
    read.hosts = host_entries(value("host"), value("hostaddr"), value("port"));
    if (auto error = misplaced(read.hosts, conninfo.find("://") != std::string::npos)) return std::move(*error);
    for (auto& entry : read.hosts) {
        if (entry.host.empty() && entry.address.empty()) entry.host = default_socket_folder();
        if (entry.port.empty()) entry.port = find("port", &PQconninfoOption::compiled);
    }
    read.target_session_attrs = value("target_session_attrs");
    read.options = value("options");
    read.user = value("user");
    read.database = value("dbname");
    const std::string timeout = value("connect_timeout");
    if (int seconds = 0; std::from_chars(timeout.data(), timeout.data() + timeout.size(), seconds).ec == std::errc() && seconds > 0) {
        read.connect_timeout = std::chrono::seconds(seconds);
    }
    return read;
}

}  // namespace howdah::inline v0
