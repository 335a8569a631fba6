// State codes of Indian registration marks and driving licences (Ministry of Road Transport, S.O. 443(E)), with those
// that were replaced and are still on the road: OR (now OD), UA (UK), TS (TG), DN (DD), CT (CG).
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace relygate::core {

constexpr std::array<std::string_view, 42> kIndianStates = {
    "AN", "AP", "AR", "AS", "BR", "CG", "CH", "CT", "DD", "DL", "DN", "GA", "GJ", "HP",
    "HR", "JH", "JK", "KA", "KL", "LA", "LD", "MH", "ML", "MN", "MP", "MZ", "NL", "OD",
    "OR", "PB", "PY", "RJ", "SK", "TG", "TN", "TR", "TS", "UA", "UK", "UP", "UT", "WB"};

constexpr bool is_indian_state(std::string_view code) {
    return std::find(kIndianStates.begin(), kIndianStates.end(), code) != kIndianStates.end();
}

} // namespace relygate::core
