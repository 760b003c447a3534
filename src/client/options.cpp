#include "howdah/options.hpp"

#include <libpq-fe.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <utility>

namespace howdah::inline v0 {

namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

/// The bounds of check(PoolOptions).
constexpr Duration kLongestDial = hours(24);
constexpr Duration kLongestLife = hours(24) * 365;

Error wrong(std::string message, std::string hint) {
    return Error(Phase::configure, Cause::usage, {std::move(message), {}, std::move(hint), {}});
}

/// What a name sets. A number is checked by the table, words by the setter, which then says what would do.
struct Setter {
    std::string_view name;
    std::uint32_t least;
    std::uint32_t most;
    void (*number)(EndpointOptions&, std::uint32_t);
    const char* (*word)(EndpointOptions&, const std::string&);
};

Duration limited(Duration length) { return length == Duration::zero() ? kNoLimit : length; }
Duration within(Duration length, Duration longest) { return length == Duration::zero() ? longest : std::min(length, longest); }

constexpr std::uint32_t kMostSeconds = 24 * 3600 * 365;
constexpr std::uint32_t kMostMilliseconds = 4'000'000'000U;
using Options = EndpointOptions;

const char* set_schema(Options& options, const std::string& value) {
    if (value.empty()) return "give the name of one schema";
    std::string quoted = "\"";
    for (const char c : value) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
    options.settings.emplace_back("search_path", quoted + '"');
    return nullptr;
}

const char* set_pgbouncer(Options& options, const std::string& value) {
    options.behind_pooler = value == "true";
    return value == "true" || value == "false" ? nullptr : "give true or false";
}

const char* set_sslaccept(Options&, const std::string& value) {
    return value == "strict" || value == "accept_invalid_certs" ? nullptr : "give strict or accept_invalid_certs";
}

const char* refuse_pkcs12(Options&, const std::string&) { return "libpq reads PEM: convert the identity and give sslcert and sslkey"; }

constexpr std::array kUrlSetters{
    Setter{"schema", 0, 0, nullptr, set_schema},
    Setter{"connection_limit", 1, 10'000, [](Options& o, std::uint32_t n) { o.pool.max_connections = n; }, nullptr},
    Setter{"pool_timeout", 0, kMostSeconds, [](Options& o, std::uint32_t n) { o.borrow_time = limited(seconds(n)); }, nullptr},
    Setter{"connect_timeout", 0, kMostSeconds, [](Options& o, std::uint32_t n) { o.pool.dial_time = within(seconds(n), kLongestDial); },
           nullptr},
    Setter{"socket_timeout", 0, kMostSeconds, [](Options& o, std::uint32_t n) { o.query_time = limited(seconds(n)); }, nullptr},
    Setter{"max_connection_lifetime", 0, kMostSeconds,
           [](Options& o, std::uint32_t n) { o.pool.lifetime = within(seconds(n), kLongestLife); }, nullptr},
    Setter{"max_idle_connection_lifetime", 0, kMostSeconds,
           [](Options& o, std::uint32_t n) { o.pool.idle_time = within(seconds(n), kLongestLife); }, nullptr},
    Setter{"statement_cache_size", 0, 1'000'000, [](Options& o, std::uint32_t n) { o.statement_cache_size = n; }, nullptr},
    Setter{"pgbouncer", 0, 0, nullptr, set_pgbouncer},
    Setter{"sslaccept", 0, 0, nullptr, set_sslaccept},
    Setter{"sslidentity", 0, 0, nullptr, refuse_pkcs12},
};

constexpr std::array kEnvironmentSetters{
    Setter{"DB_POOL_MAX", 1, 10'000, [](Options& o, std::uint32_t n) { o.pool.max_connections = n; }, nullptr},
    Setter{"DB_POOL_CONNECTION_TIMEOUT", 0, kMostSeconds, [](Options& o, std::uint32_t n) { o.borrow_time = limited(seconds(n)); },
           nullptr},
    Setter{"DB_CONNECT_TIMEOUT", 0, kMostSeconds, [](Options& o, std::uint32_t n) { o.pool.dial_time = within(seconds(n), kLongestDial); },
           nullptr},
    Setter{"DB_QUERY_TIMEOUT", 0, kMostMilliseconds, [](Options& o, std::uint32_t n) { o.query_time = limited(milliseconds(n)); }, nullptr},
    Setter{"DB_IDLE_TIMEOUT", 0, kMostMilliseconds,
           [](Options& o, std::uint32_t n) { o.pool.idle_time = within(milliseconds(n), kLongestLife); }, nullptr},
};

template <std::size_t kCount>
const Setter* find(const std::array<Setter, kCount>& setters, std::string_view name) {
    const auto* found = std::find_if(setters.begin(), setters.end(), [&](const Setter& setter) { return setter.name == name; });
    return found == setters.end() ? nullptr : found;
}

/// `shown` is the value as an error may show it.
std::optional<Error> apply(const Setter& setter, EndpointOptions& options, const std::string& value, const std::string& shown) {
    const std::string name(setter.name);
    if (setter.word != nullptr) {
        const char* hint = setter.word(options, value);
        if (hint == nullptr) return std::nullopt;
        return wrong(name + " cannot be used: " + shown, hint);
    }
    std::uint32_t number = 0;
    const auto [end, code] = std::from_chars(value.data(), value.data() + value.size(), number);
    const bool whole = code == std::errc() && end == value.data() + value.size();
    if (!whole || number < setter.least || number > setter.most) {
        const std::string range = std::to_string(setter.least) + " to " + std::to_string(setter.most);
        return wrong(name + (whole ? " is out of range: " : " is not a whole number: ") + shown, "give " + range);
    }
    setter.number(options, number);
    return std::nullopt;
}

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    const char lower = static_cast<char>(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/// None for a percent sign without two hexadecimal digits and for %00, as libpq has it.
std::optional<std::string> decoded(std::string_view text) {
    std::string plain;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] != '%') {
            plain += text[at];
            continue;
        }
        const int high = at + 2 < text.size() ? hex_digit(text[at + 1]) : -1;
        const int low = at + 2 < text.size() ? hex_digit(text[at + 2]) : -1;
        if (high < 0 || low < 0 || high + low == 0) return std::nullopt;
        plain += static_cast<char>(high * 16 + low);
        at += 2;
    }
    return plain;
}

bool known_to_libpq(const std::string& keyword) {
    // libpq takes "ssl=true" in URLs for the sake of JDBC's.
    if (keyword == "ssl") return true;
    const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> defaults(PQconndefaults(), &PQconninfoFree);
    for (const PQconninfoOption* option = defaults.get(); option != nullptr && option->keyword != nullptr; ++option) {
        if (keyword == option->keyword) return true;
    }
    return false;
}

/// Where a URL's parameters begin, "?" included. What stands before an "@" that comes before any "/" is user and password.
std::size_t find_parameters(std::string_view url, std::size_t scheme) {
    const std::size_t mark = url.find_first_of("@/", scheme);
    const bool has_user = mark != std::string_view::npos && url[mark] == '@';
    return std::min(url.find('?', has_user ? mark : scheme), url.size());
}

/// One "name=value" of a URL, read once.
class UrlReader {
public:
    explicit UrlReader(std::string_view url, std::size_t parameters)
        // An "@" among the parameters smells of a password with a "?" or "/" in it; nothing of it may be shown.
        : secret_(url.find('@', parameters) != std::string_view::npos) {
        options_.conninfo = url.substr(0, parameters);
    }

