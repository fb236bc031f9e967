# Compiler and linker flags that every target shares.
add_compile_definitions(_GNU_SOURCE SLIPWAY_VERSION="${PROJECT_VERSION}")
include_directories(${CMAKE_SOURCE_DIR})
# banned.h is seen by every C file, so that a forbidden function cannot slip in.
add_compile_options(
	"$<$<COMPILE_LANGUAGE:C>:-include;${CMAKE_SOURCE_DIR}/common/banned.h>"
	-Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wwrite-strings
	-Wformat=2 -Wformat-truncation=1 -Wundef -Wvla -Wno-missing-field-initializers
	-fstack-protector-strong -fno-strict-aliasing -fno-common
	"$<$<C_COMPILER_ID:Clang>:-Wno-unknown-warning-option;-Wno-format-nonliteral>" # gcc is the judge
	-UNDEBUG) # asserts stay on in every build
if(SLIPWAY_WERROR)
	add_compile_options(-Werror)
endif()
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
add_link_options(-Wl,-z,relro -Wl,-z,now -Wl,--as-needed)

if(SLIPWAY_SANITIZE)
	add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
	add_link_options(-fsanitize=address,undefined)
else()
	add_compile_options($<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=2>)
endif()
if(SLIPWAY_LIBFUZZER)
	add_compile_options(-fsanitize=fuzzer-no-link)
endif()
