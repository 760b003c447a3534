#include "client/call/resolve_commit.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <thread>

namespace howdah::inline v0 {

namespace {

using std::chrono::steady_clock;

/// Between two questions while the answer may still change.
constexpr Duration kAskAgain = std::chrono::milliseconds(10);

}  // namespace

Outcome resolve_commit(ClientState& state, const TransactionState& transaction, const Identity& server, Moment deadline) {
    if (!transaction.noted()) return Outcome::unknown;
    // Nothing was written, so nothing can last.
    if (transaction.transaction().empty()) return Outcome::failed;
    if (server.system_identifier.empty() || server.timeline.empty()) return Outcome::unknown;
    deadline = std::min(deadline, after(steady_clock::now(), state.options.endpoint.borrow_time));
    while (steady_clock::now() < deadline) {
        const auto inquiry = std::make_shared<Inquiry>(transaction.transaction());
        state.keeper.ask(inquiry);
        const Inquiry::Told told = inquiry->await(deadline);
        if (told.answer == Inquiry::Answer::yes) {
            const bool same = told.by.system_identifier == server.system_identifier && told.by.timeline == server.timeline;
            if (!same) return Outcome::unknown;
            if (told.status == "aborted") return Outcome::failed;
            if (told.status == "committed")
                return told.incarnation == transaction.monitor_then() && told.incarnation != 0 ? Outcome::succeeded : Outcome::unknown;
            if (told.status != "in progress") return Outcome::unknown;
        }
        const auto left = deadline - steady_clock::now();
        if (left > Duration::zero()) std::this_thread::sleep_for(std::min(kAskAgain, left));
    }
    return Outcome::unknown;
}

}  // namespace howdah::inline v0