    std::optional<Error> read(std::string_view parameter) {
        const std::size_t equals = parameter.find('=');
        const auto name = decoded(parameter.substr(0, equals));
        const auto value = equals == std::string_view::npos ? std::nullopt : decoded(parameter.substr(equals + 1));
        if (!name || !value) return wrong("a parameter of the URL is malformed: " + shown(std::string(parameter.substr(0, equals))), kForm);
        const Setter* setter = find(kUrlSetters, *name);
        if (setter == nullptr && !known_to_libpq(*name)) return wrong("the URL's parameter is unknown: " + shown(*name), kForm);
        if (std::find(seen_.begin(), seen_.end(), *name) != seen_.end())
            return wrong("the URL's parameter is given twice: " + shown(*name), "leave one");
        seen_.push_back(*name);
        if (setter != nullptr) {
            if (auto error = apply(*setter, options_, *value, shown(*value))) return error;
        }
        strict_ = strict_ || (*name == "sslaccept" && *value == "strict");
        if (setter == nullptr || *name == "connect_timeout") keep(parameter);
        return std::nullopt;
    }
    EndpointOptions take() {
        // Of two values libpq takes the last one.
        if (strict_) keep("sslmode=verify-full");
        return std::move(options_);
    }

private:
    static constexpr const char* kForm =
        "write name=value, special characters as %XX; howdah/options.hpp and libpq's manual list the names";

    void keep(std::string_view parameter) {
        options_.conninfo += std::exchange(separator_, '&');
        options_.conninfo += parameter;
    }
    std::string shown(const std::string& text) const { return secret_ ? "(not shown: the URL may hold a password there)" : text; }

    EndpointOptions options_;
    bool secret_;
    bool strict_ = false;
    char separator_ = '?';
    std::vector<std::string> seen_;
};

}  // namespace

Result<EndpointOptions> read_url(std::string_view conninfo) {
    std::size_t scheme = 0;
    for (const std::string_view known : {"postgresql://", "postgres://"}) scheme = conninfo.starts_with(known) ? known.size() : scheme;
    if (scheme == 0) {
        EndpointOptions options;
        options.conninfo = conninfo;
        return options;
    }
    const std::size_t start = find_parameters(conninfo, scheme);
    UrlReader reader(conninfo, start);
    std::string_view rest = conninfo.substr(std::min(start + 1, conninfo.size()));
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find('&'), rest.size());
        if (auto error = reader.read(rest.substr(0, end))) return std::move(*error);
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return reader.take();
}

Environment process_environment() {
    Environment environment;
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
        const std::string_view text(*entry);
        const std::size_t equals = text.find('=');
        if (equals != std::string_view::npos) environment.emplace_back(text.substr(0, equals), text.substr(equals + 1));
    }
    return environment;
}

Result<void> apply_environment(EndpointOptions& options, const Environment& environment) {
    for (const auto& [name, value] : environment) {
        if (const Setter* setter = find(kEnvironmentSetters, name)) {
            if (auto error = apply(*setter, options, value, value)) return std::move(*error);
        } else if (name.starts_with("DB_POOL_") || (name.starts_with("DB_") && name.ends_with("_TIMEOUT"))) {
            return wrong("the environment's setting is unknown: " + name,
                         "known are DB_POOL_MAX, DB_POOL_CONNECTION_TIMEOUT, DB_CONNECT_TIMEOUT, DB_QUERY_TIMEOUT and DB_IDLE_TIMEOUT");
        }
    }
    return {};
}

}  // namespace howdah::inline v0
