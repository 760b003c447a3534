#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "support/protected_server.hpp"

namespace howdah::tests {

/// The names of all fault points in the files of src/ that begin with one of the prefixes, sorted. They are read from the source, so that a
/// new one is tested without being listed. The points of src/repository/gc.cpp are those of `repo gc` and of nobody else.
std::vector<std::string> fault_points(const std::vector<std::string>& prefixes);
std::vector<std::string> garbage_fault_points();

/// Prints the list of an operation's points, which is part of what is proven.
void print_points(const std::string& operation, const std::vector<std::string>& points);

/// Runs the program and lets it kill itself at the fault point. False when it came to its end without passing the point.
bool killed_at(ProtectedServer& protectee, const std::string& point, const std::vector<std::string>& words);

/// Moments at which one operation is killed, from HOWDAH_TEST_MOMENTS; 3 without it.
unsigned moment_count();

/// One operation, killed at moments spread evenly over a run of it.
struct Moments {
    std::string operation;                                ///< As people say it: "backup run".
    std::function<std::vector<std::string>()> prepare;    ///< Makes everything ready for one run and gives its words.
    std::function<void(const std::string& where)> judge;  ///< After each run, killed or not: the plain re-run and whether all is right.
};

/// Measures a run, then kills one with its process group in the middle of each of moment_count() equal parts of that time. A run that ended
/// before its moment is the new measure and the moment is tried again, so that every moment is a kill. Prints a line that begins with
/// "RESULT".
void kill_at_moments(ProtectedServer& protectee, const Moments& moments);

/// Waits until the condition holds; a failure of the test that names `what` after a minute.
void wait_until(const std::string& what, const std::function<bool()>& holds);

}  // namespace howdah::tests
