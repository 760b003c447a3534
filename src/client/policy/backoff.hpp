#pragma once

#include <optional>

#include "client/policy/random.hpp"
#include "howdah/retry.hpp"

namespace howdah::inline v0 {

/// The waits between the tries of one call or of one endpoint's dialling. Plain state of 24 bytes, used by one thread at a time.
class Backoff {
public:
    explicit Backoff(const BackoffOptions& options) : options_(options) {}

    /// The wait before the next try, counted up with each call. None when it would end at or after the deadline: stop trying.
    std::optional<Duration> next(Moment now, Moment deadline, Random& random);
    /// The same without a deadline.
    Duration next(Random& random);
    /// After a success: the next wait is a first one.
    void reset() { retries_ = 0; }
    unsigned retries() const { return retries_; }

private:
    BackoffOptions options_;
    unsigned retries_ = 0;
};

}  // namespace howdah::inline v0
