/* config-docs: prints docs/configuration.md. Part of the build, not of what is installed. */
#include "config/config.h"

int main(void)
{
	struct buf out = BUF_INIT;
	config_document(&out);
	fwrite(out.ptr, 1, out.len, stdout);
	buf_release(&out);
	return fflush(stdout) == 0 ? 0 : 1;
}
