// See member_name.hpp.
#include "core/route/member_name.hpp"

namespace relygate::core {

std::string_view member_path(std::string_view sql_name, Memory memory) {
    if (sql_name.find('_') == std::string_view::npos)
        return sql_name;
    char *path = static_cast<char *>(memory.allocate(sql_name.size(), 1));
    std::size_t size = 0;
    bool is_upper = false;
    for (std::size_t i = 0; i < sql_name.size(); ++i) {
        char c = sql_name[i];
        if (c == '_') {
            const bool is_level = i + 1 < sql_name.size() && sql_name[i + 1] == '_';
            if (is_level) {
                path[size++] = '.';
                ++i;
            }
            is_upper = !is_level;
            continue;
        }
        if (is_upper && c >= 'a' && c <= 'z')
            c = static_cast<char>(c - 'a' + 'A');
        is_upper = false;
        path[size++] = c;
    }
    return {path, size};
}

} // namespace relygate::core
