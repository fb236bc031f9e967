# The engines, and the program that their probe runs in an image of its own: static, without the
# flags of everything else (a sanitizer needs a C library), and kept as bytes.
set(probe_flags -Os -static -fno-stack-protector -fno-pic -no-pie -Wl,--build-id=none
	-Wl,-z,noseparate-code -Wl,-z,noexecstack -s)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|aarch64|riscv64)$")
	list(APPEND probe_flags -nostdlib -nostartfiles -ffreestanding)
endif()
set(probe_program ${CMAKE_CURRENT_BINARY_DIR}/probe_program)
add_custom_command(
	OUTPUT ${probe_program}
	COMMAND ${CMAKE_C_COMPILER} ${probe_flags} -o ${probe_program}
		${CMAKE_CURRENT_SOURCE_DIR}/probe_program.c
	DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/probe_program.c)
set_source_files_properties(probe_program.S PROPERTIES
	COMPILE_DEFINITIONS "PROBE_PROGRAM=\"${probe_program}\""
	OBJECT_DEPENDS ${probe_program})

target_sources(slipway_exec PRIVATE
	buildah.c
	buildah_build.c
	buildah_cgroups.c
	buildah_config.c
	buildah_errors.c
	buildah_push.c
	buildah_sweep.c
	dockerfile.c
	engine.c
	network.c
	network_routes.c
	probe.c
	probe_lines.c
	probe_program.S
	probe_try.c)
