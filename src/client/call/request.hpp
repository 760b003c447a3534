#pragma once

#include <span>
#include <stop_token>

#include "client/session.hpp"

namespace howdah::inline v0 {

namespace testing {
class Faults;
}

/// Sends the steps on the caller's thread and waits for the answer until the deadline. `now` is a moment just read. A request given up in
/// the middle leaves the session busy. `faults` is null but in tests.
Result<Reply> request(Session& session, std::span<const Step> steps, Moment now, Moment deadline, const std::stop_token& stop,
                      testing::Faults* faults);
/// The rest of a request that is under way already.
Result<Reply> await(Session& session, Moment now, Moment deadline, const std::stop_token& stop);

}  // namespace howdah::inline v0
