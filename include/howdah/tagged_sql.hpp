#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

namespace howdah::inline v0 {

struct SqlTag {
    std::string_view key;
    std::string_view value;
};

/// The statement with its origin in a comment at its end, as sqlcommenter writes it: pg_stat_activity, the server's log and
/// auto_explain then tell which part of the service sent it.
///
///     static const howdah::Statement kFind{
///         howdah::tagged_sql("SELECT name FROM item WHERE id = $1", {{"controller", "item"}, {"action", "find"}})};
///
/// Sorted by key, percent-encoded. A text that holds a comment already, or what looks like one ("--", "/*"), and one without tags with
/// a key and a value, comes back as it is.
///
/// The tags are part of the text, and a prepared statement is its text: only what is fixed for the place in the source belongs here.
/// What differs from call to call, such as a trace's number, would have every session prepare anew at each call until the server's
/// memory is full; show it as `application_name` instead, inside a transaction with
/// `transaction.execute("SELECT set_config('application_name', $1, true)", trace)`, which ends with it.
std::string tagged_sql(std::string_view sql, std::initializer_list<SqlTag> tags);

}  // namespace howdah::inline v0
