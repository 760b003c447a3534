#include "client/policy/backoff.hpp"

namespace howdah::inline v0 {

Duration Backoff::next(Random& random) {
    Duration most = options_.base;
    for (unsigned n = 0; n < retries_ && most < options_.cap; ++n) most = most > options_.cap / 2 ? options_.cap : most * 2;
    ++retries_;
    return random.between(Duration::zero(), most);
}

std::optional<Duration> Backoff::next(Moment now, Moment deadline, Random& random) {
    const Duration wait = next(random);
    if (after(now, wait) >= deadline) return std::nullopt;
    return wait;
}

}  // namespace howdah::inline v0
