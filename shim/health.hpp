// The three questions that orchestrators ask, in the operations guide's shapes. /live: does this process turn its loop;
// /ready: should it be sent requests; /health: how is it, for people and monitors. None of them touches a row: the
// keeper asks the database in the background, so a flood of them costs it nothing. Nothing tells a stranger about
// errors, versions of components or process numbers.
#pragma once

#include "shim/catalogue.hpp"
#include "shim/config.hpp"

#include <string>

namespace relygate::shim {

struct HealthAnswer {
    int status;
    std::string body;
};

HealthAnswer live_answer();
HealthAnswer ready_answer(bool is_ready);
HealthAnswer health_answer(const Config &config, const DatabaseState &database);

// `relygate-shim --health`, made for a container's HEALTHCHECK: asks /ready of the shim that this configuration
// describes. Exit status 0 or 1; what is wrong goes to standard error.
int probe(const Config &config);

} // namespace relygate::shim
