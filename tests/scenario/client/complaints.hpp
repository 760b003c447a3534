#pragma once

#include "scenario/client/ground.hpp"

namespace howdah::tests {

/// What users of other libraries complained about; docs/internals/client-complaints.md has them all.
class Complaints : public VictimTest {
protected:
    /// A breaker that one failure opens, for a moment.
    ClientOptions watchful(std::uint32_t connections) const {
        ClientOptions watchful = options(connections);
        watchful.breaker.sole_primary = false;
        watchful.breaker.consecutive_failures = 1;
        watchful.breaker.open_least = std::chrono::milliseconds(50);
        watchful.breaker.open_most = std::chrono::milliseconds(100);
        watchful.breaker.guard_share = 1;
        watchful.monitor.reset();
        return watchful;
    }
    /// A statement that fails as a server's failing disk does.
    static constexpr const char* kFail = "DO $$ BEGIN RAISE SQLSTATE '58030'; END $$";
};

}  // namespace howdah::tests
