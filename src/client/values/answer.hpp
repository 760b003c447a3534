#pragma once

#include <libpq-fe.h>

#include "howdah/rows.hpp"

namespace howdah::inline v0 {

/// The public name of libpq's result and the way back. libpq's inquiry functions take a non-const pointer where they change nothing.
inline PGresult* result_of(const Answer* answer) noexcept { return reinterpret_cast<PGresult*>(const_cast<Answer*>(answer)); }
/// Takes the result over; null gives an answer without rows.
inline Rows rows_of(PGresult* result) noexcept { return Rows(reinterpret_cast<Answer*>(result)); }

}  // namespace howdah::inline v0
