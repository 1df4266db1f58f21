/*
 * The life of two VMs as their owner sees it, byte by byte. All packets are written out as in the protocol: 0x21, type
 * and count of continuation packets, sequence, message id; a reply's payload begins with its error word. The Resource
 * Manager's notifications have a sequence of their own, from 0.
 */
#include "client.h"

#define PARCEL 0x42100000UL     /* 16 KiB: the tree of the first VM */
#define PROGRAM 0x42110000UL    /* a page: its program */
#define PIECES 0x42300000UL     /* 14 single pages, every other one */
#define IMAGE 0x42400000UL      /* 64 KiB: the second VM */
#define BUFFER 0x42420000UL     /* a page it shares with us */
#define GUEST 0x80000000UL      /* where a VM has its image */

#define ADDRSPACE_MAP 0x2b
#define ADDRSPACE_UNMAP 0x2c
#define MEMEXTENT_DONATE 0x61
#define VCPU_RUN 0x65
#define TO_PROTECTED 3
#define FROM_PROTECTED 4
#define PARTIAL_PRIVATE 3
#define ACCESS_RWX 0xf0077
#define POWERED_OFF 2

#define SEND(...) ({ static const u8 bytes_[] = {__VA_ARGS__}; send_packet(bytes_, sizeof bytes_); })
#define EXPECT(what, ...) ({ static const unsigned short bytes_[] = {__VA_ARGS__}; \
    expect_packet(what, bytes_, sizeof bytes_ / 2, &last); say(what); say("\n"); })
#define WORD(word) (word) & 0xff, (word) >> 8 & 0xff, (word) >> 16 & 0xff, (word) >> 24
#define OK WORD(0)
#define CAP HOLE, HOLE, HOLE, HOLE, HOLE, HOLE, HOLE, HOLE

extern const u8 proxy_program[], proxy_program_end[], scheduled_program[], scheduled_program_end[];
extern const u8 proxy_tree[], proxy_tree_end[], scheduled_tree[], scheduled_tree_end[];

static struct packet last;

static void copy(u64 to, const u8 *from, const u8 *end)
{
    while (from < end) {
        *(volatile u8 *) to++ = *from++;
    }
}

static u64 cap_at(const struct packet *packet, u32 offset)
{
    u64 cap = 0;
    for (int i = 7; i >= 0; i--) {
        cap = cap << 8 | packet->bytes[offset + (u32) i];
    }
    return cap;
}

static void call(const char *what, u64 number, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f, u64 g)
{
    u64 x[8] = {a, b, c, d, e, f, g};
    hypercall(number, x);
    check(x[0] == 0, what, x[0]);
}

static void reachable(const char *what, u64 address, u32 expected)
{
    check(can_read(address) == expected, what, address);
}

struct resources { u64 vcpu, addrspace, guest_private, host_private; };

