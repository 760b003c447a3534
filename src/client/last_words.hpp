#pragma once

#include <optional>
#include <string>

#include "howdah/error.hpp"

struct pg_conn;

namespace howdah::inline v0 {

/// The first failure that the server told before a link ended (a shutdown, a kill): it lies in libpq's buffer and says more than the end
/// of the stream does. None when nothing lies there. To be asked once the link is seen to have ended, of a request alone or of a
/// pipeline; takes all answers out, so the connection is good for nothing but closing.
std::optional<Error> last_words(pg_conn* handle, const std::string& endpoint);

}  // namespace howdah::inline v0
