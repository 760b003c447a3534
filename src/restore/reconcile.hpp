#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "restore/layout.hpp"

namespace howdah::restore {

struct Reconciled {
    std::uint64_t removed = 0;       ///< Files and links that the backup does not have, however they were removed.
    std::vector<std::string> notes;  ///< What a person should know, as sentences.
};

/// Removes pg_control durably, so that what follows can never be started half done (trap T13), and with it a dead server's postmaster.pid.
/// Returns its bytes.
std::string remove_control(const Destinations& destinations);

/// Makes the destinations hold nothing but what the layout has, of the right kind: removes every other file, folder and link, and
/// whatever another name shares (hard links), and tells the layout's files how many of their bytes are there. Never follows a link; what
/// lies behind one stays. Of a tablespace's folder the folders of other server versions stay, and lost+found everywhere at the top.
/// Contents of files are not looked at.
Reconciled reconcile(const Destinations& destinations, Layout& layout);

/// Makes the folders and links that are not there yet, with the right permissions.
void make_folders_and_links(const Layout& layout);

}  // namespace howdah::restore
