#pragma once

#include <memory>

#include "howdah/moment.hpp"
#include "howdah/parameters.hpp"
#include "howdah/result.hpp"
#include "howdah/rows.hpp"
#include "howdah/statement.hpp"

struct pg_conn;

namespace howdah::inline v0 {

class LeaseState;

/// A session of the pool for as long as this object lives: for what must happen on one session outside a transaction (advisory locks,
/// LISTEN, temporary tables). What it leaves behind is reset before the next user gets the session. Used by one thread at a time, and gone
/// before its client is.
class Lease {
public:
    explicit Lease(std::unique_ptr<LeaseState> state) noexcept;
    Lease(Lease&& other) noexcept;
    Lease& operator=(Lease&& other) noexcept;
    /// Gives the session back.
    ~Lease();

    template <typename... Values>
    Result<Rows> execute(Query query, const Values&... values) {
        const Parameters parameters(values...);
        return execute_list(query, parameters);
    }
    /// By the lease's deadline; once that has passed, or the link broke, every further one fails.
    Result<Rows> execute_list(Query query, const ParameterList& parameters);
    /// The session's state was changed through native_handle().
    void mark_dirty() noexcept;
    /// libpq's connection, still owned here; null once it is gone. Whatever is done with it: mark_dirty() and leave it idle.
    pg_conn* native_handle() noexcept;

private:
    std::unique_ptr<LeaseState> state_;
};

}  // namespace howdah::inline v0