static void prepare_proxy(struct resources *caps)
{
    copy(PARCEL, proxy_tree, proxy_tree_end);
    copy(PROGRAM, proxy_program, proxy_program_end);

    SEND(0x21, 0x01, 1, 0, WORD(0x56000001), 0, 0, 0, 0);
    EXPECT("ALLOC_VMID", 0x21, 0x02, 1, 0, WORD(0x56000001), OK, 0x80, 0, 0, 0);

    SEND(0x21, 0x01, 2, 0, WORD(0x51000012), 0, 0, 0, 0, WORD(0), 1, 0, 0, 0, 0x80, 0, 7, 0,
        1, 0, 0, 0, WORD(PARCEL), WORD(0), WORD(0x4000), WORD(0), 0, 0, 0, 0);
    EXPECT("LEND", 0x21, 0x02, 2, 0, WORD(0x51000012), OK, WORD(0));
    reachable("lent", PARCEL, 0);

    SEND(0x21, 0x01, 3, 0, WORD(0x56000009), 0x80, 0, 0, 0, WORD(0), WORD(0), WORD(0), WORD(0), WORD(0),
        WORD(0), WORD(0), WORD(0x4000), WORD(0));
    EXPECT("VM_STATUS INIT", 0x21, 0x03, 0, 0, WORD(0x56100008), 0x80, 0, 0, 0, 1, 0, 0, 0);
    EXPECT("CONFIG_IMAGE", 0x21, 0x02, 3, 0, WORD(0x56000009), OK);

    SEND(0x21, 0x01, 4, 0, WORD(0x56000033), 0x80, 0, 0, 0, WORD(1), WORD(GUEST), WORD(0), WORD(0x10000000), WORD(0));
    EXPECT("SET_DEMAND_PAGING", 0x21, 0x02, 4, 0, WORD(0x56000033), OK);

    SEND(0x21, 0x01, 5, 0, WORD(0x56000034), 0x80, 0, 0, 0, WORD(0), WORD(GUEST), WORD(0), WORD(0x4000), WORD(0));
    EXPECT("SET_ADDRESS_LAYOUT", 0x21, 0x02, 5, 0, WORD(0x56000034), OK);

    SEND(0x21, 0x01, 6, 0, WORD(0x5600000b), 0x80, 0, 0, 0);
    EXPECT("VM_STATUS READY", 0x21, 0x03, 1, 0, WORD(0x56100008), 0x80, 0, 0, 0, 2, 0, 0, 0);
    EXPECT("INIT", 0x21, 0x02, 6, 0, WORD(0x5600000b), OK);

    SEND(0x21, 0x01, 7, 0, WORD(0x56000031), 0x80, 0, 1, 0, WORD(0), WORD(GUEST + 0x100000), WORD(0));
    EXPECT("SET_BOOT_CONTEXT", 0x21, 0x02, 7, 0, WORD(0x56000031), OK);

    /* Seven entries of 44 bytes are 316 with count and error: two packets. The cut is inside the sixth entry. */
    SEND(0x21, 0x01, 8, 0, WORD(0x56000020), 0x80, 0, 0, 0);
    EXPECT("GET_HYP_RESOURCES", 0x21, 0x06, 8, 0, WORD(0x56000020), OK, WORD(7),
        0, 0, 0x80, 0, WORD(0), WORD(7), CAP, WORD(0), WORD(0), WORD(0), WORD(0), WORD(0), WORD(0),
        4, 0, 0, 0, WORD(0), WORD(0), CAP, WORD(0), HOLE, HOLE, 0, 0, WORD(0), WORD(0), WORD(0), WORD(0),
        10, 0, 0x80, 0, WORD(0), WORD(0), CAP, WORD(0), WORD(0), WORD(0), WORD(0), WORD(0), WORD(0),
        9, 0, 0x80, 0, WORD(0), WORD(0), CAP, WORD(0), WORD(0), WORD(0), WORD(0), WORD(0), WORD(0),
        9, 0, 0x80, 0, WORD(0), WORD(1), CAP, WORD(0), WORD(0), WORD(0), WORD(0), WORD(0), WORD(0),
        9, 0, 0x80, 0);
    caps->vcpu = cap_at(&last, 16 + 44 + 12);
    caps->addrspace = cap_at(&last, 16 + 2 * 44 + 12);
    caps->guest_private = cap_at(&last, 16 + 3 * 44 + 12);
    check(last.bytes[16 + 44 + 24] || last.bytes[16 + 44 + 25], "a vCPU without wake-up interrupt", 0);
    EXPECT("its rest", 0x21, 0x04, 8, 0, WORD(0x56000020),
        WORD(0), WORD(2), CAP, WORD(0), WORD(0), WORD(0), WORD(0), WORD(0), WORD(0),
        9, 0, 0x80, 0, WORD(0), WORD(3), CAP, WORD(0), WORD(0), WORD(0), WORD(0), WORD(0), WORD(0));
    caps->host_private = cap_at(&last, 8 + 8);
}

