#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "client/session.hpp"
#include "howdah/moment.hpp"

namespace howdah::inline v0 {

/// The backend that an inquiry is about: by its name or, where nobody could learn that, by the traces of its login.
struct Target {
    Target() = default;
    Target(Identity name) : identity(std::move(name)) {}
    Target(Trace login) : trace(std::move(login)) {}
    bool named() const noexcept { return !identity.backend_start.empty(); }
    /// Whether the server can be asked about it.
    bool known() const noexcept { return named() || trace.leads_somewhere(); }

    Identity identity;
    Trace trace;
};

/// A question that the monitor's session puts to the server, from any thread. Shared by who asks and who answers; either may let go first.
class Inquiry {
public:
    enum class About : std::uint8_t {
        cancel,       ///< Cancel what the backend runs now. Yes: the signal was sent.
        terminate,    ///< End the backend. Yes: the signal was sent.
        end_idle,     ///< The same if it does nothing but wait for its client. Named ones only, as the next.
        is_idle,      ///< Whether it does nothing but wait for its client.
        is_gone,      ///< Whether the backend has ended; of one without a name: whether none is there that fits its traces.
        transaction,  ///< What became of the transaction: `status` is pg_xact_status's word, empty for one too old to know.
    };
    enum class Answer : std::uint8_t { waiting, yes, no, lost };  ///< `lost`: nobody knows.
    struct Told {
        Answer answer = Answer::waiting;
        std::string status;
        Identity by;                    ///< Who told it: the monitor's session.
        std::uint64_t incarnation = 0;  ///< That session's number.
    };

    Inquiry(About about, Target backend) : about_(about), backend_(std::move(backend)) {}
    explicit Inquiry(std::string transaction) : about_(About::transaction), transaction_(std::move(transaction)) {}

    About about() const noexcept { return about_; }
    const Target& backend() const noexcept { return backend_; }
    const std::string& transaction() const noexcept { return transaction_; }

    /// Once; later ones are ignored.
    void give(Told told) {
        const std::scoped_lock lock(mutex_);
        if (told_.answer != Answer::waiting) return;
        told_ = std::move(told);
        given_.notify_all();
    }
    Told told() const {
        const std::scoped_lock lock(mutex_);
        return told_;
    }
    /// `waiting` when the deadline came first.
    Told await(Moment deadline) const {
        std::unique_lock lock(mutex_);
        const auto given = [this] { return told_.answer != Answer::waiting; };
        if (deadline == kNever) {
            given_.wait(lock, given);
        } else {
            given_.wait_until(lock, deadline, given);
        }
        return told_;
    }

private:
    const About about_;
    const Target backend_;
    const std::string transaction_;
    mutable std::mutex mutex_;
    mutable std::condition_variable given_;
    Told told_;
};

}  // namespace howdah::inline v0
