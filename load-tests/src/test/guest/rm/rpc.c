/* Packets through the two message queues; waits with WFI for the interrupt of the receiving one. */
#include "client.h"

#define GICD 0x08000000UL
#define GICR 0x080a0000UL
#define GICD_ENABLE 0x12 /* ARE, group 1 */
#define MSGQUEUE_SEND 0x1b
#define MSGQUEUE_RECEIVE 0x1c
#define PUSH 1
#define EMPTY 60

static struct manager link;
static u8 buffer[240] __attribute__((aligned(16)));

/* A line of the distributor, extended ones in their own registers. */
static void enable(u32 intid)
{
    u32 n = intid >= 4096 ? intid - 4096 : intid;
    u64 groups = intid >= 4096 ? 0x1000 : 0x80;
    u64 enables = intid >= 4096 ? 0x1200 : 0x100;
    u64 priorities = intid >= 4096 ? 0x2000 : 0x400;
    u64 configs = intid >= 4096 ? 0x3000 : 0xc00;
    u64 routes = intid >= 4096 ? 0x8000 : 0x6000;
    write32(GICD + groups + n / 32 * 4, 1u << n % 32);
    *(volatile u8 *) (GICD + priorities + n) = 0x80;
    write32(GICD + configs + n / 16 * 4, 2u << 2 * (n % 16));
    *(volatile u64 *) (GICD + routes + 8UL * n) = 0;
    write32(GICD + enables + n / 32 * 4, 1u << n % 32);
}

void connect(const struct manager *manager)
{
    link = *manager;
    write32(GICR + 0x14, 0);
    write32(GICD, GICD_ENABLE);
    enable(link.rx_intid);
    __asm__ volatile("msr s3_0_c12_c12_5, %0\n\tisb" :: "r"(7UL));      /* ICC_SRE_EL1 */
    __asm__ volatile("msr s3_0_c4_c6_0, %0" :: "r"(0xf0UL));            /* ICC_PMR_EL1 */
    __asm__ volatile("msr s3_0_c12_c12_7, %0\n\tisb" :: "r"(1UL));      /* ICC_IGRPEN1_EL1 */
}

void acknowledge_interrupt(void)
{
    u64 intid;
    __asm__ volatile("mrs %0, s3_0_c12_c12_0" : "=r"(intid) :: "memory"); /* ICC_IAR1_EL1 */
    if (intid < 1020 || intid >= 4096) {
        check(intid == link.rx_intid, "a foreign interrupt", intid);
        __asm__ volatile("msr s3_0_c12_c12_1, %0\n\tisb" :: "r"(intid) : "memory");
    }
}

void send_packet(const u8 *bytes, u32 size)
{
    u64 x[8] = {link.tx, size, (u64) bytes, PUSH};
    hypercall(MSGQUEUE_SEND, x);
    check(x[0] == 0, "msgqueue_send", x[0]);
}

static int received(struct packet *packet)
{
    u64 x[8] = {link.rx, (u64) buffer, sizeof buffer};
    hypercall(MSGQUEUE_RECEIVE, x);
    if (x[0] == EMPTY) {
        return 0;
    }
    check(x[0] == 0, "msgqueue_receive", x[0]);
    packet->size = (u32) x[1];
    for (u32 i = 0; i < packet->size; i++) {
        packet->bytes[i] = buffer[i];
    }
    return 1;
}

void receive_packet(struct packet *packet)
{
    while (!received(packet)) {
        /* Interrupts stay masked: one that is pending ends WFI all the same. */
        __asm__ volatile("wfi" ::: "memory");
        acknowledge_interrupt();
    }
}

static void dump(const char *what, const struct packet *packet)
{
    say(what);
    say(": received");
    for (u32 i = 0; i < packet->size; i++) {
        say(" ");
        say_number(packet->bytes[i]);
    }
    say("\n");
}

void expect_packet(const char *what, const unsigned short *bytes, u32 size, struct packet *packet)
{
    receive_packet(packet);
    if (packet->size != size) {
        dump(what, packet);
        fail("length", packet->size);
    }
    for (u32 i = 0; i < size; i++) {
        if (bytes[i] != HOLE && bytes[i] != packet->bytes[i]) {
            dump(what, packet);
            fail("wrong byte at", i);
        }
    }
}

void expect_silence(void)
{
    struct packet packet;
    if (received(&packet)) {
        dump("unexpected", &packet);
        fail("length", packet.size);
    }
}