static void run_proxy(const struct resources *caps)
{
    SEND(0x21, 0x01, 9, 0, WORD(0x56000004), 0x80, 0, 0, 0);
    EXPECT("VM_STATUS RUNNING", 0x21, 0x03, 2, 0, WORD(0x56100008), 0x80, 0, 0, 0, 3, 0, 0, 0);
    EXPECT("START", 0x21, 0x02, 9, 0, WORD(0x56000004), OK);

    call("donate to guest", MEMEXTENT_DONATE, TO_PROTECTED, caps->host_private, caps->guest_private, PROGRAM, PAGE, 0,
        0);
    call("map", ADDRSPACE_MAP, caps->addrspace, caps->guest_private, GUEST + 0x100000, ACCESS_RWX, PARTIAL_PRIVATE,
        PROGRAM, PAGE);
    reachable("the guest's", PROGRAM, 0);
    u64 x[8];
    do {
        /* With an interrupt pending a vCPU does not lend its CPU. */
        acknowledge_interrupt();
        x[0] = caps->vcpu;
        x[1] = x[2] = x[3] = x[4] = x[5] = x[6] = 0;
        hypercall(VCPU_RUN, x);
        check(x[0] == 0, "vcpu_run", x[0]);
        check(x[1] == 0 || x[1] == POWERED_OFF, "state of the vCPU", x[1]);
    } while (x[1] != POWERED_OFF);
    EXPECT("VM_STATUS EXITED", 0x21, 0x03, 3, 0, WORD(0x56100008), 0x80, 0, 0, 0, 9, 0, 0, 0);
    EXPECT("VM_EXITED, powered off", 0x21, 0x03, 4, 0, WORD(0x56100001), 0x80, 0, 1, 0, WORD(4), WORD(0));
}

static void take_back(const struct resources *caps, u64 ipa, u64 page)
{
    call("unmap", ADDRSPACE_UNMAP, caps->addrspace, caps->guest_private, ipa, PARTIAL_PRIVATE, page, PAGE, 0);
    call("donate back", MEMEXTENT_DONATE, FROM_PROTECTED, caps->guest_private, caps->host_private, page, PAGE, 0, 0);
    reachable("taken back", page, 1);
}

static void end_proxy(const struct resources *caps)
{
    for (u64 at = 0; at < 0x4000; at += PAGE) {
        take_back(caps, GUEST + at, PARCEL + at);
    }
    take_back(caps, GUEST + 0x100000, PROGRAM);
    for (u64 at = 0; at < PAGE; at += 8) {
        check(read64(PROGRAM + at) == 0, "a page of a guest is not zero", at);
    }
    SEND(0x21, 0x01, 10, 0, WORD(0x56000006), 0x80, 0, 0, 0);
    EXPECT("VM_STATUS RESETTING", 0x21, 0x03, 5, 0, WORD(0x56100008), 0x80, 0, 0, 0, 10, 0, 0, 0);
    EXPECT("RESET", 0x21, 0x02, 10, 0, WORD(0x56000006), OK);
    EXPECT("VM_STATUS RESET", 0x21, 0x03, 6, 0, WORD(0x56100008), 0x80, 0, 0, 0, 11, 0, 0, 0);
    u64 x[8] = {caps->vcpu};
    hypercall(VCPU_RUN, x);
    check(x[0] != 0, "the vCPU outlived its VM", x[0]);

    SEND(0x21, 0x01, 11, 0, WORD(0x56000002), 0x80, 0, 0, 0);
    EXPECT("DEALLOC_VMID", 0x21, 0x02, 11, 0, WORD(0x56000002), OK);
    SEND(0x21, 0x01, 12, 0, WORD(0x56000002), 0x80, 0, 0, 0);
    EXPECT("DEALLOC_VMID again: VMID_INVALID", 0x21, 0x02, 12, 0, WORD(0x56000002), WORD(0xd));
}

#define PIECE(n) WORD(PIECES + 0x2000 * (n)), WORD(0), WORD(0x1000), WORD(0)

