/*
 * A program for Linux guests: connects a vsock (vsock connect CID PORT) or waits for one connection (vsock listen PORT),
 * sends its standard input, ends its direction, and writes what the other side sends to its standard output. System calls
 * only, no C library.
 */
#include <stddef.h>

enum { READ = 63, WRITE = 64, EXIT = 93, SOCKET = 198, BIND = 200, LISTEN = 201, ACCEPT = 202, CONNECT = 203,
       SHUTDOWN = 210 };
enum { AF_VSOCK = 40, SOCK_STREAM = 1, SHUT_WR = 1 };
#define CID_ANY 0xffffffffu

struct sockaddr_vm {
    unsigned short family, reserved;
    unsigned int port, cid;
    unsigned char flags, zero[3];
};

static long call(long number, long a, long b, long c)
{
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    __asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
    return x0;
}

static void check(long result, const char *what)
{
    size_t length = 0;
    if (result >= 0)
        return;
    while (what[length])
        length++;
    call(WRITE, 2, (long)"vsock: ", 7);
    call(WRITE, 2, (long)what, (long)length);
    call(WRITE, 2, (long)" failed\n", 8);
    call(EXIT, 1, 0, 0);
}

static unsigned int number(const char *text)
{
    unsigned int value = 0;
    for (; *text; text++)
        value = value * 10 + (unsigned int)(*text - '0');
    return value;
}

static void copy(long from, long to)
{
    static char buffer[65536];
    long count;
    while ((count = call(READ, from, (long)buffer, sizeof buffer)) > 0) {
        for (long done = 0, wrote; done < count; done += wrote) {
            wrote = call(WRITE, to, (long)buffer + done, count - done);
            check(wrote, "write");
        }
    }
    check(count, "read");
}

__attribute__((used)) static void run(long *stack)
{
    char **argv = (char **)(stack + 1);
    struct sockaddr_vm address = { .family = AF_VSOCK };
    long fd = call(SOCKET, AF_VSOCK, SOCK_STREAM, 0);
    check(fd, "socket");
    if (stack[0] == 4) {
        address.cid = number(argv[2]);
        address.port = number(argv[3]);
        check(call(CONNECT, fd, (long)&address, sizeof address), "connect");
    } else if (stack[0] == 3) {
        address.cid = CID_ANY;
        address.port = number(argv[2]);
        check(call(BIND, fd, (long)&address, sizeof address), "bind");
        check(call(LISTEN, fd, 1, 0), "listen");
        call(WRITE, 2, (long)"vsock: listening\n", 17);
        fd = call(ACCEPT, fd, 0, 0);
        check(fd, "accept");
    } else {
        check(-1, "usage: connect CID PORT, or listen PORT:");
    }
    copy(0, fd);
    check(call(SHUTDOWN, fd, SHUT_WR, 0), "shutdown");
    copy(fd, 1);
    call(EXIT, 0, 0, 0);
}

__asm__(".globl _start\n_start: mov x0, sp\n bl run\n");
