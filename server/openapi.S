/* The API's description, as it stands in docs/openapi.json. */
	.section .rodata
	.globl openapi_begin, openapi_end
openapi_begin:
	.incbin "docs/openapi.json"
openapi_end:
	.byte 0
	.section .note.GNU-stack,"",%progbits
