/* The probe's program (probe_program.c), as bytes: probe_program up to probe_program_end. */
	.section .rodata
	.global probe_program, probe_program_end
	.balign 16
probe_program:
	.incbin PROBE_PROGRAM
probe_program_end:
	.section .note.GNU-stack, "", %progbits