/* A request of two packets, and the same memory back. */
static void lend_pieces(void)
{
    SEND(0x21, 0x01, 14, 0, WORD(0x56000001), 0, 0, 0, 0);
    EXPECT("ALLOC_VMID gives the smallest", 0x21, 0x02, 14, 0, WORD(0x56000001), OK, 0x80, 0, 0, 0);

    SEND(0x21, 0x05, 15, 0, WORD(0x51000012), 0, 0, 0, 0, WORD(9), 1, 0, 0, 0, 0x80, 0, 6, 0, 14, 0, 0, 0,
        PIECE(0), PIECE(1), PIECE(2), PIECE(3), PIECE(4), PIECE(5), PIECE(6), PIECE(7), PIECE(8), PIECE(9), PIECE(10),
        PIECE(11), PIECE(12), WORD(PIECES + 0x2000 * 13));
    expect_silence();
    SEND(0x21, 0x04, 15, 0, WORD(0x51000012), WORD(0), WORD(0x1000), WORD(0), 0, 0, 0, 0);
    EXPECT("LEND of 14 pieces", 0x21, 0x02, 15, 0, WORD(0x51000012), OK, WORD(1));
    for (u64 n = 0; n < 14; n++) {
        reachable("a lent piece", PIECES + 0x2000 * n, 0);
        reachable("between lent pieces", PIECES + 0x2000 * n + 0x1000, 1);
    }
    SEND(0x21, 0x01, 16, 0, WORD(0x51000015), WORD(1), 0, 0, 0, 0);
    EXPECT("RECLAIM", 0x21, 0x02, 16, 0, WORD(0x51000015), OK);
    for (u64 n = 0; n < 14; n++) {
        reachable("a reclaimed piece", PIECES + 0x2000 * n, 1);
    }
    SEND(0x21, 0x01, 17, 0, WORD(0x51000015), WORD(1), 0, 0, 0, 0);
    EXPECT("RECLAIM again: HANDLE_INVALID", 0x21, 0x02, 17, 0, WORD(0x51000015), WORD(7));
}

static void start_scheduled(void)
{
    copy(IMAGE, scheduled_program, scheduled_program_end);
    copy(IMAGE + 0x8000, scheduled_tree, scheduled_tree_end);
    write32(BUFFER, 0x1000);

    SEND(0x21, 0x01, 18, 0, WORD(0x51000012), 0, 0, 0, 0, WORD(0), 1, 0, 0, 0, 0x80, 0, 7, 0,
        1, 0, 0, 0, WORD(IMAGE), WORD(0), WORD(0x10000), WORD(0), 0, 0, 0, 0);
    EXPECT("LEND of the image", 0x21, 0x02, 18, 0, WORD(0x51000012), OK, WORD(2));
    SEND(0x21, 0x01, 19, 0, WORD(0x51000013), 0, 0, 0, 0, WORD(5), 2, 0, 0, 0, 3, 0, 6, 0, 0x80, 0, 6, 0,
        1, 0, 0, 0, WORD(BUFFER), WORD(0), WORD(0x1000), WORD(0), 0, 0, 0, 0);
    EXPECT("SHARE", 0x21, 0x02, 19, 0, WORD(0x51000013), OK, WORD(3));
    reachable("shared", BUFFER, 1);

    SEND(0x21, 0x01, 20, 0, WORD(0x56000009), 0x80, 0, 0, 0, WORD(2), WORD(0), WORD(0), WORD(0x8000), WORD(0),
        WORD(0x8000), WORD(0), WORD(0x8000), WORD(0));
    EXPECT("VM_STATUS INIT", 0x21, 0x03, 7, 0, WORD(0x56100008), 0x80, 0, 0, 0, 1, 0, 0, 0);
    EXPECT("CONFIG_IMAGE", 0x21, 0x02, 20, 0, WORD(0x56000009), OK);
    SEND(0x21, 0x01, 21, 0, WORD(0x5600000b), 0x80, 0, 0, 0);
    EXPECT("VM_STATUS READY", 0x21, 0x03, 8, 0, WORD(0x56100008), 0x80, 0, 0, 0, 2, 0, 0, 0);
    EXPECT("INIT", 0x21, 0x02, 21, 0, WORD(0x5600000b), OK);
    SEND(0x21, 0x01, 22, 0, WORD(0x56000004), 0x80, 0, 0, 0);
    EXPECT("VM_STATUS RUNNING", 0x21, 0x03, 9, 0, WORD(0x56100008), 0x80, 0, 0, 0, 3, 0, 0, 0);
    EXPECT("START", 0x21, 0x02, 22, 0, WORD(0x56000004), OK);
}

