#pragma once

#include <stop_token>

#include "client/call/step_list.hpp"
#include "client/session.hpp"

namespace howdah::inline v0 {

namespace testing {
class Faults;
}

/// Sends the steps on the caller's thread and waits for the answer until the deadline. `now` is a moment just read. A request given up in
/// the middle leaves the session busy. `faults` is null but in tests.
Result<Reply> request(Session& session, const StepList& list, Moment now, Moment deadline, const std::stop_token& stop,
                      testing::Faults* faults);

}  // namespace howdah::inline v0
