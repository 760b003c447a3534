#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace howdah::inline v0 {

/// What a name look-up gave: numeric addresses in the order to try them, or none and the reason.
struct Addresses {
    std::vector<std::string> list;
    std::string failure;
};

/// Turns a host name into addresses; may block for ever. Called on an expendable thread.
using Resolver = std::function<Addresses(const std::string& host)>;

/// getaddrinfo(3).
Addresses resolve_by_system(const std::string& host);

/// Whether the text is a numeric IPv4 or IPv6 address (with or without a scope); asks no name server.
bool is_numeric_address(const std::string& host);

/// One look-up under way on a thread of its own. Dropping it leaves the thread to end whenever the name server answers.
class Lookup {
public:
    Lookup(Resolver resolver, const std::string& host);

    /// Becomes readable once the answer is there.
    int descriptor() const;
    std::optional<Addresses> answer() const;

private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace howdah::inline v0