/* The hypervisor runs it; we only wait. */
static void end_scheduled(void)
{
    EXPECT("VM_STATUS EXITED", 0x21, 0x03, 10, 0, WORD(0x56100008), 0x80, 0, 0, 0, 9, 0, 0, 0);
    EXPECT("VM_EXITED, powered off", 0x21, 0x03, 11, 0, WORD(0x56100001), 0x80, 0, 1, 0, WORD(4), WORD(0));
    check(read32(BUFFER + 8) == 0xedfe0dd0 + 0x1000, "what the VM left in the buffer", read32(BUFFER + 8));
    check((read64(BUFFER + 16) & 0xff00ffffff) == 0, "MPIDR_EL1 of the VM", read64(BUFFER + 16));
    check(read64(BUFFER + 24) == GUEST, "where the VM executed", read64(BUFFER + 24));

    SEND(0x21, 0x01, 23, 0, WORD(0x51000015), WORD(2), 0, 0, 0, 0);
    EXPECT("RECLAIM before RESET: MEM_INUSE", 0x21, 0x02, 23, 0, WORD(0x51000015), WORD(0xb));
    SEND(0x21, 0x01, 24, 0, WORD(0x56000006), 0x80, 0, 0, 0);
    EXPECT("VM_STATUS RESETTING", 0x21, 0x03, 12, 0, WORD(0x56100008), 0x80, 0, 0, 0, 10, 0, 0, 0);
    EXPECT("RESET", 0x21, 0x02, 24, 0, WORD(0x56000006), OK);
    EXPECT("MEM_RELEASED image", 0x21, 0x03, 13, 0, WORD(0x51100012), WORD(2), 0x80, 0, 0, 0, WORD(0));
    EXPECT("MEM_RELEASED buffer", 0x21, 0x03, 14, 0, WORD(0x51100012), WORD(3), 0x80, 0, 0, 0, WORD(0));
    EXPECT("VM_STATUS RESET", 0x21, 0x03, 15, 0, WORD(0x56100008), 0x80, 0, 0, 0, 11, 0, 0, 0);
    reachable("not reclaimed yet", IMAGE, 0);
    SEND(0x21, 0x01, 25, 0, WORD(0x51000015), WORD(2), 0, 0, 0, 0);
    EXPECT("RECLAIM of the image", 0x21, 0x02, 25, 0, WORD(0x51000015), OK);
    reachable("the image", IMAGE, 1);
    check(read64(IMAGE + 128) == GUEST, "what the VM wrote into its image", read64(IMAGE + 128));
    SEND(0x21, 0x01, 26, 0, WORD(0x51000015), WORD(3), 1, 0, 0, 0);
    EXPECT("RECLAIM of the buffer, sanitised", 0x21, 0x02, 26, 0, WORD(0x51000015), OK);
    check(read64(BUFFER + 24) == 0, "the buffer is not zero", read64(BUFFER + 24));
    SEND(0x21, 0x01, 27, 0, WORD(0x56000002), 0x80, 0, 0, 0);
    EXPECT("DEALLOC_VMID", 0x21, 0x02, 27, 0, WORD(0x56000002), OK);
}

void client(u64 tree)
{
    struct manager manager = {0};
    find_manager(tree, &manager);
    connect(&manager);
    say("client of the Resource Manager\n");
    struct resources caps;
    prepare_proxy(&caps);
    run_proxy(&caps);
    end_proxy(&caps);
    SEND(0x21, 0x01, 13, 0, WORD(0x560000ff));
    EXPECT("an unknown request", 0x21, 0x02, 13, 0, WORD(0x560000ff), WORD(0xffffffff));
    lend_pieces();
    start_scheduled();
    end_scheduled();
    expect_silence();
    finish("PASSED");
}
