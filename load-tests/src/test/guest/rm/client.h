/* A client of the Resource Manager without any library: bytes through message queues, checked one by one. */
#pragma once

typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long u64;

#pragma GCC visibility push(hidden)

#define PAGE 4096UL

static inline u32 read32(u64 address) { return *(volatile u32 *) address; }
static inline u64 read64(u64 address) { return *(volatile u64 *) address; }
static inline void write32(u64 address, u32 value) { *(volatile u32 *) address = value; }

/* start.S */
void hypercall(u64 number, u64 regs[8]);
void power_off(void) __attribute__((noreturn));
u32 can_read(u64 address);

/* report.c */
void report_to(u64 uart);
void say(const char *text);
void say_number(u64 value);
void finish(const char *verdict) __attribute__((noreturn));
void fail(const char *what, u64 value) __attribute__((noreturn));
void check(int condition, const char *what, u64 value);

/* tree.c */
struct manager { u64 tx, rx; u32 rx_intid; u64 uart; };
void find_manager(u64 tree, struct manager *manager);

/* rpc.c: whole packets. */
#define HOLE 0x100 /* a byte of an expected packet that is not known beforehand: part of a capability */
struct packet { u8 bytes[240]; u32 size; };
void connect(const struct manager *manager);
void acknowledge_interrupt(void);
void send_packet(const u8 *bytes, u32 size);
void receive_packet(struct packet *packet);
void expect_packet(const char *what, const unsigned short *bytes, u32 size, struct packet *packet);
void expect_silence(void);
