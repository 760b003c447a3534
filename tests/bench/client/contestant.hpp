#pragma once

#include <cstdint>
#include <memory>
#include <string>

/// One way of looking up a row by its key, again and again. A thread makes its own Caller; the contestant is shared.
class Caller {
public:
    virtual ~Caller() = default;
    /// The value beside the key; ends the program when anything fails.
    virtual std::int64_t look_up(std::int32_t key) = 0;
};

class Contestant {
public:
    virtual ~Contestant() = default;
    virtual std::unique_ptr<Caller> caller() = 0;
};

/// libpq and nothing else: each caller has a connection of its own with the statement prepared.
std::unique_ptr<Contestant> raw_libpq(const std::string& conninfo);
/// What a careful programmer writes by hand: a mutex, a stack of prepared connections and a condition variable.
std::unique_ptr<Contestant> bare_pool(const std::string& conninfo, unsigned connections);
/// libhowdah as it comes: breaker, budgets, monitor, deadline.
std::unique_ptr<Contestant> howdah_client(const std::string& conninfo, unsigned connections);
/// libpqxx as packaged: each caller a connection of its own, exec_prepared in a nontransaction.
std::unique_ptr<Contestant> pqxx_connection(const std::string& conninfo);
std::string pqxx_version();

/// Ends the program.
[[noreturn]] void give_up(const std::string& why);

inline constexpr const char* kLookUp = "SELECT value FROM bench_item WHERE id = $1";
inline constexpr std::int32_t kKeys = 100'000;
