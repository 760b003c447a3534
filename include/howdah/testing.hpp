#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

#include "howdah/error.hpp"
#include "howdah/moment.hpp"

/// For a service's own tests: faults where they happen in life, on a client's real sessions with a real server.
namespace howdah::inline v0::testing {

/// One thing that goes wrong.
struct Fault {
    enum class At : std::uint8_t {
        statement,  ///< What execute() of a client, a lease or a transaction sends; BEGIN and savepoints travel with it.
        commit,     ///< The COMMIT with which run() ends a transaction that sent something.
    };
    enum class Kind : std::uint8_t {
        cut_before_sending,  ///< The link is cut, then the request is written into it: the server never sees it.
        lose_answer,         ///< The server has done it; its answer is thrown away and the link cut.
        delay_answer,        ///< The answer is not looked at for so long. The call's deadline holds meanwhile.
        refuse,              ///< The server is made to refuse with the code, in place of what was to be sent. The session stays.
    };
    At at = At::statement;
    Kind kind = Kind::cut_before_sending;
    unsigned skip = 0;   ///< So many of them go well first.
    unsigned times = 1;  ///< Then it happens to so many.
    Duration delay{};    ///< Of `delay_answer`.
    SqlState code{};     ///< Of `refuse`, digits and capital letters; needs plpgsql, which every database has unless it was dropped.
};

/// What is to go wrong with a client: ClientOptions::faults. Thread-safe; may be changed while the client runs.
class Faults {
public:
    /// Of several for the same place the first that is not used up counts down and happens.
    void add(const Fault& fault);
    /// The pool's next dials fail with that error before anything is sent; the monitor's own session is dialled as ever.
    void fail_dials(unsigned times, Error error);
    /// Nothing more goes wrong.
    void clear();
    /// How many did, dials included.
    unsigned happened() const;

    // The library's side.

    std::optional<Fault> next(Fault::At at);
    std::optional<Error> next_dial();

private:
    mutable std::mutex mutex_;
    std::vector<Fault> faults_;
    unsigned dial_failures_ = 0;
    std::optional<Error> dial_error_;
    unsigned happened_ = 0;
};

}  // namespace howdah::inline v0::testing
