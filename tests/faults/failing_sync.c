/* Preloaded into PostgreSQL: once per order, a sync of the write-ahead log fails as a broken disk makes it fail.
 *
 * The order is a file, named by ESCROW_TEST_ORDER; whoever removes it fails, so one order is one failure. The pause
 * before it is the time in which a server that does not wait for its disk would go on acknowledging.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int fails(int file)
{
    const char *order = getenv("ESCROW_TEST_ORDER");
    char link[64], path[1024];
    ssize_t length;

    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    length = readlink(link, path, sizeof path - 1);
    if (order == NULL || length < 0)
        return 0;
    path[length] = '\0';
    if (strstr(path, "/pg_wal/") == NULL || unlink(order) != 0)
        return 0;
    usleep(100000);
    errno = EIO;
    return 1;
}

int fsync(int file)
{
    return fails(file) ? -1 : ((int (*)(int))dlsym(RTLD_NEXT, "fsync"))(file);
}

int fdatasync(int file)
{
    return fails(file) ? -1 : ((int (*)(int))dlsym(RTLD_NEXT, "fdatasync"))(file);
}
