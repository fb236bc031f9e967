/* socket_path: where the local service's Unix socket is: $SLIPWAY_SOCKET, then the data folder that
 * the configuration names. Owned by the caller. */
#pragma once

char *socket_path(void);
